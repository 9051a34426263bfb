"""The way a long answer goes: by a connection that is kept for it, or by a server that has to be waited for."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from starlette.types import Receive, Send

from gql.fanout.outlet import Writer
from gql.fanout.texts import Texts


class Line(Writer, Protocol):
    """What an answer goes out by, which takes pieces of it without being waited for."""

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something that a server that ends waits for."""
        ...

    async def finish(self) -> None:
        """End the answer."""
        ...

    def abort(self) -> None:
        """Break the connection, whatever is still to be sent."""
        ...


class Listener(Protocol):
    """Whose answer it is."""

    def gone(self) -> None:
        """The client has gone, or has been cut off."""
        ...

    def stop(self) -> None:
        """The server ends, once this answer has."""
        ...


class Connection(Protocol):
    """What a server offers that lets an answer keep its connection."""

    def keep(self, listener: Listener) -> Line | None:
        """Let the answer that has begun go on when its request is over; None if the client is gone already."""
        ...

    def abort(self) -> None:
        """Break the connection."""
        ...


class Waited(Texts):
    """A line over ASGI's `send`. `cut` breaks the connection, where the server can."""

    def __init__(self, send: Send, cut: Callable[[], None] | None) -> None:
        super().__init__(lambda piece: send(_part_of_answer(piece)))
        self._answer, self._cut = send, cut
        self._tasks = set[asyncio.Task[None]]()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do something that ends with the answer."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self) -> None:
        """End the answer after all that was to be sent."""
        await self.sent()
        await self._answer(_part_of_answer(b"", more=False))
        self._end()

    def abort(self) -> None:
        """Send nothing more, and break the connection if the server lets us."""
        if self._cut is not None:
            self._cut()
        self._end()

    async def last(self, receive: Receive, gone: Callable[[], None]) -> None:
        """Wait until it is over. `gone` is called if the client leaves before."""
        self.begin(_notice(receive, gone))
        try:
            await self._over
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self.end()

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)


async def _notice(receive: Receive, gone: Callable[[], None]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone()


def _part_of_answer(piece: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": piece, "more_body": more}
