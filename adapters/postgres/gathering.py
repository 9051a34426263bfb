"""Questions that many ask in the same moment become one statement.

News of one topic wakes everybody who follows it, and each then looks for themselves. A look for each would keep every
connection of the pool busy for seconds, and whoever came meanwhile would wait too long for one and be turned away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

AT_ONCE = 2
"""So many looks of a kind are under way at most: other kinds of questions need connections, too."""

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


@dataclass(eq=False, slots=True)
class _Look:
    keys: dict[Any, None] = field(default_factory=dict)
    askers: int = 0


class Gathering(Generic[Key, Found]):
    """Finds things by keys. Whoever asks while as many looks as may be are under way goes with the next one."""

    def __init__(self, look: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Found]]], most: int) -> None:
        """`look` finds by many keys that are all different, and is given `most` of them, but for one asker's more."""
        self._look, self._most = look, most
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._open: tuple[_Look, asyncio.Task[Mapping[Key, Found]]] | None = None

    async def find(self, keys: Sequence[Key]) -> Mapping[Key, Found]:
        """What is found by these keys, and by others': as it is at some moment after the question.

        Raises what the look raises. A look that nobody waits for any more is given up.
        """
        look, task = self._joined(keys)
        look.askers += 1
        try:
            return await asyncio.shield(task)
        finally:
            look.askers -= 1
            if not look.askers:
                self._close(look)
                task.cancel()

    def _joined(self, keys: Sequence[Key]) -> tuple[_Look, asyncio.Task[Mapping[Key, Found]]]:
        """The look that has not begun, with these keys among its own."""
        joined = self._open
        if joined is None or len(joined[0].keys) + len(keys) > self._most:
            look = _Look()
            # It belongs to no request in particular: not to the trace or the log lines of whoever happens to be first.
            joined = self._open = look, asyncio.create_task(self._carry_out(look), context=Context())
        joined[0].keys.update(dict.fromkeys(keys))
        return joined

    async def _carry_out(self, look: _Look) -> Mapping[Key, Found]:
        async with self._turns:
            self._close(look)
            return await self._look(list(look.keys))

    def _close(self, look: _Look) -> None:
        """Whoever asks from now on must not be told what was true before."""
        if self._open is not None and self._open[0] is look:
            self._open = None
