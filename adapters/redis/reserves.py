"""Takes quotas that count everything ahead of need: a busy caller costs a round trip for many requests, not for each.

Who took so much within the last second takes as much again at once, two in a hundred of the quota at most, and spends
it from memory for the next second. What is not spent by then is lost to the caller: a quota never lets more pass than
it says, and may let a little less. Who asks while there is a question on its way waits for its answer, and the next one
asks for all who then wait: a crowd behind one address, back after a restart, is through after two. All other quotas are
counted one by one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from domain.quotas import Quota, Quotas, Taken

LIFE_S = 1.0
MOST = 10_000
"""Callers that are remembered; who is forgotten takes one by one again."""

_PART = 50
"""This part of a quota at most is taken ahead."""


@dataclass(slots=True)
class _Reserve:
    """What a caller has taken ahead."""

    taken: Taken
    left: int = 0
    spent: int = 0
    until: float = 0.0
    wanted: int = 0
    """What those want together who are waiting."""
    on_its_way: asyncio.Event | None = None
    """Is set when the answer has come."""


class ReservedQuotas:
    """`domain.quotas.Quotas` over others."""

    def __init__(self, quotas: Quotas, time: Callable[[], float] = monotonic) -> None:
        self._quotas, self._time = quotas, time
        self._reserves: OrderedDict[tuple[str, ...], _Reserve] = OrderedDict()

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        """Count one more for a subject. Raises as the quotas below do."""
        if not quota.counts_everything:
            return await self._quotas.take(quota, *subject, cost=cost)
        reserve = self._of(quota, subject)
        if (spent := self._spend(reserve, cost)) is not None:
            return spent
        reserve.wanted += cost
        try:
            return await self._wait(reserve, quota, subject, cost)
        finally:
            reserve.wanted -= cost

    async def left(self, quota: Quota, *subject: str) -> Taken:
        """What is left, what was taken ahead among it, counting nothing."""
        known = await self._quotas.left(quota, *subject)
        reserve = self._reserves.get((quota.name, *subject))
        ahead = reserve.left if reserve is not None and self._time() < reserve.until else 0
        return known._replace(remaining=known.remaining + ahead, allowed=known.allowed or ahead > 0)

    async def forget(self, quota: Quota, *subject: str) -> None:
        """Begin anew for a subject."""
        self._reserves.pop((quota.name, *subject), None)
        await self._quotas.forget(quota, *subject)

    def __len__(self) -> int:
        """How many callers are remembered."""
        return len(self._reserves)

    def _of(self, quota: Quota, subject: tuple[str, ...]) -> _Reserve:
        key = (quota.name, *subject)
        reserve = self._reserves.get(key)
        if reserve is None:
            reserve = self._reserves[key] = _Reserve(Taken(True, quota, quota.times, 0))  # noqa: FBT003 - as it stands there
            if len(self._reserves) > MOST:
                self._reserves.popitem(last=False)
        self._reserves.move_to_end(key)
        return reserve

    def _spend(self, reserve: _Reserve, cost: int, *, fetched_for_us: bool = False) -> Taken | None:
        """Take from what was taken ahead; None if that is not enough, or too old.

        What was fetched for those who wait is not too old for them, however late a busy process lets them have it.
        """
        if reserve.left < cost or not (fetched_for_us or self._time() < reserve.until):
            return None
        reserve.left -= cost
        reserve.spent += cost
        known = reserve.taken
        return Taken(known.allowed, known.quota, known.remaining + reserve.left, known.retry_after_s)

    async def _wait(self, reserve: _Reserve, quota: Quota, subject: tuple[str, ...], cost: int) -> Taken:
        """Take from what somebody else fetches, or fetch for all who wait. These wake at once, not one by one."""
        while reserve.on_its_way is not None:
            await reserve.on_its_way.wait()
            if (spent := self._spend(reserve, cost, fetched_for_us=True)) is not None:
                return spent
        answered = reserve.on_its_way = asyncio.Event()
        try:
            return await self._fetch(reserve, quota, subject, cost)
        finally:
            reserve.on_its_way = None
            answered.set()

    async def _fetch(self, reserve: _Reserve, quota: Quota, subject: tuple[str, ...], cost: int) -> Taken:
        """Take what is needed now, by others, too, or ahead of need as much as went lately."""
        lately = reserve.spent if self._time() < reserve.until + LIFE_S else 0
        ahead = max(reserve.wanted - cost, min(lately, reserve.taken.quota.times // _PART))
        taken = await self._quotas.take(quota, *subject, cost=cost + ahead)
        if not taken.allowed and ahead:
            ahead, taken = 0, await self._quotas.take(quota, *subject, cost=cost)
        reserve.taken, reserve.left = taken, ahead if taken.allowed else 0
        reserve.spent, reserve.until = cost, self._time() + LIFE_S
        return taken._replace(remaining=taken.remaining + reserve.left)
