"""Wallets, top-ups and statements, as a client sees them."""

from typing import Any

import pytest

from domain.errors import UnavailableError
from domain.ids import PersonId
from domain.ledger.chart import Purpose
from domain.money import Currency
from gql.node import global_id
from tests.fakes import somebody
from tests.gql.house import House, Reply, key

TOP_UP = """
mutation ($input: StartTopUpInput!) {
  startTopUp(input: $input) {
    __typename
    ... on Refusal { code message }
    ... on BelowMinimum { minimum { amount currency } }
    ... on AboveMaximum { maximum { amount } }
    ... on TooManyPending { most }
    ... on DailyCapReached { left { amount } }
    ... on TopUp { id state amount { amount currency } method redirectUrl credited { amount } wallet { id } }
  }
}
"""
OPEN = """
  mutation ($input: OpenWalletInput!) { openWallet(input: $input) { __typename
  ... on Wallet { id purpose currency } ... on Refusal { code message } } }
"""
CANCEL = """
  mutation ($input: CancelTopUpInput!) { cancelTopUp(input: $input) { __typename
  ... on TopUp { id state } ... on Refusal { code } ... on NotCancellable { state } } }
"""


def wanted(wallet: int, **changes: Any) -> dict[str, Any]:
    usual = {
        "walletId": global_id("Wallet", wallet),
        "amount": {"amount": "50000.00", "currency": "IDR"},
        "method": "QRIS",
        "idempotencyKey": key(),
    }
    return {**usual, **changes}


async def test_a_wallet_is_opened_once(house: House) -> None:
    me = somebody()
    given = {"purpose": "HOSTING_CREDIT", "currency": "IDR"}
    first = (await house.ask(OPEN, me, input=given)).data["openWallet"]
    assert first == {"__typename": "Wallet", "id": first["id"], "purpose": "HOSTING_CREDIT", "currency": "IDR"}
    assert (await house.ask(OPEN, me, input=given)).data["openWallet"] == first


@pytest.mark.parametrize("purpose", ["BANK", "RECEIVABLE", "STREAMER_EARNED"])
async def test_other_wallets_are_not_opened_on_request(house: House, purpose: str) -> None:
    before = house.ports.marks
    reply = await house.ask(OPEN, somebody(), input={"purpose": purpose, "currency": "IDR"})
    assert reply.data["openWallet"]["code"] == "WALLET_NOT_OFFERED"
    assert house.ports.marks == before


async def test_a_top_up_is_started_and_looked_up(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    made = (await house.ask(TOP_UP, me, input=wanted(wallet))).data["startTopUp"]
    assert made["state"] == "PENDING"
    assert made["amount"] == {"amount": "50000.00", "currency": "IDR"}
    assert made["redirectUrl"].startswith("https://pay.example/")
    assert made["wallet"] == {"id": global_id("Wallet", wallet)}
    found = await house.ask("query ($id: ID!) { topUp(id: $id) { id state } }", me, id=made["id"])
    assert found.data["topUp"] == {"id": made["id"], "state": "PENDING"}


async def test_the_same_key_answers_the_same_top_up(house: House) -> None:
    me = somebody()
    given = wanted(await house.ports.wallet(me))
    first = await house.ask(TOP_UP, me, input=given)
    assert (await house.ask(TOP_UP, me, input=given)).data == first.data
    other = await house.ask(TOP_UP, me, input={**given, "method": "GOPAY"})
    assert other.data["startTopUp"]["code"] == "ID_REUSED"
    assert len(house.ports.top_ups.kept) == 1


REFUSED = {
    "too little": ({"amount": {"amount": "9999", "currency": "IDR"}}, "AMOUNT_BELOW_MINIMUM"),
    "nothing": ({"amount": {"amount": "0", "currency": "IDR"}}, "AMOUNT_BELOW_MINIMUM"),
    "less than nothing": ({"amount": {"amount": "-50000", "currency": "IDR"}}, "AMOUNT_BELOW_MINIMUM"),
    "too much": ({"amount": {"amount": "99999999", "currency": "IDR"}}, "AMOUNT_ABOVE_MAXIMUM"),
    "a fraction": ({"amount": {"amount": "50000.50", "currency": "IDR"}}, "AMOUNT_NOT_REPRESENTABLE"),
    "another currency": ({"amount": {"amount": "50000", "currency": "USD"}}, "CURRENCY_NOT_SUPPORTED"),
    "a wallet that is not there": ({"walletId": global_id("Wallet", 999_999)}, "WALLET_NOT_FOUND"),
}


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_refused_changes_nothing(house: House, changes: dict[str, Any], code: str) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    before = house.ports.marks
    reply = await house.ask(TOP_UP, me, input=wanted(wallet, **changes))
    assert reply.status == 200
    assert reply.data["startTopUp"]["code"] == code
    assert house.ports.marks == before


async def test_a_refusal_carries_what_mends_it(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    reply = await house.ask(TOP_UP, me, input=wanted(wallet, amount={"amount": "1", "currency": "IDR"}))
    assert reply.data["startTopUp"] == {
        "__typename": "BelowMinimum",
        "code": "AMOUNT_BELOW_MINIMUM",
        "message": reply.data["startTopUp"]["message"],
        "minimum": {"amount": "10000.00", "currency": "IDR"},
    }


async def test_player_cash_has_no_gateway(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me, Purpose.PLAYER_CASH)
    assert (await house.ask(TOP_UP, me, input=wanted(wallet))).data["startTopUp"]["code"] == "GATEWAY_NOT_BOUND"


async def test_a_fourth_pending_top_up_is_refused(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    for _ in range(3):
        assert (await house.ask(TOP_UP, me, input=wanted(wallet))).data["startTopUp"]["__typename"] == "TopUp"
    refused = (await house.ask(TOP_UP, me, input=wanted(wallet))).data["startTopUp"]
    assert (refused["code"], refused["most"]) == ("TOO_MANY_PENDING", 3)


async def test_somebody_elses_wallet_answers_as_one_that_is_not_there(house: House) -> None:
    theirs, me = await house.ports.wallet(somebody()), somebody()
    before = house.ports.marks
    foreign = await house.ask(TOP_UP, me, input=wanted(theirs))
    missing = await house.ask(TOP_UP, me, input=wanted(theirs + 1_000))
    assert foreign.text == missing.text
    assert house.ports.marks == before


async def test_a_top_up_is_cancelled_once_and_by_its_owner(house: House) -> None:
    me = somebody()
    made = (await house.ask(TOP_UP, me, input=wanted(await house.ports.wallet(me)))).data["startTopUp"]
    given = {"topUpId": made["id"]}
    foreign = await house.ask(CANCEL, somebody(), input=given)
    assert foreign.data["cancelTopUp"]["code"] == "TOP_UP_NOT_FOUND"
    missing = await house.ask(CANCEL, me, input={"topUpId": global_id("TopUp", PersonId(me.person))})
    assert missing.text == foreign.text
    for _ in range(2):
        done = await house.ask(CANCEL, me, input=given)
        assert done.data["cancelTopUp"] == {"__typename": "TopUp", "id": made["id"], "state": "CANCELLED"}


async def test_a_gateway_that_does_not_answer_is_an_error_to_try_again(house: House) -> None:
    me = somebody()
    house.ports.gateway.failure = UnavailableError("connection refused by 10.0.0.7")
    reply = await house.ask(TOP_UP, me, input=wanted(await house.ports.wallet(me)))
    assert reply.status == 200
    assert reply.body["data"] is None
    (error,) = reply.body["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
    assert "10.0.0.7" not in reply.text


STATEMENT = """
query ($id: ID!, $first: Int! = 20, $after: Cursor, $newestFirst: Boolean! = true, $filter: StatementFilter) {
  wallet(id: $id) {
    balance { total { amount } held { amount } available { amount } }
    statement(first: $first, after: $after, newestFirst: $newestFirst, filter: $filter) {
      edges { cursor node { sequence kind operation change { amount } balanceAfter { amount } counterpart } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
}
"""


def numbers(reply: Reply) -> list[int]:
    return [edge["node"]["sequence"] for edge in reply.data["wallet"]["statement"]["edges"]]


async def test_a_statement_has_a_running_balance_and_no_names(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    await house.ports.credit(wallet, 100, 20, 3)
    reply = await house.ask(STATEMENT, me, id=global_id("Wallet", wallet))
    assert reply.data["wallet"]["balance"]["total"] == {"amount": "123.00"}
    newest = reply.data["wallet"]["statement"]["edges"][0]["node"]
    assert newest == {
        "sequence": 3,
        "kind": "TOP_UP",
        "operation": "MOVE",
        "change": {"amount": "3.00"},
        "balanceAfter": {"amount": "123.00"},
        "counterpart": "GATEWAY_CLEARING",
    }
    assert "midtrans" not in reply.text


@pytest.mark.parametrize("newest_first", [True, False])
async def test_pages_join_without_a_gap_or_a_repeat(house: House, newest_first: bool) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    await house.ports.credit(wallet, *range(1, 8))
    seen: list[int] = []
    after: str | None = None
    for expected_more in (True, True, False):
        page = await house.ask(
            STATEMENT, me, id=global_id("Wallet", wallet), first=3, after=after, newestFirst=newest_first
        )
        info = page.data["wallet"]["statement"]["pageInfo"]
        assert (info["hasNextPage"], info["hasPreviousPage"]) == (expected_more, after is not None)
        seen += numbers(page)
        after = info["endCursor"]
    assert seen == (list(range(7, 0, -1)) if newest_first else list(range(1, 8)))


async def test_a_statement_is_filtered(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    await house.ports.credit(wallet, 1)
    between = house.ports.clock()
    await house.ports.credit(wallet, 2)
    filters: dict[str, tuple[dict[str, Any], list[int]]] = {
        "kinds": ({"kinds": ["REFUND"]}, []),
        "these kinds": ({"kinds": ["TOP_UP", "REFUND"]}, [2, 1]),
        "no kind": ({"kinds": []}, []),
        "since": ({"since": between.isoformat()}, [2]),
        "until": ({"until": between.isoformat()}, [1]),
    }
    for name, (given, expected) in filters.items():
        found = await house.ask(STATEMENT, me, id=global_id("Wallet", wallet), filter=given)
        assert numbers(found) == expected, name


async def test_an_empty_statement_has_a_page(house: House) -> None:
    me = somebody()
    reply = await house.ask(STATEMENT, me, id=global_id("Wallet", await house.ports.wallet(me)))
    assert reply.data["wallet"]["statement"]["pageInfo"] == {
        "hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None,
    }  # fmt: skip


async def test_the_balance_at_an_instant(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    await house.ports.credit(wallet, 5)
    then = house.ports.clock()
    await house.ports.credit(wallet, 6)
    query = """
  query ($id: ID!, $at: DateTime!) { wallet(id: $id) { balanceAt(at: $at) { total { amount } }
  then: balanceAt(at: $at, basis: EFFECTIVE) { total { amount } } } }
"""
    reply = await house.ask(query, me, id=global_id("Wallet", wallet), at=then.isoformat())
    assert reply.data["wallet"] == {"balanceAt": {"total": {"amount": "5.00"}}, "then": {"total": {"amount": "5.00"}}}


async def test_the_viewer_sees_all_that_is_theirs_and_only_that(house: House) -> None:
    me, other = somebody(), somebody()
    mine = [await house.ports.wallet(me), await house.ports.wallet(me, Purpose.BRAND_PREPAID, Currency.USD)]
    await house.ports.wallet(me, Purpose.RECEIVABLE)
    await house.ports.wallet(other)
    await house.ask(TOP_UP, other, input=wanted(3))
    made = [(await house.ask(TOP_UP, me, input=wanted(mine[0]))).data["startTopUp"]["id"] for _ in range(2)]
    query = """
  { viewer { id wallets { id owes { amount currency } }
  topUps(first: 1) { edges { node { id } } pageInfo { hasNextPage endCursor } } }
  topUps { edges { node { id } } } }
"""
    found = (await house.ask(query, me)).data
    assert found["viewer"]["id"] == global_id("Viewer", me.person)
    assert [wallet["id"] for wallet in found["viewer"]["wallets"]] == [global_id("Wallet", id_) for id_ in mine]
    assert [edge["node"]["id"] for edge in found["viewer"]["topUps"]["edges"]] == [made[1]]
    assert found["viewer"]["topUps"]["pageInfo"]["hasNextPage"] is True
    assert [edge["node"]["id"] for edge in found["topUps"]["edges"]] == made[::-1]
    rest = await house.ask(
        "query ($after: Cursor) { topUps(after: $after) { edges { node { id } } } }",
        me,
        after=found["viewer"]["topUps"]["pageInfo"]["endCursor"],
    )
    assert [edge["node"]["id"] for edge in rest.data["topUps"]["edges"]] == [made[0]]


async def test_nodes_are_found_by_their_ids(house: House) -> None:
    me = somebody()
    wallet = global_id("Wallet", await house.ports.wallet(me))
    theirs = global_id("Wallet", await house.ports.wallet(somebody()))
    missing = global_id("Wallet", 999_999)
    viewer = global_id("Viewer", me.person)
    ids = [missing, viewer, theirs, wallet]
    found = await house.ask("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", me, ids=ids)
    assert found.data["nodes"] == [
        None, {"__typename": "Viewer", "id": viewer}, None, {"__typename": "Wallet", "id": wallet},
    ]  # fmt: skip
    one = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await house.ask(one, me, id=theirs)).text == (await house.ask(one, me, id=missing)).text


async def test_what_a_person_owes_stands_beside_each_wallet(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    await house.ports.owe(me, 70)
    reply = await house.ask(
        "query ($id: ID!) { wallet(id: $id) { owes { amount } } }", me, id=global_id("Wallet", wallet)
    )
    assert reply.data["wallet"]["owes"] == {"amount": "70.00"}
