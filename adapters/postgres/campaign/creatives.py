"""Creatives inside a unit of work: `domain.campaign.ports.Creatives` on its connection."""

from asyncpg import Connection

from adapters.postgres.campaign.rows import CREATIVE, creative_of
from domain.campaign.creatives import Creative, CreativeId
from domain.campaign.model import CampaignId

_READ = f"select {CREATIVE} from creative where id = $1"  # noqa: S608  # a list of our columns
_IN_USE = "select count(*) from creative where campaign = $1 and state in ('pending', 'approved')"
_ADD = """
insert into creative (id, campaign, kind, body, asset, replaces, created_at) values ($1, $2, $3, $4, $5, $6, $7)
"""


class PostgresCreatives:
    """Creatives inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, id_: CreativeId) -> Creative | None:
        """A creative by its id."""
        found = await self._connection.fetchrow(_READ, id_)
        return creative_of(found) if found else None

    async def in_use(self, campaign: CampaignId) -> int:
        """How many of a campaign are pending or approved."""
        count: int = await self._connection.fetchval(_IN_USE, campaign)
        return count

    async def add(self, creative: Creative) -> None:
        """Keep a new one."""
        await self._connection.execute(
            _ADD, creative.id, creative.campaign, creative.kind, creative.body, creative.asset, creative.replaces,
            creative.created_at,
        )  # fmt: skip

    async def save(self, creative: Creative) -> None:
        """Keep where it stands, and why."""
        await self._connection.execute(
            "update creative set state = $2, reason = $3, decided_at = $4 where id = $1",
            creative.id, creative.state, creative.reason, creative.decided_at,
        )  # fmt: skip
