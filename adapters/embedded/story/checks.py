"""How the story makes sure: a figure is what it must be and a condition holds in time, or the story ends there."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from decimal import Decimal

PATIENCE_S = 30.0
_PAUSE_S = 0.02


class AmissError(Exception):
    """Something is not as it must be; its text says what."""


def expect(what: str, found: object, wanted: object) -> None:
    """Raise `AmissError` unless what was found is what was wanted."""
    if found != wanted:
        raise AmissError(f"{what}: it is {found}, and it should be {wanted}.")


async def until(
    what: str, condition: Callable[[], bool | Awaitable[bool]], check: Callable[[], None], timeout_s: float = PATIENCE_S
) -> None:
    """Wait until a condition holds, checking on everything else meanwhile; raises `AmissError` when time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        check()
        answer = condition()
        if await answer if inspect.isawaitable(answer) else answer:
            return
        if time.monotonic() > deadline:
            raise AmissError(f"{what}: not within {timeout_s:.0f} s.")
        await asyncio.sleep(_PAUSE_S)


def rupiah(amount: str | int) -> str:
    """An amount as people write it: whole rupiah from an exact decimal."""
    return f"Rp{Decimal(amount):,.0f}"


def decimal(rupiah_: int) -> str:
    """Whole rupiah as GraphQL shows them."""
    return f"{rupiah_}.00"
