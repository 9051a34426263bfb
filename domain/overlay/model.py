"""Overlays: how they look, who they are when they call us, and what is raised on them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType, Self
from uuid import UUID

from domain.ids import PersonId
from domain.money import Money
from domain.streamer.model import StreamerId

OverlayId = NewType("OverlayId", UUID)

TOKEN_PREFIX: Final = "gto_"  # noqa: S105 - the beginning of a token, by which logs know what to hide
"""With what every overlay's token begins."""

MOST_OVERLAYS: Final = 10
"""That a streamer may have at a time."""

ALERT_LIFETIME: Final = timedelta(hours=1)
"""An overlay that was away for longer does not tell what it missed."""


class Theme(StrEnum):
    """In which colours an overlay is drawn."""

    MIDNIGHT = "midnight"
    DAYLIGHT = "daylight"
    NEON = "neon"


class Place(StrEnum):
    """Where on the picture things are shown."""

    TOP_LEFT = "top_left"
    TOP = "top"
    TOP_RIGHT = "top_right"
    CENTER = "center"
    BOTTOM_LEFT = "bottom_left"
    BOTTOM = "bottom"
    BOTTOM_RIGHT = "bottom_right"


@dataclass(frozen=True, slots=True)
class Look:
    """How an overlay looks."""

    width: int = 1920
    height: int = 1080
    """Pixels of the picture that it is drawn for; it is scaled to what there is."""
    place: Place = Place.BOTTOM_RIGHT
    theme: Theme = Theme.MIDNIGHT
    safe_area: int = 5
    """Percent of the picture, at each edge, that stay free."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What a streamer wants to reach, and how far it is: in whatever they count."""

    title: str
    reached: int
    target: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What a streamer says of an overlay."""

    name: str
    look: Look = Look()
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """An overlay as its streamer knows it."""

    id: OverlayId
    streamer: StreamerId
    person: PersonId
    """With whose key its words are sealed."""
    settings: Settings
    created_at: datetime
    renewed_at: datetime
    """When its token was made."""
    version: int = 1
    """How often it was said how it looks."""
    sequence: int = 0
    """How many alerts were raised on it."""

    def changed(self, settings: Settings) -> Self:
        """The same with other settings."""
        return replace(self, settings=settings, version=self.version + 1)


@dataclass(frozen=True, slots=True)
class KeptOverlay:
    """An overlay as its row has it, locked; one that was revoked is none any more."""

    id: OverlayId
    streamer: StreamerId
    person: PersonId
    version: int


@dataclass(frozen=True, slots=True)
class Screen:
    """An overlay that is calling: a page that has its token, and nobody. It may do what overlays do, and no more."""

    overlay: OverlayId
    streamer: StreamerId
    people: frozenset[PersonId]
    """Whose it is: the person, also under the id by which they go on where they were found to be somebody else."""
    digest: bytes
    """Of the token that it came with."""
    is_on: bool
    """Not revoked, not switched off, and its streamer welcome."""

    @property
    def subject(self) -> str:
        """By what it is counted."""
        return f"overlay:{self.overlay}"


class AlertKind(StrEnum):
    """What an alert is about."""

    TIP = "tip"
    FOLLOW = "follow"


@dataclass(frozen=True, slots=True)
class Notice:
    """What an alert says."""

    kind: AlertKind
    name: str
    message: str = ""
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that is shown on an overlay once, one after the other."""

    overlay: OverlayId
    sequence: int
    notice: Notice
    is_test: bool
    raised_at: datetime


class Side(StrEnum):
    """Who has switched a streamer's overlays off."""

    STREAMER = "streamer"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Stop:
    """All overlays of a streamer are off, until the same side switches them on."""

    side: Side
    since: datetime
    reason: str | None = None
    """Why staff did it."""


def overlay_topic(overlay: UUID) -> str:
    """Where it is told that an overlay has something new."""
    return f"overlay:{overlay}"
