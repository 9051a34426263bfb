"""Privacy's nouns and rules: what people agree to, exports of what is theirs, and until when law keeps what of whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.identity.privacy_refusals import DebtOpen, EarningsOpen, SoleOwner, TopUpOpen, WalletNotEmpty
from domain.ids import PersonId
from domain.ledger.chart import Purpose
from domain.money import Money
from domain.refusal import Refusal


class ConsentPurpose(StrEnum):
    """What a person may agree to."""

    TERMS = "terms"
    PRIVACY_NOTICE = "privacy_notice"
    MARKETING_MAIL = "marketing_mail"
    PROFILING = "profiling"


LASTING = frozenset({ConsentPurpose.TERMS, ConsentPurpose.PRIVACY_NOTICE})
"""What an account rests on: it is not withdrawn, but by erasing the account."""

LONGEST_VERSION = 40
"""Characters of a document's version."""


@dataclass(frozen=True, slots=True)
class Consent:
    """A person agreed to a document, or took that back."""

    purpose: ConsentPurpose
    version: str
    """Of the document that they had before them."""
    given: bool
    at: datetime
    position: int = 0
    """Its place in the history of all; given when it is kept."""


class ExportState(StrEnum):
    """Where an export stands."""

    REQUESTED = "requested"
    READY = "ready"
    FETCHED = "fetched"
    EXPIRED = "expired"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Export:
    """A copy of what is a person's, on its way to them."""

    id: UUID
    person: PersonId
    state: ExportState
    asked_at: datetime
    run: int = 0
    """Which try of making it this is: pieces of another are never mixed with its own."""
    ready_at: datetime | None = None
    expires_at: datetime | None = None
    pieces: int = 0
    bytes: int = 0
    """Of the whole file, as it is fetched."""


class RetentionReason(StrEnum):
    """Which law keeps something of a person."""

    TAX = "tax"
    MONEY_LAUNDERING = "money_laundering"


class Obstacle(StrEnum):
    """What an erasure waits for."""

    WALLET_NOT_EMPTY = "wallet_not_empty"
    TOP_UP_OPEN = "top_up_open"
    EARNINGS_OPEN = "earnings_open"
    DEBT_OPEN = "debt_open"
    SOLE_OWNER = "sole_owner"


@dataclass(frozen=True, slots=True)
class Estate:
    """What a person would leave behind: money, debts, brands without an owner."""

    balances: Sequence[tuple[Purpose, Money]] = ()
    """Wallets that hold something, held amounts included."""
    debts: Sequence[Money] = ()
    """What they owe, above zero."""
    open_top_ups: int = 0
    """Neither settled nor ended, or looked at by staff."""
    open_minutes: int = 0
    """Minutes of theirs that may still be paid."""
    sole_brands: int = 0
    """Brands that have no other owner."""
    last_movement: datetime | None = None
    """When money last moved on an account of theirs."""

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """What stands against an erasure."""
        found = {
            Obstacle.WALLET_NOT_EMPTY: self.balances,
            Obstacle.TOP_UP_OPEN: self.open_top_ups,
            Obstacle.EARNINGS_OPEN: self.open_minutes,
            Obstacle.DEBT_OPEN: self.debts,
            Obstacle.SOLE_OWNER: self.sole_brands,
        }
        return tuple(obstacle for obstacle, reason in found.items() if reason)

    @property
    def refusal(self) -> Refusal | None:
        """Why such a person cannot be erased, and what they may do about it."""
        if self.balances:
            held = ", ".join(f"{money} ({purpose})" for purpose, money in self.balances)
            return WalletNotEmpty(f"There is money in your wallets: {held}. Spend it or have it paid out first.")
        if self.open_top_ups:
            return TopUpOpen()
        if self.open_minutes:
            return EarningsOpen()
        if self.debts:
            owed = ", ".join(map(str, self.debts))
            return DebtOpen(f"You owe us {owed}: top up your wallet first, which settles it.")
        return SoleOwner() if self.sole_brands else None


@dataclass(frozen=True, slots=True)
class Retention:
    """Until when law keeps who a person was, and why; None and nothing where it asks for nothing."""

    until: datetime | None = None
    reasons: tuple[RetentionReason, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """A person's wish to be erased, and how far it has come."""

    id: UUID
    person: PersonId
    asked_at: datetime
    due_at: datetime
    begun_at: datetime | None = None
    """From then on nobody can change their mind."""


@dataclass(frozen=True, slots=True)
class PrivacyPolicy:
    """The documents in force, and how long things take and last."""

    documents: Mapping[ConsentPurpose, str] = field(default_factory=lambda: dict.fromkeys(ConsentPurpose, "1"))
    """The version in force of what belongs to each purpose."""
    money_kept_years: int = 10
    """After money last moved: what tax law and the law against money laundering ask for together."""
    grace: timedelta = timedelta(days=14)
    """Between the wish to be erased and the erasure."""
    export_lifetime: timedelta = timedelta(hours=24)
    """How long an export waits to be fetched."""

    def retention(self, last_movement: datetime | None, now: datetime) -> Retention:
        """What law asks of somebody whose money moved last then."""
        if last_movement is None:
            return Retention()
        until = years_after(last_movement, self.money_kept_years)
        return Retention(until, tuple(RetentionReason)) if until > now else Retention()


def changed_documents(text: str) -> Mapping[ConsentPurpose, str]:
    """Versions in force, from `purpose=version, ...`; others stay at 1. Raises ValueError that says what is wrong."""
    versions = dict.fromkeys(ConsentPurpose, "1")
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, version = part.partition("=")
        if name not in set(ConsentPurpose) or not 1 <= len(version) <= LONGEST_VERSION or not version.isprintable():
            raise ValueError(f"{part!r} is not of the form purpose=version, with one of {', '.join(ConsentPurpose)}")
        versions[ConsentPurpose(name)] = version
    return versions


def years_after(moment: datetime, years: int) -> datetime:
    """The same day so many years later; 29 February becomes 1 March where there is none."""
    try:
        return moment.replace(year=moment.year + years)
    except ValueError:
        return moment.replace(year=moment.year + years, month=3, day=1)
