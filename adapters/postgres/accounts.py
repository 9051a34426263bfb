"""Names and numbers of accounts. They never change once committed, so that a process may remember them for ever."""

from collections.abc import Iterable

from asyncpg import Connection, Record

from domain.ids import AccountId
from domain.ledger.chart import Limits, Purpose
from domain.ledger.model import AccountKey
from domain.money import Currency

_BY_KEY = """
select a.id, a.owner, a.purpose, a.currency
from unnest($1::text[], $2::text[], $3::text[]) as wanted (owner, purpose, currency)
join account a using (owner, purpose, currency)
"""
_BY_ID = "select id, owner, purpose, currency from account where id = any($1::bigint[])"
_OPEN = """
with opened as (
    insert into account (owner, purpose, currency, floor, ceiling) values ($1, $2, $3, $4, $5)
    on conflict on constraint account_key do nothing
    returning *
), noted as (
    insert into account_change (account, after_seq, owner, purpose, currency, floor, ceiling, status)
    select id, 0, owner, purpose, currency, floor, ceiling, status from opened
)
select id from opened
"""
_FIND = "select id from account where (owner, purpose, currency) = ($1, $2, $3)"


class AccountIndex:
    """Account names to numbers and back, read from the database once.

    A unit of work opens accounts in a `child`; what that learns is forgotten unless it is told to `publish` after
    the commit.
    """

    def __init__(self, parent: "AccountIndex | None" = None) -> None:
        self._parent = parent
        self._ids: dict[AccountKey, AccountId] = {}
        self._keys: dict[AccountId, AccountKey] = {}

    def child(self) -> "AccountIndex":
        """An index that knows what this one knows, and keeps what it learns to itself."""
        return AccountIndex(self)

    def publish(self) -> None:
        """Tell the parent what a unit of work learnt, once it is committed."""
        if self._parent is not None:
            for key, account in self._ids.items():
                self._parent.remember(key, account)

    def remember(self, key: AccountKey, account: AccountId) -> None:
        """Keep a committed account's name and number."""
        self._ids[key], self._keys[account] = account, key

    def id_of(self, key: AccountKey) -> AccountId | None:
        """The number of an account that was resolved before."""
        known = self._ids.get(key)
        return known if known is not None or self._parent is None else self._parent.id_of(key)

    def key_of(self, account: AccountId) -> AccountKey:
        """The name of an account that was resolved before."""
        known = self._keys.get(account)
        if known is None and self._parent is not None:
            return self._parent.key_of(account)
        return self._keys[account]

    def knows(self, account: AccountId) -> bool:
        """Whether the name of an account number was learnt."""
        return account in self._keys or (self._parent is not None and self._parent.knows(account))

    async def resolve(self, connection: Connection, keys: Iterable[AccountKey]) -> None:
        """Learn the numbers of accounts; unknown names stay unknown."""
        missing = [key for key in set(keys) if self.id_of(key) is None]
        if missing:
            self._learn(await connection.fetch(_BY_KEY, *map(list, zip(*missing, strict=True))))

    async def resolve_ids(self, connection: Connection, ids: Iterable[AccountId]) -> None:
        """Learn the names of account numbers."""
        missing = [account for account in set(ids) if not self.knows(account)]
        if missing:
            self._learn(await connection.fetch(_BY_ID, missing))

    async def open(self, connection: Connection, key: AccountKey, limits: Limits) -> AccountId:
        """Open an account, or answer the number of the one that is there."""
        number = await connection.fetchval(_OPEN, *key, limits.floor, limits.ceiling)
        if number is None:
            number = await connection.fetchval(_FIND, *key)
        self.remember(key, AccountId(number))
        return AccountId(number)

    def _learn(self, records: Iterable[Record]) -> None:
        for number, owner, purpose, currency in records:
            self.remember(AccountKey(owner, Purpose(purpose), Currency(currency)), AccountId(number))
