"""What the mutations of streamers answer."""

from datetime import datetime

import strawberry

from domain.asset.refusals import AssetNotReady
from domain.identity import refusals as identity
from domain.streamer import refusals
from gql.access import Right, field
from gql.identity.providers import ProviderJourney
from gql.refusals import result
from gql.streamer.types import Streamer, StreamerLink


@strawberry.type(description="A code for one account. It is shown this once.")
class PlatformCode:
    """A code to place."""

    text: str = field(Right.PARENT, "The code. Place it in the public profile of the account.")
    expires_at: datetime = field(Right.PARENT, "Until when it may be placed.")
    link: StreamerLink = field(Right.PARENT, "The link that it is for.")


_OWN = (identity.NotWhileImpersonating, refusals.LinkNotFound, refusals.LinkNotReady)

BecomeStreamerResult = result(
    "BecomeStreamerResult",
    Streamer,
    refusals.ProfileRefused,
    refusals.AlreadyStreamer,
    identity.NotWhileImpersonating,
    identity.UnknownPerson,
    description="You, as a streamer, or why you are none.",
)
ChangeStreamerProfileResult = result(
    "ChangeStreamerProfileResult",
    Streamer,
    refusals.ProfileRefused,
    refusals.NotStreamer,
    identity.NotWhileImpersonating,
    identity.UnknownPerson,
    description="The profile as it is now, or why nothing has changed.",
)
SetStreamerAvatarResult = result(
    "SetStreamerAvatarResult",
    Streamer,
    refusals.NotStreamer,
    AssetNotReady,
    identity.NotWhileImpersonating,
    description="You, as a streamer, or why nothing has changed.",
)
RequestPlatformCodeResult = result(
    "RequestPlatformCodeResult",
    PlatformCode,
    refusals.AccountRefused,
    refusals.SignInThere,
    refusals.AccountTaken,
    refusals.PlatformLinked,
    refusals.NotStreamer,
    identity.TooManyTries,
    identity.NotWhileImpersonating,
    identity.UnknownPerson,
    description="A code, or why there is none.",
)
ReportPlatformCodePlacedResult = result(
    "ReportPlatformCodePlacedResult",
    StreamerLink,
    *_OWN,
    refusals.CodeExpired,
    refusals.AccountTaken,
    description="The link, which waits for staff now, or why it does not.",
)
LinkPlatformResult = result(
    "LinkPlatformResult",
    ProviderJourney,
    refusals.PlatformNotOffered,
    refusals.NotStreamer,
    identity.TooManyTries,
    identity.NotWhileImpersonating,
    description="Where to go, or why not.",
)
FinishPlatformLinkResult = result(
    "FinishPlatformLinkResult",
    StreamerLink,
    refusals.PlatformRefused,
    refusals.PlatformNotOffered,
    refusals.AccountTaken,
    refusals.PlatformLinked,
    refusals.NotStreamer,
    identity.LinkRefused,
    identity.NotWhileImpersonating,
    identity.UnknownPerson,
    description="The link, which is confirmed, or why there is none.",
)
UnlinkPlatformResult = result(
    "UnlinkPlatformResult", StreamerLink, *_OWN, description="The link, which is none any more, or why it still is."
)

_OF_STAFF = (identity.StepUpRequired, identity.FourEyesRequired, refusals.LinkNotFound, refusals.LinkNotReady)

ConfirmPlatformLinkResult = result(
    "ConfirmPlatformLinkResult",
    StreamerLink,
    *_OF_STAFF,
    refusals.CodeNotThere,
    refusals.AccountTaken,
    description="The link, which is confirmed, or why it is not.",
)
RejectPlatformLinkResult = result(
    "RejectPlatformLinkResult",
    StreamerLink,
    *_OF_STAFF,
    identity.ReasonRequired,
    description="The link, which is rejected, or why it is not.",
)
