"""WebSockets of the web server that an application may write frames to, and close, without waiting for anybody.

uvicorn's own protocol builds each frame anew and waits where a client is slow. An application finds this one in the
scope's extensions as `websocket.frames`.
"""

import asyncio
import socket
from asyncio.transports import BaseTransport
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.http11 import Request

EXTENSION = "websocket.frames"
CLOSE_S = 3.0
"""A client that does not confirm a close within so many seconds is cut off, and what waited for it is forgotten."""

_UNSENT = 64 * 1024
"""Bytes that the kernel takes beyond what is on the wire: what waits longer is to wait where it can be replaced."""


class FrameProtocol(WebSocketsSansIOProtocol):
    """One WebSocket. An application that wishes to closes it itself when the server stops, and in good order."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.has_room = True
        """Whether the client keeps up: little is on its way."""
        self.on_room: Callable[[], None] | None = None
        self.on_stop: Callable[[], None] | None = None
        """Is called when the server stops; it must then see to it that the socket is closed."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Called when a connection is made."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
            with suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)

    def handle_connect(self, event: Request) -> None:
        """A client wishes to begin; whoever answers it runs later, and finds us in the scope."""
        super().handle_connect(event)
        if not self.close_sent:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[EXTENSION] = self

    @property
    def unsent(self) -> int:
        """Bytes that are on their way."""
        return self.transport.get_write_buffer_size()

    def write_frame(self, frame: bytes) -> None:
        """Send a frame. It is nobody's fault if the client is gone: then it is not sent.

        Whoever closes, we or the client, the transport is closing or our close is sent before anybody can write again.
        """
        if not self.close_sent and not self.transport.is_closing():
            self.transport.write(frame)

    def close(self, code: int, reason: str) -> None:
        """Close, after what is on its way, without waiting for it."""
        if self.close_sent or self.transport.is_closing():
            return
        with suppress(InvalidState):
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = asyncio.get_running_loop().call_later(CLOSE_S, self.transport.abort)

    def shutdown(self) -> None:
        """The server stops."""
        if self.on_stop is None or self.close_sent or not self.handshake_complete:
            super().shutdown()
        else:
            self.on_stop()

    def pause_writing(self) -> None:
        """Called by the transport when much is on its way."""
        super().pause_writing()
        self.has_room = False

    def resume_writing(self) -> None:
        """Called by the transport when the client has taken most of what was on its way."""
        super().resume_writing()
        self.has_room = True
        if self.on_room is not None:
            self.on_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called when the connection is gone."""
        super().connection_lost(exc)
        self.on_stop = self.on_room = None
