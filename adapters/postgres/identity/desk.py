"""What staff looks up: `domain.identity.desk.Desk`, one statement a question, however many it is about."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from adapters.postgres.database import Database
from domain.identity.desk import Membership, MembershipKind, StaffNetwork
from domain.identity.model import MergeRequest
from domain.identity.provider import Provider
from domain.ids import BrandId, PersonId
from domain.rights import Permission, StaffRole

_MOST = 100
_BY_INDEX = """
select id from person where mail_index = $1
union
select person from sign_in_identity where provider = 'password' and subject_index = $1
order by 1 limit $2
"""
_BY_SUBJECT = "select person from sign_in_identity where provider = $1 and subject_index = $2"
_MEMBERSHIPS = """
select id, person, kind, brand, role, created_at from membership
where person = any($1::uuid[]) and ended_at is null order by created_at, id
"""
_MERGED = "select id, survivor from person where survivor = any($1::uuid[]) order by id"
_HOLDERS = """
select role, person from membership
where kind = 'staff' and role = any($1::text[]) and ended_at is null order by created_at, id
"""
_NETWORKS = "select network::text, note, added_by, added_at from staff_network order by staff_network.network"
_OPEN = """
select id, survivor, merged, reason, asked_by, asked_at, decided_by, decided_at, approved
from merge_request where decided_at is null and ($2::uuid is null or id < $2) order by id desc limit $1
"""


class PostgresDesk:
    """Reads for staff."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def people_by_index(self, index: bytes) -> Sequence[PersonId]:
        """Who has an address, or signs in by it."""
        return [PersonId(row["id"]) for row in await self._database.pool.fetch(_BY_INDEX, index, _MOST)]

    async def person_by_identity(self, provider: Provider, index: bytes) -> PersonId | None:
        """Who signs in by a provider's subject."""
        found = await self._database.pool.fetchval(_BY_SUBJECT, provider, index)
        return PersonId(found) if found else None

    async def memberships_of(self, people: Sequence[PersonId]) -> Mapping[PersonId, Sequence[Membership]]:
        """What each belongs to now, oldest first."""
        found: dict[PersonId, list[Membership]] = {person: [] for person in people}
        for row in await self._database.pool.fetch(_MEMBERSHIPS, list(people)):
            person, brand = PersonId(row["person"]), row["brand"]
            found[person].append(
                Membership(
                    row["id"], person, MembershipKind(row["kind"]), BrandId(brand) if brand else None, row["role"],
                    row["created_at"],
                )
            )  # fmt: skip
        return found

    async def merged_into(self, people: Sequence[PersonId]) -> Mapping[PersonId, Sequence[PersonId]]:
        """Who was found to be the same as each."""
        found: dict[PersonId, list[PersonId]] = {person: [] for person in people}
        for row in await self._database.pool.fetch(_MERGED, list(people)):
            found[PersonId(row["survivor"])].append(PersonId(row["id"]))
        return found

    async def roles(self) -> Mapping[StaffRole, frozenset[Permission]]:
        """What each role may do; what an earlier release called a permission is none."""
        rows = await self._database.pool.fetch("select role, permissions from staff_role")
        given = {row["role"]: row["permissions"] for row in rows}
        return {
            role: frozenset(Permission)
            if role is StaffRole.SUPER_ADMIN
            else frozenset(permission for permission in Permission if permission in given[role])
            for role in StaffRole
        }

    async def holders_of(self, roles: Sequence[StaffRole]) -> Mapping[StaffRole, Sequence[PersonId]]:
        """Who has each role, longest first."""
        found: dict[StaffRole, list[PersonId]] = {role: [] for role in roles}
        for row in await self._database.pool.fetch(_HOLDERS, list(roles)):
            found[StaffRole(row["role"])].append(PersonId(row["person"]))
        return found

    async def networks(self) -> Sequence[StaffNetwork]:
        """From where staff may work."""
        return [
            StaffNetwork(row["network"], row["note"], row["added_by"], row["added_at"])
            for row in await self._database.pool.fetch(_NETWORKS)
        ]

    async def open_merges(self, first: int, after: UUID | None) -> Sequence[MergeRequest]:
        """Requests to merge that nobody has decided, newest first."""
        return [MergeRequest(*row) for row in await self._database.pool.fetch(_OPEN, first, after)]
