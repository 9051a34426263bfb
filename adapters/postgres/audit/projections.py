"""Holds what is derived against what the rows gave: balances, holds, and what only the whole table can show."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from uuid import UUID

from asyncpg import Connection, Record

from adapters.postgres.audit.earnings import against_earnings
from adapters.postgres.audit.invoices import against_invoices
from adapters.postgres.digest import for_each_table
from domain.ids import TransactionId
from domain.ledger.audit import Finding, Report
from domain.ledger.chart import Kind
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.ledger.replay import Replay, ReplayedAccount, ReplayedHold
from domain.money import Currency, Money

_PATIENCE_S = 3600
_PAGE = 10_000

_ACCOUNTS = """
select id, owner, purpose, currency, floor, ceiling, status, posted, held, seq from account
where id > $1 order by id limit $2
"""
_LIVE_HOLDS = """
select transaction_id, line, remaining,
    case when expires_at between '0002-01-01' and '9999-01-01' then expires_at end as expires_at
from hold
where remaining <> 0 order by transaction_id, line
"""
_UNFOUNDED_HOLDS = """
select hold.transaction_id, hold.line from hold
where not exists (
    select from journal
    where (journal.transaction_id, journal.line, journal.source) = (hold.transaction_id, hold.line, hold.source)
        and operation = 'hold' and refusal is null
)
order by 1, 2 limit $1
"""
_MISSING_HOLDS = """
select position, transaction_id, line from journal
where operation = 'hold' and refusal is null and not exists (
    select from hold where (hold.transaction_id, hold.line) = (journal.transaction_id, journal.line)
)
order by position limit $1
"""
_IDS = """
select min(position), transaction_id, count(*), count(distinct line), min(line), max(line) from journal
group by transaction_id
having count(*) <> max(line) + 1 or count(distinct line) <> count(*) or min(line) <> 0
order by 1 limit $1
"""
_REVERSED_TWICE = """
select max(position), ref from journal where operation = 'reverse' and refusal is null and line = 0
group by ref having count(*) > 1 order by 1 limit $1
"""
_COUNTS = f"select {for_each_table('(select count(*) from {table})', ', ')}"  # noqa: S608  # our own tables
_SHARED = f"rows share positions ({for_each_table('{table}', ', ')})"
_MOST = 100


async def against_projections(
    connection: Connection, replay: Replay, report: Report
) -> AsyncIterator[Iterable[Finding]]:
    """Everything that can be wrong beside the rows themselves, in the snapshot of the walk."""

    async def fetch(query: str, *arguments: object) -> list[Record]:
        found: list[Record] = await connection.fetch(query, *arguments, timeout=_PATIENCE_S)
        return found

    for position, transaction, *figures in await fetch(_IDS, _MOST):
        what = "its lines are not each there once (rows, lines, first, last)"
        yield [Finding("journal", str(transaction), position, what, None, str(tuple(figures)))]
    for position, ref in await fetch(_REVERSED_TWICE, _MOST):
        yield [Finding("journal", str(ref), position, "it was reversed twice")]
    counted, walked = tuple((await fetch(_COUNTS))[0]), (report.rows, report.changes, report.deeds)
    if counted != walked:
        yield [Finding("journal", "*", None, _SHARED, str(walked), str(counted))]
    totals: Counter[Currency] = Counter()
    seen: set[int] = set()
    while page := await fetch(_ACCOUNTS, max(seen, default=-(2**63)), _PAGE):
        seen.update(record["id"] for record in page)
        yield [finding for record in page for finding in _against_account(record, replay, totals)]
    yield (
        Finding("account", str(number), None, "it was opened and is missing", str(tuple(account.key)))
        for number, account in replay.accounts.items()
        if number not in seen
    )
    yield _against_zero(replay, totals)
    yield _against_holds(replay, await fetch(_LIVE_HOLDS))
    yield _listed("hold", "the journal knows no such hold", await fetch(_UNFOUNDED_HOLDS, _MOST))
    for position, transaction, line in await fetch(_MISSING_HOLDS, _MOST):
        yield [Finding("hold", f"{transaction}/{line}", position, "it is missing")]
    for against in (against_earnings, against_invoices):
        async for findings in against(fetch):
            yield findings


def _against_account(record: Record, replay: Replay, totals: Counter[Currency]) -> Iterator[Finding]:
    number, *stands = record
    account = replay.accounts.get(number)
    if account is None:
        yield Finding("account", str(number), None, "nobody opened it", None, str(tuple(stands)))
        return
    totals[account.key.currency] += record["posted"]
    expected = (*account.key, account.floor, account.ceiling, account.status, *_figures(account))
    if tuple(stands) != expected:
        what = "it is not what its entries give (owner, purpose, currency, floor, ceiling, status, posted, held, seq)"
        said = [str(tuple(None if value is None else str(value) for value in row)) for row in (expected, stands)]
        yield Finding("account", str(number), None, what, *said)


def _figures(account: ReplayedAccount) -> tuple[int, int, int]:
    return (0, 0, 0) if account.key.purpose.is_platform else (account.posted, account.held, account.seq)


def _against_zero(replay: Replay, totals: Counter[Currency]) -> Iterator[Finding]:
    for account in replay.accounts.values():
        if account.key.purpose.is_platform:
            totals[account.key.currency] += account.posted
    for currency, total in totals.items():
        if total:
            yield Finding("account", str(currency), None, "all its balances do not sum to zero", "0", str(total))


def _against_holds(replay: Replay, records: Iterable[Record]) -> Iterator[Finding]:
    left: dict[UUID, dict[int, int]] = {}
    expiries: dict[UUID, set[datetime | None]] = {}
    for transaction, line, remaining, expires_at in records:
        left.setdefault(transaction, {})[line] = remaining
        expiries.setdefault(transaction, set()).add(expires_at)
    for transaction in left.keys() - replay.holds.keys():
        yield Finding("hold", str(transaction), None, "nothing is left of it", "0", str(left[transaction]))
    for transaction, hold in replay.holds.items():
        expected = {line: remaining for line, remaining in enumerate(hold.remaining) if remaining}
        found = left.get(transaction, {})
        if found != expected:
            yield Finding("hold", str(transaction), None, "what is left of its lines", str(expected), str(found))
        for expires_at in expiries.get(transaction, ()):
            if expires_at is None or _content(hold, expires_at, replay) != hold.rows[0].content:
                yield Finding("hold", str(transaction), None, "it was not to expire then", None, str(expires_at))


def _content(hold: ReplayedHold, expires_at: datetime, replay: Replay) -> bytes | None:
    """The digest of what was asked for, if the hold was asked for until then; None where nobody can have asked it."""
    try:
        postings = [
            Posting(Kind(row.kind or ""), source, target, Money(row.amount, source.currency))
            for row in hold.rows
            for source, target in [_parties(replay, row.source, row.target)]
        ]
    except (TypeError, ValueError):
        return None
    return Transaction.hold(TransactionId(hold.rows[0].transaction_id), *postings, expires_at=expires_at).content


def _parties(replay: Replay, source: int | None, target: int | None) -> tuple[AccountKey, AccountKey]:
    return replay.accounts[source or 0].key, replay.accounts[target or 0].key


def _listed(table: str, what: str, records: Iterable[Record]) -> Iterator[Finding]:
    for record in records:
        yield Finding(table, "/".join(map(str, record)), None, what)
