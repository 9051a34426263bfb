"""The sandbox as an ASGI application, and as a server of its own inside a test or a demonstration."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.applications import Starlette

from adapters.sandbox.listening import listening
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
    async with listening(app) as url:
        yield RunningSandbox(url, app.state.sandbox)
