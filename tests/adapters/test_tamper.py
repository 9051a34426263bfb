"""Whoever rules the database can change any row of it. The audit names the one that they changed, whatever it was."""
# ruff: noqa: S608  # the words that are put into SQL are this file's own

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from asyncpg import Connection, Record

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.digest import ACCOUNT_CHANGE, JOURNAL, Sealed, chained, head_of, packed, unpacked
from adapters.postgres.seal import Sealer
from domain.clock import system_clock
from domain.ledger.audit import Finding
from domain.ledger.chart import Kind
from tests.adapters.ledger_history import CLEARING, DEBT, WRONG_KEY, Bench, bench_of, live_through_everything

KEYS = {
    "journal": ("transaction_id", "line"),
    "account_change": ("position",),
    "seal": ("number",),
    "platform_entry": ("account", "seq"),
}
ELSEWHERE = "(select id from account where purpose = 'tax')"
OTHER = {
    "journal": {
        "position": "position + 1000000",
        "transaction_id": "gen_random_uuid()",
        "source": ELSEWHERE,
        "target": ELSEWHERE,
        "amount": "amount + 1",
        "source_seq": "coalesce(source_seq, 1) + 700",
        "target_seq": "coalesce(target_seq, 1) + 700",
        "source_posted": "coalesce(source_posted, 0) + 1",
        "target_posted": "coalesce(target_posted, 0) + 1",
        "source_held": "coalesce(source_held, 0) + 1",
        "target_held": "coalesce(target_held, 0) + 1",
        "recorded_at": "recorded_at + interval '1 microsecond'",
        "effective_at": "coalesce(effective_at, recorded_at) - interval '1 day'",
        "ref": "case when ref is null then gen_random_uuid() end",
        "operation": "case when operation = 'move' then 'hold' else 'move' end::ledger_operation",
        "kind": "case when kind = 'top_up' then 'refund' else 'top_up' end::ledger_kind",
        "refusal": "case when refusal is null then 'account_closed' end::ledger_refusal",
        "line": "line + 5",
        "content": "sha256(coalesce(content, ''))",
    },
    "account_change": {
        "position": "position + 1000000",
        "account": ELSEWHERE,
        "after_seq": "after_seq + 1",
        "owner": "owner || 's'",
        "purpose": "'player_bonus'",
        "currency": "'SGD'",
        "floor": "case when floor is null then 0 end",
        "ceiling": "case when ceiling is null then 900000000 end",
        "status": "case when status = 'open' then 'frozen' else 'open' end::account_status",
        "recorded_at": "recorded_at - interval '1 hour'",
    },
    "seal": {
        "number": "number + 100",
        "first_position": "first_position + 1",
        "last_position": "last_position + 1",
        "marks": "set_byte(marks, length(marks) - 1, 255 - get_byte(marks, length(marks) - 1))",
        "previous": "sha256(previous)",
        "head": "sha256(head)",
        "sealed_at": "sealed_at + interval '1 second'",
    },
    "platform_entry": {
        "account": ELSEWHERE,
        "seq": "seq + 100",
        "position": "position + 1000000",
        "posted": "posted + 1",
    },
}
CASES = {(table, column) for table, columns in OTHER.items() for column in columns}
NOT_SEALED = {"top_up_posting"}
"""Append-only by trigger alone: it points at transactions, and those are what money is counted by."""


def key_of(table: str, row: Record) -> str:
    return "/".join(str(row[part]) for part in KEYS[table])


@asynccontextmanager
async def ruling(bench: Bench) -> AsyncIterator[Connection]:
    """A superuser whom no trigger, no unique index and no check stops."""
    connection = await asyncpg.connect(bench.addresses.superuser_url)
    try:
        await connection.execute("set session_replication_role = replica")
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def restored(ruler: Connection) -> AsyncIterator[None]:
    """Whatever is changed inside is put back afterwards."""
    tables = (*KEYS, "account", "hold")
    for table in tables:
        await ruler.execute(f"create temporary table old_{table} as table {table}")
    try:
        yield
    finally:
        for table in tables:
            await ruler.execute(f"delete from {table}")
            await ruler.execute(f"insert into {table} overriding system value table old_{table}")
            await ruler.execute(f"drop table old_{table}")


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with bench_of(database) as bench:
        await live_through_everything(bench)
        async with ruling(bench) as ruler:
            await give_up_constraints(ruler)
        yield bench


async def give_up_constraints(ruler: Connection) -> None:
    """The audit must not lean on what a ruler can drop."""
    found = await ruler.fetch(
        "select conrelid::regclass::text, conname from pg_constraint "
        "where contype in ('c', 'u') and conrelid::regclass::text = any($1)",
        [*KEYS, "account", "hold"],
    )
    for table, constraint in found:
        await ruler.execute(f"alter table {table} drop constraint {constraint}")
    for index in ("journal_source", "journal_target", "journal_reversed_once", "platform_entry_position"):
        await ruler.execute(f"drop index {index}")


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
    assert set(OTHER["journal"]) == set(JOURNAL)
    assert set(OTHER["account_change"]) == set(ACCOUNT_CHANGE)


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


def assert_names(first: Finding, table: str, row: Record, changed: Record) -> None:
    """The first finding names the row, by what it is now or, where that is missing, by what it was."""
    assert first.table == table, first
    positions = {row["position"], changed["position"]} if "position" in row else {None}
    if table in {"journal", "account_change"}:
        assert first.position in positions, first
    else:
        assert first.key in {key_of(table, row), key_of(table, changed)}, first


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
            "(select from account_change where position = place)"
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


@pytest.mark.parametrize("change", [
    "set_byte(marks, 7, 255 - get_byte(marks, 7))", "set_byte(marks, 8, 255 - get_byte(marks, 8))",
    "set_byte(marks, 0, 128)", "substr(marks, 1, length(marks) - 24)", "substr(marks, 25)",
    "substr(marks, 1, length(marks) - 1)", "''::bytea", "marks || marks", "substr(marks, 25, 24) || substr(marks, 25)",
    "set_byte(marks, length(marks) - 17, get_byte(marks, length(marks) - 17) + 1)",
])  # fmt: skip
async def test_whatever_is_done_to_marks_names_the_seal_and_no_row(bench: Bench, change: str) -> None:
    async with ruling(bench) as ruler:
        await ruler.execute(f"update seal set marks = {change} where number = 2")
    report = await bench.audit()
    assert [(finding.table, finding.key) for finding in report.findings] == [("seal", "2")]


async def test_a_row_changed_and_everything_after_it_sealed_again_without_the_key(bench: Bench) -> None:
    exported = await bench.head()
    async with ruling(bench) as ruler:
        row = await ruler.fetchrow("select position from journal where operation = 'void' order by position limit 1")
        seal = await ruler.fetchval("select max(number) from seal where first_position <= $1", row["position"])
        start = await ruler.fetchval("select first_position from seal where number = $1", seal)
        await ruler.execute("update journal set content = sha256('') where position = $1", row["position"])
        await ruler.execute("delete from platform_entry where position >= $1", start)
        await ruler.execute("delete from seal where number >= $1", seal)
    async with bench.database.direct() as connection:
        assert await Sealer(connection, WRONG_KEY, system_clock).seal_all()
    for heads in ([], [exported]):
        report = await bench.audit(*heads)
        assert report.first is not None
        assert ("seal", str(seal)) in {(finding.table, finding.key) for finding in report.findings}
    report = await bench.audit()
    assert report.first is not None
    assert (report.first.table, report.first.position) == ("journal", start)


async def test_only_marks_from_the_changed_row_on_made_again_without_the_key(bench: Bench) -> None:
    async with ruling(bench) as ruler:
        seal = await ruler.fetchrow("select * from seal where number = 2")
        row = await ruler.fetchrow(
            "select position from journal where position > $1 and position < $2 order by position offset 3 limit 1",
            seal["first_position"], seal["last_position"],
        )  # fmt: skip
        await ruler.execute("update journal set kind = 'adjustment' where position = $1", row["position"])
        marks = unpacked(seal["marks"])
        assert marks is not None
        kept = [mark for mark in marks if abs(mark.place) < row["position"]]
        digests = await ruler.fetchval(
            "select string_agg(int8send(position) || journal_digest(journal), ''::bytea order by position) "
            "from journal where position between $1 and $2", row["position"], seal["last_position"],
        )  # fmt: skip
        forged = packed(kept) + chained(WRONG_KEY, kept[-1].value, digests)
        says = Sealed(*(seal[column] for column in Sealed._fields))._replace(marks=forged)
        await ruler.execute("update seal set marks = $1, head = $2 where number = 2", forged, head_of(WRONG_KEY, says))
    first = (await bench.audit()).first
    assert first is not None
    assert (first.table, first.position) == ("journal", row["position"])


async def test_the_end_of_the_chain_cut_off_shows_by_the_exported_head_alone(bench: Bench) -> None:
    exported = await bench.head()
    async with ruling(bench) as ruler:
        start = await ruler.fetchval("delete from seal where number = $1 returning first_position", exported.number)
        debt, *_ = await ruler.fetchrow("select id from account where purpose = 'receivable'")
        for table in ("journal", "account_change", "platform_entry"):
            await ruler.execute(f"delete from {table} where position >= $1", start)
        await ruler.execute("update account set (posted, held, seq) = (0, 0, 0) where id = $1", debt)
    assert (await bench.audit()).clean
    report = await bench.audit(exported)
    assert [(finding.table, finding.key) for finding in report.findings] == [("seal", str(exported.number))]
    await bench.move(Kind.CHARGEBACK, DEBT, CLEARING, 1)
    assert await bench.sealer.seal_all()
    report = await bench.audit(exported)
    assert [(finding.table, finding.key) for finding in report.findings] == [("seal", str(exported.number))]


async def test_another_key_fits_nothing(bench: Bench) -> None:
    report = await bench.audit(key=WRONG_KEY)
    assert report.first is not None
    assert report.first.position == 1


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
