"""What one socket is sent: at once while its client keeps up, and within a budget of bytes while it does not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from prometheus_client import Counter

from gql.fanout.sharing import Flow

BUDGET = 256 * 1024
"""Bytes that wait for one client, at most."""

SEND_S = 30.0
"""A client that takes nothing for so long is let go; it may come back and resume by cursor."""

DROPPED = Counter("subscription_messages_dropped_total", "Messages that a slow client is not sent.", ["policy"])
TOO_SLOW = Counter("subscription_sockets_too_slow_total", "Sockets closed because their client was too slow.")

_LAST_OF_MESSAGE, _TEXT = 0x80, 0x01
_SHORT, _LONG = 126, 127
_MOST_SHORT, _MOST_LONG = 125, 0xFFFF


def frame_of(text: bytes) -> bytes:
    """The WebSocket frame of a text that a server sends."""
    return head_of(len(text)) + text


@lru_cache(maxsize=256)
def head_of(length: int) -> bytes:
    """How the frame of a text of so many bytes begins (RFC 6455, 5.2)."""
    first = _LAST_OF_MESSAGE | _TEXT
    if length <= _MOST_SHORT:
        return bytes((first, length))
    if length <= _MOST_LONG:
        return bytes((first, _SHORT)) + length.to_bytes(2, "big")
    return bytes((first, _LONG)) + length.to_bytes(8, "big")


def text_of(frame: bytes) -> str:
    """The text of a frame."""
    return frame[{_SHORT: 4, _LONG: 10}.get(frame[1], 2) :].decode()


class Writer(Protocol):
    """What carries frames to a client."""

    on_room: Callable[[], None] | None
    """Is called when there is room again."""

    @property
    def has_room(self) -> bool:
        """Whether the client keeps up: little is on its way."""
        ...

    @property
    def unsent(self) -> int:
        """Bytes that are on their way."""
        ...

    def write_frame(self, frame: bytes) -> None:
        """Send a frame, now or when there is room. To a client that is gone nothing is sent."""
        ...


class _Nowhere:
    """What nothing is sent by any more."""

    on_room: Callable[[], None] | None = None
    has_room = True
    unsent = 0

    def write_frame(self, frame: bytes) -> None:
        """Forget it."""


@dataclass(eq=False, slots=True)
class _Waiting:
    frame: bytes
    flow: Flow


class Outlet:
    """Sends to one socket. What cannot be sent at once waits here, in order."""

    __slots__ = ("_held", "_held_bytes", "_is_over", "_room", "_too_slow", "_writer")

    def __init__(self, writer: Writer, too_slow: Callable[[], None]) -> None:
        self._writer: Writer = writer
        self._too_slow = too_slow
        self._held: dict[object, _Waiting] = {}
        self._held_bytes = 0
        self._room: asyncio.Future[None] | None = None
        self._is_over = False
        writer.on_room = self._go_on

    @property
    def waiting_bytes(self) -> int:
        """What the client has not taken yet."""
        return self._held_bytes + self._writer.unsent

    async def send(self, frame: bytes) -> None:
        """Send a frame after all that waits. A client that takes nothing holds its sender up, and is then too slow."""
        try:
            async with asyncio.timeout(SEND_S):
                while not self._is_over and (self._held or not self._writer.has_room):
                    if self._room is None:
                        self._room = asyncio.get_running_loop().create_future()
                    await asyncio.shield(self._room)
        except TimeoutError:
            self._give_up()
        else:
            self._writer.write_frame(frame)

    def offer(self, frame: bytes, flow: Flow = Flow.MUST_DELIVER, key: object = None) -> None:
        """Send a frame, or deal with it as `flow` has it. `key` is what later frames replace it by."""
        writer = self._writer
        if writer.has_room and not self._held:
            writer.write_frame(frame)
        else:
            self._hold(frame, flow, key if flow is Flow.LATEST else object())

    def end(self) -> None:
        """Nothing more is sent: the socket is to be closed, or is."""
        self._is_over = True
        self._held.clear()
        self._held_bytes = 0
        self._writer.on_room, self._writer = None, _Nowhere()
        self._wake()

    def _hold(self, frame: bytes, flow: Flow, key: object) -> None:
        replaced = self._held.pop(key, None)
        if replaced is not None:
            self._lose(replaced)
        self._held[key] = _Waiting(frame, flow)
        self._held_bytes += len(frame)
        over = self.waiting_bytes - BUDGET
        for place, waiting in list(self._held.items()) if over > 0 else ():
            if waiting.flow is not Flow.MUST_DELIVER:
                del self._held[place]
                self._lose(waiting)
                over -= len(waiting.frame)
            if over <= 0:
                return
        if over > 0:
            self._give_up()

    def _lose(self, waiting: _Waiting) -> None:
        self._held_bytes -= len(waiting.frame)
        DROPPED.labels(waiting.flow.name.lower()).inc()

    def _give_up(self) -> None:
        if not self._is_over:
            TOO_SLOW.inc()
            self.end()
            self._too_slow()

    def _go_on(self) -> None:
        """There is room: what waited goes first."""
        while self._held and self._writer.has_room:
            waiting = self._held.pop(next(iter(self._held)))
            self._held_bytes -= len(waiting.frame)
            self._writer.write_frame(waiting.frame)
        if not self._held and self._writer.has_room:
            self._wake()

    def _wake(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None
