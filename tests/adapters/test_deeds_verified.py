"""A part of the audit log held against the sealed chain alone: what is wrong in it is named, and nothing elsewhere."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres import seal as seal_module
from adapters.postgres.audit import deeds as deeds_module
from adapters.postgres.audit.rows import Rows, WrittenSeal
from adapters.postgres.deeds import PostgresDeeds
from adapters.postgres.seal import Export
from domain.actor import Actor
from domain.audit_log import Deed
from domain.ledger.chart import Kind
from tests.adapters.ledger_history import ANI, CLEARING, CREDIT, KEY, ORIGIN, WRONG_KEY, Bench
from tests.adapters.tampering import KEYS, OTHER, restored, ruling, tamperable


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with tamperable(database) as bench:
        async with ruling(bench) as ruler:
            await ruler.execute("alter table deed add constraint deed_id unique (id)")  # for deeds of later
        yield bench


@pytest.fixture
def deeds(bench: Bench) -> PostgresDeeds:
    return PostgresDeeds(bench.database, bench.vault, KEY)


async def rows_of(bench: Bench) -> list[tuple[int, UUID]]:
    return [tuple(row) for row in await bench.database.pool.fetch("select position, id from deed order by position")]


async def test_a_history_that_nobody_touched_is_intact(bench: Bench, deeds: PostgresDeeds) -> None:
    rows = await rows_of(bench)
    verified = await deeds.verify()
    assert (verified.intact, verified.deeds, verified.unsealed) == (True, len(rows), 0)
    await bench.record(Deed("kettle.boiled", "kettle"))
    verified = await deeds.verify()
    assert (verified.intact, verified.deeds, verified.unsealed) == (True, len(rows) + 1, 1)


async def test_an_empty_log_is_intact(database: DatabaseAddresses) -> None:
    async with tamperable(database) as bench:
        async with ruling(bench) as ruler:
            for table in (*KEYS, "account", "hold"):
                await ruler.execute(f"delete from {table}")
        verified = await PostgresDeeds(bench.database, bench.vault, KEY).verify()
        assert (verified.intact, verified.deeds) == (True, 0)


async def test_each_span_counts_its_own_deeds(bench: Bench, deeds: PostgresDeeds) -> None:
    positions = [position for position, _ in await rows_of(bench)]
    for first in (None, *positions, positions[-1] + 1000):
        for last in (*positions, positions[-1] + 1000, None):
            verified = await deeds.verify(first, last)
            assert verified.intact, (first, last, verified)
            assert verified.deeds == sum(
                (first is None or position >= first) and (last is None or position <= last) for position in positions
            )


async def test_each_column_of_each_deed(bench: Bench, deeds: PostgresDeeds) -> None:
    rows = await rows_of(bench)
    async with ruling(bench) as ruler:
        for position, id_ in rows:
            for column, other in OTHER["deed"].items():
                async with restored(ruler):
                    await ruler.execute(f"update deed set {column} = {other} where position = $1", position)
                    verified = await deeds.verify(position, position)
                    assert not verified.intact, (position, column)
                    assert (await deeds.verify()).first_wrong == verified.first_wrong
                named = f"deed {position} at" if column == "position" else f"at position {position}: it is not the row"
                assert named in (verified.first_wrong or "")
                assert column in {"id", "position"} or str(id_) in (verified.first_wrong or "")


async def test_a_deed_that_is_missing_and_one_that_is_new(bench: Bench, deeds: PostgresDeeds) -> None:
    rows = await rows_of(bench)
    for position, _ in rows:
        async with ruling(bench) as ruler, restored(ruler):
            await ruler.execute("delete from deed where position = $1", position)
            for span in ((None, None), (position, position), (position, None), (None, position)):
                said = (await deeds.verify(*span)).first_wrong
                assert said == f"deed {position} at position {position}: it was sealed and is missing"
            assert (await deeds.verify(position + 1)).intact
            assert (await deeds.verify(None, position - 1)).intact
    gap = await bench.skip_position()
    await bench.record(Deed("kettle.boiled", "kettle"))
    await bench.seal()
    async with ruling(bench) as ruler:
        for forged in (gap, -3, 1):
            async with restored(ruler):
                await ruler.execute(
                    "insert into deed (position, id, action, target) values ($1, gen_random_uuid(), 'x', 'x')", forged
                )
                said = (await deeds.verify()).first_wrong
                assert said is not None
                assert f"at position {forged}: it was not there" in said
                first = (await bench.audit()).first
                assert first is not None
                assert str(first) == said


async def test_what_happens_elsewhere_does_not_matter_here(bench: Bench, deeds: PostgresDeeds) -> None:
    first, last = (await rows_of(bench))[0][0], (await rows_of(bench))[-1][0]
    async with ruling(bench) as ruler:
        await ruler.execute("update journal set amount = amount + 1 where position between $1 and $2", first, last)
        assert (await deeds.verify()).intact
        assert not (await bench.audit()).clean
        await ruler.execute("update seal set head = sha256(head) where number = 1")
        await ruler.execute("update deed set target = 'x' where position = $1", first)
    assert not (await deeds.verify(first, first)).intact
    start = await bench.database.pool.fetchval("select first_position from seal where number = 3")
    assert (await deeds.verify(start)).intact


@pytest.mark.parametrize("column", OTHER["seal"])
@pytest.mark.parametrize("number", [1, 2, 4])
async def test_a_seal_that_was_tampered_with(bench: Bench, deeds: PostgresDeeds, column: str, number: int) -> None:
    async with ruling(bench) as ruler:
        span = await ruler.fetchrow("select first_position, last_position from seal where number = $1", number)
        await ruler.execute(f"update seal set {column} = {OTHER['seal'][column]} where number = $1", number)
    for asked in ((None, None), tuple(span)):
        said = (await deeds.verify(*asked)).first_wrong
        assert said is not None
        assert said.startswith(f"seal {number}:")


async def test_a_seal_that_is_missing(bench: Bench, deeds: PostgresDeeds) -> None:
    async with ruling(bench) as ruler:
        await ruler.execute("delete from seal where number = 2")
    assert (await deeds.verify()).first_wrong == "seal 2: it is missing"


async def test_another_key_fits_nothing(bench: Bench) -> None:
    said = (await PostgresDeeds(bench.database, bench.vault, WRONG_KEY).verify()).first_wrong
    assert said == "seal 1: its head was not made with the key from what it says"


async def test_a_seal_of_somebody_elses_history_does_not_follow(bench: Bench, deeds: PostgresDeeds) -> None:
    async with ruling(bench) as ruler:
        await ruler.execute("create temporary table later as table seal")
        start = await ruler.fetchval("select first_position from seal where number = 4")
        await ruler.execute("delete from seal where number = 4")
        await bench.record(Deed("kettle.boiled", "kettle"))
        await bench.seal()
        await bench.record(Deed("kettle.boiled", "kettle"))
        await bench.seal()
        await ruler.execute("delete from seal where number = 4")
        await ruler.execute("insert into seal select * from later where number = 4")
    assert (await deeds.verify(start)).first_wrong == "seal 5: it does not follow from the seal before it"


async def test_the_end_cut_off_shows_by_the_exported_head_alone(bench: Bench, tmp_path: Path) -> None:
    file = tmp_path / "heads"
    deeds = PostgresDeeds(bench.database, bench.vault, KEY, file)
    assert (await deeds.verify()).intact
    async with bench.database.direct() as connection:
        await Export(file, lambda: 0.0).offer(connection)
    assert (await deeds.verify()).intact
    rows = await rows_of(bench)
    async with ruling(bench) as ruler:
        start = await ruler.fetchval("delete from seal where number = 4 returning first_position")
        await ruler.execute("delete from deed where position >= $1", start)
    assert (await PostgresDeeds(bench.database, bench.vault, KEY).verify()).intact
    assert (await deeds.verify()).first_wrong == "seal 4: its head was exported, and it is missing"
    assert (await deeds.verify(rows[0][0], rows[0][0])).intact
    await bench.seal()
    assert (await deeds.verify()).first_wrong == "seal 4: another head was exported of it"


async def in_pages(
    deeds: PostgresDeeds, seals: int, first: int | None = None, last: int | None = None
) -> tuple[int, int, str | None]:
    """What a walk along so many seals at a time says to the end, or to the first thing that is wrong."""
    seen = fresh = 0
    while True:
        found = await deeds.verify(first, last, seals)
        seen, fresh = seen + found.deeds, fresh + found.unsealed
        if found.next is None or not found.intact:
            return seen, fresh, found.first_wrong
        assert first is None or found.next > first
        first = found.next


async def test_a_walk_ends_after_as_many_seals_as_were_asked_for(
    bench: Bench, deeds: PostgresDeeds, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Rows.seal_after
    numbers: list[int] = []

    async def noted(self: Rows, number: int) -> WrittenSeal | None:
        numbers.append(number)
        return await read(self, number)

    monkeypatch.setattr(Rows, "seal_after", noted)
    whole = await deeds.verify()
    assert (whole.next, len(numbers)) == (None, 5)
    del numbers[:]
    part = await deeds.verify(seals=2)
    ended = await bench.database.pool.fetchval("select last_position from seal where number = 2")
    assert (part.intact, part.next, numbers) == (True, ended + 1, [0, 1])
    rest = await deeds.verify(part.next)
    assert (rest.next, part.deeds + rest.deeds) == (None, whole.deeds)


async def test_spans_over_many_seals(bench: Bench, deeds: PostgresDeeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_module, "MOST_IN_A_SEAL", 3)
    monkeypatch.setattr(deeds_module, "_MORE_THAN_A_SEAL", 6)
    before = (await rows_of(bench))[-1][0]
    actor = Actor(ANI, origin=ORIGIN)
    for number in range(40):
        await bench.record(Deed("kettle.boiled", f"kettle:{number}", actor))
        await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 5)
    await bench.seal()
    for number in range(10):
        await bench.record(Deed("kettle.cooled", f"kettle:{number}", actor))
    assert await bench.database.pool.fetchval("select count(*) from seal") > 20
    verified = await deeds.verify(before + 1)
    assert (verified.intact, verified.deeds, verified.unsealed) == (True, 50, 10)
    rows = [position for position, _ in await rows_of(bench) if position > before]
    for start in range(0, 40, 7):
        verified = await deeds.verify(rows[start], rows[start + 4])
        assert (verified.intact, verified.deeds, verified.unsealed) == (True, 5, 0)
    for seals in (1, 7):
        assert await in_pages(deeds, seals) == (len(await rows_of(bench)), 10, None)
    assert await in_pages(deeds, 3, rows[5], rows[30]) == (26, 0, None)
    async with ruling(bench) as ruler:
        await ruler.execute("update deed set request_id = 'x' where position = $1", rows[20])
    deeds_before, _, wrong = await in_pages(deeds, 2, rows[0])
    assert wrong is not None
    assert (deeds_before <= 20, f"at position {rows[20]}: it is not the row" in wrong) == (True, True)
    assert (await deeds.verify(rows[21])).intact
    assert (await deeds.verify(rows[0], rows[19])).intact
    said = (await deeds.verify(rows[3], rows[30])).first_wrong
    assert said is not None
    assert f"at position {rows[20]}: it is not the row that was sealed" in said
