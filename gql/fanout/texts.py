"""Carries frames where the server has to be waited for: one task sends what waits."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.websockets import WebSocketDisconnect

_ROOM = 64 * 1024


class Texts:
    """A `Writer` over whatever sends a frame."""

    def __init__(self, send: Callable[[bytes], Awaitable[Any]]) -> None:
        self.on_room: Callable[[], None] | None = None
        self._send = send
        self._waiting = deque[bytes]()
        self._unsent = 0
        self._sending: asyncio.Task[None] | None = None

    @property
    def has_room(self) -> bool:
        """Whether the client keeps up."""
        return self._unsent < _ROOM

    @property
    def unsent(self) -> int:
        """Bytes that are on their way."""
        return self._unsent

    def write_frame(self, frame: bytes) -> None:
        """Send a frame after those before it."""
        self._waiting.append(frame)
        self._unsent += len(frame)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_on())

    async def sent(self) -> None:
        """Wait until all has been handed to the server."""
        if self._sending is not None:
            await self._sending

    def end(self) -> None:
        """Send nothing more."""
        self._waiting.clear()
        if self._sending is not None:
            self._sending.cancel()

    async def _send_on(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError, OSError):
            while self._waiting:
                frame = self._waiting.popleft()
                await self._send(frame)
                self._unsent -= len(frame)
                if self.on_room is not None and self.has_room:
                    self.on_room()
