"""What the mutations of overlays answer."""

import strawberry

from domain.identity import refusals as identity
from domain.overlay import refusals
from domain.overlay.model import Side
from domain.streamer import refusals as streamer
from gql.access import Right, field
from gql.overlay.types import OverlayStop, StreamerOverlay
from gql.refusals import result
from gql.weights import at_most


@strawberry.type(description="An overlay with its token, which is shown this once.")
class OverlayWithToken:
    """An overlay with its token."""

    overlay: StreamerOverlay = field(Right.PARENT, "The overlay.")
    token: str = field(Right.PARENT, "Its token. Whoever has it sees what the overlay shows.")
    path: str = field(Right.PARENT, "Where its page is, at our own address: what a streaming program is given.")


@strawberry.type(description="An overlay that is no more.")
class OverlayGone:
    """An overlay that is no more."""

    id: strawberry.ID = field(Right.PARENT, "Its global id.")


@strawberry.type(description="Who has switched a streamer's overlays off; nobody, where they are on.")
class OverlaySwitches:
    """Who has switched overlays off."""

    stops: list[OverlayStop] = field(
        Right.PARENT, "Who has switched them off, first come first.", list_size=at_most(len(Side))
    )


_OWN = (identity.NotWhileImpersonating, refusals.OverlayNotFound)

AddOverlayResult = result(
    "AddOverlayResult",
    OverlayWithToken,
    refusals.OverlayRefused,
    refusals.TooManyOverlays,
    streamer.NotStreamer,
    identity.NotWhileImpersonating,
    identity.UnknownPerson,
    description="The overlay with its token, or why there is none.",
)
ChangeOverlayResult = result(
    "ChangeOverlayResult",
    StreamerOverlay,
    *_OWN,
    refusals.OverlayRefused,
    identity.UnknownPerson,
    description="The overlay as it is now, or why nothing has changed.",
)
RotateOverlayTokenResult = result(
    "RotateOverlayTokenResult", OverlayWithToken, *_OWN, description="The overlay with another token, or why not."
)
RevokeOverlayResult = result(
    "RevokeOverlayResult", OverlayGone, *_OWN, description="The overlay that is no more, or why it still is."
)
SendTestEventResult = result(
    "SendTestEventResult",
    StreamerOverlay,
    *_OWN,
    refusals.OverlayRefused,
    identity.TooManyTries,
    identity.UnknownPerson,
    description="The overlay that shows it, or why none does.",
)
SwitchOverlaysResult = result(
    "SwitchOverlaysResult",
    OverlaySwitches,
    streamer.NotStreamer,
    identity.NotWhileImpersonating,
    description="Who has switched your overlays off by now, or why nothing has changed.",
)
SwitchStreamerOverlaysResult = result(
    "SwitchStreamerOverlaysResult",
    OverlaySwitches,
    refusals.StreamerNotFound,
    identity.StepUpRequired,
    identity.ReasonRequired,
    identity.FourEyesRequired,
    description="Who has switched the streamer's overlays off by now, or why nothing has changed.",
)
