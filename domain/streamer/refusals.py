"""What the streamer context says no to."""

from dataclasses import dataclass
from typing import ClassVar

from domain.refusal import Refusal
from domain.streamer.model import LinkState


@dataclass(frozen=True, slots=True)
class ProfileRefused(Refusal):
    """Something in a streamer's profile cannot be."""

    code: ClassVar[str] = "PROFILE_REFUSED"
    message: str
    field: str


@dataclass(frozen=True, slots=True)
class AlreadyStreamer(Refusal):
    """A person is one streamer."""

    code: ClassVar[str] = "ALREADY_STREAMER"
    message: str = "You are a streamer already: change your profile instead."


@dataclass(frozen=True, slots=True)
class NotStreamer(Refusal):
    """It takes a streamer's profile."""

    code: ClassVar[str] = "NOT_STREAMER"
    message: str = "Become a streamer first."


@dataclass(frozen=True, slots=True)
class AccountRefused(Refusal):
    """No account of that platform has such a name."""

    code: ClassVar[str] = "ACCOUNT_REFUSED"
    message: str = "Write the name of the account as it stands in the address of its profile."


@dataclass(frozen=True, slots=True)
class SignInThere(Refusal):
    """The platform itself says whose an account is: no code proves it."""

    code: ClassVar[str] = "SIGN_IN_THERE"
    message: str = "Link this account by signing in there."


@dataclass(frozen=True, slots=True)
class PlatformNotOffered(Refusal):
    """We are no client of that platform, or it takes a code."""

    code: ClassVar[str] = "PLATFORM_NOT_OFFERED"
    message: str = "We do not link accounts there by signing in."


@dataclass(frozen=True, slots=True)
class PlatformRefused(Refusal):
    """The streamer said no there, or to a part of it, or what came back is not that platform's word to us."""

    code: ClassVar[str] = "PLATFORM_REFUSED"
    message: str = (
        "The platform did not say that the account is yours, or that we may see it. Start again, and allow all."
    )


@dataclass(frozen=True, slots=True)
class AccountTaken(Refusal):
    """Another streamer proved that the account is theirs."""

    code: ClassVar[str] = "ACCOUNT_TAKEN"
    message: str = "This account is another streamer's. Write to support if it is yours."


@dataclass(frozen=True, slots=True)
class PlatformLinked(Refusal):
    """A streamer has one account on a platform."""

    code: ClassVar[str] = "PLATFORM_LINKED"
    message: str = "You have an account there, or one that waits to be checked: unlink it first."


@dataclass(frozen=True, slots=True)
class LinkNotFound(Refusal):
    """There is no such link that is yours, or that you could check."""

    code: ClassVar[str] = "LINK_NOT_FOUND"
    message: str = "There is no such link."


@dataclass(frozen=True, slots=True)
class LinkNotReady(Refusal):
    """The state that a link is in does not allow it."""

    code: ClassVar[str] = "LINK_NOT_READY"
    message: str
    state: LinkState


@dataclass(frozen=True, slots=True)
class CodeExpired(Refusal):
    """A code is to be placed within some days."""

    code: ClassVar[str] = "CODE_EXPIRED"
    message: str = "This code is too old: ask for a new one."


@dataclass(frozen=True, slots=True)
class CodeNotThere(Refusal):
    """What stands in the public profile is not the code that we gave for it."""

    code: ClassVar[str] = "CODE_NOT_THERE"
    message: str = "This is not the code that the streamer was given for this account."
