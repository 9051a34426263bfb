"""Waiting for conditions instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")

PATIENCE_S = 60.0
"""So long whatever must happen may take on a machine that has much else to do."""

_PAUSE_S = 0.01


@overload
async def eventually(predicate: Callable[[], Coroutine[Any, Any, T]], timeout_s: float = ...) -> T: ...
@overload
async def eventually(predicate: Callable[[], T], timeout_s: float = ...) -> T: ...
async def eventually(predicate: Callable[[], Any], timeout_s: float = PATIENCE_S) -> Any:
    """Ask again and again, and answer the first true thing; fails the test with the last answer when time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        asked = predicate()
        answer = await asked if inspect.isawaitable(asked) else asked
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {_spelled(predicate)} is {answer!r}")
        await asyncio.sleep(_PAUSE_S)


def _spelled(predicate: Callable[[], object]) -> str:
    try:
        return inspect.getsource(predicate).strip()
    except (OSError, TypeError):
        return repr(predicate)
