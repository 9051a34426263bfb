"""Codes that are good for one time: an authenticator app's, recovery codes on paper, six digits by mail."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from domain.ids import PersonId

RECOVERY_CODES = 10
MAIL_CODE_LIFETIME = timedelta(minutes=10)
MAIL_CODE_TRIES = 5
"""A stranger who guesses has five in a million."""

_SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SYMBOLS_IN_CODE = 16
_GROUP = 4
_MAIL_DIGITS = 6
_SHORTEST_KEY = 32


class AuthenticatorApps(Protocol):
    """Codes of authenticator apps: time-based, six digits, 30 seconds each (RFC 6238)."""

    def new_secret(self) -> str:
        """A new shared secret in base32. To be kept sealed."""
        ...

    def provisioning_uri(self, secret: str, account: str, issuer: str) -> str:
        """What the QR code says that an app reads at enrolment."""
        ...

    def matching_step(self, secret: str, code: str, now: datetime) -> int | None:
        """Which half minute since 1970 a code belongs to: this one, the one before, the one after, or None."""
        ...


def accept_step(last: int | None, found: int | None) -> int | None:
    """The step to keep as the last one, or None where the code is refused: wrong, or not newer than the last."""
    if found is None or (last is not None and found <= last):
        return None
    return found


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes of 80 random bits each, to be shown once: `X7QK-2M9D-PH4T-0VWZ`."""
    return tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))


def _new_recovery_code() -> str:
    drawn = "".join(secrets.choice(_SYMBOLS) for _ in range(_SYMBOLS_IN_CODE))
    return "-".join(drawn[start : start + _GROUP] for start in range(0, _SYMBOLS_IN_CODE, _GROUP))


def recovery_code_entered(text: str) -> str | None:
    """A recovery code as a person may write it, in one form; None for what cannot be one.

    Case, spaces and dashes do not matter. The letters O, I and L are in no code: they are digits misread.
    """
    written = "".join(symbol for symbol in text if symbol.isalnum())
    if not written.isascii():
        return None
    symbols = written.upper().translate(_READ_AS)
    return symbols if len(symbols) == _SYMBOLS_IN_CODE and set(symbols) <= set(_SYMBOLS) else None


def new_mail_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(10**_MAIL_DIGITS):0{_MAIL_DIGITS}}"


def mail_code_entered(text: str) -> str | None:
    """A code from a mail as a person may write it, in one form; None for what cannot be one."""
    digits = "".join(text.split())
    return digits if len(digits) == _MAIL_DIGITS and digits.isascii() and digits.isdecimal() else None


class CodePurpose(StrEnum):
    """What a code is good for: one made for this is no good for that."""

    RECOVERY = "recovery"
    STEP_UP = "step-up"


def code_digest(key: bytes, purpose: CodePurpose, person: PersonId, code: str) -> bytes:
    """What is kept of a code in its entered form: keyed, for six digits without a key are found in a second.

    It holds for one person and purpose. Raises `ValueError` for a key under 32 bytes.
    """
    if len(key) < _SHORTEST_KEY:
        raise ValueError(f"the key of codes takes {_SHORTEST_KEY} bytes")
    return hmac.digest(key, f"{purpose}:{person}:{code}".encode(), hashlib.sha256)


def matching_digest(kept: Sequence[bytes], given: bytes) -> int | None:
    """Where in `kept` a digest stands, looking at all of them; None if nowhere. The caller deletes the one found."""
    found = None
    for place, digest in enumerate(kept):
        if hmac.compare_digest(digest, given):
            found = place
    return found


class CodeAnswer(StrEnum):
    """What came of trying a code."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    SPENT = "spent"
    """Used, too old, or tried too often: a new one has to be asked for."""


@dataclass(frozen=True, slots=True)
class MailCode:
    """A code that was sent by mail, as it is kept."""

    digest: bytes
    expires_at: datetime
    tries: int = 0
    used: bool = False

    def tried(self, given: bytes, now: datetime) -> tuple[CodeAnswer, "MailCode"]:
        """What comes of trying a digest, and what to keep. The caller holds a lock, and keeps it whatever came."""
        if self.used or now >= self.expires_at or self.tries >= MAIL_CODE_TRIES:
            return CodeAnswer.SPENT, self
        matches = hmac.compare_digest(self.digest, given)
        return CodeAnswer.ACCEPTED if matches else CodeAnswer.WRONG, replace(self, tries=self.tries + 1, used=matches)
