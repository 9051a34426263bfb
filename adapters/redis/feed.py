"""Listening to topics: one Redis reader for a whole process, however many listen.

A listener is told the newest number of its topic, or 0: look for yourself. What it has not fetched yet is one number at
most, so that a slow listener costs nothing and sees the latest. While Redis is away everybody is told 0 about once a
second, and so goes on by asking PostgreSQL.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from adapters.redis.streams import connect, heeding, number_of

LOOK = 0
"""Told instead of a number: the feed may have missed some, look for yourself."""

READER = "gametriggers-feed"
"""How the reader's name begins in the server's list of clients."""

_BLOCK_S = 2.0
_ANSWER_S = 2.0
_CONNECT_S = 1.0
_AWAY_S = 1.0
_WAKE_KEPT_S = 60
_log = structlog.get_logger(__name__)


class _Listener:
    """Holds what one listener has not fetched yet. LOOK stands for every number before it is fetched."""

    def __init__(self) -> None:
        self._untold: int | None = None
        self._ready = asyncio.Event()
        self._ended = False

    def tell(self, number: int) -> None:
        """Something new up to `number`."""
        self._untold = LOOK if LOOK in {number, self._untold} else max(number, self._untold or 0)
        self._ready.set()

    def end(self) -> None:
        """Nothing more will come."""
        self._ended = True
        self._ready.set()

    async def next(self) -> int | None:
        """What is new; None at the end."""
        await self._ready.wait()
        if self._ended:
            return None
        self._ready.clear()
        number, self._untold = self._untold, None
        return number


class Feed:
    """`domain.ledger.ports.Feed` on Redis Streams. Use it within `async with Feed(redis_url).running() as feed`."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._listeners: dict[str, set[_Listener]] = {}
        self._places: dict[str, str] = {}
        self._wake_stream = f"feed:{secrets.token_hex(8)}"
        self._wake = asyncio.Event()
        self._running = False
        self._away = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Feed"]:
        """Read while the block lasts; at its end every listener ends."""
        answer_s = _BLOCK_S + _ANSWER_S
        async with (
            connect(self._url, READER, connect_s=_CONNECT_S, answer_s=answer_s) as reader,
            connect(self._url, f"{READER}-waker", connect_s=_CONNECT_S, answer_s=_ANSWER_S) as waker,
        ):
            self._running = True
            tasks = [asyncio.create_task(self._read_on(reader)), asyncio.create_task(self._wake_on(waker))]
            try:
                yield self
            finally:
                self._running = False
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for listener in self._everybody():
                    listener.end()

    async def listen(self, *topics: str) -> AsyncGenerator[int, None]:
        """Numbers published on topics from now on, and a 0 as soon as nothing more of one of them can be missed.

        Of a single topic the 0 comes first of all. It ends with the feed. Raises RuntimeError outside of `running`.
        """
        if not self._running:
            raise RuntimeError("nobody reads the feed: `async with feed.running()`")
        listener = _Listener()
        for topic in topics:
            self._listeners.setdefault(topic, set()).add(listener)
        if self._away or self._places.keys() >= set(topics):
            listener.tell(LOOK)
        else:
            self._wake.set()
        try:
            while (number := await listener.next()) is not None:
                yield number
        finally:
            for topic in topics:
                listeners = self._listeners[topic]
                listeners.discard(listener)
                if not listeners:
                    del self._listeners[topic]

    def _everybody(self) -> list[_Listener]:
        return [listener for listeners in self._listeners.values() for listener in listeners]

    def _tell(self, topic: str, number: int) -> None:
        for listener in self._listeners.get(topic, ()):
            listener.tell(number)

    async def _read_on(self, redis: Redis) -> None:
        """Read for ever. Whatever goes wrong with Redis, listeners are told to look for themselves meanwhile."""
        while True:
            try:
                await self._read(redis)
            except (RedisError, OSError, TimeoutError) as error:
                if not self._away:
                    _log.warning("feed_lost_redis", error=repr(error))
            self._away = True
            self._places.clear()
            for listener in self._everybody():
                listener.tell(LOOK)
            await asyncio.sleep(_AWAY_S)

    async def _read(self, redis: Redis) -> None:
        session = f"{READER}-{secrets.token_hex(4)}"
        await heeding(redis.client_setname(session))
        wake_place = "0-0"
        while True:
            await self._take_places(redis, session)
            streams: dict[Any, Any] = {self._wake_stream: wake_place, **self._places}
            pipeline = redis.pipeline(transaction=False)
            pipeline.client_getname()
            pipeline.xread(streams, block=int(_BLOCK_S * 1000))
            (news,) = await _answers(pipeline, session)
            for topic, entries in news.items():
                place = entries[-1][0]
                if topic == self._wake_stream:
                    wake_place = place
                elif topic in self._places:
                    self._places[topic] = place
                    self._tell(topic, number_of(place))

    async def _take_places(self, redis: Redis, session: str) -> None:
        """Follow who came and went: a new topic is read from its present end on, and its listeners may look now."""
        for topic in self._places.keys() - self._listeners.keys():
            del self._places[topic]
        fresh = list(self._listeners.keys() - self._places.keys())
        if fresh:
            pipeline = redis.pipeline(transaction=False)
            pipeline.client_getname()
            for topic in fresh:
                pipeline.xrevrange(topic, count=1)
            for topic, end in zip(fresh, await _answers(pipeline, session), strict=True):
                self._places[topic] = end[0][0] if end else "0-0"
                self._tell(topic, LOOK)
        if self._away:
            _log.info("feed_reads_again")
            self._away = False

    async def _wake_on(self, redis: Redis) -> None:
        """End the reader's wait whenever somebody listens to a new topic. If that fails, the wait ends by itself."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            with suppress(RedisError, OSError, TimeoutError):
                pipeline = redis.pipeline(transaction=False)
                pipeline.xadd(self._wake_stream, {"wake": ""}, maxlen=1, approximate=False)
                pipeline.expire(self._wake_stream, _WAKE_KEPT_S)
                await heeding(pipeline.execute())


async def _answers(pipeline: Pipeline, session: str) -> list[Any]:
    """What a pipeline that asks for the connection's name first answers to the rest.

    Raises `ConnectionError` if the client has reconnected in silence: the server may have lost numbers in between.
    """
    name, *answers = await heeding(pipeline.execute())
    if name != session:
        raise RedisConnectionError("the connection was replaced between two reads")
    return answers
