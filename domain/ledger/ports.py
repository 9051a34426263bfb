"""What the ledger needs from a database, and what it offers to every context."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.ids import AccountId, TransactionId
from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Balance, Entry, Outcome, Transaction


class Ledger(Protocol):
    """The ledger inside a unit of work: what is posted here is atomic with the rows of the domain."""

    async def open(self, account: AccountKey, limits: Limits | None = None) -> AccountId:
        """Open an account with its purpose's usual limits, or others. Opening it again answers the same id."""
        ...

    async def lock(self, accounts: Iterable[AccountKey]) -> Mapping[AccountKey, Balance]:
        """Lock accounts in id order until the unit of work ends, and answer their balances; unknown ones are left out.

        At most once in a unit of work, before `post`, and of every account that `post` will touch: one ordered set of
        locks is what keeps units of work free from deadlock.
        """
        ...

    async def post(self, transaction: Transaction) -> Outcome:
        """Decide a transaction. A refusal is an answer to commit, not an exception: its id is burnt.

        One `post` for each unit of work, after the domain's own locks.
        """
        ...


class AccountRegister(Protocol):
    """Changes of an account itself, each kept in an append-only history. By staff and jobs, inside a unit of work."""

    async def set_limits(self, account: AccountKey, limits: Limits) -> None:
        """Change floor and ceiling from now on; refused by `ConflictError` where the balance is already outside."""
        ...

    async def set_status(self, account: AccountKey, status: AccountStatus) -> None:
        """Freeze, thaw or close. Closing an account that holds anything is a `ConflictError`."""
        ...


class Submissions(Protocol):
    """The second door: hot flows whose postings need no rows of the domain beside them."""

    async def submit(self, transaction: Transaction) -> Outcome:
        """Decide a transaction together with other callers' in one database transaction, each with its own outcome.

        Cancelling the caller does not cancel the item. Raises `UnavailableError` when the queue is full or the
        deadline has passed; submitting the same transaction again is always safe.
        """
        ...


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account as it stands: its name, number and balance. A platform account's balance is of its last seal."""

    id: AccountId
    key: AccountKey
    balance: Balance
    limits: Limits


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which lines of a statement to show. Times are `recorded_at`, from inclusive, until exclusive."""

    kinds: frozenset[Kind] | None = None
    since: datetime | None = None
    until: datetime | None = None
    counterpart: AccountId | None = None
    counterpart_purposes: frozenset[Purpose] | None = None


@dataclass(frozen=True, slots=True)
class StatementRequest:
    """A page of an account's statement: at most `first` lines between two sequence numbers (exclusive)."""

    account: AccountId
    first: int
    after: int | None = None
    before: int | None = None
    newest_first: bool = False
    only: EntryFilter = EntryFilter()


@dataclass(frozen=True, slots=True)
class BalanceRequest:
    """An account at an instant: by when lines were recorded or, on request, by when they took effect."""

    account: AccountId
    at: datetime
    effective: bool = False


class Books(Protocol):
    """Reads outside of units of work. Every list takes many ids at once; nothing here locks."""

    async def accounts_by_id(self, ids: Sequence[AccountId]) -> Mapping[AccountId, AccountView]:
        """Accounts by number; unknown numbers are left out."""
        ...

    async def accounts_of(self, owners: Sequence[str], purposes: Sequence[Purpose] = ()) -> Sequence[AccountView]:
        """All accounts of some owners, by purpose and currency."""
        ...

    async def statements(self, requests: Sequence[StatementRequest]) -> Sequence[Sequence[Entry]]:
        """Lines of accounts with the running balance, for each request in turn."""
        ...

    async def balances_at(self, requests: Sequence[BalanceRequest]) -> Sequence[Balance]:
        """The balances at instants, for each request in turn. By effect, an account's whole history is added up."""
        ...

    async def trial_balance(self, at: datetime | None = None) -> Sequence[tuple[AccountKey, int]]:
        """Every account's posted balance from entries alone (at an instant); each currency sums to zero."""
        ...

    async def expired_holds(self, now: datetime, limit: int) -> Sequence[TransactionId]:
        """Holds with something left whose time has passed, oldest first: work for the job that expires them."""
        ...


class Feed(Protocol):
    """Tells that a topic has something new. A hint and nothing more: what is new stands in PostgreSQL."""

    def listen(self, *topics: str) -> AsyncGenerator[int, None]:
        """Numbers published on topics from now on. 0 means: look for yourself (the feed may have missed some).

        Of several topics a number says no more than that one of them has news.
        """
        ...


def wallet_topic(account: AccountId) -> str:
    """The topic of an account's entries; its numbers are the account's sequence."""
    return f"wallet:{account}"
