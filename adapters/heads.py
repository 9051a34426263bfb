"""Connections of the web server on which the head of a request has a length, and a time in which it is to come.

The server itself waits for ever for the end of a head, and keeps all of it that has come so far.
"""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_S = 10.0
"""From the beginning of a connection, or of another request on it; seconds."""

LARGEST_HEAD = 64 * 1024
"""Bytes."""

LINGER_S = 1.0
"""So long a client that is refused may go on writing: a connection that ends amid that may lose what we said."""

_REFUSED = b"HTTP/1.1 %b\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class BoundedProtocol(HttpToolsProtocol):
    """The server's own protocol, for requests whose heads are here soon and are not endless."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head = 0
        self._in_head = True
        self._is_refused = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # the server's own form
        """A client connects: the first head is to come."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._end_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came."""
        if self._is_refused:
            return
        self._head += len(data)
        super().data_received(data)
        if not self._in_head:
            return
        if self._head > LARGEST_HEAD:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._timer is None:  # most heads are here at once, and none is set for them
            self._wait()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """The head of a request is here."""
        self._in_head, self._head = False, 0
        self._end_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is here, and the next one has not begun."""
        self._head = 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(HEAD_S, self._refuse, b"408 Request Timeout")

    def _end_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: bytes) -> None:
        """Say why and close; the answer to an earlier request that is still on its way is not spoken into."""
        self._end_waiting()
        if self.transport.is_closing():
            return
        earlier = cast("RequestResponseCycle | None", self.cycle)
        if earlier is not None and not earlier.response_complete:
            self.transport.close()
            return
        self._is_refused = True
        self.transport.write(_REFUSED % status)
        self.transport.write_eof()
        self._timer = asyncio.get_running_loop().call_later(LINGER_S, self.transport.close)
