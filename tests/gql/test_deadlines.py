"""What takes too long: queries end, changes go on, and whoever waits is told so."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from adapters.readiness import UNREACHABLE
from domain.actor import Actor
from gql.context import Context
from gql.deadlines import Changes, TimedOutError
from gql.execution import Schema, answers
from gql.node import global_id
from gql.operations import EVERYTHING, Answer, Operation
from tests.fakes import FakePorts, somebody
from tests.gql.house import House, one_schema_for_all
from tests.gql.test_wallets import TOP_UP, wanted
from tests.waiting import PATIENCE_S, eventually

SHORT_S = 0.3
"""Long enough for a busy machine to come as far as to what hangs."""
READS = {
    "by a loader": ("accounts_by_id", "query ($id: ID!) { wallet(id: $id) { currency } }"),
    "at the root": ("accounts_of", "{ viewer { wallets { currency } } }"),
    "beside others": ("accounts_of", "{ viewer { a: wallets { id } topUps { edges { cursor } } b: wallets { id } } }"),
}


class Hanging:
    """A call that does not come back before it is let go; says how often it was begun, and how often stopped."""

    def __init__(self, then: Callable[..., Awaitable[Any]]) -> None:
        self.begun = self.stopped = 0
        self.free = asyncio.Event()
        self._then = then

    async def __call__(self, *given: Any, **named: Any) -> Any:
        self.begun += 1
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        return await self._then(*given, **named)


@pytest.fixture
def schema(monkeypatch: pytest.MonkeyPatch) -> Schema:
    """The schema of the house, which has no patience."""
    found = one_schema_for_all(development=False, unavailable=UNREACHABLE)
    monkeypatch.setattr(found, "limits", replace(found.limits, query_s=SHORT_S, change_s=SHORT_S))
    return found


def refusals(reason: str) -> float:
    return REGISTRY.get_sample_value("graphql_refusals_total", {"reason": reason}) or 0.0


@pytest.mark.parametrize(("port", "query"), READS.values(), ids=READS.keys())
async def test_a_query_is_stopped_with_all_that_it_waits_for(
    house: House, schema: Schema, port: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, before = somebody(), refusals("time")
    wallet = global_id("Wallet", await house.ports.wallet(me))
    read = Hanging(getattr(house.ports.books, port))
    monkeypatch.setattr(house.ports.books, port, read)
    reply = await house.ask(query, me, id=wallet)
    assert (reply.status, reply.body["data"]) == (200, None)
    (error,) = reply.body["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE", "limit": "time", "retryable": True}
    await eventually(lambda: read.stopped == read.begun > 0)
    assert refusals("time") == before + 1
    read.free.set()
    assert "errors" not in (await house.ask(query, me, id=wallet)).body


async def test_who_hangs_holds_nobody_else_up(house: House, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "limits", replace(schema.limits, query_s=10.0))
    me, ports = somebody(), house.ports
    read = Hanging(ports.books.accounts_of)
    monkeypatch.setattr(ports.books, "accounts_of", read)
    slow = asyncio.create_task(house.ask("{ viewer { wallets { id } } }", me))
    await eventually(lambda: read.begun == 1)
    assert (await house.ask("{ viewer { id } }", me)).data
    read.free.set()
    assert (await slow).data == {"viewer": {"wallets": []}}


async def test_a_change_goes_on_and_is_there_when_it_is_sent_again(
    house: House, schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, ports = somebody(), house.ports
    asked = wanted(await ports.wallet(me))
    vendor = Hanging(ports.gateway.open_page)
    monkeypatch.setattr(ports.gateway, "open_page", vendor)
    reply = await house.ask(TOP_UP, me, input=asked)
    assert (reply.status, reply.codes, reply.body["data"]) == (200, ["UNAVAILABLE"], None)
    assert "goes on" in reply.body["errors"][0]["message"]
    assert (vendor.begun, vendor.stopped, len(schema.changes)) == (1, 0, 1)
    vendor.free.set()
    await asyncio.wait_for(schema.changes.rest(), PATIENCE_S)
    (kept,) = ports.top_ups.kept.values()
    again = (await house.ask(TOP_UP, me, input=asked)).data["startTopUp"]
    assert again["redirectUrl"].startswith("https://pay.example/")
    assert (again["id"], vendor.begun) == (global_id("TopUp", kept.top_up.id), 1)


async def test_nobody_waits_for_others_changes(house: House, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    me, ports = somebody(), house.ports
    vendor = Hanging(ports.gateway.open_page)
    monkeypatch.setattr(ports.gateway, "open_page", vendor)
    stuck = [house.ask(TOP_UP, each, input=wanted(await ports.wallet(each))) for each in (somebody(), somebody(), me)]
    assert [reply.codes for reply in await asyncio.gather(*stuck)] == [["UNAVAILABLE"]] * 3
    assert (await house.ask("{ viewer { id } }", me)).data
    vendor.free.set()
    await asyncio.wait_for(schema.changes.rest(), PATIENCE_S)


@asynccontextmanager
async def following(schema: Schema, ports: FakePorts, actor: Actor, query: str, **variables: Any) -> AsyncIterator[Any]:
    context = Context(ports, actor, "correlation")
    found = answers(schema, Operation(query, variables), context, EVERYTHING)
    try:
        yield found
    finally:
        await found.aclose()


async def test_a_change_whose_caller_is_gone_is_made_all_the_same(
    schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "limits", replace(schema.limits, change_s=10.0))
    ports, me = FakePorts(), somebody()
    vendor = Hanging(ports.gateway.open_page)
    monkeypatch.setattr(ports.gateway, "open_page", vendor)
    asked = wanted(await ports.wallet(me))
    async with following(schema, ports, me, TOP_UP, input=asked) as replies:
        caller = asyncio.create_task(anext(replies))
        await eventually(lambda: vendor.begun == 1)
        caller.cancel()
        await asyncio.wait({caller})
    vendor.free.set()
    await asyncio.wait_for(schema.changes.rest(), PATIENCE_S)
    assert vendor.stopped == 0
    (kept,) = ports.top_ups.kept.values()
    assert kept.latest.token


FOLLOW = """
subscription ($id: ID!) { walletChanged(walletId: $id) { ... on WalletSnapshot { wallet { owes { amount } } } } }
"""


async def test_a_subscription_ends_with_an_event_that_takes_too_long(
    schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports, me = FakePorts(), somebody()
    wallet = global_id("Wallet", await ports.wallet(me))
    read = Hanging(ports.books.accounts_of)
    monkeypatch.setattr(ports.books, "accounts_of", read)
    async with following(schema, ports, me, FOLLOW, id=wallet) as replies:
        answer: Answer = await anext(replies)
        assert (answer.executed, [each["extensions"]["code"] for each in answer.errors]) == (False, ["UNAVAILABLE"])
        with pytest.raises(StopAsyncIteration):
            await anext(replies)
    assert (read.begun, read.stopped) == (1, 1)


async def test_an_answer_has_a_length(house: House, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    me, before = somebody(), refusals("answer")
    monkeypatch.setattr(schema, "limits", replace(schema.limits, answer_bytes=25))
    assert (await house.ask("{ __typename }", me)).data == {"__typename": "Query"}
    reply = await house.ask("{ __typename a: __typename }", me)
    assert (reply.status, reply.codes, reply.body["data"]) == (200, ["BAD_INPUT"], None)
    assert reply.body["errors"][0]["extensions"]["limit"] == "answer"
    assert refusals("answer") == before + 1


REASONS = {
    "depth": "{ viewer " + "{ wallets " * 12 + "{ id }" + " }" * 12 + "}",
    "aliases": "{ " + " ".join(f"a{n}: __typename" for n in range(16)) + " }",
    "directives": "{ __typename " + "@skip(if: false) " * 31 + "}",
    "cost": "{ topUps(first: 100) { edges { node { wallet { statement(first: 100) { edges { cursor } } } } } } }",
    "tokens": "{ " + "__typename " * 2_000 + "}",
    "syntax": "{",
    "invalid": "{ nonsense }",
}


@pytest.mark.parametrize(("reason", "query"), REASONS.items(), ids=REASONS.keys())
async def test_every_refusal_is_counted_by_its_reason(house: House, reason: str, query: str) -> None:
    before = refusals(reason)
    reply = await house.ask(query, somebody())
    assert reply.status == 400
    assert refusals(reason) == before + 1
    told = {error["extensions"].get("limit") for error in reply.body["errors"]}
    assert told == ({reason} if reason in {"depth", "aliases", "directives", "cost"} else {None})


async def test_changes_are_waited_for_at_the_end() -> None:
    changes, free, made = Changes(), asyncio.Event(), list[str]()

    async def change() -> None:
        await free.wait()
        made.append("made")

    with pytest.raises(TimedOutError):
        await changes.made(0.001, change())
    resting = asyncio.create_task(changes.rest())
    await eventually(lambda: len(changes) == 1)
    assert not resting.done()
    free.set()
    await asyncio.wait_for(resting, PATIENCE_S)
    assert (made, len(changes)) == (["made"], 0)
