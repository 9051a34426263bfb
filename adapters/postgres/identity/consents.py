"""What people agreed to: `domain.identity.privacy_stores.Consents` on the connection of one unit of work."""

from dataclasses import replace

from asyncpg import Connection, Record

from domain.identity.privacy import Consent, ConsentPurpose
from domain.ids import PersonId

_LATEST = "select * from consent where person = $1 and purpose = $2 order by position desc limit 1"
_ADD = """
insert into consent (person, purpose, version, given, at, origin) values ($1, $2, $3, $4, $5, $6) returning position
"""


class PostgresConsents:
    """Consents inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def latest(self, person: PersonId, purpose: ConsentPurpose) -> Consent | None:
        """The last word of a person on a purpose."""
        found = await self._connection.fetchrow(_LATEST, person, purpose)
        return consent_of(found) if found else None

    async def add(self, person: PersonId, consent: Consent, origin: bytes | None) -> Consent:
        """Keep one more word; where it came from sealed."""
        position = await self._connection.fetchval(
            _ADD, person, consent.purpose, consent.version, consent.given, consent.at, origin
        )
        return replace(consent, position=position)


def consent_of(record: Record) -> Consent:
    """A row as the domain knows it."""
    purpose = ConsentPurpose(record["purpose"])
    return Consent(purpose, record["version"], record["given"], record["at"], record["position"])
