"""Loaders of what staff looks up: many asked for together are one call of a port."""

from collections.abc import Mapping, Sequence

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
from gql.lookup import lookup


class StaffLoaders:
    """What staff has looked up in one request."""

    def __init__(self, ports: Ports, actor: Actor | None) -> None:
        self._ports, self._actor = ports, actor

    @lookup
    async def looked_at(self, people: list[PersonId]) -> Sequence[bool]:
        """Whoever shows something of a person waits for this: that it was looked at is written down once a request."""
        if self._actor is None:
            raise UnauthenticatedError
        await look_at(self._ports.identity, self._actor, people)
        return [True for _ in people]

    @lookup
    async def identities_by_person(self, people: list[PersonId]) -> Sequence[Sequence[Identity]]:
        """How people sign in."""
        found = await self._ports.identity.people.identities_of(people)
        return [found[person] for person in people]

    @lookup
    async def memberships_by_person(self, people: list[PersonId]) -> Sequence[Sequence[Membership]]:
        """What people belong to."""
        found = await self._ports.desk.memberships_of(people)
        return [found[person] for person in people]

    @lookup
    async def merged_by_person(self, people: list[PersonId]) -> Sequence[Sequence[PersonId]]:
        """Whom people have become one with."""
        found = await self._ports.desk.merged_into(people)
        return [found[person] for person in people]

    @lookup
    async def accounts_by_owner(self, owners: list[str]) -> Sequence[Sequence[AccountView]]:
        """The accounts of owners."""
        found = await self._ports.books.accounts_of(owners)
        return [[account for account in found if account.key.owner == owner] for owner in owners]

    @lookup
    async def reason_by_merge(self, requests: list[MergeRequest]) -> Sequence[str | None]:
        """Why merges were asked for."""
        return await reasons_of(self._ports.identity.vault, requests)


async def holders(ports: Ports, roles: Sequence[StaffRole]) -> Mapping[StaffRole, Sequence[PersonId]]:
    """Who has each role."""
    return await ports.desk.holders_of(roles)
