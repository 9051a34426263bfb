"""Participations: a streamer in a campaign, from the first word to the last minute, and the offers in between."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from domain.campaign.model import CampaignId, Terms
from domain.ids import BrandId, PersonId
from domain.streamer.model import StreamerId

ParticipationId = NewType("ParticipationId", UUID)

OFFER_LIFETIME: Final = timedelta(days=7)


class Side(StrEnum):
    """Who of the two."""

    BRAND = "brand"
    STREAMER = "streamer"

    @property
    def other(self) -> "Side":
        """The one across the table."""
        return Side.STREAMER if self is Side.BRAND else Side.BRAND


class ParticipationState(StrEnum):
    """Where a participation stands."""

    APPLIED = "applied"
    """The streamer asked; an offer is open."""
    INVITED = "invited"
    """The brand asked; an offer is open."""
    ACCEPTED = "accepted"
    """The terms are agreed and stay so."""
    LIVE = "live"
    """Minutes count: the streamer has confirmed that they disclose the advertisement."""
    COMPLETED = "completed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class ParticipationStep(StrEnum):
    """What moves a participation."""

    COUNTER = "counter"
    ACCEPT = "accept"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"
    """Nobody answered the offer in time, or the campaign ended before it was agreed on."""
    GO_LIVE = "go_live"
    COMPLETE = "complete"


_P, _T = ParticipationState, ParticipationStep

PARTICIPATION_NEXT: Final[Mapping[tuple[ParticipationState, ParticipationStep], ParticipationState]] = {
    (_P.APPLIED, _T.COUNTER): _P.APPLIED,
    (_P.APPLIED, _T.ACCEPT): _P.ACCEPTED,
    (_P.APPLIED, _T.REJECT): _P.REJECTED,
    (_P.APPLIED, _T.WITHDRAW): _P.WITHDRAWN,
    (_P.APPLIED, _T.LAPSE): _P.WITHDRAWN,
    (_P.INVITED, _T.COUNTER): _P.INVITED,
    (_P.INVITED, _T.ACCEPT): _P.ACCEPTED,
    (_P.INVITED, _T.REJECT): _P.REJECTED,
    (_P.INVITED, _T.WITHDRAW): _P.WITHDRAWN,
    (_P.INVITED, _T.LAPSE): _P.WITHDRAWN,
    (_P.ACCEPTED, _T.GO_LIVE): _P.LIVE,
    (_P.ACCEPTED, _T.WITHDRAW): _P.WITHDRAWN,
    (_P.ACCEPTED, _T.LAPSE): _P.WITHDRAWN,
    (_P.LIVE, _T.WITHDRAW): _P.WITHDRAWN,
    (_P.LIVE, _T.COMPLETE): _P.COMPLETED,
}
"""Every step there is; an absent one is refused."""


class OfferState(StrEnum):
    """What became of an offer; a participation has one open at most."""

    OPEN = "open"
    ACCEPTED = "accepted"
    COUNTERED = "countered"
    CLOSED = "closed"
    """Turned down, taken back, or nobody answered in time."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Terms that one side offers the other, under a version of the campaign."""

    participation: ParticipationId
    number: int
    """Counts the offers of a participation from 1."""
    side: Side
    """Who makes it; the other one answers."""
    terms: Terms
    campaign_version: int
    made_at: datetime
    expires_at: datetime
    state: OfferState = OfferState.OPEN


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides agreed on. Nothing changes it, whatever the campaign says later."""

    terms: Terms
    campaign_version: int
    agreed_at: datetime


@dataclass(frozen=True, slots=True)
class Participation:
    """A streamer in a campaign."""

    id: ParticipationId
    campaign: CampaignId
    brand: BrandId
    streamer: StreamerId | None
    """None once the streamer's person was erased."""
    person: PersonId
    """In whose name the streamer is, and who earns."""
    begun_by: Side
    created_at: datetime
    state: ParticipationState
    seq: int = 1
    """Counts everything that happens to it: where a stream of its changes stands."""
    agreement: Agreement | None = None
    disclosed_at: datetime | None = None
    """When the streamer confirmed that viewers are told of the advertisement."""
    live_at: datetime | None = None
    ended_at: datetime | None = None

    def side_of(self, people: Collection[PersonId]) -> Side:
        """On which side somebody is who sees it."""
        return Side.STREAMER if self.person in people else Side.BRAND

    def stepped(self, step: ParticipationStep, now: datetime) -> "Participation | None":
        """The participation after a step; None for a step that it cannot take."""
        state = PARTICIPATION_NEXT.get((self.state, step))
        if state is None:
            return None
        moved = replace(self, state=state, seq=self.seq + 1)
        if step is ParticipationStep.GO_LIVE:
            return replace(moved, disclosed_at=now, live_at=now)
        return replace(moved, ended_at=now) if state in ENDED else moved

    def agreed(self, offer: Offer, now: datetime) -> "Participation | None":
        """The participation on the terms of an offer; None where there is nothing to agree on any more."""
        moved = self.stepped(ParticipationStep.ACCEPT, now)
        return None if moved is None else replace(moved, agreement=Agreement(offer.terms, offer.campaign_version, now))


ENDED: Final = frozenset({
    ParticipationState.COMPLETED, ParticipationState.REJECTED, ParticipationState.WITHDRAWN,
})  # fmt: skip
