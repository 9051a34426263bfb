"""When a campaign runs and how much of its budget may be spent by when. Days are those of the campaign's own zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from domain.money import Money, Rounding, rounded
from domain.streamer.places import time_zones

LONGEST_RUN: Final = timedelta(days=366)
_DAY: Final = timedelta(days=1)


class Pacing(StrEnum):
    """How a budget is spread over the time that a campaign runs."""

    EVEN = "even"
    FRONT_LOADED = "front_loaded"
    """Most at first: three quarters by half of the time."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """From one day until another, both whole, wherever the clocks change in between."""

    starts_on: date
    ends_on: date
    time_zone: str
    """By its name in the tz database."""

    @property
    def is_possible(self) -> bool:
        """Whether there is such a zone, and the days follow one another and are not too many."""
        return self.time_zone in time_zones() and timedelta(0) <= self.ends_on - self.starts_on < LONGEST_RUN

    @property
    def opens_at(self) -> datetime:
        """When the first day begins, in UTC."""
        return self._midnight(self.starts_on)

    @property
    def closes_at(self) -> datetime:
        """When the last day is over, in UTC."""
        return self._midnight(self.ends_on + _DAY)

    def is_open(self, now: datetime) -> bool:
        """Whether it is time to run."""
        return self.opens_at <= now < self.closes_at

    def day_of(self, now: datetime) -> tuple[datetime, datetime]:
        """When the local day of an instant begins and is over, in UTC: 23 or 25 hours where the clocks change."""
        day = now.astimezone(ZoneInfo(self.time_zone)).date()
        return self._midnight(day), self._midnight(day + _DAY)

    def share_passed(self, now: datetime) -> Fraction:
        """Which part of its real time has passed, from 0 to 1."""
        whole, passed = self.closes_at - self.opens_at, now - self.opens_at
        return min(Fraction(1), max(Fraction(0), Fraction(passed // _TICK, whole // _TICK)))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time.min, ZoneInfo(self.time_zone)).astimezone(UTC)


_TICK: Final = timedelta(microseconds=1)


def spendable_by(now: datetime, budget: Money, schedule: Schedule, pacing: Pacing) -> Money:
    """How much of a budget may be spent by an instant, rounded down: nothing before it opens, all once it is over."""
    share = schedule.share_passed(now)
    if pacing is Pacing.FRONT_LOADED:
        share = 1 - (1 - share) ** 2
    return Money(rounded(share * budget.minor, Rounding.DOWN), budget.currency)


def paced_by(now: datetime, budget: Money, schedule: Schedule, pacing: Pacing) -> Money:
    """How much of a budget may be spent until the local day of an instant is over.

    By whole days, because that is how streams go: whoever shows in the morning does not wait for the afternoon's share.
    """
    return spendable_by(schedule.day_of(now)[1], budget, schedule, pacing)


class RestReason(StrEnum):
    """Why nothing of a campaign is shown for a while, though it runs."""

    DAILY_CAP = "daily_cap"
    AHEAD_OF_PACE = "ahead_of_pace"
    STREAMER_CAP = "streamer_cap"
    MINUTES_USED = "minutes_used"


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing of a campaign is shown for a while, by anybody or in one participation: no minute more would be paid."""

    reason: RestReason
    until: datetime | None
    """When it is shown again by itself; None where that takes another plan."""
