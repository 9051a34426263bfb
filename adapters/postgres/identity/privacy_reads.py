"""What people see of their privacy: `domain.identity.privacy_stores.PrivacyReads`, without locks."""

from collections.abc import AsyncIterator, Sequence

from adapters.postgres.database import Database
from adapters.postgres.identity import consents, erasures, exports
from adapters.postgres.identity.estates import PostgresEstates
from adapters.postgres.identity.personal_rows import rows_of
from domain.identity.privacy import Consent, Erasure, Estate, Export
from domain.identity.privacy_stores import Row, Section
from domain.ids import PersonId
from domain.vault import Vault

_HIGHEST = 2**63 - 1
_CONSENTS = """
select distinct on (purpose) position, purpose, version, given, at from consent where person = any($1::uuid[])
order by purpose, position desc
"""
_HISTORY = """
select position, purpose, version, given, at from consent where person = any($1::uuid[]) and position < $2
order by position desc limit $3
"""
_EXPORT = "select * from personal_export where person = $1 order by asked_at desc, id desc limit 1"
_ERASURE = """
select * from erasure where person = $1 and kept_at is null and done_at is null
"""


class PostgresPrivacyReads:
    """Reads of privacy; personal texts are opened by the vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def consents_of(self, people: Sequence[PersonId]) -> Sequence[Consent]:
        """The last word on each purpose of people who are one."""
        return [consents.consent_of(found) for found in await self._database.pool.fetch(_CONSENTS, list(people))]

    async def consent_history(self, people: Sequence[PersonId], before: int | None, first: int) -> Sequence[Consent]:
        """Every word of people who are one, newest first, from below a position."""
        place = _HIGHEST if before is None else before
        found = await self._database.pool.fetch(_HISTORY, list(people), place, first)
        return [consents.consent_of(record) for record in found]

    async def export_of(self, person: PersonId) -> Export | None:
        """A person's newest export."""
        found = await self._database.pool.fetchrow(_EXPORT, person)
        return exports.export_of(found) if found else None

    async def erasure_of(self, person: PersonId) -> Erasure | None:
        """A person's erasure that is scheduled."""
        found = await self._database.pool.fetchrow(_ERASURE, person)
        return erasures.erasure_of(found) if found else None

    async def estate_of(self, people: Sequence[PersonId]) -> Estate:
        """What people who are one would leave behind."""
        return await PostgresEstates(self._database.pool).of(people)

    def rows(self, section: Section, people: Sequence[PersonId]) -> AsyncIterator[Sequence[Row]]:
        """Everything of a section, page by page, readable."""
        return rows_of(self._database, self._vault, section, people)
