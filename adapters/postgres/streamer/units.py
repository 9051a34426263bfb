"""Units of a platform's day, counted where they outlive every process: `domain.streamer.units.Units`."""

from datetime import datetime

from adapters.postgres.database import Database
from domain.streamer.model import Platform
from domain.streamer.units import day_of

_LEFT = "select spent from platform_units where platform = $1 and day = $2"
_TAKE = """
insert into platform_units as counted (platform, day, spent) select $1, $2, $3::integer where $3 <= $4::integer
on conflict (platform, day) do update set spent = counted.spent + excluded.spent
where counted.spent + excluded.spent <= $4 returning spent
"""
_RUN_OUT = """
insert into platform_units as counted (platform, day, spent) values ($1, $2, $3)
on conflict (platform, day) do update set spent = greatest(counted.spent, excluded.spent)
"""


class PostgresUnits:
    """The units that one platform allows us in a day."""

    def __init__(self, database: Database, platform: Platform, daily: int) -> None:
        self._database, self._platform, self._daily = database, platform, daily

    async def left(self, now: datetime) -> int:
        """How many are left of this day."""
        spent = await self._database.pool.fetchval(_LEFT, self._platform, day_of(now))
        return max(0, self._daily - (spent or 0))

    async def take(self, units: int, now: datetime, *, leaving: int = 0) -> bool:
        """Take so many of this day's, if so many are left then. Who takes at the same time waits."""
        most = self._daily - leaving
        return await self._database.pool.fetchval(_TAKE, self._platform, day_of(now), units, most) is not None

    async def run_out(self, now: datetime) -> None:
        """The platform says that none are left of this day."""
        await self._database.pool.execute(_RUN_OUT, self._platform, day_of(now), self._daily)
