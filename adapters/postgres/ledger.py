"""The ledger on PostgreSQL: one core for both doors. Lock, let the domain decide, write; three statements a batch.

What is locked: accounts with limits, in id order, and with them their holds; a test asserts the plan of `LOCK`, because
the order of locks is what keeps writers free from deadlock. Platform accounts are never locked nor updated here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import Connection

from adapters.postgres.accounts import AccountIndex
from adapters.postgres.journal import COLUMNS, posting_of, read_rows, records_of
from adapters.postgres.lock_order import LockOrder
from domain.clock import Clock
from domain.errors import ConflictError
from domain.ids import AccountId, TransactionId
from domain.ledger.book import AccountState, Book, HeldLine, HoldState
from domain.ledger.chart import Limits
from domain.ledger.decision import decide
from domain.ledger.model import (
    AccountKey,
    AccountStatus,
    Balance,
    Code,
    JournalRow,
    Outcome,
    Transaction,
)

LOCK = """
select id, posted, held, seq, floor, ceiling, status, null::uuid as known from account
where id = any($1::bigint[]) order by id for no key update
"""
_LOCK_AND_LOOK = """
with locked as materialized ({lock} {skip})
select * from locked
union all
select null, null, null, null, null, null, null, transaction_id
from journal where transaction_id = any($2::uuid[]) and line = 0
"""
LOCK_AND_LOOK = _LOCK_AND_LOOK.format(lock=LOCK, skip="")
LOCK_FREE_AND_LOOK = _LOCK_AND_LOOK.format(lock=LOCK, skip="skip locked")
LOOK = "select transaction_id from journal where transaction_id = any($1::uuid[]) and line = 0"
HOLDS = """
select transaction_id, line, remaining, expires_at from hold
where transaction_id = any($1::uuid[]) order by transaction_id, line
"""
REVERSED = """
select ref from journal where ref = any($1::uuid[]) and operation = 'reverse' and refusal is null and line = 0
"""
INSERT_LINE = """
insert into journal (transaction_id, line, operation, kind, refusal, source, target, amount, source_seq,
    source_posted, source_held, target_seq, target_posted, target_held, ref, content, effective_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict do nothing returning line
"""
_UPDATE_ACCOUNTS = """
update account set posted = now.posted, held = now.held, seq = now.seq
from unnest(${}::bigint[], ${}::bigint[], ${}::bigint[], ${}::bigint[]) as now (id, posted, held, seq)
where account.id = now.id
"""
UPDATE = _UPDATE_ACCOUNTS.format(1, 2, 3, 4)
_WRITE_LINE = "with written as ({}), moved as ({} and exists (select from written)) select line from written"
WRITE_LINE = _WRITE_LINE.format(INSERT_LINE, _UPDATE_ACCOUNTS.format(18, 19, 20, 21))
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

    async def decide_one(self, connection: Connection, transaction: Transaction) -> Outcome:
        """Decide a transaction as a part of somebody's unit of work, which goes on whatever the answer is.

        Most ids are new, so that the first try does not look whether this one is: writing it tells. What speaks of
        another transaction is looked up, because its second coming would find that one changed by its first; so is
        one of several lines, of which an earlier one may have fewer, and what is refused without being written.
        """
        for look in (transaction.ref is not None or len(transaction.postings) > 1, True, True):
            (outcome,), written = await self.decide_all(connection, [transaction], wait=True, look=look)
            if written and outcome is not None and (look or outcome.rows):
                return outcome
        raise ConflictError(f"transaction {transaction.id} is being decided elsewhere")

    async def decide_all(
        self, connection: Connection, transactions: Sequence[Transaction], *, wait: bool, look: bool = True
    ) -> Decided:
        """Lock, decide and write. `wait=False` passes over accounts that are locked by somebody else.

        `written=False`: an id was decided by somebody else; nothing was written, begin again and look.
        """
        index = self.index
        refs = list({transaction.ref for transaction in transactions if transaction.ref})
        known = await read_rows(connection, index, refs) if refs else {}
        touched = [_accounts_of(transaction, known) for transaction in transactions]
        keys = {key for keys in touched for key in keys}
        await index.resolve(connection, keys)
        ids = [transaction.id for transaction in transactions] if look else []
        book, decided = await self._locked(connection, keys, ids, wait=wait)
        book.decided.update(known)
        if decided:
            book.decided.update(await read_rows(connection, index, decided))
        if known:
            await self._load_refs(connection, book, list(known))
        now = self._clock()
        passed_over = set() if wait else {key for key in keys if key not in book.accounts and index.id_of(key)}
        outcomes = [
            None if passed_over and not passed_over.isdisjoint(keys) else decide(book, transaction, now)
            for transaction, keys in zip(transactions, touched, strict=True)
        ]
        if refs:
            outcomes = await self._without_second_comings(connection, transactions, outcomes)
        return Decided(outcomes, await self._write(connection, book, alone=wait))

    async def _without_second_comings(
        self, connection: Connection, transactions: Sequence[Transaction], outcomes: list[Outcome | None]
    ) -> list[Outcome | None]:
        """Leave undecided what was refused, without being written, for what its own first coming did a moment ago.

        The look at ids is older than the wait for locks. The journal's key tells of it when something is written.
        """
        refused = [
            transaction.id
            for transaction, outcome in zip(transactions, outcomes, strict=True)
            if transaction.ref and outcome and not outcome.rows and outcome.code is not Code.ID_REUSED
        ]
        late = {record[0] for record in await connection.fetch(LOOK, refused)} if refused else ()
        return [
            None if transaction.id in late else outcome
            for transaction, outcome in zip(transactions, outcomes, strict=True)
        ]

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
        statement = LOCK if not ids else LOCK_AND_LOOK if wait else LOCK_FREE_AND_LOOK
        asked = [list(limited), ids] if ids else [list(limited)]
        for number, posted, held, seq, floor, ceiling, status, decided in await connection.fetch(statement, *asked):
            if decided is None:
                accounts[limited[number]] = AccountState(posted, held, seq, floor, ceiling, _STATUS[status])
            else:
                known.append(decided)
        return Book(accounts), known

    async def _load_refs(self, connection: Connection, book: Book, refs: list[TransactionId]) -> None:
        """Read the holds that are spoken of, and learn which transactions were reversed.

        A hold changes only under the locks of its accounts; where those were passed over, it is not decided about.
        """
        left: dict[TransactionId, list[tuple[int, datetime]]] = {}
        for hold, _, remaining, expires_at in await connection.fetch(HOLDS, refs):
            left.setdefault(hold, []).append((remaining, expires_at))
        for hold in left.keys() & book.decided.keys():
            remains = left[hold]
            postings = [posting_of(row) for row in book.decided[hold]]
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
        records = records_of(book.rows, self.index)
        changed = [(self.index.id_of(key), book.accounts[key]) for key in book.changed]
        figures = (
            [number for number, _ in changed],
            [state.posted for _, state in changed],
            [state.held for _, state in changed],
            [state.seq for _, state in changed],
        )
        if not alone:
            await connection.copy_records_to_table("journal", records=records, columns=COLUMNS)
            await connection.execute(UPDATE, *figures)
        elif len(records) == 1:
            if await connection.fetchval(WRITE_LINE, *records[0], *figures) is None:
                return False
        else:
            written = len(await connection.fetchmany(INSERT_LINE, records))
            if written == 0:
                return False
            if written != len(records):
                raise ConflictError("two transactions of the same id met")
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


class PostgresLedger:
    """The ledger inside one unit of work: `domain.ledger.ports.Ledger`."""

    def __init__(self, connection: Connection, core: LedgerCore, order: LockOrder | None = None) -> None:
        self._connection = connection
        self._core = core
        self._order = order or LockOrder()

    async def open(self, account: AccountKey, limits: Limits | None = None) -> AccountId:
        """Open an account, or answer the number of the one that is there.

        Raises `ConflictError` for limits on a platform account, or for a person's account without any.
        """
        limits = limits or account.purpose.usual_limits
        if account.purpose.is_platform is not (limits.floor is None and limits.ceiling is None):
            raise ConflictError(f"an account for {account.purpose} cannot have {limits}")
        return await self._core.index.open(self._connection, account, limits)

    async def lock(self, accounts: Iterable[AccountKey]) -> Mapping[AccountKey, Balance]:
        """Lock accounts in id order until the unit of work ends. RuntimeError after a change of an unlocked account."""
        accounts = list(accounts)
        self._order.lock(accounts)
        return await self._core.lock(self._connection, accounts)

    async def post(self, transaction: Transaction) -> Outcome:
        """Decide a transaction. Raises `ConflictError` if its id is being used for something else this very moment."""
        self._order.post()
        return await self._core.decide_one(self._connection, transaction)
