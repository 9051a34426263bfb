"""Access tokens: JWTs that our own keys sign (ES256, RFC 9068), and nobody else's are believed."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jws import CompactSignature

from adapters.identity.keys import ALGORITHM, KeyFile, KeyRing
from domain.errors import DomainError
from domain.identity.model import ACCESS_LIFETIME, Session
from domain.identity.ports import AccessToken
from domain.ids import PersonId, SessionId, uuid7

AUDIENCE = "gametriggers"
"""Whom a token is for: a token of the same issuer for somebody else is no good here."""

_TYPE = "at+jwt"
_HEADER = frozenset({"alg", "kid", "typ"})
_CLAIMS = frozenset({"iss", "aud", "sub", "sid", "iat", "exp", "jti"})
_LONGEST = 2_048
_MOST_REMEMBERED = 20_000
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)
_CLOCKS_APART = timedelta(minutes=1)
_NOT_OURS = "The token is not one of ours."


class TokenError(DomainError):
    """A token that does not say who is calling. Its text may be told to whoever sent it."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good token says."""

    person: PersonId
    session: SessionId
    expires_at: datetime


class Tokens:
    """Issues and verifies tokens. `issuer` is the address under which we are known; `keys` answers our keys of now."""

    def __init__(self, keys: Callable[[], KeyRing], issuer: str) -> None:
        self._keys, self._issuer = keys, issuer
        self._ring = keys()
        self._known: OrderedDict[bytes, Verified] = OrderedDict()

    @classmethod
    def of_file(cls, file: Path, issuer: str) -> Self:
        """With the keys of a file. Raises `KeyFileError`, which never repeats what the file holds."""
        return cls(KeyFile(file), issuer)

    def issue(self, session: Session, now: datetime, lifetime: timedelta = ACCESS_LIFETIME) -> AccessToken:
        """A token for a session: for so long, and never beyond the session's own end."""
        ends = min(now + lifetime, session.expires_at).replace(microsecond=0)
        signing = self._keys().signing(now)
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(session.person),
            "sid": str(session.id),
            "iat": int(now.timestamp()),
            "exp": int(ends.timestamp()),
            "jti": str(uuid7()),
        }
        header = {"alg": ALGORITHM, "kid": signing.id, "typ": _TYPE}
        return AccessToken(jwt.encode(header, claims, signing.key, algorithms=[ALGORITHM]), ends)

    def verify(self, token: str, now: datetime) -> Verified:
        """Whom a token names and until when. Raises `TokenError` for any token that is not ours, whole and living.

        A good one is remembered until it expires, so that its signature is checked once; keys that change are a reason
        to check again.
        """
        if len(token) > _LONGEST or not token.isascii():
            raise TokenError("The token is too long." if len(token) > _LONGEST else _NOT_OURS)
        ring = self._keys()
        if ring is not self._ring:
            self._known.clear()
            self._ring = ring
        digest = sha256(token.encode()).digest()
        found = self._known.get(digest)
        if found is None:
            found = self._known[digest] = self._read(token, ring, now)
            if len(self._known) > _MOST_REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(digest)
        if found.expires_at <= now:
            del self._known[digest]
            raise TokenError("The token has expired.")
        return found

    def published(self, now: datetime) -> dict[str, Any]:
        """The key set by which others check our tokens."""
        return self._keys().published(now)

    def _read(self, token: str, ring: KeyRing, now: datetime) -> Verified:
        believed = {key.id: key.key for key in ring.believed(now)}

        def choose(signature: Any) -> ECKey:
            return _key_for(signature, believed)

        try:
            found = jwt.decode(token, choose, algorithms=[ALGORITHM])
        except (JoseError, ValueError, TypeError, RecursionError):
            raise TokenError(_NOT_OURS) from None
        claims = found.claims
        if claims.get("iss") != self._issuer or claims.get("aud") != AUDIENCE:
            raise TokenError("The token is for another place.")
        if claims.keys() != _CLAIMS or _instant(claims["iat"]) > now + _CLOCKS_APART:
            raise TokenError(_NOT_OURS)
        _id(claims["jti"])
        return Verified(PersonId(_id(claims["sub"])), SessionId(_id(claims["sid"])), _instant(claims["exp"]))


def _key_for(signature: CompactSignature, believed: Mapping[str, ECKey]) -> ECKey:
    """The key that a token names, if its header has what ours have and nothing else: no `crit`, no key of its own."""
    header = signature.headers()
    key = believed.get(str(header.get("kid")))
    if key is None or header.keys() != _HEADER or header["typ"] != _TYPE or header["alg"] != ALGORITHM:
        raise TokenError(_NOT_OURS)
    return key


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < _LATEST.timestamp():
        raise TokenError("The token does not say until when it holds.")
    return datetime.fromtimestamp(seconds, UTC)


def _id(text: object) -> UUID:
    """An id, written as we write them and in no other way."""
    try:
        found = UUID(str(text))
    except ValueError:
        raise TokenError("The token names nobody.") from None
    if str(found) != text:
        raise TokenError("The token names nobody.")
    return found
