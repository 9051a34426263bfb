"""Which seconds of a minute somebody could see something, and how what the minute brought is shared by them.

Seconds are a set of sixty, written as the bits of a number: hearing of the same second twice, late or out of order
changes nothing, and two overlays that show the same thing at once are seen once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Final, NewType, TypeVar
from uuid import UUID

Seconds = NewType("Seconds", int)
"""Seconds of one minute: bit 0 is the first, bit 59 the last."""

_Key = TypeVar("_Key", bound=UUID)

IN_A_MINUTE: Final = 60
EVERY: Final = Seconds((1 << IN_A_MINUTE) - 1)
NONE: Final = Seconds(0)
MINUTE: Final = timedelta(minutes=1)


def minute_of(moment: datetime) -> datetime:
    """The minute that a moment belongs to, by its beginning."""
    return moment.replace(second=0, microsecond=0)


def seconds_between(first: int, last: int) -> Seconds:
    """From one second up to another, both included. Raises ValueError for what lies in no minute."""
    if not 0 <= first <= last < IN_A_MINUTE:
        raise ValueError(f"a minute has no seconds {first} to {last}")
    return Seconds((1 << (last + 1)) - (1 << first))


def union(seen: Iterable[Seconds]) -> Seconds:
    """Seconds in any of them."""
    found = NONE
    for seconds in seen:
        found = Seconds(found | seconds)
    return found


@dataclass(frozen=True, slots=True)
class Claim:
    """What one participation says of a streamer's minute, and when the first word of it came."""

    participation: UUID
    since: datetime
    seen: Seconds


def belonging(claims: Sequence[Claim]) -> Mapping[UUID, Seconds]:
    """Whose each second is: of a streamer's minute nobody is paid twice, and of two who claim a second the first is."""
    taken, owned = NONE, dict[UUID, Seconds]()
    for claim in sorted(claims, key=lambda claim: (claim.since, claim.participation)):
        own = Seconds(claim.seen & ~taken)
        owned[claim.participation] = Seconds(owned.get(claim.participation, NONE) | own)
        taken = Seconds(taken | own)
    return owned


def shared(minor: int, seconds: Mapping[_Key, int]) -> Mapping[_Key, int]:
    """An amount shared by seconds: each is less than a unit off its exact share, the sum is the amount.

    Raises ValueError where there is something to share and nobody who was seen.
    """
    order = sorted(creative for creative, seen in seconds.items() if seen > 0)
    whole = sum(seconds[creative] for creative in order)
    if not whole:
        if minor:
            raise ValueError("nothing was seen that the amount could be shared by")
        return {}
    bounds = [minor * until // whole for until in accumulate((seconds[creative] for creative in order), initial=0)]
    return {creative: until - since for creative, (since, until) in zip(order, pairwise(bounds), strict=True)}
