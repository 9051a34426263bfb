"""What a campaign, or a part in one, has brought: figures that add up to the minutes that they are of."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple
from uuid import UUID

from domain.campaign.spending import LONGEST_RUN, Schedule
from domain.money import Currency, Money, Rounding, rounded

EARLIEST, LATEST = 2000, 2999
_THOUSAND = 1_000


class Dimension(StrEnum):
    """By what figures are added up."""

    CAMPAIGN = "campaign"
    """All of them."""
    CREATIVE = "creative"
    PARTICIPATION = "participation"
    """By streamer: each takes part once."""
    HOUR = "hour"
    """By hours of the days of the campaign's zone."""


class Whose(StrEnum):
    """Of what the figures are."""

    CAMPAIGN = "campaign"
    PARTICIPATION = "participation"


class Span(NamedTuple):
    """From one instant up to another."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of figures of a campaign or a participation within some time; those behind one of them."""

    by: Dimension
    whose: Whose
    of: UUID
    since: datetime
    until: datetime
    first: int
    after: UUID | datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of all minutes that were set aside or paid for, of one campaign, creative, participation or hour."""

    key: UUID | datetime
    seconds: int
    """So long something was visible."""
    impressions: int
    """Viewers of each minute, counted for each creative that was visible for a second of it."""
    viewer_minutes: int
    """Viewers of each minute, shared by its creatives: what is paid by."""
    gross: int
    cost: int
    returned: int
    """Of the cost, what disputes gave back."""
    earned: int
    forgone: int
    """Of what was earned, what disputes took. Amounts are in minor units."""

    @property
    def spend(self) -> int:
        """What the brand paid, value-added tax included, in minor units."""
        return self.cost - self.returned

    @property
    def income(self) -> int:
        """What the streamer has of it, in minor units, also where it still waits."""
        return self.earned - self.forgone

    def cpm(self, currency: Currency) -> Money | None:
        """What a thousand viewers of a minute cost, without value-added tax; None where nobody watched."""
        if not self.viewer_minutes:
            return None
        return Money(rounded(Fraction(self.gross * _THOUSAND, self.viewer_minutes), Rounding.HALF_UP), currency)


NOTHING = Row(UUID(int=0), 0, 0, 0, 0, 0, 0, 0, 0)
"""Where nothing was shown."""


def span_of(schedule: Schedule, first: date | None, last: date | None) -> Span | None:
    """Whole days of a campaign's zone, both included, by default all that it runs; None for a time that is too long.

    What runs backwards is no time, either.
    """
    since, until = first or schedule.starts_on, last or schedule.ends_on
    if not timedelta(0) <= until - since < LONGEST_RUN or not EARLIEST <= since.year <= until.year <= LATEST:
        return None
    asked = Schedule(since, until, schedule.time_zone)
    return Span(asked.opens_at, asked.closes_at)
