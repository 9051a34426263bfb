"""Envelope encryption without any IO: a data key for each person, wrapped by master keys that are rotated.

Everything is AES-256-GCM with a random nonce, and begins with the number of its layout:
a sealed value is `1, nonce, ciphertext`, bound to its person and its field;
a wrapped key is `1, length of the master key's id, that id, nonce, ciphertext`, bound to its person and that id.
"""

import os
import re
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import DomainError
from domain.ids import PersonId

KEY_BYTES = 32
_LAYOUT = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_MASTER_ID = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)


class UnreadableError(DomainError):
    """Sealed content that its key does not open: damaged, tampered with, or another person's or field's."""


class UnknownMasterKeyError(DomainError):
    """A data key is wrapped with a master key that we were not given."""


class PersonKey:
    """One person's key, ready for use."""

    __slots__ = ("_cipher", "_person")

    def __init__(self, person: PersonId, key: bytes) -> None:
        self._person, self._cipher = person, AESGCM(key)

    def seal(self, field: str, text: str) -> bytes:
        """Encrypt a text. The same text gives other bytes each time."""
        nonce = os.urandom(_NONCE_BYTES)
        return _LAYOUT + nonce + self._cipher.encrypt(nonce, text.encode(), self._bond(field))

    def open(self, field: str, content: bytes) -> str:
        """Decrypt what was sealed for this person and field. Raises `UnreadableError` for anything else."""
        try:
            return _decrypt(self._cipher, content, 0, self._bond(field)).decode()
        except InvalidTag:
            raise UnreadableError(f"the {field} of person {self._person} does not open with the person's key") from None

    def _bond(self, field: str) -> bytes:
        return _LAYOUT + self._person.bytes + field.encode()


class MasterKeys:
    """The keys that wrap data keys, by id: the first wraps, the others still unwrap what they wrapped."""

    def __init__(self, keys: Iterable[tuple[str, bytes]]) -> None:
        listed = list(keys)
        if not listed:
            raise ValueError("there must be one master key at least")
        if any(_MASTER_ID.fullmatch(name) is None for name, _ in listed):
            raise ValueError("a master key's id takes 1 to 40 letters, digits, dots, dashes or underscores")
        if any(len(key) != KEY_BYTES for _, key in listed):
            raise ValueError(f"a master key takes {KEY_BYTES} bytes in hex, {2 * KEY_BYTES} digits")
        if len(dict(listed)) < len(listed) or len({key for _, key in listed}) < len(listed):
            raise ValueError("every master key needs an id of its own and bytes of its own")
        self.newest = listed[0][0]
        self._ciphers = {name: AESGCM(key) for name, key in listed}

    @classmethod
    def parse(cls, text: str) -> "MasterKeys":
        """Read `id:hex,id:hex`, the one that wraps first. Raises ValueError that never repeats a key."""
        pairs = [pair.strip().partition(":") for pair in text.split(",")]
        if not all(colon for _, colon, _ in pairs):
            raise ValueError("it takes the form id:hex, separated by commas")
        return cls((name.strip(), _from_hex(digits)) for name, _, digits in pairs)

    def wrap(self, person: PersonId, key: bytes) -> bytes:
        """Encrypt a data key with the newest master key."""
        header, nonce = _header(self.newest), os.urandom(_NONCE_BYTES)
        return header + nonce + self._ciphers[self.newest].encrypt(nonce, key, header + person.bytes)

    def unwrap(self, person: PersonId, wrapped: bytes) -> bytes:
        """Decrypt a person's data key. Raises `UnknownMasterKeyError`, or `UnreadableError` for a damaged one."""
        name = wrapped[2 : 2 + wrapped[1]].decode("ascii", "replace") if wrapped[1:] else ""
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise UnknownMasterKeyError(
                f"the data key of person {person} needs master key {name!r}, which is not given"
            )
        header = _header(name)
        try:
            return _decrypt(cipher, wrapped, len(header) - 1, header + person.bytes)
        except InvalidTag:
            raise UnreadableError(f"the data key of person {person} does not open with master key {name!r}") from None


def new_key() -> bytes:
    """A fresh data key."""
    return os.urandom(KEY_BYTES)


def _from_hex(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError:
        raise ValueError("a master key is not hexadecimal") from None


def _header(master: str) -> bytes:
    return _LAYOUT + bytes([len(master)]) + master.encode()


def _decrypt(cipher: AESGCM, content: bytes, skipped: int, bond: bytes) -> bytes:
    """Decrypt what follows the layout's number and so many bytes. Raises `InvalidTag` for whatever is wrong."""
    start = len(_LAYOUT) + skipped
    if content[: len(_LAYOUT)] != _LAYOUT or len(content) < start + _NONCE_BYTES + _TAG_BYTES:
        raise InvalidTag
    return cipher.decrypt(content[start : start + _NONCE_BYTES], content[start + _NONCE_BYTES :], bond)
