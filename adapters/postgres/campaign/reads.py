"""Campaigns, read without locks: `domain.campaign.ports.CampaignReads`, one statement a question."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from adapters.postgres.campaign.programmes import ProgrammeReads
from adapters.postgres.campaign.rows import AWAITED, CAMPAIGN, CREATIVE, FROM, campaign_of, creative_of
from domain.campaign.creatives import Creative, CreativeId
from domain.campaign.model import Campaign, CampaignId, CampaignState
from domain.campaign.ports import CampaignPage, CreativePage, OpenPage
from domain.campaign.targeting import RATINGS

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
where state in ('active', 'paused', 'suspended') and (ends_on + 1)::timestamp at time zone time_zone <= $1
order by campaign.id limit $2
"""  # noqa: S608  # a list of our columns
_TO_EMPTY = f"""
select campaign.id from campaign
join account on account.owner = 'campaign:' || campaign.id and account.purpose = 'campaign_escrow'
where ended_at <= $1 and launched_at is not null and emptied_at is null
    and (account.posted > account.held or account.posted = 0) and not {AWAITED.format("campaign.id", "$2")}
order by ended_at, campaign.id limit $3
"""  # noqa: S608  # a condition of our own


# What `domain.campaign.targeting.eligibility` says in words, and a test holds the two against each other.
_MEETS = """
(platforms = '{}' or platforms && $3::text[]) and (countries = '{}' or $4 = any(countries))
    and (languages = '{}' or $5 = any(languages)) and (categories = '{}' or categories && $6::text[])
    and not avoided && $6::text[]
    and array_position($7::text[], highest_rating) >= array_position($7::text[], $8)
    and (least_viewers = 0 or $9::int is null or least_viewers <= $9)
"""
_OPEN = f"""
{_CAMPAIGNS} where state = 'active' and (ends_on + 1)::timestamp at time zone time_zone > $1
    and ($2::uuid is null or (launched_at, campaign.id) <
        (select met.launched_at, met.id from campaign as met where met.id = $2))
    and {_MEETS}
order by launched_at desc, campaign.id desc limit $10
"""  # noqa: S608  # statements of our own
_CREATIVES = f"select {CREATIVE} from creative"  # noqa: S608  # a list of our columns
_PAGES = f"""
select asked.place, found.*
from unnest($1::uuid[], $2::uuid[], $3::int[]) with ordinality as asked (campaign, after, most, place)
cross join lateral (
    {_CREATIVES} where creative.campaign = asked.campaign and (asked.after is null or (created_at, id) > (
        select met.created_at, met.id from creative as met where met.id = asked.after))
    order by created_at, id limit asked.most
) as found order by asked.place, found.created_at, found.id
"""  # noqa: S608  # statements of our own
_TO_REVIEW = f"""
{_CREATIVES} where state = 'pending' and ($1::uuid is null or (created_at, id) > (
    select met.created_at, met.id from creative as met where met.id = $1))
order by created_at, id limit $2
"""  # noqa: S608  # statements of our own


class PostgresCampaignReads(ProgrammeReads):
    """Reads of campaigns."""

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

    async def open_to(self, page: OpenPage) -> Sequence[Campaign]:
        """A page of campaigns that are open to a streamer, last launched first."""
        facts = page.facts
        rows = await self._database.pool.fetch(
            _OPEN, page.now, page.after, list(facts.platforms), facts.country, facts.language, list(facts.categories),
            list(RATINGS), facts.rating, facts.average_viewers, page.first,
        )  # fmt: skip
        return [campaign_of(row) for row in rows]

    async def creatives_by_id(self, ids: Sequence[CreativeId]) -> Mapping[CreativeId, Creative]:
        """Creatives, whosever they are."""
        rows = await self._database.pool.fetch(f"{_CREATIVES} where id = any($1::uuid[])", list(ids))
        return {creative.id: creative for creative in map(creative_of, rows)}

    async def creatives(self, pages: Sequence[CreativePage]) -> Mapping[CreativePage, Sequence[Creative]]:
        """Pages of creatives, oldest first."""
        asked = ([getattr(page, part) for page in pages] for part in ("campaign", "after", "first"))
        rows = await self._database.pool.fetch(_PAGES, *asked)
        found: dict[CreativePage, list[Creative]] = {page: [] for page in pages}
        for row in rows:
            found[pages[row["place"] - 1]].append(creative_of(row))
        return found

    async def creatives_to_review(self, first: int, after: CreativeId | None) -> Sequence[tuple[Creative, Campaign]]:
        """Creatives that wait for a moderator with their campaigns, oldest first."""
        found = [creative_of(row) for row in await self._database.pool.fetch(_TO_REVIEW, after, first)]
        campaigns = await self.campaigns_by_id([creative.campaign for creative in found])
        return [(creative, campaigns[creative.campaign]) for creative in found]

    async def over(self, now: datetime, most: int) -> Sequence[CampaignId]:
        """Campaigns that run and whose last day has passed."""
        return [CampaignId(row["id"]) for row in await self._database.pool.fetch(_OVER, now, most)]

    async def to_empty(self, before: datetime, rejected_since: datetime, most: int) -> Sequence[CampaignId]:
        """Campaigns that ended before then, in whose escrow something is free and not waited for; or nothing is."""
        rows = await self._database.pool.fetch(_TO_EMPTY, before, rejected_since, most)
        return [CampaignId(row["id"]) for row in rows]
