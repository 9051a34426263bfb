"""The way to one client, whatever the server offers: frames as they are, or texts."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from gql.fanout.outlet import Outlet, Writer, frame_of, text_of
from gql.fanout.texts import Texts

FRAMES = "websocket.frames"
"""Under this name a server offers to take frames as they are."""

CLOSE_S = 30.0
_LONGEST_REASON = 120


class Frames(Writer, Protocol):
    """A socket as a server offers it that takes frames."""

    on_stop: Callable[[], None] | None
    """Is called when the server stops; the socket is to be closed then."""

    def close(self, code: int, reason: str) -> None:
        """Close without waiting."""
        ...


class Line:
    """Sends messages to one client, and closes. `too_slow` is called once if the client does not keep up."""

    def __init__(self, websocket: WebSocket, too_slow: Callable[[], None]) -> None:
        self._websocket = websocket
        self._frames: Frames | None = websocket.scope.get("extensions", {}).get(FRAMES)
        self._texts = None if self._frames is not None else Texts(self._send_text)
        writer: Writer | None = self._frames or self._texts
        self.outlet = Outlet(writer or Texts(self._send_text), too_slow)

    async def _send_text(self, frame: bytes) -> None:
        await self._websocket.send_text(text_of(frame))

    def heed_stop(self, stop: Callable[[], None]) -> None:
        """Call this when the server stops, if it would tell."""
        if self._frames is not None:
            self._frames.on_stop = stop

    async def send(self, message: Mapping[str, Any]) -> None:
        """Send a message after all that waits."""
        await self.outlet.send(frame_of(orjson.dumps(message)))

    def offer(self, message: Mapping[str, Any]) -> None:
        """Send a message, now or when there is room."""
        self.outlet.offer(frame_of(orjson.dumps(message)))

    async def close(self, code: int, reason: str) -> None:
        """Close after what is on its way."""
        shown = reason[:_LONGEST_REASON]
        if self._frames is not None:
            self._frames.close(code, shown)
            return
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                if self._texts is not None:
                    await self._texts.sent()
                await self._websocket.close(code, shown)

    def end(self) -> None:
        """Send nothing more."""
        self.outlet.end()
        if self._texts is not None:
            self._texts.end()
