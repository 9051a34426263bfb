"""Pages of the audit log: which deeds a filter finds, in what order, and that no page reads more than it must."""

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses, make_database
from adapters.postgres.audit.deeds import BEFORE
from adapters.postgres.deeds import PostgresDeeds, page_query
from adapters.postgres.seal import DIGESTS, UNSEALED_S
from domain.actor import Actor
from domain.audit_log import Deed, DeedFilter
from domain.ids import PersonId, uuid7
from tests.adapters.ledger_history import KEY, Bench, bench_of
from tests.adapters.tampering import ruling
from tests.servers import PASSWORDS, Addresses, drop_database, run

ANI, BUDI, STAFF, NOBODY = (PersonId(uuid7()) for _ in range(4))
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DEEDS = (
    Deed("session.begun", "session:1", Actor(ANI)),
    Deed("person.renamed", "person:2", Actor(BUDI), BUDI),
    Deed("role.added", "role:x", Actor(ANI)),
    Deed("person.renamed", "person:2", about=BUDI),
    Deed("session.begun", "session:2", Actor(ANI, impersonator=STAFF)),
    Deed("person.banned", "person:2", Actor(STAFF), BUDI),
    Deed("role.changed", "role:x", Actor(BUDI)),
    Deed("session.ended", "session:1", Actor(BUDI)),
)
"""At positions 1 to 8, a day after each other."""

FOUND: list[tuple[DeedFilter, list[int]]] = [
    (DeedFilter(), [8, 7, 6, 5, 4, 3, 2, 1]),
    (DeedFilter(actor=ANI), [5, 3, 1]),
    (DeedFilter(impersonator=STAFF), [5]),
    (DeedFilter(about=BUDI), [6, 4, 2]),
    (DeedFilter(target="role:x"), [7, 3]),
    (DeedFilter(target="role:x", actor=BUDI), [7]),
    (DeedFilter(action="role."), [7, 3]),
    (DeedFilter(action="role.changed"), [7]),
    (DeedFilter(action="session"), [8, 5, 1]),
    (DeedFilter(action="session%"), []),
    (DeedFilter(action="x"), []),
    (DeedFilter(action="session", actor=ANI), [5, 1]),
    (DeedFilter(actor=NOBODY), []),
    (DeedFilter(since=START + 3 * DAY), [8, 7, 6, 5, 4]),
    (DeedFilter(until=START + 3 * DAY), [3, 2, 1]),
    (DeedFilter(since=START + 2 * DAY, until=START + 5 * DAY), [5, 4, 3]),
    (DeedFilter(since=START + 2 * DAY, actor=ANI), [5, 3]),
    (DeedFilter(action="session", until=START + 5 * DAY), [5, 1]),
    (DeedFilter(since=START + 30 * DAY), []),
    (DeedFilter(until=START), []),
    (DeedFilter(since=START), [8, 7, 6, 5, 4, 3, 2, 1]),
]


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with bench_of(database) as bench:
        yield bench


@pytest.fixture
def deeds(bench: Bench) -> PostgresDeeds:
    return PostgresDeeds(bench.database, bench.vault, KEY)


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_filters_find_page_by_page(bench: Bench, deeds: PostgresDeeds, size: int) -> None:
    for deed in DEEDS:
        await bench.record(deed)
    async with ruling(bench) as ruler:
        await ruler.execute("update deed set recorded_at = $1::timestamptz + (position - 1) * interval '1 day'", START)
    for only, expected in FOUND:
        found: list[int] = []
        after: int | None = None
        while page := await deeds.page(only, size, after):
            assert len(page) <= size
            after = page[-1].position
            found += [kept.position for kept in page]
        assert found == expected, only


async def test_a_clock_that_was_set_back_hides_no_deed(bench: Bench, deeds: PostgresDeeds) -> None:
    times = [START + timedelta(minutes=minutes) for minutes in (0, 40, 1, 45)]
    for at in times:
        await bench.record(Deed("it.done", at.isoformat()))
    async with ruling(bench) as ruler:
        await ruler.execute("update deed set recorded_at = target::timestamptz")
    found = await deeds.page(DeedFilter(since=times[2], until=times[3]), 9)
    assert [kept.position for kept in found] == [3, 2]


async def test_a_new_deed_does_not_shift_a_page(bench: Bench, deeds: PostgresDeeds) -> None:
    ids: list[UUID] = []
    for _ in range(4):
        deed = Deed("it.done", "it")
        ids.append(deed.id)
        await bench.record(deed)
    first = await deeds.page(DeedFilter(), 2)
    await bench.record(Deed("it.done", "it"))
    rest = await deeds.page(DeedFilter(), 9, first[-1].position)
    assert [kept.id for kept in (*first, *rest)] == ids[::-1]


ROWS = 20_000
FILL = f"""
insert into deed (position, id, actor, impersonator, action, target, about, recorded_at)
select nextval('journal_position'), gen_random_uuid(), md5('person' || n % 3000)::uuid,
    case when n % 100 = 0 then md5('person1')::uuid end, 'thing.done' || n % 40, 'thing:' || n % 5000,
    md5('person' || n % 2000)::uuid, '2026-01-01'::timestamptz + n * interval '1 minute'
from generate_series(1, {ROWS}) n;
insert into deed (position, id, action, target, recorded_at)
select nextval('journal_position'), gen_random_uuid(), 'rare.done', 'it', '2026-01-01'::timestamptz + n * interval '1 s'
from generate_series(1, 3) n;
insert into journal (transaction_id, line, operation, kind, source, target, amount, content)
select gen_random_uuid(), 0, 'move', 'opening_balance', 1, 2, 10, sha256('') from generate_series(1, {ROWS}) n;
insert into seal (number, first_position, last_position, marks, previous, head, sealed_at)
select n, n * 10 - 9, n * 10, '', '', '', now() from generate_series(1, {ROWS // 10}) n;
analyze
"""  # a deed is older than every entry of the ledger: whoever reads the one must not read the other
MIDDLE = START - timedelta(days=40)
PERSON = PersonId(UUID("25bf0679-e076-0ca3-ea96-3b58df09357b"))
"""Busy: it stands on many lines."""


@pytest.fixture(scope="module")
def full(servers: Addresses) -> Iterator[str]:
    name = f"test_{secrets.token_hex(6)}"
    made = run(make_database(servers.superuser_url, name, PASSWORDS, template=servers.template))
    run(_fill(made.superuser_url))
    yield made.superuser_url
    run(drop_database(servers.superuser_url, name))


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    for statement in FILL.split(";\n"):  # each its own transaction: sealers of the whole server wait for long ones
        await connection.execute(statement)
    await connection.close()


async def rows_read(url: str, statement: str, *values: object, mode: str = "force_generic_plan") -> int:
    """How many rows the scans of a statement brought or threw away, all loops of them counted."""
    connection = await asyncpg.connect(url, server_settings={"plan_cache_mode": mode, "jit": "off"})
    try:
        await connection.execute(f"prepare asked as {statement}")
        given = ", ".join(f"'{value}'" for value in values)
        explained = await connection.fetchval(
            f"explain (analyze, format json) execute asked ({given})".replace("()", "")
        )
    finally:
        await connection.close()
    return round(sum(_rows(json.loads(explained)[0]["Plan"])))


def _rows(node: dict[str, Any]) -> Iterator[float]:
    if "Relation Name" in node:
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield (node["Actual Rows"] + removed) * node["Actual Loops"]
    for child in node.get("Plans", []):
        yield from _rows(child)


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("after", [None, ROWS // 2], ids=["first page", "later page"])
@pytest.mark.parametrize(
    ("only", "most"),
    [
        (DeedFilter(), 10), (DeedFilter(actor=PERSON), 10), (DeedFilter(impersonator=PERSON), 10),
        (DeedFilter(about=PERSON), 10), (DeedFilter(target="thing:7"), 10), (DeedFilter(actor=NOBODY), 10),
        (DeedFilter(action="thing.done7"), 10 + 2 * 42), (DeedFilter(action="rare."), 10 + 2 * 42),
        (DeedFilter(action="thing."), 40 * 10 + 2 * 42), (DeedFilter(until=MIDDLE), 10 + 61),
        (DeedFilter(since=MIDDLE), 10 + 61), (DeedFilter(since=MIDDLE, until=MIDDLE + timedelta(hours=1)), 200),
        (DeedFilter(actor=PERSON, action="thing.done1"), 40), (DeedFilter(actor=PERSON, until=MIDDLE), 40),
    ],
)  # fmt: skip
async def test_a_page_reads_little_more_than_it_shows(
    full: str, only: DeedFilter, most: int, after: int | None, mode: str
) -> None:
    statement, values = page_query(only, 10, after)
    assert await rows_read(full, statement, *values, mode=mode) <= most


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_sealing_reads_each_row_of_its_span_once_whichever_table_it_is_in(full: str, mode: str) -> None:
    deeds_only, entries_only, both = 500, ROWS + 500, ROWS - 97
    for reached in (deeds_only, entries_only, both):
        read = await rows_read(full, DIGESTS, reached, reached + 5000, 200, mode=mode)
        assert 200 <= read <= 203, reached
    assert await rows_read(full, DIGESTS, 3 * ROWS, 4 * ROWS, 200, mode=mode) == 0


async def test_the_age_of_what_is_unsealed_is_told_by_one_row_of_each_table(full: str) -> None:
    assert await rows_read(full, UNSEALED_S) <= 6


async def test_the_seal_before_a_position_is_found_by_halving(full: str) -> None:
    for position, number in ((1, 0), (10, 0), (11, 1), (ROWS // 2, ROWS // 20 - 1), (10 * ROWS, ROWS // 10)):
        assert await rows_read(full, BEFORE, position) <= 20
        connection = await asyncpg.connect(full)
        assert await connection.fetchval(BEFORE, position) == number
        await connection.close()
