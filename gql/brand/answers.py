"""What the mutations of brands answer."""

import strawberry

from domain.asset.refusals import AssetNotReady
from domain.brand import refusals
from domain.identity import refusals as identity
from gql.access import Right, field
from gql.brand.staff import BrandCase
from gql.brand.types import Brand, BrandInvitation, BrandMember
from gql.refusals import result
from gql.wallet.types import Wallet


@strawberry.type(description="You act for the brand from now on.")
class BrandJoined:
    """What an accepted invitation answers."""

    brand: Brand | None = field(Right.PARENT, "The brand; null where you have been sent away since.")


@strawberry.type(description="The invitation is over.")
class InvitationEnded:
    """What an invitation answers that was taken back or turned down."""

    invitation_id: strawberry.ID = field(Right.PARENT, "The global id of the invitation.")


@strawberry.type(description="They act for the brand no more.")
class MemberGone:
    """What leaving and being sent away answer."""

    member_id: strawberry.ID = field(Right.PARENT, "The global id that the member had.")


_OF_MEMBERS = (refusals.UnknownBrand, refusals.RoleTooLow)
_OF_INVITATIONS = (refusals.InvitationGone, refusals.RoleTooLow)
_OF_A_MEMBER = (refusals.UnknownMember, refusals.RoleTooLow, refusals.LastOwner)

OpenBrandWalletResult = result(
    "OpenBrandWalletResult", Wallet, *_OF_MEMBERS, description="The brand's wallet, or why there is none."
)
CreateBrandResult = result(
    "CreateBrandResult",
    Brand,
    refusals.ProfileRefused,
    identity.TooManyTries,
    identity.UnknownPerson,
    refusals.UnknownBrand,
    description="The brand, or why there is none.",
)
ChangeBrandResult = result(
    "ChangeBrandResult",
    Brand,
    refusals.ProfileRefused,
    *_OF_MEMBERS,
    refusals.UnknownMember,
    AssetNotReady,
    description="The brand as it is now, or why nothing has changed.",
)
InviteMemberResult = result(
    "InviteMemberResult",
    BrandInvitation,
    *_OF_MEMBERS,
    identity.NotAnAddress,
    identity.TooManyTries,
    refusals.AlreadyInvited,
    description="The invitation, the same for every address, or why there is none.",
)
ResendInvitationResult = result(
    "ResendInvitationResult",
    BrandInvitation,
    *_OF_INVITATIONS,
    identity.TooManyTries,
    description="The invitation, or why it is not sent.",
)
RevokeInvitationResult = result(
    "RevokeInvitationResult", InvitationEnded, *_OF_INVITATIONS, description="It is taken back, or why not."
)
AcceptInvitationResult = result(
    "AcceptInvitationResult",
    BrandJoined,
    refusals.InvitationGone,
    refusals.AlreadyMember,
    description="You act for the brand, or why not.",
)
DeclineInvitationResult = result(
    "DeclineInvitationResult", InvitationEnded, refusals.InvitationGone, description="It is turned down, or why not."
)
ChangeMemberRoleResult = result(
    "ChangeMemberRoleResult", BrandMember, *_OF_A_MEMBER, description="The member, or why nothing has changed."
)
RemoveMemberResult = result(
    "RemoveMemberResult", MemberGone, *_OF_A_MEMBER, description="They are no member any more, or why they are."
)
LeaveBrandResult = result(
    "LeaveBrandResult",
    MemberGone,
    refusals.UnknownBrand,
    refusals.LastOwner,
    description="You are no member any more, or why you are.",
)
DecideBrandResult = result(
    "DecideBrandResult",
    BrandCase,
    identity.ReasonRequired,
    identity.StepUpRequired,
    refusals.UnknownBrand,
    refusals.BrandMovedOn,
    description="The brand as it is decided, or why it is not.",
)
