"""The sandbox as an ASGI application, and as a server of its own inside a test or a demonstration."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.applications import Starlette

from adapters.sandbox.identity import control, doors, page, widget
from adapters.sandbox.identity.people import Site
from adapters.sandbox.identity.sandbox import Sandbox, SandboxSettings
from adapters.sandbox.listening import listening
from domain.clock import Clock, system_clock


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that listens: each site is the issuer at `url`/site, the operator is at `url`/control."""

    url: str
    sandbox: Sandbox

    def issuer(self, site: Site) -> str:
        """The site's address and name."""
        return f"{self.url}/{site}"


def create_sandbox(settings: SandboxSettings, *, clock: Clock = system_clock) -> Starlette:
    """The three providers as an application for uvicorn.

    Serve it on loopback only: anybody may be anybody here, and the operator's part asks for no key.
    """
    app = Starlette(routes=[*control.routes(), *doors.routes(), *widget.routes(), *page.routes()])
    app.state.sandbox = Sandbox(settings, clock=clock)
    return app


@contextlib.asynccontextmanager
async def running_sandbox(settings: SandboxSettings, *, clock: Clock = system_clock) -> AsyncIterator[RunningSandbox]:
    """Serve a sandbox on a free port of loopback, in this event loop, until the block ends."""
    app = create_sandbox(settings, clock=clock)
    async with listening(app) as url:
        yield RunningSandbox(url, app.state.sandbox)
