"""Takes quotas that count everything ahead of need: a busy caller costs a round trip for many requests, not for each.

Who took so much within the last second takes as much again at once, two in a hundred of the quota at most, and spends
it from memory for the next second. What is not spent by then is lost to the caller: a quota never lets more pass than
it says, and may let a little less. All other quotas are counted one by one.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


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
        async with reserve.lock:  # who comes meanwhile finds what the first has fetched
            return self._spend(reserve, cost) or await self._fetch(reserve, quota, subject, cost)

    async def left(self, quota: Quota, *subject: str) -> Taken:
        """What is left, what was taken ahead among it, counting nothing."""
        known = await self._quotas.left(quota, *subject)
        reserve = self._reserves.get((quota.name, *subject))
        ahead = reserve.left if reserve is not None and self._time() < reserve.until else 0
        return replace(known, remaining=known.remaining + ahead, allowed=known.allowed or ahead > 0)

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

    def _spend(self, reserve: _Reserve, cost: int) -> Taken | None:
        """Take from what was taken ahead; None if that is not enough, or too old."""
        if reserve.left < cost or self._time() >= reserve.until:
            return None
        reserve.left -= cost
        reserve.spent += cost
        known = reserve.taken
        return Taken(known.allowed, known.quota, known.remaining + reserve.left, known.retry_after_s)

    async def _fetch(self, reserve: _Reserve, quota: Quota, subject: tuple[str, ...], cost: int) -> Taken:
        """Take what is needed now, and ahead of it as much as went lately."""
        lately = reserve.spent if self._time() < reserve.until + LIFE_S else 0
        ahead = min(lately, reserve.taken.quota.times // _PART)
        taken = await self._quotas.take(quota, *subject, cost=cost + ahead)
        if not taken.allowed and ahead:
            ahead, taken = 0, await self._quotas.take(quota, *subject, cost=cost)
        reserve.taken, reserve.left = taken, ahead if taken.allowed else 0
        reserve.spent, reserve.until = cost, self._time() + LIFE_S
        return replace(taken, remaining=taken.remaining + reserve.left)
