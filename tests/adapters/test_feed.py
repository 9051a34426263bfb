"""The feed on a real Valkey: registered before it says so, one reader for all, and never silent for ever."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import Any

import pytest
from redis.asyncio import Redis

from adapters.embedded.database import DatabaseAddresses
from adapters.embedded.valkey import EmbeddedValkey
from adapters.postgres.database import Database
from adapters.redis.feed import READER, Feed
from adapters.redis.streams import publish
from domain.ids import AccountId
from domain.ledger.ports import Feed as FeedPort
from domain.ledger.ports import wallet_topic
from tests.adapters.relaying import Wallets, newest, relaying
from tests.servers import Valkey
from tests.waiting import eventually


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url, decode_responses=True) as client:
        yield client


@pytest.fixture
async def feed(valkey: Valkey) -> AsyncIterator[Feed]:
    async with Feed(valkey.url).running() as feed:
        yield feed


async def told(listening: AsyncGenerator[int, None], within_s: float = 10) -> int:
    async with asyncio.timeout(within_s):
        return await anext(listening)


async def hears(listening: AsyncGenerator[int, None], redis: Redis, topic: str) -> None:
    """A 0 that is not fetched yet stands for the numbers after it, so that it may take two to hear one."""
    number = 7
    await publish(redis, {topic: number}, 1000)
    while not await told(listening):
        number += 1
        await publish(redis, {topic: number}, 1000)


async def readers(redis: Redis, db: int) -> list[Any]:
    clients: list[Any] = await redis.client_list()
    return [
        one for one in clients if one["name"].startswith(READER) and "waker" not in one["name"] and one["db"] == str(db)
    ]


def db_of(url: str) -> int:
    return int(url.rpartition("/")[2])


async def test_it_says_look_first_and_misses_nothing_from_then_on(feed: Feed, redis: Redis) -> None:
    port: FeedPort = feed
    assert port is feed
    await publish(redis, {"a": 4}, 1000)
    async with aclosing(feed.listen("a")) as listening:
        assert await told(listening) == 0
        for number in (5, 6, 9):
            await publish(redis, {"a": number}, 1000)
            assert await told(listening) == number


async def test_nothing_published_right_after_the_first_look_is_missed(feed: Feed, redis: Redis) -> None:
    for turn in range(50):
        async with aclosing(feed.listen(f"turn:{turn}")) as listening:
            assert await told(listening) == 0
            await publish(redis, {f"turn:{turn}": 1}, 1000)
            assert await told(listening, within_s=1.5) == 1


async def test_a_new_topic_does_not_wait_for_the_reader_to_come_round(feed: Feed, redis: Redis) -> None:
    async with aclosing(feed.listen("a")) as first, aclosing(feed.listen("b")) as second:
        assert await told(first) == 0
        assert await told(second, within_s=1) == 0


async def test_of_several_topics_each_is_heard_and_none_is_left_behind(feed: Feed, redis: Redis) -> None:
    async with aclosing(feed.listen("one")) as known, aclosing(feed.listen("one", "two", "three")) as listening:
        assert await told(known) == 0
        assert await told(listening) == 0
        for topic in ("two", "one", "three"):
            await hears(listening, redis, topic)
    assert feed._listeners == {}


async def test_a_slow_listener_is_told_the_newest_only(feed: Feed, redis: Redis) -> None:
    async with aclosing(feed.listen("slow")) as slow, aclosing(feed.listen("slow")) as quick:
        assert await told(slow) == 0
        assert await told(quick) == 0
        for number in range(1, 101):
            await publish(redis, {"slow": number}, 1000)
        while await told(quick) < 100:
            pass
        assert await told(slow) == 100


async def test_a_trimmed_stream_hides_nothing(feed: Feed, redis: Redis) -> None:
    async with aclosing(feed.listen("trimmed")) as listening:
        assert await told(listening) == 0
        for number in range(1, 501):
            await publish(redis, {"trimmed": number}, 1)
        await redis.xtrim("trimmed", maxlen=1, approximate=False)
        latest = 0
        while latest < 500:
            latest = await told(listening)


async def test_500_listeners_share_one_reader(feed: Feed, redis: Redis, valkey: Valkey) -> None:
    async with AsyncExitStack() as stack:
        listening = [await stack.enter_async_context(aclosing(feed.listen(f"t:{turn % 250}"))) for turn in range(500)]
        assert await asyncio.gather(*map(told, listening)) == [0] * 500
        (reader,) = await readers(redis, db_of(valkey.url))
        assert reader["cmd"] == "xread"
        await publish(redis, {f"t:{turn}": 1 for turn in range(250)}, 1000)
        assert await asyncio.gather(*map(told, listening)) == [1] * 500


async def test_a_listener_that_is_cancelled_leaves_nothing_behind(feed: Feed, redis: Redis) -> None:
    async def consume() -> None:
        async for _ in feed.listen("gone"):
            pass

    tasks = [asyncio.create_task(consume()) for _ in range(10)]
    await eventually(lambda: "gone" in feed._places)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not feed._listeners
    async with aclosing(feed.listen("other")) as listening:
        assert await told(listening) == 0
        assert feed._places.keys() == {"other"}


async def test_one_that_stops_does_not_stop_others_of_its_topic(feed: Feed, redis: Redis) -> None:
    async with aclosing(feed.listen("shared")) as stays:
        assert await told(stays) == 0
        async with aclosing(feed.listen("shared")) as goes:
            assert await told(goes) == 0
        await publish(redis, {"shared": 1}, 1000)
        assert await told(stays) == 1


async def test_listeners_end_with_the_feed(valkey: Valkey, redis: Redis) -> None:
    async with Feed(valkey.url).running() as feed:
        listening = feed.listen("a")
        assert await told(listening) == 0
    with pytest.raises(StopAsyncIteration):
        await told(listening)
    with pytest.raises(RuntimeError, match="nobody reads the feed"):
        await told(feed.listen("a"))
    assert not await readers(redis, db_of(valkey.url))


async def test_while_redis_is_away_listeners_are_told_to_look(own_valkey: EmbeddedValkey) -> None:
    async with Feed(own_valkey.url).running() as feed, aclosing(feed.listen("a")) as listening:
        assert await told(listening) == 0
        own_valkey.kill()
        for _ in range(3):
            assert await told(listening, within_s=5) == 0
        async with aclosing(feed.listen("b")) as newcomer:
            assert await told(newcomer, within_s=0.5) == 0
        for file in own_valkey.folder.glob("appendonlydir/*"):
            file.unlink()
        own_valkey.restart()
        await eventually(lambda: "a" in feed._places)
        async with Redis.from_url(own_valkey.url) as redis:
            await hears(listening, redis, "a")


async def test_a_redis_that_no_longer_answers_is_noticed(own_valkey: EmbeddedValkey) -> None:
    async with Feed(own_valkey.url).running() as feed, aclosing(feed.listen("a")) as listening:
        assert await told(listening) == 0
        os.kill(own_valkey.pid, signal.SIGSTOP)
        try:
            assert await told(listening, within_s=8) == 0
            assert await told(listening, within_s=8) == 0
        finally:
            os.kill(own_valkey.pid, signal.SIGCONT)


async def test_a_connection_that_was_replaced_unseen_is_a_reason_to_look(feed: Feed, redis: Redis) -> None:
    """As after a restart of Redis between two reads: numbers of that moment may be lost."""
    async with aclosing(feed.listen("a")) as listening:
        assert await told(listening) == 0
        await eventually(lambda: _blocked(redis))
        for client in await redis.client_list():
            if client["name"].startswith(READER):
                await redis.client_kill_filter(_id=client["id"])
        assert await told(listening) == 0
        await eventually(lambda: "a" in feed._places)
        await hears(listening, redis, "a")


async def _blocked(redis: Redis) -> bool:
    clients: list[Any] = await redis.client_list()
    return any("b" in client["flags"] for client in clients)


async def test_a_subscriber_sees_every_entry_once_through_trims_and_a_lost_redis(
    database: DatabaseAddresses, own_valkey: EmbeddedValkey
) -> None:
    """Listen, snapshot, then read PostgreSQL up to what is told: the way every subscription goes."""
    entries = "select target_seq from journal where target = $1 and target_seq > $2 order by target_seq"
    async with Database(database.app_url) as opened:
        wallets = Wallets(opened)
        key, account = await wallets.open()
        seen: list[int] = []

        async def subscribe(feed: Feed, account: AccountId) -> None:
            async for _ in feed.listen(wallet_topic(account)):
                seen.extend(row[0] for row in await opened.pool.fetch(entries, account, seen[-1] if seen else 0))

        async with Feed(own_valkey.url).running() as feed, relaying(opened, own_valkey.url, stream_length=1):
            task = asyncio.create_task(subscribe(feed, account))
            await wallets.paid(key, 50)
            await eventually(lambda: len(seen) == 50)
            own_valkey.kill()
            await wallets.paid(key, 50)
            await eventually(lambda: len(seen) == 100)
            own_valkey.restart()
            await wallets.paid(key, 50)
            await eventually(lambda: len(seen) == 150)
            async with Redis.from_url(own_valkey.url, decode_responses=True) as redis:
                await eventually(lambda: newest(redis, wallet_topic(account)))
            task.cancel()
        assert seen == list(range(1, 151))
