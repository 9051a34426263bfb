"""YouTube's API: calls that are paid for in units of the day, whoever asks them.

What everybody may see is asked with our key, what a streamer alone sees with what they granted us. That the day's units
are used up (403) says nothing of a grant: nothing more is asked then until the next day begins in California.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from adapters.breaker import Breaker
from adapters.identity.oidc_providers import Registration
from adapters.identity.oidc_wire import Answer, Wire
from adapters.platforms import GOOGLE_OAUTH, GOOGLE_SIGN_IN, YOUTUBE
from domain.clock import Clock, system_clock
from domain.identity.provider import Provider, ProviderUnavailableError
from domain.streamer.site import GrantRefusedError
from domain.streamer.units import Units

_USED_UP = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_NOT_GRANTED = frozenset({"insufficientPermissions", "authError"})
_LONGEST_REASON = 50


@dataclass(frozen=True, slots=True)
class YouTubeAccess:
    """What we are at Google, and where it is."""

    client_id: str
    client_secret: str = field(repr=False)
    api_key: str = field(repr=False)
    """By which we ask what everybody may see."""
    sign_in_url: str = GOOGLE_SIGN_IN
    oauth_url: str = GOOGLE_OAUTH
    api_url: str = YOUTUBE
    timeout_s: float = 10.0
    """The longest wait for a whole answer."""

    def registration(self, scope: str = "", asked: Mapping[str, str] | None = None) -> Registration:
        """What we are at Google, as the wire has it."""
        return Registration(
            Provider.GOOGLE, self.oauth_url, self.client_id, self.client_secret, scope, "client_secret_post",
            asked=asked or {},
        )  # fmt: skip


class YouTubeSaysNoError(ProviderUnavailableError):
    """YouTube refuses a call for a reason of its own."""

    def __init__(self, call: str, reason: str) -> None:
        super().__init__(f"{call}: refused ({reason})")
        self.reason = reason


class YouTubeApi:
    """Calls to YouTube, each of which may raise `ProviderUnavailableError`. Close it, or use it as a context."""

    def __init__(
        self, access: YouTubeAccess, units: Units, *, breaker: Breaker | None = None, clock: Clock = system_clock
    ) -> None:
        self._access, self._units, self._clock = access, units, clock
        self._wire = Wire(access.registration(), timeout_s=access.timeout_s, breaker=breaker or Breaker())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._wire.aclose()

    async def units_left(self, now: datetime) -> int:
        """How many units are left of this day."""
        return await self._units.left(now)

    async def require_units(self) -> None:
        """Raise `ProviderUnavailableError` where no unit is left of this day."""
        if not await self._units.left(self._clock()):
            raise ProviderUnavailableError("we have asked as much as we may today")

    async def ask(
        self, what: str, query: Mapping[str, str], *, access: str | None = None, leaving: int = 0
    ) -> Sequence[Mapping[str, Any]]:
        """The things of a list, by one unit, if so many are left then.

        Raises `GrantRefusedError` where what the streamer granted us (`access`) is not honoured, and
        `YouTubeSaysNoError` for other reasons of its own.
        """
        if not await self._units.take(1, self._clock(), leaving=leaving):
            raise ProviderUnavailableError(f"{what}: we have asked as much as we may today")
        headers = {"Authorization": f"Bearer {access}"} if access else {"X-Goog-Api-Key": self._access.api_key}
        answer = await self._wire.send(
            what, "GET", f"{self._access.api_url}/{what}?{urlencode(query)}", headers=headers
        )
        if answer.status != HTTPStatus.OK:
            await self._refused(what, answer, is_granted=access is not None)
        items = answer.told.get("items", [])
        if not isinstance(items, list) or not all(isinstance(each, dict) for each in items):
            raise ProviderUnavailableError(f"{what}: an answer that cannot be read")
        return items

    async def _refused(self, what: str, answer: Answer, *, is_granted: bool) -> None:
        """Raise what a refusal means."""
        reason = _reason(answer)
        if reason in _USED_UP:
            await self._units.run_out(self._clock())
            raise ProviderUnavailableError(f"{what}: we have asked more than we may today")
        is_unknown = answer.status == HTTPStatus.UNAUTHORIZED or reason in _NOT_GRANTED
        if is_granted and is_unknown:
            raise GrantRefusedError("the access token is good no more, or for less")
        raise YouTubeSaysNoError(what, reason or f"HTTP {answer.status}")


def _reason(answer: Answer) -> str:
    """YouTube's word for why not; empty where there is none. Only plain words are repeated."""
    try:
        error: Any = answer.told["error"]
        reason = error["errors"][0]["reason"]
    except (KeyError, TypeError, IndexError, ProviderUnavailableError):
        return ""
    return reason[:_LONGEST_REASON] if isinstance(reason, str) and reason.isalpha() and reason.isascii() else ""
