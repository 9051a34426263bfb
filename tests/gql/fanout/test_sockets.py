"""Sockets of many clients at one server: slow ones, too many, servers that stop, and servers that take no frames."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any

import aiohttp
import pytest
from aiohttp import WSServerHandshakeError

from adapters import frames
from adapters.serving import OPTIONS
from gql.fanout import line
from gql.fanout.outlet import DROPPED, TOO_SLOW
from gql.fanout.places import REFUSED
from tests.fakes import somebody
from tests.gql.fanout import stage
from tests.gql.fanout.stage import EVERY, LATELY, SUM, asked, fan_house, happen, hello, listened_to
from tests.gql.house import House, Socket
from tests.waiting import eventually

SLOWLY = "mutation { slowly }"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    stage.gate.clear()
    stage.finished.clear()
    async with fan_house(tmp_path) as running:
        yield running


def stall(socket: Socket) -> None:
    """This client takes nothing any more."""
    connection = socket.raw._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.pause_reading()
    connection.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)


def awake(socket: Socket) -> None:
    """It takes all again."""
    connection = socket.raw._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 20)
    connection.transport.resume_reading()


class TestStalledClients:
    async def test_what_must_be_delivered_closes_theirs_and_no_others(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stage, "LENGTH", 40_000)
        monkeypatch.setattr(frames, "CLOSE_S", 0.1)
        before = TOO_SLOW._value.get()
        async with house.conversation(somebody()) as stalled, house.conversation(somebody()) as other:
            for socket in (stalled, other):
                await socket.subscribe("1", EVERY, of="a", after=0)
            await listened_to(house, "a", 1)
            stall(stalled)
            number = 0
            while TOO_SLOW._value.get() == before:
                happen(house, *range(number + 1, number + 6))
                for _ in range(5):
                    number += 1
                    assert (await other.data("1"))["alerts"]["number"] == number
                assert number < 10_000
            awake(stalled)
            happen(house, number + 1)
            assert (await other.data("1"))["alerts"]["number"] == number + 1

    async def test_where_the_oldest_may_be_lost_they_stay(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(stage, "LENGTH", 40_000)
        lost = DROPPED.labels("drop_oldest")._value
        before = lost.get()
        async with house.conversation(somebody()) as stalled, house.conversation(somebody()) as other:
            await stalled.subscribe("1", LATELY)
            await stalled.data("1")
            await other.subscribe("1", LATELY)
            await hello(other)
            stall(stalled)
            number = 0
            while lost.get() < before + 10:
                for _ in range(5):
                    number += 1
                    house.ports.feed.tell("rumours", number)
                for told in range(number - 4, number + 1):
                    assert (await other.data("1"))["rumours"]["number"] == told
                assert number < 10_000
            awake(stalled)
            heard = [(await stalled.data("1"))["rumours"]["number"]]
            while heard[-1] < number:
                heard.append((await stalled.data("1"))["rumours"]["number"])
            assert heard == sorted(set(heard))
            assert len(heard) == number - (lost.get() - before)


class TestLimits:
    async def test_of_sockets_of_an_address(self, tmp_path: Path) -> None:
        refused = REFUSED.labels("sockets_of_address")._value
        before = refused.get()
        async with fan_house(tmp_path, sockets_of_address=2) as house:
            async with house.socket(), house.conversation(somebody()):
                with pytest.raises(WSServerHandshakeError) as told:
                    await house.client.ws_connect(house.url + "/graphql", protocols=("graphql-transport-ws",))
                assert told.value.status == 429
                assert refused.get() == before + 1
            await eventually(lambda: _comes_in(house))

    async def test_of_sockets_of_a_person(self, tmp_path: Path) -> None:
        me = somebody()
        async with fan_house(tmp_path, sockets_of_person=2) as house:
            async with house.conversation(me), house.conversation(me), house.socket() as one_more:
                await one_more.send({"type": "connection_init", "payload": {"token": house.token(me)}})
                assert await one_more.closing() == (1013, "Try again later: you have too many sockets")
            async with house.conversation(me) as socket:
                await hello(socket)

    async def test_of_operations_of_a_person(self, tmp_path: Path) -> None:
        me = somebody()
        async with (
            fan_house(tmp_path, operations_of_person=3) as house,
            house.conversation(me) as one,
            house.conversation(me) as two,
        ):
            for socket, id_ in ((one, "1"), (one, "2"), (two, "1")):
                await socket.subscribe(id_, SUM, of="a")
                await socket.data(id_)
            await two.subscribe("2", SUM, of="a")
            assert (await two.next())["type"] == "error"
            await one.send({"id": "2", "type": "complete"})
            await hello(one)
            await two.subscribe("2", SUM, of="a")
            await two.data("2")


async def _comes_in(house: House) -> bool:
    try:
        async with house.socket():
            return True
    except WSServerHandshakeError:
        return False


@pytest.fixture
def sockets_of_server(monkeypatch: pytest.MonkeyPatch) -> list[frames.FrameProtocol]:
    """The server's sides of all sockets."""
    found: list[frames.FrameProtocol] = []
    made = frames.FrameProtocol.connection_made

    def note(self: frames.FrameProtocol, transport: Any) -> None:
        found.append(self)
        made(self, transport)

    monkeypatch.setattr(frames.FrameProtocol, "connection_made", note)
    return found


class TestStopping:
    async def test_says_when_to_come_back(self, house: House, sockets_of_server: list[frames.FrameProtocol]) -> None:
        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(house.conversation(somebody())) for _ in range(10)]
            for socket in sockets:
                await socket.subscribe("1", SUM, of="a")
                await socket.data("1")
            for side in sockets_of_server:
                side.shutdown()
            told = [await socket.closing() for socket in sockets]
            assert {code for code, _ in told} == {1012}
            found = [re.fullmatch(r"Restarting: come back in (\d\.\d) s", reason) for _, reason in told]
            assert all(found)
            assert len({each[1] for each in found if each}) > 1
        await listened_to(house, "a", 0)

    async def test_changes_under_way_come_to_their_end(
        self, house: House, sockets_of_server: list[frames.FrameProtocol]
    ) -> None:
        async with house.conversation(somebody()) as socket:
            await socket.subscribe("1", SLOWLY)
            await socket.subscribe("2", SUM, of="a")
            assert (await socket.next())["id"] == "2"
            await eventually(lambda: asked["slowly"] == 1)
            sockets_of_server[0].shutdown()
            await socket.subscribe("3", SLOWLY)
            await hello(socket)
            stage.gate.set()
            assert await socket.data("1") == {"slowly": True}
            assert await socket.next() == {"id": "1", "type": "complete"}
            assert (await socket.closing())[0] == 1012
            assert (stage.finished, asked["slowly"]) == (["slowly"], 1)


@asynccontextmanager
async def other_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A server that takes no frames."""
    monkeypatch.setitem(OPTIONS, "ws", "websockets-sansio")
    async with fan_house(folder) as running:
        yield running


class TestAnotherServer:
    async def test_is_sent_texts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with other_server(tmp_path, monkeypatch) as house:
            async with house.conversation(somebody()) as one, house.conversation(somebody()) as two:
                for socket in (one, two):
                    await socket.subscribe("1", SUM, of="a")
                    await socket.data("1")
                house.ports.feed.tell("a", 5)
                for socket in (one, two):
                    assert (await socket.data("1"))["goal"]["amount"] == 5
                await one.raw.send_str("{")
                assert await one.closing() == (4400, "Messages are JSON")
                house.ports.feed.tell("a", 6)
                assert (await two.data("1"))["goal"]["amount"] == 6
            assert asked["goal"] == 1
            await listened_to(house, "a", 0)


async def test_frames_are_what_the_server_is_given(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    write = frames.FrameProtocol.write_frame

    def note(self: frames.FrameProtocol, frame: bytes) -> None:
        written.append(frame)
        write(self, frame)

    monkeypatch.setattr(frames.FrameProtocol, "write_frame", note)
    assert line.FRAMES == frames.EXTENSION
    async with house.conversation(somebody()) as one, house.conversation(somebody()) as two:
        for socket in (one, two):
            await socket.subscribe("1", SUM, of="a")
            await socket.data("1")
        written.clear()
        house.ports.feed.tell("a", 5)
        for socket in (one, two):
            await socket.data("1")
        assert len(written) == 2
        assert written[0] is written[1], "with the same id of the operation they share every byte"


async def test_a_client_that_vanishes_leaves_nothing(house: House) -> None:
    async with aiohttp.ClientSession() as client:
        raw = await client.ws_connect(house.url + "/graphql", protocols=("graphql-transport-ws",))
        socket = Socket(raw)
        await socket.send({"type": "connection_init", "payload": {"token": house.token(somebody())}})
        await socket.next()
        await socket.subscribe("1", SUM, of="a")
        await socket.data("1")
        connection = raw._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()
        await listened_to(house, "a", 0)
        for _ in range(3):
            house.ports.feed.tell("a", 1)
            await asyncio.sleep(0)
