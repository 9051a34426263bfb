"""Who belongs to what: `domain.identity.staff_stores.Members` on the connection of one unit of work."""

from datetime import datetime

from asyncpg import Connection

from domain.ids import PersonId, SessionId, uuid7
from domain.rights import Permission, StaffRole

_STAFF_ROLE = "select role from membership where person = $1 and kind = 'staff' and ended_at is null"

_LOCK_STAFF = "select pg_advisory_xact_lock(hashtextextended('staff', 0))"
_WORKS_AS = """
select membership.role from session join person on person.id = session.person
join membership on membership.person = person.id and membership.kind = 'staff' and membership.ended_at is null
where session.id = $2 and session.person = $1 and session.ended_at is null and person.status = 'active'
"""
_SUPER_ADMINS_BESIDE = """
select count(*) from membership join person on person.id = membership.person
where kind = 'staff' and role = 'super_admin' and ended_at is null and person.status = 'active' and person.id <> $1
"""
_END_STAFF = "update membership set ended_at = $2 where person = $1 and kind = 'staff' and ended_at is null"
_BEGIN_STAFF = "insert into membership (id, person, kind, role, created_at) values ($1, $2, 'staff', $3, $4)"
_ADD_NETWORK = """
insert into staff_network (network, note, added_by) values ($1::text::cidr, $2, $3) on conflict (network) do nothing
"""
_REMOVE_NETWORK = "delete from staff_network where network = $1::text::cidr returning network"


class PostgresMembers:
    """Memberships inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def staff_role(self, person: PersonId) -> StaffRole | None:
        """A person's role of staff, if they are."""
        role = await self._connection.fetchval(_STAFF_ROLE, person)
        return StaffRole(role) if role else None

    async def networks(self) -> tuple[str, ...]:
        """The networks that staff may work from."""
        found = await self._connection.fetch("select network::text from staff_network order by network")
        return tuple(record[0] for record in found)

    async def lock_staff(self) -> None:
        """Be alone with roles of staff and their permissions until the unit of work ends."""
        await self._connection.execute(_LOCK_STAFF)

    async def works_as(self, person: PersonId, session: SessionId | None) -> StaffRole | None:
        """The role that somebody has at this moment in a session that has not ended; None for who is not active."""
        role = await self._connection.fetchval(_WORKS_AS, person, session)
        return StaffRole(role) if role else None

    async def super_admins_beside(self, person: PersonId) -> int:
        """How many others are super admins and can sign in."""
        count: int = await self._connection.fetchval(_SUPER_ADMINS_BESIDE, person)
        return count

    async def set_staff_role(self, person: PersonId, role: StaffRole | None, now: datetime) -> None:
        """Give a role of staff, or take it; what was is kept as ended."""
        await self._connection.execute(_END_STAFF, person, now)
        if role is not None:
            await self._connection.execute(_BEGIN_STAFF, uuid7(), person, role, now)

    async def permissions_of(self, role: StaffRole) -> frozenset[Permission]:
        """What a role may do."""
        if role is StaffRole.SUPER_ADMIN:
            return frozenset(Permission)
        found = await self._connection.fetchval("select permissions from staff_role where role = $1", role)
        return frozenset(map(Permission, found))

    async def set_permissions(self, role: StaffRole, permissions: frozenset[Permission]) -> None:
        """Change what a role may do."""
        await self._connection.execute(
            "update staff_role set permissions = $2 where role = $1", role, sorted(permissions)
        )

    async def add_network(self, network: str, note: str, person: PersonId) -> None:
        """Let staff work from a network; one that is there stays."""
        await self._connection.execute(_ADD_NETWORK, network, note, person)

    async def remove_network(self, network: str) -> bool:
        """Take a network out; False if it was not in."""
        return await self._connection.fetchval(_REMOVE_NETWORK, network) is not None
