"""Quotas: one contract for those in memory and on Valkey, and what holds when Valkey is gone."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import redis

import domain.quotas
from adapters.config import ROOT
from adapters.embedded.database import DatabaseAddresses
from adapters.embedded.valkey import EmbeddedValkey
from adapters.postgres.database import Database
from adapters.postgres.quota_counts import TOP_UPS_STARTED, QuotaCounts
from adapters.redis.quotas import ANSWER_S, CountKnown, RedisQuotas
from domain.errors import UnavailableError
from domain.quotas import COST_OF_PERSON, DEPOSIT, USUAL, Quota, Quotas, changed_quotas, neighbourhood
from tests.builders import staged
from tests.fake_quotas import FakeQuotas
from tests.servers import Valkey
from tests.waiting import eventually

KEY = b"a key of the tests"
LATE_S = 2.0
"""So late a busy machine may be."""

FEW = Quota("few", 5, timedelta(minutes=15))
MANY = Quota("many", 100, timedelta(minutes=1))


def quotas_on(
    url: str, known: Mapping[str, CountKnown] | None = None, changed: Mapping[str, Quota] | None = None
) -> RedisQuotas:
    return RedisQuotas(url, KEY, changed or {}, known or {})


@asynccontextmanager
async def those(kind: str, url: str) -> AsyncIterator[Quotas]:
    if kind == "memory":
        yield FakeQuotas()
        return
    async with quotas_on(url).running() as found:
        yield found


@pytest.fixture(params=["memory", "valkey"])
async def quotas(request: pytest.FixtureRequest, valkey: Valkey) -> AsyncIterator[Quotas]:
    async with those(request.param, valkey.url) as found:
        yield found


class TestContract:
    @pytest.mark.parametrize("quota", [FEW, MANY], ids=["few", "many"])
    async def test_so_many_pass_and_not_one_more(self, quotas: Quotas, quota: Quota) -> None:
        for number in range(quota.times):
            taken = await quotas.take(quota, "somebody")
            assert (taken.allowed, taken.remaining, taken.retry_after_s) == (True, quota.times - number - 1, 0)
        refused = await quotas.take(quota, "somebody")
        assert (refused.allowed, refused.remaining, refused.quota) == (False, 0, quota)
        assert 0 < refused.retry_after_s <= quota.window.total_seconds() * 1.1

    @pytest.mark.parametrize("quota", [FEW, MANY], ids=["few", "many"])
    async def test_in_a_race_exactly_so_many_pass(self, quotas: Quotas, quota: Quota) -> None:
        at_once = await asyncio.gather(*(quotas.take(quota, "somebody") for _ in range(quota.times + 50)))
        assert sum(taken.allowed for taken in at_once) == quota.times

    async def test_each_subject_counts_for_itself(self, quotas: Quotas) -> None:
        for _ in range(FEW.times):
            await quotas.take(FEW, "address", "account")
        assert not (await quotas.take(FEW, "address", "account")).allowed
        for other in (("address", "another"), ("account", "address"), ("addressaccount",), ("address",), ()):
            assert (await quotas.take(FEW, *other)).remaining == FEW.times - 1

    async def test_each_quota_counts_for_itself(self, quotas: Quotas) -> None:
        await quotas.take(FEW, "somebody", cost=FEW.times)
        assert (await quotas.take(Quota("other", 5, FEW.window), "somebody")).remaining == 4

    @pytest.mark.parametrize("quota", [FEW, MANY], ids=["few", "many"])
    async def test_what_is_refused_is_not_counted(self, quotas: Quotas, quota: Quota) -> None:
        assert (await quotas.take(quota, "somebody", cost=quota.times - 2)).remaining == 2
        refused = await quotas.take(quota, "somebody", cost=3)
        assert (refused.allowed, refused.remaining) == (False, 2)
        assert (await quotas.take(quota, "somebody", cost=2)).allowed

    @pytest.mark.parametrize("quota", [FEW, MANY], ids=["few", "many"])
    async def test_what_can_never_be_is_refused(self, quotas: Quotas, quota: Quota) -> None:
        refused = await quotas.take(quota, "somebody", cost=quota.times + 1)
        assert (refused.allowed, refused.remaining) == (False, quota.times)
        assert refused.retry_after_s >= 1

    @pytest.mark.parametrize("quota", [FEW, MANY], ids=["few", "many"])
    async def test_looking_counts_nothing(self, quotas: Quotas, quota: Quota) -> None:
        assert (await quotas.left(quota, "somebody")).remaining == quota.times
        await quotas.take(quota, "somebody", cost=quota.times)
        for _ in range(2):
            found = await quotas.left(quota, "somebody")
            assert (found.allowed, found.remaining) == (False, 0)
            assert found.retry_after_s > 0

    @pytest.mark.parametrize("quota", [FEW, MANY], ids=["few", "many"])
    async def test_who_is_forgotten_begins_anew(self, quotas: Quotas, quota: Quota) -> None:
        await quotas.take(quota, "somebody", cost=quota.times)
        await quotas.take(quota, "other", cost=quota.times)
        await quotas.forget(quota, "somebody")
        assert (await quotas.take(quota, "somebody")).remaining == quota.times - 1
        assert not (await quotas.take(quota, "other")).allowed

    @pytest.mark.parametrize("times", [5, 100], ids=["few", "many"])
    async def test_the_window_slides(self, quotas: Quotas, times: int) -> None:
        """After what it says it takes one more passes; after two windows all are free again."""
        quota = Quota("short", times, timedelta(seconds=1))
        await quotas.take(quota, "somebody", cost=times)
        refused = await quotas.take(quota, "somebody")
        began = time.monotonic()

        async def passes() -> bool:
            waited = time.monotonic() - began
            allowed = (await quotas.take(quota, "somebody")).allowed
            assert allowed or waited <= refused.retry_after_s + 0.2
            return allowed

        await eventually(passes)

        async def all_free() -> bool:
            return (await quotas.left(quota, "somebody")).remaining == times

        await eventually(all_free)


async def test_the_two_windows_are_weighed_where_much_is_counted(valkey: Valkey) -> None:
    """A second window does not begin with a clean slate: right after the first there is almost no room."""
    quota = Quota("short", 100, timedelta(seconds=2))
    async with quotas_on(valkey.url).running() as quotas:
        await quotas.take(quota, "somebody", cost=100)

        async def next_window() -> Any:
            found = await quotas.left(quota, "somebody")
            return found if found.allowed else None

        found = await eventually(next_window)
        assert found.remaining < 50
        wait = await quotas.take(quota, "somebody", cost=80)
        assert (wait.allowed, 1 <= wait.retry_after_s <= 2) == (False, True)


COUNTER = """
import asyncio, sys
from tests.adapters.test_quotas import FEW, quotas_on

async def main() -> None:
    async with quotas_on(sys.argv[1]).running() as quotas:
        print((await quotas.take(FEW, "somebody")).remaining)

asyncio.run(main())
"""


async def test_processes_share_what_they_count(valkey: Valkey) -> None:
    async with quotas_on(valkey.url).running() as quotas:
        await quotas.take(FEW, "somebody")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", COUNTER, valkey.url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        told, _ = await process.communicate()
        assert int(told) == 3
        assert (await quotas.left(FEW, "somebody")).remaining == 3


async def test_nobody_is_named_in_redis_and_nothing_stays(valkey: Valkey) -> None:
    async with quotas_on(valkey.url).running() as quotas:
        for quota in (FEW, MANY):
            await quotas.take(quota, "203.0.113.7", "who@example.com")
    with redis.Redis.from_url(valkey.url) as client:
        keys = client.keys()
        assert len(keys) == 2
        assert not [key for key in keys if b"203" in key or b"@" in key]
        assert all(0 < client.ttl(key) <= 1800 for key in keys)
        client.flushdb()
    async with RedisQuotas(valkey.url, b"another key", {}, {}).running() as others:
        await others.take(FEW, "203.0.113.7", "who@example.com")
    with redis.Redis.from_url(valkey.url) as client:
        assert client.keys()[0] not in keys


async def test_settings_change_numbers(valkey: Valkey) -> None:
    changed = changed_quotas("deposit=1/60, cost_of_person=7/1,")
    assert changed["deposit"].counts_money
    async with quotas_on(valkey.url, changed=changed).running() as quotas:
        taken = await quotas.take(DEPOSIT, "somebody")
        assert (taken.remaining, taken.quota) == (0, changed["deposit"])
        assert not (await quotas.take(DEPOSIT, "somebody")).allowed
        assert (await quotas.left(COST_OF_PERSON, "somebody")).remaining == 7


@pytest.mark.parametrize(
    "text", ["deposit", "deposit=1", "deposit=0/60", "deposit=1/0", "deposit=-1/60", "deposits=1/60", "deposit=1/60;"]
)
def test_numbers_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="deposit"):
        changed_quotas(text)


def test_all_quotas_are_known_by_name_and_those_of_money_are_marked() -> None:
    defined = [found for found in vars(domain.quotas).values() if isinstance(found, Quota)]
    assert sorted(USUAL) == sorted(quota.name for quota in defined)
    assert {name for name, quota in USUAL.items() if quota.counts_money} == {"deposit", "withdrawal"}


NEIGHBOURS = {
    "203.0.113.7": "203.0.113.7",
    "::ffff:203.0.113.7": "203.0.113.7",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:0DB8:0001:0002::": "2001:db8:1:2::/64",
    "fe80::1%eth0": "fe80::/64",
    "": "",
    "nonsense": "nonsense",
}


@pytest.mark.parametrize(("address", "expected"), NEIGHBOURS.items())
def test_an_address_is_counted_with_its_neighbours(address: str, expected: str) -> None:
    assert neighbourhood(address) == expected


async def test_a_loop_that_is_busy_is_not_taken_for_a_valkey_that_is_gone(valkey: Valkey) -> None:
    """Else a rush of requests would open all quotas to whoever makes it."""
    async with quotas_on(valkey.url).running() as quotas:
        over = asyncio.Event()

        async def keep_busy() -> None:
            while not over.is_set():
                time.sleep(0.07)  # noqa: ASYNC251  # as a rush of requests does
                await asyncio.sleep(0)

        busy = asyncio.create_task(keep_busy())
        at_once = await asyncio.gather(*(quotas.take(FEW, "somebody") for _ in range(20)))
        over.set()
        await busy
        assert sum(taken.allowed for taken in at_once) == FEW.times


class Known:
    """What PostgreSQL would know, told by the test."""

    def __init__(self) -> None:
        self.done: list[datetime] = []
        self.asked: list[Sequence[str]] = []

    async def __call__(self, subject: Sequence[str], since: datetime, most: int) -> Sequence[datetime]:
        self.asked.append(subject)
        return [at for at in sorted(self.done, reverse=True) if at > since][:most]


class TestWithoutValkey:
    async def test_what_is_no_money_is_open_and_costs_nothing(self, own_valkey: EmbeddedValkey) -> None:
        async with quotas_on(own_valkey.url).running() as quotas:
            await quotas.take(FEW, "somebody", cost=5)
            own_valkey.kill()
            began = time.perf_counter()
            at_once = await asyncio.gather(*(quotas.take(FEW, "somebody") for _ in range(2_000)))
            assert all((taken.allowed, taken.remaining) == (True, 5) for taken in at_once)
            assert (await quotas.left(FEW, "somebody")).allowed
            await quotas.forget(FEW, "somebody")
            assert time.perf_counter() - began < 2_000 * ANSWER_S / 20, "hardly one of them was waited for"
            own_valkey.restart()

            async def counts() -> bool:
                return (await quotas.take(FEW, "somebody")).remaining < 4

            await eventually(counts)

    async def test_one_that_hangs_is_waited_for_once(self, own_valkey: EmbeddedValkey) -> None:
        async with quotas_on(own_valkey.url).running() as quotas:
            await quotas.take(FEW, "somebody", cost=5)
            os.kill(own_valkey.pid, signal.SIGSTOP)
            try:
                began = time.perf_counter()
                assert (await quotas.take(FEW, "somebody")).allowed
                assert time.perf_counter() - began < ANSWER_S + LATE_S
                began = time.perf_counter()
                for _ in range(1_000):
                    assert (await quotas.take(FEW, "somebody")).allowed
                assert time.perf_counter() - began < ANSWER_S + LATE_S, "to wait for each would take minutes"
            finally:
                os.kill(own_valkey.pid, signal.SIGCONT)

            async def refuses() -> bool:
                return not (await quotas.take(FEW, "somebody")).allowed

            await eventually(refuses)

    async def test_money_is_counted_by_what_is_known(self) -> None:
        known = Known()
        now = datetime.now(UTC)
        known.done = [now - timedelta(minutes=minutes) for minutes in (1, 10, 59, 61)]
        async with quotas_on("redis://127.0.0.1:1/0", {"deposit": known}).running() as quotas:
            taken = await quotas.take(DEPOSIT, "somebody")
            assert (taken.allowed, taken.remaining) == (True, 1)
            assert (await quotas.left(DEPOSIT, "somebody")).remaining == 2
            known.done += [now, now - timedelta(minutes=2)]
            refused = await quotas.take(DEPOSIT, "somebody")
            assert (refused.allowed, refused.remaining) == (False, 0)
            assert 50 < refused.retry_after_s <= 60
            assert set(known.asked) == {("somebody",)}
            impossible = await quotas.take(DEPOSIT, "somebody", cost=6)
            assert (impossible.allowed, impossible.retry_after_s) == (False, 3600)

    async def test_money_that_nobody_counts_does_not_pass(self) -> None:
        async with quotas_on("redis://127.0.0.1:1/0").running() as quotas:
            with pytest.raises(UnavailableError):
                await quotas.take(DEPOSIT, "somebody")


class TestKnownToPostgres:
    async def test_top_ups_are_counted_by_person_and_time(self, database: DatabaseAddresses) -> None:
        async with staged(database) as stage:
            actor, wallet = await stage.somebody()
            other, others_wallet = await stage.somebody()
            started = []
            for _ in range(3):
                started.append(await stage.started(actor, wallet))
                stage.clock.now += timedelta(minutes=1)
            await stage.started(other, others_wallet)
            async with Database(database.app_url) as pool:
                count = QuotaCounts(pool).top_ups_started
                times = sorted((top_up.created_at for top_up in started), reverse=True)
                person = (str(actor.person),)
                assert list(await count(person, times[-1] - timedelta(seconds=1), 5)) == times
                assert list(await count(person, times[-1], 5)) == times[:2]
                assert list(await count(person, times[-1] - timedelta(seconds=1), 1)) == times[:1]

    async def test_by_one_look_into_the_index(self, database: DatabaseAddresses) -> None:
        connection = await asyncpg.connect(database.app_url)
        try:
            await connection.execute("set enable_seqscan = off; set enable_bitmapscan = off")
            await connection.execute(f"prepare asked (uuid, timestamptz, int) as {TOP_UPS_STARTED}")
            await connection.execute("set plan_cache_mode = force_generic_plan")
            told = await connection.fetchval(
                "explain (format json) execute asked ('00000000-0000-0000-0000-000000000000', now(), 5)"
            )
            plan = json.loads(told)[0]["Plan"]
            assert (plan["Node Type"], plan["Plans"][0]["Node Type"]) == ("Limit", "Index Only Scan")
            assert plan["Plans"][0]["Index Name"] == "top_up_by_day"
            assert "person" in plan["Plans"][0]["Index Cond"]
            assert "created_at" in plan["Plans"][0]["Index Cond"]
        finally:
            await connection.close()
