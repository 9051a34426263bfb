"""What brands say no to. What is another's is refused as what does not exist."""

from dataclasses import dataclass
from typing import ClassVar

from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class UnknownBrand(Refusal):
    """There is no such brand, or you have no role in it."""

    code: ClassVar[str] = "UNKNOWN_BRAND"
    message: str = "There is no such brand of yours."


@dataclass(frozen=True, slots=True)
class UnknownMember(Refusal):
    """There is no such member in a brand of yours."""

    code: ClassVar[str] = "UNKNOWN_MEMBER"
    message: str = "There is no such member in a brand of yours."


@dataclass(frozen=True, slots=True)
class RoleTooLow(Refusal):
    """Your role in the brand does not cover it."""

    code: ClassVar[str] = "ROLE_TOO_LOW"
    message: str = "Your role in this brand does not cover that: ask an owner."


@dataclass(frozen=True, slots=True)
class ProfileRefused(Refusal):
    """Something of what the brand would say of itself cannot be so."""

    code: ClassVar[str] = "PROFILE_REFUSED"
    message: str
    field: str


@dataclass(frozen=True, slots=True)
class LastOwner(Refusal):
    """A brand keeps an owner who can sign in."""

    code: ClassVar[str] = "LAST_OWNER"
    message: str = "A brand keeps an owner: make somebody else one first."


@dataclass(frozen=True, slots=True)
class AlreadyMember(Refusal):
    """You act for this brand already."""

    code: ClassVar[str] = "ALREADY_MEMBER"
    message: str = "You are a member of this brand already. An owner may change your role."


@dataclass(frozen=True, slots=True)
class AlreadyInvited(Refusal):
    """There is an open invitation to this address."""

    code: ClassVar[str] = "ALREADY_INVITED"
    message: str = "This address is invited already: send that invitation again, or take it back."


@dataclass(frozen=True, slots=True)
class InvitationGone(Refusal):
    """An invitation that was used, taken back, has expired, or was never yours."""

    code: ClassVar[str] = "INVITATION_GONE"
    message: str = "This invitation is no good any more. Ask who invited you for a new one."


@dataclass(frozen=True, slots=True)
class BrandMovedOn(Refusal):
    """What staff looked at has changed meanwhile, or is decided so already."""

    code: ClassVar[str] = "BRAND_MOVED_ON"
    message: str = "The brand has changed, or is decided so already: look at it again."
