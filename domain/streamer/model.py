"""Streamers and their links to accounts on other platforms: what they are, and how a link goes from state to state."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from domain.ids import AssetId, PersonId

StreamerId = NewType("StreamerId", UUID)
LinkId = NewType("LinkId", UUID)

CODE_LIFETIME: Final = timedelta(days=3)
"""So long a code may be placed; once it is, it stays good until staff has looked."""


class Category(StrEnum):
    """What a stream is about."""

    GAMES = "games"
    ESPORTS = "esports"
    TALK = "talk"
    MUSIC = "music"
    ART = "art"
    SPORTS = "sports"
    FOOD = "food"
    TRAVEL = "travel"
    BEAUTY = "beauty"
    TECHNOLOGY = "technology"
    EDUCATION = "education"


class Rating(StrEnum):
    """For whom a stream is fit."""

    EVERYONE = "everyone"
    TEEN = "teen"
    MATURE = "mature"


class Weekday(StrEnum):
    """A day of the week, in the streamer's own time zone."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


@dataclass(frozen=True, slots=True)
class Slot:
    """When somebody streams every week: minutes of a day, from one until another; a night is two slots."""

    day: Weekday
    starts: int
    ends: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What a streamer says of themselves."""

    display_name: str
    categories: tuple[Category, ...]
    language: str
    """ISO 639-1."""
    rating: Rating
    country: str
    """ISO 3166-1, two letters."""
    time_zone: str
    """By its name in the tz database."""
    schedule: tuple[Slot, ...] = ()


@dataclass(frozen=True, slots=True)
class Streamer:
    """Somebody who streams, as we know them."""

    id: StreamerId
    person: PersonId
    profile: Profile
    created_at: datetime
    version: int = 1
    """How many profiles they have had."""
    is_active: bool = True
    """Whether the person may sign in: who is kept out is shown to nobody."""
    avatar: AssetId | None = None

    @property
    def owner(self) -> str:
        """The owner name of the person."""
        return f"person:{self.person}"


class Platform(StrEnum):
    """Where somebody has an account."""

    TIKTOK = "tiktok"
    FACEBOOK = "facebook"
    TWITCH = "twitch"
    YOUTUBE = "youtube"


PROVED_BY_CODE: Final = frozenset({Platform.TIKTOK, Platform.FACEBOOK})
"""Where a code in the public profile proves an account; elsewhere the platform itself says whose it is."""
TELLING: Final = frozenset({Platform.TWITCH})
"""Where we can be told of beginnings and ends; elsewhere we can but ask."""
ASKED_IN_THEIR_NAME: Final = frozenset({Platform.YOUTUBE})
"""Where we ask who is live with what each streamer granted us; elsewhere we ask as ourselves."""


class LinkState(StrEnum):
    """Where a link stands."""

    OFFERED = "offered"
    PLACED = "placed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    UNLINKED = "unlinked"
    WITHDRAWN = "withdrawn"


class LinkStep(StrEnum):
    """What may be done to a link."""

    PLACE = "place"
    CONFIRM = "confirm"
    REJECT = "reject"
    UNLINK = "unlink"
    WITHDRAW = "withdraw"


NEXT: Final[Mapping[tuple[LinkState, LinkStep], LinkState]] = {
    (LinkState.OFFERED, LinkStep.PLACE): LinkState.PLACED,
    (LinkState.OFFERED, LinkStep.UNLINK): LinkState.UNLINKED,
    (LinkState.PLACED, LinkStep.CONFIRM): LinkState.CONFIRMED,
    (LinkState.PLACED, LinkStep.REJECT): LinkState.REJECTED,
    (LinkState.PLACED, LinkStep.UNLINK): LinkState.UNLINKED,
    (LinkState.CONFIRMED, LinkStep.UNLINK): LinkState.UNLINKED,
    (LinkState.CONFIRMED, LinkStep.WITHDRAW): LinkState.WITHDRAWN,
}
"""What a step leads to; a pair that is absent is a refusal. What a platform vouches for begins as confirmed."""


@dataclass(frozen=True, slots=True)
class KeptLink:
    """A link as its row has it; what is personal in it is sealed."""

    id: LinkId
    streamer: StreamerId
    person: PersonId
    platform: Platform
    account: bytes
    account_index: bytes
    """A keyed digest of what tells the account from all others of its platform."""
    code_digest: bytes | None
    code_expires_at: datetime | None
    """None where the platform itself vouches, as in `PlatformLink`."""
    state: LinkState
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class PlatformLink:
    """A link, readable."""

    id: LinkId
    streamer: StreamerId
    person: PersonId
    platform: Platform
    account: str | None
    """None where the key is gone that would open it."""
    state: LinkState
    code_expires_at: datetime | None
    asked_at: datetime
    placed_at: datetime | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    """Why it was rejected, or is theirs no more."""
