"""Who is behind an address: `domain.identity.mail_stores.Mailboxes` on the connection of one unit of work."""

from datetime import datetime

from asyncpg import Connection, UniqueViolationError

from domain.identity.mail_stores import KeptPassword
from domain.ids import PersonId

_OWNER = """
select id from (
    select person.id, person.created_at, 0 as after from sign_in_identity join person on person.id = person
    where provider = 'password' and subject_index = $1 and status in ('active', 'banned')
    union all
    select id, created_at, 1 from person
    where mail_index = $1 and mail_verified_at is not null and status in ('active', 'banned')
) as found order by after, created_at, id limit 1
"""
_BEHIND = """
select sign_in_identity.id, password.person, password.hash
from sign_in_identity join password on password.person = sign_in_identity.person
where provider = 'password' and subject_index = $1
"""
_VERIFY = """
update person set mail_verified_at = coalesce(mail_verified_at, $3) where id = $1 and mail_index = $2
"""
_VERIFIED = "select mail_index from person where id = $1 and mail_verified_at is not null"
# Of two passwords' addresses, which people have who were joined, the one goes that is the person's present address.
_MOVE = """
update sign_in_identity set subject_index = $2, subject = $3
where id = (
    select mine.id from sign_in_identity as mine join person on person.id = mine.person
    where mine.person = $1 and mine.provider = 'password'
    order by mine.subject_index is not distinct from person.mail_index desc, mine.created_at, mine.id limit 1
) and not exists (
    select from sign_in_identity as same where same.person = $1 and provider = 'password' and subject_index = $2
)
"""


class PostgresMailboxes:
    """Addresses inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def owner(self, mail_index: bytes) -> PersonId | None:
        """Who signs in with the address and a password; else the first person whose verified address it is."""
        found = await self._connection.fetchval(_OWNER, mail_index)
        return PersonId(found) if found else None

    async def password(self, mail_index: bytes) -> KeptPassword | None:
        """The password that an address signs in with."""
        found = await self._connection.fetchrow(_BEHIND, mail_index)
        return KeptPassword(found["id"], PersonId(found["person"]), found["hash"]) if found else None

    async def verify(self, person: PersonId, mail_index: bytes, now: datetime) -> None:
        """Note that a person reads the mail of an address, if it is the one that they have."""
        await self._connection.execute(_VERIFY, person, mail_index, now)

    async def verified(self, person: PersonId) -> bytes | None:
        """The digest of the address that a person proved to read the mail of, if they did."""
        found: bytes | None = await self._connection.fetchval(_VERIFIED, person)
        return found

    async def move_password(self, person: PersonId, mail_index: bytes, subject: bytes) -> bool:
        """Let a person's password go with another address; False when that is somebody else's, and all is undone."""
        try:
            await self._connection.execute(_MOVE, person, mail_index, subject)
        except UniqueViolationError:
            return False
        return True
