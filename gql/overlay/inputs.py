"""What the fields of overlays take."""

import strawberry

from domain.overlay.model import Goal, Look, Settings
from gql.overlay.enums import AlertKind, Place, Theme

_OVERLAY = "The global id of the overlay."
_USUAL = Look()


@strawberry.input(description="What you want to reach, in whatever you count.")
class OverlayGoalInput:
    """A goal."""

    title: str = strawberry.field(description="What it is, in at most 60 characters.")
    reached: int = strawberry.field(description="How far it is.", default=0)
    target: int = strawberry.field(description="When it is reached.")


@strawberry.input(description="How an overlay is to look.")
class _OfOverlay:
    """How an overlay is to look."""

    name: str = strawberry.field(description="What to call it, in at most 50 characters.")
    width: int = strawberry.field(description="How many pixels wide the picture is.", default=_USUAL.width)
    height: int = strawberry.field(description="How many pixels high the picture is.", default=_USUAL.height)
    place: Place = strawberry.field(description="Where to show things.", default=_USUAL.place)
    theme: Theme = strawberry.field(description="In which colours to draw.", default=_USUAL.theme)
    safe_area: int = strawberry.field(
        description="How many percent of the picture to leave free at each edge: 0 to 20.", default=_USUAL.safe_area
    )
    goal: OverlayGoalInput | None = strawberry.field(description="What you want to reach.", default=None)

    def parsed(self) -> Settings:
        """The settings as the domain knows them."""
        goal = self.goal
        return Settings(
            self.name.strip(),
            Look(self.width, self.height, self.place, self.theme, self.safe_area),
            Goal(goal.title.strip(), goal.reached, goal.target) if goal else None,
        )


@strawberry.input(description="One more overlay.")
class AddOverlayInput(_OfOverlay):
    """One more overlay."""


@strawberry.input(description="How an overlay is to look from now on: all of it anew.")
class ChangeOverlayInput(_OfOverlay):
    """How an overlay is to look from now on."""

    overlay_id: strawberry.ID = strawberry.field(description=_OVERLAY)


@strawberry.input(description="Which overlay is to have another token.")
class RotateOverlayTokenInput:
    """Which overlay is to have another token."""

    overlay_id: strawberry.ID = strawberry.field(description=_OVERLAY)


@strawberry.input(description="Which overlay is to be no more.")
class RevokeOverlayInput:
    """Which overlay is to be no more."""

    overlay_id: strawberry.ID = strawberry.field(description=_OVERLAY)


@strawberry.input(description="Something to look at on an overlay.")
class SendTestEventInput:
    """Something to look at on an overlay."""

    overlay_id: strawberry.ID = strawberry.field(description=_OVERLAY)
    kind: AlertKind = strawberry.field(description="What to show.", default=AlertKind.TIP)
    name: str = strawberry.field(description="From whom it is to seem, in at most 50 characters.", default="Ayu")
    message: str = strawberry.field(description="What they say, in at most 200 characters.", default="")


@strawberry.input(description="Whether your overlays are to be on.")
class SwitchOverlaysInput:
    """Whether the caller's overlays are to be on."""

    on: bool = strawberry.field(description="False switches all of them off at once.")


@strawberry.input(description="Whether a streamer's overlays are to be on, as far as staff is concerned.")
class SwitchStreamerOverlaysInput:
    """Whether a streamer's overlays are to be on."""

    streamer_id: strawberry.ID = strawberry.field(description="The global id of the streamer.")
    on: bool = strawberry.field(description="False switches all of them off at once.")
    reason: str = strawberry.field(description="Why, in at most 500 characters; the streamer reads it.")
