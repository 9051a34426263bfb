"""Malformed input of every kind, to every mutation and to the webhook: the documented answer, and nothing else happens.

The tables are for people: what is wrong, what is sent, what is answered. `BAD_INPUT` is an error of the request;
anything in capitals beside it is a typed refusal.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.payments.midtrans import signature
from adapters.webhooks import LARGEST_BODY_BYTES
from gql.node import global_id
from gql.requests import LARGEST_BODY
from tests.gql.house import RESPONSE, Reply
from tests.journeys import asking
from tests.journeys.house import SERVER_KEY, House, Journey, Person, order_of
from tests.journeys.storm import signed

BAD, UNSIGNED = "BAD_INPUT", "UNAUTHENTICATED"
FIFTY = {"amount": "50000.00", "currency": "IDR"}
ANY_ID = global_id("Wallet", 1)
DEEP = "deep"
for _ in range(60):
    DEEP = [DEEP]  # type: ignore[assignment]  # nested on purpose

NOT_AMOUNTS: dict[str, Any] = {
    "missing": {"currency": "IDR"},
    "null": {"amount": None, "currency": "IDR"},
    "an integer": {"amount": 50_000, "currency": "IDR"},
    "a float": {"amount": 50_000.0, "currency": "IDR"},
    "a boolean": {"amount": True, "currency": "IDR"},
    "a list": {"amount": ["50000"], "currency": "IDR"},
    "an object": {"amount": {"units": 50_000}, "currency": "IDR"},
    "empty": {"amount": "", "currency": "IDR"},
    "a blank": {"amount": " 50000", "currency": "IDR"},
    "a line end": {"amount": "50000\n", "currency": "IDR"},
    "a plus": {"amount": "+50000", "currency": "IDR"},
    "an exponent": {"amount": "5e4", "currency": "IDR"},
    "not a number": {"amount": "NaN", "currency": "IDR"},
    "infinite": {"amount": "Infinity", "currency": "IDR"},
    "hexadecimal": {"amount": "0xC350", "currency": "IDR"},
    "underscores": {"amount": "50_000", "currency": "IDR"},
    "a thousands mark": {"amount": "50,000", "currency": "IDR"},
    "leading zeros": {"amount": "050000", "currency": "IDR"},
    "three decimals": {"amount": "50000.001", "currency": "IDR"},
    "decimals of a currency without": {"amount": "50000.5", "currency": "JPY"},
    "no digits after the point": {"amount": "50000.", "currency": "IDR"},
    "full-width digits": {"amount": "\uff15\uff10\uff10\uff10\uff10", "currency": "IDR"},
    "Arabic digits": {"amount": "\u0665\u0660\u0660\u0660\u0660", "currency": "IDR"},
    "a real minus": {"amount": "\u221250000", "currency": "IDR"},
    "twenty digits": {"amount": "9" * 20, "currency": "IDR"},
    "beyond 64 bits in minor units": {"amount": "9" * 19, "currency": "IDR"},
    "ten thousand digits": {"amount": "9" * 10_000, "currency": "IDR"},
    "no currency": {"amount": "50000"},
    "a currency that is null": {"amount": "50000", "currency": None},
    "a currency that is none": {"amount": "50000", "currency": "XXX"},
    "a currency in small letters": {"amount": "50000", "currency": "idr"},
    "a currency that is a number": {"amount": "50000", "currency": 360},
    "a field too many": {"amount": "50000", "currency": "IDR", "minor": 1},
    "not an object": "50000",
    "null altogether": None,
    "nested without end": {"amount": DEEP, "currency": "IDR"},
}
REFUSED_AMOUNTS = {
    "nothing": ("0", "AMOUNT_BELOW_MINIMUM"),
    "minus nothing": ("-0", "AMOUNT_BELOW_MINIMUM"),
    "less than nothing": ("-50000", "AMOUNT_BELOW_MINIMUM"),
    "the smallest fraction": ("0.01", "AMOUNT_BELOW_MINIMUM"),
    "the largest number that fits": ("92233720368547758.07", "AMOUNT_ABOVE_MAXIMUM"),
}
NOT_IDS: dict[str, Any] = {
    "null": None,
    "a number": 1,
    "a list": [ANY_ID],
    "an object": {"id": ANY_ID},
    "empty": "",
    "plain text": "1",
    "no base64": "%%%",
    "padded": ANY_ID + "==",
    "invalid UTF-8 inside": "__79",
    "of another type": global_id("Viewer", 1),
    "of no type": global_id("Nothing", 1),
    "without a key": global_id("Wallet", ""),
    "with a NUL": global_id("Wallet", "1\x00"),
    "endless": "A" * 5_000,
}
NOT_KEYS: dict[str, Any] = {
    "null": None,
    "a list": ["key"],
    "a boolean": True,
    "empty": "",
    "201 characters": "k" * 201,
    "a NUL": "a\x00b",
    "a line end": "a\nb",
    "half a character": "\ud800",
    "a change of direction": "a\u202eb",
}
NOT_METHODS: dict[str, Any] = {
    "null": None, "unknown": "BITCOIN", "in small letters": "qris", "a number": 1, "empty": "", "a list": ["QRIS"],
}  # fmt: skip
NOT_PURPOSES: dict[str, Any] = {
    "null": None,
    "unknown": "PIGGY_BANK",
    "a number": 1,
    "in small letters": "hosting_credit",
}

START_TABLE: dict[str, tuple[dict[str, Any], str]] = (
    {f"amount: {what}": ({"amount": amount}, BAD) for what, amount in NOT_AMOUNTS.items()}
    | {f"amount: {w}": ({"amount": {**FIFTY, "amount": a}}, code) for w, (a, code) in REFUSED_AMOUNTS.items()}
    | {f"wallet: {what}": ({"walletId": id_}, BAD) for what, id_ in NOT_IDS.items()}
    | {"wallet: unknown": ({"walletId": global_id("Wallet", 2**40)}, "WALLET_NOT_FOUND")}
    | {"wallet: beyond 63 bits": ({"walletId": global_id("Wallet", 2**63)}, BAD)}
    | {f"key: {what}": ({"idempotencyKey": key}, BAD) for what, key in NOT_KEYS.items()}
    | {f"method: {what}": ({"method": method}, BAD) for what, method in NOT_METHODS.items()}
    | {"a field too many": ({"gateway": "midtrans"}, BAD)}
)  # fmt: skip
CANCEL_TABLE = {f"top-up: {what}": ({"topUpId": id_}, BAD) for what, id_ in NOT_IDS.items()} | {
    "top-up: unknown": ({"topUpId": global_id("TopUp", "01890000-0000-7000-8000-000000000000")}, "TOP_UP_NOT_FOUND"),
    "top-up: not a UUID": ({"topUpId": global_id("TopUp", "1")}, BAD),
}
OPEN_TABLE = {f"purpose: {what}": ({"purpose": purpose}, BAD) for what, purpose in NOT_PURPOSES.items()} | {
    "purpose: not for people": ({"purpose": "BANK"}, "WALLET_NOT_OFFERED"),
    "purpose: not a person's": ({"purpose": "BRAND_PREPAID"}, "WALLET_NOT_OFFERED"),
    "currency: unknown": ({"currency": "XXX"}, BAD),
    "currency: null": ({"currency": None}, BAD),
}


@pytest.fixture(scope="module", autouse=True)
def _without_a_worker(house: House) -> None:
    """So that nobody but us can have caused a call of the gateway."""
    house.kill("worker")


@pytest.fixture
async def me(journey: Journey) -> Person:
    return await journey.somebody()


async def nothing_happens(journey: Journey, ask: Callable[[], Any]) -> Reply:
    """Whatever is asked leaves the whole house as it was."""
    before = await journey.all_marks()
    reply: Reply = await ask()
    assert await journey.all_marks() == before
    return reply


def code_of(reply: Reply) -> str:
    """The one thing that an answer says: the code of its error, or of its refusal."""
    if reply.codes:
        (code,) = reply.codes if len(set(reply.codes)) > 1 else set(reply.codes)
        return str(code)
    (found,) = reply.data.values()
    return str(found.get("code", found))


async def is_answered(journey: Journey, me: Person, query: str, given: dict[str, Any], code: str) -> None:
    body = json.dumps({"query": query, "variables": {"input": given}})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {journey.token(me.actor)}"}

    async def ask() -> Reply:
        return await journey.request("POST", "/graphql", data=body, headers=headers | {"Accept": RESPONSE})

    reply = await nothing_happens(journey, ask)
    assert code_of(reply) == code, reply.text
    assert reply.status in ({200, 400} if code == BAD else {200})


@pytest.mark.parametrize(("changes", "code"), START_TABLE.values(), ids=START_TABLE.keys())
async def test_start_top_up(journey: Journey, me: Person, changes: dict[str, Any], code: str) -> None:
    await is_answered(journey, me, asking.START, {**asking.wanted(me.wallet, "a key"), **changes}, code)


@pytest.mark.parametrize("field", ["walletId", "amount", "method", "idempotencyKey"])
async def test_start_top_up_without(journey: Journey, me: Person, field: str) -> None:
    given = asking.wanted(me.wallet, "a key")
    del given[field]
    await is_answered(journey, me, asking.START, given, BAD)


@pytest.mark.parametrize(("given", "code"), CANCEL_TABLE.values(), ids=CANCEL_TABLE.keys())
async def test_cancel_top_up(journey: Journey, me: Person, given: dict[str, Any], code: str) -> None:
    await is_answered(journey, me, asking.CANCEL, given, code)


@pytest.mark.parametrize(("changes", "code"), OPEN_TABLE.values(), ids=OPEN_TABLE.keys())
async def test_open_wallet(journey: Journey, me: Person, changes: dict[str, Any], code: str) -> None:
    await is_answered(journey, me, asking.OPEN_WALLET, {"purpose": "HOSTING_CREDIT", "currency": "IDR"} | changes, code)


@pytest.mark.parametrize("query", [asking.START, asking.CANCEL, asking.OPEN_WALLET], ids=["start", "cancel", "open"])
async def test_nobody_may(journey: Journey, me: Person, query: str) -> None:
    given: dict[str, Any] = {
        asking.START: asking.wanted(me.wallet, "a key"), asking.CANCEL: {"topUpId": global_id("TopUp", "1")},
        asking.OPEN_WALLET: {"purpose": "HOSTING_CREDIT", "currency": "IDR"},
    }[query]  # fmt: skip
    reply = await nothing_happens(journey, lambda: journey.ask(None, query, input=given))
    assert reply.codes == [UNSIGNED]


JSON = {"Content-Type": "application/json"}
BODIES: dict[str, tuple[bytes, dict[str, str], int]] = {
    "empty": (b"", JSON, 400),
    "not JSON": (b"{", JSON, 400),
    "a number": (b"1", JSON, 400),
    "null": (b"null", JSON, 400),
    "a batch": (b"[]", JSON, 400),
    "no query": (b"{}", JSON, 400),
    "a query that is a number": (b'{"query":1}', JSON, 400),
    "an empty query": (b'{"query":""}', JSON, 400),
    "no GraphQL": (b'{"query":"startTopUp"}', JSON, 400),
    "variables that are a list": (b'{"query":"{__typename}","variables":[]}', JSON, 400),
    "invalid UTF-8": (b'{"query":"\xff"}', JSON, 400),
    "a NUL": (b'{"query":"\x00"}', JSON, 400),
    "deep JSON": (b'{"query":' + b"[" * 50_000, JSON, 400),
    "another type": (b'{"query":"{__typename}"}', {"Content-Type": "text/plain"}, 415),
    "a form": (b"query={__typename}", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
    "another encoding": (b"{}", {"Content-Type": "application/json; charset=utf-16"}, 415),
    "too large": (b" " * (LARGEST_BODY + 1), JSON, 413),
}


@pytest.mark.parametrize(("body", "headers", "status"), BODIES.values(), ids=BODIES.keys())
async def test_graphql_bodies(journey: Journey, body: bytes, headers: dict[str, str], status: int) -> None:
    given = {"Accept": RESPONSE, **headers}
    reply = await nothing_happens(journey, lambda: journey.request("POST", "/graphql", data=body, headers=given))
    assert reply.status == status, reply.text
    assert set(reply.codes) == {BAD}


LETTER: dict[str, Any] = {
    "order_id": "an-order-1", "status_code": "200", "gross_amount": "50000.00", "transaction_status": "settlement",
}  # fmt: skip


def letter(**changes: Any) -> bytes:
    """A notification with a good signature over whatever stands in it."""
    return signed({**LETTER, **changes}, SERVER_KEY)


LETTERS: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "not JSON": (b"{", 400),
    "a list": (b"[]", 400),
    "null": (b"null", 400),
    "no fields": (b"{}", 400),
    "invalid UTF-8": (b'{"order_id":"\xff"}', 400),
    "deep JSON": (b"[" * 20_000, 400),
    "NaN": (b'{"gross_amount":NaN}', 400),
    "too large": (b" " * (LARGEST_BODY_BYTES + 1), 413),
    "a form": (b"order_id=1&status_code=200", 400),
    "no signature": (json.dumps(LETTER).encode(), 400),
    "a signature that is null": (json.dumps({**LETTER, "signature_key": None}).encode(), 400),
    "a signature that is a list": (json.dumps({**LETTER, "signature_key": ["0"]}).encode(), 400),
    "an empty signature": (json.dumps({**LETTER, "signature_key": ""}).encode(), 400),
    "a made-up signature": (json.dumps({**LETTER, "signature_key": "0" * 128}).encode(), 403),
    "a signature in foreign letters": (json.dumps({**LETTER, "signature_key": "é" * 128}).encode(), 403),
    "half a character for a signature": (json.dumps({**LETTER, "signature_key": "\ud800"}).encode(), 400),
    "another's key": (signed(LETTER, "SB-Mid-server-of-nobody"), 403),
    "an empty key": (signed(LETTER, ""), 403),
    "an amount that is a number": (json.dumps({**json.loads(letter()), "gross_amount": 50_000}).encode(), 400),
    "an order that is a number": (json.dumps({**json.loads(letter()), "order_id": 1}).encode(), 400),
    "an order with a NUL": (letter(order_id="a\x00b"), 400),
    "an unknown order": (letter(), 404),
    "an order that is SQL": (letter(order_id="'; drop table journal; --"), 404),
    "an order that is a path": (letter(order_id="../../v2/x"), 404),
    "an endless order": (letter(order_id="a" * 5_000), 404),
    "an order in foreign letters": (letter(order_id="注文"), 404),
    "an amount that is no amount": (letter(gross_amount="lots"), 404),
    "a negative amount": (letter(gross_amount="-50000.00"), 404),
    "an unknown status": (letter(transaction_status="on fire"), 404),
}  # fmt: skip


@pytest.mark.parametrize(("body", "status"), LETTERS.values(), ids=LETTERS.keys())
async def test_webhook(journey: Journey, body: bytes, status: int) -> None:
    reply = await nothing_happens(
        journey, lambda: journey.request("POST", "/webhooks/midtrans", data=body, headers=JSON)
    )
    assert reply.status == status, reply.text


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_webhook_by_another_method(journey: Journey, method: str) -> None:
    reply = await nothing_happens(journey, lambda: journey.request(method, "/webhooks/midtrans", data=letter()))
    assert reply.status == 405


CLAIMS: dict[str, dict[str, Any]] = {
    "it is paid": {"transaction_status": "settlement"},
    "ten times as much": {"gross_amount": "500000.00"},
    "another currency": {"currency": "USD"},
    "it was charged back": {"transaction_status": "chargeback", "status_code": "200"},
    "a number for a transaction": {"transaction_id": "9" * 5_000},
    "a path for a transaction": {"transaction_id": "../control/calls"},
    "the folder above for a transaction": {"transaction_id": ".."},
}


@pytest.mark.parametrize("changes", CLAIMS.values(), ids=CLAIMS.keys())
async def test_what_a_letter_claims_moves_nothing(journey: Journey, me: Person, changes: dict[str, Any]) -> None:
    top_up = await journey.start(me)
    before = await journey.marks(me)
    body = letter(order_id=order_of(top_up), **changes)
    assert (await journey.request("POST", "/webhooks/midtrans", data=body, headers=JSON)).status == 200
    assert await journey.marks(me) == before
    found = await journey.told(me, asking.TOP_UP, id=top_up["id"])
    assert (found["state"], found["credited"]["amount"]) == ("PENDING", "0.00")


def test_a_letter_is_signed_as_midtrans_signs() -> None:
    found = json.loads(letter())
    assert found["signature_key"] == signature("an-order-1", "200", "50000.00", SERVER_KEY)
