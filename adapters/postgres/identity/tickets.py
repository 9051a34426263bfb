"""Single-use tokens: `domain.identity.ports.Tickets` on the connection of one unit of work."""

from datetime import datetime

from asyncpg import Connection, Record

from domain.identity.model import Ticket, TicketPurpose
from domain.ids import PersonId, SessionId

_ADD = """
insert into ticket (digest, purpose, person, session, body, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (digest) do nothing returning digest
"""
_LOCK = "select * from ticket where digest = $1 for no key update"
_LOCK_OPEN = """
select * from ticket where session = $1 and purpose = $2 and used_at is null order by created_at desc limit 1
for no key update
"""
_COUNT_TRY = "update ticket set tries = tries + 1 where digest = $1 returning tries"
_WITHDRAW = """
delete from ticket where digest in (
    select digest from ticket where person = $1 and purpose = $2 and used_at is null
    order by created_at desc, digest offset $3
)
"""


class PostgresTickets:
    """Single-use tokens inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, ticket: Ticket) -> bool:
        """Store a ticket; False when one of this digest is there already."""
        made = await self._connection.fetchval(
            _ADD, ticket.digest, ticket.purpose, ticket.person, ticket.session, ticket.body, ticket.created_at,
            ticket.expires_at,
        )  # fmt: skip
        return made is not None

    async def lock(self, digest: bytes) -> Ticket | None:
        """A ticket, locked."""
        found = await self._connection.fetchrow(_LOCK, digest)
        return _ticket(found) if found else None

    async def lock_open(self, session: SessionId, purpose: TicketPurpose) -> Ticket | None:
        """A session's newest unused ticket of a purpose, locked."""
        found = await self._connection.fetchrow(_LOCK_OPEN, session, purpose)
        return _ticket(found) if found else None

    async def use(self, digest: bytes, now: datetime) -> None:
        """Note that it was used."""
        await self._connection.execute("update ticket set used_at = $2 where digest = $1", digest, now)

    async def count_try(self, digest: bytes) -> int:
        """Count a guess, and answer how many there were."""
        tries: int = await self._connection.fetchval(_COUNT_TRY, digest)
        return tries

    async def withdraw(self, person: PersonId, purpose: TicketPurpose, *, kept: int = 0) -> None:
        """Delete a person's unused tickets of a purpose, but for so many of the newest."""
        await self._connection.execute(_WITHDRAW, person, purpose, kept)


def _ticket(found: Record) -> Ticket:
    person, session = found["person"], found["session"]
    return Ticket(
        found["digest"], TicketPurpose(found["purpose"]), found["created_at"], found["expires_at"],
        PersonId(person) if person else None, SessionId(session) if session else None, found["body"],
        found["used_at"], found["tries"],
    )  # fmt: skip
