"""Keyed digests: exact values are found by them without being stored, and nobody without the key can try values out."""

import hmac

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


def subkey(identity_key: bytes, label: str) -> bytes:
    """The 32-byte key that the identity key gives for one purpose (HKDF, RFC 5869); one never tells of another.

    Raises ValueError if the identity key has not 32 bytes.
    """
    if len(identity_key) != KEY_BYTES:
        raise ValueError(f"the identity key takes {KEY_BYTES} bytes, not {len(identity_key)}")
    purpose = f"gametriggers/{label}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(identity_key)


def keyed_digest(key: bytes, scope: str, text: str) -> bytes:
    """HMAC-SHA256 of a text within a scope, 32 bytes. Exact: who wants `A` to meet `a` makes them the same first."""
    name = scope.encode()
    return hmac.digest(key, len(name).to_bytes(4) + name + text.encode(), "sha256")
