"""A circuit breaker: after some failures in a row a vendor is left alone for a while, then tried with one call."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from domain.errors import UnavailableError


class Phase(StrEnum):
    """What the breaker lets through: everything, nothing, or a single probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Turn(StrEnum):
    """What moves a breaker from one phase to another."""

    TRIPPED = "tripped"
    COOLED = "cooled"
    HEALED = "healed"
    ABANDONED = "abandoned"


NEXT = {
    (Phase.CLOSED, Turn.TRIPPED): Phase.OPEN,
    (Phase.OPEN, Turn.COOLED): Phase.HALF_OPEN,
    (Phase.HALF_OPEN, Turn.HEALED): Phase.CLOSED,
    (Phase.HALF_OPEN, Turn.TRIPPED): Phase.OPEN,
    (Phase.HALF_OPEN, Turn.ABANDONED): Phase.OPEN,
}


class CircuitOpenError(UnavailableError):
    """The call was not made, because the calls before it failed."""


class Breaker:
    """Counts failures in a row of one vendor's host. `UnavailableError` is a failure, any other answer is health."""

    def __init__(
        self, *, failures: int = 5, cool_down_s: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.phase = Phase.CLOSED
        self._limit = failures
        self._cool_down_s = cool_down_s
        self._clock = clock
        self._failures = 0
        self._cooled_at = 0.0
        self._era = 0

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Let one call through and learn from how it ends; raises `CircuitOpenError` where none may be made."""
        if self.phase is not Phase.CLOSED:
            self._begin_probe()
        era = self._era
        try:
            yield
        except UnavailableError:
            self._learn(era, failed=True)
            raise
        except Exception:
            self._learn(era, failed=False)
            raise
        except BaseException:
            # A cancelled probe proves nothing, but the next caller must be allowed to probe.
            if era == self._era and self.phase is Phase.HALF_OPEN:
                self._turn(Turn.ABANDONED)
            raise
        self._learn(era, failed=False)

    def _begin_probe(self) -> None:
        if self.phase is Phase.HALF_OPEN or self._clock() < self._cooled_at:
            raise CircuitOpenError("the calls before this one failed; it was not made")
        self._turn(Turn.COOLED)

    def _learn(self, era: int, *, failed: bool) -> None:
        if era != self._era:  # the call began before the last turn: its news is old
            return
        if not failed:
            self._failures = 0
            if self.phase is Phase.HALF_OPEN:
                self._turn(Turn.HEALED)
            return
        self._failures += 1
        if self.phase is Phase.HALF_OPEN or self._failures >= self._limit:
            self._cooled_at = self._clock() + self._cool_down_s
            self._turn(Turn.TRIPPED)

    def _turn(self, turn: Turn) -> None:
        self.phase = NEXT[self.phase, turn]
        self._failures = 0
        self._era += 1
