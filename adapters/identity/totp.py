"""Codes of authenticator apps (TOTP, RFC 6238), by pyotp. This module as a whole is an `AuthenticatorApps`."""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyotp

STEP_S = 30
_WINDOW = (0, -1, 1)
"""The present step, the one before (a slow typist) and the one after (a clock that is fast)."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """How codes are made. Authenticator apps reliably know the usual one only."""

    digest: Callable[..., Any] = hashlib.sha1
    digits: int = 6


USUAL = Scheme()


def new_secret() -> str:
    """A new shared secret: 160 random bits in base32."""
    return pyotp.random_base32(32)


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """The `otpauth://` address that a QR code shows to an app."""
    return pyotp.TOTP(secret, name=account, issuer=issuer).provisioning_uri()


def matching_step(secret: str, code: str, now: datetime, scheme: Scheme = USUAL) -> int | None:
    """The step that a code belongs to, of the present one and its neighbours; None if it belongs to none.

    The same code is found again as long as it lasts: the caller keeps the last step and asks `accept_step`.
    """
    digits = "".join(code.split())
    if len(digits) != scheme.digits or not digits.isascii() or not digits.isdecimal():
        return None
    totp = pyotp.TOTP(secret, digits=scheme.digits, digest=scheme.digest, interval=STEP_S)
    present = int(now.timestamp()) // STEP_S
    steps = [present + shift for shift in _WINDOW if present + shift >= 0]
    found = [step for step in steps if hmac.compare_digest(totp.generate_otp(step), digits)]
    return found[0] if found else None
