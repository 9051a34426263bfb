"""How long an operation may take, and what becomes of it then.

A query that takes too long is stopped with everything that it waits for. A change is never torn: who waits too long for
it is told so, and it goes on as if they still waited. Whoever sends it again under the same key learns what came of it.
"""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

import structlog

from gql.errors import ApiError

LONGEST_CHANGE_S = 120.0
"""After so long a change is stopped, too; what it waits for has given up long before, each by a time-out of its own."""

Done = TypeVar("Done")

_log = structlog.get_logger("gametriggers.graphql")


class TimedOutError(ApiError):
    """An operation took longer than it may."""

    code = "UNAVAILABLE"
    reason = "time"

    @property
    def extensions(self) -> dict[str, Any]:
        """With the word that says that it may be tried again."""
        return {**super().extensions, "retryable": True}


async def stopped_after(seconds: float, work: Awaitable[Done]) -> Done:
    """What the work comes to, if it does so in time; if not, it is cancelled. Raises `TimedOutError`."""
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
    raise TimedOutError(f"It took longer than {seconds:g} s, and was stopped. Try again in a moment, or ask for less.")


class Changes:
    """Changes that are being made, also those that nobody waits for any more."""

    def __init__(self) -> None:
        self._tasks = set[asyncio.Task[Any]]()

    def __len__(self) -> int:
        return len(self._tasks)

    async def made(self, seconds: float, work: Coroutine[Any, Any, Done]) -> Done:
        """What a change comes to, if it does so in time. Raises `TimedOutError` if not: then it goes on by itself.

        It goes on as well if whoever waits for it is cancelled.
        """
        task = asyncio.create_task(stopped_after(LONGEST_CHANGE_S, work))
        self._tasks.add(task)
        task.add_done_callback(self._over)
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
        raise TimedOutError(
            f"It takes longer than {seconds:g} s and goes on. Send the same request again in a moment, under the same"
            " key where it has one, to learn what came of it."
        )

    async def rest(self) -> None:
        """Wait until no change is being made."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("change_failed", exc_info=error)
