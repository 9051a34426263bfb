"""Reads of the ledger outside of units of work: accounts, statements, balances at an instant, the trial balance."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from asyncpg import Record

from adapters.postgres import statements as sql
from adapters.postgres.database import Database
from adapters.postgres.gathering import Gathering
from domain.ids import AccountId, TransactionId
from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Balance, Entry, Operation
from domain.ledger.ports import AccountView, BalanceRequest, EntryFilter, StatementRequest
from domain.money import Currency

_LAST = 2**63 - 1
_PLATFORM = [purpose for purpose in Purpose if purpose.is_platform]
_ALL_LINES = EntryFilter()
_MOST_ACCOUNTS, _MOST_PAGES = 500, 50
"""In one statement, of what many ask for in the same moment."""


class PostgresBooks:
    """`domain.ledger.ports.Books`. Each read is of one moment; a platform account stands as of its last seal."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._accounts = Gathering(self._accounts_by_id, _MOST_ACCOUNTS)
        self._pages = Gathering(self._statements_by_request, _MOST_PAGES)

    async def accounts_by_id(self, ids: Sequence[AccountId]) -> Mapping[AccountId, AccountView]:
        """Accounts by number; unknown numbers are left out."""
        found = await self._accounts.find(ids)
        return {number: found[number] for number in ids if number in found}

    async def _accounts_by_id(self, ids: Sequence[AccountId]) -> Mapping[AccountId, AccountView]:
        views = map(_view, await self._database.pool.fetch(sql.ACCOUNTS_BY_ID, ids, _PLATFORM))
        return {view.id: view for view in views}

    async def accounts_of(self, owners: Sequence[str], purposes: Sequence[Purpose] = ()) -> Sequence[AccountView]:
        """All accounts of some owners (of some purposes, if any are named), by owner, purpose and currency."""
        found = await self._database.pool.fetch(sql.ACCOUNTS_OF, list(owners), _PLATFORM, list(purposes))
        return [_view(record) for record in found]

    async def statements(self, requests: Sequence[StatementRequest]) -> Sequence[Sequence[Entry]]:
        """Lines of accounts with the running balance, for each request in turn; one statement for each order asked for.

        Nothing of an unknown account. A platform account's lines end at its last seal.
        """
        if any(request.only != _ALL_LINES for request in requests):
            return await self._statements(requests)  # a search can be long: nobody else is to wait for it
        found = await self._pages.find(requests)
        return [found[request] for request in requests]

    async def _statements_by_request(
        self, requests: Sequence[StatementRequest]
    ) -> Mapping[StatementRequest, Sequence[Entry]]:
        return dict(zip(requests, await self._statements(requests), strict=True))

    async def _statements(self, requests: Sequence[StatementRequest]) -> Sequence[Sequence[Entry]]:
        found: list[list[Entry]] = [[] for _ in requests]
        for newest_first in {request.newest_first for request in requests}:
            asked = [
                _asked(place, request) for place, request in enumerate(requests) if request.newest_first is newest_first
            ]
            for record in await self._database.pool.fetch(sql.statements(newest_first=newest_first), asked):
                found[record["place"]].append(_entry(record))
        return found

    async def balances_at(self, requests: Sequence[BalanceRequest]) -> Sequence[Balance]:
        """The balances at instants, their own lines included, for each request in turn; one statement for each basis.

        By effect it adds up all lines of an account, and `seq` is the highest of those that count. Nothing, and open,
        before an account was there. A platform account's lines stand in the order of their positions, which may run
        against `recorded_at` by the moment between two writers' steps.
        """
        found: dict[BalanceRequest, Balance] = {}
        for effective in {request.effective for request in requests}:
            asked = [request for request in requests if request.effective is effective]
            records = await self._database.pool.fetch(
                sql.BALANCES_BY_EFFECT if effective else sql.BALANCES_BY_RECORD,
                [request.account for request in asked],
                [request.at for request in asked],
            )
            found |= zip(asked, map(_balance, records), strict=True)
        return [found[request] for request in requests]

    async def trial_balance(self, at: datetime | None = None) -> Sequence[tuple[AccountKey, int]]:
        """Every account's posted balance from entries alone, up to an instant and with it; reads the whole journal."""
        found = await self._database.pool.fetch(sql.TRIAL_BALANCE, at, timeout=sql.PATIENCE_S)
        return [(_key(record), record["posted"]) for record in found]

    async def expired_holds(self, now: datetime, limit: int) -> Sequence[TransactionId]:
        """Holds with something left whose time has passed, oldest first."""
        found = await self._database.pool.fetch(sql.EXPIRED_HOLDS, now, limit)
        return [TransactionId(record["transaction_id"]) for record in found]


def _asked(place: int, request: StatementRequest) -> dict[str, object]:
    """A request as a row; an instant travels as text that PostgreSQL reads."""
    only = request.only
    return {
        "place": place,
        "account": request.account,
        "after": request.after or 0,
        "before": _LAST if request.before is None else request.before,
        "most": request.first,
        "since": only.since and only.since.isoformat(),
        "until": only.until and only.until.isoformat(),
        "kinds": None if only.kinds is None else list(only.kinds),
        "counterpart": only.counterpart,
        "purposes": None if only.counterpart_purposes is None else list(only.counterpart_purposes),
    }


def _key(record: Record, prefix: str = "") -> AccountKey:
    owner, purpose, currency = (record[prefix + part] for part in ("owner", "purpose", "currency"))
    return AccountKey(owner, Purpose(purpose), Currency(currency))


def _view(record: Record) -> AccountView:
    return AccountView(
        AccountId(record["id"]),
        _key(record),
        _balance(record),
        Limits(record["floor"], record["ceiling"]),
    )


def _balance(record: Record) -> Balance:
    return Balance(record["posted"], record["held"], record["seq"], AccountStatus(record["status"]))


def _entry(record: Record) -> Entry:
    return Entry(
        account=_key(record),
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
