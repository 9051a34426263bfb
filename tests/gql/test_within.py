"""Work that is done in time, at once or not, and work that is not."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from gql.deadlines import TooLateError, within


class Works:
    """Notes what becomes of work."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def at_once(self) -> str:
        """Waits for nothing."""
        return "done"

    async def after_others(self) -> str:
        """Waits, for one turn of the loop at a time."""
        for _ in range(3):
            await asyncio.sleep(0)
        return "done"

    async def for_ever(self) -> str:
        """Waits for what does not come."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.told.append("stopped")
            raise
        return "done"

    async def in_a_group(self) -> str:
        """Waits for others that wait."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.for_ever())
            group.create_task(self.for_ever())
        return "done"

    async def stubbornly(self) -> str:
        """Is stopped, and tidies up before it is."""
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.told.append("tidied up")
        return "done"

    async def wrongly(self, *, later: bool) -> str:
        """Fails."""
        if later:
            await asyncio.sleep(0)
        raise LookupError("no such thing")


@pytest.mark.parametrize("name", ["at_once", "after_others"])
async def test_what_is_done_in_time_is_answered(name: str) -> None:
    assert await within(5, getattr(Works(), name)()) == "done"


async def test_a_future_is_work_too() -> None:
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, "done")
    assert await within(5, future) == "done"


@pytest.mark.parametrize(
    ("name", "told"), [("for_ever", ["stopped"]), ("in_a_group", ["stopped"] * 2), ("stubbornly", ["tidied up"])]
)
async def test_what_takes_too_long_is_stopped(name: str, told: list[str]) -> None:
    works = Works()
    with pytest.raises(TooLateError):
        await within(0.01, getattr(works, name)())
    assert works.told == told


@pytest.mark.parametrize("later", [False, True])
async def test_what_fails_fails_as_it_did(later: bool) -> None:
    with pytest.raises(LookupError, match="no such thing"):
        await within(5, Works().wrongly(later=later))


async def test_a_time_out_of_the_works_own_is_not_ours() -> None:
    async def impatient() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await within(5, impatient())


async def test_who_is_cancelled_from_outside_stops_the_work() -> None:
    works = Works()
    task = asyncio.create_task(_waiting(works.for_ever()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert works.told == ["stopped"]


async def _waiting(work: Awaitable[Any]) -> Any:
    return await within(5, work)
