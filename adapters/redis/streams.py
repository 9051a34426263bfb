"""Redis Streams as a notice board: a topic's stream holds numbers, each as the id of an empty entry."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

T = TypeVar("T")

_NOT_ABOVE = "equal or smaller"
_KEPT_S = 3600
_ENTRY: dict[Any, Any] = {b"n": b""}


def connect(url: str, name: str, *, connect_s: float, answer_s: float) -> Redis:
    """A client that fails at once, for callers with a back-off of their own. `name` is shown in the server's lists."""
    return Redis.from_url(
        url,
        client_name=name,
        socket_connect_timeout=connect_s,
        socket_timeout=answer_s,
        retry=Retry(NoBackoff(), 0),
        legacy_responses=False,
        decode_responses=True,
    )


async def heeding(call: Awaitable[T]) -> T:
    """Await a call of the client and heed a cancellation of ours that it has swallowed.

    It sends with `asyncio.wait_for`, which before Python 3.12 drops a cancellation that comes just as it ends.
    """
    try:
        return await call
    finally:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError


async def publish(redis: Redis, heads: Mapping[str, int], length: int) -> int:
    """Publish the newest number of each topic; answers how many were news. Raises `RedisError` (OSError too).

    A number that is not above the stream's last one is refused by the server: it was published before, or whoever sends
    it has been deposed. Streams are trimmed to about `length` and forgotten after an hour without news.
    """
    pipeline = redis.pipeline(transaction=False)
    for topic, number in heads.items():
        pipeline.xadd(topic, _ENTRY, id=f"{number}-0", maxlen=length)
        pipeline.expire(topic, _KEPT_S)
    answers = (await heeding(pipeline.execute(raise_on_error=False)))[::2]
    failed = [answer for answer in answers if isinstance(answer, RedisError) and not _is_refusal(answer)]
    if failed:
        raise failed[0]
    return sum(not _is_refusal(answer) for answer in answers)


def number_of(entry_id: str) -> int:
    """The number that an entry was published under."""
    return int(entry_id.partition("-")[0])


def _is_refusal(answer: object) -> bool:
    return isinstance(answer, ResponseError) and _NOT_ABOVE in str(answer)
