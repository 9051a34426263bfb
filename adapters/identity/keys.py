"""The keys that sign access tokens: one PEM file of them, in which rotation changes keys and signs nobody out.

A key signs from the moment that stands in a line before it, until the next one's; the first may have no such line, so
that a key made by any tool is a whole file. A new key waits until everybody who checks our tokens has seen it, and an
old one is believed until the last token that it signed has expired. All of this follows from the file and the clock:
no process needs to be told anything.
"""

import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from domain.errors import DomainError
from domain.identity.model import ACCESS_LIFETIME

ALGORITHM = "ES256"
PUBLISHED_FIRST = timedelta(minutes=10)
"""So long a new key is published before it signs: more than others keep our key set, and than we take to look."""

KEPT_BY_OTHERS_S = 300
"""So long others may keep our published keys."""

_LOOK_S = 10.0
_CLOCKS_APART = timedelta(minutes=1)
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_BLOCK = re.compile(
    r"(?:^Signs from: (?P<moment>\S+)[ \t]*\r?\n)?^-----BEGIN (?P<kind>[A-Z ]+)-----.*?^-----END (?P=kind)-----",
    re.DOTALL | re.MULTILINE,
)
_log = structlog.get_logger(__name__)


class KeyFileError(DomainError):
    """A key file that is not there or holds no such keys."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key, with its RFC 7638 thumbprint as its id."""

    id: str
    key: ECKey
    signs_from: datetime

    @classmethod
    def of(cls, key: ECKey, signs_from: datetime = _ALWAYS) -> "SigningKey":
        """Name a key. Raises `KeyFileError` for one that cannot sign our tokens."""
        if key.curve_name != "P-256" or not key.is_private:
            raise KeyFileError("a key that signs tokens is a private one on the curve P-256")
        return cls(key.thumbprint(), key, signs_from)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys of a file in the order in which they sign. There is at least one."""

    keys: tuple[SigningKey, ...]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read a file's text. Raises `KeyFileError`, which never repeats what the file holds."""
        keys = sorted(_parsed(text), key=lambda key: key.signs_from)
        if not keys:
            raise KeyFileError("there is no PEM key in it")
        if any(one.signs_from == other.signs_from for one, other in pairwise(keys)):
            raise KeyFileError("two of its keys sign from the same moment: before a later one stands `Signs from: ...`")
        return cls(tuple(keys))

    @property
    def text(self) -> str:
        """The file's text."""
        return "".join(
            ("" if each.signs_from == _ALWAYS else f"Signs from: {each.signs_from.isoformat()}\n")
            + each.key.as_pem(private=True).decode()
            for each in self.keys
        )

    def signing(self, now: datetime) -> SigningKey:
        """The key that signs now; the first, where even that one has yet to wait."""
        return next((key for key in reversed(self.keys) if key.signs_from <= now), self.keys[0])

    def retires_at(self, key: SigningKey) -> datetime | None:
        """When a key's last token has expired; None while no other key follows it."""
        place = self.keys.index(key)
        if place + 1 == len(self.keys):
            return None
        return self.keys[place + 1].signs_from + ACCESS_LIFETIME + _CLOCKS_APART

    def believed(self, now: datetime) -> tuple[SigningKey, ...]:
        """Keys whose signatures count, those included that are yet to sign."""
        return tuple(key for key in self.keys if (end := self.retires_at(key)) is None or now < end)

    def rotated(self, now: datetime) -> "KeyRing":
        """With one key more, which signs after a while. Raises `KeyFileError` while another waits for its turn."""
        if self.keys[-1].signs_from > now:
            raise KeyFileError(f"a new key waits already; it signs from {self.keys[-1].signs_from.isoformat()}")
        start = (now + PUBLISHED_FIRST).replace(microsecond=0)
        return KeyRing((*self.keys, SigningKey.of(ECKey.generate_key("P-256"), start)))

    def published(self, now: datetime) -> dict[str, Any]:
        """The JSON Web Key Set by which others check our tokens (RFC 7517): public halves alone."""
        return {
            "keys": [
                each.key.as_dict(private=False, kid=each.id, use="sig", alg=ALGORITHM) for each in self.believed(now)
            ]
        }


def new_ring() -> KeyRing:
    """A first key, which signs at once."""
    return KeyRing((SigningKey.of(ECKey.generate_key("P-256")),))


class KeyFile:
    """A file of keys that is read again when it has changed. Raises `KeyFileError` if it cannot be read at first."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ring = read_ring(file)
        self._mark, self._look_at = _mark(file), time.monotonic() + _LOOK_S

    def __call__(self) -> KeyRing:
        """The keys as of ten seconds ago at most. A file that has become unreadable changes nothing but the log."""
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + _LOOK_S
            self._look()
        return self._ring

    def _look(self) -> None:
        mark = _mark(self._file)
        if mark == self._mark:
            return
        self._mark = mark
        try:
            self._ring = read_ring(self._file)
        except KeyFileError as error:
            _log.error("token_keys_unreadable", reason=str(error))  # a trace could show the file
        else:
            _log.info("token_keys_read", keys=len(self._ring.keys))


def read_ring(file: Path) -> KeyRing:
    """The keys of a file. Raises `KeyFileError`, which never repeats what the file holds."""
    try:
        return KeyRing.parse(file.read_bytes().decode())
    except KeyFileError as error:
        raise KeyFileError(f"{file}: {error}") from None
    except (OSError, ValueError) as error:
        raise KeyFileError(f"{file} holds no PEM key that can sign tokens ({type(error).__name__})") from None


def write_ring(file: Path, ring: KeyRing) -> None:
    """Replace a file of keys at once, so that nobody reads half of it; who could read it before still can."""
    place = file.resolve()
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
            if place.exists():
                before = place.stat()
                os.fchmod(opened.fileno(), stat.S_IMODE(before.st_mode))
                os.fchown(opened.fileno(), before.st_uid, before.st_gid)
            opened.write(ring.text)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


def _parsed(text: str) -> Iterator[SigningKey]:
    for block in _BLOCK.finditer(text):
        if not block["kind"].endswith("KEY"):
            continue  # openssl writes the curve's name before the key
        try:
            moment = datetime.fromisoformat(block["moment"]) if block["moment"] else _ALWAYS
            key = ECKey.import_key(block[0][block[0].index("-----BEGIN") :])
        except (JoseError, ValueError, TypeError) as error:
            raise KeyFileError(f"one of its keys is none that can sign tokens ({type(error).__name__})") from None
        if moment.tzinfo is None:
            raise KeyFileError("`Signs from:` takes a moment with its zone: 2026-05-01T12:00:00+00:00")
        yield SigningKey.of(key, moment)


def _mark(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
