"""Who belongs to what: `domain.identity.ports.Members` on the connection of one unit of work."""

from asyncpg import Connection

from domain.ids import PersonId
from domain.rights import StaffRole

_STAFF_ROLE = "select role from membership where person = $1 and kind = 'staff' and ended_at is null"


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
