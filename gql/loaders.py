"""Loaders of one request, named by what they find and by what: many asked for together are one call of a port."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader

from domain.ids import AccountId
from domain.ledger.chart import Purpose
from domain.ledger.model import Balance, Entry
from domain.ledger.ports import AccountView, BalanceRequest, Books, StatementRequest
from domain.wallet.model import TopUp, TopUpId
from domain.wallet.ports import TopUpReads

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")


def _by_key(
    find: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Found]]],
) -> Callable[[list[Key]], Awaitable[Sequence[Found | None]]]:
    """A batch function from one that leaves out what it does not find."""

    async def load(keys: list[Key]) -> Sequence[Found | None]:
        found = await find(keys)
        return [found.get(key) for key in keys]

    return load


class Loaders:
    """What one request, or one event of a subscription, has looked up."""

    def __init__(self, books: Books, top_ups: TopUpReads) -> None:
        self._books = books
        self.wallet_by_id: DataLoader[AccountId, AccountView | None] = DataLoader(_by_key(books.accounts_by_id))
        self.top_up_by_id: DataLoader[TopUpId, TopUp | None] = DataLoader(_by_key(top_ups.top_ups_by_id))
        self.receivables_by_owner: DataLoader[str, Sequence[AccountView]] = DataLoader(self._receivables)
        self.statement_by_request: DataLoader[StatementRequest, Sequence[Entry]] = DataLoader(books.statements)
        self.balance_by_request: DataLoader[BalanceRequest, Balance] = DataLoader(books.balances_at)

    async def _receivables(self, owners: list[str]) -> Sequence[Sequence[AccountView]]:
        found = await self._books.accounts_of(owners, [Purpose.RECEIVABLE])
        return [[account for account in found if account.key.owner == owner] for owner in owners]
