"""Quotas taken ahead of need: fewer questions, and never more passes than the quota lets."""

import asyncio
from collections import Counter
from datetime import timedelta

from adapters.redis.quotas import RedisQuotas
from adapters.redis.reserves import LIFE_S, MOST, ReservedQuotas
from domain.quotas import Quota, Taken
from tests.fake_quotas import FakeQuotas
from tests.servers import Valkey
from tests.waiting import eventually

LARGE = Quota("requests_of_person", 1_000, timedelta(minutes=1), counts_everything=True)
SMALL = Quota("sign_in_of_address", 1_000, timedelta(minutes=1))


class Counting(FakeQuotas):
    """Quotas in memory that know how often they were asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        self.asked += 1
        await asyncio.sleep(0)
        return await super().take(quota, *subject, cost=cost)


class Slow(Counting):
    """Quotas that answer when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        self.asked += 1
        await self.goes_on.wait()
        return await FakeQuotas.take(self, quota, *subject, cost=cost)


class Hands:
    """A clock in seconds that is turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Busy(Counting):
    """Quotas whose answers are heard of much later than they come."""

    def __init__(self, hands: Hands) -> None:
        super().__init__()
        self.hands = hands

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        taken = await super().take(quota, *subject, cost=cost)
        asyncio.get_running_loop().call_soon(self._let_time_pass)
        return taken

    def _let_time_pass(self) -> None:
        self.hands.now += 2 * LIFE_S


async def test_who_is_busy_is_asked_for_seldom() -> None:
    below, hands = Counting(), Hands()
    quotas = ReservedQuotas(below, hands)
    for _ in range(600):
        hands.now += 0.001
        assert (await quotas.take(LARGE, "me")).allowed
    assert below.asked < 50


async def test_what_is_not_known_to_count_everything_is_counted_one_by_one() -> None:
    below = Counting()
    quotas = ReservedQuotas(below)
    for _ in range(100):
        await quotas.take(SMALL, "me")
    assert below.asked == 100


async def test_exactly_so_many_pass_where_nothing_lapses() -> None:
    quotas = ReservedQuotas(FakeQuotas(), Hands())
    passed = [(await quotas.take(LARGE, "me")).allowed for _ in range(1_200)]
    assert Counter(passed) == {True: 1_000, False: 200}


async def test_those_who_come_together_ask_once() -> None:
    below = Counting()
    quotas = ReservedQuotas(below, Hands())
    for _ in range(5):
        await asyncio.gather(*(quotas.take(LARGE, "me") for _ in range(20)))
    assert below.asked < 20


async def test_a_crowd_that_waits_is_asked_for_at_once() -> None:
    below = Counting()
    quotas = ReservedQuotas(below, Hands())
    taken = await asyncio.gather(*(quotas.take(LARGE, "us") for _ in range(500)))
    assert below.asked <= 2
    assert sorted(each.remaining for each in taken) == list(range(500, 1_000))


async def test_what_a_crowd_waits_for_does_not_lapse_while_the_process_is_busy() -> None:
    hands = Hands()
    below = Busy(hands)
    quotas = ReservedQuotas(below, hands)
    taken = await asyncio.gather(*(quotas.take(LARGE, "us") for _ in range(100)))
    assert all(each.allowed for each in taken)
    assert below.asked == 2


async def test_more_than_are_left_are_let_through_to_the_last_and_no_further() -> None:
    quotas = ReservedQuotas(Counting(), Hands())
    taken = await asyncio.gather(*(quotas.take(LARGE, "us") for _ in range(1_200)))
    assert Counter(each.allowed for each in taken) == {True: 1_000, False: 200}


async def test_who_leaves_while_fetching_holds_nobody_up() -> None:
    below = Slow()
    quotas = ReservedQuotas(below, Hands())
    takers = [asyncio.create_task(quotas.take(LARGE, "us")) for _ in range(3)]
    await eventually(lambda: below.asked == 1)
    takers[0].cancel()
    below.goes_on.set()
    assert [taken.allowed for taken in await asyncio.gather(*takers[1:])] == [True, True]
    assert (await quotas.left(LARGE, "us")).remaining == 998


async def test_what_was_taken_ahead_lapses_and_is_not_passed_twice() -> None:
    below, hands = Counting(), Hands()
    quotas = ReservedQuotas(below, hands)
    for _ in range(40):
        await quotas.take(LARGE, "me")
    asked = below.asked
    hands.now += LIFE_S
    taken = await quotas.take(LARGE, "me")
    assert below.asked == asked + 1
    hands.now += 3 * LIFE_S
    assert (await quotas.take(LARGE, "me")).remaining <= taken.remaining - 1


async def test_what_is_left_is_told_with_what_was_taken_ahead() -> None:
    quotas = ReservedQuotas(FakeQuotas(), Hands())
    left = [(await quotas.take(LARGE, "me")).remaining for _ in range(300)]
    assert left == list(range(999, 699, -1))
    assert (await quotas.left(LARGE, "me")).remaining == 700


async def test_a_refusal_takes_nothing_ahead() -> None:
    quotas = ReservedQuotas(FakeQuotas(), Hands())
    while (await quotas.take(LARGE, "me")).allowed:
        pass
    refused = await quotas.take(LARGE, "me")
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.retry_after_s > 0


async def test_who_is_forgotten_begins_anew() -> None:
    quotas = ReservedQuotas(FakeQuotas(), Hands())
    for _ in range(500):
        await quotas.take(LARGE, "me")
    await quotas.forget(LARGE, "me")
    assert (await quotas.take(LARGE, "me")).remaining == 999


async def test_callers_without_end_take_no_memory_without_end() -> None:
    quotas = ReservedQuotas(FakeQuotas(), Hands())
    for number in range(MOST + 100):
        await quotas.take(LARGE, str(number))
    assert len(quotas) == MOST


async def test_processes_together_let_no_more_pass(valkey: Valkey) -> None:
    async with (
        RedisQuotas(valkey.url, b"key", {}, {}).running() as one,
        RedisQuotas(valkey.url, b"key", {}, {}).running() as other,
    ):
        processes = [ReservedQuotas(one), ReservedQuotas(other)]
        taken = await asyncio.gather(*(processes[n % 2].take(LARGE, "me") for n in range(1_500)))
        assert 1_000 - 2 * (LARGE.times // 50) <= sum(each.allowed for each in taken) <= 1_000
