"""Whole answers: the same bytes as in two parts, and written at once where nothing is to be heeded."""

import asyncio
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from adapters.lines import LINE, StreamingProtocol
from adapters.serving import OPTIONS
from tests.waiting import eventually

BODY = b'{"query":"{ a }"}'
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"4")]


class Wire(asyncio.Transport):
    """A transport that leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.closed = False

    @property
    def sent(self) -> bytes:
        return b"".join(self.pieces)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 50_000), "sockname": ("127.0.0.1", 8_000)}.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        """Nothing is read."""

    def resume_reading(self) -> None:
        """Nothing is read."""


class Server:
    """A connection whose requests are answered whole, or in two parts."""

    def __init__(self, headers: list[tuple[bytes, bytes]], *, whole: bool) -> None:
        self._headers, self._whole = headers, whole
        self.bodies: list[bytes | None] = []
        self.tasks = ServerState()
        self.tasks.default_headers = [(b"date", b"today")]
        config = uvicorn.Config(self._answer, interface="asgi3", **OPTIONS)
        config.load()
        self.wire, self.line = Wire(), StreamingProtocol(config, self.tasks, {})
        self.line.connection_made(self.wire)

    async def _answer(self, scope: Any, _: Any, send: Any) -> None:
        body = scope["extensions"][LINE].get("body")
        self.bodies.append(body)
        begun = {"type": "http.response.start", "status": 200, "headers": list(self._headers)}
        if self._whole:
            await send({**begun, "body": b"told"})
        else:
            await send(begun)
            await send({"type": "http.response.body", "body": b"told"})

    async def over(self) -> None:
        async def is_over() -> bool:
            return not self.tasks.tasks

        await eventually(is_over)


def request(method: str = "POST", version: str = "1.1", *more: str) -> bytes:
    lines = [f"{method} /graphql HTTP/{version}", "Host: here", f"Content-Length: {len(BODY)}", *more, "", ""]
    return "\r\n".join(lines).encode() + BODY


@pytest.mark.parametrize("headers", [
    HEADERS,
    [*HEADERS, (b"x-more", "é\t".encode("latin-1"))],
    [*HEADERS, (b"connection", b"close")],
    [*HEADERS, (b"x-bad", b"one\r\nset-cookie: two")],
    [*HEADERS, (b"x-bad", b"\0")],
    [*HEADERS, (b"x bad", b"name")],
])  # fmt: skip
@pytest.mark.parametrize("asked", [
    request(), request("HEAD"), request("POST", "1.0"), request("POST", "1.1", "Connection: close"), request() * 3,
    request("POST", "1.1", "Expect: 100-continue"),
])  # fmt: skip
async def test_a_whole_answer_is_the_one_in_two_parts(headers: list[tuple[bytes, bytes]], asked: bytes) -> None:
    sent = []
    for whole in (False, True):
        server = Server(headers, whole=whole)
        server.line.data_received(asked)
        await server.over()
        sent.append((server.wire.sent, server.wire.closed))
        assert b"set-cookie" not in server.wire.sent
        server.line.connection_lost(None)
    assert sent[0] == sent[1]
    is_fine = all(b"bad" not in name for name, _ in headers)
    assert sent[0][0].startswith(b"HTTP/1.1 200 OK\r\n") if is_fine else sent[0] == (b"", True)


async def test_it_is_written_at_once_and_to_a_body_that_is_here() -> None:
    server = Server(HEADERS, whole=True)
    server.line.data_received(request())
    await server.over()
    assert len(server.wire.pieces) == 1
    server.line.data_received(request()[:-1])
    await server.over()
    assert server.bodies == [BODY, None]
    server.line.connection_lost(None)


async def test_who_does_not_keep_up_is_waited_for() -> None:
    server = Server(HEADERS, whole=True)
    server.line.pause_writing()
    server.line.data_received(request())

    async def is_begun() -> bool:
        return bool(server.bodies)

    await eventually(is_begun)
    assert not server.wire.sent
    server.line.resume_writing()
    await server.over()
    assert server.wire.sent.endswith(b"told")
    server.line.connection_lost(None)
