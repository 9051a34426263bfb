"""Signs of life for everybody, by one timer."""

import asyncio
from dataclasses import dataclass

from gql.fanout.heartbeats import Heartbeats
from tests.waiting import eventually


@dataclass(eq=False)
class Silent:
    """Counts its turns."""

    shown: int = 0

    def show_signs(self) -> None:
        self.shown += 1


async def test_all_have_their_turn_again_and_again() -> None:
    beats, many = Heartbeats(lambda: 0.012), [Silent() for _ in range(30)]
    for each in many:
        beats.join(each)
        await asyncio.sleep(0)
    await eventually(lambda: min(each.shown for each in many) >= 3)
    assert max(each.shown for each in many) - min(each.shown for each in many) <= 1


async def test_who_has_left_has_no_turn() -> None:
    beats, stays, leaves = Heartbeats(lambda: 0.012), Silent(), Silent()
    turns = beats.join(stays), beats.join(leaves)
    beats.leave(leaves, turns[1])
    await eventually(lambda: stays.shown >= 2)
    assert leaves.shown == 0


async def test_nothing_ticks_where_nobody_is() -> None:
    beats, silent = Heartbeats(lambda: 0.012), Silent()
    beats.leave(silent, beats.join(silent))
    await eventually(lambda: not beats.ticks)
    beats.join(silent)
    assert beats.ticks
    await eventually(lambda: silent.shown >= 1)


async def test_the_first_turn_comes_after_the_full_time() -> None:
    loop = asyncio.get_running_loop()
    beats, silent, began = Heartbeats(lambda: 0.24), Silent(), loop.time()
    for _ in range(3):
        beats.leave(silent, beats.join(silent))
    beats.join(silent)
    await eventually(lambda: silent.shown == 1)
    assert loop.time() - began > 0.2
