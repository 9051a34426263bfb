"""Connections of the web server that carry a long answer on when whoever began it has gone, and a short one at once.

What the server keeps for a request (its parser, head, scope and the stack of all that it passed through) weighs many
times what a stream of events needs that only waits for the next one. And an answer that is whole passes through that
stack once and is written at once, where ASGI would have it do so in two parts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache, partial
from typing import Any, Protocol, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HEADER_RE, STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from adapters.heads import BoundedProtocol

LINE = "gametriggers.line"
"""The name under which an answer finds its connection among its scope's extensions, and a request its body.

An application that finds it may put the `body` of a whole answer into the message that begins it, and sends no other.
"""

CLOSE_S = 3.0
"""Whoever has not taken the end of an answer within so many seconds is cut off."""

_END = b"0\r\n\r\n"
_HANDED_ON = frozenset({b"connection", b"transfer-encoding"})
"""Headers that the server itself heeds."""

_FINE = bytes([9, *range(32, 127), *range(128, 256)])
"""What may stand in a header's value (RFC 9110, 5.5)."""


class Listener(Protocol):
    """Whose answer it is."""

    def gone(self) -> None:
        """The client has gone, or has been cut off."""
        ...

    def stop(self) -> None:
        """The server ends, once this answer has."""
        ...


@lru_cache(maxsize=8)
def chunk_of(piece: bytes) -> bytes:
    """A piece of an answer of unknown length (RFC 9112, 7.1); the same for all whom the same is sent."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


class KeptLine(asyncio.Protocol):
    """A connection whose last answer goes on. It takes pieces of it without being waited for."""

    __slots__ = ("_listener", "_server", "_transport", "has_room", "on_room")

    def __init__(
        self, transport: asyncio.Transport, server: ServerState, listener: Listener, *, has_room: bool
    ) -> None:
        self._transport, self._server, self._listener = transport, server, listener
        self.has_room = has_room
        """Whether the client keeps up: little is on its way."""
        self.on_room: Callable[[], None] | None = None
        """Is called when the client has taken most of what was on its way."""
        cast("set[Any]", server.connections).add(self)

    @property
    def unsent(self) -> int:
        """Bytes that are on their way."""
        return self._transport.get_write_buffer_size()

    def write_frame(self, frame: bytes) -> None:
        """Send a piece, unless the client is gone."""
        if not self._transport.is_closing():
            self._transport.write(chunk_of(frame))

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something that the server waits for when it ends."""
        task = asyncio.create_task(work)
        self._server.tasks.add(task)
        task.add_done_callback(self._server.tasks.discard)
        return task

    async def finish(self) -> None:
        """End the answer, and with it the connection, without waiting for the client."""
        if not self._transport.is_closing():
            self._transport.write(_END)
            self._transport.close()
            asyncio.get_running_loop().call_later(CLOSE_S, self._transport.abort)

    def abort(self) -> None:
        """Break the connection, whatever is still to be sent."""
        self._transport.abort()

    def pause_writing(self) -> None:
        """Called by the transport when much is on its way."""
        self.has_room = False

    def resume_writing(self) -> None:
        """Called by the transport when the client has taken most of what was on its way."""
        self.has_room = True
        if self.on_room is not None:
            self.on_room()

    def connection_lost(self, _: Exception | None) -> None:
        """The client is gone. What it still sends was never read: the answer said that it is the last."""
        cast("set[Any]", self._server.connections).discard(self)
        self._listener.gone()

    def shutdown(self) -> None:
        """The server ends."""
        self._listener.stop()


class StreamingProtocol(BoundedProtocol):
    """The server's own protocol, whose connections an answer may keep."""

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["extensions"] = {LINE: {"connection": self}}

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Have a request answered. Its task begins when all has been read that has come by now."""
        super()._start_asgi_task(cycle, partial(_handed_over, cycle, app))

    def keep(self, listener: Listener) -> KeptLine | None:
        """Let the answer go on by itself that has begun, to a client that was told that the connection ends with it.

        Whoever began it may then return as if the client were gone. None if it is: then all goes its usual way.
        """
        cycle = self.cycle
        if cycle.disconnected or not cycle.chunked_encoding or cycle.response_complete or self.transport.is_closing():
            return None
        self.flow.resume_reading()  # or nobody would notice that the client goes
        line = KeptLine(self.transport, self.server_state, listener, has_room=not self.flow.write_paused)
        self.transport.set_protocol(line)
        self.connections.discard(self)
        cycle.disconnected = True
        cycle.message_event.set()
        self._forget()
        return line

    def abort(self) -> None:
        """Break the connection, whatever is still to be sent."""
        self.transport.abort()

    def _forget(self) -> None:
        """Hold nothing in a circle, which only a collector of garbage would find."""
        self.scope["extensions"] = {}
        self.pipeline.clear()
        self.parser = None  # type: ignore[assignment] # as the server itself does when a connection is lost


def _handed_over(
    cycle: RequestResponseCycle, app: ASGI3Application, scope: Any, _receive: Any, _send: Any
) -> Awaitable[None]:
    """Begin an answer: with the body, if it is here, and with a way to send all of it at once."""
    if not cycle.more_body:
        scope["extensions"][LINE]["body"] = bytes(cycle.body)
    return app(scope, cycle.receive, cast("Any", partial(_sent, cycle)))


async def _sent(cycle: RequestResponseCycle, message: Any) -> None:
    """Send what an application says: a whole answer at once; all else, and what is unusual, as the server does."""
    if message["type"] != "http.response.start" or "body" not in message:
        await cycle.send(message)
        return
    head = _head_of(cycle, message) if _is_usual(cycle) else None
    if head is None:
        await cycle.send(message)
        await cycle.send({"type": "http.response.body", "body": message["body"], "more_body": False})
        return
    cycle.transport.write(head + message["body"])
    cycle.response_started = cycle.response_complete = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()
    cycle.on_response()


def _is_usual(cycle: RequestResponseCycle) -> bool:
    """Whether nothing is to be heeded: the client is there, keeps up, and stays."""
    is_there = not (cycle.disconnected or cycle.response_started or cycle.flow.write_paused)
    return is_there and cycle.keep_alive and not cycle.access_log and cycle.scope["method"] != "HEAD"


def _head_of(cycle: RequestResponseCycle, message: Any) -> bytes | None:
    """The head of an answer whose headers say how long it is; None where one is for the server to judge."""
    lines, values = [STATUS_LINE[message["status"]]], []
    for name, value in (*cycle.default_headers, *message["headers"]):
        begun = _begun(name)
        if begun is None:
            return None
        lines += (begun, value, b"\r\n")
        values.append(value)
    if b"".join(values).translate(None, _FINE):
        return None
    lines.append(b"\r\n")
    return b"".join(lines)


@lru_cache(maxsize=256)
def _begun(name: bytes) -> bytes | None:
    """A header's line up to its value."""
    name = name.lower()
    return None if name in _HANDED_ON or HEADER_RE.search(name) else name + b": "
