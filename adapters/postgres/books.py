"""Reads of the ledger outside of units of work: accounts, statements, balances at an instant, the trial balance."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from adapters.postgres import statements as sql
from adapters.postgres.database import Database
from domain.ids import AccountId, TransactionId
from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Balance, Entry, Operation
from domain.ledger.ports import AccountView, EntryFilter
from domain.money import Currency

_LAST = 2**63 - 1
_INSTANT = timedelta(microseconds=1)
_PLATFORM = [purpose for purpose in Purpose if purpose.is_platform]


class PostgresBooks:
    """`domain.ledger.ports.Books`. Each read is of one moment; a platform account stands as of its last seal."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts_by_id(self, ids: Sequence[AccountId]) -> Mapping[AccountId, AccountView]:
        """Accounts by number; unknown numbers are left out."""
        views = map(_view, await self._database.pool.fetch(sql.ACCOUNTS_BY_ID, list(ids), _PLATFORM))
        return {view.id: view for view in views}

    async def accounts_of(self, owners: Sequence[str], purposes: Sequence[Purpose] = ()) -> Sequence[AccountView]:
        """All accounts of some owners (of some purposes, if any are named), by owner, purpose and currency."""
        found = await self._database.pool.fetch(sql.ACCOUNTS_OF, list(owners), _PLATFORM, list(purposes))
        return [_view(record) for record in found]

    async def statement(
        self, account: AccountId, *, after: int | None, before: int | None, first: int, newest_first: bool,
        only: EntryFilter,
    ) -> Sequence[Entry]:  # fmt: skip
        """Lines of an account with the running balance, between two sequence numbers (exclusive), at most `first`.

        Nothing of an unknown account. A platform account's lines end at its last seal.
        """
        key = await self._key(account)
        if key is None:
            return []
        low, high = after or 0, _LAST if before is None else before
        if only.since is not None:
            low = max(low, await self._seq_before(account, key, only.since))
        if only.until is not None:
            high = min(high, await self._seq_before(account, key, only.until) + 1)
        found = await self._database.pool.fetch(
            sql.statement(platform=key.purpose.is_platform, newest_first=newest_first),
            account, low, high, first, None if only.kinds is None else list(only.kinds), only.counterpart,
            None if only.counterpart_purposes is None else list(only.counterpart_purposes),
        )  # fmt: skip
        return [_entry(key, record) for record in found]

    async def balance_at(self, account: AccountId, at: datetime, *, effective: bool = False) -> Balance:
        """The balance at an instant, its own lines included: by when they were recorded or when they took effect.

        By effect it adds up all lines of the account, and `seq` is the highest of those that count. Nothing, and open,
        before the account was there. A platform account's lines stand in the order of their positions, which may run
        against `recorded_at` by the moment between two writers' steps.
        """
        key = await self._key(account)
        if key is None:
            return Balance(0, 0, 0)
        platform = key.purpose.is_platform
        status = AccountStatus(await self._database.pool.fetchval(sql.STATUS_AT, account, at) or AccountStatus.OPEN)
        if effective:
            figures = await self._database.pool.fetchrow(sql.balance_by_effect(platform=platform), account, at)
        else:
            seq = await self._seq_before(account, key, at + _INSTANT)
            figures = await self._database.pool.fetchrow(sql.balance_after(platform=platform), account, seq)
        posted, held, seq = figures or (0, 0, 0)
        return Balance(posted, held, seq, status)

    async def trial_balance(self, at: datetime | None = None) -> Sequence[tuple[AccountKey, int]]:
        """Every account's posted balance from entries alone, up to an instant and with it; reads the whole journal."""
        found = await self._database.pool.fetch(sql.TRIAL_BALANCE, at, timeout=sql.PATIENCE_S)
        return [(_key(record), record["posted"]) for record in found]

    async def expired_holds(self, now: datetime, limit: int) -> Sequence[TransactionId]:
        """Holds with something left whose time has passed, oldest first."""
        found = await self._database.pool.fetch(sql.EXPIRED_HOLDS, now, limit)
        return [TransactionId(record["transaction_id"]) for record in found]

    async def _key(self, account: AccountId) -> AccountKey | None:
        found = await self._database.pool.fetchrow(sql.KEY, account)
        return _key(found) if found else None

    async def _seq_before(self, account: AccountId, key: AccountKey, at: datetime) -> int:
        """The account's last sequence number recorded before an instant; 0 where there is none."""
        statement = sql.seq_before(platform=key.purpose.is_platform)
        seq: int = await self._database.pool.fetchval(statement, account, at)
        return seq


def _key(record: Record, prefix: str = "") -> AccountKey:
    owner, purpose, currency = (record[prefix + part] for part in ("owner", "purpose", "currency"))
    return AccountKey(owner, Purpose(purpose), Currency(currency))


def _view(record: Record) -> AccountView:
    return AccountView(
        AccountId(record["id"]),
        _key(record),
        Balance(record["posted"], record["held"], record["seq"], AccountStatus(record["status"])),
        Limits(record["floor"], record["ceiling"]),
    )


def _entry(key: AccountKey, record: Record) -> Entry:
    return Entry(
        account=key,
        seq=record["seq"],
        transaction_id=TransactionId(record["transaction_id"]),
        line=record["line"],
        operation=Operation(record["operation"]),
        kind=Kind(record["kind"]),
        counterpart=_key(record, "counterpart_"),
        change=record["change"],
        posted=record["posted"],
        held=record["held"],
        recorded_at=record["recorded_at"],
        effective_at=record["effective_at"],
        ref=TransactionId(record["ref"]) if record["ref"] else None,
    )
