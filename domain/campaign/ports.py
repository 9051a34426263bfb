"""What campaigns need: their rows inside a unit of work, and reads without locks, many at once."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.brand.ports import BrandWork
from domain.campaign.creatives import Creative, CreativeId, Programme
from domain.campaign.model import Campaign, CampaignId, CampaignState
from domain.campaign.participation import Offer, OfferState, Participation, ParticipationId
from domain.campaign.targeting import Facts
from domain.identity.ports import IdentityPorts
from domain.ids import BrandId, PersonId
from domain.streamer.model import StreamerId


class Campaigns(Protocol):
    """Campaigns, inside a unit of work."""

    async def add(self, campaign: Campaign) -> bool:
        """Keep a new campaign with its first plan; False where there is one of its id."""
        ...

    async def lock(self, id_: CampaignId) -> Campaign | None:
        """Be alone with a campaign until the unit of work ends. Who locks its brand, too, does that before."""
        ...

    async def share(self, id_: CampaignId) -> Campaign | None:
        """A campaign that stays as it is until the unit of work ends, whoever else holds it so, too."""
        ...

    async def save(self, campaign: Campaign) -> None:
        """Keep where it stands, and the plan where that is another version."""
        ...

    async def is_awaited(self, id_: CampaignId, rejected_since: datetime) -> bool:
        """Whether a minute of it waits for its price or for staff's word; or may be appealed, rejected since then."""
        ...


class Creatives(Protocol):
    """What campaigns show, inside a unit of work. Whoever changes one has locked its campaign."""

    async def of(self, id_: CreativeId) -> Creative | None:
        """A creative by its id."""
        ...

    async def in_use(self, campaign: CampaignId) -> int:
        """How many of a campaign are pending or approved."""
        ...

    async def add(self, creative: Creative) -> None:
        """Keep a new one."""
        ...

    async def save(self, creative: Creative) -> None:
        """Keep where it stands, and why."""
        ...


class Participations(Protocol):
    """Participations and their offers, inside a unit of work. Whoever locks one has locked its campaign before."""

    async def add(self, participation: Participation) -> bool:
        """Keep a new one; False where one of the same streamer in the same campaign is under way."""
        ...

    async def lock(self, id_: ParticipationId) -> Participation | None:
        """Be alone with a participation until the unit of work ends."""
        ...

    async def save(self, participation: Participation) -> None:
        """Keep where it stands and what is agreed."""
        ...

    async def under_way(self, campaign: CampaignId) -> Sequence[Participation]:
        """All of a campaign that have not ended, locked."""
        ...

    async def ever_live(self, campaign: CampaignId) -> bool:
        """Whether any of a campaign, which is locked, ever went live."""
        ...

    async def open_offer(self, id_: ParticipationId) -> Offer | None:
        """The offer that waits for an answer."""
        ...

    async def offer(self, offer: Offer) -> None:
        """Keep a new offer, which is open."""
        ...

    async def close_offer(self, id_: ParticipationId, state: OfferState) -> None:
        """Note what became of the open offer, if there is one."""
        ...


class Markup(Protocol):
    """Takes out of HTML what is dangerous."""

    def clean(self, html: str) -> str:
        """The text with a little mark-up and nothing else."""
        ...


class CampaignWork(BrandWork, Protocol):
    """A unit of work as campaigns need it."""

    @property
    def campaigns(self) -> Campaigns:
        """Campaigns."""
        ...

    @property
    def creatives(self) -> Creatives:
        """What they show."""
        ...

    @property
    def participations(self) -> Participations:
        """Who takes part in them."""
        ...


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """So many campaigns of a brand, newest first; those behind one."""

    brand: BrandId
    first: int
    after: CampaignId | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A streamer as campaigns know them."""

    id: StreamerId
    person: PersonId
    facts: Facts


@dataclass(frozen=True, slots=True)
class ParticipationPage:
    """So many participations of a campaign, or of people who are one, newest first; those behind one."""

    of: CampaignId | tuple[PersonId, ...]
    first: int
    after: ParticipationId | None = None


@dataclass(frozen=True, slots=True)
class OpenPage:
    """So many campaigns that are open to a streamer, last launched first; those behind one."""

    facts: Facts
    now: datetime
    first: int
    after: CampaignId | None = None


@dataclass(frozen=True, slots=True)
class CreativePage:
    """So many creatives of a campaign, oldest first; those behind one."""

    campaign: CampaignId
    first: int
    after: CreativeId | None = None


class CampaignReads(Protocol):
    """Campaigns, read without locks."""

    async def campaigns_by_id(self, ids: Sequence[CampaignId]) -> Mapping[CampaignId, Campaign]:
        """Campaigns, whosever they are."""
        ...

    async def campaigns_of(self, page: CampaignPage) -> Sequence[Campaign]:
        """A page of a brand's campaigns."""
        ...

    async def campaigns_by_state(
        self, state: CampaignState, first: int, after: CampaignId | None
    ) -> Sequence[Campaign]:
        """Campaigns that stand so, oldest first; those behind one, however that one stands by now."""
        ...

    async def candidate(self, of: Sequence[PersonId] | StreamerId) -> Candidate | None:
        """A streamer by who they are, under any of their ids, or by the streamer's id, unless they are kept out."""
        ...

    async def participations_by_id(self, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Participation]:
        """Participations, whosever they are."""
        ...

    async def works_with(self, brands: Sequence[BrandId], streamer: StreamerId) -> BrandId | None:
        """One of the brands that has agreed with a streamer on a participation that is not over; None: none has."""
        ...

    async def participations(self, page: ParticipationPage) -> Sequence[Participation]:
        """A page of participations."""
        ...

    async def offers_of(self, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Sequence[Offer]]:
        """The newest offers of participations, newest first, 20 of each at most."""
        ...

    async def unanswered(self, now: datetime, most: int) -> Sequence[ParticipationId]:
        """Participations whose open offer nobody has answered in time."""
        ...

    async def open_to(self, page: OpenPage) -> Sequence[Campaign]:
        """A page of campaigns that run and whose rules a streamer meets, as far as anybody knows.

        What `domain.campaign.targeting.eligibility` finds, asked of the database.
        """
        ...

    async def creatives_by_id(self, ids: Sequence[CreativeId]) -> Mapping[CreativeId, Creative]:
        """Creatives, whosever they are."""
        ...

    async def creatives(self, pages: Sequence[CreativePage]) -> Mapping[CreativePage, Sequence[Creative]]:
        """Pages of creatives."""
        ...

    async def creatives_to_review(self, first: int, after: CreativeId | None) -> Sequence[tuple[Creative, Campaign]]:
        """Creatives that wait for a moderator with their campaigns, oldest first; those behind one."""
        ...

    async def programme(self, streamer: StreamerId, now: datetime) -> Programme:
        """What a streamer's overlays show, once the day of each campaign has come."""
        ...

    async def over(self, now: datetime, most: int) -> Sequence[CampaignId]:
        """Campaigns that run and whose last day has passed."""
        ...

    async def to_empty(self, before: datetime, rejected_since: datetime, most: int) -> Sequence[CampaignId]:
        """Campaigns that ended before then, in whose escrow something is free and not waited for; or nothing is."""
        ...


class CampaignPorts(IdentityPorts, Protocol):
    """What campaigns' actions are handed."""

    def work(self) -> AbstractAsyncContextManager[CampaignWork]:
        """Open a unit of work."""
        ...

    @property
    def reads(self) -> CampaignReads:
        """Campaigns, read without locks."""
        ...

    @property
    def markup(self) -> Markup:
        """Takes out of HTML what is dangerous."""
        ...
