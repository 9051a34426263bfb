"""Loaders of what staff looks up: many asked for together are one call of a port."""

from collections.abc import Sequence

from strawberry.dataloader import DataLoader

from domain.actor import Actor
from domain.identity.desk import Membership
from domain.identity.merging import reasons_of
from domain.identity.model import Identity, MergeRequest
from domain.identity.watching import look_at
from domain.ids import PersonId
from domain.ledger.ports import AccountView
from domain.ports import Ports
from domain.rights import StaffRole
from gql.errors import UnauthenticatedError


class StaffLoaders:
    """What staff has looked up in one request."""

    def __init__(self, ports: Ports, actor: Actor | None) -> None:
        self._ports, self._actor = ports, actor
        self.looked_at: DataLoader[PersonId, bool] = DataLoader(self._look)
        """Whoever shows something of a person waits for this: that it was looked at is written down once a request."""
        self.identities_by_person: DataLoader[PersonId, Sequence[Identity]] = DataLoader(self._identities)
        self.memberships_by_person: DataLoader[PersonId, Sequence[Membership]] = DataLoader(self._memberships)
        self.merged_by_person: DataLoader[PersonId, Sequence[PersonId]] = DataLoader(self._merged)
        self.accounts_by_owner: DataLoader[str, Sequence[AccountView]] = DataLoader(self._accounts)
        self.reason_by_merge: DataLoader[MergeRequest, str | None] = DataLoader(self._reasons)
        self.holders_by_role: DataLoader[StaffRole, Sequence[PersonId]] = DataLoader(self._holders)

    async def _look(self, people: list[PersonId]) -> Sequence[bool]:
        if self._actor is None:
            raise UnauthenticatedError
        await look_at(self._ports.identity, self._actor, people)
        return [True for _ in people]

    async def _identities(self, people: list[PersonId]) -> Sequence[Sequence[Identity]]:
        found = await self._ports.identity.people.identities_of(people)
        return [found[person] for person in people]

    async def _memberships(self, people: list[PersonId]) -> Sequence[Sequence[Membership]]:
        found = await self._ports.desk.memberships_of(people)
        return [found[person] for person in people]

    async def _merged(self, people: list[PersonId]) -> Sequence[Sequence[PersonId]]:
        found = await self._ports.desk.merged_into(people)
        return [found[person] for person in people]

    async def _accounts(self, owners: list[str]) -> Sequence[Sequence[AccountView]]:
        found = await self._ports.books.accounts_of(owners)
        return [[account for account in found if account.key.owner == owner] for owner in owners]

    async def _reasons(self, requests: list[MergeRequest]) -> Sequence[str | None]:
        return await reasons_of(self._ports.identity.vault, requests)

    async def _holders(self, roles: list[StaffRole]) -> Sequence[Sequence[PersonId]]:
        found = await self._ports.desk.holders_of(roles)
        return [found[role] for role in roles]
