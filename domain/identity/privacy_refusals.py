"""What privacy says no to, each with what the person can do about it."""

from dataclasses import dataclass
from typing import ClassVar

from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class DocumentChanged(Refusal):
    """The document is in force in another version than the one agreed to."""

    code: ClassVar[str] = "DOCUMENT_CHANGED"
    message: str = "There is a newer version of this document: read that one first."


@dataclass(frozen=True, slots=True)
class ConsentLasts(Refusal):
    """An account rests on it."""

    code: ClassVar[str] = "CONSENT_LASTS"
    message: str = "There is no account without this: to take it back, erase your account."


@dataclass(frozen=True, slots=True)
class MailRequired(Refusal):
    """There is no confirmed address to write to."""

    code: ClassVar[str] = "MAIL_REQUIRED"
    message: str = "Confirm an e-mail address of yours first: the link is sent there."


@dataclass(frozen=True, slots=True)
class ExportOpen(Refusal):
    """One export at a time."""

    code: ClassVar[str] = "EXPORT_OPEN"
    message: str = "There is an export of yours already: wait for the letter with its link, or until it has expired."


@dataclass(frozen=True, slots=True)
class WalletNotEmpty(Refusal):
    """Money would be left behind."""

    code: ClassVar[str] = "WALLET_NOT_EMPTY"
    message: str


@dataclass(frozen=True, slots=True)
class TopUpOpen(Refusal):
    """Money may still be on its way."""

    code: ClassVar[str] = "TOP_UP_OPEN"
    message: str = "A top-up of yours is not finished: cancel it, or wait until it is."


@dataclass(frozen=True, slots=True)
class EarningsOpen(Refusal):
    """Minutes that may still be paid."""

    code: ClassVar[str] = "EARNINGS_OPEN"
    message: str = (
        "Minutes that you streamed are not paid yet: wait until they are, a week at least, and have it paid out."
    )


@dataclass(frozen=True, slots=True)
class DebtOpen(Refusal):
    """Something is owed to us."""

    code: ClassVar[str] = "DEBT_OPEN"
    message: str


@dataclass(frozen=True, slots=True)
class SoleOwner(Refusal):
    """A brand would be left without an owner."""

    code: ClassVar[str] = "SOLE_OWNER"
    message: str = "A brand has no other owner than you: make somebody else an owner first."


@dataclass(frozen=True, slots=True)
class NoErasure(Refusal):
    """There is nothing to cancel."""

    code: ClassVar[str] = "NO_ERASURE"
    message: str = "Your account is not going to be erased."
