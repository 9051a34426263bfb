"""What a provider publishes: where its doors are, and the keys that it signs with."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key

from adapters.identity.oidc_providers import Registration, fit_address
from adapters.identity.oidc_wire import Wire
from domain.identity.provider import ProviderLiedError, ProviderUnavailableError

KEPT_S = 3600.0
"""How long what was read is believed: a key that was withdrawn signs no longer than this."""
PAUSE_S = 10.0
"""The least time between two looks at the keys, whatever tokens claim."""

_MOST_KEYS = 64
_SMALLEST_RSA_BITS = 2048
_KEY_TYPES = ("RSA", "EC", "OKP")
_USES = (None, "sig")

Ticks = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Doors:
    """What a discovery document says."""

    authorize_url: str
    token_url: str
    keys_url: str
    names_itself: bool
    """Its returns bear `iss` (RFC 9207), so one without it is not the provider's."""


class Metadata:
    """The provider's discovery document and keys, read when needed and kept for an hour."""

    def __init__(self, site: Registration, wire: Wire, ticks: Ticks = time.monotonic) -> None:
        self._site = site
        self._wire = wire
        self._ticks = ticks
        self._reading = asyncio.Lock()
        self._doors: Doors | None = None
        self._doors_at = 0.0
        self._keys: dict[str, Key] | None = None
        self._keys_at = 0.0
        self._missed: set[str] = set()

    async def doors(self) -> Doors:
        """Where to go. Raises `ProviderUnavailableError` or `ProviderLiedError`."""
        async with self._reading:
            if self._doors is None or self._ticks() - self._doors_at >= KEPT_S:
                document = await self._wire.read("discovery", f"{self._site.issuer}/.well-known/openid-configuration")
                self._doors = _doors(document, self._site.issuer)
                self._doors_at = self._ticks()
            return self._doors

    async def key(self, key_id: str) -> Key:
        """The key of this name; one that is not known is looked for anew once. Raises as `doors` does."""
        url = (await self.doors()).keys_url
        async with self._reading:
            if self._keys is None or self._ticks() - self._keys_at >= KEPT_S:
                self._missed.clear()
                await self._read_keys(url)
            elif key_id not in self._keys and self._may_look_again(key_id):
                self._missed.add(key_id)
                await self._read_keys(url)
            found = (self._keys or {}).get(key_id)
        if found is None:
            raise ProviderLiedError("the token names a key that the provider does not publish")
        return found

    def _may_look_again(self, key_id: str) -> bool:
        rested = self._ticks() - self._keys_at >= PAUSE_S
        return rested and key_id not in self._missed and len(self._missed) < _MOST_KEYS

    async def _read_keys(self, url: str) -> None:
        self._keys = _keys(await self._wire.read("keys", url))
        self._keys_at = self._ticks()


def _doors(document: Mapping[str, object], issuer: str) -> Doors:
    if document.get("issuer") != issuer:
        raise ProviderLiedError("the discovery document is another issuer's")
    return Doors(
        _address(document, "authorization_endpoint"),
        _address(document, "token_endpoint"),
        _address(document, "jwks_uri"),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(document: Mapping[str, object], name: str) -> str:
    found = document.get(name)
    if not isinstance(found, str) or not fit_address(found):
        raise ProviderLiedError(f"the discovery document has no safe {name}")
    return found


def _keys(document: Mapping[str, object]) -> dict[str, Key]:
    """The public keys for signatures. One that we cannot read is passed over, so that a new kind locks nobody out."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ProviderUnavailableError("keys: an answer without keys")
    found: dict[str, Key] = {}
    for each in listed[:_MOST_KEYS]:
        if isinstance(each, dict) and each.get("kty") in _KEY_TYPES and each.get("use") in _USES:
            key_id, key = each.get("kid"), _imported(each)
            if isinstance(key_id, str) and key is not None:
                found[key_id] = key
    return found


def _imported(jwk: dict[str, object]) -> Key | None:
    public = {name: value for name, value in jwk.items() if isinstance(value, str | list)}
    try:
        if jwk["kty"] == "RSA" and len(str(jwk.get("n"))) * 6 < _SMALLEST_RSA_BITS:
            return None
        return JWKRegistry.import_key(public)
    except (JoseError, ValueError, TypeError):
        return None
