"""Sockets in the hands of somebody who means to break them: no traceback, no place kept, nobody else held up."""

import asyncio
import base64
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from functools import reduce
from itertools import chain, cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import WSMsgType
from starlette.websockets import WebSocket

from domain.ledger.ports import wallet_topic
from gql import conversation
from gql.budget import Budget
from gql.conversation import Conversation
from gql.fanout.line import FRAMES
from gql.node import global_id
from gql.websocket import GraphQLOverWebSocket
from tests.fakes import somebody
from tests.gql.house import PROTOCOL, House, Socket, running_house
from tests.gql.test_websocket import FOLLOW, HELLO, hello
from tests.waiting import PATIENCE_S, eventually

WIDE = "\N{PERFORMING ARTS}"
"""Four bytes in a close's reason, which has room for 123."""
DEEP = reduce(lambda inner, _: {"a": inner}, range(600), dict[str, Any]())
FLOOD = 500
LONG = 100
KEY = base64.b64encode(bytes(16)).decode()


@pytest.fixture
def calm(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing is worth a warning, and nothing a traceback."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.getMessage() for record in caplog.records] == []
    assert "Traceback" not in "".join(capfd.readouterr())


CLOSING: dict[str, tuple[int, dict[str, Any]]] = {
    "an unknown type of wide letters": (4400, {"type": WIDE * 100}),
    "a type that cannot be printed": (4400, {"type": "\U000e0001\x00\x1b" * 100}),
    "an id of wide letters, twice": (4409, {"id": WIDE * 150, "type": "subscribe", "payload": {"query": FOLLOW}}),
}


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize(("code", "message"), CLOSING.values(), ids=CLOSING.keys())
async def test_a_reason_is_cut_to_what_a_close_can_hold(house: House, code: int, message: dict[str, Any]) -> None:
    me = somebody()
    wallet = global_id("Wallet", await house.ports.wallet(me))
    if "payload" in message:
        message = {**message, "payload": {"query": FOLLOW, "variables": {"id": wallet}}}
    async with house.conversation(me) as other, house.conversation(me) as socket:
        await socket.send(message)
        if "payload" in message:
            await socket.data(message["id"])
            await socket.send(message)
        found, reason = await socket.closing()
        assert found == code
        assert 0 < len(reason.encode()) <= 123
        await hello(other)


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("kind", ["ping", "connection_init"])
async def test_what_is_nested_too_deep_to_be_said_again_closes_its_socket(house: House, kind: str) -> None:
    async with house.conversation(somebody()) as other, house.socket() as socket:
        await socket.send({"type": kind, "payload": DEEP})
        assert (await socket.closing())[0] in {4400, 4403}
        await hello(other)


@pytest.mark.usefixtures("calm")
async def test_what_is_nested_too_deep_and_not_asked_for_is_passed_over(house: House) -> None:
    async with house.conversation(somebody()) as socket:
        await socket.send({"type": "pong", "payload": DEEP})
        payload = {"query": HELLO, "variables": {"a": DEEP}, "extensions": DEEP}
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        assert await socket.data("1") == {"__typename": "Query"}


@pytest.mark.usefixtures("calm")
async def test_a_flood_of_beginnings_and_ends_leaves_nothing(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    async with house.conversation(me) as other, house.conversation(me) as socket:
        for _ in range(FLOOD):
            await socket.send({"type": "pong"})
            await socket.subscribe("again", FOLLOW, id=global_id("Wallet", wallet))
            await socket.send({"id": "again", "type": "complete"})
        await hello(other)
        await socket.subscribe("last", HELLO)
        while (message := await socket.next())["id"] != "last":
            assert message["id"] == "again"
            assert message["type"] in {"next", "error"}  # it may be told that it does too much at a time
        await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)


async def test_who_says_nothing_keeps_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "INIT_S", 0.5)
    async with running_house(tmp_path, sockets_of_address=2) as house:
        async with house.socket() as silent, house.socket() as chatty:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await house.client.ws_connect(f"{house.url}/graphql", protocols=[PROTOCOL])
            assert refused.value.status == 429
            pinging = asyncio.create_task(_ping_on(chatty))
            assert await silent.closing() == INIT_TIMEOUT
            assert await pinging == INIT_TIMEOUT
        async with house.conversation(somebody()) as one, house.conversation(somebody()) as other:
            await hello(one)
            await hello(other)


INIT_TIMEOUT = (4408, "Connection initialisation timeout")


async def _ping_on(socket: Socket) -> tuple[int | None, str]:
    """Signs of life are no introduction."""
    with suppress(ConnectionError):
        while not socket.raw.closed:
            await socket.send({"type": "ping"})
            if (found := await socket.raw.receive()).type is not WSMsgType.TEXT:
                return socket.raw.close_code, str(found.extra or "")
    return socket.raw.close_code, ""


@pytest.mark.usefixtures("calm")
async def test_a_handshake_that_trickles_has_its_time_and_keeps_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_house(tmp_path, sockets_of_address=1) as house:
        place = urlsplit(house.url)
        head = f"GET /graphql HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Slow: "
        with monkeypatch.context() as patched:
            patched.setattr("adapters.heads.HEAD_S", 0.5)
            slow = [await asyncio.open_connection(place.hostname, place.port) for _ in range(5)]
            trickling = [asyncio.create_task(_trickle(writer, head.encode())) for _, writer in slow]
            for reader, writer in slow:
                assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.1 408 ")
                writer.close()
            await asyncio.gather(*trickling, return_exceptions=True)
        async with house.conversation(somebody()) as socket:
            await hello(socket)


async def _trickle(writer: asyncio.StreamWriter, head: bytes) -> None:
    """A letter at a time, and never the end."""
    for letter in chain(head, cycle(b"a")):
        if writer.is_closing():
            return
        writer.write(bytes((letter,)))
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("protocol", [PROTOCOL, "other"])
async def test_who_leaves_amid_the_handshake_is_nobodys_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    begun, served, serve = asyncio.Event(), asyncio.Event(), GraphQLOverWebSocket.serve

    async def late(self: GraphQLOverWebSocket, websocket: WebSocket) -> None:
        begun.set()
        await eventually(websocket.scope["extensions"][FRAMES].transport.is_closing)
        try:
            await serve(self, websocket)
        finally:
            served.set()

    monkeypatch.setattr(GraphQLOverWebSocket, "serve", late)
    async with running_house(tmp_path) as house:
        place = urlsplit(house.url)
        _, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(
            f"GET /graphql HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n"
            f"Sec-WebSocket-Protocol: {protocol}\r\n\r\n".encode()
        )
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
        writer.transport.abort()
        await asyncio.wait_for(served.wait(), PATIENCE_S)


async def test_who_has_much_to_be_told_takes_turns_with_others(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    async with house.conversation(me) as socket:
        for id_ in ("one", "other"):
            await socket.subscribe(id_, FOLLOW, id=global_id("Wallet", wallet))
            await socket.data(id_)
        await house.ports.credit(wallet, *[1] * LONG)
        told = [(await socket.next())["id"] for _ in range(2 * LONG)]
    assert set(told[: LONG // 2]) == {"one", "other"}


async def test_a_stream_that_is_just_beginning_does_not_hold_up_a_server_that_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "STOP_S", 60.0)
    begun, stopping, stop, take = asyncio.Event(), asyncio.Event(), Conversation._stop, Budget.take_request

    async def slowly(self: Budget, times: int = 1) -> None:
        if self._actor is not None:  # not the handshake's
            begun.set()
            await stopping.wait()
        await take(self, times)

    def told(self: Conversation) -> None:
        stop(self)
        stopping.set()

    monkeypatch.setattr(Budget, "take_request", slowly)
    monkeypatch.setattr(Conversation, "_stop", told)
    async with AsyncExitStack() as stack, aiohttp.ClientSession() as client:
        house = await stack.enter_async_context(running_house(tmp_path))
        me = somebody()
        wallet = global_id("Wallet", await house.ports.wallet(me))
        async with client.ws_connect(f"{house.url}/graphql", protocols=[PROTOCOL]) as raw:
            socket = Socket(raw)
            await socket.send({"type": "connection_init", "payload": {"token": house.token(me)}})
            assert await socket.next() == {"type": "connection_ack"}
            await socket.subscribe("1", FOLLOW, id=wallet)
            await begun.wait()
            ending = asyncio.create_task(stack.aclose())
            assert (await socket.closing())[0] == 1012
            await ending
