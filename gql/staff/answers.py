"""What the admin portal's mutations answer."""

import strawberry

from domain.identity import refusals
from gql.access import Right, field
from gql.identity.types import SessionsEnded, SignedIn
from gql.refusals import result
from gql.staff.types import MergeRequest, Person, Role, StaffNetwork
from gql.weights import at_most


@strawberry.type(description="It is so now.")
class PersonChanged:
    """What a deed about a person answers."""

    person: Person = field(Right.PARENT, "The person.")


@strawberry.type(description="The role may do this from now on; open sessions follow within seconds.")
class RoleChanged:
    """What a changed role answers."""

    role: Role = field(Right.PARENT, "The role.")


@strawberry.type(description="These are the networks from now on; open sessions follow within seconds.")
class NetworksChanged:
    """What changed networks answer."""

    networks: list[StaffNetwork] = field(Right.PARENT, "From where staff may work.", list_size=at_most(5))


_OF_EVERY_DEED = (refusals.ReasonRequired, refusals.StepUpRequired)

SetStaffRoleResult = result(
    "SetStaffRoleResult",
    PersonChanged,
    *_OF_EVERY_DEED,
    refusals.MayNotGive,
    refusals.UnknownPerson,
    refusals.LastSuperAdmin,
    description="They have the role, or why not.",
)
SetRolePermissionsResult = result(
    "SetRolePermissionsResult",
    RoleChanged,
    *_OF_EVERY_DEED,
    refusals.LastSuperAdmin,
    description="The role may do this now, or why not.",
)
BanPersonResult = result(
    "BanPersonResult",
    PersonChanged,
    *_OF_EVERY_DEED,
    refusals.UnknownPerson,
    refusals.IsStaff,
    description="They are kept out, or why not.",
)
LiftBanResult = result(
    "LiftBanResult",
    PersonChanged,
    *_OF_EVERY_DEED,
    refusals.UnknownPerson,
    description="They may sign in again, or why not.",
)
EndPersonSessionsResult = result(
    "EndPersonSessionsResult",
    SessionsEnded,
    *_OF_EVERY_DEED,
    refusals.UnknownPerson,
    refusals.MayNotGive,
    description="Their sessions have ended, or why not.",
)
AllowNetworkResult = result(
    "AllowNetworkResult",
    NetworksChanged,
    *_OF_EVERY_DEED,
    refusals.NotANetwork,
    description="The networks as they are now, or why nothing has changed.",
)
DisallowNetworkResult = result(
    "DisallowNetworkResult",
    NetworksChanged,
    *_OF_EVERY_DEED,
    refusals.NotANetwork,
    description="The networks as they are now, or why nothing has changed.",
)
ImpersonateResult = result(
    "ImpersonateResult",
    SignedIn,
    *_OF_EVERY_DEED,
    refusals.UnknownPerson,
    refusals.IsStaff,
    description="A session of theirs for half an hour, or why there is none.",
)
AskToMergeResult = result(
    "AskToMergeResult",
    MergeRequest,
    *_OF_EVERY_DEED,
    refusals.UnknownPerson,
    refusals.IsStaff,
    refusals.MergeRefused,
    description="The request, or why there is none.",
)
DecideMergeResult = result(
    "DecideMergeResult",
    MergeRequest,
    *_OF_EVERY_DEED,
    refusals.UnknownPerson,
    refusals.IsStaff,
    refusals.MergeRefused,
    refusals.FourEyesRequired,
    description="The request as it is decided, or why it is not.",
)
