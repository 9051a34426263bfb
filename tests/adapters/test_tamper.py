"""Whoever rules the database can change any row of it. The audit names the one that they changed, whatever it was."""
# the words that are put into SQL are this file's own

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.digest import SEALED_TABLES
from tests.adapters.ledger_history import Bench
from tests.adapters.tampering import (
    CASES,
    KEYS,
    NOT_SEALED,
    OTHER,
    POSITIONED,
    assert_names,
    key_of,
    restored,
    ruling,
    tamperable,
)


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with tamperable(database) as bench:
        yield bench


async def test_every_column_of_every_sealed_table_is_tampered_with(database: DatabaseAddresses) -> None:
    connection = await asyncpg.connect(database.superuser_url)
    tables = await connection.fetch(
        "select tgrelid::regclass::text as name from pg_trigger where tgfoid = 'refuse_change'::regproc"
    )
    columns = await connection.fetch(
        "select table_name, column_name from information_schema.columns where table_name = any($1)",
        list({table["name"] for table in tables} - NOT_SEALED),
    )
    await connection.close()
    assert {tuple(column) for column in columns} == CASES
    for table in SEALED_TABLES:
        assert set(OTHER[table.name]) == set(table.columns)


@pytest.mark.parametrize("table", KEYS)
async def test_each_column_of_each_row(bench: Bench, table: str) -> None:
    exported = await bench.head()
    async with ruling(bench) as ruler:
        rows = await ruler.fetch(f"select * from {table} order by {', '.join(KEYS[table])}")
        for row in {0: rows[0], 1: rows[len(rows) // 2], 2: rows[-1]}.values():
            for column, other in OTHER[table].items():
                where = " and ".join(f"{part} = ${place}" for place, part in enumerate(KEYS[table], start=1))
                own = [row[part] for part in KEYS[table]]
                async with restored(ruler):
                    changed = await ruler.fetchrow(
                        f"update {table} set {column} = {other} where {where} returning *", *own
                    )
                    assert changed[column] != row[column]
                    first = (await bench.audit(exported)).first
                assert first is not None, f"{table}.{column} of {row}"
                assert_names(first, table, row, changed)
        assert (await bench.audit(exported)).clean


@pytest.mark.parametrize("table", KEYS)
@pytest.mark.parametrize("place", ["first", "middle", "tail"])
async def test_a_deleted_row(bench: Bench, table: str, place: str) -> None:
    exported = await bench.head()
    async with ruling(bench) as ruler:
        order = "position" if table != "seal" else "number"
        rows = await ruler.fetch(f"select *, ctid from {table} order by {order}")
        row = rows[{"first": 0, "middle": len(rows) // 2, "tail": -1}[place]]
        await ruler.execute(f"delete from {table} where ctid = $1", row["ctid"])
    first = (await bench.audit(exported)).first
    assert first is not None
    assert_names(first, table, row, row)
    assert "missing" in first.what


async def test_a_forged_row_in_a_gap_that_a_rollback_left(bench: Bench) -> None:
    async with ruling(bench) as ruler:
        gap = await ruler.fetchval(
            "select min(place) from generate_series(1, (select max(position) from journal)) as place where not exists "
            "(select from journal where position = place) and not exists "
            "(select from account_change where position = place) and not exists "
            "(select from deed where position = place)"
        )
        await ruler.execute(
            "create temporary table forged as select * from journal where position < $1 order by position desc limit 1",
            gap,
        )
        await ruler.execute("update forged set position = $1, transaction_id = gen_random_uuid()", gap)
        await ruler.execute("insert into journal table forged")
    first = (await bench.audit()).first
    assert first is not None
    assert (first.table, first.position) == ("journal", gap)
    assert "was not there" in first.what


async def test_a_forged_change_of_an_account_and_a_forged_entry_of_the_platform(bench: Bench) -> None:
    async with ruling(bench) as ruler:
        await ruler.execute("create temporary table forged as select * from account_change order by position limit 1")
        await ruler.execute("update forged set position = -3, floor = -1000000")
        async with restored(ruler):
            await ruler.execute("insert into account_change table forged")
            first = (await bench.audit()).first
            assert first is not None
            assert (first.table, first.position) == ("account_change", -3)
        await ruler.execute(
            "insert into platform_entry select account, seq + 1, position + 1, posted from platform_entry "
            "order by position desc limit 1"
        )
        forged = await ruler.fetchrow("select account, seq from platform_entry order by position desc limit 1")
        first = (await bench.audit()).first
        assert first is not None
        assert (first.table, first.key) == ("platform_entry", key_of("platform_entry", forged))


async def test_rows_that_changed_places(bench: Bench) -> None:
    async with ruling(bench) as ruler:
        rows = await ruler.fetch("select position from journal order by position")
        one, other = rows[4]["position"], rows[9]["position"]
        await ruler.execute("update journal set position = -1 where position = $1", one)
        await ruler.execute("update journal set position = $1 where position = $2", one, other)
        await ruler.execute("update journal set position = $1 where position = -1", other)
    report = await bench.audit()
    assert [finding.position for finding in report.findings if "not the row" in finding.what] == [one, other]
    assert report.first is not None
    assert report.first.position == one


PROJECTED = [
    ("account", "posted = posted + 1", "where purpose = 'brand_prepaid'"),
    ("account", "held = held + 1", "where purpose = 'brand_prepaid'"),
    ("account", "seq = seq + 1", "where purpose = 'brand_prepaid'"),
    ("account", "floor = floor - 1", "where purpose = 'brand_prepaid'"),
    ("account", "ceiling = 900000000", "where purpose = 'brand_prepaid'"),
    ("account", "status = 'frozen'", "where purpose = 'brand_prepaid'"),
    ("account", "owner = 'brand:teh'", "where purpose = 'brand_prepaid'"),
    ("account", "posted = 1", "where purpose = 'bank'"),
    ("hold", "remaining = remaining - 1", "where remaining > 0"),
    ("hold", "remaining = 0", "where remaining > 0"),
    ("hold", "remaining = 1", "where remaining = 0"),
    ("hold", "expires_at = expires_at + interval '1 day'", "where remaining > 0"),
    ("hold", "source = source + 1", ""),
    ("hold", "transaction_id = gen_random_uuid()", "where remaining = 0"),
]


@pytest.mark.parametrize(("table", "change", "where"), PROJECTED)
async def test_what_is_derived_must_follow_from_the_rows(bench: Bench, table: str, change: str, where: str) -> None:
    async with ruling(bench) as ruler:
        await ruler.execute(f"update {table} set {change} {where}")
    report = await bench.audit()
    assert report.first is not None
    assert report.first.table == table


@pytest.mark.parametrize("table", ["account", "hold"])
async def test_a_derived_row_that_is_missing(bench: Bench, table: str) -> None:
    async with ruling(bench) as ruler:
        await ruler.execute(f"delete from {table} where ctid = (select min(ctid) from {table})")
    report = await bench.audit()
    assert report.first is not None
    assert report.first.table == table
    assert "missing" in report.first.what


SENSELESS = [
    ("journal", "recorded_at = 'infinity'"),
    ("journal", "recorded_at = '0044-03-15 BC'"),
    ("journal", "effective_at = '290000-01-01'"),
    ("journal", "amount = null"),
    ("journal", "kind = null"),
    ("journal", "line = -5"),
    ("journal", "amount = -9223372036854775808"),
    ("account_change", "recorded_at = '-infinity'"),
    ("account_change", "purpose = 'slush'"),
    ("account_change", "after_seq = null"),
    ("seal", "sealed_at = 'infinity'"),
    ("seal", "marks = null"),
    ("seal", "last_position = 9223372036854775807"),
    ("seal", "first_position = null"),
    ("platform_entry", "posted = null"),
    ("deed", "recorded_at = 'infinity'"),
    ("deed", "id = null"),
    ("deed", "action = null"),
    ("deed", "encrypted_detail = ''"),
]


@pytest.mark.parametrize(("table", "change"), SENSELESS)
async def test_a_value_that_makes_no_sense_is_named_as_well(bench: Bench, table: str, change: str) -> None:
    column, own = change.partition(" = ")[0], KEYS[table]
    async with ruling(bench) as ruler:
        if change.endswith("null"):
            await ruler.execute(f"alter table {table} alter column {column} drop not null")
        some = "where operation in ('capture', 'hold')" if table == "journal" else ""
        rows = await ruler.fetch(f"select * from {table} {some} order by {', '.join(own)}")
        for row in (rows[0], rows[-1]):
            where = " and ".join(f"{part} = ${place}" for place, part in enumerate(own, start=1))
            async with restored(ruler):
                changed = await ruler.fetchrow(
                    f"update {table} set {change} where {where} returning {', '.join({*own, *POSITIONED[table]})}",
                    *(row[part] for part in own),
                )
                first = (await bench.audit()).first
            assert first is not None
            assert_names(first, table, row, changed)
