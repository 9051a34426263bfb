"""When streamers are live elsewhere, and before how many: sessions, and samples of viewers, as platforms tell them.

What is told may come late, twice and out of order: a beginning is told apart by the platform's id of the stream, an end
is at its own time. A session that nobody said the end of ends when it was last seen. Nothing is made up: what was not
seen is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, Protocol

from domain.streamer.model import LinkId, Platform, StreamerId

NEAR: Final = timedelta(minutes=2)
"""So far from a minute a sample still speaks of it."""
SILENCE: Final = timedelta(minutes=6)
"""So long a platform may not list somebody who is live: what it lists is some minutes old."""
MEASURED: Final = timedelta(days=30)
"""Averages and hours are of so long."""


@dataclass(frozen=True, slots=True)
class Received:
    """What a platform told us, as it came."""

    id: str
    """The platform's own: the same message again has the same."""
    body: bytes


@dataclass(frozen=True, slots=True)
class OnAir:
    """A stream that a platform shows just now."""

    stream: str
    """The platform's own id of it."""
    started_at: datetime
    viewers: int | None
    """None where the platform does not tell."""
    ended_at: datetime | None = None
    """When it ended, where the platform says that it did."""


class Unseen(Enum):
    """What else a platform may answer of an account."""

    NOT_LIVE = auto()
    REFUSED = auto()
    """It does not honour what the streamer granted us, or no more."""
    UNKNOWN = auto()
    """It was asked, and gave no answer that says anything."""


Seen = OnAir | Unseen


@dataclass(frozen=True, slots=True)
class Pace:
    """Of whom a platform is asked just now."""

    quiet_every: timedelta
    """Who is not live, as far as we know, is asked for so often. Of whom we could be told and are not: at once."""
    quiet_most: int | None = None
    """So many of them at once, those who wait longest first; None: all."""
    live: bool = True
    """Whether everybody is asked for who is live."""


@dataclass(frozen=True, slots=True)
class StreamSession:
    """From when until when somebody was live."""

    streamer: StreamerId
    platform: Platform
    started_at: datetime
    ended_at: datetime | None
    """None while they are live."""


@dataclass(frozen=True, slots=True)
class LiveNow:
    """Somebody who is live just now."""

    started_at: datetime
    viewers: int | None
    """None where no sample has been taken yet."""
    sampled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether a streamer is live anywhere, and how often that has changed."""

    seq: int = 0
    is_live: bool = False


@dataclass(frozen=True, slots=True)
class Metrics:
    """What we saw of an account in the last 30 days, or since we look."""

    sampled_since: datetime
    followers: int | None
    followers_at: datetime | None
    average_viewers: int | None
    """Rounded; None where there is no sample."""
    live_minutes: int
    live: LiveNow | None


@dataclass(frozen=True, slots=True)
class Watched:
    """An account that we look at."""

    link: LinkId
    streamer: StreamerId
    platform: Platform
    subject: str
    """The platform's own id of it."""
    stream: str | None = None
    """The platform's own id of the stream that goes on, as far as we know."""
    access: str | None = field(default=None, repr=False)
    """What the streamer granted us, where the platform is asked in their name."""


class Telling(Protocol):
    """A platform that tells us of beginnings and ends. Never called inside a unit of work.

    Each raises `ProviderUnavailableError`, as all calls to a platform do.
    """

    async def subscribe(self, subject: str) -> None:
        """Have us told when somebody begins and ends; again, and it is as it was."""
        ...

    async def subscriptions(self) -> Mapping[str, Sequence[str]]:
        """Of whom we are told: the ids of all subscriptions, by account; those that are in order."""
        ...

    async def unsubscribe(self, subscription: str) -> None:
        """Be told no more."""
        ...


class Broadcasts(Protocol):
    """What a platform shows us of streams. Never called inside a unit of work.

    Each raises `ProviderUnavailableError`, also where we have asked as much as we may for now.
    """

    @property
    def telling(self) -> Telling | None:
        """By what it can be had to tell us of beginnings and ends, if at all."""
        ...

    @property
    def counted_at_once(self) -> int:
        """Of so many accounts it tells with one answer how many follow."""
        ...

    async def pace(self, now: datetime, live: int, quiet: int, /) -> Pace:
        """Of whom to ask just now, where so many are live and so many are not."""
        ...

    async def on_air(self, asked: Sequence[Watched]) -> Mapping[str, Seen]:
        """What is to be seen of these, any number, by their subjects; nothing of those who could not be asked for."""
        ...

    async def followers(self, subjects: Sequence[str]) -> Mapping[str, int | None]:
        """How many follow each account; None where it hides them, and nothing of accounts that there are not."""
        ...


class LiveRows(Protocol):
    """Sessions inside a unit of work. What is said of an account is said by one at a time."""

    async def watch(self, link: LinkId, subject: bytes, now: datetime, subscribe_at: datetime | None) -> None:
        """Look at an account from now on, and have us told then, if at all; one that is looked at stays as it is."""
        ...

    async def find(self, platform: Platform, account_index: bytes) -> LinkId | None:
        """The confirmed link of an account."""
        ...

    async def receive(self, message: Received, now: datetime) -> bool:
        """Keep what a platform told us, as it came; False where it was told before."""
        ...

    async def begin(self, link: LinkId, stream: str, started_at: datetime, now: datetime) -> None:
        """Somebody is live since then."""
        ...

    async def end(self, link: LinkId, at: datetime) -> None:
        """Somebody was live until then."""
        ...

    async def sample(self, link: LinkId, seen: OnAir, now: datetime) -> None:
        """Somebody is live, before so many, or was until then."""
        ...

    async def asked(self, links: Sequence[LinkId], now: datetime) -> None:
        """These were asked for."""
        ...

    async def silent(self, links: Sequence[LinkId], now: datetime) -> None:
        """These are not shown as live: who has not been for a while was live until last seen."""
        ...

    async def leave(self, link: LinkId) -> None:
        """We look at an account no more: whoever was live there was so until last seen."""
        ...

    async def changed(self, links: Sequence[LinkId]) -> Mapping[StreamerId, int]:
        """Of whom it is news whether they are live, after what was said of accounts; how often it was so far."""
        ...

    async def note_followers(self, link: LinkId, followers: int | None, now: datetime) -> None:
        """Keep how many follow, or that it is not told."""
        ...

    async def subscribed(self, link: LinkId, again_at: datetime | None) -> None:
        """We are told of an account (None), or are to have us told then."""
        ...

    async def prune(self, before: datetime) -> None:
        """Forget messages that came before."""
        ...

    async def prune_samples(self, before: datetime, most: int) -> int:
        """Forget so many samples that were taken before, but for what a minute waits for; how many were forgotten."""
        ...


class LiveReads(Protocol):
    """When somebody was live, and before how many; read without locks."""

    async def sessions(
        self, streamers: Sequence[StreamerId], since: datetime, until: datetime
    ) -> Mapping[StreamerId, Sequence[StreamSession]]:
        """All sessions of each that lie within a time in part, first begun first."""
        ...

    async def viewers_at(self, moments: Sequence[tuple[StreamerId, datetime]]) -> Sequence[int | None]:
        """Before how many each was live at a moment, on all platforms together; None: not live, or no sample is near.

        In the order asked. The sample of its minute speaks for a moment, else the nearest, two minutes away at most.
        """
        ...

    async def liveness(self, streamer: StreamerId) -> Liveness:
        """Whether a streamer is live anywhere."""
        ...

    async def metrics(self, links: Sequence[LinkId], now: datetime) -> Mapping[LinkId, Metrics]:
        """What we saw of accounts that we look at."""
        ...

    async def watched(self, platform: Platform) -> tuple[int, int]:
        """How many accounts that we look at there are live, and how many are not, as far as we know."""
        ...

    async def to_poll(self, platform: Platform, pace: Pace, now: datetime) -> Sequence[Watched]:
        """Who is to be asked for now at such a pace; first who is live."""
        ...

    async def to_subscribe(self, now: datetime, most: int) -> Sequence[Watched]:
        """Of whom we want to be told, and are not."""
        ...

    async def to_count(self, platform: Platform, now: datetime, most: int) -> Sequence[Watched]:
        """Whose followers were not counted for a day there."""
        ...

    async def all_watched(self) -> Sequence[Watched]:
        """Every account that we look at."""
        ...
