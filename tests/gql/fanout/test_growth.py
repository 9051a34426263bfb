"""What a group keeps of the events that have passed: nothing."""

import asyncio
import gc
import tracemalloc
from pathlib import Path

from tests.fakes import somebody
from tests.gql.fanout.stage import LATELY, fan_house, listened_to

WARM, MEASURED = 300, 2_000


async def test_events_that_have_passed_leave_nothing(tmp_path: Path) -> None:
    async with fan_house(tmp_path) as house, house.conversation(somebody()) as socket:
        await socket.subscribe("1", LATELY)
        await listened_to(house, "rumours")
        await socket.data("1")

        async def events(first: int, count: int) -> int:
            for number in range(first, first + count):
                house.ports.feed.tell("rumours", number)
                assert (await socket.data("1"))["rumours"]["number"] == number
            gc.collect()
            await asyncio.sleep(0)
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            before = await events(1, WARM)
            after = await events(WARM + 1, MEASURED)
        finally:
            tracemalloc.stop()
        assert (after - before) / MEASURED < 60
