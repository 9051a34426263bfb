"""Quotas counted in Redis, by the sliding windows of `limits`, so that all processes share them.

Few tries are kept one by one and counted exactly; of many, two counters stand for the window, the older one weighted by
how much of it the window still covers: the same cost however many. Looking and counting is one script on the server,
so no race lets one more pass.

While Redis does not answer, what is not money is open, at no cost: a caller waits for nothing but the first failure,
and one task alone looks whether it has come back. Money is counted by what PostgreSQL knows.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TypeVar

import structlog
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter, SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from adapters.redis.streams import connect, heeding
from domain.clock import Clock, system_clock
from domain.errors import UnavailableError
from domain.quotas import Quota, Taken

T = TypeVar("T")

CountKnown = Callable[[Sequence[str], datetime, int], Awaitable[Sequence[datetime]]]
"""When something was done last by a subject, after a moment and newest first, so many times at most: what PostgreSQL
knows."""

ANSWER_S = 0.2
"""Longest wait for Redis, with everything that one question takes, while this process is not busy itself."""

_LOOKS = 40
"""At the least; connecting alone takes a dozen."""
_SOCKET_S = 2.0
_AWAY_S = 1.0
_MOST_COUNTED_ONE_BY_ONE = 50
_AT_ONCE = 8
_KEY_BYTES = 16
_FAILURES = (RedisError, OSError, TimeoutError)

_log = structlog.get_logger(__name__)


class RedisQuotas:
    """`domain.quotas.Quotas`. Use it within `async with RedisQuotas(...).running() as quotas`.

    `key` keeps addresses and names out of Redis: subjects are kept as its digests. `changed` are quotas whose numbers
    are others than usual, by name, and `known` counts those of money while Redis is away.
    """

    def __init__(
        self,
        redis_url: str,
        key: bytes,
        changed: Mapping[str, Quota],
        known: Mapping[str, CountKnown],
        clock: Clock = system_clock,
    ) -> None:
        self._key, self._changed, self._known, self._clock = key, changed, known, clock
        self._redis = connect(redis_url, "gametriggers-quotas", connect_s=_SOCKET_S, answer_s=_SOCKET_S)
        storage = RedisStorage(
            "async+redis://",  # the pool alone knows where
            implementation="redispy",
            key_prefix="quota",
            connection_pool=self._redis.connection_pool,  # type: ignore[arg-type] # options are hinted as plain values
        )
        self._few, self._many = MovingWindowRateLimiter(storage), SlidingWindowCounterRateLimiter(storage)
        self._storage = storage
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._away: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["RedisQuotas"]:
        """Count while the block lasts."""
        async with self._redis:
            try:
                yield self
            finally:
                if self._away is not None:
                    self._away.cancel()
                    await asyncio.gather(self._away, return_exceptions=True)

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        """Count one more for a subject; nothing is counted when refused.

        Raises `UnavailableError` for a quota of money that cannot be counted anywhere at the moment.
        """
        quota = self._changed.get(quota.name, quota)
        taken = await self._ask(lambda: self._take(quota, self._digest(subject), cost))
        return taken or await self._without_redis(quota, subject, cost)

    async def left(self, quota: Quota, *subject: str) -> Taken:
        """What is left, counting nothing. Raises as `take` does."""
        quota = self._changed.get(quota.name, quota)
        item, hashed = _item(quota), self._digest(subject)
        found = await self._ask(lambda: self._look(item, hashed, 1))
        if found is None:
            return await self._without_redis(quota, subject, 1, counting=False)
        return Taken(found[0] > 0, quota, found[0], 0 if found[0] else found[1])

    async def forget(self, quota: Quota, *subject: str) -> None:
        """Begin anew for a subject; what PostgreSQL knows stays as it is."""
        quota = self._changed.get(quota.name, quota)
        strategy = self._few if _is_few(quota.times) else self._many
        await self._ask(lambda: strategy.clear(_item(quota), self._digest(subject)))

    async def _take(self, quota: Quota, hashed: str, cost: int) -> Taken:
        item = _item(quota)
        strategy = self._few if _is_few(quota.times) else self._many
        allowed = await strategy.hit(item, hashed, cost=cost)
        remaining, retry_after_s = await self._look(item, hashed, cost)
        return Taken(allowed, quota, remaining, 0 if allowed else retry_after_s)

    async def _look(self, item: RateLimitItem, hashed: str, cost: int) -> tuple[int, int]:
        """How many more may be, and after how many seconds `cost` more may be, 1 at least."""
        if _is_few(item.amount):
            reset_at, remaining = await self._few.get_window_stats(item, hashed)
            return max(remaining, 0), _seconds(reset_at - time.time())
        window = item.get_expiry()
        earlier, earlier_s, counted, counted_s = await self._storage.get_sliding_window(item.key_for(hashed), window)
        remaining = item.amount - counted - math.floor(earlier * earlier_s / window)
        wait = _until(item.amount - counted - cost, earlier, earlier_s, window)
        if wait is None:  # not before this window is the earlier one
            wait = counted_s - window + (_until(item.amount - cost, counted, window, window) or 0.0)
        return max(remaining, 0), _seconds(wait)

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """What Redis answers; None while it does not. Few ask at once, so that a rush is not taken for its end."""
        async with self._room:
            if self._away is not None:
                return None
            try:
                return await _patiently(question())
            except _FAILURES as error:
                if self._away is None:
                    _log.warning("quotas_lost_redis", error=repr(error))
                    self._away = asyncio.create_task(self._wait_for_redis(), context=Context())  # no request's
                return None

    async def _wait_for_redis(self) -> None:
        while True:
            try:
                await _patiently(self._redis.ping())
                break
            except _FAILURES:
                await asyncio.sleep(_AWAY_S)
        self._away = None
        _log.info("quotas_count_again")

    async def _without_redis(self, quota: Quota, subject: Sequence[str], cost: int, *, counting: bool = True) -> Taken:
        if not quota.counts_money:
            return Taken(allowed=True, quota=quota, remaining=quota.times, retry_after_s=0)
        count = self._known.get(quota.name)
        if count is None:
            raise UnavailableError(f"nothing but Redis counts {quota.name}")
        now = self._clock()
        done = await count(subject, now - quota.window, quota.times)
        left = quota.times - len(done)
        if cost <= left:
            return Taken(allowed=True, quota=quota, remaining=left - cost * counting, retry_after_s=0)
        in_the_way = done[max(quota.times - cost, 0) :]
        frees = (in_the_way[0] if in_the_way else now) + quota.window - now
        return Taken(allowed=False, quota=quota, remaining=left, retry_after_s=_seconds(frees.total_seconds()))

    def _digest(self, subject: Sequence[str]) -> str:
        parts = b"".join(len(part).to_bytes(4) + part for part in (text.encode() for text in subject))
        return blake2b(parts, digest_size=_KEY_BYTES, key=self._key).hexdigest()


async def _patiently(call: Awaitable[T]) -> T:
    """Wait for a call as long as `ANSWER_S`. Raises TimeoutError.

    Time alone would not do: while a rush keeps the loop busy, answers that have come lie unread, and whoever makes the
    rush would open all quotas. So the end comes only after the loop has looked for answers as often as is fair.
    """
    task = asyncio.ensure_future(heeding(call))
    try:
        for _ in range(_LOOKS):
            done, _pending = await asyncio.wait({task}, timeout=ANSWER_S / _LOOKS)
            if done:
                return task.result()
        raise TimeoutError
    finally:
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def _item(quota: Quota) -> RateLimitItem:
    seconds = max(1, math.ceil(quota.window / timedelta(seconds=1)))
    return RateLimitItemPerSecond(quota.times, seconds, namespace=quota.name)


def _is_few(times: int) -> bool:
    return times <= _MOST_COUNTED_ONE_BY_ONE


def _until(room: int, fading: int, fading_s: float, window: float) -> float | None:
    """Seconds until a counter that fades within a window is no more than `room`; None if no fading is enough."""
    if room < 0:
        return None
    if fading * fading_s < (room + 1) * window:
        return 0.0
    return fading_s - window * (room + 1) / fading


def _seconds(wait: float) -> int:
    return max(1, math.ceil(wait))
