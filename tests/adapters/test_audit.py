"""What an audit finds in figures alone, where no seal covers the rows yet, and how it goes about it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres import audit as audit_module
from adapters.postgres.audit import audit, rows
from adapters.postgres.digest import ACCOUNT_CHANGE, JOURNAL
from domain.ledger.chart import Kind, Limits
from domain.ledger.model import AccountStatus, Posting, Transaction
from domain.ledger.written import WrittenChange, WrittenRow
from domain.money import Currency, Money
from tests.adapters.ledger_history import (
    CLEARING,
    CREDIT,
    DOLLARS,
    ESCROW,
    KEY,
    LATER,
    PREPAID,
    REVENUE,
    Bench,
    bench_of,
    live_through_everything,
    new_id,
    posting,
)


@pytest.fixture
async def bench(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with bench_of(database) as bench:
        yield bench


def test_everything_that_a_digest_covers_is_read_back_but_times() -> None:
    assert set(JOURNAL.columns) - set(WrittenRow._fields) == {"recorded_at", "effective_at"}
    assert (*WrittenChange._fields, "recorded_at") == ACCOUNT_CHANGE.columns


async def test_an_empty_ledger_is_clean(bench: Bench) -> None:
    report = await bench.audit()
    assert report.clean
    assert (report.rows, report.changes, report.deeds, report.seals, report.unsealed) == (0, 0, 0, 0, 0)


async def test_a_history_that_nobody_touched_is_clean(bench: Bench) -> None:
    await live_through_everything(bench)
    report = await bench.audit(await bench.head())
    assert report.clean, "\n".join(map(str, report.findings))
    assert (report.seals, report.unsealed) == (4, 0)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 5)
    report = await bench.audit(await bench.head())
    assert report.clean
    assert report.unsealed == 1


async def test_it_tells_how_far_it_is(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_module, "MOST_IN_A_SEAL", 7)
    await bench.open(CLEARING, CREDIT)
    for _ in range(30):
        await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 5)
    told: list[tuple[int, int]] = []
    async with bench.database.direct() as connection:
        report = await audit(connection, KEY, progress=lambda reached, last: told.append((reached, last)))
    assert report.clean
    assert [reached for reached, _ in told] == [7, 14, 21, 28, 32, 32]
    assert {last for _, last in told} == {32}


async def test_it_sees_one_moment_while_others_write(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.open(CLEARING, CREDIT)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 5)
    read_window = rows.Rows.window

    async def write_first(self: rows.Rows, after: int, until: int, limit: int) -> list[rows.Read]:
        await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 5)
        await bench.seal()
        return await read_window(self, after, until, limit)

    monkeypatch.setattr(rows.Rows, "window", write_first)
    report = await bench.audit()
    assert report.clean
    assert (report.rows, report.seals) == (1, 0)


UNSEALED = [
    ("amount = amount + 1", "figures after it"),
    ("source_seq = source_seq + 900", "figures after it"),
    ("target_posted = target_posted + 1", "figures after it"),
    ("target_seq = null, target_posted = null, target_held = null", "figures after it"),
    ("source_held = source_held + 1", "figures after it"),
    ("kind = 'escrow_return'", "no escrow_return goes"),
    ("target = 1", "no escrow goes"),
    ("target = 404", "never opened"),
    ("ref = gen_random_uuid()", "does not fit the operation"),
    ("content = null", "digest of the content"),
    ("operation = 'capture', ref = gen_random_uuid()", "no such hold"),
    ("operation = 'reverse', ref = gen_random_uuid()", "nothing that it could reverse"),
    ("refusal = 'account_closed'", "shows other figures"),
    ("amount = -amount", "not positive"),
]


@pytest.mark.parametrize(("change", "what"), UNSEALED)
async def test_a_wrong_figure_is_found_without_a_seal(bench: Bench, change: str, what: str) -> None:
    await bench.open(CLEARING, PREPAID, ESCROW)
    await bench.move(Kind.TOP_UP, CLEARING, PREPAID, 1_000)
    for amount in (100, 200, 300):
        await bench.move(Kind.ESCROW, PREPAID, ESCROW, amount)
    ruler = await asyncpg.connect(bench.addresses.superuser_url)
    await ruler.execute("set session_replication_role = replica")
    await ruler.execute("alter table journal drop constraint if exists journal_well_formed")
    position = await ruler.fetchval(f"update journal set {change} where amount = 200 returning position")
    await ruler.close()
    report = await bench.audit()
    assert report.first is not None
    assert (report.first.table, report.first.position) == ("journal", position)
    assert any(what in finding.what for finding in report.findings), report.findings


async def forge(bench: Bench, transaction: Transaction, **figures: object) -> int:
    """Write one row as the ledger never would; whatever is not given is a null or plain."""
    (kind, source, target, amount), *_ = [
        (line.kind, line.source, line.target, line.amount.minor) for line in transaction.postings
    ]
    numbers = await bench.open(source, target)
    row = {
        "transaction_id": transaction.id, "line": 0, "operation": transaction.operation, "kind": kind,
        "source": numbers[0], "target": numbers[1], "amount": amount, "ref": transaction.ref,
        "content": transaction.content, **figures,
    }  # fmt: skip
    places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
    return int(
        await bench.database.pool.fetchval(
            f"insert into journal ({', '.join(row)}) values ({places}) returning position", *row.values()
        )
    )


def side(name: str, seq: int, posted: int, held: int = 0) -> dict[str, int]:
    return {f"{name}_seq": seq, f"{name}_posted": posted, f"{name}_held": held}


async def first_of(bench: Bench) -> tuple[str, int | None, str]:
    first = (await bench.audit()).first
    assert first is not None
    return first.table, first.position, first.what


async def test_under_the_floor(bench: Bench) -> None:
    transaction = Transaction.move(new_id(), posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 5))
    position = await forge(bench, transaction, **side("source", 1, -5))
    assert await first_of(bench) == ("journal", position, "its source fell under the floor")


async def test_above_the_ceiling(bench: Bench) -> None:
    await bench.open(CREDIT)
    await bench.set_limits(CREDIT, Limits(0, 4))
    transaction = Transaction.move(new_id(), posting(Kind.TOP_UP, CLEARING, CREDIT, 5))
    position = await forge(bench, transaction, **side("target", 1, 5))
    assert await first_of(bench) == ("journal", position, "its target rose above the ceiling")


@pytest.mark.parametrize("status", [AccountStatus.FROZEN, AccountStatus.CLOSED])
async def test_against_the_status_of_that_time(bench: Bench, status: AccountStatus) -> None:
    await bench.open(CREDIT)
    await bench.set_limits(CREDIT, Limits(-100, None))
    await bench.set_status(CREDIT, status)
    transaction = Transaction.move(new_id(), posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 5))
    position = await forge(bench, transaction, **side("source", 1, -5))
    await bench.set_status(CREDIT, AccountStatus.OPEN)
    assert await first_of(bench) == ("journal", position, f"its source was {status} then")


async def test_between_two_currencies(bench: Bench) -> None:
    forged = Posting(Kind.TOP_UP, CLEARING, DOLLARS, Money(5, Currency.USD))
    position = await forge(bench, Transaction.move(new_id(), forged), **side("target", 1, 5))
    assert await first_of(bench) == ("journal", position, "the currencies differ")


async def test_a_capture_of_more_than_was_held(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT, REVENUE)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1_000)
    charge = posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 100)
    hold = Transaction.hold(new_id(), charge, expires_at=LATER)
    await bench.post(hold)
    capture = Transaction.capture(new_id(), hold.id)
    figures = {"operation": "capture", "ref": hold.id, "content": capture.content, **side("source", 3, 850, -50)}
    forged = Transaction.move(capture.id, posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 150))
    position = await forge(bench, forged, **figures)
    assert await first_of(bench) == ("journal", position, "it is not what was left of the hold's line")


async def test_a_reversal_of_another_amount(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT)
    original = await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1_000)
    figures = {"operation": "reverse", "ref": original, **side("source", 2, 1)}
    back = Posting(Kind.TOP_UP, CREDIT, CLEARING, Money(999, Currency.IDR))
    position = await forge(bench, Transaction.move(new_id(), back), **figures)
    assert await first_of(bench) == ("journal", position, "it does not mirror what it reverses")


async def test_a_second_reversal(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT)
    original = await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1_000)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 1_000)
    await bench.post(Transaction.reverse(new_id(), original))
    back = Transaction.move(new_id(), Posting(Kind.TOP_UP, CREDIT, CLEARING, Money(1_000, Currency.IDR)))
    figures = {"operation": "reverse", "ref": original, **side("source", 4, 0)}
    with pytest.raises(asyncpg.UniqueViolationError, match="journal_reversed_once"):
        await forge(bench, back, **figures)
    owner = await asyncpg.connect(bench.addresses.owner_url)
    await owner.execute("drop index journal_reversed_once")
    await owner.close()
    position = await forge(bench, back, **figures)
    await bench.database.pool.execute("update account set (posted, seq) = (0, 4) where purpose = 'hosting_credit'")
    assert await first_of(bench) == ("journal", position, "it was reversed twice")


async def test_a_reversal_of_a_part(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT, PREPAID)
    both = Transaction.move(
        new_id(), posting(Kind.TOP_UP, CLEARING, PREPAID, 50), posting(Kind.TOP_UP, CLEARING, CREDIT, 70)
    )
    await bench.post(both)
    back = Posting(Kind.TOP_UP, CREDIT, CLEARING, Money(70, Currency.IDR))
    figures = {"operation": "reverse", "ref": both.id, **side("source", 2, 0)}
    position = await forge(bench, Transaction.move(new_id(), back), **figures)
    assert await first_of(bench) == ("journal", position, "1 more lines of its transaction are missing")


async def test_lines_that_are_not_each_there_once(bench: Bench) -> None:
    await bench.open(CLEARING, CREDIT)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 10)
    transaction = Transaction.move(new_id(), posting(Kind.TOP_UP, CLEARING, CREDIT, 5))
    await forge(bench, transaction, line=1, content=None, **side("target", 2, 15))
    await bench.database.pool.execute("update account set (posted, seq) = (15, 2) where purpose = 'hosting_credit'")
    table, _, what = await first_of(bench)
    assert (table, "not each there once" in what) == ("journal", True)
