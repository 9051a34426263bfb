"""The ledger on PostgreSQL: one core for both doors. Lock, let the domain decide, write; three statements a batch.

What is locked: accounts with limits, in id order (then their holds); the plan of `LOCK` is asserted by a test, because
the order of locks is what keeps writers free from deadlock. Platform accounts are never locked nor updated here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import Connection, Record

from adapters.postgres.accounts import AccountIndex
from domain.clock import Clock
from domain.errors import ConflictError
from domain.ids import AccountId, TransactionId
from domain.ledger.book import AccountState, Book, HeldLine, HoldState
from domain.ledger.chart import Kind, Limits
from domain.ledger.decision import decide
from domain.ledger.model import (
    AccountKey,
    AccountStatus,
    Balance,
    Code,
    JournalRow,
    Operation,
    Outcome,
    Posting,
    Side,
    Transaction,
)
from domain.money import Money

_LOCK = """
with locked as materialized (
    select id, posted, held, seq, floor, ceiling, status from account
    where id = any($1::bigint[]) order by id for no key update {skip}
)
select *, null::uuid as known from locked
union all
select null, null, null, null, null, null, null, transaction_id
from journal where transaction_id = any($2::uuid[]) and line = 0
"""
LOCK = _LOCK.format(skip="")
LOCK_FREE = _LOCK.format(skip="skip locked")
ROWS = """
select transaction_id, line, operation, kind, refusal, source, target, amount, source_seq, target_seq,
    source_posted, target_posted, source_held, target_held, ref, content, effective_at
from journal where transaction_id = any($1::uuid[]) order by transaction_id, line
"""
HOLDS = """
select transaction_id, line, remaining, expires_at from hold
where transaction_id = any($1::uuid[]) order by transaction_id, line for no key update
"""
REVERSED = """
select ref from journal where ref = any($1::uuid[]) and operation = 'reverse' and refusal is null and line = 0
"""
COLUMNS = (
    "transaction_id", "line", "operation", "kind", "refusal", "source", "target", "amount", "source_seq",
    "source_posted", "source_held", "target_seq", "target_posted", "target_held", "ref", "content", "effective_at",
)  # fmt: skip
WRITE_ONE = """
with written as (
    insert into journal (transaction_id, line, operation, kind, refusal, source, target, amount, source_seq,
        source_posted, source_held, target_seq, target_posted, target_held, ref, content, effective_at)
    select * from unnest($1::uuid[], $2::smallint[], $3::ledger_operation[], $4::ledger_kind[], $5::ledger_refusal[],
        $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
        $13::bigint[], $14::bigint[], $15::uuid[], $16::bytea[], $17::timestamptz[])
    on conflict do nothing
    returning 1
), moved as (
    update account set posted = now.posted, held = now.held, seq = now.seq
    from unnest($18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[]) as now (id, posted, held, seq)
    where account.id = now.id and (select count(*) from written) = cardinality($1::uuid[])
)
select count(*) from written
"""
UPDATE = """
update account set posted = now.posted, held = now.held, seq = now.seq
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) as now (id, posted, held, seq)
where account.id = now.id
"""
WRITE_HOLDS = """
insert into hold (transaction_id, line, source, remaining, expires_at)
select * from unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bigint[], $5::timestamptz[])
on conflict (transaction_id, line) do update set remaining = excluded.remaining
"""

_STATUS = {str(status): status for status in AccountStatus}


class Decided(NamedTuple):
    """What one round gave: an outcome for each transaction, None where an account was locked by somebody else."""

    outcomes: Sequence[Outcome | None]
    written: bool


class LedgerCore:
    """Decides transactions on a connection that is inside a database transaction; the caller commits."""

    def __init__(self, index: AccountIndex, clock: Clock) -> None:
        self.index = index
        self._clock = clock

    async def decide_all(self, connection: Connection, transactions: Sequence[Transaction], *, wait: bool) -> Decided:
        """Lock, decide and write. `written=False`: an id was decided by somebody else meanwhile, begin again."""
        index = self.index
        refs = list({transaction.ref for transaction in transactions if transaction.ref})
        known = await self._rows(connection, refs) if refs else {}
        touched = [_accounts_of(transaction, known) for transaction in transactions]
        keys = {key for keys in touched for key in keys}
        await index.resolve(connection, keys)
        book, decided = await self._locked(connection, keys, [t.id for t in transactions], wait=wait)
        book.decided.update(known)
        if decided:
            book.decided.update(await self._rows(connection, decided))
        if refs:
            await self._load_refs(connection, book, refs)
        now = self._clock()
        passed_over = set() if wait else {key for key in keys if key not in book.accounts and index.id_of(key)}
        outcomes = [
            None if passed_over and not passed_over.isdisjoint(keys) else decide(book, transaction, now)
            for transaction, keys in zip(transactions, touched, strict=True)
        ]
        return Decided(outcomes, await self._write(connection, book, alone=wait))

    async def lock(self, connection: Connection, keys: Iterable[AccountKey]) -> Mapping[AccountKey, Balance]:
        """Lock accounts that keep figures, in id order, and answer their balances."""
        wanted = list(keys)
        await self.index.resolve(connection, wanted)
        book, _ = await self._locked(connection, wanted, [], wait=True)
        return {
            key: Balance(state.posted, state.held, state.seq, state.status)
            for key, state in book.accounts.items()
            if not key.purpose.is_platform
        }

    async def _locked(
        self, connection: Connection, keys: Iterable[AccountKey], ids: list[TransactionId], *, wait: bool
    ) -> tuple[Book, list[TransactionId]]:
        """A book of the accounts, and which of the ids were decided before."""
        accounts: dict[AccountKey, AccountState] = {}
        limited: dict[AccountId, AccountKey] = {}
        for key in keys:
            number = self.index.id_of(key)
            if number is not None and key.purpose.is_platform:
                accounts[key] = AccountState()
            elif number is not None:
                limited[number] = key
        known: list[TransactionId] = []
        for number, posted, held, seq, floor, ceiling, status, decided in await connection.fetch(
            LOCK if wait else LOCK_FREE, list(limited), ids
        ):
            if decided is None:
                accounts[limited[number]] = AccountState(posted, held, seq, floor, ceiling, _STATUS[status])
            else:
                known.append(decided)
        return Book(accounts), known

    async def _rows(
        self, connection: Connection, ids: Sequence[TransactionId]
    ) -> dict[TransactionId, tuple[JournalRow, ...]]:
        """What the journal says of transactions. A decided posting never changes, so that no lock is needed."""
        records = await connection.fetch(ROWS, ids)
        await self.index.resolve_ids(
            connection, [number for row in records for number in (row["source"], row["target"]) if number is not None]
        )
        found: dict[TransactionId, tuple[JournalRow, ...]] = {}
        for record in records:
            row = self._row(record)
            found[row.transaction_id] = (*found.get(row.transaction_id, ()), row)
        return found

    def _row(self, record: Record) -> JournalRow:
        def side(name: str) -> Side | None:
            if record[name] is None:
                return None
            figures = (record[f"{name}_seq"], record[f"{name}_posted"], record[f"{name}_held"])
            return Side(self.index.key_of(record[name]), *figures)

        return JournalRow(
            record["transaction_id"], record["line"], Operation(record["operation"]),
            Kind(record["kind"]) if record["kind"] else None, Code(record["refusal"]) if record["refusal"] else None,
            side("source"), side("target"), record["amount"], record["ref"], record["content"], record["effective_at"],
        )  # fmt: skip

    async def _load_refs(self, connection: Connection, book: Book, refs: list[TransactionId]) -> None:
        """Lock the holds that are spoken of, and learn which transactions were reversed."""
        left: dict[TransactionId, list[tuple[int, datetime]]] = {}
        for hold, _, remaining, expires_at in await connection.fetch(HOLDS, refs):
            left.setdefault(hold, []).append((remaining, expires_at))
        for hold in left.keys() & book.decided.keys():
            remains = left[hold]
            postings = [_posting(row) for row in book.decided[hold]]
            lines = [HeldLine(posting, rest) for posting, (rest, _) in zip(postings, remains, strict=True)]
            book.holds[hold] = HoldState(lines, remains[0][1])
        book.reversed.update(record[0] for record in await connection.fetch(REVERSED, refs))

    async def _write(self, connection: Connection, book: Book, *, alone: bool) -> bool:
        """Write what was decided; False when an id had been written by somebody else: then nothing is.

        A round of many is copied, at half the cost of an insert, and fails whole. A lone transaction must not break
        the unit of work that it is a part of: it inserts, looks, and touches accounts only if it was first.
        """
        if not book.rows:
            return True
        records = _records(book.rows, self.index)
        changed = [(self.index.id_of(key), book.accounts[key]) for key in book.changed]
        figures = _columns([(number, state.posted, state.held, state.seq) for number, state in changed], 4)
        if alone:
            written = await connection.fetchval(WRITE_ONE, *_columns(records, len(COLUMNS)), *figures)
            if written == 0:
                return False
            if written != len(records):
                raise ConflictError("two transactions of the same id met")
        else:
            await connection.copy_records_to_table("journal", records=records, columns=COLUMNS)
            await connection.execute(UPDATE, *figures)
        if book.changed_holds:
            await self._write_holds(connection, book)
        return True

    async def _write_holds(self, connection: Connection, book: Book) -> None:
        lines = [
            (hold, number, self.index.id_of(line.posting.source), line.remaining, book.holds[hold].expires_at)
            for hold in book.changed_holds
            for number, line in enumerate(book.holds[hold].lines)
        ]
        await connection.execute(WRITE_HOLDS, *map(list, zip(*lines, strict=True)))


def _accounts_of(
    transaction: Transaction, known: Mapping[TransactionId, tuple[JournalRow, ...]]
) -> Iterable[AccountKey]:
    """Every account that the transaction may touch: its own postings', or those of what it speaks of."""
    if transaction.ref is None:
        return [key for posting in transaction.postings for key in (posting.source, posting.target)]
    rows = known.get(transaction.ref, ())
    return [side.account for row in rows for side in (row.source, row.target) if side]


def _posting(row: JournalRow) -> Posting:
    if row.kind is None or row.source is None or row.target is None:
        raise AssertionError(f"posted row {row.transaction_id}/{row.line} names no accounts")
    return Posting(row.kind, row.source.account, row.target.account, Money(row.amount, row.source.account.currency))


_NO_FIGURES = (None, None, None)


def _records(rows: Sequence[JournalRow], index: AccountIndex) -> list[tuple[object, ...]]:
    """The rows as tuples of `COLUMNS`."""
    return [
        (
            transaction_id, line, operation, kind, refusal,
            index.id_of(source.account) if source else None, index.id_of(target.account) if target else None, amount,
            *(source[1:] if source else _NO_FIGURES), *(target[1:] if target else _NO_FIGURES), ref, content,
            effective_at,
        )
        for transaction_id, line, operation, kind, refusal, source, target, amount, ref, content, effective_at in rows
    ]  # fmt: skip


def _columns(records: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Records turned into columns, as `unnest` takes them."""
    return [list(column) for column in zip(*records, strict=True)] or [[] for _ in range(width)]


class PostgresLedger:
    """The ledger inside one unit of work: `domain.ledger.ports.Ledger`."""

    def __init__(self, connection: Connection, core: LedgerCore) -> None:
        self._connection = connection
        self._core = core

    async def open(self, account: AccountKey, limits: Limits | None = None) -> AccountId:
        """Open an account, or answer the number of the one that is there."""
        return await self._core.index.open(self._connection, account, limits or account.purpose.usual_limits)

    async def lock(self, accounts: Iterable[AccountKey]) -> Mapping[AccountKey, Balance]:
        """Lock accounts in id order until the unit of work ends."""
        return await self._core.lock(self._connection, accounts)

    async def post(self, transaction: Transaction) -> Outcome:
        """Decide a transaction. Raises `ConflictError` if its id is being used for something else this very moment."""
        for _ in range(3):
            (outcome,), written = await self._core.decide_all(self._connection, [transaction], wait=True)
            if written and outcome is not None:
                return outcome
        raise ConflictError(f"transaction {transaction.id} is being decided elsewhere")
