"""What overlays show of campaigns: a part of `domain.campaign.ports.CampaignReads`."""

from datetime import datetime

from adapters.postgres.campaign.participation_reads import ParticipationReads
from adapters.postgres.campaign.rows import FROM, RESTS
from domain.campaign.creatives import MOST_ON_SCREEN, CreativeId, CreativeKind, OnScreen, Programme
from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId
from domain.ids import AssetId
from domain.streamer.model import StreamerId

# A campaign without anything to show is among the rows, too: whoever follows it hears when it has.
_PROGRAMME = f"""
select part.id as participation, part.campaign, creative.id as creative, creative.kind, creative.body, creative.asset,
    starts_on::timestamp at time zone time_zone as opens_at
from {FROM} join participation as part on part.campaign = campaign.id
left join creative on creative.campaign = campaign.id and creative.state = 'approved' and campaign.state = 'active'
    and (ends_on + 1)::timestamp at time zone time_zone > $2 and not {RESTS.format("part.id")}
where part.streamer = $1 and part.state = 'live'
order by part.live_at, part.id, creative.created_at, creative.id
"""  # noqa: S608  # a list of our tables


class ProgrammeReads(ParticipationReads):
    """Reads of what overlays show."""

    async def programme(self, streamer: StreamerId, now: datetime) -> Programme:
        """What a streamer's overlays show, once the day of each campaign has come."""
        rows = await self._database.pool.fetch(_PROGRAMME, streamer, now)
        shown = [
            OnScreen(
                CreativeId(row["creative"]), ParticipationId(row["participation"]), CreativeKind(row["kind"]),
                row["body"], AssetId(row["asset"]) if row["asset"] else None, row["opens_at"],
            )
            for row in rows if row["creative"] is not None
        ]  # fmt: skip
        return Programme(frozenset(CampaignId(row["campaign"]) for row in rows), tuple(shown[:MOST_ON_SCREEN]))
