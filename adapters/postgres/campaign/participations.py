"""Participations and offers inside a unit of work: `domain.campaign.ports.Participations` on its connection."""

from collections.abc import Sequence

from asyncpg import Connection

from adapters.postgres.campaign.rows import PARTICIPATION, offer_of, participation_of
from domain.campaign.model import CampaignId
from domain.campaign.participation import Offer, OfferState, Participation, ParticipationId

_ADD = """
insert into participation (id, campaign, streamer, person, begun_by, state, created_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (campaign, streamer) where state in ('applied', 'invited', 'accepted', 'live') do nothing returning id
"""
_READ = f"""
select {PARTICIPATION} from participation join campaign on campaign.id = participation.campaign
"""  # noqa: S608  # a list of our columns
_UNDER_WAY = f"""
{_READ} where participation.campaign = $1 and participation.state in ('applied', 'invited', 'accepted', 'live')
order by participation.id for no key update of participation
"""
_EVER_LIVE = "select exists (select from participation where campaign = $1 and live_at is not null)"
_SAVE = """
update participation set state = $2, seq = $3, campaign_version = $4, pricing = $5, rate = $6, currency = $7,
    minutes = $8, agreed_at = $9, disclosed_at = $10, live_at = $11, ended_at = $12
where id = $1
"""
_OFFER = """
insert into offer (participation, number, side, campaign, campaign_version, pricing, rate, currency, minutes, made_at,
    expires_at)
select $1, $2, $3, campaign, $4, $5, $6, $7, $8, $9, $10 from participation where id = $1
"""


class PostgresParticipations:
    """Participations inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, participation: Participation) -> bool:
        """Keep a new one; False where one of the same streamer in the same campaign is under way."""
        made = await self._connection.fetchval(
            _ADD, participation.id, participation.campaign, participation.streamer, participation.person,
            participation.begun_by, participation.state, participation.created_at,
        )  # fmt: skip
        return made is not None

    async def lock(self, id_: ParticipationId) -> Participation | None:
        """Be alone with a participation until the unit of work ends."""
        found = await self._connection.fetchrow(
            f"{_READ} where participation.id = $1 for no key update of participation", id_
        )
        return participation_of(found) if found else None

    async def save(self, participation: Participation) -> None:
        """Keep where it stands and what is agreed."""
        agreed = participation.agreement
        terms = agreed.terms if agreed else None
        await self._connection.execute(
            _SAVE, participation.id, participation.state, participation.seq,
            agreed.campaign_version if agreed else None, terms.pricing if terms else None,
            terms.rate.minor if terms else None, terms.rate.currency if terms else None,
            terms.minutes if terms else None, agreed.agreed_at if agreed else None, participation.disclosed_at,
            participation.live_at, participation.ended_at,
        )  # fmt: skip

    async def under_way(self, campaign: CampaignId) -> Sequence[Participation]:
        """All of a campaign that have not ended, locked in the order of their ids."""
        return [participation_of(row) for row in await self._connection.fetch(_UNDER_WAY, campaign)]

    async def ever_live(self, campaign: CampaignId) -> bool:
        """Whether any of a campaign, which is locked, ever went live."""
        found: bool = await self._connection.fetchval(_EVER_LIVE, campaign)
        return found

    async def open_offer(self, id_: ParticipationId) -> Offer | None:
        """The offer that waits for an answer."""
        found = await self._connection.fetchrow("select * from offer where participation = $1 and state = 'open'", id_)
        return offer_of(found) if found else None

    async def offer(self, offer: Offer) -> None:
        """Keep a new offer, which is open."""
        terms = offer.terms
        await self._connection.execute(
            _OFFER, offer.participation, offer.number, offer.side, offer.campaign_version, terms.pricing,
            terms.rate.minor, terms.rate.currency, terms.minutes, offer.made_at, offer.expires_at,
        )  # fmt: skip

    async def close_offer(self, id_: ParticipationId, state: OfferState) -> None:
        """Note what became of the open offer, if there is one."""
        await self._connection.execute(
            "update offer set state = $2 where participation = $1 and state = 'open'", id_, state
        )
