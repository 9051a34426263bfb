"""The ledger in memory: the domain's own decisions on one book that lasts, behind the protocols of both doors."""

from collections.abc import Iterable, Mapping

from domain.clock import Clock
from domain.errors import ConflictError
from domain.ids import AccountId
from domain.ledger.book import AccountState, Book
from domain.ledger.chart import Limits, Purpose
from domain.ledger.decision import decide
from domain.ledger.model import AccountKey, AccountStatus, Balance, JournalRow, Outcome, Transaction


class FakeLedger:
    """`Ledger`, `Submissions` and `AccountRegister` in one; nothing is ever rolled back."""

    def __init__(self, clock: Clock) -> None:
        self.book = Book({})
        self._clock = clock
        self._numbers: dict[AccountKey, AccountId] = {}

    @property
    def journal(self) -> list[JournalRow]:
        """Every row that was written, in order."""
        return self.book.rows

    async def open(self, account: AccountKey, limits: Limits | None = None) -> AccountId:
        wanted = limits or account.purpose.usual_limits
        if account not in self.book.accounts:
            self.book.accounts[account] = AccountState(floor=wanted.floor, ceiling=wanted.ceiling)
            self._numbers[account] = AccountId(len(self._numbers) + 1)
        return self._numbers[account]

    async def lock(self, accounts: Iterable[AccountKey]) -> Mapping[AccountKey, Balance]:
        known = [key for key in accounts if key in self.book.accounts and not key.purpose.is_platform]
        return {key: self.balance(key) for key in known}

    async def post(self, transaction: Transaction) -> Outcome:
        return decide(self.book, transaction, self._clock())

    async def submit(self, transaction: Transaction) -> Outcome:
        return await self.post(transaction)

    async def set_limits(self, account: AccountKey, limits: Limits) -> None:
        state = self._limited(account)
        if (limits.floor is not None and state.posted - state.held < limits.floor) or (
            limits.ceiling is not None and state.posted > limits.ceiling
        ):
            raise ConflictError(f"{account} is outside of {limits}")
        state.floor, state.ceiling = limits.floor, limits.ceiling

    async def set_status(self, account: AccountKey, status: AccountStatus) -> None:
        state = self._limited(account)
        if status is AccountStatus.CLOSED and (state.posted or state.held or account.purpose is Purpose.RECEIVABLE):
            raise ConflictError(f"{account} must stay open")
        state.status = status

    def balance(self, account: AccountKey) -> Balance:
        """What the account holds now."""
        state = self.book.accounts[account]
        return Balance(state.posted, state.held, state.seq, state.status)

    def _limited(self, account: AccountKey) -> AccountState:
        if account.purpose.is_platform or account not in self.book.accounts:
            raise ConflictError(f"there is no account {account} that has limits")
        return self.book.accounts[account]
