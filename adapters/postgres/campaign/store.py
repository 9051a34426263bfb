"""Campaigns inside a unit of work: `domain.campaign.ports.Campaigns` on its connection."""

from datetime import datetime

from asyncpg import Connection

from adapters.postgres.campaign.rows import AWAITED, CAMPAIGN, FROM, PLAN, campaign_of, plan_values
from domain.campaign.model import Campaign, CampaignId

_ADD = "insert into campaign (id, brand, created_at) values ($1, $2, $3) on conflict (id) do nothing returning id"
_LOCK = "select from campaign where id = $1 for no key update"
_READ = f"select {CAMPAIGN} from {FROM} where campaign.id = $1"  # noqa: S608  # a list of our columns
_SAVE = """
update campaign set state = $2, version = $3, seq = $4, reason = $5, launched_at = $6, ended_at = $7, emptied_at = $8,
    suspended_at = $9, was_paused = $10
where id = $1
"""
_ADD_PLAN = f"""
insert into campaign_version (campaign, version, made_at, {PLAN})
values ($1, $2, clock_timestamp(), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
    $21, $22, $23)
on conflict (campaign, version) do nothing
"""  # noqa: S608  # a list of our columns


class PostgresCampaigns:
    """Campaigns inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, campaign: Campaign) -> bool:
        """Keep a new campaign with its first plan; False where there is one of its id."""
        if await self._connection.fetchval(_ADD, campaign.id, campaign.brand, campaign.created_at) is None:
            return False
        await self._keep_plan(campaign)
        return True

    async def lock(self, id_: CampaignId) -> Campaign | None:
        """Be alone with a campaign until the unit of work ends.

        Locked first and read then: who waited for the lock must see the version that was made meanwhile.
        """
        await self._connection.execute(_LOCK, id_)
        found = await self._connection.fetchrow(_READ, id_)
        return campaign_of(found) if found else None

    async def share(self, id_: CampaignId) -> Campaign | None:
        """A campaign that stays as it is until the unit of work ends."""
        await self._connection.execute("select from campaign where id = $1 for share", id_)
        found = await self._connection.fetchrow(_READ, id_)
        return campaign_of(found) if found else None

    async def save(self, campaign: Campaign) -> None:
        """Keep where it stands, and the plan where that is another version."""
        await self._keep_plan(campaign)
        stopped = campaign.suspension
        await self._connection.execute(
            _SAVE, campaign.id, campaign.state, campaign.version, campaign.seq, campaign.reason, campaign.launched_at,
            campaign.ended_at, campaign.emptied_at, stopped.since if stopped else None,
            stopped.was_paused if stopped else None,
        )  # fmt: skip

    async def is_awaited(self, id_: CampaignId, rejected_since: datetime) -> bool:
        """Whether a minute of it waits for its price or for staff's word; or may be appealed, rejected since then."""
        found: bool = await self._connection.fetchval(f"select {AWAITED.format('$1', '$2')}", id_, rejected_since)
        return found

    async def _keep_plan(self, campaign: Campaign) -> None:
        await self._connection.execute(_ADD_PLAN, campaign.id, campaign.version, *plan_values(campaign.plan))
