"""What identity says no to. Each has a code of its own; none tells whether an address or a person exists."""

from dataclasses import dataclass
from typing import ClassVar

from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class SignInRefused(Refusal):
    """The address, the password, the code or the link is not right, or may not be used here; which is not told."""

    code: ClassVar[str] = "SIGN_IN_REFUSED"
    message: str = "That is not right. Check it and try again."


@dataclass(frozen=True, slots=True)
class PersonBanned(Refusal):
    """The right person, who may not sign in. Told only to who proved to be them."""

    code: ClassVar[str] = "PERSON_BANNED"
    message: str = "This account is blocked. Write to support if you think that is a mistake."


@dataclass(frozen=True, slots=True)
class SessionEnded(Refusal):
    """The session of a refresh token is over."""

    code: ClassVar[str] = "SESSION_ENDED"
    message: str = "Your session has ended; sign in again."


@dataclass(frozen=True, slots=True)
class LinkRefused(Refusal):
    """A link or code that was used, is too old, or was never ours."""

    code: ClassVar[str] = "LINK_REFUSED"
    message: str = "This link has been used or is too old. Ask for a new one."


@dataclass(frozen=True, slots=True)
class TooManyTries(Refusal):
    """Tried too often; wait, or use the link that a mail brings."""

    code: ClassVar[str] = "RATE_LIMITED"
    message: str
    retry_after_s: int


@dataclass(frozen=True, slots=True)
class StepUpRequired(Refusal):
    """It takes a fresh code first."""

    code: ClassVar[str] = "STEP_UP_REQUIRED"
    message: str = "Confirm with a fresh code first: `stepUp`."


@dataclass(frozen=True, slots=True)
class FreshSignInRequired(Refusal):
    """It takes a sign-in of the last quarter of an hour."""

    code: ClassVar[str] = "FRESH_SIGN_IN_REQUIRED"
    message: str = "Sign in again first."


@dataclass(frozen=True, slots=True)
class NotWhileImpersonating(Refusal):
    """Somebody who looks through another's eyes changes nothing that is theirs alone."""

    code: ClassVar[str] = "NOT_WHILE_IMPERSONATING"
    message: str = "This cannot be done while you look through somebody else's eyes."


@dataclass(frozen=True, slots=True)
class ReasonRequired(Refusal):
    """Deeds of staff have a reason."""

    code: ClassVar[str] = "REASON_REQUIRED"
    message: str = "Say why, in at most 500 characters."


@dataclass(frozen=True, slots=True)
class MayNotGive(Refusal):
    """Nobody gives, or takes, what they do not have."""

    code: ClassVar[str] = "MAY_NOT_GIVE"
    message: str = "This role may do what you may not: somebody who may must change it."


@dataclass(frozen=True, slots=True)
class LastSuperAdmin(Refusal):
    """Somebody must be able to undo everything."""

    code: ClassVar[str] = "LAST_SUPER_ADMIN"
    message: str = "There must be a super admin, and super admins may do everything."


@dataclass(frozen=True, slots=True)
class UnknownPerson(Refusal):
    """There is no such person to whom this could be done."""

    code: ClassVar[str] = "UNKNOWN_PERSON"
    message: str = "There is nobody to whom this can be done."


@dataclass(frozen=True, slots=True)
class IsStaff(Refusal):
    """It is not done to staff."""

    code: ClassVar[str] = "IS_STAFF"
    message: str = "This is not done to staff: take their role first."


@dataclass(frozen=True, slots=True)
class NotANetwork(Refusal):
    """A network that cannot be read, or cannot be changed so."""

    code: ClassVar[str] = "NOT_A_NETWORK"
    message: str = "Write a network as an address and the length of its prefix, such as 203.0.113.0/24."


@dataclass(frozen=True, slots=True)
class FourEyesRequired(Refusal):
    """Somebody else must agree."""

    code: ClassVar[str] = "FOUR_EYES_REQUIRED"
    message: str = "Somebody else must agree to this."


@dataclass(frozen=True, slots=True)
class MergeRefused(Refusal):
    """Two people who cannot be joined so."""

    code: ClassVar[str] = "MERGE_REFUSED"
    message: str


@dataclass(frozen=True, slots=True)
class NotAnAddress(Refusal):
    """A text that no mail could be sent to."""

    code: ClassVar[str] = "NOT_AN_ADDRESS"
    message: str = "This is not an e-mail address. Check it and try again."


@dataclass(frozen=True, slots=True)
class NameRequired(Refusal):
    """A name with nothing in it to read."""

    code: ClassVar[str] = "NAME_REQUIRED"
    message: str = "Say what to call you, in at most 100 characters."


@dataclass(frozen=True, slots=True)
class CodeRefused(Refusal):
    """A code that is wrong, was used, or is too old."""

    code: ClassVar[str] = "CODE_REFUSED"
    message: str = "That code is not right, or was used already. Wait for the next one."


@dataclass(frozen=True, slots=True)
class SecondFactorStays(Refusal):
    """Staff keeps a second factor."""

    code: ClassVar[str] = "SECOND_FACTOR_STAYS"
    message: str = "Staff needs a second factor: set up another one before you take this away."


@dataclass(frozen=True, slots=True)
class SecondFactorRequired(Refusal):
    """A code by mail is not enough for people who have a second factor."""

    code: ClassVar[str] = "SECOND_FACTOR_REQUIRED"
    message: str = "Confirm with your second factor."


@dataclass(frozen=True, slots=True)
class PasskeyRefused(Refusal):
    """An answer of a browser that does not prove what it should."""

    code: ClassVar[str] = "PASSKEY_REFUSED"
    message: str = "The passkey could not be used. Start again."


@dataclass(frozen=True, slots=True)
class ProviderRefused(Refusal):
    """Another site, or a proof, did not say who it is."""

    code: ClassVar[str] = "PROVIDER_REFUSED"
    message: str = "The other site did not confirm who you are. Start again."


@dataclass(frozen=True, slots=True)
class IdentityTaken(Refusal):
    """Somebody else signs in by it."""

    code: ClassVar[str] = "IDENTITY_TAKEN"
    message: str = "Another account signs in by this. If both are yours, write to support to have them joined."


@dataclass(frozen=True, slots=True)
class LastIdentity(Refusal):
    """The last way of signing in."""

    code: ClassVar[str] = "LAST_IDENTITY"
    message: str = "This is your only way to sign in: link another one first."


@dataclass(frozen=True, slots=True)
class UnknownIdentity(Refusal):
    """No such way of signing in."""

    code: ClassVar[str] = "UNKNOWN_IDENTITY"
    message: str = "You do not sign in by this."
