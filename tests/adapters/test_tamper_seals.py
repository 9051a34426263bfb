"""Whoever rules the database can change the seals too. Without the key that does not hide what they did to a row."""

from collections.abc import AsyncIterator

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.digest import SEALED_TABLES, Sealed, chained, head_of, packed, unpacked, wire_time
from adapters.postgres.seal import LAST, Sealer
from domain.clock import system_clock
from domain.ledger.chart import Kind
from tests.adapters.ledger_history import CLEARING, DEBT, WRONG_KEY, Bench
from tests.adapters.tampering import (
    ruling,
    tamperable,
)


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with tamperable(database) as bench:
        yield bench


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
        forger = Sealer(connection, WRONG_KEY, system_clock)
        forger._known = tuple(await connection.fetchrow(LAST))
        assert await bench.seal(forger)
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
        kept = [mark for mark in marks if mark.place.position < row["position"]]
        digests = await ruler.fetchval(
            "select string_agg(int8send(position) || journal_digest(journal), ''::bytea order by position) "
            "from journal where position between $1 and $2", row["position"], seal["last_position"],
        )  # fmt: skip
        forged = packed(kept) + chained(WRONG_KEY, kept[-1].value, digests)
        says = Sealed(*(seal[column] for column in Sealed._fields))
        says = says._replace(marks=forged, sealed_at=wire_time(seal["sealed_at"]))
        await ruler.execute("update seal set marks = $1, head = $2 where number = 2", forged, head_of(WRONG_KEY, says))
    first = (await bench.audit()).first
    assert first is not None
    assert (first.table, first.position) == ("journal", row["position"])


async def test_the_end_of_the_chain_cut_off_shows_by_the_exported_head_alone(bench: Bench) -> None:
    exported = await bench.head()
    async with ruling(bench) as ruler:
        start = await ruler.fetchval("delete from seal where number = $1 returning first_position", exported.number)
        debt, *_ = await ruler.fetchrow("select id from account where purpose = 'receivable'")
        for table in (*(table.name for table in SEALED_TABLES), "platform_entry"):
            await ruler.execute(f"delete from {table} where position >= $1", start)
        await ruler.execute("update account set (posted, held, seq) = (0, 0, 0) where id = $1", debt)
    assert (await bench.audit()).clean
    report = await bench.audit(exported)
    assert [(finding.table, finding.key) for finding in report.findings] == [("seal", str(exported.number))]
    await bench.move(Kind.CHARGEBACK, DEBT, CLEARING, 1)
    assert await bench.seal()
    report = await bench.audit(exported)
    assert [(finding.table, finding.key) for finding in report.findings] == [("seal", str(exported.number))]


async def test_another_key_fits_nothing(bench: Bench) -> None:
    report = await bench.audit(key=WRONG_KEY)
    assert report.first is not None
    assert report.first.position == 1
