"""Access tokens: JWTs that our own key signs (ES256, RFC 9068), and nobody else's are believed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from domain.actor import Actor
from domain.clock import Clock, system_clock
from domain.errors import DomainError
from domain.ids import PersonId, derived, uuid7

AUDIENCE = "gametriggers"
"""Whom a token is for: a token of the same issuer for somebody else is no good here."""

_ALGORITHM = "ES256"
_TYPE = "at+jwt"
_LONGEST = 2_048
_LATEST = datetime(9999, 12, 31, tzinfo=UTC)


class TokenError(DomainError):
    """A token that does not say who is calling. Its text may be told to whoever sent it."""


class KeyFileError(DomainError):
    """A key file that is not there or holds no such key."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a good token says."""

    actor: Actor
    expires_at: datetime


class Tokens:
    """Issues and verifies tokens with one key. `issuer` is the address under which we are known."""

    def __init__(self, key: ECKey, issuer: str, clock: Clock = system_clock) -> None:
        if key.curve_name != "P-256" or not key.is_private:
            raise KeyFileError("the key that signs tokens is a private one on the curve P-256")
        self._key, self._issuer, self._clock = key, issuer, clock
        self._key_id = key.thumbprint()

    @classmethod
    def of_file(cls, file: Path, issuer: str, clock: Clock = system_clock) -> Self:
        """Read the key from a PEM file. Raises `KeyFileError`, which never repeats what the file holds."""
        try:
            return cls(ECKey.import_key(file.read_bytes()), issuer, clock)
        except (OSError, JoseError, ValueError, TypeError) as error:
            raise KeyFileError(f"{file} holds no PEM key that can sign tokens ({type(error).__name__})") from None

    def issue_token(self, person: PersonId, lifetime: timedelta) -> str:
        """A token that names a person for so long."""
        now = int(self._clock().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(person),
            "iat": now,
            "exp": now + int(lifetime.total_seconds()),
            "jti": str(uuid7()),
        }
        header = {"alg": _ALGORITHM, "kid": self._key_id, "typ": _TYPE}
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])

    def verify(self, token: str, now: datetime) -> Verified:
        """Who a token names and until when. Raises `TokenError` for any token that is not ours, whole and living."""
        if len(token) > _LONGEST:
            raise TokenError("The token is too long.")
        try:
            found = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
        except (JoseError, ValueError, TypeError):
            raise TokenError("The token is not one of ours.") from None
        claims, header = found.claims, found.header
        if header.get("typ") != _TYPE or header.get("kid") != self._key_id:
            raise TokenError("The token is not one of ours.")
        if claims.get("iss") != self._issuer or claims.get("aud") != AUDIENCE:
            raise TokenError("The token is for another place.")
        expires_at = _instant(claims.get("exp"))
        if expires_at <= now:
            raise TokenError("The token has expired.")
        return Verified(Actor(_person(claims.get("sub"))), expires_at)


def person_named(name: str) -> PersonId:
    """The person of a demo account, the same at every start; a UUID names that very person."""
    try:
        return PersonId(UUID(name))
    except ValueError:
        return PersonId(derived("demo-person", name))


def _instant(seconds: object) -> datetime:
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 < seconds < _LATEST.timestamp():
        raise TokenError("The token does not say until when it holds.")
    return datetime.fromtimestamp(seconds, UTC)


def _person(subject: object) -> PersonId:
    try:
        return PersonId(UUID(str(subject)))
    except ValueError:
        raise TokenError("The token names nobody.") from None
