"""Serves an application on a free port of loopback, inside the event loop of a test or a demonstration."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.applications import Starlette

_OPTIONS: dict[str, Any] = {"log_config": None, "access_log": False, "timeout_graceful_shutdown": 1, "ws": "none"}
_LOOK_S = 0.005


@contextlib.asynccontextmanager
async def listening(app: Starlette, **options: Any) -> AsyncIterator[str]:
    """The address under which the application answers until the block ends. `options` are the web server's."""
    # Named as TCP, or the event loop would not send small answers at once (40 ms later, with most kernels).
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = _Server(uvicorn.Config(app, **{**_OPTIONS, **options}))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.up(serving)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.end()
            await serving


class _Server(uvicorn.Server):
    """Leaves the process's signals to whoever runs the event loop, says when it listens, and ends at once.

    Its parent looks ten times a second whether to end, and then pauses a tenth of a second: nothing to one server, and
    minutes to thousands of tests.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._up, self._asked = asyncio.Event(), asyncio.Event()

    def end(self) -> None:
        """Ask it to end."""
        self.should_exit = True
        self._asked.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self._asked.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in (*self.servers, *(sockets or ())):
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle(), self.config.timeout_graceful_shutdown)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()

    async def _idle(self) -> None:
        """Nobody is connected, and nothing is being answered."""
        while self.server_state.connections:  # noqa: ASYNC110  # the web server keeps a set and tells nobody
            await asyncio.sleep(_LOOK_S)
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._up.set()

    async def up(self, serving: asyncio.Task[None]) -> None:
        """Wait until it listens; raises what ended it if it never did."""
        waiting = asyncio.create_task(self._up.wait())
        await asyncio.wait({waiting, serving}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if serving.done():
            await serving
            raise RuntimeError("the server ended before it listened")
