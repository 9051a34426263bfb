"""The ledger's nouns. A posting goes from a source to a target, so that it cannot be unbalanced."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from domain.errors import DomainError
from domain.ids import TransactionId
from domain.ledger.chart import Kind, Purpose
from domain.money import Currency, Money


class AccountKey(NamedTuple):
    """Names an account for ever: `AccountKey("person:0190…", Purpose.HOSTING_CREDIT, Currency.IDR)`.

    The owner is `person:<uuid>`, `brand:<uuid>`, `campaign:<uuid>`, `gateway:<name>`, `provider:<name>` or `platform`.
    """

    owner: str
    purpose: Purpose
    currency: Currency


class AccountStatus(StrEnum):
    """Open; frozen (nothing leaves, credits land); closed (nothing moves)."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


class Operation(StrEnum):
    """What a transaction does to balances."""

    MOVE = "move"
    HOLD = "hold"
    CAPTURE = "capture"
    VOID = "void"
    EXPIRE = "expire"
    REVERSE = "reverse"


class Code(StrEnum):
    """How the ledger answered. Everything but `POSTED` is a refusal that moved nothing."""

    POSTED = "posted"
    ID_REUSED = "id_reused"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    LIMIT_EXCEEDED = "limit_exceeded"
    ACCOUNT_FROZEN = "account_frozen"
    ACCOUNT_CLOSED = "account_closed"
    UNKNOWN_ACCOUNT = "unknown_account"
    CURRENCY_MISMATCH = "currency_mismatch"
    MOVEMENT_NOT_ALLOWED = "movement_not_allowed"
    INVALID_AMOUNT = "invalid_amount"
    UNKNOWN_HOLD = "unknown_hold"
    HOLD_ENDED = "hold_ended"
    HOLD_NOT_DUE = "hold_not_due"
    NOTHING_TO_REVERSE = "nothing_to_reverse"
    ALREADY_REVERSED = "already_reversed"
    TOMBSTONED = "tombstoned"


KEPT_REFUSALS = frozenset({
    Code.INSUFFICIENT_FUNDS, Code.LIMIT_EXCEEDED, Code.ACCOUNT_FROZEN, Code.ACCOUNT_CLOSED, Code.NOTHING_TO_REVERSE,
    Code.TOMBSTONED,
})  # fmt: skip
"""Refusals that burn the id, so that a late retry cannot succeed by surprise. Malformed input burns none."""


class NaiveMomentError(DomainError, ValueError):
    """A moment without a zone. What it meant would depend on the machine, and with it what a replay is compared by."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount that goes from one account to another, and why."""

    kind: Kind
    source: AccountKey
    target: AccountKey
    amount: Money


@dataclass(frozen=True, slots=True)
class Transaction:
    """Postings that stand or fall together. Its id, made by the caller, is the idempotency key for ever.

    `postings` are given for a move and a hold; `ref` names the hold or the transaction that the others speak of;
    `amounts` are a capture's, one for each posting of the hold (none: all that is left). Raises `NaiveMomentError`.
    """

    id: TransactionId
    operation: Operation
    postings: tuple[Posting, ...] = ()
    ref: TransactionId | None = None
    amounts: tuple[Money, ...] = ()
    expires_at: datetime | None = None
    effective_at: datetime | None = None

    def __post_init__(self) -> None:
        for name, moment in (("expires_at", self.expires_at), ("effective_at", self.effective_at)):
            if moment is not None and moment.utcoffset() is None:
                raise NaiveMomentError(f"{name} of transaction {self.id} has no zone: {moment.isoformat()}")

    @classmethod
    def move(cls, id_: TransactionId, *postings: Posting, effective_at: datetime | None = None) -> "Transaction":
        """Move amounts at once. `effective_at` is when it happened, where that differs from when we learnt of it."""
        return cls(id_, Operation.MOVE, postings, effective_at=effective_at)

    @classmethod
    def hold(cls, id_: TransactionId, *postings: Posting, expires_at: datetime) -> "Transaction":
        """Set amounts aside on their sources until captured, voided or expired."""
        return cls(id_, Operation.HOLD, postings, expires_at=expires_at)

    @classmethod
    def capture(cls, id_: TransactionId, hold: TransactionId, *amounts: Money) -> "Transaction":
        """Move what a hold set aside, whole or in part; the rest stays held."""
        return cls(id_, Operation.CAPTURE, ref=hold, amounts=amounts)

    @classmethod
    def void(cls, id_: TransactionId, hold: TransactionId) -> "Transaction":
        """Release what is left of a hold."""
        return cls(id_, Operation.VOID, ref=hold)

    @classmethod
    def expire(cls, id_: TransactionId, hold: TransactionId) -> "Transaction":
        """Release what is left of a hold whose time has passed."""
        return cls(id_, Operation.EXPIRE, ref=hold)

    @classmethod
    def reverse(cls, id_: TransactionId, original: TransactionId) -> "Transaction":
        """Undo a move or a capture, whole and once. Coming before its original it leaves a tombstone there."""
        return cls(id_, Operation.REVERSE, ref=original)

    @property
    def content(self) -> bytes:
        """SHA-256 of everything but the id: the same id with other content is refused."""
        parts = [self.operation, str(self.ref or ""), _instant(self.expires_at), _instant(self.effective_at)]
        for posting in self.postings:
            parts += (
                posting.kind,
                *posting.source,
                *posting.target,
                str(posting.amount.minor),
                posting.amount.currency,
            )
        for amount in self.amounts:
            parts += (str(amount.minor), amount.currency)
        return sha256("|".join(parts).encode()).digest()


def _instant(moment: datetime | None) -> str:
    """A moment however its zone was spelled."""
    return "" if moment is None else str(moment.astimezone(UTC))


class Side(NamedTuple):
    """One account's side of a posting, with its figures after it.

    Platform accounts have no figures here: the sealer numbers them. A refusal shows figures and takes no sequence.
    """

    account: AccountKey
    seq: int | None = None
    posted: int | None = None
    held: int | None = None


class JournalRow(NamedTuple):
    """One decided posting as the journal keeps it: line `line` of its transaction. A refused one is a single row."""

    transaction_id: TransactionId
    line: int
    operation: Operation
    kind: Kind | None
    refusal: Code | None
    source: Side | None
    target: Side | None
    amount: int
    ref: TransactionId | None
    content: bytes | None
    effective_at: datetime | None


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds, in minor units."""

    posted: int
    held: int
    seq: int
    status: AccountStatus = AccountStatus.OPEN

    @property
    def available(self) -> int:
        """What is posted and not held."""
        return self.posted - self.held


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ledger's answer: the first one again when the same transaction comes again (`replayed`)."""

    code: Code
    rows: tuple[JournalRow, ...]
    replayed: bool = False

    @property
    def posted(self) -> bool:
        """Whether the money moved, now or at the first time."""
        return self.code is Code.POSTED

    def balance(self, account: AccountKey) -> Balance | None:
        """The account's balance after the transaction (for a refusal: the one it was refused on), if it keeps one."""
        for row in reversed(self.rows):
            for side in (row.target, row.source):
                if side and side.account == account and side.posted is not None and side.held is not None:
                    return Balance(side.posted, side.held, side.seq or 0)
        return None


@dataclass(frozen=True, slots=True)
class Entry:
    """One signed line on one account's statement. Holds are lines too: they change `held`, not `posted`."""

    account: AccountKey
    seq: int
    transaction_id: TransactionId
    line: int
    operation: Operation
    kind: Kind
    counterpart: AccountKey
    change: int
    posted: int
    held: int
    recorded_at: datetime
    effective_at: datetime
    ref: TransactionId | None
