"""Migrations run whole, once, on every generation of PostgreSQL."""

import asyncio
import secrets
from collections.abc import Iterator

import asyncpg
import pytest
from sqlalchemy.exc import ProgrammingError

from adapters.embedded.database import APP_ROLE, DatabaseAddresses, make_database
from adapters.postgres.migrate import role_of, upgrade
from tests.servers import PASSWORDS, Addresses, drop_database, run


@pytest.fixture
def empty(servers: Addresses) -> Iterator[DatabaseAddresses]:
    made = run(make_database(servers.superuser_url, f"test_{secrets.token_hex(6)}", PASSWORDS))
    yield made
    run(drop_database(servers.superuser_url, made.name))


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


async def test_migrations_that_meet_wait_for_one_another(empty: DatabaseAddresses) -> None:
    await asyncio.gather(*(upgrade(empty.owner_url, APP_ROLE) for _ in range(3)))
    assert await ask(empty.owner_url, "SELECT count(*) FROM alembic_version") == 1
    assert await ask(empty.app_url, "SELECT count(*) FROM pgqueuer") == 0


async def test_a_failing_migration_leaves_nothing(empty: DatabaseAddresses) -> None:
    with pytest.raises(ProgrammingError, match="role that does not exist"):
        await upgrade(empty.owner_url, "a role that does not exist")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert await ask(empty.owner_url, tables) == 0
    await upgrade(empty.owner_url, APP_ROLE)


async def test_the_owner_owns_every_table(database: DatabaseAddresses) -> None:
    foreign = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'gametriggers_owner'"
    assert await ask(database.owner_url, foreign) == 0


def test_the_applications_role_is_read_from_its_address() -> None:
    assert role_of("postgresql://my%20app:x@host/db") == "my app"
    with pytest.raises(ValueError, match="names no role"):
        role_of("postgresql://host/db")
