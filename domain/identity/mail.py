"""Letters to people: the occasions there are, and the ports that word and send them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.errors import DomainError
from domain.identity.model import Locale
from domain.identity.provider import Provider


class MailUndeliverableError(DomainError):
    """The receiving side will never take this letter: sending it again is useless. Names no address."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one address. Nothing of it but its id shows when it is printed: it holds addresses and links."""

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(default=None, repr=False)
    id: UUID = field(kw_only=True)
    """The same for the same letter sent again, so that a repeat is recognisable."""


class Mailer(Protocol):
    """Sends letters."""

    async def send(self, letter: Letter) -> None:
        """Hand a letter over to the next mail server.

        Raises `MailUndeliverableError` when that is useless, and `UnavailableError` when it may be tried again, also
        when nobody knows whether it was taken.
        """
        ...


class FactorChange(StrEnum):
    """What happened to a person's second factor."""

    TOTP_ADDED = "totp_added"
    TOTP_REMOVED = "totp_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    RECOVERY_CODE_USED = "recovery_code_used"


class IdentityChange(StrEnum):
    """What happened to a way in which a person signs in."""

    LINKED = "linked"
    UNLINKED = "unlinked"


@dataclass(frozen=True, slots=True)
class ConfirmSignUp:
    """Somebody signed up with an address that is new here. The link is good once, for half an hour."""

    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AlreadyRegistered:
    """Somebody signed up with an address that has an account. The link leads to a new password."""

    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifyAddress:
    """A person named an address as theirs. The link is good once, for half an hour."""

    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Somebody wants a new password for an address. The link is good once, for half an hour."""

    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """A person's password was changed, by a link or in the settings. The link leads to a new password."""

    at: datetime
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """Told to the address that was a person's until then. The link leads to the sessions."""

    at: datetime
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StepUpCode:
    """A person is to confirm something by a code, good for ten minutes."""

    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewSignIn:
    """Somebody signed in from a device or place that was not seen before. The link leads to the sessions."""

    device: str
    place: str
    at: datetime
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactorChanged:
    """A second factor came, went or was used up. The link leads to the settings."""

    change: FactorChange
    at: datetime
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """A way of signing in was linked to a person, or taken away. The link leads to the settings."""

    change: IdentityChange
    provider: Provider
    at: datetime
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExportReady:
    """A person's export can be fetched, once, until then."""

    link: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class ErasureScheduled:
    """A person will be erased at that time. The link leads to where they can still change their mind."""

    at: datetime
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ErasureDone:
    """A person was erased; the address is used for this letter for the last time."""


@dataclass(frozen=True, slots=True)
class ErasureDoneInPart:
    """A person was erased but for what law makes us keep of who they were, until then; the last letter to them, too."""

    until: datetime


@dataclass(frozen=True, slots=True)
class AccountsMerged:
    """Staff joined two accounts of one person. The link leads to how to sign in now."""

    at: datetime
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrandInvitation:
    """Somebody is asked to act for a brand, until then. The link is good once."""

    brand: str
    link: str = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class BrandVerified:
    """Staff verified a brand; told to its contact. The link leads to the brand."""

    brand: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BrandRejected:
    """Staff rejected a brand; told to its contact. The link leads to the brand, and to why."""

    brand: str
    link: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class InvoiceIssued:
    """A brand was billed for a month; told to its contact, without what it came to. The link leads to the brand."""

    brand: str
    month: str
    link: str = field(repr=False)


Occasion = (
    ConfirmSignUp
    | AlreadyRegistered
    | VerifyAddress
    | ResetPassword
    | PasswordChanged
    | AddressChanged
    | StepUpCode
    | NewSignIn
    | SecondFactorChanged
    | IdentityChanged
    | ExportReady
    | ErasureScheduled
    | ErasureDone
    | ErasureDoneInPart
    | AccountsMerged
    | BrandInvitation
    | BrandVerified
    | BrandRejected
    | InvoiceIssued
)


class Letters(Protocol):
    """Words letters."""

    def word(self, occasion: Occasion, to: str, locale: Locale, letter: UUID) -> Letter:
        """The letter for an occasion in a language, under an id that is the caller's."""
        ...
