"""People and their ways of signing in: `domain.identity.ports.People` on the connection of one unit of work."""

from datetime import datetime
from uuid import UUID

from asyncpg import Connection

from domain.identity.model import Locale, PersonStatus
from domain.ids import PersonId

_ADD = """
insert into person (id, locale, name, mail, mail_index, mail_verified_at) values ($1, $2, $3, $4, $5, $6)
"""
_LOCK = "select status from person where id = $1 for no key update"
_SET_STATUS = "update person set status = $2, reason = $3, survivor = $4 where id = $1"
_SET_MAIL = "update person set mail = $2, mail_index = $3, mail_verified_at = $4 where id = $1"
_ADD_IDENTITY = """
insert into sign_in_identity (id, person, provider, subject_index, subject) values ($1, $2, $3, $4, $5)
on conflict (provider, subject_index) do nothing returning id
"""
_FIND_IDENTITY = "select id, person from sign_in_identity where provider = $1 and subject_index = $2"
_KEEP_HASH = """
insert into password (person, hash) values ($1, $2)
on conflict (person) do update set hash = excluded.hash, changed_at = clock_timestamp()
"""


class PostgresPeople:
    """People inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self,
        person: PersonId,
        locale: Locale,
        *,
        name: bytes | None,
        mail: bytes | None,
        mail_index: bytes | None,
        mail_verified_at: datetime | None,
    ) -> None:
        """Store a new person."""
        await self._connection.execute(_ADD, person, locale, name, mail, mail_index, mail_verified_at)

    async def lock(self, person: PersonId) -> PersonStatus | None:
        """Be alone with a person until the unit of work ends; None if there is no such."""
        status = await self._connection.fetchval(_LOCK, person)
        return PersonStatus(status) if status else None

    async def set_status(
        self,
        person: PersonId,
        status: PersonStatus,
        *,
        reason: bytes | None = None,
        survivor: PersonId | None = None,
    ) -> None:
        """Change a person's status."""
        await self._connection.execute(_SET_STATUS, person, status, reason, survivor)

    async def set_mail(self, person: PersonId, mail: bytes, mail_index: bytes, verified_at: datetime | None) -> None:
        """Change a person's address."""
        await self._connection.execute(_SET_MAIL, person, mail, mail_index, verified_at)

    async def add_identity(
        self, id_: UUID, person: PersonId, provider: str, subject_index: bytes, subject: bytes
    ) -> bool:
        """Link a way of signing in; False when the subject belongs to somebody already."""
        made = await self._connection.fetchval(_ADD_IDENTITY, id_, person, provider, subject_index, subject)
        return made is not None

    async def find_identity(self, provider: str, subject_index: bytes) -> tuple[UUID, PersonId] | None:
        """Whose identity it is."""
        found = await self._connection.fetchrow(_FIND_IDENTITY, provider, subject_index)
        return (found["id"], PersonId(found["person"])) if found else None

    async def count_identities(self, person: PersonId) -> int:
        """How many ways of signing in a person has."""
        count: int = await self._connection.fetchval("select count(*) from sign_in_identity where person = $1", person)
        return count

    async def remove_identity(self, person: PersonId, id_: UUID) -> bool:
        """Unlink; a password goes with its address. False if the person has no such identity."""
        provider = await self._connection.fetchval(
            "delete from sign_in_identity where id = $1 and person = $2 returning provider", id_, person
        )
        if provider == "password":
            await self._connection.execute("delete from password where person = $1", person)
        return provider is not None

    async def use_identity(self, id_: UUID, now: datetime) -> None:
        """Note that it was signed in with."""
        await self._connection.execute("update sign_in_identity set last_used_at = $2 where id = $1", id_, now)

    async def password_hash(self, person: PersonId) -> str | None:
        """The hash of a person's password; None where they have none."""
        found: str | None = await self._connection.fetchval("select hash from password where person = $1", person)
        return found

    async def set_password(self, person: PersonId, hash_: str) -> None:
        """Keep the hash of a new password."""
        await self._connection.execute(_KEEP_HASH, person, hash_)
