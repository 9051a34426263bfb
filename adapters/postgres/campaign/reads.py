"""Campaigns, read without locks: `domain.campaign.ports.CampaignReads`, one statement a question."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.postgres.campaign.rows import CAMPAIGN, FROM, campaign_of
from adapters.postgres.database import Database
from domain.campaign.model import Campaign, CampaignId, CampaignState
from domain.campaign.ports import CampaignPage

_CAMPAIGNS = f"select {CAMPAIGN} from {FROM}"  # noqa: S608  # a list of our columns
_BY_ID = f"{_CAMPAIGNS} where campaign.id = any($1::uuid[])"
_BEHIND = "(select met.created_at, met.id from campaign as met where met.id = ${})"
_OF_BRAND = f"""
{_CAMPAIGNS} where brand = $1 and ($2::uuid is null or (created_at, campaign.id) < {_BEHIND.format(2)})
order by created_at desc, campaign.id desc limit $3
"""
_BY_STATE = f"""
{_CAMPAIGNS} where state = $1 and ($2::uuid is null or (created_at, campaign.id) > {_BEHIND.format(2)})
order by created_at, campaign.id limit $3
"""
_OVER = f"""
select campaign.id from {FROM}
where state in ('active', 'paused') and (ends_on + 1)::timestamp at time zone time_zone <= $1
order by campaign.id limit $2
"""  # noqa: S608  # a list of our columns


class PostgresCampaignReads:
    """Reads of campaigns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def campaigns_by_id(self, ids: Sequence[CampaignId]) -> Mapping[CampaignId, Campaign]:
        """Campaigns, whosever they are."""
        found = map(campaign_of, await self._database.pool.fetch(_BY_ID, list(ids)))
        return {campaign.id: campaign for campaign in found}

    async def campaigns_of(self, page: CampaignPage) -> Sequence[Campaign]:
        """A page of a brand's campaigns, newest first."""
        rows = await self._database.pool.fetch(_OF_BRAND, page.brand, page.after, page.first)
        return [campaign_of(row) for row in rows]

    async def campaigns_by_state(
        self, state: CampaignState, first: int, after: CampaignId | None
    ) -> Sequence[Campaign]:
        """Campaigns that stand so, oldest first."""
        return [campaign_of(row) for row in await self._database.pool.fetch(_BY_STATE, state, after, first)]

    async def over(self, now: datetime, most: int) -> Sequence[CampaignId]:
        """Campaigns that run and whose last day has passed."""
        return [CampaignId(row["id"]) for row in await self._database.pool.fetch(_OVER, now, most)]
