"""The sandbox as an ASGI application, and as a server of its own inside a test or a demonstration."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.applications import Starlette

from adapters.sandbox.listening import listening
from adapters.sandbox.platforms.office import SandboxSettings
from adapters.sandbox.twitch import control, helix, oauth
from adapters.sandbox.twitch.sandbox import Sandbox
from domain.clock import Clock, system_clock


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that listens."""

    url: str
    sandbox: Sandbox

    @property
    def oauth_url(self) -> str:
        """Where its OAuth is."""
        return f"{self.url}/oauth2"

    @property
    def api_url(self) -> str:
        """Where its Helix is."""
        return f"{self.url}/helix"


def create_sandbox(settings: SandboxSettings, *, clock: Clock = system_clock) -> Starlette:
    """Twitch as an application for uvicorn.

    Serve it on loopback only: anybody may be anybody here, and the operator's part asks for no key.
    """
    app = Starlette(routes=[*control.routes(), *oauth.routes(), *helix.routes()])
    app.state.sandbox = Sandbox(settings, clock=clock)
    return app


@contextlib.asynccontextmanager
async def running_sandbox(settings: SandboxSettings, *, clock: Clock = system_clock) -> AsyncIterator[RunningSandbox]:
    """Serve a sandbox on a free port of loopback, in this event loop, until the block ends."""
    app = create_sandbox(settings, clock=clock)
    async with listening(app) as url:
        yield RunningSandbox(url, app.state.sandbox)
