"""What the database itself refuses: to the application by its grants, to the owner of the tables by triggers."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.digest import SEALED_TABLES
from domain.errors import ConflictError
from domain.ledger.chart import Kind, Limits
from domain.ledger.model import AccountStatus
from tests.adapters.ledger_history import BANK, CLEARING, CREDIT, DEBT, Bench, bench_of, live_through_everything

SEALED = (*(table.name for table in SEALED_TABLES), "seal", "platform_entry")
FOR_EVER = {
    "account": ("owner", "purpose", "currency"),
    "hold": ("transaction_id", "line", "source", "expires_at"),
}


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with bench_of(database) as bench:
        yield bench


@pytest.mark.parametrize("table", SEALED)
async def test_the_application_only_adds_rows(bench: Bench, table: str) -> None:
    await live_through_everything(bench)
    columns = await bench.database.pool.fetch(
        "select column_name from information_schema.columns where table_name = $1", table
    )
    for (column,) in columns:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bench.database.pool.execute(f"update {table} set {column} = {column}")
    for statement in (
        f"delete from {table}", f"truncate {table}", f"drop table {table}",
        f"alter table {table} disable trigger all", "set session_replication_role = replica",
    ):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bench.database.pool.execute(statement)


@pytest.mark.parametrize("table", [table.name for table in SEALED_TABLES])
@pytest.mark.parametrize("column", ["position", "recorded_at"])
async def test_the_application_does_not_choose_a_rows_place_and_time(bench: Bench, table: str, column: str) -> None:
    await live_through_everything(bench)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await bench.database.pool.execute(f"insert into {table} ({column}) select {column} from {table} limit 0")


@pytest.mark.parametrize("table", FOR_EVER)
async def test_the_application_changes_no_name_and_deletes_no_row(bench: Bench, table: str) -> None:
    for column in FOR_EVER[table]:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bench.database.pool.execute(f"update {table} set {column} = {column}")
    for statement in (f"delete from {table}", f"truncate {table}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await bench.database.pool.execute(statement)


@pytest.mark.parametrize("table", SEALED)
async def test_the_owner_of_the_tables_meets_a_trigger(bench: Bench, table: str) -> None:
    await live_through_everything(bench)
    column = "position" if table != "seal" else "number"
    owner = await asyncpg.connect(bench.addresses.owner_url)
    try:
        for statement in (f"update {table} set {column} = 0", f"delete from {table}", f"truncate {table}"):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await owner.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute("set session_replication_role = replica")
    finally:
        await owner.close()


async def test_limits_and_status_are_refused_where_the_balance_contradicts(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT, BANK)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 500)
    for limits in (Limits(501, None), Limits(0, 499), Limits(600, 400)):
        with pytest.raises(ConflictError):
            await bench.set_limits(CREDIT, limits)
    with pytest.raises(ConflictError, match="cannot be closed"):
        await bench.set_status(CREDIT, AccountStatus.CLOSED)
    await bench.set_limits(CREDIT, Limits(500, 500))
    rows = await bench.database.pool.fetch(
        "select after_seq, floor, ceiling, status from account_change "
        "where purpose = 'hosting_credit' order by position"
    )
    assert [tuple(row) for row in rows] == [(0, 0, None, "open"), (1, 500, 500, "open")]
    await bench.seal()
    assert (await bench.audit()).clean


async def test_an_unknown_account_and_the_platforms_own_are_refused(bench: Bench) -> None:
    await bench.open(BANK)
    for key in (BANK, DEBT):
        with pytest.raises(ConflictError):
            await bench.set_limits(key, Limits(0, None))
        with pytest.raises(ConflictError):
            await bench.set_status(key, AccountStatus.FROZEN)
    assert await bench.database.pool.fetchval("select count(*) from account_change") == 1


async def test_the_account_of_a_persons_debts_is_never_closed(bench: Bench) -> None:
    await bench.open(CLEARING, DEBT)
    with pytest.raises(ConflictError, match="stays open"):
        await bench.set_status(DEBT, AccountStatus.CLOSED)
    await bench.set_status(DEBT, AccountStatus.FROZEN)
    await bench.move(Kind.CHARGEBACK, DEBT, CLEARING, 2_000)


async def test_only_the_platform_has_accounts_without_limits(bench: Bench) -> None:
    for key, limits in ((CREDIT, Limits(None, None)), (CLEARING, Limits(0, None))):
        with pytest.raises(ConflictError):
            await bench.open(key, limits=limits)
    assert await bench.database.pool.fetchval("select count(*) from account") == 0
