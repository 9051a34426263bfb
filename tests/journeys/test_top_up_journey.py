"""From the wish to pay to the message on a live socket, as people go: through the API, the page, the notification."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from domain.actor import Actor
from domain.ids import PersonId, uuid7
from gql.node import global_id
from tests.gql.house import Socket
from tests.journeys import asking
from tests.journeys.house import Journey, Person, order_of
from tests.waiting import eventually


@asynccontextmanager
async def following(journey: Journey, person: Person, after: str | None = None) -> AsyncIterator[Socket]:
    """A socket with one subscription to the person's wallet."""
    async with journey.conversation(person) as socket:
        await socket.subscribe("1", asking.FOLLOW, id=person.wallet, after=after)
        yield socket


async def change(socket: Socket) -> Any:
    return (await socket.data("1"))["walletChanged"]


async def snapshot(socket: Socket) -> Any:
    found = await change(socket)
    assert found["__typename"] == "WalletSnapshot"
    return found


async def entry(socket: Socket) -> Any:
    found = await change(socket)
    assert found["__typename"] == "WalletEntry", found
    return {**found["entry"], "cursor": found["cursor"]}


async def paid(journey: Journey, person: Person, units: int = 50_000) -> Any:
    """Start a top-up and pay it on its page."""
    top_up = await journey.start(person, units)
    await journey.press(top_up["redirectUrl"])
    return top_up


async def state(journey: Journey, person: Person, top_up: Any) -> str:
    return str((await journey.told(person, asking.TOP_UP, id=top_up["id"]))["state"])


async def total(journey: Journey, person: Person) -> str:
    return str((await journey.told(person, asking.WALLET, id=person.wallet))["balance"]["total"]["amount"])


async def test_a_payment_moves_the_balance_before_the_payers_eyes(journey: Journey) -> None:
    me = await journey.somebody()
    async with following(journey, me) as socket:
        assert (await snapshot(socket))["wallet"]["balance"]["total"]["amount"] == "0.00"
        top_up = await journey.start(me)
        assert (top_up["__typename"], top_up["state"]) == ("TopUp", "PENDING")
        assert "settlement" in await journey.press(top_up["redirectUrl"])
        assert await entry(socket) == {
            "cursor": (found := await journey.told(me, STATEMENT, id=me.wallet))["statement"]["edges"][0]["cursor"],
            "sequence": 1, "kind": "TOP_UP",
            "change": {"amount": "50000.00"}, "balanceAfter": {"amount": "50000.00"},
        }  # fmt: skip
        assert found["balance"]["total"]["amount"] == "50000.00"
    await eventually(lambda: is_in(journey, me, top_up, "SETTLED"))


STATEMENT = """
query ($id: ID!) { wallet(id: $id) { balance { total { amount } } statement(first: 1) { edges { cursor } } } }
"""


async def is_in(journey: Journey, person: Person, top_up: Any, name: str) -> bool:
    return await state(journey, person, top_up) == name


@pytest.mark.parametrize("button", ["pay_twice", "pay"])
async def test_whatever_is_told_and_however_often_it_is_one_credit(journey: Journey, button: str) -> None:
    me = await journey.somebody()
    top_up = await journey.start(me)
    await journey.operate("POST", "/faults", {"kind": "duplicate", "order_id": order_of(top_up), "times": 3})
    await journey.operate("POST", "/faults", {"kind": "out_of_order", "order_id": order_of(top_up)})
    await journey.press(top_up["redirectUrl"], button)
    await eventually(lambda: is_in(journey, me, top_up, "SETTLED"))
    await eventually(lambda: all_told(journey))
    assert await total(journey, me) == "50000.00"


async def all_told(journey: Journey) -> bool:
    return not (await journey.operate("GET", "/deliveries"))["busy"]


@pytest.mark.parametrize(
    ("button", "end"), [("deny", "FAILED"), ("expire", "EXPIRED"), ("pay_wrong_amount", "IN_REVIEW")]
)
async def test_what_is_not_paid_as_it_should_be_is_no_credit(journey: Journey, button: str, end: str) -> None:
    me = await journey.somebody()
    top_up = await journey.start(me)
    await journey.press(top_up["redirectUrl"], button)
    await eventually(lambda: is_in(journey, me, top_up, end))
    assert await total(journey, me) == "0.00"


REFUSED = {
    "too little": ({"amount": {"amount": "9999.00", "currency": "IDR"}}, "AMOUNT_BELOW_MINIMUM"),
    "too much at once": ({"amount": {"amount": "50000001.00", "currency": "IDR"}}, "AMOUNT_ABOVE_MAXIMUM"),
    "too much for the method": (
        {"amount": {"amount": "5000001.00", "currency": "IDR"}, "method": "CONVENIENCE_STORE"}, "AMOUNT_ABOVE_MAXIMUM",
    ),
    "a fraction": ({"amount": {"amount": "50000.50", "currency": "IDR"}}, "AMOUNT_NOT_REPRESENTABLE"),
    "another currency": ({"amount": {"amount": "50000.00", "currency": "USD"}}, "CURRENCY_NOT_SUPPORTED"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "code"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_refused_leaves_no_trace(journey: Journey, changes: dict[str, Any], code: str) -> None:
    me = await journey.somebody()
    before = await journey.marks(me)
    assert (await journey.start(me, **changes))["code"] == code
    assert await journey.marks(me) == before


async def test_player_cash_is_bound_to_no_gateway(journey: Journey) -> None:
    actor = Actor(PersonId(uuid7()))
    made = await journey.ask(actor, asking.OPEN_WALLET, input={"purpose": "PLAYER_CASH", "currency": "IDR"})
    me = Person(actor, made.data["openWallet"]["id"])
    before = await journey.marks(me)
    assert (await journey.start(me))["code"] == "GATEWAY_NOT_BOUND"
    assert await journey.marks(me) == before


async def test_three_may_be_pending_and_a_cancelled_one_makes_room(journey: Journey) -> None:
    me = await journey.somebody()
    begun = [await journey.start(me) for _ in range(3)]
    before = await journey.marks(me)
    assert (await journey.start(me))["code"] == "TOO_MANY_PENDING"
    assert await journey.marks(me) == before
    await journey.told(me, asking.CANCEL, input={"topUpId": begun[0]["id"]})
    assert (await journey.start(me))["state"] == "PENDING"


async def test_a_day_has_a_cap(journey: Journey) -> None:
    me = await journey.somebody()
    for _ in range(2):
        assert (await journey.start(me, 50_000_000))["state"] == "PENDING"
    before = await journey.marks(me)
    assert (await journey.start(me, 10_000))["code"] == "DAILY_CAP_REACHED"
    assert await journey.marks(me) == before


async def test_what_is_cancelled_and_paid_all_the_same_lands(journey: Journey) -> None:
    me = await journey.somebody()
    top_up = await journey.start(me)
    for _ in range(2):
        assert (await journey.told(me, asking.CANCEL, input={"topUpId": top_up["id"]}))["state"] == "CANCELLED"
    await journey.press(top_up["redirectUrl"])
    await eventually(lambda: is_in(journey, me, top_up, "SETTLED"))
    assert await total(journey, me) == "50000.00"
    assert (await journey.told(me, asking.CANCEL, input={"topUpId": top_up["id"]}))["code"] == "NOT_CANCELLABLE"


async def test_one_key_is_one_top_up_however_often_it_is_sent(journey: Journey) -> None:
    me, key = await journey.somebody(), secrets.token_hex(8)
    before = await journey.operate("GET", "/calls")
    answers = await asyncio.gather(*(journey.start(me, key=key) for _ in range(8)))
    assert len({answer["id"] for answer in answers}) == 1
    assert {answer["redirectUrl"] for answer in answers} - {None} == {(await journey.start(me, key=key))["redirectUrl"]}
    assert (await journey.operate("GET", "/calls"))["snap.create"] == before.get("snap.create", 0) + 1
    assert (await journey.start(me, 60_000, key=key))["code"] == "ID_REUSED"
    other = await journey.somebody()
    assert (await journey.start(other, key=key))["id"] != answers[0]["id"]


async def test_a_stream_goes_on_after_its_cursor_without_loss_or_doubling(journey: Journey) -> None:
    me = await journey.somebody()
    async with following(journey, me) as socket:
        await snapshot(socket)
        await paid(journey, me, 10_000)
        cursor = (await entry(socket))["cursor"]
    for units in (20_000, 30_000):
        await eventually_settled(journey, me, await paid(journey, me, units))
    async with following(journey, me, after=cursor) as socket:
        assert [(await entry(socket))["sequence"] for _ in range(2)] == [2, 3]
        await paid(journey, me, 40_000)
        assert (await entry(socket))["balanceAfter"]["amount"] == "100000.00"


async def eventually_settled(journey: Journey, person: Person, top_up: Any) -> None:
    await eventually(lambda: is_in(journey, person, top_up, "SETTLED"))


async def test_a_socket_lives_no_longer_than_its_token(journey: Journey) -> None:
    me = await journey.somebody()
    async with journey.conversation(me, timedelta(seconds=2)) as socket:
        await socket.subscribe("1", asking.FOLLOW, id=me.wallet)
        await snapshot(socket)
        assert (await socket.closing())[0] == 4403


async def test_a_killed_server_is_found_again_where_the_stream_stood(journey: Journey) -> None:
    me = await journey.somebody()
    async with following(journey, me) as socket:
        cursor = (await snapshot(socket))["cursor"]
        top_up = await journey.start(me)
        await asyncio.to_thread(journey.house.kill, "server")
        await journey.press(top_up["redirectUrl"])  # the notification finds nobody
    await asyncio.to_thread(journey.house.start_server)
    async with following(journey, me, after=cursor) as socket:
        assert (await entry(socket))["sequence"] == 1
    await eventually_settled(journey, me, top_up)


async def test_a_killed_valkey_loses_nobody_anything(journey: Journey) -> None:
    me = await journey.somebody()
    async with following(journey, me) as socket:
        await snapshot(socket)
        await paid(journey, me, 10_000)
        assert (await entry(socket))["sequence"] == 1
        await asyncio.to_thread(journey.house.valkey.kill)
        top_up = await paid(journey, me, 20_000)
        await eventually_settled(journey, me, top_up)
        await asyncio.to_thread(journey.house.valkey.restart)
        assert (await entry(socket))["sequence"] == 2
        await paid(journey, me, 30_000)
        assert (await entry(socket))["balanceAfter"]["amount"] == "60000.00"


async def test_another_worker_takes_over_from_one_that_is_killed(journey: Journey) -> None:
    me = await journey.somebody()
    await asyncio.to_thread(journey.house.start_worker, "second worker")
    async with following(journey, me) as socket:
        await snapshot(socket)
        await asyncio.to_thread(journey.house.kill, "worker")
        await paid(journey, me)
        assert (await entry(socket))["sequence"] == 1
    await eventually(lambda: all_published(journey))


async def all_published(journey: Journey) -> bool:
    query = "select not exists (select from event where published_at is null)"
    return bool(await journey.connection.fetchval(query))


async def test_what_is_somebody_elses_is_as_if_it_did_not_exist(journey: Journey) -> None:
    me, other = await journey.somebody(), await journey.somebody()
    theirs = await paid(journey, other)
    await eventually_settled(journey, other, theirs)
    nowhere = Person(me.actor, global_id("Wallet", 2**40))
    foreign = Person(me.actor, other.wallet)
    nothing = global_id("TopUp", uuid7())
    assert await journey.start(foreign) == await journey.start(nowhere)
    assert (await journey.start(foreign))["code"] == "WALLET_NOT_FOUND"
    for query, pair in (
        (asking.WALLET, [{"id": foreign.wallet}, {"id": nowhere.wallet}]),
        (asking.TOP_UP, [{"id": theirs["id"]}, {"id": nothing}]),
        (asking.CANCEL, [{"input": {"topUpId": theirs["id"]}}, {"input": {"topUpId": nothing}}]),
    ):
        answers = [(await journey.ask(me.actor, query, **variables)).text for variables in pair]
        assert answers[0] == answers[1]
        assert "50000" not in answers[0]
    async with journey.conversation(me) as socket:
        told = []
        for wallet in (foreign.wallet, nowhere.wallet):
            await socket.subscribe("1", asking.FOLLOW, id=wallet)
            told.append(await socket.next())
        assert told[0] == told[1]
        assert told[0]["payload"][0]["extensions"]["code"] == "FORBIDDEN"
