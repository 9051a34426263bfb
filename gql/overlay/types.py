"""Overlays, as their streamers see them."""

from datetime import datetime
from typing import Self

import strawberry

from domain.overlay import model
from gql.access import Right, field
from gql.node import global_id
from gql.overlay.enums import Place, Side, Theme

OVERLAY, STREAMER = "Overlay", "Streamer"
"""Of which kind ids are."""


@strawberry.type(description="What a streamer wants to reach, in whatever they count.")
class OverlayGoal:
    """A goal."""

    title: str = field(Right.PARENT, "What it is.")
    reached: int = field(Right.PARENT, "How far it is.")
    target: int = field(Right.PARENT, "When it is reached.")

    @classmethod
    def of(cls, goal: model.Goal | None) -> Self | None:
        """Show a goal."""
        return cls(title=goal.title, reached=goal.reached, target=goal.target) if goal else None


@strawberry.type(name=OVERLAY, description="A page that a streamer lays over their picture.")
class StreamerOverlay:
    """An overlay, as its streamer sees it."""

    found: strawberry.Private[model.Overlay]

    @field(Right.PARENT, "The global id.")
    def id(self) -> strawberry.ID:
        """The global id."""
        return global_id(OVERLAY, self.found.id)

    @field(Right.PARENT, "What you call it.")
    def name(self) -> str:
        """What the streamer calls it."""
        return self.found.settings.name

    @field(Right.PARENT, "How many pixels wide the picture is that it is drawn for.")
    def width(self) -> int:
        """How wide the picture is."""
        return self.found.settings.look.width

    @field(Right.PARENT, "How many pixels high the picture is that it is drawn for.")
    def height(self) -> int:
        """How high the picture is."""
        return self.found.settings.look.height

    @field(Right.PARENT, "Where on the picture it shows things.")
    def place(self) -> Place:
        """Where it shows things."""
        return self.found.settings.look.place

    @field(Right.PARENT, "In which colours it is drawn.")
    def theme(self) -> Theme:
        """In which colours it is drawn."""
        return self.found.settings.look.theme

    @field(Right.PARENT, "How many percent of the picture stay free at each edge.")
    def safe_area(self) -> int:
        """What stays free."""
        return self.found.settings.look.safe_area

    @field(Right.PARENT, "What you want to reach; null where it shows no goal.")
    def goal(self) -> OverlayGoal | None:
        """What the streamer wants to reach."""
        return OverlayGoal.of(self.found.settings.goal)

    @field(Right.PARENT, "When you made it.")
    def created_at(self) -> datetime:
        """When it was made."""
        return self.found.created_at

    @field(Right.PARENT, "When its token was made.")
    def renewed_at(self) -> datetime:
        """When its token was made."""
        return self.found.renewed_at


@strawberry.type(description="All overlays of a streamer are off, until the same side switches them on.")
class OverlayStop:
    """A switch that is off."""

    side: Side = field(Right.PARENT, "Who switched them off.")
    since: datetime = field(Right.PARENT, "Since when.")
    reason: str | None = field(Right.PARENT, "Why staff did.")

    @classmethod
    def of(cls, stop: model.Stop) -> Self:
        """Show a stop."""
        return cls(side=stop.side, since=stop.since, reason=stop.reason)
