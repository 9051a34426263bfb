"""How each operation becomes steps, one a posting, before any of them is taken."""

from dataclasses import dataclass
from datetime import datetime

from domain.ledger.book import Book, HoldState
from domain.ledger.chart import ALLOWED
from domain.ledger.model import Code, JournalRow, Operation, Posting, Transaction
from domain.money import Money


class RefusedError(Exception):
    """Unwinds one transaction; `decide` answers it as an outcome."""

    def __init__(self, code: Code, posting: Posting | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.posting = posting


@dataclass(slots=True)
class Step:
    """One posting on its way. `forced`: a frozen account does not stop it."""

    posting: Posting
    amount: int
    held_change: int = 0
    moves: bool = True
    forced: bool = False


def steps_of(book: Book, transaction: Transaction, now: datetime) -> list[Step]:
    """The steps of a well-formed transaction; raises `RefusedError` for any other."""
    match transaction.operation:
        case Operation.MOVE:
            return [Step(posting, _checked(book, posting)) for posting in _some(transaction)]
        case Operation.HOLD:
            if transaction.expires_at is None:
                raise RefusedError(Code.HOLD_ENDED)
            checked = ((posting, _checked(book, posting)) for posting in _some(transaction))
            return [_holding(posting, amount) for posting, amount in checked]
        case Operation.CAPTURE:
            return _capture_steps(_live_hold(book, transaction, now), transaction.amounts)
        case Operation.VOID:
            return _release_steps(_live_hold(book, transaction, None))
        case Operation.EXPIRE:
            hold = _live_hold(book, transaction, None)
            if hold.expires_at > now:
                raise RefusedError(Code.HOLD_NOT_DUE)
            return _release_steps(hold)
        case Operation.REVERSE:
            return _reverse_steps(book, transaction)


def _some(transaction: Transaction) -> tuple[Posting, ...]:
    if not transaction.postings:
        raise RefusedError(Code.INVALID_AMOUNT)
    return transaction.postings


def _checked(book: Book, posting: Posting) -> int:
    """The amount of a well-formed posting between known accounts."""
    source, target, amount = posting.source, posting.target, posting.amount
    if amount.minor <= 0:
        raise RefusedError(Code.INVALID_AMOUNT)
    if not amount.currency is source.currency is target.currency:
        raise RefusedError(Code.CURRENCY_MISMATCH)
    if (source.purpose, target.purpose) not in ALLOWED[posting.kind] or source == target:
        raise RefusedError(Code.MOVEMENT_NOT_ALLOWED)
    if source not in book.accounts or target not in book.accounts:
        raise RefusedError(Code.UNKNOWN_ACCOUNT)
    return amount.minor


def _holding(posting: Posting, amount: int) -> Step:
    if posting.source.purpose.is_platform:
        raise RefusedError(Code.MOVEMENT_NOT_ALLOWED)
    return Step(posting, amount, held_change=amount, moves=False)


def _live_hold(book: Book, transaction: Transaction, now: datetime | None) -> HoldState:
    """The hold that a transaction speaks of; with `now`, one whose time has not passed."""
    hold = book.holds.get(transaction.ref) if transaction.ref else None
    if hold is None:
        raise RefusedError(Code.UNKNOWN_HOLD)
    if hold.ended or (now is not None and hold.expires_at <= now):
        raise RefusedError(Code.HOLD_ENDED)
    return hold


def _capture_steps(hold: HoldState, amounts: tuple[Money, ...]) -> list[Step]:
    wanted = [amount.minor for amount in amounts] or [line.remaining for line in hold.lines]
    if len(wanted) != len(hold.lines) or not any(wanted):
        raise RefusedError(Code.INVALID_AMOUNT)
    if any(
        amount.currency is not line.posting.amount.currency for amount, line in zip(amounts, hold.lines, strict=False)
    ):
        raise RefusedError(Code.CURRENCY_MISMATCH)
    if any(not 0 <= amount <= line.remaining for amount, line in zip(wanted, hold.lines, strict=True)):
        raise RefusedError(Code.INVALID_AMOUNT)
    return [
        Step(line.posting, amount, held_change=-amount, forced=True)
        for amount, line in zip(wanted, hold.lines, strict=True)
    ]


def _release_steps(hold: HoldState) -> list[Step]:
    return [
        Step(line.posting, line.remaining, held_change=-line.remaining, moves=False, forced=True) for line in hold.lines
    ]


def _reverse_steps(book: Book, transaction: Transaction) -> list[Step]:
    rows = book.decided.get(transaction.ref) if transaction.ref else None
    if not rows or rows[0].refusal is not None:
        raise RefusedError(Code.NOTHING_TO_REVERSE)
    if rows[0].operation not in {Operation.MOVE, Operation.CAPTURE}:
        raise RefusedError(Code.MOVEMENT_NOT_ALLOWED)
    if transaction.ref in book.reversed:
        raise RefusedError(Code.ALREADY_REVERSED)
    return [Step(_mirrored(row), row.amount, forced=True) for row in reversed(rows) if row.amount]


def _mirrored(row: JournalRow) -> Posting:
    if row.kind is None or row.source is None or row.target is None:
        raise AssertionError(f"posted row {row.transaction_id}/{row.line} names no accounts")
    source, target = row.source.account, row.target.account
    return Posting(row.kind, target, source, Money(row.amount, source.currency))
