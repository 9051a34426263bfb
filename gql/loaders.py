"""Loaders of one request, named by what they find and by what: many asked for together are one call of a port."""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from domain.actor import Actor
from domain.identity.model import Identity, Person
from domain.identity.ports import SecondFactorsView, SessionView
from domain.ids import AccountId, PersonId
from domain.ledger.chart import Purpose
from domain.ledger.model import Balance, Entry
from domain.ledger.ports import AccountView, BalanceRequest, StatementRequest
from domain.ports import Ports
from domain.wallet.model import TopUp, TopUpId
from gql.staff_loaders import StaffLoaders

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

    def __init__(self, ports: Ports, actor: Actor | None) -> None:
        self._ports, books = ports, ports.books
        self._batched: dict[Callable[..., Any], DataLoader[Any, Any]] = {}
        self.staff = StaffLoaders(ports, actor)
        self.person_by_id: DataLoader[PersonId, Person | None] = DataLoader(_by_key(self._people))
        self.sessions_by_person: DataLoader[PersonId, Sequence[SessionView]] = DataLoader(self._sessions)
        self.identities_by_person: DataLoader[PersonId, Sequence[Identity]] = DataLoader(self._identities)
        self.second_factors_by_person: DataLoader[PersonId, SecondFactorsView] = DataLoader(self._second_factors)
        self.wallet_by_id: DataLoader[AccountId, AccountView | None] = DataLoader(_by_key(books.accounts_by_id))
        self.top_up_by_id: DataLoader[TopUpId, TopUp | None] = DataLoader(_by_key(ports.top_ups.top_ups_by_id))
        self.receivables_by_owner: DataLoader[str, Sequence[AccountView]] = DataLoader(self._receivables)
        self.statement_by_request: DataLoader[StatementRequest, Sequence[Entry]] = DataLoader(books.statements)
        self.balance_by_request: DataLoader[BalanceRequest, Balance] = DataLoader(books.balances_at)

    def of(self, load: Callable[..., Awaitable[Mapping[Any, Any]]]) -> DataLoader[Any, Any]:
        """The loader that finds things by what a batched field looks up with."""
        if load not in self._batched:
            self._batched[load] = DataLoader(_by_key(partial(load, self._ports)))
        return self._batched[load]

    async def _people(self, ids: Sequence[PersonId]) -> Mapping[PersonId, Person]:
        return await self._ports.identity.people.people(ids)

    async def _sessions(self, people: list[PersonId]) -> Sequence[Sequence[SessionView]]:
        found = await self._ports.identity.people.sessions_of(people)
        return [found[person] for person in people]

    async def _identities(self, people: list[PersonId]) -> Sequence[Sequence[Identity]]:
        found = await self._ports.identity.people.identities_of(people)
        return [found[person] for person in people]

    async def _second_factors(self, people: list[PersonId]) -> Sequence[SecondFactorsView]:
        found = await self._ports.identity.people.second_factors_of(people)
        return [found[person] for person in people]

    async def _receivables(self, owners: list[str]) -> Sequence[Sequence[AccountView]]:
        found = await self._ports.books.accounts_of(owners, [Purpose.RECEIVABLE])
        return [[account for account in found if account.key.owner == owner] for owner in owners]
