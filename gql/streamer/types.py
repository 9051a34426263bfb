"""Streamers and their links, as clients see them."""

from datetime import datetime
from typing import ClassVar, Self

import strawberry

from domain.overlay.model import MOST_OVERLAYS, Side
from domain.streamer import model
from domain.streamer.live import Metrics
from domain.streamer.model import LinkId, PlatformLink, Slot, StreamerId
from domain.streamer.platforms import profile_address
from domain.streamer.profile import MOST_CATEGORIES
from gql.access import Right, field
from gql.asset.enums import RenditionName
from gql.asset.lookups import assets
from gql.asset.types import AssetFile, InSize
from gql.batching import Asked, batched
from gql.node import Node, global_id
from gql.overlay.lookups import overlays_of, stops_of
from gql.overlay.types import OverlayStop, StreamerOverlay
from gql.streamer.enums import Category, LinkState, Platform, Rating, Weekday
from gql.streamer.lookups import links_of, metrics_of, streamers
from gql.weights import at_most

LINK = "PlatformLink"
_HOUR = 60


@strawberry.type(description="When somebody streams every week, by the clock of their time zone.")
class StreamingTime:
    """When somebody streams every week."""

    day: Weekday = field(Right.PARENT, "The day.")
    starts_at: str = field(Right.PARENT, "From when: `20:00`.")
    ends_at: str = field(Right.PARENT, "Until when: `24:00` is the end of the day.")

    @classmethod
    def of(cls, slot: Slot) -> Self:
        """Show a time of streaming."""
        return cls(day=slot.day, starts_at=_clock(slot.starts), ends_at=_clock(slot.ends))


def _clock(minutes: int) -> str:
    return f"{minutes // _HOUR:02}:{minutes % _HOUR:02}"


@strawberry.type(description="A stream that goes on just now.")
class LiveStream:
    """Somebody is live."""

    started_at: datetime = field(Right.PARENT, "Since when.")
    viewers: int | None = field(
        Right.PARENT, "Before how many, by the newest sample; null before the first, and where it is hidden."
    )
    sampled_at: datetime | None = field(Right.PARENT, "When that sample was taken.")


@strawberry.type(
    description="What we saw of an account in the last 30 days, or since we look. What we did not see is null."
)
class PlatformMetrics:
    """What was seen of an account."""

    sampled_since: datetime = field(Right.PARENT, "Since when we look.")
    followers: int | None = field(
        Right.PARENT,
        "How many follow; null before they were first counted, and where the account hides it. YouTube tells three"
        " significant figures, rounded down.",
    )
    followers_at: datetime | None = field(Right.PARENT, "When they were counted.")
    average_viewers: int | None = field(
        Right.PARENT,
        "The mean of all samples, one a minute, or fewer where the platform lets us ask less often; null while there is"
        " none. Who hides how many watch is not sampled.",
    )
    live_minutes: int = field(Right.PARENT, "How many minutes they were live.")

    @classmethod
    def of(cls, found: Metrics) -> Self:
        """Show what was seen."""
        return cls(
            sampled_since=found.sampled_since,
            followers=found.followers,
            followers_at=found.followers_at,
            average_viewers=found.average_viewers,
            live_minutes=found.live_minutes,
        )


@strawberry.type(description="An account that a streamer proved to be theirs.")
class StreamerPlatform:
    """An account on another platform."""

    link: strawberry.Private[LinkId]
    platform: Platform = field(Right.PARENT, "Where.")
    account: str = field(Right.PARENT, "Its name there.")
    address: str = field(Right.PARENT, "Where its public profile is.")
    since: datetime | None = field(Right.PARENT, "When it was confirmed.")

    @batched(Right.PARENT, "The stream that goes on there; null while there is none that we know of.", load=metrics_of)
    def live(self) -> Asked[LiveStream | None]:
        """Who is live."""
        return Asked(self.link, _live)

    @batched(Right.PARENT, "What we saw of the account; null where we do not look.", load=metrics_of)
    def metrics(self) -> Asked[PlatformMetrics | None]:
        """What was seen."""
        return Asked(self.link, lambda found: PlatformMetrics.of(found) if found else None)


@strawberry.type(
    description="Somebody who streams. Brands see what is said of the stream, and which accounts are confirmed; the"
    " streamer alone sees the rest."
)
class Streamer(Node):
    """A streamer."""

    kind: ClassVar[str] = "Streamer"
    found: strawberry.Private[model.Streamer]

    @property
    def key(self) -> StreamerId:
        """The streamer's id."""
        return self.found.id

    @property
    def owner(self) -> str:
        """Whose it is: the person's."""
        return self.found.owner

    @field(Right.SIGNED_IN, "The global id: opaque, stable, unique among all objects of all types.")
    def id(self) -> strawberry.ID:
        """The global id."""
        return global_id(self.kind, self.key)

    @field(Right.SIGNED_IN, "What they are called.")
    def display_name(self) -> str:
        """What they are called."""
        return self.found.profile.display_name

    @field(Right.SIGNED_IN, "What the stream is about.", list_size=at_most(MOST_CATEGORIES))
    def categories(self) -> list[Category]:
        """What the stream is about."""
        return list(self.found.profile.categories)

    @field(Right.SIGNED_IN, "The language that is spoken, by ISO 639-1.")
    def language(self) -> str:
        """The language that is spoken."""
        return self.found.profile.language

    @field(Right.SIGNED_IN, "For whom the stream is fit.")
    def rating(self) -> Rating:
        """For whom the stream is fit."""
        return self.found.profile.rating

    @field(Right.SIGNED_IN, "Where they live, by ISO 3166-1.")
    def country(self) -> str:
        """Where they live."""
        return self.found.profile.country

    @batched(Right.SIGNED_IN, "A picture of them; null if they show none.", load=assets)
    def avatar(self, size: InSize = RenditionName.THUMBNAIL) -> Asked[AssetFile | None]:
        """A picture of them."""
        return Asked(self.found.avatar, lambda found: AssetFile.of(found, size))

    @batched(
        Right.SIGNED_IN, "The accounts that they proved to be theirs.", load=links_of, list_size=at_most(len(Platform))
    )
    def platforms(self) -> Asked[list[StreamerPlatform]]:
        """The accounts that are confirmed."""
        return Asked(self.found.id, _confirmed)

    @field(Right.OWNER, "Your time zone, by its name in the tz database.")
    def time_zone(self) -> str:
        """The streamer's time zone."""
        return self.found.profile.time_zone

    @field(Right.OWNER, "When you stream every week.", list_size=at_most(7))
    def schedule(self) -> list[StreamingTime]:
        """When the streamer streams."""
        return [StreamingTime.of(slot) for slot in self.found.profile.schedule]

    @batched(
        Right.OWNER,
        "Your newest links to accounts, newest first, but for those that are unlinked.",
        load=links_of,
        list_size=at_most(5),
    )
    def links(self) -> Asked[list["StreamerLink"]]:
        """The streamer's links, in whichever state."""
        return Asked(self.found.id, lambda found: [StreamerLink(found=each) for each in found])

    @batched(Right.OWNER, "Your overlays, oldest first.", load=overlays_of, list_size=at_most(MOST_OVERLAYS))
    def overlays(self) -> Asked[list[StreamerOverlay]]:
        """The streamer's overlays."""
        return Asked(self.found.id, lambda found: [StreamerOverlay(found=each) for each in found])

    @batched(
        Right.OWNER,
        "Who has switched all of your overlays off; empty while they are on.",
        load=stops_of,
        list_size=at_most(len(Side)),
    )
    def overlay_stops(self) -> Asked[list[OverlayStop]]:
        """Who has switched the overlays off."""
        return Asked(self.found.id, lambda found: [*map(OverlayStop.of, found)])

    @field(Right.OWNER, "Since when you are a streamer.")
    def created_at(self) -> datetime:
        """Since when they are a streamer."""
        return self.found.created_at


@strawberry.type(name=LINK, description="A streamer's claim to an account on another platform.")
class StreamerLink:
    """A link, as its streamer and staff see it."""

    found: strawberry.Private[PlatformLink]

    @field(Right.PARENT, "The global id.")
    def id(self) -> strawberry.ID:
        """The global id."""
        return global_id(LINK, self.found.id)

    @batched(Right.PARENT, "Whose it is to be.", load=streamers)
    def streamer(self) -> Asked[Streamer | None]:
        """Whose it is to be."""
        return Asked(self.found.streamer, lambda found: Streamer(found=found) if found else None)

    @field(Right.PARENT, "Where the account is.")
    def platform(self) -> Platform:
        """Where the account is."""
        return self.found.platform

    @field(Right.PARENT, "The name of the account; null where it was erased.")
    def account(self) -> str | None:
        """The name of the account."""
        return self.found.account

    @field(Right.PARENT, "The public profile, where the code is to stand; null where it was erased.")
    def address(self) -> str | None:
        """Where the public profile is."""
        return profile_address(self.found.platform, self.found.account) if self.found.account else None

    @field(Right.PARENT, "Where the link stands.")
    def state(self) -> LinkState:
        """Where the link stands."""
        return self.found.state

    @field(Right.PARENT, "When the code was asked for, or the account linked.")
    def asked_at(self) -> datetime:
        """When the code was asked for."""
        return self.found.asked_at

    @field(Right.PARENT, "Until when the code may be placed. Without a code, when the account was linked.")
    def code_expires_at(self) -> datetime:
        """Until when the code may be placed."""
        return self.found.code_expires_at or self.found.asked_at

    @field(Right.PARENT, "When the streamer said that the code is placed.")
    def placed_at(self) -> datetime | None:
        """When the code was placed."""
        return self.found.placed_at

    @field(Right.PARENT, "When it was confirmed or rejected.")
    def decided_at(self) -> datetime | None:
        """When staff answered."""
        return self.found.decided_at

    @field(Right.PARENT, "Why staff rejected it, or why it is linked no more.")
    def reason(self) -> str | None:
        """Why it was rejected or withdrawn."""
        return self.found.reason


def _live(found: Metrics | None) -> LiveStream | None:
    live = found.live if found else None
    return LiveStream(started_at=live.started_at, viewers=live.viewers, sampled_at=live.sampled_at) if live else None


def _confirmed(links: list[PlatformLink]) -> list[StreamerPlatform]:
    return [
        StreamerPlatform(
            link=link.id,
            platform=link.platform,
            account=link.account,
            address=profile_address(link.platform, link.account),
            since=link.decided_at,
        )
        for link in links
        if link.state is LinkState.CONFIRMED and link.account is not None
    ]
