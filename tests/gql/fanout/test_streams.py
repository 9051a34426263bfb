"""Streams of events share one execution with sockets and with each other, and nobody's own is in it."""

import asyncio
import gc
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET

import pytest

from adapters.serving import OPTIONS
from tests.fakes import somebody
from tests.gql.events import STREAM, Event, Events, events
from tests.gql.fanout.stage import EVERY, SUM, asked, fan_house, happen, listened_to
from tests.gql.house import House
from tests.waiting import eventually

ALONE = "subscription ($of: String!) { goal(of: $of) { amount viewer } }"


@pytest.fixture(params=["adapters.lines:StreamingProtocol", "httptools"], ids=["by pieces", "waited for"])
async def house(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    monkeypatch.setitem(OPTIONS, "http", request.param)
    async with fan_house(tmp_path) as running:
        yield running


async def test_an_event_is_carried_out_once_for_all(house: House) -> None:
    query = SUM.replace("amount", "amount reckoned")
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(events(house, query, somebody(), of="a")) for _ in range(5)]
        socket = await stack.enter_async_context(house.conversation(somebody()))
        await socket.subscribe("1", query, of="a")
        for turn, number in enumerate((0, 7, 8)):
            if number:
                house.ports.feed.tell("a", number)
            expected = {"goal": {"name": f"goal {number}", "amount": number, "reckoned": turn + 1}}
            for stream in streams:
                event = await stream.next()
                assert (event.body["data"], event.id) == (expected, None)
            assert await socket.data("1") == expected
        assert (asked["goal"], asked["reckoned"]) == (1, 3)
    await listened_to(house, "a", 0)


async def test_who_comes_later_is_told_the_last_of_each_key(house: House) -> None:
    async with events(house, SUM, somebody(), of="a") as first:
        await first.data()
        for number in (1, 2, 11):
            house.ports.feed.tell("a", number)
            await first.data()
        async with events(house, SUM, somebody(), of="a") as late:
            assert [(await late.data())["goal"]["amount"] for _ in range(3)] == [0, 2, 11]


async def test_what_asks_who_is_looking_is_carried_out_for_each(house: House) -> None:
    people = [somebody(), somebody()]
    async with events(house, ALONE, people[0], of="a") as one, events(house, ALONE, people[1], of="a") as other:
        for me, stream in zip(people, (one, other), strict=True):
            assert await stream.data() == {"goal": {"amount": 0, "viewer": str(me.person)}}


async def test_what_must_be_delivered_is_never_left_out(house: House) -> None:
    happen(house, 1, 2, 3)

    async def numbers(stream: Events, count: int) -> list[int]:
        return [(await stream.data())["alerts"]["number"] for _ in range(count)]

    async with (
        events(house, EVERY, somebody(), of="a", after=1) as behind,
        events(house, EVERY, somebody(), of="a") as new,
    ):
        assert await numbers(behind, 2) == [2, 3]
        assert await numbers(new, 1) == [3]
        happen(house, 4, 5)
        assert await numbers(behind, 2) == await numbers(new, 2) == [4, 5]


async def test_a_stream_that_breaks_off_is_told_and_complete(house: House) -> None:
    async with events(house, "subscription { broken }", somebody()) as stream:
        assert await stream.data() == {"broken": 1}
        event = await stream.next()
        assert event.body["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "hunter2" not in event.data
        assert await stream.next() == Event("complete", "")
        await stream.ended()


async def test_a_client_that_takes_nothing_holds_nobody_up(tmp_path: Path) -> None:
    async with (
        fan_house(tmp_path) as house,
        events(house, EVERY, somebody(), of="a") as stalled,
        events(house, EVERY, somebody(), of="a") as other,
    ):
        await other.data()
        connection = stalled.raw.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.pause_reading()
        connection.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        count = 0

        async def is_let_go() -> bool:
            nonlocal count
            happen(house, *range(count + 1, count + 501))
            for number in range(count + 1, count + 501):
                assert (await other.data())["alerts"]["number"] == number
            count += 500
            figures = (await house.request("GET", "/metrics")).text
            return "event_streams_open 1.0" in figures

        await eventually(is_let_go, 60)


KEPT = ("Task", "RequestResponseCycle", "HttpRequestParser", "Request", "Loaders", "Budget")


def held() -> Counter[str]:
    """What there is of that which an answer takes while it is made."""
    gc.collect()
    found = Counter(type(each).__name__ for each in gc.get_objects())
    return Counter({name: found[name] for name in KEPT})


async def test_whoever_only_listens_keeps_nothing_of_the_request(tmp_path: Path) -> None:
    async with fan_house(tmp_path) as house, AsyncExitStack() as stack:

        async def listen(times: int) -> None:
            for _ in range(times):
                stream = await stack.enter_async_context(events(house, SUM, somebody(), of="a"))
                await stream.data()

        await listen(3)
        before = held()
        await listen(20)
        assert {name: more for name, more in (held() - before).items() if more > 3} == {}


async def test_what_is_sent_behind_a_subscription_is_not_read_and_hides_nothing(tmp_path: Path) -> None:
    async with fan_house(tmp_path) as house:
        host, _, port = house.url.removeprefix("http://").partition(":")
        body = json.dumps({"query": SUM, "variables": {"of": "a"}})
        sign = house.headers(somebody())["Authorization"]
        request = (
            f"POST /graphql HTTP/1.1\r\nHost: a\r\nAccept: {STREAM}\r\nAuthorization: {sign}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request.encode())
        assert b"goal 0" in await reader.readuntil(b"}}}")
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        house.ports.feed.tell("a", 7)
        assert b"goal 7" in await reader.readuntil(b"}}}")
        writer.close()
        await listened_to(house, "a", 0)


async def test_a_connection_ends_with_its_subscription_and_not_with_its_query(tmp_path: Path) -> None:
    async with fan_house(tmp_path) as house:
        async with events(house, "{ nothing }", somebody()) as stream:
            assert "Connection" not in stream.raw.headers
            await stream.data()
            await stream.completed()
        async with events(house, "subscription { broken }", somebody()) as stream:
            assert stream.raw.headers["Connection"] == "close"
            await stream.data()
            await stream.next()
            await stream.completed()
        figures = (await house.request("GET", "/metrics")).text
        assert "event_streams_open 0.0" in figures
