"""Long lists of short computations that let others have their turn in between."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

LONGEST_TURN_S = 0.002


_BLOCK = 500


async def in_turns(steps: Iterable[T]) -> list[T]:
    """Take all of a lazy series; everybody else on the event loop waits for 2 ms and one step at most."""
    taken: list[T] = []
    pause_at = time.perf_counter() + LONGEST_TURN_S
    for step in steps:
        taken.append(step)
        if time.perf_counter() >= pause_at:
            await asyncio.sleep(0)
            pause_at = time.perf_counter() + LONGEST_TURN_S
    return taken


def blocks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """A long list in pieces that are short enough for one step each, where a step costs a microsecond or two."""
    return (items[start : start + _BLOCK] for start in range(0, len(items), _BLOCK))
