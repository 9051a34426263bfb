"""How long an operation may take, and what becomes of it then.

A query that takes too long is stopped with everything that it waits for. A change is never torn: who waits too long for
it is told so, and it goes on as if they still waited. Whoever sends it again under the same key learns what came of it.
"""

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar, cast

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


class TooLateError(Exception):
    """Work was not done in time, and was cancelled."""


async def within(seconds: float, work: Awaitable[Done]) -> Done:
    """What the work comes to, if it does so in time; if not, it is cancelled. Raises `TooLateError`.

    No clock is set for work that is done at once, as most is: a body that is here already, a query of what is known.
    """
    steps = work.__await__()
    try:
        awaited = next(steps)
    except StopIteration as done:
        return cast("Done", done.value)
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await _Rest(steps, awaited)
    except TimeoutError:
        if not limit.expired():
            raise
    raise TooLateError


class _Rest(Awaitable[Done]):
    """What is left of work that has begun, and waits for something."""

    def __init__(self, steps: Generator[Any, Any, Done], awaited: Any) -> None:
        self._steps, self._awaited = steps, awaited

    def __await__(self) -> Generator[Any, Any, Done]:
        """Go on with it, and hand it whatever it is woken by."""
        try:
            while True:
                try:
                    woken_by = yield self._awaited
                except BaseException as error:  # noqa: BLE001 - the work decides what to make of it
                    self._awaited = self._steps.throw(error)
                else:
                    self._awaited = self._steps.send(woken_by)
        except StopIteration as done:
            return cast("Done", done.value)


async def stopped_after(seconds: float, work: Awaitable[Done]) -> Done:
    """What the work comes to, if it does so in time; if not, it is cancelled. Raises `TimedOutError`."""
    try:
        return await within(seconds, work)
    except TooLateError:
        message = f"It took longer than {seconds:g} s, and was stopped. Try again in a moment, or ask for less."
    raise TimedOutError(message)


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
