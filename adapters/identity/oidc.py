"""Sign-in by another site over OpenID Connect: code, PKCE, state and nonce, and an ID token that must be right."""

import hmac
import secrets
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import structlog

from adapters.breaker import Breaker
from adapters.identity.oidc_metadata import Doors, Metadata, Ticks
from adapters.identity.oidc_providers import Registration, profile_of
from adapters.identity.oidc_token import Expected, key_id, verified_claims
from adapters.identity.oidc_wire import Wire
from domain.clock import Clock, system_clock
from domain.identity.provider import (
    Departure,
    Journey,
    Profile,
    Provider,
    ProviderLiedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)

_NOT_NOW = frozenset({"server_error", "temporarily_unavailable"})
_LONGEST_CODE = 4096

_log = structlog.get_logger(__name__)


class OidcProvider:
    """`domain.identity.provider.IdentityProvider` by OpenID Connect. Close it, or use it as a context."""

    def __init__(
        self,
        site: Registration,
        *,
        clock: Clock = system_clock,
        timeout_s: float = 10.0,
        breaker: Breaker | None = None,
        ticks: Ticks = time.monotonic,
    ) -> None:
        self._site = site
        self._clock = clock
        self._wire = Wire(site, timeout_s=timeout_s, breaker=breaker or Breaker())
        self._metadata = Metadata(site, self._wire, ticks)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    @property
    def provider(self) -> Provider:
        """Which one."""
        return self._site.provider

    async def begin(self, redirect_uri: str) -> Departure:
        """As the port says. Give each provider a return address of its own."""
        doors = await self._metadata.doors()
        journey = Journey(
            self.provider,
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=redirect_uri,
        )
        return Departure(journey, self._wire.departure(doors.authorize_url, journey))

    async def finish(self, journey: Journey, parameters: Mapping[str, str]) -> Profile:
        """As the port says. Every lie is logged, by its kind alone."""
        try:
            return await self._finish(journey, parameters)
        except ProviderLiedError as error:
            _log.warning("provider_lied", provider=self.provider.value, reason=str(error))
            raise
        except ProviderRefusedError as error:
            _log.info("provider_refused", provider=self.provider.value, reason=str(error))
            raise

    async def _finish(self, journey: Journey, parameters: Mapping[str, str]) -> Profile:
        if journey.provider is not self.provider:
            raise ProviderLiedError("the journey went to another provider")
        if not _same(parameters.get("state", ""), journey.state):
            raise ProviderLiedError("the return belongs to another journey")
        doors = await self._metadata.doors()
        code = self._code(doors, parameters)
        answer = await self._wire.exchange(doors.token_url, code, journey)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderLiedError("no ID token came for the code")
        return profile_of(self._site, await self._claims(token, journey, answer.get("access_token")))

    def _code(self, doors: Doors, parameters: Mapping[str, str]) -> str:
        issuer = parameters.get("iss")
        if issuer not in self._site.names and (issuer is not None or doors.names_itself):
            # Somebody mixes providers up, to have one's code sent to the other (RFC 9207).
            raise ProviderLiedError("the return is of another issuer")
        if (error := parameters.get("error")) is not None:
            if error in _NOT_NOW:
                raise ProviderUnavailableError("the provider cannot do it now")
            raise ProviderRefusedError("the person or the provider said no")
        code = parameters.get("code", "")
        if not 0 < len(code) <= _LONGEST_CODE or not code.isascii() or not code.isprintable():
            raise ProviderRefusedError("the return bears no code")
        return code

    async def _claims(self, token: str, journey: Journey, access_token: object) -> Mapping[str, object]:
        site = self._site
        _, key_name = key_id(token, site.algorithms)
        expected = Expected(site.names, site.client_id, site.algorithms, journey.nonce, site.nonce_comes_back)
        key = await self._metadata.key(key_name)
        return verified_claims(token, key, expected, access_token=access_token, now=self._clock())


def _same(told: str, ours: str) -> bool:
    return hmac.compare_digest(told.encode("utf-8", "surrogatepass"), ours.encode())
