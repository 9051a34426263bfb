"""Quotas in memory: every take is remembered, and forgotten when the window has passed it."""

import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

from domain.clock import Clock, system_clock
from domain.quotas import Quota, Taken, changed_quotas

SECOND = timedelta(seconds=1)

HIGH = (
    "requests_of_address=1000000/60,requests_of_person=1000000/60,cost_of_person=999999999/60,deposit=1000000/3600,"
    "requests_of_overlay=1000000/60,overlay_test=1000000/60"
)
"""The setting of those whose tests ask more often than people do."""
HIGH_QUOTAS = changed_quotas(HIGH)


class FakeQuotas:
    """`domain.quotas.Quotas` for one process. `changed` has quotas with other numbers than usual, by name."""

    def __init__(self, clock: Clock = system_clock, changed: Mapping[str, Quota] | None = None) -> None:
        self.changed = dict(changed or {})
        self._clock = clock
        self._taken = defaultdict[tuple[str, ...], list[datetime]](list)

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        return self._judge(quota, subject, cost, counting=True)

    async def left(self, quota: Quota, *subject: str) -> Taken:
        return self._judge(quota, subject, 1, counting=False)

    async def forget(self, quota: Quota, *subject: str) -> None:
        self._taken.pop((quota.name, *subject), None)

    def _judge(self, quota: Quota, subject: tuple[str, ...], cost: int, *, counting: bool) -> Taken:
        quota, now = self.changed.get(quota.name, quota), self._clock()
        taken = [at for at in self._taken[quota.name, *subject] if at > now - quota.window]
        left = quota.times - len(taken)
        if cost <= left:
            taken += [now] * (cost if counting else 0)
            self._taken[quota.name, *subject] = taken
            return Taken(allowed=True, quota=quota, remaining=quota.times - len(taken), retry_after_s=0)
        oldest = taken[min(cost - left, len(taken)) - 1] if taken else now
        wait = max(1, math.ceil((oldest + quota.window - now) / SECOND))
        return Taken(allowed=False, quota=quota, remaining=left, retry_after_s=wait)
