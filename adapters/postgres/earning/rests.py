"""What is shown no more for a while: a part of `domain.earning.ports.Minutes` on the connection of one unit of work."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from asyncpg import Connection

from adapters.postgres.arrays import columns
from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId
from domain.earning.ports import Resting

STILL_OPEN = """
select earning.campaign, earning.participation, count(*) as minutes
from earning join earning_minute using (participation)
where earning.campaign = any($1::uuid[]) and earning_minute.state = 'open' group by 1, 2
"""
_REST = """
update campaign set rest = found.reason, rests_until = found.until, rest_version = version, seq = seq + 1
from (select distinct on (id) id, reason, until
    from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as one (id, reason, until) order by id, until desc) as found
where campaign.id = found.id and campaign.rest is null returning campaign.id
"""
_REST_ONE = """
update earning set rest = found.reason
from (select distinct on (id) id, reason from unnest($1::uuid[], $2::text[]) as one (id, reason) order by id, reason
    ) as found
where earning.participation = found.id and earning.rest is null returning earning.campaign
"""
# Another plan may let it spend more, and where it does not, the next minute says so.
_WAKE = """
update campaign set rest = null, rests_until = null, rest_version = null, seq = seq + 1 where id in (
    select id from campaign where rest is not null and (rests_until <= $1 or rest_version <> version)
    order by id limit $2 for no key update skip locked)
returning id
"""
_WAKE_ONES = """
update earning set rest = null where participation in (
    select earning.participation from earning join participation on participation.id = earning.participation
    join campaign on campaign.id = earning.campaign
    join campaign_version as version on version.campaign = campaign.id and version.version = campaign.version
    where earning.rest is not null and participation.state = 'live' and earning.minutes < participation.minutes
        and (streamer_cap is null or earning.cost + earning.cost / greatest(1, earning.minutes) <= streamer_cap)
        and not exists (select from earning_minute as minute where minute.participation = earning.participation
            and minute.state in ('open', 'review', 'deciding'))
    order by earning.participation limit $1 for no key update of earning skip locked)
returning campaign
"""


class PostgresRests:
    """What is shown no more for a while."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def still_open(self, campaigns: Sequence[CampaignId]) -> Mapping[CampaignId, Mapping[ParticipationId, int]]:
        """How many minutes of each participation in campaigns are open."""
        found: dict[CampaignId, dict[ParticipationId, int]] = {campaign: {} for campaign in campaigns}
        for row in await self._connection.fetch(STILL_OPEN, list(campaigns)):
            found[row["campaign"]][row["participation"]] = row["minutes"]
        return found

    async def rest(self, resting: Sequence[Resting]) -> Collection[CampaignId]:
        """Keep what is shown no more for a while, where it is still; the campaigns in which that is news."""
        whole = [(one.campaign, one.rest.reason, one.rest.until) for one in resting if one.participation is None]
        parts = [(one.participation, one.rest.reason) for one in resting if one.participation is not None]
        rows = await self._connection.fetch(_REST, *columns(whole, 3))
        ones = await self._connection.fetch(_REST_ONE, *columns(parts, 2))
        return {CampaignId(row[0]) for row in (*rows, *ones)}

    async def wake(self, now: datetime, most: int) -> Collection[CampaignId]:
        """Show again what rested for long enough, or may spend more by now; the campaigns of that."""
        rows = await self._connection.fetch(_WAKE, now, most)
        ones = await self._connection.fetch(_WAKE_ONES, most)
        return {CampaignId(row[0]) for row in (*rows, *ones)}
