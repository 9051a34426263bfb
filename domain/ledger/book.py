"""A book: what a transaction may look at and change while it is decided. An adapter fills it and writes it back."""

from dataclasses import dataclass, field
from datetime import datetime

from domain.ids import TransactionId
from domain.ledger.model import AccountKey, AccountStatus, JournalRow, Posting


@dataclass(slots=True)
class AccountState:
    """An account under lock, in minor units. A platform account has no limits and keeps no figures here."""

    posted: int = 0
    held: int = 0
    seq: int = 0
    floor: int | None = None
    ceiling: int | None = None
    status: AccountStatus = AccountStatus.OPEN


@dataclass(slots=True)
class HeldLine:
    """What is left of one posting of a hold."""

    posting: Posting
    remaining: int


@dataclass(slots=True)
class HoldState:
    """A hold under lock."""

    lines: list[HeldLine]
    expires_at: datetime

    @property
    def ended(self) -> bool:
        """Nothing is left of it."""
        return not any(line.remaining for line in self.lines)


@dataclass(slots=True)
class Book:
    """What `decide` may look at and change."""

    accounts: dict[AccountKey, AccountState]
    decided: dict[TransactionId, tuple[JournalRow, ...]] = field(default_factory=dict)
    holds: dict[TransactionId, HoldState] = field(default_factory=dict)
    reversed: set[TransactionId] = field(default_factory=set)
    rows: list[JournalRow] = field(default_factory=list)
    changed: set[AccountKey] = field(default_factory=set)
    changed_holds: set[TransactionId] = field(default_factory=set)
