"""ID tokens on paper: which key a token asks for, and whether it is the provider's word to us about this journey."""

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import Key

from domain.identity.provider import ProviderLiedError

SKEW_S = 60
"""By how much a provider's clock may differ from ours."""

_HALF_HASH = {"RS256": "sha256", "PS256": "sha256", "ES256": "sha256", "Ed25519": "sha512"}
_TYPES = (None, "JWT")
_LONGEST_KEY_ID = 200
_UNREADABLE = (JoseError, ValueError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token for us must say."""

    issuers: Collection[str]
    client_id: str
    algorithms: Collection[str]
    nonce: str
    nonce_required: bool


def key_id(token: str, algorithms: Collection[str]) -> tuple[str, str]:
    """Which algorithm and key a token claims; raises `ProviderLiedError` before any key is fetched for a bad one."""
    try:
        header = jws.extract_compact(token.encode(), registry=_registry(algorithms)).headers()
    except _UNREADABLE:
        raise ProviderLiedError("the token is no signed token") from None
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise ProviderLiedError("the token is signed in a way that this provider does not use")
    if header.get("typ") not in _TYPES:
        raise ProviderLiedError("the token is of another kind")
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KEY_ID:
        raise ProviderLiedError("the token names no key")
    return algorithm, kid


def verified_claims(
    token: str, key: Key, expected: Expected, *, access_token: object, now: datetime
) -> Mapping[str, object]:
    """What a token says once its signature and all that concerns us is right; else raises `ProviderLiedError`."""
    algorithm, _ = key_id(token, expected.algorithms)
    try:
        found = jwt.decode(token, key, algorithms=[algorithm], registry=_registry([algorithm]))
    except _UNREADABLE:
        raise ProviderLiedError("the token is not signed by the provider") from None
    claims = found.claims
    if claims.get("iss") not in list(expected.issuers):
        raise ProviderLiedError("the token is of another issuer")
    _check_audience(claims, expected.client_id)
    _check_times(claims, now.timestamp())
    _check_nonce(claims.get("nonce"), expected)
    if "at_hash" in claims:
        _check_access_token(claims["at_hash"], access_token, algorithm)
    return claims


def _registry(algorithms: Collection[str]) -> jws.JWSRegistry:
    # Headers that we do not know are no reason to refuse, as long as they are not named critical.
    return jws.JWSRegistry(algorithms=list(algorithms), strict_check_header=False)


def _check_audience(claims: Mapping[str, object], client_id: str) -> None:
    audience = claims.get("aud")
    [only] = audience if isinstance(audience, list) and len(audience) == 1 else [audience]
    if isinstance(only, bool) or not isinstance(only, str | int) or str(only) != client_id:
        raise ProviderLiedError("the token is for somebody else")
    if "azp" in claims and str(claims["azp"]) != client_id:
        raise ProviderLiedError("the token was given to somebody else")


def _check_times(claims: Mapping[str, object], now: float) -> None:
    expires, issued, begins = _seconds(claims, "exp"), _seconds(claims, "iat"), claims.get("nbf", 0)
    if not expires > now - SKEW_S:
        raise ProviderLiedError("the token has expired")
    if not issued <= now + SKEW_S:
        raise ProviderLiedError("the token is of the future")
    if not (isinstance(begins, int | float) and begins <= now + SKEW_S):
        raise ProviderLiedError("the token does not hold yet")


def _seconds(claims: Mapping[str, object], name: str) -> float:
    found = claims.get(name)
    if not isinstance(found, int | float) or isinstance(found, bool):
        raise ProviderLiedError("the token does not say from when until when it holds")
    return found


def _check_nonce(found: object, expected: Expected) -> None:
    if found is None and not expected.nonce_required:
        return
    if not isinstance(found, str) or not hmac.compare_digest(_bytes(found), _bytes(expected.nonce)):
        raise ProviderLiedError("the token belongs to another journey")


def _check_access_token(told: object, access_token: object, algorithm: str) -> None:
    hashed = _HALF_HASH.get(algorithm)
    if hashed is None or not isinstance(told, str) or not isinstance(access_token, str):
        raise ProviderLiedError("the token names an access token that did not come with it")
    digest = hashlib.new(hashed, _bytes(access_token)).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(half, _bytes(told.rstrip("="))):
        raise ProviderLiedError("the token came with another access token")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
