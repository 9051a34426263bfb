"""Questions of many become one, and nobody is told less for it."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from adapters.postgres.gathering import AT_ONCE, Gathering
from tests.waiting import eventually

MOST = 100


class Shelf:
    """Finds the doubles of even numbers, as often and as late as the tests have it."""

    def __init__(self) -> None:
        self.looks: list[list[int]] = []
        self.given_up = 0
        self.fails = False
        self.free = asyncio.Event()
        self.free.set()

    async def has_begun(self, looks: int) -> None:
        await eventually(lambda: len(self.looks) == looks)

    async def look(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.looks.append(list(keys))
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.fails:
            raise ConnectionError("the shelf fell over")
        return {key: 2 * key for key in keys if key % 2 == 0}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def gathering(shelf: Shelf) -> Gathering[int, int]:
    return Gathering(shelf.look, MOST)


async def _busy(shelf: Shelf, gathering: Gathering[int, int]) -> list[asyncio.Task[Mapping[int, int]]]:
    """As many looks under way as may be."""
    shelf.free.clear()
    tasks = []
    for number in range(AT_ONCE):
        tasks.append(asyncio.create_task(gathering.find([-number])))
        await shelf.has_begun(number + 1)
    return tasks


async def test_those_who_ask_in_one_moment_look_once(shelf: Shelf, gathering: Gathering[int, int]) -> None:
    found = await asyncio.gather(*(gathering.find([number % 10]) for number in range(500)))
    assert shelf.looks == [list(range(10))]
    assert all(
        each.get(number % 10) == (None if number % 2 else 2 * (number % 10)) for number, each in enumerate(found)
    )


async def test_who_finds_everybody_looking_goes_with_the_next(shelf: Shelf, gathering: Gathering[int, int]) -> None:
    first = await _busy(shelf, gathering)
    later = [asyncio.create_task(gathering.find([number])) for number in range(10, 30)]
    await asyncio.sleep(0)
    shelf.free.set()
    await asyncio.gather(*first, *later)
    assert shelf.looks[AT_ONCE:] == [list(range(10, 30))]


async def test_nobody_is_told_what_was_true_before_they_asked(shelf: Shelf, gathering: Gathering[int, int]) -> None:
    first = await _busy(shelf, gathering)
    again = asyncio.create_task(gathering.find([0]))
    await asyncio.sleep(0)
    shelf.free.set()
    await asyncio.gather(*first, again)
    assert shelf.looks.count([0]) == 2


async def test_no_look_is_for_more_than_so_many(shelf: Shelf, gathering: Gathering[int, int]) -> None:
    await asyncio.gather(*(gathering.find([number]) for number in range(2 * MOST + 1)))
    assert [len(look) for look in shelf.looks] == [MOST, MOST, 1]


async def test_one_who_asks_for_more_is_answered_in_one_look(shelf: Shelf, gathering: Gathering[int, int]) -> None:
    await asyncio.gather(gathering.find([1]), gathering.find(range(3 * MOST)), gathering.find([2]))
    assert sorted(map(len, shelf.looks)) == [1, 1, 3 * MOST]


async def test_a_failure_is_told_to_all_who_shared_it_and_to_nobody_else(
    shelf: Shelf, gathering: Gathering[int, int]
) -> None:
    shelf.fails = True
    told = await asyncio.gather(*(gathering.find([number]) for number in range(5)), return_exceptions=True)
    assert [type(each) for each in told] == [ConnectionError] * 5
    shelf.fails = False
    assert await gathering.find([2]) == {2: 4}


async def test_a_look_goes_on_for_those_who_stay(shelf: Shelf, gathering: Gathering[int, int]) -> None:
    shelf.free.clear()
    leaves, stays = (asyncio.create_task(gathering.find([number])) for number in (2, 4))
    await eventually(lambda: shelf.looks)
    leaves.cancel()
    await asyncio.gather(leaves, return_exceptions=True)
    shelf.free.set()
    assert (await stays)[4] == 8
    assert shelf.given_up == 0


async def test_a_look_that_nobody_waits_for_is_given_up(shelf: Shelf, gathering: Gathering[int, int]) -> None:
    tasks = await _busy(shelf, gathering)
    tasks.append(asyncio.create_task(gathering.find([2])))  # its look has not begun
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await eventually(lambda: shelf.given_up == AT_ONCE)
    shelf.free.set()
    assert await gathering.find([4]) == {4: 8}
    assert shelf.looks[AT_ONCE:] == [[4]]
