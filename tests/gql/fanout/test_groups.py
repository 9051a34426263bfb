"""One execution for many, and never one that depends on who is looking."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from domain.actor import Actor
from domain.identity.model import PersonStatus, Portal
from domain.rights import Permission, StaffRole
from gql.doorkeeper import ENDED
from gql.fanout.groups import GROUPS
from tests.fakes import somebody
from tests.gql.fanout import stage
from tests.gql.fanout.stage import EVERY, LATELY, SUM, asked, data_of, fan_house, happen, listened_to
from tests.gql.house import House, Socket
from tests.people import session_of
from tests.waiting import eventually


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with fan_house(tmp_path) as running:
        yield running


async def many(stack: AsyncExitStack, house: House, count: int) -> list[Socket]:
    return [await stack.enter_async_context(house.conversation(somebody())) for _ in range(count)]


async def test_an_event_is_carried_out_once_for_all_who_ask_the_same(house: House) -> None:
    query = "subscription ($of: String!) { goal(of: $of) { amount reckoned } }"
    async with AsyncExitStack() as stack:
        sockets = await many(stack, house, 8)
        for number, socket in enumerate(sockets):
            await socket.subscribe(f"id {number}", query, of="a")
            first = await socket.data(f"id {number}")
            assert first == {"goal": {"amount": 0, "reckoned": 1}}, "who comes later is told the last"
        assert asked == {"goal": 1, "reckoned": 1}
        house.ports.feed.tell("a", 10)
        for number, socket in enumerate(sockets):
            assert await socket.data(f"id {number}") == {"goal": {"amount": 10, "reckoned": 2}}
        assert asked == {"goal": 1, "reckoned": 2}
        assert house.ports.feed.listeners("a") == 1
    await listened_to(house, "a", 0)
    assert GROUPS._value.get() == 0


async def test_other_variables_and_other_documents_are_other_groups(house: House) -> None:
    async with AsyncExitStack() as stack:
        one, two, three = await many(stack, house, 3)
        await one.subscribe("1", SUM, of="a")
        await two.subscribe("1", SUM, of="b")
        await three.subscribe("1", SUM.replace("name ", ""), of="a")
        await data_of([one, two, three])
        house.ports.feed.tell("a", 11)
        assert await one.data("1") == {"goal": {"name": "goal 1", "amount": 11}}
        assert await three.data("1") == {"goal": {"amount": 11}}
        house.ports.feed.tell("b", 12)
        assert await two.data("1") == {"goal": {"name": "goal 2", "amount": 12}}
        assert asked["goal"] == 3


async def test_variables_that_mean_the_same_are_the_same(house: House) -> None:
    query = SUM.replace("$of: String!", "$of: String!, $no: Boolean = false").replace("name", "name @skip(if: $no)")
    async with AsyncExitStack() as stack:
        one, two = await many(stack, house, 2)
        await one.subscribe("1", query, of="a", no=False)
        await two.subscribe("1", query, no=False, of="a", unknown=1)
        await data_of([one, two])
        assert asked["goal"] == 1


async def test_who_comes_later_is_told_the_last_of_each_key(house: House) -> None:
    async with AsyncExitStack() as stack:
        early, late = await many(stack, house, 2)
        await early.subscribe("1", SUM, of="a")
        await early.data("1")
        for number in (11, 12, 21):
            house.ports.feed.tell("a", number)
            await early.data("1")
        await late.subscribe("1", SUM, of="a")
        amounts = [(await late.data("1"))["goal"]["amount"] for _ in range(3)]
        assert amounts == [0, 12, 21]


PERSONAL = {
    "who insists on somebody": ("viewer", lambda me: str(me.person)),
    "who would answer to nobody as well": ("greeting", lambda me: f"Hello {me.person}"),
    "who looks where they come from": ("address", lambda _: "127.0.0.1"),
}


@pytest.mark.parametrize(("name", "own"), PERSONAL.values(), ids=PERSONAL.keys())
async def test_what_depends_on_who_is_looking_is_never_shared(house: House, name: str, own: Any) -> None:
    query = f'subscription {{ goal(of: "a") {{ amount {name} }} }}'
    people = [somebody() for _ in range(5)]
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(house.conversation(person)) for person in people]
        for socket in sockets:
            await socket.subscribe("1", query)
        for person, socket in zip(people, sockets, strict=True):
            assert await socket.data("1") == {"goal": {"amount": 0, name: own(person)}}
        await listened_to(house, "a", 5)
        house.ports.feed.tell("a", 3)
        for person, socket in zip(people, sockets, strict=True):
            assert await socket.data("1") == {"goal": {"amount": 3, name: own(person)}}
        begun = asked["goal"]
        await sockets[0].subscribe("2", query)
        await sockets[0].data("2")
        assert asked["goal"] == begun + 1, "the second time nobody tries to share it"
        await sockets[0].send({"id": "2", "type": "complete"})
        await listened_to(house, "a", 5)
    await listened_to(house, "a", 0)


async def test_a_stream_that_asks_at_once_is_each_ones_own(house: House) -> None:
    people = [somebody() for _ in range(3)]
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(house.conversation(person)) for person in people]
        for socket in sockets:
            await socket.subscribe("1", "subscription { mine }")
        for person, socket in zip(people, sockets, strict=True):
            assert await socket.data("1") == {"mine": str(person.person)}
            assert await socket.next() == {"id": "1", "type": "complete"}


async def test_rights_are_judged_for_each_before_they_join(house: House) -> None:
    query = 'subscription { goal(of: "a") { amount margin } }'
    session = house.ports.standings.begin(
        session_of(somebody().person, Portal.ADMIN), staff_role=StaffRole.SUPER_ADMIN, networks=("127.0.0.0/8",),
        permissions=frozenset({Permission.VIEW_FINANCIALS}),
    )  # fmt: skip
    staff = Actor(session.person)
    async with house.conversation(staff) as one, house.conversation(somebody()) as other:
        await one.subscribe("1", query)
        assert await one.data("1") == {"goal": {"amount": 0, "margin": 7}}
        await other.subscribe("1", query)
        message = await other.next()
        assert message["payload"]["data"] is None
        assert message["payload"]["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_who_loses_their_rights_follows_no_more(house: House) -> None:
    one, other = somebody(), somebody()
    async with house.conversation(one) as leaving, house.conversation(other) as staying:
        for socket in (leaving, staying):
            await socket.subscribe("1", SUM, of="a")
            await socket.data("1")
        house.ports.standings.change(house.session(one), status=PersonStatus.BANNED)
        assert await leaving.closing() == (4403, ENDED)
        house.ports.feed.tell("a", 5)
        assert (await staying.data("1"))["goal"]["amount"] == 5


async def test_completing_leaves_a_group_and_the_last_ends_it(house: House) -> None:
    async with AsyncExitStack() as stack:
        one, two = await many(stack, house, 2)
        for socket in (one, two):
            await socket.subscribe("1", SUM, of="a")
            await socket.data("1")
        await one.send({"id": "1", "type": "complete"})
        await one.send({"type": "ping"})
        assert await one.next() == {"type": "pong"}
        house.ports.feed.tell("a", 5)
        assert (await two.data("1"))["goal"]["amount"] == 5
        await one.send({"type": "ping"})
        assert await one.next() == {"type": "pong"}
        await two.send({"id": "1", "type": "complete"})
        await listened_to(house, "a", 0)


async def test_the_end_of_a_stream_is_told_to_all(house: House) -> None:
    async with AsyncExitStack() as stack:
        sockets = await many(stack, house, 3)
        for socket in sockets:
            await socket.subscribe("1", SUM, of="a")
            await socket.data("1")
        house.ports.feed.tell("a", None)
        for socket in sockets:
            assert await socket.next() == {"id": "1", "type": "complete"}


async def test_an_error_of_ours_is_masked_for_all(house: House) -> None:
    async with house.conversation(somebody()) as socket:
        await socket.subscribe("1", "subscription { broken }")
        assert await socket.data("1") == {"broken": 1}
        message = await socket.next()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL")
        assert "hunter2" not in str(message)


async def test_what_happens_from_now_on(house: House) -> None:
    async with AsyncExitStack() as stack:
        one, two = await many(stack, house, 2)
        await one.subscribe("1", LATELY)
        assert (await one.data("1"))["rumours"]["number"] == 0
        await two.subscribe("1", LATELY)
        await two.send({"type": "ping"})
        assert await two.next() == {"type": "pong"}
        await eventually(lambda: GROUPS._value.get() == 1)
        house.ports.feed.tell("rumours", 1)
        for socket in (one, two):
            assert (await socket.data("1"))["rumours"]["number"] == 1


async def numbers(socket: Socket, count: int) -> list[int]:
    return [(await socket.data("1"))["alerts"]["number"] for _ in range(count)]


async def test_nobody_misses_anything_wherever_they_begin(house: House) -> None:
    stage.log.extend(range(1, 6))
    async with AsyncExitStack() as stack:
        one, two, three, ahead = await many(stack, house, 4)
        await one.subscribe("1", EVERY, of="a")
        assert await numbers(one, 1) == [5]
        await two.subscribe("1", EVERY, of="a", after=2)
        assert await numbers(two, 3) == [3, 4, 5]
        happen(house, 6, 7)
        assert await numbers(one, 2) == [6, 7]
        assert await numbers(two, 2) == [6, 7]
        await three.subscribe("1", EVERY, of="a")
        assert await numbers(three, 1) == [7]
        await ahead.subscribe("1", EVERY, of="a", after=7)
        await listened_to(house, "a", 2)
        happen(house, 8)
        for socket in (one, two, three, ahead):
            assert await numbers(socket, 1) == [8]
        await listened_to(house, "a", 1)
        happen(house, *range(9, 100))
        for socket in (one, two, three, ahead):
            assert await numbers(socket, 91) == list(range(9, 100))


async def test_the_first_may_leave_while_others_catch_up(house: House) -> None:
    async with AsyncExitStack() as stack:
        one, two, three = await many(stack, house, 3)
        await one.subscribe("1", EVERY, of="a", after=0)
        await listened_to(house, "a", 1)
        await two.subscribe("1", EVERY, of="a")
        assert await numbers(two, 1) == [0]
        await one.send({"id": "1", "type": "complete"})
        await listened_to(house, "a", 1)
        happen(house, 1)
        assert await numbers(two, 1) == [1]
        await three.subscribe("1", EVERY, of="a", after=0)
        assert await numbers(three, 1) == [1]
        await listened_to(house, "a", 1)
        happen(house, 2)
        assert await numbers(two, 1) == await numbers(three, 1) == [2]


async def test_what_becomes_personal_late_is_begun_again_after_the_cursor(house: House) -> None:
    query = EVERY.replace("text", "own")
    me = somebody()
    async with house.conversation(me) as socket:
        await socket.subscribe("1", query, of="a", after=0)
        await listened_to(house, "a", 1)
        happen(house, 1, 2, 3)
        assert await numbers(socket, 2) == [1, 2]
        message = await socket.next()
        assert (message["type"], message["payload"][0]["extensions"]) == (
            "error", {"code": "UNAVAILABLE", "retryable": True},
        )  # fmt: skip
        await socket.subscribe("1", query, of="a", after=2)
        assert await socket.data("1") == {"alerts": {"number": 3, "own": str(me.person)}}
