"""The sandbox as an ASGI application, and as a server of its own inside a test or a demonstration."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette

from adapters.sandbox.midtrans import control, core, page, snap
from adapters.sandbox.midtrans.endpoint import KeptAnswers
from adapters.sandbox.midtrans.notices import Sleep
from adapters.sandbox.midtrans.sandbox import Sandbox, SandboxSettings
from domain.clock import Clock, system_clock


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that listens: Core API at `url`, Snap at `snap_url`, the operator at `url`/control."""

    url: str
    account: Sandbox

    @property
    def snap_url(self) -> str:
        """Snap's address, with its version."""
        return f"{self.url}/snap/v1"


def create_sandbox(
    settings: SandboxSettings, *, clock: Clock = system_clock, sleep: Sleep = asyncio.sleep
) -> Starlette:
    """Midtrans' other side as an application for uvicorn.

    `sleep` is awaited before a notification is tried again, and for delays that were ordered. Serve it on loopback
    only: the operator's part of it asks for no key.
    """
    account = Sandbox(settings, clock=clock, sleep=sleep)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await account.notifier.aclose()

    kept = KeptAnswers()
    routes = [*snap.routes(kept), *core.routes(kept), *page.routes(), *control.routes()]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.sandbox = account
    return app


@contextlib.asynccontextmanager
async def running_sandbox(
    settings: SandboxSettings, *, clock: Clock = system_clock, sleep: Sleep = asyncio.sleep
) -> AsyncIterator[RunningSandbox]:
    """Serve a sandbox on a free port of loopback, in this event loop, until the block ends."""
    app = create_sandbox(settings, clock=clock, sleep=sleep)
    # Named as TCP, or the event loop would not send small answers at once (40 ms later, with most kernels).
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1, ws="none")
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await server.listening(serving)
            yield RunningSandbox(f"http://127.0.0.1:{port}", app.state.sandbox)
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """Leaves the process's signals to whoever runs the event loop, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._up = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._up.set()

    async def listening(self, serving: asyncio.Task[None]) -> None:
        """Wait until it listens; raises what ended it if it never did."""
        up = asyncio.create_task(self._up.wait())
        await asyncio.wait({up, serving}, return_when=asyncio.FIRST_COMPLETED)
        up.cancel()
        if serving.done():
            await serving
            raise RuntimeError("the sandbox ended before it listened")
