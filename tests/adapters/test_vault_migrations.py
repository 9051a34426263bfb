"""The database of data keys: a history of its own, alone or beside the application's, and what the application may."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from adapters.embedded.database import APP_ROLE, DatabaseAddresses, make_database
from adapters.postgres.migrate import upgrade, upgrade_keys
from domain.clock import system_clock
from domain.ids import PersonId, uuid7
from tests.servers import PASSWORDS, Addresses, drop_database, run
from tests.vaults import open_vault


@pytest.fixture
def empty(servers: Addresses) -> Iterator[DatabaseAddresses]:
    made = run(make_database(servers.superuser_url, f"test_{secrets.token_hex(6)}", PASSWORDS))
    yield made
    run(drop_database(servers.superuser_url, made.name))


@pytest.fixture
async def app(empty: DatabaseAddresses) -> AsyncIterator[asyncpg.Connection]:
    await upgrade_keys(empty.owner_url, APP_ROLE)
    connection = await asyncpg.connect(empty.app_url)
    yield connection
    await connection.close()


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("select tablename from pg_tables where schemaname = 'public'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_a_database_of_its_own_holds_keys_and_nothing_else(empty: DatabaseAddresses) -> None:
    await asyncio.gather(*(upgrade_keys(empty.owner_url, APP_ROLE) for _ in range(3)))
    assert await tables(empty.owner_url) == {"data_key", "data_key_version"}


@pytest.mark.parametrize("keys_first", [True, False])
async def test_one_database_may_hold_both(empty: DatabaseAddresses, keys_first: bool) -> None:
    for migrate in (upgrade_keys, upgrade) if keys_first else (upgrade, upgrade_keys):
        await migrate(empty.owner_url, APP_ROLE)
    assert {"data_key", "data_key_version", "alembic_version", "journal"} <= await tables(empty.owner_url)
    await upgrade(empty.owner_url, APP_ROLE)
    await upgrade_keys(empty.owner_url, APP_ROLE)
    async with open_vault(empty) as vault:
        await vault.create_key(PersonId(uuid7()))


@pytest.mark.parametrize(
    "statement",
    [
        "truncate data_key",
        "update data_key set person = gen_random_uuid()",
        "update data_key set created_at = now()",
        "insert into data_key (person, wrapped, master, created_at) values (gen_random_uuid(), '', 'm', now())",
        "drop table data_key",
        "alter table data_key disable trigger all",
        "update data_key_version set version_num = '0'",
    ],
)
async def test_the_application_may_not(app: asyncpg.Connection, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement)


async def test_a_destroyed_key_cannot_be_put_back(app: asyncpg.Connection) -> None:
    person = uuid7()
    await app.execute("insert into data_key (person, destroyed_at) values ($1, now())", person)
    with pytest.raises(asyncpg.CheckViolationError, match="was destroyed and stays so"):
        await app.execute("update data_key set wrapped = '', master = 'm', destroyed_at = null")
    with pytest.raises(asyncpg.CheckViolationError, match="was destroyed and stays so"):
        await app.execute("delete from data_key")


@pytest.mark.parametrize(
    ("wrapped", "master", "destroyed"),
    [(None, None, False), (b"", "m", True), (b"", None, False), (None, "m", True), (None, "m", False)],
)
async def test_a_row_is_a_whole_key_or_a_tombstone(
    app: asyncpg.Connection, wrapped: bytes | None, master: str | None, destroyed: bool
) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="data_key_whole_or_destroyed"):
        await app.execute(
            "insert into data_key (person, wrapped, master, destroyed_at) values ($1, $2, $3, $4)",
            uuid7(), wrapped, master, system_clock() if destroyed else None,
        )  # fmt: skip
