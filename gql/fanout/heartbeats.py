"""Signs of life for all streams of a process, by one timer."""

import asyncio
from collections.abc import Callable
from typing import Protocol

_TURNS = 12
"""The streams of a process have their turn one part after the other, so that none takes long."""


class Silent(Protocol):
    """Who may have nothing to say for a long time."""

    def show_signs(self) -> None:
        """Show that we are there."""
        ...


class Heartbeats:
    """Lets all show signs of life once in `every_s()` seconds, which is asked each time."""

    def __init__(self, every_s: Callable[[], float]) -> None:
        self._every_s = every_s
        self._turns: list[dict[Silent, None]] = [{} for _ in range(_TURNS)]
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def ticks(self) -> bool:
        """Whether somebody is to be heard of."""
        return self._timer is not None

    def join(self, silent: Silent) -> int:
        """One more, whose turn comes first after the full time. Answers which turn that is, for `leave`."""
        turn = (self._next - 1) % _TURNS
        self._turns[turn][silent] = None
        if self._timer is None:
            self._wait()
        return turn

    def leave(self, silent: Silent, turn: int) -> None:
        """One less."""
        self._turns[turn].pop(silent, None)

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._every_s() / _TURNS, self._go_on)

    def _go_on(self) -> None:
        self._timer = None
        turn, self._next = self._next, (self._next + 1) % _TURNS
        if any(self._turns):
            self._wait()
        for silent in list(self._turns[turn]):
            silent.show_signs()
