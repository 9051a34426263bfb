"""What the tests of sign-in by other sites share: a sandbox, our side of each site, and a person with a browser."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx2

from adapters.breaker import Breaker
from adapters.identity import oidc_providers
from adapters.identity.oidc import OidcProvider
from adapters.identity.oidc_providers import Registration
from adapters.sandbox.identity import RunningSandbox, SandboxSettings, running_sandbox
from adapters.sandbox.identity.people import Site
from domain.identity.provider import Departure, Journey, Profile

CLIENT_ID = "7000000001"
CLIENT_SECRET = "client-secret-of-the-tests"
BOT_TOKEN = f"{CLIENT_ID}:bot-secret-of-the-tests"
NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)

REGISTER: dict[Site, Callable[..., Registration]] = {
    Site.GOOGLE: oidc_providers.google,
    Site.TWITCH: oidc_providers.twitch,
    Site.TELEGRAM: oidc_providers.telegram,
}


@dataclass
class Hands:
    """Both clocks, to be turned by hand."""

    now: datetime = NOW
    seconds: float = 1000.0

    def clock(self) -> datetime:
        return self.now

    def ticks(self) -> float:
        return self.seconds

    def turn(self, by: timedelta) -> None:
        self.now += by
        self.seconds += by.total_seconds()


@dataclass
class Bench:
    """A sandbox and our side of its three sites."""

    running: RunningSandbox
    hands: Hands
    open_one: Callable[[Site], OidcProvider]
    secrets: list[str]
    """All that must stand in no log."""
    _ours: dict[Site, OidcProvider] = field(default_factory=dict)

    def ours(self, site: Site) -> OidcProvider:
        if site not in self._ours:
            self._ours[site] = self.open_one(site)
        return self._ours[site]

    async def aclose(self) -> None:
        for provider in self._ours.values():
            await provider.aclose()

    def fault(self, kind: str, **details: object) -> None:
        self.running.sandbox.faults.order({"kind": kind, **details})

    @property
    def calls(self) -> dict[str, int]:
        return self.running.sandbox.calls

    async def begin(self, site: Site) -> Departure:
        departure = await self.ours(site).begin(return_address(site))
        journey = departure.journey
        self.secrets += [journey.verifier, journey.nonce, journey.state]
        return departure

    async def choose(self, departure: Departure, person: str) -> dict[str, str]:
        """Go to the site, be that person (nobody: say no), and come back with these parameters."""
        async with httpx2.AsyncClient(trust_env=False) as browser:
            page = await browser.get(departure.url)
            assert page.status_code == 200, page.text
            answer = await browser.post(departure.url, data={"person": person})
        assert answer.status_code == 303, answer.text
        target = answer.headers["location"]
        assert target.startswith(departure.journey.redirect_uri + "&")
        told = dict(parse_qsl(urlsplit(target).query))
        if "code" in told:
            self.secrets.append(told["code"])
        return told

    async def finish(self, journey: Journey, told: dict[str, str]) -> Profile:
        site = Site(journey.provider.value)
        return await self.ours(site).finish(journey, told)

    async def sign_in(self, site: Site, person: str = "ayu") -> Profile:
        departure = await self.begin(site)
        return await self.finish(departure.journey, await self.choose(departure, person))


def return_address(site: Site) -> str:
    return f"http://127.0.0.1:1/return/{site}?via=test"


@contextlib.asynccontextmanager
async def bench(*, timeout_s: float = 5.0, failures: int = 100, secret: str = CLIENT_SECRET) -> AsyncIterator[Bench]:
    hands = Hands()
    settings = SandboxSettings.of_one_client(CLIENT_ID, CLIENT_SECRET)
    async with running_sandbox(settings, clock=hands.clock) as running:

        def open_one(site: Site) -> OidcProvider:
            registration = REGISTER[site](CLIENT_ID, secret, issuer=running.issuer(site))
            breaker = Breaker(failures=failures, cool_down_s=10, clock=hands.ticks)
            return OidcProvider(
                registration, clock=hands.clock, ticks=hands.ticks, timeout_s=timeout_s, breaker=breaker
            )

        opened = Bench(running, hands, open_one, [CLIENT_SECRET])
        try:
            yield opened
        finally:
            await opened.aclose()
