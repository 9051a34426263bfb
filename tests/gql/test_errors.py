"""Malformed values at every door, and mistakes of ours: the documented error, and nothing has happened."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from domain.errors import ConflictError, UnavailableError
from gql.node import global_id
from gql.paging import cursor_of
from gql.scalars import opaque
from tests.fakes import somebody
from tests.gql.house import House, key
from tests.gql.test_wallets import CANCEL, OPEN, TOP_UP, wanted

AMOUNTS: dict[str, Any] = {
    "a float": 50000.0,
    "a whole number": 50000,
    "true": True,
    "null": None,
    "a list": ["50000"],
    "an exponent": "5e4",
    "not a number": "NaN",
    "infinity": "Infinity",
    "a plus": "+50000",
    "blanks": " 50000",
    "a group": "50,000",
    "a leading zero": "050000",
    "no digits": ".5",
    "an open end": "50000.",
    "five decimals": "1.00000",
    "other digits": "\uff15\uff10\uff10\uff10\uff10",
    "hexadecimal": "0xC350",
    "empty": "",
    "endless": "9" * 10_000,
}
THREE_DECIMALS = {"more decimals than rupiah has": "50000.001", "beyond 64 bits": "99999999999999999.99"}


@pytest.mark.parametrize("amount", [*AMOUNTS.values(), *THREE_DECIMALS.values()], ids=[*AMOUNTS, *THREE_DECIMALS])
async def test_an_amount_has_one_spelling(house: House, amount: Any) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    before = house.ports.marks
    reply = await house.ask(TOP_UP, me, input=wanted(wallet, amount={"amount": amount, "currency": "IDR"}))
    assert set(reply.codes) == {"BAD_INPUT"}
    assert reply.body.get("data") is None
    assert len(reply.text) < 1_500
    assert house.ports.marks == before


@pytest.mark.parametrize("literal", ["50000", "50000.0", "5e4", "true", "IDR", "[]", "{}", '"5e4"', '"NaN"', "null"])
async def test_and_so_it_has_in_the_document(house: House, literal: str) -> None:
    me = somebody()
    before = house.ports.marks
    reply = await house.ask(
        f'mutation {{ startTopUp(input: {{walletId: "{global_id("Wallet", 1)}", method: QRIS, idempotencyKey: "k",'
        f" amount: {{amount: {literal}, currency: IDR}}}}) {{ __typename }} }}",
        me,
    )
    assert (reply.status, set(reply.codes)) == (400, {"BAD_INPUT"})
    assert house.ports.marks == before


IDS: dict[str, Any] = {
    "empty": "",
    "no base64": "!!!",
    "no text": "////",
    "padded": "V2FsbGV0OjE=",
    "another kind": global_id("TopUp", "0192f0c8-5d2a-7c11-9d5e-6b6f3a3c2b10"),
    "a kind that is not": global_id("Planet", 1),
    "no key": opaque("Wallet:"),
    "no kind": opaque(":1"),
    "no colon": opaque("Wallet"),
    "a text for a key": global_id("Wallet", "one"),
    "a negative key": global_id("Wallet", -1),
    "a key with a zero": global_id("Wallet", "01"),
    "other digits": global_id("Wallet", "\uff11"),
    "beyond 64 bits": global_id("Wallet", 10**18),
    "endless": opaque("Wallet:" + "1" * 10_000),
    "a null character": opaque("Wallet:1\0"),
    "SQL": opaque("Wallet:1; DROP TABLE account"),
}


@pytest.mark.parametrize("id_", IDS.values(), ids=IDS.keys())
async def test_an_id_that_we_never_gave_is_bad_input(house: House, id_: str) -> None:
    me = somebody()
    await house.ports.wallet(me)
    before = house.ports.marks
    for reply in (
        await house.ask("query ($id: ID!) { wallet(id: $id) { id } }", me, id=id_),
        await house.ask(TOP_UP, me, input=wanted(1, walletId=id_)),
    ):
        assert reply.codes == ["BAD_INPUT"], reply.text
        assert reply.body["data"] in ({"wallet": None}, None)
    assert house.ports.marks == before
    assert not house.ports.calls


@pytest.mark.parametrize("key_", ["", "1", "0192f0c8", "0192F0C8-5D2A-7C11-9D5E-6B6F3A3C2B10", "{" + "0" * 36 + "}"])
async def test_nor_did_we_give_such_an_id_of_a_top_up(house: House, key_: str) -> None:
    reply = await house.ask(CANCEL, somebody(), input={"topUpId": global_id("TopUp", key_)})
    assert reply.codes == ["BAD_INPUT"]
    for query in ("query ($id: ID!) { node(id: $id) { id } }", "query ($id: ID!) { topUp(id: $id) { id } }"):
        assert (await house.ask(query, somebody(), id=global_id("TopUp", key_))).codes == ["BAD_INPUT"]


MUTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "no input": (OPEN, {}),
    "an input that is null": (OPEN, {"input": None}),
    "an input that is a list": (OPEN, {"input": []}),
    "an empty input": (OPEN, {"input": {}}),
    "an unknown purpose": (OPEN, {"input": {"purpose": "LUNCH", "currency": "IDR"}}),
    "a purpose in small letters": (OPEN, {"input": {"purpose": "hosting_credit", "currency": "IDR"}}),
    "a numeric purpose": (OPEN, {"input": {"purpose": 1, "currency": "IDR"}}),
    "an unknown currency": (OPEN, {"input": {"purpose": "HOSTING_CREDIT", "currency": "XXX"}}),
    "a field too many": (OPEN, {"input": {"purpose": "HOSTING_CREDIT", "currency": "IDR", "owner": "me"}}),
    "an unknown method": (TOP_UP, {"input": wanted(1, method="CASH")}),
    "a null method": (TOP_UP, {"input": wanted(1, method=None)}),
    "a numeric wallet": (TOP_UP, {"input": wanted(1, walletId=1.5)}),
    "an amount without currency": (TOP_UP, {"input": wanted(1, amount={"amount": "50000"})}),
    "an amount alone": (TOP_UP, {"input": wanted(1, amount="50000")}),
    "no key": (TOP_UP, {"input": {name: value for name, value in wanted(1).items() if name != "idempotencyKey"}}),
    "an empty key": (TOP_UP, {"input": wanted(1, idempotencyKey="")}),
    "an endless key": (TOP_UP, {"input": wanted(1, idempotencyKey="k" * 201)}),
    "a numeric key": (TOP_UP, {"input": wanted(1, idempotencyKey=7)}),
    "a key with a line break": (TOP_UP, {"input": wanted(1, idempotencyKey="a\nb")}),
    "a key with a null character": (TOP_UP, {"input": wanted(1, idempotencyKey="a\0b")}),
    "a null top-up": (CANCEL, {"input": {"topUpId": None}}),
    "a list of top-ups": (CANCEL, {"input": {"topUpId": ["a", "b"]}}),
}


@pytest.mark.parametrize(("query", "variables"), MUTATIONS.values(), ids=MUTATIONS.keys())
async def test_what_a_mutation_cannot_read_it_does_not_do(house: House, query: str, variables: dict[str, Any]) -> None:
    me = somebody()
    assert await house.ports.wallet(me) == 1
    before = house.ports.marks
    reply = await house.ask(query, me, **variables)
    assert set(reply.codes) == {"BAD_INPUT"}, reply.text
    assert reply.body.get("data") is None
    assert house.ports.marks == before


READS: dict[str, tuple[str, Any]] = {
    "an instant without offset": ("balanceAt(at: $v) { total { amount } }", "2026-01-01T00:00:00"),
    "a date": ("balanceAt(at: $v) { total { amount } }", "2026-01-01"),
    "a number of seconds": ("balanceAt(at: $v) { total { amount } }", 1767225600),
    "a day that is not": ("balanceAt(at: $v) { total { amount } }", "2026-02-30T00:00:00Z"),
    "an hour that is not": ("balanceAt(at: $v) { total { amount } }", "2026-02-03T25:00:00Z"),
    "before all time": ("balanceAt(at: $v) { total { amount } }", "0001-01-01T00:00:00+14:00"),
    "an offset that is not": ("balanceAt(at: $v) { total { amount } }", "2026-01-01T00:00:00+99:00"),
}


@pytest.mark.parametrize(("asked", "value"), READS.values(), ids=READS.keys())
async def test_an_instant_has_one_spelling(house: House, asked: str, value: Any) -> None:
    me = somebody()
    id_ = global_id("Wallet", await house.ports.wallet(me))
    query = f"query ($id: ID!, $v: DateTime!) {{ wallet(id: $id) {{ {asked} }} }}"
    assert (await house.ask(query, me, id=id_, v=value)).codes == ["BAD_INPUT"]


CURSORS = ["!!!", opaque("nonsense"), cursor_of("wallet:2", 1), cursor_of("top-ups", 1), cursor_of("wallet:1", -1), ""]


@pytest.mark.parametrize("cursor", CURSORS)
async def test_a_cursor_of_another_list_is_bad_input(house: House, cursor: str) -> None:
    me = somebody()
    id_ = global_id("Wallet", await house.ports.wallet(me))
    statement = "query ($id: ID!, $c: Cursor!) { wallet(id: $id) { statement(after: $c) { edges { cursor } } } }"
    assert (await house.ask(statement, me, id=id_, c=cursor)).codes == ["BAD_INPUT"]
    top_ups = "query ($c: Cursor!) { topUps(after: $c) { edges { cursor } } }"
    if cursor != CURSORS[3]:
        assert (await house.ask(top_ups, me, c=cursor)).codes == ["BAD_INPUT"]


async def test_a_mistake_of_ours_is_masked_and_logged_under_the_id_that_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("hunter2 in /etc/shadow")

    monkeypatch.setattr(house.ports.books, "accounts_of", broken)
    with capture_logs() as logs:
        reply = await house.ask("{ viewer { id wallets { id } } }", somebody())
    (error,) = reply.body["errors"]
    assert error["path"] == ["viewer", "wallets"]
    assert error["extensions"] == {"code": "INTERNAL", "correlationId": reply.headers["X-Request-Id"]}
    assert "hunter2" not in reply.text
    (line,) = [line for line in logs if line["event"] == "internal_error"]
    assert line["correlation_id"] == error["extensions"]["correlationId"]
    assert isinstance(line["exc_info"], ZeroDivisionError)
    assert line["path"] == "viewer.wallets"


@pytest.mark.parametrize("error", [UnavailableError("pool"), ConflictError("met"), OSError("gone"), TimeoutError()])
async def test_what_may_be_tried_again_says_so(house: House, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(house.ports.books, "accounts_of", broken)
    reply = await house.ask("{ viewer { id wallets { id } } }", somebody())
    assert reply.body["errors"][0]["extensions"] == {"code": "UNAVAILABLE", "retryable": True}


async def test_a_null_that_may_not_be_is_a_mistake_of_ours(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    me = somebody()
    made = (await house.ask(TOP_UP, me, input=wanted(await house.ports.wallet(me), idempotencyKey=key()))).data
    monkeypatch.setattr(house.ports.books, "accounts_by_id", _nothing)
    reply = await house.ask("query ($id: ID!) { topUp(id: $id) { wallet { id } } }", me, id=made["startTopUp"]["id"])
    assert reply.codes == ["INTERNAL"]
    assert reply.body["data"] == {"topUp": None}


async def _nothing(_: Any) -> dict[int, Any]:
    return {}
