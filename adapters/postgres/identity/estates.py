"""What people would leave behind: `domain.identity.privacy_stores.Estates`, a few statements about what is theirs."""

from collections.abc import Sequence
from typing import Any, Protocol

from domain.identity.privacy import Estate
from domain.ids import PersonId
from domain.ledger.chart import Purpose
from domain.money import Currency, Money

_BALANCES = """
select purpose, currency, posted from account where owner = any($1::text[]) and posted <> 0 order by purpose, currency
"""
_OPEN_TOP_UPS = """
select count(*) from top_up
where person = any($1::uuid[]) and state in ('requested', 'pending', 'challenged', 'in_review')
"""
_OPEN_MINUTES = """
select count(*) from participation join earning_minute on earning_minute.participation = participation.id
where participation.person = any($1::uuid[]) and earning_minute.state not in ('paid', 'returned', 'unpaid')
"""
_SOLE_BRANDS = """
select count(*) from membership as mine
where person = any($1::uuid[]) and kind = 'brand' and role = 'owner' and ended_at is null and not exists (
    select from membership as other join person on person.id = other.person
    where other.brand = mine.brand and other.kind = 'brand' and other.role = 'owner' and other.ended_at is null
        and other.person <> all($1::uuid[]) and person.status in ('active', 'banned')
)
"""
# An account knows the number of its last line; each of the two looks goes by the index of that number.
_LAST_MOVEMENT = """
select max(moved.recorded_at) from account cross join lateral (
    select recorded_at from journal where source = account.id and source_seq = account.seq
    union all
    select recorded_at from journal where target = account.id and target_seq = account.seq
) as moved
where account.owner = any($1::text[])
"""


class Asks(Protocol):
    """A connection, or a pool of them."""

    async def fetch(self, query: str, *values: Any) -> Any:
        """All rows."""
        ...

    async def fetchval(self, query: str, *values: Any) -> Any:
        """The first value."""
        ...


class PostgresEstates:
    """Estates, inside a unit of work or beside any."""

    def __init__(self, connection: Asks) -> None:
        self._connection = connection

    async def of(self, people: Sequence[PersonId]) -> Estate:
        """What these people have together; they are one person under several ids."""
        owners, ids = [f"person:{person}" for person in people], list(people)
        rows = await self._connection.fetch(_BALANCES, owners)
        found = [(Purpose(row["purpose"]), Money(row["posted"], Currency(row["currency"]))) for row in rows]
        return Estate(
            balances=tuple((purpose, money) for purpose, money in found if purpose is not Purpose.RECEIVABLE),
            debts=tuple(
                Money(-money.minor, money.currency) for purpose, money in found if purpose is Purpose.RECEIVABLE
            ),
            open_top_ups=await self._connection.fetchval(_OPEN_TOP_UPS, ids),
            open_minutes=await self._connection.fetchval(_OPEN_MINUTES, ids),
            sole_brands=await self._connection.fetchval(_SOLE_BRANDS, ids),
            last_movement=await self._connection.fetchval(_LAST_MOVEMENT, owners),
        )
