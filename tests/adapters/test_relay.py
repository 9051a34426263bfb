"""The relay on real servers: nobody is skipped, whoever leads and whatever dies."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from uuid import UUID

import pytest
from redis.asyncio import Redis

from adapters.embedded.database import DatabaseAddresses
from adapters.embedded.valkey import EmbeddedValkey
from adapters.postgres.database import Database
from adapters.redis.streams import publish
from adapters.relay import LAG, LEADER_LOCK, LEADS
from domain.ids import uuid7
from domain.ledger.ports import wallet_topic
from domain.reactions import REACTIONS
from tests.adapters.relaying import KettleBoiled, Wallets, newest, numbers, reached, relaying
from tests.servers import Valkey
from tests.waiting import PATIENCE_S, eventually

KETTLE = UUID(int=7)
TOPIC = f"kettle:{KETTLE}"


@pytest.fixture
async def opened(database: DatabaseAddresses) -> AsyncIterator[Database]:
    async with Database(database.app_url) as opened:
        yield opened


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    async with Redis.from_url(valkey.url, decode_responses=True) as client:
        yield client


@pytest.fixture(autouse=True)
def _kettles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REACTIONS, KettleBoiled, ())


async def test_wallets_that_commit_in_the_opposite_order_are_both_told(
    opened: Database, valkey: Valkey, redis: Redis
) -> None:
    wallets = Wallets(opened)
    (early, early_id), (late, late_id) = await wallets.open(), await wallets.open()
    async with relaying(opened, valkey.url), AsyncExitStack() as first:
        work = await first.enter_async_context(wallets.works())
        await wallets.pay(work, early)
        await wallets.paid(late)
        await eventually(lambda: newest(redis, wallet_topic(late_id)))
        assert await newest(redis, wallet_topic(early_id)) == 0
        await first.aclose()
        await eventually(lambda: newest(redis, wallet_topic(early_id)))


async def test_a_gap_is_waited_for_however_many_rows_come_after_it(
    opened: Database, valkey: Valkey, redis: Redis
) -> None:
    wallets = Wallets(opened)
    (slow, slow_id), (fast, fast_id) = await wallets.open(), await wallets.open()
    async with relaying(opened, valkey.url), AsyncExitStack() as first:
        work = await first.enter_async_context(wallets.works())
        await wallets.pay(work, slow)
        for count in range(1, 6):
            await wallets.paid(fast, 3)
            await eventually(partial(reached, redis, wallet_topic(fast_id), 3 * count))
        await first.aclose()
        await eventually(lambda: newest(redis, wallet_topic(slow_id)))


async def test_a_relay_that_starts_amid_an_open_transaction_does_not_lose_it(
    opened: Database, valkey: Valkey, redis: Redis
) -> None:
    wallets = Wallets(opened)
    (slow, slow_id), (fast, fast_id) = await wallets.open(), await wallets.open()
    async with AsyncExitStack() as first:
        work = await first.enter_async_context(wallets.works())
        await wallets.pay(work, slow)
        await wallets.paid(fast)
        async with relaying(opened, valkey.url):
            await eventually(lambda: newest(redis, wallet_topic(fast_id)))
        async with relaying(opened, valkey.url):
            await first.aclose()
            await eventually(lambda: newest(redis, wallet_topic(slow_id)))


async def test_events_that_commit_in_the_opposite_order_are_numbered_as_they_appear(
    opened: Database, valkey: Valkey, redis: Redis
) -> None:
    wallets = Wallets(opened)
    early, late = KettleBoiled(uuid7(), KETTLE), KettleBoiled(uuid7(), KETTLE)
    async with relaying(opened, valkey.url), AsyncExitStack() as first:
        work = await first.enter_async_context(wallets.works())
        await work.emit(early)
        await wallets.emit(late)
        await eventually(lambda: newest(redis, TOPIC))
        await first.aclose()
        await eventually(lambda: reached(redis, TOPIC, 2))
    rows = await opened.pool.fetch("select id, number from event order by number")
    assert [tuple(row) for row in rows] == [(late.id, 1), (early.id, 2)]
    assert await numbers(redis, TOPIC) == [1, 2]


async def test_a_restart_continues_where_the_last_one_saved(opened: Database, valkey: Valkey, redis: Redis) -> None:
    wallets = Wallets(opened)
    key, number = await wallets.open()
    await wallets.paid(key, 3)
    async with relaying(opened, valkey.url):
        mark = "select position from relay_mark"
        await eventually(lambda: opened.pool.fetchval(mark))
    await redis.delete(wallet_topic(number))
    other, other_number = await wallets.open()
    await wallets.paid(other)
    async with relaying(opened, valkey.url):
        await eventually(lambda: newest(redis, wallet_topic(other_number)))
    assert await numbers(redis, wallet_topic(number)) == []


async def test_a_crash_between_publishing_and_remembering_it_is_harmless(
    opened: Database, valkey: Valkey, redis: Redis
) -> None:
    wallets = Wallets(opened)
    key, number = await wallets.open()
    await wallets.paid(key, 3)
    await wallets.emit(KettleBoiled(uuid7(), KETTLE))
    async with relaying(opened, valkey.url):
        await eventually(lambda: opened.pool.fetchval("select count(*) from event where published_at is not null"))
        await eventually(lambda: opened.pool.fetchval("select position from relay_mark"))
    async with opened.transaction() as connection:
        await connection.execute("update event set published_at = null")
        await connection.execute("update relay_mark set position = 0")
    async with relaying(opened, valkey.url):
        await eventually(lambda: opened.pool.fetchval("select count(*) from event where published_at is not null"))
        await eventually(lambda: opened.pool.fetchval("select position from relay_mark where position > 0"))
    assert await numbers(redis, TOPIC) == [1]
    assert await numbers(redis, wallet_topic(number)) == [3]


async def test_one_number_stands_for_all_before_it_and_streams_are_trimmed(
    opened: Database, valkey: Valkey, redis: Redis
) -> None:
    wallets = Wallets(opened)
    key, number = await wallets.open()
    topic = wallet_topic(number)
    async with relaying(opened, valkey.url, stream_length=1):
        await wallets.paid(key, 400)
        await eventually(lambda: reached(redis, topic, 400))
    assert len(await numbers(redis, topic)) <= 200
    assert 0 < await redis.ttl(topic) <= 3600


async def test_what_is_not_above_the_last_number_is_refused(redis: Redis) -> None:
    assert await publish(redis, {"a": 5, "b": 1}, 1000) == 2
    assert await publish(redis, {"a": 5, "b": 2}, 1000) == 1
    assert await publish(redis, {"a": 4}, 1000) == 0
    assert await numbers(redis, "a") == [5]


async def test_redis_killed_and_restarted_empty(opened: Database, own_valkey: EmbeddedValkey) -> None:
    wallets = Wallets(opened)
    key, number = await wallets.open()
    topic = wallet_topic(number)
    async with relaying(opened, own_valkey.url):
        await wallets.paid(key)
        async with Redis.from_url(own_valkey.url, decode_responses=True) as redis:
            await eventually(lambda: newest(redis, topic))
        own_valkey.kill()
        await wallets.paid(key, 2)
        await wallets.emit(KettleBoiled(uuid7(), KETTLE))
        await eventually(lambda: LAG._value.get() > 0)
        await eventually(lambda: opened.pool.fetchval("select number from event"))
        assert await opened.pool.fetchval("select published_at from event") is None
        for file in own_valkey.folder.glob("appendonlydir/*"):
            file.unlink()
        own_valkey.restart()
        async with Redis.from_url(own_valkey.url, decode_responses=True) as redis:
            assert await eventually(lambda: newest(redis, topic)) == 3
            assert await eventually(lambda: newest(redis, TOPIC)) == 1
        await eventually(lambda: opened.pool.fetchval("select published_at from event"))
        await eventually(lambda: LAG._value.get() == 0)


async def test_the_relay_survives_the_loss_of_its_connection(opened: Database, valkey: Valkey, redis: Redis) -> None:
    wallets = Wallets(opened)
    key, number = await wallets.open()
    async with relaying(opened, valkey.url):
        await eventually(lambda: LEADS._value.get() == 1)
        await opened.pool.fetchval(
            "select pg_terminate_backend(pid) from pg_locks join pg_database on pg_database.oid = database"
            " where locktype = 'advisory' and objid = $1 and datname = current_database()",
            LEADER_LOCK,
        )
        await wallets.paid(key)
        await eventually(lambda: newest(redis, wallet_topic(number)))


@asynccontextmanager
async def relay_process(database_url: str, redis_url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.adapters.relaying", database_url, redis_url, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while word not in (await process.stdout.readline()).decode():
            pass


async def test_another_takes_over_when_the_leader_is_killed(
    opened: Database, database: DatabaseAddresses, valkey: Valkey, redis: Redis
) -> None:
    wallets = Wallets(opened)
    key, number = await wallets.open()
    async with relay_process(database.app_url, valkey.url) as leader:
        await said(leader, "relay_leads")
        async with relaying(opened, valkey.url):
            await wallets.paid(key)
            await eventually(lambda: newest(redis, wallet_topic(number)))
            assert LEADS._value.get() == 0
            leader.kill()
            await wallets.paid(key)
            await eventually(lambda: reached(redis, wallet_topic(number), 2))


async def test_a_frozen_leader_is_deposed_and_what_it_publishes_late_is_refused(
    opened: Database, database: DatabaseAddresses, own_valkey: EmbeddedValkey
) -> None:
    wallets = Wallets(opened)
    key, number = await wallets.open()
    topic = wallet_topic(number)
    async with (
        Redis.from_url(own_valkey.url, decode_responses=True) as redis,
        relay_process(database.app_url, own_valkey.url) as leader,
    ):
        await said(leader, "relay_leads")
        await redis.client_pause(600_000, all=False)
        await wallets.paid(key)
        await said(leader, "relay_waits_for_redis")
        os.kill(leader.pid, signal.SIGSTOP)
        await redis.client_unpause()
        await wallets.paid(key)
        async with relaying(opened, own_valkey.url):
            await eventually(lambda: reached(redis, topic, 2))
            os.kill(leader.pid, signal.SIGCONT)
            await said(leader, "relay_lost_the_database")
            assert (await numbers(redis, topic))[-1] == 2
            await wallets.paid(key)
            await eventually(lambda: reached(redis, topic, 3))
