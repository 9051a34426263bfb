"""Participations, offers and candidates, read without locks: a part of `domain.campaign.ports.CampaignReads`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from adapters.postgres.campaign.rows import PARTICIPATION, offer_of, participation_of
from adapters.postgres.database import Database
from domain.campaign.participation import Offer, Participation, ParticipationId
from domain.campaign.ports import Candidate, ParticipationPage
from domain.campaign.targeting import Facts
from domain.ids import BrandId, PersonId
from domain.streamer.model import Category, Platform, Rating, StreamerId

# Who was found to be somebody else is as welcome as that person is.
_CANDIDATE = """
select streamer.id, streamer.person, country, language, categories, rating, array(
    select platform from platform_link where platform_link.streamer = streamer.id and state = 'confirmed') as platforms,
    (select average_viewers from streamer_listing where streamer_listing.streamer = streamer.id) as average_viewers
from streamer join person on person.id = streamer.person left join person as survivor on survivor.id = person.survivor
where {which} and coalesce(survivor.status, person.status) = 'active'
"""
_BY_PEOPLE = (
    _CANDIDATE.format(which="streamer.person = any($1::uuid[])")
    + "order by array_position($1::uuid[], streamer.person) limit 1"
)
_BY_STREAMER = _CANDIDATE.format(which="streamer.id = $1")
_READ = f"""
select {PARTICIPATION} from participation join campaign on campaign.id = participation.campaign
"""  # noqa: S608  # a list of our columns
_NEWEST = "and ($2::uuid is null or participation.id < $2) order by participation.id desc limit $3"
_OFFERS = """
select found.* from unnest($1::uuid[]) as asked (participation) cross join lateral (
    select * from offer where offer.participation = asked.participation order by number desc limit 20
) as found order by found.participation, found.number desc
"""
_UNANSWERED = "select participation from offer where state = 'open' and expires_at <= $1 order by expires_at limit $2"


_WORKS_WITH = """
select brand from participation join campaign on campaign.id = participation.campaign
where streamer = $2 and brand = any($1::uuid[]) and participation.state in ('accepted', 'live') order by brand limit 1
"""


class ParticipationReads:
    """Reads of participations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def candidate(self, of: Sequence[PersonId] | StreamerId) -> Candidate | None:
        """A streamer by who they are, under any of their ids, or by the streamer's id, unless they are kept out."""
        asked = (_BY_STREAMER, of) if isinstance(of, UUID) else (_BY_PEOPLE, list(of))
        row = await self._database.pool.fetchrow(*asked)
        if row is None:
            return None
        platforms, categories = map(Platform, row["platforms"]), map(Category, row["categories"])
        facts = Facts(
            frozenset(platforms),
            row["country"],
            row["language"],
            frozenset(categories),
            Rating(row["rating"]),
            row["average_viewers"],
        )
        return Candidate(StreamerId(row["id"]), PersonId(row["person"]), facts)

    async def participations_by_id(self, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Participation]:
        """Participations, whosever they are."""
        rows = await self._database.pool.fetch(f"{_READ} where participation.id = any($1::uuid[])", list(ids))
        return {participation.id: participation for participation in map(participation_of, rows)}

    async def works_with(self, brands: Sequence[BrandId], streamer: StreamerId) -> BrandId | None:
        """One of the brands that has agreed with a streamer on a participation that is not over; None: none has."""
        found = await self._database.pool.fetchval(_WORKS_WITH, list(brands), streamer)
        return None if found is None else BrandId(found)

    async def participations(self, page: ParticipationPage) -> Sequence[Participation]:
        """A page of participations of a campaign or of somebody, newest first."""
        which = "campaign = $1" if isinstance(page.of, UUID) else "person = any($1::uuid[])"
        statement = f"{_READ} where participation.{which} {_NEWEST}"
        return [
            participation_of(row) for row in await self._database.pool.fetch(statement, page.of, page.after, page.first)
        ]

    async def offers_of(self, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Sequence[Offer]]:
        """The newest offers of participations, newest first."""
        found: dict[ParticipationId, list[Offer]] = {id_: [] for id_ in ids}
        for row in await self._database.pool.fetch(_OFFERS, list(ids)):
            found[ParticipationId(row["participation"])].append(offer_of(row))
        return found

    async def unanswered(self, now: datetime, most: int) -> Sequence[ParticipationId]:
        """Participations whose open offer nobody has answered in time."""
        rows = await self._database.pool.fetch(_UNANSWERED, now, most)
        return [ParticipationId(row["participation"]) for row in rows]
