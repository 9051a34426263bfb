"""The relay tells what has become durable: it numbers events and publishes topics' newest numbers to Redis Streams.

One process leads, by an advisory lock on a connection of its own; all numbering runs on that connection, so that a
leader that has lost the lock cannot number, and Redis refuses what it publishes late. PostgreSQL is the truth: while
Redis is away the relay waits, and what it has to tell shrinks to one number for each topic.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import structlog
from asyncpg import Connection
from prometheus_client import Gauge
from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.postgres.database import LOST, Database
from adapters.postgres.outbox import News, mark_published, number_events, unpublished_events
from adapters.postgres.tail import JournalTail
from adapters.reactor import USUAL, Patience, Reactor
from adapters.redis.streams import connect, publish

LEADER_LOCK = 0x52454C41
"""Key of the advisory lock that the leading relay holds."""

LEADS = Gauge("gametriggers_relay_leads", "1 in the process whose relay leads")
LAG = Gauge("gametriggers_relay_lag_seconds", "Age of the oldest row that the leading relay has not published yet")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the relay looks and gives up, in seconds but for `idle_session_ms`.

    A leader speaks to its connection at least once in `publish_s` + `retry_s`; silent for `idle_session_ms`, it is
    frozen and loses its lock. That and `follow_s` are what a take-over lasts at most: under 5 s.
    """

    idle_s: float = 0.05
    follow_s: float = 0.5
    publish_s: float = 2.0
    retry_s: float = 0.5
    save_s: float = 1.0
    idle_session_ms: int = 4000
    topics_at_once: int = 1000


STEADY = Pace()
"""The pace of production."""


class Relay:
    """Publishes, and runs reactions with `ports`. `stream_length` is about how many entries a stream keeps."""

    def __init__(
        self,
        database: Database,
        redis_url: str,
        ports: Any,
        *,
        stream_length: int = 1000,
        pace: Pace = STEADY,
        patience: Patience = USUAL,
    ) -> None:
        self._database, self._redis_url, self._length, self._pace = database, redis_url, stream_length, pace
        self._reactor = Reactor(database, ports, patience)

    async def run(self) -> None:
        """Lead or stand by, and react, until cancelled. Whatever fails is tried again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._reactor.run())
            tasks.create_task(self._stand())

    async def _stand(self) -> None:
        answer_s = self._pace.publish_s / 2
        async with connect(self._redis_url, "gametriggers-relay", connect_s=answer_s, answer_s=answer_s) as redis:
            while True:
                try:
                    await self._follow(redis)
                except LOST as error:
                    _log.warning("relay_lost_the_database", error=repr(error))
                finally:
                    LEADS.set(0)
                    LAG.set(0)
                await asyncio.sleep(self._pace.follow_s)

    async def _follow(self, redis: Redis) -> None:
        """Wait for the lock, then lead for as long as the connection lasts."""
        limit = str(self._pace.idle_session_ms)
        async with self._database.direct(
            application_name="gametriggers-relay", idle_session_timeout=limit, idle_in_transaction_session_timeout=limit
        ) as connection:
            await self._win(connection)
            _log.info("relay_leads")
            LEADS.set(1)
            leader = _Leader(connection, redis, self._reactor, self._length, self._pace)
            await leader.lead()

    async def _win(self, connection: Connection) -> None:
        while True:
            if await connection.fetchval("select pg_try_advisory_lock($1)", LEADER_LOCK):
                return
            await asyncio.sleep(self._pace.follow_s)


class _Leader:
    """One term of leadership. Everything it remembers ends with its connection."""

    def __init__(self, connection: Connection, redis: Redis, reactor: Reactor, length: int, pace: Pace) -> None:
        self._connection, self._redis, self._reactor = connection, redis, reactor
        self._length, self._pace = length, pace
        self._waiting: dict[str, int] = {}
        self._oldest: datetime | None = None
        self._save_at = 0.0
        self._redis_answers = True

    async def lead(self) -> None:
        """Look, publish, look again; until the connection is lost."""
        tail = await JournalTail.resume(self._connection)
        self._add(await unpublished_events(self._connection))
        numbered = bool(self._waiting)
        while True:
            self._add(await tail.read())
            events = await number_events(self._connection)
            if events.heads:
                self._add(events)
                self._reactor.wake()
                numbered = True
            had_work = bool(self._waiting)
            told = await self._publish()
            if not self._waiting:
                if numbered:
                    await mark_published(self._connection)
                    numbered = False
                await self._save(tail)
            self._measure()
            if not told:
                await asyncio.sleep(self._pace.retry_s)
            elif not had_work and not tail.full:
                await asyncio.sleep(self._pace.idle_s)

    def _add(self, news: News) -> None:
        self._waiting.update(news.heads)
        if news.oldest is not None and (self._oldest is None or news.oldest < self._oldest):
            self._oldest = news.oldest

    async def _publish(self) -> bool:
        """Publish some of what waits; False when Redis does not take it."""
        some = dict(islice(self._waiting.items(), self._pace.topics_at_once))
        if not some:
            return True
        try:
            async with asyncio.timeout(self._pace.publish_s):
                await publish(self._redis, some, self._length)
        except (RedisError, OSError, TimeoutError) as error:
            if self._redis_answers:
                _log.warning("relay_waits_for_redis", error=repr(error))
            self._redis_answers = False
            return False
        if not self._redis_answers:
            _log.info("relay_goes_on", topics=len(self._waiting))
        self._redis_answers = True
        for topic in some:
            del self._waiting[topic]
        if not self._waiting:
            self._oldest = None
        return True

    async def _save(self, tail: JournalTail) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._save_at:
            await tail.save()
            self._save_at = now + self._pace.save_s

    def _measure(self) -> None:
        LAG.set((datetime.now(UTC) - self._oldest).total_seconds() if self._oldest else 0)
