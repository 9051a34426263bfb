"""OAuth, as every platform speaks it that streamers sign in at to link their account: there, back, and other tokens."""

import hmac
import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import structlog

from adapters.breaker import Breaker
from adapters.identity.oidc_providers import Registration
from adapters.identity.oidc_wire import Answer, Wire
from adapters.platforms.answers import is_token, read
from domain.identity.provider import (
    Departure,
    Journey,
    ProviderLiedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from domain.streamer.site import Account, GrantRefusedError, Tokens

_LONGEST_CODE = 4096

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Doors:
    """Where a platform's OAuth listens."""

    authorize: str
    token: str


class OAuthSite(ABC):
    """`domain.streamer.site.Site`, but for what each platform does in its own way. Close it, or use it as a context."""

    def __init__(self, site: Registration, doors: Doors, *, timeout_s: float, breaker: Breaker | None) -> None:
        self._site, self._doors = site, doors
        self._wire = Wire(site, timeout_s=timeout_s, breaker=breaker or Breaker())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._wire.aclose()

    async def begin(self, redirect_uri: str) -> Departure:
        """As the port says, with a challenge of PKCE, which those honour who know it."""
        made = Journey(
            self._site.provider, secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48),
            redirect_uri,
        )  # fmt: skip
        return Departure(made, self._wire.departure(self._doors.authorize, made))

    async def finish(self, journey: Journey, parameters: Mapping[str, str]) -> tuple[Account, Tokens]:
        """As the port says. Whose account it is the platform says of the tokens, not what came in between."""
        try:
            code = _code(journey, parameters)
            told = await self._wire.exchange(self._doors.token, code, journey)
            tokens = self._granted(told)
            return await self._whose(tokens), tokens
        except ProviderLiedError as error:
            _log.warning("platform_lied", platform=self._site.provider.value, reason=str(error))
            raise
        except GrantRefusedError:
            raise ProviderRefusedError("the platform does not know its own token") from None

    async def renew(self, tokens: Tokens) -> Tokens:
        """Other tokens for these. Where no other refresh token comes, the former one stays good."""
        form = {**self._client, "grant_type": "refresh_token", "refresh_token": tokens.refresh}
        answer = await self._wire.send("refresh", "POST", self._doors.token, form=form)
        if self._takes_back(answer):
            raise GrantRefusedError("the refresh token is good no more")
        return _tokens(read(answer, "refresh"), tokens.refresh)

    @property
    def _client(self) -> dict[str, str]:
        return {"client_id": self._site.client_id, "client_secret": self._site.client_secret}

    def _granted(self, told: Mapping[str, object]) -> Tokens:
        """What the code was worth. Raises `ProviderRefusedError` where the streamer granted less than we need."""
        return _tokens(told)

    @abstractmethod
    def _takes_back(self, answer: Answer) -> bool:
        """Whether an answer to a renewal says that there is no grant any more."""

    @abstractmethod
    async def _whose(self, tokens: Tokens) -> Account:
        """Whose tokens these are. Raises `GrantRefusedError` where nobody's."""


def _code(journey: Journey, parameters: Mapping[str, str]) -> str:
    state = parameters.get("state", "")
    if not hmac.compare_digest(state.encode("utf-8", "surrogatepass"), journey.state.encode()):
        raise ProviderLiedError("the return belongs to another journey")
    if "error" in parameters:
        raise ProviderRefusedError("the streamer or the platform said no")
    code = parameters.get("code", "")
    if not 0 < len(code) <= _LONGEST_CODE or not code.isascii() or not code.isprintable():
        raise ProviderRefusedError("the return bears no code")
    return code


def _tokens(told: Mapping[str, object], former: str | None = None) -> Tokens:
    access, refresh = told.get("access_token"), told.get("refresh_token") or former
    if not is_token(access) or not is_token(refresh):
        raise ProviderUnavailableError("token: an answer without the two tokens")
    return Tokens(str(access), str(refresh))
