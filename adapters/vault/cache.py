"""Data keys that this process holds for a short while, so that not every page asks for them again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from adapters.vault.envelope import PersonKey
from domain.ids import PersonId

LIFETIME_S = 60.0
"""How long a key may still be used here after another process destroyed it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A look into the database that is about to happen."""

    began: float
    forgotten: int


class KeyCache:
    """Keys by person, None for a destroyed one. A key's time counts from before it was read, not from its last use."""

    def __init__(self, size: int, seconds: Callable[[], float]) -> None:
        self._size, self._seconds = size, seconds
        self._kept: dict[PersonId, tuple[float, PersonKey | None]] = {}
        self._forgotten = 0

    def find(self, persons: Iterable[PersonId]) -> dict[PersonId, PersonKey | None]:
        """The keys that are here."""
        now = self._seconds()
        self._drop_expired(now)
        found = ((person, self._kept.get(person)) for person in persons)
        return {person: kept[1] for person, kept in found if kept and kept[0] > now}

    def reading(self) -> Reading:
        """To be asked for before the database is."""
        return Reading(self._seconds(), self._forgotten)

    def keep(self, reading: Reading, person: PersonId, key: PersonKey | None) -> None:
        """Keep a key that was read, unless one was destroyed here meanwhile: what was read may be that one."""
        if reading.forgotten != self._forgotten:
            return
        self._kept.pop(person, None)
        self._kept[person] = (reading.began + LIFETIME_S, key)
        if len(self._kept) > self._size:
            del self._kept[next(iter(self._kept))]

    def forget(self, person: PersonId) -> None:
        """Hold a person's key no longer."""
        self._forgotten += 1
        self._kept.pop(person, None)

    def _drop_expired(self, now: float) -> None:
        while self._kept:
            oldest = next(iter(self._kept))
            if self._kept[oldest][0] > now:
                return
            del self._kept[oldest]
