"""A client that keeps a connection and does little else, so that what is measured is the server."""

import asyncio
from typing import cast


class KeepAlive(asyncio.Protocol):
    """A connection of HTTP/1.1; one question at a time. Answers must say how long they are."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._heard = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The server is there."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server is gone."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server has closed the connection"))

    def data_received(self, data: bytes) -> None:
        """Part of an answer, or all of it."""
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if not end or self._answer is None:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            self._answer.set_result(bytes(body[:length]))
            self._heard.clear()

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer. Raises OSError where the connection is lost."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Ask no more."""
        if self._transport is not None:
            self._transport.close()
