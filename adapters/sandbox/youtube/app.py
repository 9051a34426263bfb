"""The sandbox as an ASGI application, and as a server of its own inside a test or a demonstration."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.applications import Starlette

from adapters.sandbox.listening import listening
from adapters.sandbox.platforms.office import SandboxSettings
from adapters.sandbox.youtube import api, control, oauth
from adapters.sandbox.youtube.sandbox import Sandbox
from domain.clock import Clock, system_clock


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that listens."""

    url: str
    sandbox: Sandbox

    @property
    def sign_in_url(self) -> str:
        """Where the page is."""
        return f"{self.url}{oauth.PAGE}"

    @property
    def api_url(self) -> str:
        """Where its API is."""
        return f"{self.url}{api.PATH}"


def create_sandbox(settings: SandboxSettings, api_key: str, *, clock: Clock = system_clock) -> Starlette:
    """Google and YouTube as an application for uvicorn.

    Serve it on loopback only: anybody may be anybody here, and the operator's part asks for no key.
    """
    app = Starlette(routes=[*control.routes(), *oauth.routes(), *api.routes()])
    app.state.sandbox = Sandbox(settings, api_key, clock=clock)
    return app


@contextlib.asynccontextmanager
async def running_sandbox(
    settings: SandboxSettings, api_key: str, *, clock: Clock = system_clock
) -> AsyncIterator[RunningSandbox]:
    """Serve a sandbox on a free port of loopback, in this event loop, until the block ends."""
    app = create_sandbox(settings, api_key, clock=clock)
    async with listening(app) as url:
        yield RunningSandbox(url, app.state.sandbox)
