"""Passwords: argon2id for our own, bcrypt for those of an older system, all of it off the event loop."""

import asyncio
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, cached_property
from importlib import import_module
from types import TracebackType
from typing import Self, TypeVar

import bcrypt
import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import UnavailableError
from domain.identity.secrets import LONGEST_PASSWORD, SHORTEST_PASSWORD, Verdict, normalised

_log = structlog.get_logger(__name__)

MEMORY_KIB = 19_456
PASSES = 2
LANES = 1
"""OWASP's recommendation for argon2id (19 MiB, 2 passes, 1 lane): 42 ms of one core where this was written."""

OLD_PREFIXES = ("$2y$", "$2b$", "$2a$")
_OLD_LENGTH_BYTES = 72
"""What bcrypt looks at: older systems cut silently, and so must we, for the library raises."""
_LONGEST_TRIED = 4 * LONGEST_PASSWORD
"""Before normalising, which may shorten. Whatever is longer is nobody's password."""

Result = TypeVar("Result")


class Argon2Passwords:
    """Hashes on `threads` threads of its own; at most `waiting` callers more wait for one.

    `old_cost` is the bcrypt cost of an older system's hashes, if there are any: then each try that fails costs as much
    as one against such a hash and one against ours together, so that the time does not tell who has an old one, a new
    one or none.
    """

    def __init__(self, *, threads: int = 2, waiting: int = 32, old_cost: int | None = None) -> None:
        self._argon2 = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._old_cost = old_cost
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._room = threading.Semaphore(threads + waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let those who wait go, and end the threads once they have finished what they are at."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def prepare(self) -> None:
        """Do now, at start, what the first caller would otherwise wait for. Safe to leave out."""
        await self._aside(lambda: (common_passwords(), self._dummy, self._old_cost and self._old_dummy))

    async def hash(self, text: str) -> str:
        """An argon2id hash of a password. Raises `UnavailableError` when too many wait already."""
        return await self._aside(lambda: self._argon2.hash(_as_bytes(text)))

    async def verify(self, text: str, kept: str | None) -> Verdict:
        """Try a password against what was kept of it, or None. Raises `UnavailableError` when too many wait already."""
        return await self._aside(lambda: self._verdict(text, kept))

    def is_common(self, text: str) -> bool:
        """Whether a password is on the list, in whichever case it is written."""
        return text.lower() in common_passwords()

    def _verdict(self, text: str, kept: str | None) -> Verdict:
        if len(text) > _LONGEST_TRIED:
            text, kept = "", None
        if kept is not None and kept.startswith(OLD_PREFIXES):
            if _matches_old(text, kept):
                return Verdict(matches=True, outdated=True)
            self._matches(text, self._dummy)
            return Verdict(matches=False)
        matches = self._matches(text, self._dummy if kept is None else kept)
        if matches and kept is not None:
            return Verdict(matches=True, outdated=self._argon2.check_needs_rehash(kept))
        if self._old_cost is not None:
            _matches_old(text, self._old_dummy)
        return Verdict(matches=False)

    def _matches(self, text: str, kept: str) -> bool:
        try:
            return self._argon2.verify(kept, _as_bytes(text))
        except InvalidHashError:
            _log.error("password.unreadable_hash")
            self._matches(text, self._dummy)
            return False
        except VerificationError:
            return False

    @cached_property
    def _dummy(self) -> str:
        return self._argon2.hash(secrets.token_bytes())

    @cached_property
    def _old_dummy(self) -> str:
        return bcrypt.hashpw(secrets.token_hex().encode(), bcrypt.gensalt(self._old_cost or 4)).decode()

    async def _aside(self, work: Callable[[], Result]) -> Result:
        """Run on one of the threads. A caller who gives up while waiting frees the place at once."""
        if not self._room.acquire(blocking=False):
            raise UnavailableError("Too many people sign in at this moment; try again shortly.")
        try:
            future: Future[Result] = self._pool.submit(work)
        except RuntimeError:
            self._room.release()
            raise UnavailableError("We are shutting down; try again shortly.") from None
        future.add_done_callback(lambda _: self._room.release())
        return await asyncio.wrap_future(future)


@cache
def common_passwords() -> frozenset[str]:
    """Passwords, words and names that many people use, in small letters, as zxcvbn ships them.

    Only those long enough to be allowed otherwise: 13,614 of them. Loading takes 80 ms and 12 MB, once, and only in
    processes in which somebody chooses a password.
    """
    lists: Mapping[str, Sequence[str]] = import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    return frozenset(word for words in lists.values() for word in words if len(word) >= SHORTEST_PASSWORD)


def _as_bytes(text: str) -> bytes:
    # JSON can carry halves of surrogate pairs, which UTF-8 cannot: they are bytes of a password like others.
    return normalised(text).encode("utf-8", "surrogatepass")


def _matches_old(text: str, kept: str) -> bool:
    """As the older system did it: the text as it was typed, not normalised, and only its first 72 bytes."""
    try:
        return bcrypt.checkpw(text.encode("utf-8", "surrogatepass")[:_OLD_LENGTH_BYTES], kept.encode())
    except ValueError:
        _log.error("password.unreadable_hash")
        return False
