"""Reading the books: statements, balances at an instant, and the plans that keep them fast."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres import statements
from adapters.postgres.books import PostgresBooks
from domain.ids import AccountId
from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountStatus, Balance, Entry, Operation, Transaction
from domain.ledger.ports import BalanceRequest, Books, EntryFilter, StatementRequest
from domain.money import Currency
from tests.adapters.ledger_history import (
    BANK,
    CLEARING,
    CREDIT,
    DOLLARS,
    ESCROW,
    LATER,
    PREPAID,
    REVENUE,
    Bench,
    account,
    bench_of,
    live_through_everything,
    new_id,
    posting,
)

ALL = EntryFilter()
MANY = 100_000


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with bench_of(database) as bench:
        yield bench


@pytest.fixture
def books(bench: Bench) -> Books:
    return PostgresBooks(bench.database)


async def lines(books: Books, number: AccountId, only: EntryFilter = ALL, **where: Any) -> Sequence[Entry]:
    (found,) = await books.statements([StatementRequest(number, only=only, **{"first": 1_000, **where})])
    return found


async def balance_at(books: Books, number: AccountId, at: datetime, *, effective: bool = False) -> Balance:
    (found,) = await books.balances_at([BalanceRequest(number, at, effective)])
    return found


async def test_a_statement_tells_every_line_with_the_balance_after_it(bench: Bench, books: Books) -> None:
    await live_through_everything(bench)
    (number,) = await bench.open(PREPAID)
    found = await lines(books, number)
    assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
    posted = 0
    for entry in found:
        posted += entry.change
        assert (entry.account, entry.posted) == (PREPAID, posted)
        assert (entry.change == 0) == (entry.operation in {Operation.HOLD, Operation.VOID, Operation.EXPIRE})
    first = found[0]
    assert (first.kind, first.counterpart, first.change, first.held) == (Kind.TOP_UP, CLEARING, 900_000, 0)
    assert first.effective_at < first.recorded_at
    held = [(entry.operation, entry.held) for entry in found if entry.counterpart == ESCROW][1:4]
    assert held == [(Operation.HOLD, 40_000), (Operation.CAPTURE, 0), (Operation.HOLD, 40_000)]
    view = (await books.accounts_by_id([number]))[number]
    assert (found[-1].posted, found[-1].held, found[-1].seq) == (
        view.balance.posted, view.balance.held, view.balance.seq,
    )  # fmt: skip


async def test_the_lines_of_a_platform_account_are_those_that_are_sealed(bench: Bench, books: Books) -> None:
    clearing, _, _ = await bench.open(CLEARING, CREDIT, BANK)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1_000)
    await bench.move(Kind.GATEWAY_SETTLEMENT, BANK, CLEARING, 400)
    assert await lines(books, clearing) == []
    assert (await books.accounts_by_id([clearing]))[clearing].balance == Balance(0, 0, 0)
    await bench.seal()
    found = await lines(books, clearing)
    assert [(entry.seq, entry.change, entry.posted, entry.counterpart) for entry in found] == [
        (1, -1_000, -1_000, CREDIT), (2, 400, -600, BANK),
    ]  # fmt: skip
    assert await lines(books, clearing, newest_first=True, first=1) == [found[1]]
    assert await lines(books, clearing, EntryFilter(counterpart=(await bench.open(BANK))[0])) == [found[1]]
    assert (await books.accounts_by_id([clearing]))[clearing].balance == Balance(-600, 0, 2)


async def test_a_statement_is_paged_both_ways(bench: Bench, books: Books) -> None:
    _, credit, _ = await bench.open(CLEARING, CREDIT, REVENUE)
    for _ in range(5):
        await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 10)
        await bench.move(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 1)

    async def numbers(**where: Any) -> list[int]:
        return [entry.seq for entry in await lines(books, credit, **where)]

    assert await numbers(first=3) == [1, 2, 3]
    assert await numbers(after=3, first=3) == [4, 5, 6]
    assert await numbers(newest_first=True, first=3) == [10, 9, 8]
    assert await numbers(newest_first=True, before=8, first=3) == [7, 6, 5]
    assert await numbers(after=4, before=7) == [5, 6]
    assert await numbers(after=10) == []


async def test_a_statement_is_filtered_by_kind_time_and_counterpart(bench: Bench, books: Books) -> None:
    _, credit, revenue = await bench.open(CLEARING, CREDIT, REVENUE)
    for _ in range(3):
        await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 10)
        await bench.move(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 1)
    every = await lines(books, credit)

    async def numbers(only: EntryFilter, **where: Any) -> list[int]:
        return [entry.seq for entry in await lines(books, credit, only, **where)]

    assert await numbers(EntryFilter(kinds=frozenset({Kind.HOSTING_CHARGE}))) == [2, 4, 6]
    assert await numbers(EntryFilter(kinds=frozenset())) == []
    assert await numbers(EntryFilter(counterpart=revenue), newest_first=True, first=2) == [6, 4]
    assert await numbers(EntryFilter(counterpart_purposes=frozenset({Purpose.REVENUE, Purpose.TAX}))) == [2, 4, 6]
    assert await numbers(EntryFilter(counterpart_purposes=frozenset())) == []
    assert await numbers(EntryFilter(since=every[2].recorded_at)) == [3, 4, 5, 6]
    assert await numbers(EntryFilter(until=every[2].recorded_at)) == [1, 2]
    both = EntryFilter(since=every[1].recorded_at, until=every[4].recorded_at, kinds=frozenset({Kind.TOP_UP}))
    assert await numbers(both) == [3]


async def test_many_are_asked_for_at_once_and_answered_in_turn(bench: Bench, books: Books) -> None:
    await live_through_everything(bench)
    numbers = [*await bench.open(CLEARING, CREDIT, REVENUE, PREPAID), AccountId(404)]
    middle = (await lines(books, numbers[3]))[4].recorded_at
    some = EntryFilter(kinds=frozenset({Kind.TOP_UP, Kind.ESCROW}), since=middle)
    pages = [
        StatementRequest(number, first, newest_first=newest_first, only=only)
        for number in numbers
        for first, newest_first, only in ((2, True, ALL), (3, False, some), (2, False, EntryFilter(until=middle)))
    ]
    together = await books.statements(pages)
    assert together == [(await books.statements([page]))[0] for page in pages]
    assert [entry.seq for entry in together[9]] == [entry.seq for entry in await lines(books, numbers[3])][:-3:-1]
    instants = [
        BalanceRequest(number, at, effective)
        for number in numbers for at in (middle, LATER) for effective in (False, True)
    ]  # fmt: skip
    assert await books.balances_at(instants) == [(await books.balances_at([one]))[0] for one in instants]
    assert (await books.statements([]), await books.balances_at([])) == ([], [])


async def test_nothing_is_known_of_unknown_accounts(books: Books) -> None:
    nobody = AccountId(404)
    assert await lines(books, nobody) == []
    assert await books.accounts_by_id([nobody]) == {}
    assert await books.accounts_of(["person:nobody"]) == []
    assert await balance_at(books, nobody, LATER) == Balance(0, 0, 0)
    assert await books.trial_balance() == []


async def test_accounts_of_owners(bench: Bench, books: Books) -> None:
    await live_through_everything(bench)
    found = await books.accounts_of(["person:ani", "brand:kopi"])
    assert [view.key for view in found] == [PREPAID, CREDIT, DOLLARS, account(Purpose.RECEIVABLE, "person:ani")]
    assert found[1].limits == Limits(-10_000, 5_000_000)
    assert found[1].balance.status is AccountStatus.OPEN
    found = await books.accounts_of(["person:ani", "brand:kopi"], [Purpose.BRAND_PREPAID])
    assert [view.key for view in found] == [PREPAID]


@pytest.mark.parametrize("key", [CREDIT, PREPAID, CLEARING, REVENUE])
async def test_the_balance_at_the_instant_of_each_line_and_just_before_it(bench: Bench, books: Books, key: Any) -> None:
    await live_through_everything(bench)
    (number,) = await bench.open(key)
    before = Balance(0, 0, 0)
    for entry in await lines(books, number):
        earlier = await balance_at(books, number, entry.recorded_at - timedelta(microseconds=1))
        at = await balance_at(books, number, entry.recorded_at)
        assert (earlier.posted, earlier.held, earlier.seq) == (before.posted, before.held, before.seq)
        assert (at.posted, at.held, at.seq) == (entry.posted, entry.held, entry.seq)
        before = at
    assert (await balance_at(books, number, LATER)).posted == before.posted


async def test_the_balance_by_when_lines_took_effect(bench: Bench, books: Books) -> None:
    clearing, credit, _ = await bench.open(CLEARING, CREDIT, REVENUE)
    now = datetime.now(UTC)
    yesterday, today, tomorrow = now - timedelta(days=1), now, now + timedelta(days=1)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1_000)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 200, effective_at=yesterday)
    await bench.move(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 30, effective_at=tomorrow)
    hold = Transaction.hold(new_id(), posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 7), expires_at=LATER)
    assert (await bench.post(hold)).posted
    await bench.seal()

    async def posted(number: AccountId, at: datetime) -> int:
        return (await balance_at(books, number, at, effective=True)).posted

    assert [await posted(credit, at) for at in (yesterday - timedelta(days=1), yesterday, today)] == [0, 200, 200]
    assert await posted(credit, tomorrow) == 1_170
    assert await posted(clearing, yesterday) == -200
    assert (await balance_at(books, credit, tomorrow, effective=True)).held == 7
    assert (await balance_at(books, credit, LATER)).seq == 4


async def test_the_status_at_an_instant(bench: Bench, books: Books) -> None:
    (credit,) = await bench.open(CREDIT)
    opened = await bench.database.pool.fetchval("select clock_timestamp()")
    await bench.set_status(CREDIT, AccountStatus.FROZEN)
    assert (await balance_at(books, credit, opened)).status is AccountStatus.OPEN
    assert (await balance_at(books, credit, LATER)).status is AccountStatus.FROZEN


async def test_the_trial_balance_is_zero_in_each_currency_at_any_instant(bench: Bench, books: Books) -> None:
    await live_through_everything(bench)
    instants = await bench.database.pool.fetch("select recorded_at from journal order by position")
    for at in (None, *(row["recorded_at"] for row in instants)):
        totals = dict.fromkeys(Currency, 0)
        for key, posted in await books.trial_balance(at):
            totals[key.currency] += posted
        assert not any(totals.values())
    now = dict(await books.trial_balance())
    views = await books.accounts_of([key.owner for key in now])
    assert {view.key: view.balance.posted for view in views} == now
    assert any(now.values())


async def test_expired_holds_come_oldest_first_and_once(bench: Bench, books: Books) -> None:
    await bench.open(CLEARING, CREDIT, REVENUE, PREPAID, ESCROW)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1_000)
    await bench.move(Kind.TOP_UP, CLEARING, PREPAID, 1_000)
    now = datetime.now(UTC)
    charge, escrow = posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 1), posting(Kind.ESCROW, PREPAID, ESCROW, 1)
    ids = [new_id() for _ in range(4)]
    for id_, minutes in zip(ids, (-1, -3, -2, 5), strict=True):
        await bench.post(Transaction.hold(id_, charge, escrow, expires_at=now + timedelta(minutes=minutes)))
    assert await books.expired_holds(now, 10) == [ids[1], ids[2], ids[0]]
    assert await books.expired_holds(now, 2) == [ids[1], ids[2]]
    await bench.post(Transaction.expire(new_id(), ids[1]))
    assert await books.expired_holds(now, 10) == [ids[2], ids[0]]


FILL = """
with entry as (
    select i, i % 10 = 0 as from_platform, i % 2 = 0 as there, i - i / 10 as first_seq, i + 1 as second_seq,
        timestamptz '2026-01-01 00:00+00' + i * interval '1 second' as at
    from generate_series(0, $1 - 1) as i
)
insert into journal (transaction_id, line, source, target, amount, source_seq, target_seq, source_posted,
    target_posted, source_held, target_held, operation, kind, content, recorded_at)
select gen_random_uuid(), 0, case when from_platform then 3 when there then 1 else 2 end,
    case when there then 2 else 1 end, 1,
    case when from_platform then null when there then first_seq else second_seq end,
    case when there then second_seq else first_seq end, 0, 0, 0, 0, 'move', 'adjustment', '', at
from entry
"""


@pytest.fixture
async def full(bench: Bench) -> Bench:
    """A journal of many rows between two busy accounts, a tenth of them from a platform account."""
    await bench.open(CREDIT, PREPAID, REVENUE)
    owner = await asyncpg.connect(bench.addresses.superuser_url)
    await owner.execute(FILL, MANY)
    await bench.database.pool.execute(
        "insert into platform_entry select 3, row_number() over (order by position), position, 0 from journal "
        "where source = 3"
    )
    await bench.database.pool.execute("update account set seq = $1::bigint - (2 - id) * ($1 / 10) where id < 3", MANY)
    await owner.execute("vacuum analyze journal, platform_entry, account")
    await owner.close()
    return bench


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def plan_of(bench: Bench, statement: str, types: str, arguments: str, mode: str) -> list[dict[str, Any]]:
    """The nodes of the plan of a prepared statement that was run."""
    async with bench.database.direct(plan_cache_mode=mode) as connection:
        await connection.execute(f"prepare asked ({types}) as {statement}")
        found = await connection.fetchval(f"explain (analyze, format json) execute asked ({arguments})")
    return list(nodes(json.loads(found)[0]["Plan"]))


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_page_of_a_statement_reads_no_more_rows_than_it_shows(
    full: Bench, mode: str, newest_first: bool
) -> None:
    asked = [
        {"place": number, "account": number, "after": 4_000, "before": 9_000, "most": 50} for number in (1, 2, 3, 1, 3)
    ]
    for rows in ([asked[0]], [asked[2]], asked, asked * 20):
        plan = await plan_of(
            full, statements.statements(newest_first=newest_first), "jsonb", f"'{json.dumps(rows)}'", mode
        )
        touched = {node["Index Name"] for node in plan if "Index Name" in node and node["Actual Loops"]}
        assert {"journal_source", "journal_target", "platform_entry_pkey"} <= touched, plan
        assert_nothing_is_read_through(plan)
        read = [node["Actual Rows"] * node["Actual Loops"] for node in plan if "Index Name" in node]
        assert max(read) <= 50 * len(rows), plan


def assert_nothing_is_read_through(plan: list[dict[str, Any]]) -> None:
    """Of a handful of accounts PostgreSQL rather reads all; of nothing else."""
    read = {node["Relation Name"] for node in plan if node["Node Type"] in {"Seq Scan", "Bitmap Heap Scan"}}
    assert read <= {"account", "account_change"}, plan


@pytest.mark.parametrize("mode", ["force_generic_plan", "force_custom_plan"])
async def test_an_instant_is_found_by_halving(full: Bench, mode: str) -> None:
    for numbers in ([1], [3], [1, 2, 3]):
        instants = f"array_fill(timestamptz '2026-01-01 12:00+00', array[{len(numbers)}])"
        plan = await plan_of(
            full, statements.BALANCES_BY_RECORD, "bigint[], timestamptz[]", f"array{numbers}, {instants}", mode
        )
        assert_nothing_is_read_through(plan)
        loops = [
            node["Actual Loops"]
            for node in plan
            if node.get("Index Name") in {"journal_source", "journal_target", "journal_position_key"}
        ]
        assert loops
        assert max(loops) <= 18 * len(numbers)
    books = PostgresBooks(full.database)
    at = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)
    found = await books.balances_at([BalanceRequest(AccountId(number), at) for number in (1, 2, 3)])
    assert [balance.seq for balance in found] == [54, 61, 7]
    (page,) = await books.statements([StatementRequest(AccountId(1), 1, only=EntryFilter(since=at, until=LATER))])
    assert [entry.seq for entry in page] == [55]


async def test_expired_holds_are_found_by_their_index(full: Bench) -> None:
    await full.database.pool.execute(
        "insert into hold select gen_random_uuid(), 0, 1, 0, now() from generate_series(1, 20000)"
    )
    plan = await plan_of(
        full, statements.EXPIRED_HOLDS, "timestamptz, bigint", "'2026-06-01', 10", "force_generic_plan"
    )
    assert {node["Index Name"] for node in plan if "Index Name" in node} == {"hold_due"}


async def test_a_crowd_that_asks_in_one_moment_costs_a_statement_or_two(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await live_through_everything(bench)
    books, asked = PostgresBooks(bench.database), list[str]()
    (number,) = await bench.open(CREDIT)
    view, page = (await books.accounts_by_id([number]))[number], await lines(books, number, first=3)
    fetch = bench.database.pool.fetch

    async def counted(query: str, *values: object, **options: Any) -> Any:
        asked.append(query)
        return await fetch(query, *values, **options)

    monkeypatch.setattr(bench.database.pool, "fetch", counted)
    found = await asyncio.gather(*(books.accounts_by_id([number]) for _ in range(200)))
    pages = await asyncio.gather(*(lines(books, number, first=3) for _ in range(200)))
    assert all(each == {number: view} for each in found)
    assert all(each == page for each in pages)
    assert len(asked) == 2
