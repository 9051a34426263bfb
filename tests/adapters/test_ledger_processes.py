"""Processes that share accounts and ids, and what becomes of money when they or PostgreSQL are killed."""

from uuid import uuid4

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.embedded.postgres import EmbeddedPostgres
from domain.ledger.model import Code
from tests.ledger_client import KEPT, Client, Tale, lost
from tests.ledger_on_postgres import breaches, house
from tests.waiting import eventually


@pytest.fixture
def tale() -> Tale:
    return Tale(uuid4().hex, seed=7)


async def deadlocks(url: str) -> int:
    connection = await asyncpg.connect(url)
    try:
        return int(
            await connection.fetchval("select deadlocks from pg_stat_database where datname = current_database()")
        )
    finally:
        await connection.close()


async def missing(url: str, tale: Tale, told: list[tuple[int, Code]]) -> list[int]:
    connection = await asyncpg.connect(url)
    try:
        return await lost(connection, tale, told)
    finally:
        await connection.close()


async def resolve(url: str, tale: Tale, told: list[tuple[int, Code]], up_to: int) -> None:
    """Repeat everything: what was told is told again, what was not gets its answer now."""
    known = {number: code for number, code in told if code in KEPT}
    async with house(url, tale.kitchen.world.hands) as opened:
        for number, transaction in enumerate(tale.transactions(up_to)):
            outcome = await opened.batcher.submit(transaction)
            if number in known:
                assert (outcome.code, outcome.replayed) == (known[number], True)


async def test_two_processes_that_share_accounts_and_ids(database: DatabaseAddresses, tale: Tale) -> None:
    count = 2_500
    url = database.app_url
    with Client(url, tale, 0, count, shuffle=1) as first, Client(url, tale, 0, count, shuffle=2) as second:
        one, other = dict(await first.end()), dict(await second.end())
    assert len(one) == len(other) == count
    both = [(one[number], other[number]) for number in range(count) if {one[number], other[number]} <= KEPT]
    assert len(both) > count / 2
    assert all(mine == theirs for mine, theirs in both)
    assert await breaches(database.superuser_url) == {}
    assert await missing(database.superuser_url, tale, [*one.items(), *other.items()]) == []
    assert await deadlocks(database.superuser_url) == 0


async def test_the_application_is_killed_under_load(database: DatabaseAddresses, tale: Tale) -> None:
    told: list[tuple[int, Code]] = []
    first = 0
    for kills in range(2):
        with Client(database.app_url, tale, first, 10_000) as client:
            await client.until(400)
            heard = client.kill()
        assert len(heard) < 9_000
        told += heard
        assert await missing(database.superuser_url, tale, told) == []
        first = max(number for number, _ in told) - 50 * (kills % 2)
    await eventually(lambda: nobody_is_connected(database))
    assert await breaches(database.superuser_url) == {}
    await resolve(database.app_url, tale, told, first + 100)
    assert await breaches(database.superuser_url) == {}


async def nobody_is_connected(database: DatabaseAddresses) -> bool:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        query = "select count(*) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()"
        return int(await connection.fetchval(query, database.name)) == 0
    finally:
        await connection.close()


async def test_postgres_is_killed_under_load(
    own_postgres: EmbeddedPostgres, own_database: DatabaseAddresses, tale: Tale
) -> None:
    count = 2_400
    with Client(own_database.app_url, tale, 0, count) as client:
        for answers in (400, 1_200):
            await client.until(answers)
            own_postgres.kill()
            own_postgres.restart()
            assert await missing(own_database.superuser_url, tale, client.told()) == []
        told = await client.end()
    assert len(told) == count
    assert await missing(own_database.superuser_url, tale, told) == []
    assert await breaches(own_database.superuser_url) == {}
    await resolve(own_database.app_url, tale, told, count)
    assert await breaches(own_database.superuser_url) == {}
