"""Second factors: `domain.identity.ports.SecondFactors` on the connection of one unit of work."""

from asyncpg import Connection

from domain.identity.model import SecondFactor
from domain.ids import PersonId

_ENROLLED = """
select
    exists (select from totp where person = $1 and confirmed_at is not null) as totp,
    exists (select from passkey where person = $1) as passkey,
    exists (select from recovery_code where person = $1 and used_at is null) as recovery_code
"""


class PostgresSecondFactors:
    """Second factors inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def enrolled(self, person: PersonId) -> frozenset[SecondFactor]:
        """What is set up and may be asked for; recovery codes only beside another."""
        found = await self._connection.fetchrow(_ENROLLED, person)
        methods = frozenset(factor for factor in SecondFactor if found[factor])
        return methods if methods - {SecondFactor.RECOVERY_CODE} else frozenset()
