"""Twitch, where streamers sign in to link their account: OAuth, and what it grants us looked after."""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

import structlog

from adapters.breaker import Breaker
from adapters.identity.oidc_providers import TWITCH, Registration
from adapters.identity.oidc_wire import Answer, Wire
from domain.identity.provider import (
    Departure,
    Journey,
    Provider,
    ProviderLiedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from domain.streamer.site import Account, GrantRefusedError, Tokens

_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED})
_SCOPE = "openid"
"""Who it is, and no more: what everybody may see of a channel we ask as ourselves."""
_LONGEST_CODE, _LONGEST_TOKEN = 4096, 4096
_LONGEST_NAME = 100

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TwitchAccess:
    """What we are at Twitch, and where it is."""

    client_id: str
    client_secret: str = field(repr=False)
    oauth_url: str = TWITCH
    timeout_s: float = 10.0
    """The longest wait for a whole answer."""


class TwitchSite:
    """`domain.streamer.site.Site` by Twitch. Close it, or use it as a context."""

    def __init__(self, access: TwitchAccess, *, breaker: Breaker | None = None) -> None:
        self._access = access
        site = Registration(
            Provider.TWITCH, access.oauth_url, access.client_id, access.client_secret, _SCOPE, "client_secret_post"
        )
        self._wire = Wire(site, timeout_s=access.timeout_s, breaker=breaker or Breaker())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._wire.aclose()

    async def begin(self, redirect_uri: str) -> Departure:
        """As the port says. Twitch ignores the challenge of PKCE as yet; whoever honours it is spoken to rightly."""
        made = Journey(
            Provider.TWITCH, secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48),
            redirect_uri,
        )  # fmt: skip
        return Departure(made, self._wire.departure(self._at("authorize"), made))

    async def finish(self, journey: Journey, parameters: Mapping[str, str]) -> tuple[Account, Tokens]:
        """As the port says. Whose account it is Twitch says when it validates the token, not what came in between."""
        try:
            code = _code(journey, parameters)
            tokens = _tokens(await self._wire.exchange(self._at("token"), code, journey))
        except ProviderLiedError as error:
            _log.warning("platform_lied", platform="twitch", reason=str(error))
            raise
        try:
            return await self.check(tokens), tokens
        except GrantRefusedError:
            raise ProviderRefusedError("Twitch does not know its own token") from None

    async def check(self, tokens: Tokens) -> Account:
        """Whose tokens these are: Twitch asks that this is done when we begin, and every hour."""
        answer = await self._wire.send(
            "validate", "GET", self._at("validate"), headers={"Authorization": f"OAuth {tokens.access}"}
        )
        if answer.status == HTTPStatus.UNAUTHORIZED:
            raise GrantRefusedError("the access token is good no more")
        told = _read(answer, "validate")
        subject, name = told.get("user_id"), told.get("login")
        if told.get("client_id") != self._access.client_id:
            raise ProviderLiedError("the token was given to somebody else")
        if not isinstance(subject, str) or not subject.isdecimal() or not _is_name(name):
            raise ProviderLiedError("the token is nobody's")
        return Account(subject, str(name))

    async def renew(self, tokens: Tokens) -> Tokens:
        """Other tokens for these. What Twitch answers with 400 or 401 the streamer took back."""
        form = {**self._client, "grant_type": "refresh_token", "refresh_token": tokens.refresh}
        answer = await self._wire.send("refresh", "POST", self._at("token"), form=form)
        if answer.status in _REFUSED:
            raise GrantRefusedError("the refresh token is good no more")
        return _tokens(_read(answer, "refresh"))

    async def revoke(self, tokens: Tokens) -> None:
        """Give back what was granted. Where the access token ran out, by another one: the grant may still live."""
        if await self._is_revoked(tokens):
            return
        try:
            await self._is_revoked(await self.renew(tokens))
        except GrantRefusedError:
            return

    async def _is_revoked(self, tokens: Tokens) -> bool:
        form = {"client_id": self._access.client_id, "token": tokens.access}
        answer = await self._wire.send("revoke", "POST", self._at("revoke"), form=form)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:
            raise ProviderUnavailableError(f"revoke: HTTP {answer.status}")
        return answer.status == HTTPStatus.OK

    @property
    def _client(self) -> dict[str, str]:
        return {"client_id": self._access.client_id, "client_secret": self._access.client_secret}

    def _at(self, door: str) -> str:
        return f"{self._access.oauth_url}/{door}"


def _code(journey: Journey, parameters: Mapping[str, str]) -> str:
    state = parameters.get("state", "")
    if not hmac.compare_digest(state.encode("utf-8", "surrogatepass"), journey.state.encode()):
        raise ProviderLiedError("the return belongs to another journey")
    if "error" in parameters:
        raise ProviderRefusedError("the streamer or Twitch said no")
    code = parameters.get("code", "")
    if not 0 < len(code) <= _LONGEST_CODE or not code.isascii() or not code.isprintable():
        raise ProviderRefusedError("the return bears no code")
    return code


def _tokens(told: Mapping[str, object]) -> Tokens:
    access, refresh = told.get("access_token"), told.get("refresh_token")
    if not _is_token(access) or not _is_token(refresh):
        raise ProviderUnavailableError("token: an answer without the two tokens")
    return Tokens(str(access), str(refresh))


def _is_token(told: object) -> bool:
    return isinstance(told, str) and 0 < len(told) <= _LONGEST_TOKEN and told.isascii() and told.isprintable()


def _is_name(told: object) -> bool:
    return isinstance(told, str) and 0 < len(told) <= _LONGEST_NAME and told.isprintable()


def _read(answer: Answer, call: str) -> Mapping[str, object]:
    if answer.status != HTTPStatus.OK:
        raise ProviderUnavailableError(f"{call}: HTTP {answer.status}")
    return answer.told
