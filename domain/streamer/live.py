"""When streamers are live elsewhere, and before how many: sessions, and samples of viewers, as platforms tell them.

What is told may come late, twice and out of order: a beginning is told apart by the platform's id of the stream, an end
is at its own time. A session that nobody said the end of ends when it was last seen. Nothing is made up: what was not
seen is None.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    viewers: int


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


class Broadcasts(Protocol):
    """What a platform shows to everybody. Never called inside a unit of work.

    Each raises `ProviderUnavailableError`, also where we have asked as much as we may for now.
    """

    @property
    def tells(self) -> bool:
        """Whether it can be had to tell us of beginnings and ends."""
        ...

    async def on_air(self, subjects: Sequence[str]) -> Mapping[str, OnAir]:
        """Who of these, any number, is live."""
        ...

    async def followers(self, subject: str) -> int:
        """How many follow an account."""
        ...

    async def subscribe(self, subject: str) -> None:
        """Have us told when somebody begins and ends; again, and it is as it was."""
        ...

    async def subscriptions(self) -> Mapping[str, Sequence[str]]:
        """Of whom we are told: the ids of all subscriptions, by account; those that are in order."""
        ...

    async def unsubscribe(self, subscription: str) -> None:
        """Be told no more."""
        ...


class LiveRows(Protocol):
    """Sessions inside a unit of work. What is said of an account is said by one at a time."""

    async def watch(self, link: LinkId, subject: bytes, now: datetime) -> None:
        """Look at an account from now on; one that is looked at stays as it is."""
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
        """Somebody is live, before so many."""
        ...

    async def silent(self, links: Sequence[LinkId], now: datetime) -> None:
        """These are not shown as live: who has not been for a while was live until last seen."""
        ...

    async def leave(self, link: LinkId) -> None:
        """We look at an account no more: whoever was live there was so until last seen."""
        ...

    async def note_followers(self, link: LinkId, followers: int, now: datetime) -> None:
        """Keep how many follow."""
        ...

    async def subscribed(self, link: LinkId, again_at: datetime | None) -> None:
        """We are told of an account (None), or are to have us told then."""
        ...

    async def prune(self, before: datetime) -> None:
        """Forget messages that came before."""
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

    async def metrics(self, links: Sequence[LinkId], now: datetime) -> Mapping[LinkId, Metrics]:
        """What we saw of accounts that we look at."""
        ...

    async def to_poll(self, now: datetime) -> Sequence[Watched]:
        """Who is to be asked for now: who is live, of whom nobody tells us, and now and then everybody."""
        ...

    async def to_subscribe(self, now: datetime, most: int) -> Sequence[Watched]:
        """Of whom we want to be told, and are not."""
        ...

    async def to_count(self, now: datetime, most: int) -> Sequence[Watched]:
        """Whose followers were not counted for a day."""
        ...

    async def all_watched(self) -> Sequence[Watched]:
        """Every account that we look at."""
        ...
