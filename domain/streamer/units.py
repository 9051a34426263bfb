"""A platform that lets us ask so much a day: how much is left, and how often everybody can be asked with it.

YouTube counts units, one for each of our calls, 10,000 a day unless it allows more, and the day begins at midnight in
California. One call tells of 50 streams that are known; whether somebody has begun takes a call for each of them. So:

- some units are kept back, so that accounts can be linked and followers counted until the day ends;
- who is live is sampled every minute while that takes at most three quarters of what is left, else every second
  minute, and so on to every fifth: then still each minute has a sample near it;
- who is not live is asked in turn, whoever waits longest first, as often as the rest of the units allows, spread evenly
  over the rest of the day: with 10,000 units and nobody live 50 accounts each 7½ minutes, 500 each 75 minutes.
"""

from datetime import UTC, date, datetime, time, timedelta
from math import ceil
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from domain.streamer.live import NEAR, Pace

KEPT_BACK: Final = 300
"""So many units of a day looking for streams leaves to what else is to be done."""
AT_ONCE: Final = 50
"""Of so many streams, or accounts, one call tells."""
_THERE: Final = ZoneInfo("America/Los_Angeles")
_MINUTE: Final = timedelta(minutes=1)
_SOONEST: Final = timedelta(minutes=2)
"""Nobody is asked more often whether they have begun."""
_SLOWEST: Final = 2 * (NEAR // _MINUTE) + 1
"""Every so many minutes a sample, and none is farther than `NEAR` from any minute."""
_SAMPLES, _OF = 3, 4


class Units(Protocol):
    """The units of a day, counted for all processes. Not part of a unit of work: what was asked has been asked."""

    async def left(self, now: datetime) -> int:
        """How many are left of this day."""
        ...

    async def take(self, units: int, now: datetime, *, leaving: int = 0) -> bool:
        """Take so many of this day's, if so many are left then; False where none were taken."""
        ...

    async def run_out(self, now: datetime) -> None:
        """The platform says that none are left of this day."""
        ...


def day_of(now: datetime) -> date:
    """The day that units are counted for."""
    return now.astimezone(_THERE).date()


def day_ends(now: datetime) -> datetime:
    """When it ends: days of 23 and of 25 hours do, too."""
    return datetime.combine(day_of(now) + timedelta(days=1), time(), _THERE).astimezone(UTC)


def pace_of(left: int, now: datetime, live: int, quiet: int) -> Pace:
    """Of whom to ask in this minute, with so many units left of the day."""
    minutes = max(1, ceil((day_ends(now) - now) / _MINUTE))
    spare, calls = left - KEPT_BACK, ceil(live / AT_ONCE)
    if spare <= 0:
        return Pace(_SOONEST, 0, live=False)
    paces = range(1, _SLOWEST + 1)
    every = next((n for n in paces if calls * ceil(minutes / n) * _OF <= spare * _SAMPLES), _SLOWEST)
    rest = spare - calls * ceil(minutes / every)
    is_time = int(now.timestamp()) // 60 % every == 0
    if rest <= 0 or not quiet:
        return Pace(_SOONEST, 0, live=is_time)
    return Pace(max(_SOONEST, quiet * minutes * _MINUTE / rest), ceil(rest / minutes), live=is_time)
