"""The sealer: what it seals and when, and that neither a crash nor a second sealer can spoil the chain."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import pytest
from asyncpg import Connection

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres import seal as seal_module
from adapters.postgres.batcher import Batcher
from adapters.postgres.digest import SEALED_TABLES
from adapters.postgres.ledger import PostgresLedger
from adapters.postgres.seal import Export, Head, NotOurSealError, Sealer, exported_heads, seal_for_ever
from domain.clock import system_clock
from domain.ledger.chart import Kind
from domain.ledger.model import Transaction
from tests.adapters.ledger_history import (
    BANK,
    CLEARING,
    CREDIT,
    KEY,
    REVENUE,
    Bench,
    bench_of,
    live_through_everything,
    new_id,
    posting,
)
from tests.waiting import PATIENCE_S, eventually


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with bench_of(database) as bench:
        yield bench


async def unsealed(bench: Bench) -> int:
    last = await bench.database.pool.fetchval("select coalesce(max(last_position), 0) from seal")
    return int(await bench.database.pool.fetchval("select count(*) from journal where position > $1", last))


def all_sealed(bench: Bench, *sealers: Sealer) -> Callable[[], Awaitable[bool] | bool]:
    """Whether nothing is left to seal, after these sealers have had their turn."""

    async def ask() -> bool:
        await asyncio.gather(*(sealer.seal_all() for sealer in sealers))
        return await unsealed(bench) == 0

    return ask


@asynccontextmanager
async def another_sealer(bench: Bench) -> AsyncIterator[Sealer]:
    async with bench.database.direct() as connection:
        yield Sealer(connection, KEY, system_clock)


@asynccontextmanager
async def sealing(bench: Bench, head_file: Path | None = None) -> AsyncIterator[None]:
    task = asyncio.create_task(seal_for_ever(bench.database, KEY, head_file=head_file, every_s=0.02))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def top_up(bench: Bench, times: int = 1) -> None:
    for _ in range(times):
        await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1_000)


async def test_the_database_and_we_compute_the_same_digests(bench: Bench) -> None:
    await live_through_everything(bench)
    for table in SEALED_TABLES:
        rows = await bench.database.pool.fetch(
            f"select {table.selected}, {table.name}_digest({table.name}) from {table.name}"
        )
        assert rows
        assert all(table.digest(tuple(row)[:-1]) == row[-1] for row in rows)
        assert len({row[-1] for row in rows}) == len(rows)


async def test_platform_accounts_get_their_sequence_and_balance_with_the_seal(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT, REVENUE, BANK)
    await top_up(bench, 3)
    await bench.move(Kind.GATEWAY_SETTLEMENT, BANK, CLEARING, 2_500)
    await bench.seal()
    await top_up(bench)
    await bench.seal()
    rows = await bench.database.pool.fetch(
        "select line.seq, line.posted from platform_entry as line join account on account.id = line.account "
        "where purpose = 'gateway_clearing' order by line.seq"
    )
    assert [tuple(row) for row in rows] == [(1, -1_000), (2, -2_000), (3, -3_000), (4, -500), (5, -1_500)]
    assert (await bench.audit()).clean


async def test_nothing_new_makes_no_seal(bench: Bench) -> None:
    assert await bench.sealer.seal_all() == 0
    await bench.open(CLEARING, CREDIT)
    await top_up(bench)
    assert await bench.seal() == 3
    assert await bench.sealer.seal_all() == 0
    assert await bench.database.pool.fetchval("select count(*) from seal") == 1


async def test_what_does_not_fit_in_one_seal_fills_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_module, "MOST_IN_A_SEAL", 4)
    await bench.open(CLEARING, CREDIT)
    await top_up(bench, 9)
    assert await bench.seal() == 11
    seals = await bench.database.pool.fetch("select first_position, last_position from seal order by number")
    assert [tuple(row) for row in seals] == [(1, 4), (5, 8), (9, 11)]
    assert (await bench.audit()).clean


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_a_sealer_that_was_away_for_long_reads_no_more_than_it_seals(bench: Bench, mode: str) -> None:
    await bench.open(CLEARING, CREDIT)
    await top_up(bench, 100)
    async with bench.database.direct(plan_cache_mode=mode) as connection:
        await connection.execute(f"prepare asked (bigint, bigint, bigint) as {seal_module.DIGESTS}")
        plan = json.loads(await connection.fetchval("explain (analyze, format json) execute asked (20, 102, 16)"))
    waiting = [plan[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        assert node["Actual Rows"] <= 16, node
        waiting += node.get("Plans", [])


async def test_positions_that_rollbacks_took_are_passed_over(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT)
    await top_up(bench)
    async with bench.database.pool.acquire() as connection:
        begun = connection.transaction()
        await begun.start()
        transaction = Transaction.move(new_id(), posting(Kind.TOP_UP, CLEARING, CREDIT, 7))
        assert (await PostgresLedger(connection, bench.core).post(transaction)).posted
        await begun.rollback()
    await bench.seal()
    await bench.skip_position()
    await top_up(bench)
    await bench.skip_position()
    await bench.seal()
    report = await bench.audit()
    assert report.clean
    assert (report.seals, report.rows, report.unsealed) == (2, 2, 0)


async def test_a_late_committer_is_waited_for(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT, BANK)
    await bench.seal()
    async with bench.database.transaction() as late:
        await PostgresLedger(late, bench.core).post(
            Transaction.move(new_id(), posting(Kind.TOP_UP, CLEARING, CREDIT, 1))
        )
        await bench.move(Kind.GATEWAY_SETTLEMENT, BANK, CLEARING, 2)
        for _ in range(3):
            assert await bench.sealer.seal_all() == 0
        async with another_sealer(bench) as other:
            assert await other.seal_all() == 0
    assert await bench.seal() == 2
    assert (await bench.audit()).clean


async def test_two_sealers_at_once_make_one_chain(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal_module, "MOST_IN_A_SEAL", 16)
    await bench.open(CLEARING, CREDIT)
    async with another_sealer(bench) as one, another_sealer(bench) as other:
        batcher = Batcher(bench.database, bench.core)
        async with batcher.running():
            posts = asyncio.gather(*(
                batcher.submit(Transaction.move(new_id(), posting(Kind.TOP_UP, CLEARING, CREDIT, 1)))
                for _ in range(600)
            ))  # fmt: skip
            while not posts.done():
                await asyncio.gather(one.seal_all(), other.seal_all())
            await posts
        await eventually(all_sealed(bench, one, other))
    report = await bench.audit(await bench.head())
    assert report.clean
    assert (report.rows, report.unsealed) == (600, 0)
    assert report.seals >= 600 / 16


async def test_while_one_is_at_it_another_leaves_it_alone(bench: Bench) -> None:
    await bench.open(CLEARING)
    async with bench.database.transaction() as connection:
        assert await connection.fetchval("select pg_try_advisory_xact_lock($1)", seal_module._LOCK)
        assert await bench.sealer.seal_all() == 0
    assert await bench.seal() == 1


async def test_a_crash_within_a_seal_leaves_nothing_of_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.open(CLEARING, CREDIT)
    await top_up(bench)
    with monkeypatch.context() as patch:
        patch.setattr(seal_module, "NUMBER_PLATFORM", "select 1 / 0, $1::bigint, $2::bigint")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await bench.seal()
    assert await bench.database.pool.fetchval("select count(*) from seal") == 0
    assert await bench.seal() == 3
    assert (await bench.audit()).clean


async def test_what_a_crash_kept_from_being_exported_is_exported_at_the_next_start(
    bench: Bench, tmp_path: Path
) -> None:
    file = tmp_path / "heads"
    await bench.open(CLEARING, CREDIT)
    await bench.seal()
    earlier = await bench.head()
    file.write_text(f"{earlier}\n{str(earlier)[:20]}")
    await top_up(bench)
    await bench.seal()
    assert exported_heads(file) == [earlier]
    async with sealing(bench, file):
        await eventually(lambda: len(exported_heads(file)) == 2)
    assert exported_heads(file) == [earlier, await bench.head()]
    assert (await bench.audit(*exported_heads(file))).clean


async def test_heads_are_exported_once_and_only_every_few_seconds(bench: Bench, tmp_path: Path) -> None:
    file, now = tmp_path / "heads", [100.0]
    export = Export(file, lambda: now[0])
    await bench.open(CLEARING, CREDIT)

    async def seal_and_offer() -> Head:
        await bench.seal()
        async with bench.database.direct() as connection:
            await export.offer(connection)
        return await bench.head()

    first = await seal_and_offer()
    await top_up(bench)
    now[0] += 4.9
    await seal_and_offer()
    assert exported_heads(file) == [first]
    now[0] += 0.2
    second = await seal_and_offer()
    now[0] += 10
    await seal_and_offer()
    assert exported_heads(file) == [first, second]


async def test_an_unreadable_export_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "heads"
    file.write_text("1 abc\n")
    with pytest.raises(ValueError, match="unpack"):
        exported_heads(file)


async def test_it_keeps_up_and_comes_back_when_its_connection_is_cut(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT)
    ruler: Connection = await asyncpg.connect(bench.addresses.superuser_url)
    async with sealing(bench):
        for _ in range(3):
            await top_up(bench, 20)
            await eventually(all_sealed(bench), timeout_s=6)
            assert await ruler.fetchval(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity "
                "where application_name = 'gametriggers sealer' and datname = current_database()"
            )
        await top_up(bench)
        await eventually(all_sealed(bench))
    await ruler.close()
    assert (await bench.audit()).clean


async def test_a_sealer_that_stands_still_amid_a_seal_leaves_the_lock_to_another(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal_module, "LONGEST_STANDSTILL", "300ms")
    still = asyncio.Event()

    async def stand_still(*_: object) -> bytes:
        still.set()
        await asyncio.Event().wait()
        raise AssertionError

    await bench.open(CLEARING, CREDIT)
    await top_up(bench)
    with monkeypatch.context() as patch:
        patch.setattr(Sealer, "_marks", stand_still)
        async with sealing(bench):
            await asyncio.wait_for(still.wait(), PATIENCE_S)
            patch.undo()
            await eventually(all_sealed(bench, bench.sealer))
    assert (await bench.audit()).clean


async def test_the_age_of_what_waits_for_a_seal_is_told(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT)
    await top_up(bench)
    for expected in (True, False):
        await Export(None, lambda: 0.0).offer(bench.sealer._connection)
        (figure,) = next(iter(seal_module.UNSEALED.collect())).samples
        assert (figure.value > 0) is expected
        await bench.seal()


async def test_nothing_follows_from_a_seal_that_is_not_ours(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.open(CLEARING, CREDIT)
    await bench.seal()
    await bench.database.pool.execute(
        "insert into seal (number, first_position, last_position, marks, previous, head, sealed_at) "
        "select number + 1, last_position + 1, 9223372036854775807, marks, head, head, sealed_at from seal"
    )
    await top_up(bench)
    with pytest.raises(NotOurSealError, match="seal 2"):
        await bench.sealer.seal_all()
    async with another_sealer(bench) as other:
        with pytest.raises(NotOurSealError, match="seal 2"):
            await other.seal_all()
    assert any("not made with the key" in finding.what for finding in (await bench.audit()).findings)
    told = asyncio.Event()
    monkeypatch.setattr(seal_module._log, "error", lambda *_, **__: told.set())
    async with sealing(bench):
        await asyncio.wait_for(told.wait(), PATIENCE_S)
