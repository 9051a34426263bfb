"""Identifiers. They are made by whoever starts a thing, so that trying again is harmless (RFC 9562)."""

import os
import time
from typing import NewType
from uuid import UUID, uuid5

PersonId = NewType("PersonId", UUID)
SessionId = NewType("SessionId", UUID)
BrandId = NewType("BrandId", UUID)
AssetId = NewType("AssetId", UUID)
AccountId = NewType("AccountId", int)
TransactionId = NewType("TransactionId", UUID)

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_NAMESPACE = UUID("0192f0c8-5d2a-7c11-9d5e-6b6f3a3c2b10")


def uuid7() -> UUID:
    """A time-ordered UUID: 48 bits of Unix milliseconds, then 74 random bits (RFC 9562 §5.7)."""
    return UUID(int=_number())


def uuid7_hex() -> str:
    """The same as 32 hexadecimal digits, for what is only ever written down."""
    return f"{_number():032x}"


def _number() -> int:
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    return (milliseconds << 80) | _VERSION_7 | ((random >> 68) << 64) | _VARIANT | (random & ((1 << 62) - 1))


def derived(scope: str, external_id: str) -> UUID:
    """The UUID that a foreign id always maps to within a scope (version 5): repeats of it meet the same key."""
    return uuid5(_NAMESPACE, f"{scope}:{external_id}")
