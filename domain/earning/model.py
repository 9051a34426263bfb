"""Minutes: what was reported of them, and how each goes from evidence to money."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.campaign.creatives import CreativeId
from domain.campaign.escrow import APPEALED_WITHIN
from domain.campaign.model import CampaignId, Caps, Terms
from domain.campaign.participation import ParticipationId
from domain.campaign.spending import Pacing, Schedule
from domain.earning.arithmetic import Arithmetic, Parts
from domain.earning.postings import Route
from domain.earning.rates import Rates, Totals
from domain.earning.sharing import Seconds
from domain.money import Money
from domain.streamer.model import StreamerId

MOST_REPORTS: Final = 64
"""In one batch."""


class MinuteState(StrEnum):
    """Where a minute of a participation stands."""

    OPEN = "open"
    """Reports still come in."""
    REVIEW = "review"
    """Its evidence is odd: staff looks at it."""
    DECIDING = "deciding"
    """It has its price; the ledger is being asked."""
    HELD = "held"
    """Its cost is set aside in the escrow, and waits."""
    RELEASING = "releasing"
    """It has waited long enough; the ledger is being asked."""
    FROZEN = "frozen"
    """Its brand disputes it: nothing moves until staff decides."""
    REDUCING = "reducing"
    """It is paid in part; the ledger is being asked."""
    RETURNING = "returning"
    """What is left of it is the campaign's again; the ledger is being asked."""
    PAID = "paid"
    RETURNED = "returned"
    UNPAID = "unpaid"
    APPEALED = "appealed"
    """Staff found its evidence wrong, and its streamer disputes that."""


class Doubt(StrEnum):
    """What is odd about a minute."""

    NO_SAMPLE = "no_sample"
    """We counted no viewers then: the stream was not live, or its platform did not tell."""
    VIEWER_SPIKE = "viewer_spike"
    """Many times as many viewers as in the minutes before."""


class Unpaid(StrEnum):
    """Why a minute that counted is not paid."""

    MINUTES_USED = "minutes_used"
    """All agreed minutes were shown before."""
    DAILY_CAP = "daily_cap"
    STREAMER_CAP = "streamer_cap"
    AHEAD_OF_PACE = "ahead_of_pace"
    """The campaign had spent its share of the budget until that day."""
    BUDGET_SPENT = "budget_spent"
    OUTSIDE_SCHEDULE = "outside_schedule"
    """The campaign's first day had not begun, or its last one was over."""
    SHOWN_ELSEWHERE = "shown_elsewhere"
    """Every second of it belongs to another participation of the streamer, which showed first."""
    EVIDENCE_REJECTED = "evidence_rejected"
    """Staff looked at it."""


class Verdict(StrEnum):
    """What became of a report."""

    COUNTED = "counted"
    UNKNOWN = "unknown"
    """No such creative is shown in such a participation of this streamer now."""
    NOT_LIVE = "not_live"
    """There is no live stream to see it in."""
    FROM_THE_FUTURE = "from_the_future"
    """It tells of seconds that are still to come: a clock is wrong."""
    LATE = "late"
    """The minute is closed."""
    EMPTY = "empty"
    """Nothing was visible for a second."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an overlay says was visible, active and streaming, in one minute. Who watched it does not say."""

    participation: ParticipationId
    creative: CreativeId
    minute: datetime
    seen: Seconds


@dataclass(frozen=True, slots=True)
class Source:
    """The overlay that reports, known by the session that it signed in with."""

    overlay: UUID
    streamer: StreamerId


@dataclass(frozen=True, slots=True)
class EarningPolicy:
    """The rules of evidence and of waiting."""

    rates: Rates = field(default_factory=Rates)
    """Of participations that begin now."""
    skew: timedelta = timedelta(seconds=30)
    """How far an overlay's clock may be ahead of ours."""
    reports_until: timedelta = timedelta(minutes=5)
    """After a minute began, so long reports of it are taken."""
    closed_after: timedelta = timedelta(minutes=6)
    """So long after it began it is closed; samples of its viewers are there by then."""
    held_for: timedelta = timedelta(days=7)
    spike: int = 10
    """So many times the mean of the paid minutes before is odd."""
    spike_from: int = 200
    """Fewer viewers are never odd."""


@dataclass(frozen=True, slots=True)
class Case:
    """A minute that is to be closed, with all that its price depends on but what others spent on that day."""

    participation: ParticipationId
    streamer: StreamerId
    route: Route
    minute: datetime
    terms: Terms
    rates: Rates
    totals: Totals
    budget: Money
    caps: Caps
    schedule: Schedule
    pacing: Pacing
    seconds: Mapping[CreativeId, int]
    """So long each creative was visible, in seconds that are this participation's."""
    approved: bool = False
    """Staff has looked at it, and found nothing wrong."""

    @property
    def campaign(self) -> CampaignId:
        """Whose budget pays."""
        return CampaignId(self.route.campaign)

    @property
    def day(self) -> datetime:
        """When the campaign's local day began that the minute belongs to."""
        return self.schedule.day_of(self.minute)[0]


@dataclass(frozen=True, slots=True)
class Closed:
    """What closing a minute came to."""

    case: Case
    state: MinuteState
    reason: str = ""
    viewers: int | None = None
    arithmetic: Arithmetic | None = None
    """For what is to be paid."""
    shares: Mapping[CreativeId, int] = field(default_factory=dict)
    """Of the price, in minor units."""


@dataclass(frozen=True, slots=True)
class Due:
    """A minute about which the ledger is to be asked."""

    participation: ParticipationId
    minute: datetime
    route: Route
    parts: Parts
    """What is set aside for it."""
    kept: Parts
    """What is to be paid of that."""


@dataclass(frozen=True, slots=True)
class EarnedMinute:
    """A minute as both sides see it."""

    participation: ParticipationId
    minute: datetime
    state: MinuteState
    reason: str
    viewers: int | None
    arithmetic: Arithmetic | None
    seconds: Mapping[CreativeId, int]
    shares: Mapping[CreativeId, int]
    closed_at: datetime | None
    released_at: datetime | None
    kept: Parts | None = None
    """What was left of it after a dispute, where that was less."""

    @property
    def appealable_until(self) -> datetime | None:
        """Until when its streamer may appeal; None where there is nothing to appeal against."""
        is_rejected = self.state is MinuteState.UNPAID and self.reason == Unpaid.EVIDENCE_REJECTED
        return self.closed_at + APPEALED_WITHIN if is_rejected and self.closed_at else None
