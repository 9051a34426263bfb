"""What every chapter has at hand."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import ClientSession

from adapters.embedded.story.checks import PATIENCE_S, until
from adapters.embedded.story.client import Person
from adapters.embedded.story.gateway import Gateway
from adapters.embedded.story.stage import Say, Stage


@dataclass(frozen=True)
class Scene:
    """What every chapter has at hand."""

    stage: Stage
    session: ClientSession
    say: Say

    @property
    def gateway(self) -> Gateway:
        """The gateway's payers and operator."""
        return Gateway(self.session, self.stage.sandbox_url)

    async def person(self, name: str) -> Person:
        """Somebody who is signed in."""
        return Person(self.session, self.stage.server_url, await self.stage.token(name))

    async def until(
        self, what: str, condition: Callable[[], bool | Awaitable[bool]], timeout_s: float = PATIENCE_S
    ) -> None:
        """Wait for a condition while all processes live."""
        await until(what, condition, self.stage.family.check, timeout_s)
