"""What a transaction does to a book: the ledger's whole rule, without IO.

An adapter fills a `Book` with the locked accounts and what was decided before, calls `decide` for one transaction
after the other, and writes down `rows`, the changed accounts and the changed holds in one database transaction.
"""

from datetime import datetime

from domain.ids import TransactionId
from domain.ledger.book import Book, HeldLine, HoldState
from domain.ledger.chart import TAKES_BACK
from domain.ledger.model import (
    KEPT_REFUSALS,
    AccountKey,
    AccountStatus,
    Code,
    JournalRow,
    Operation,
    Outcome,
    Side,
    Transaction,
)
from domain.ledger.steps import RefusedError, Step, steps_of
from domain.money import LARGEST_MINOR

_Before = dict[AccountKey, tuple[int, int, int]]
"""Posted, held and seq of the accounts that a transaction has touched, to restore when it is refused."""


def decide(book: Book, transaction: Transaction, now: datetime) -> Outcome:
    """Carry out a transaction on the book, or refuse it and change nothing but the memory of the refusal."""
    content = transaction.content
    first = book.decided.get(transaction.id)
    if first is not None:
        return _replay(first, content)
    before: _Before = {}
    taken: list[JournalRow] = []
    try:
        steps = steps_of(book, transaction, now)
        for step in steps:
            taken.append(_take(book, transaction, len(taken), step, before, content=None if taken else content))
    except RefusedError as refused:
        for key, figures in before.items():
            account = book.accounts[key]
            account.posted, account.held, account.seq = figures
        return _refuse(book, transaction, refused, content)
    book.changed.update(before)
    _remember(book, transaction, steps)
    rows = book.decided[transaction.id] = tuple(taken)
    book.rows += rows
    return Outcome(Code.POSTED, rows)


def _replay(first: tuple[JournalRow, ...], content: bytes) -> Outcome:
    head = first[0]
    if head.refusal is Code.TOMBSTONED:
        return Outcome(Code.TOMBSTONED, first, replayed=True)
    if head.content != content:
        return Outcome(Code.ID_REUSED, ())
    return Outcome(head.refusal or Code.POSTED, first, replayed=True)


def _take(
    book: Book, transaction: Transaction, line: int, step: Step, before: _Before, *, content: bytes | None
) -> JournalRow:
    """Apply one step and write its row. A step of nothing keeps its line and makes no entry."""
    posting, amount = step.posting, step.amount
    source, target = Side(posting.source), Side(posting.target)
    if amount:
        moved = amount if step.moves else 0
        if not source.account.purpose.is_platform:
            source = _change(book, step, source.account, -moved, step.held_change, before)
        if moved and not target.account.purpose.is_platform:
            target = _change(book, step, target.account, moved, 0, before)
    return JournalRow(
        transaction.id, line, transaction.operation, posting.kind, None, source, target, amount,
        transaction.ref, content, transaction.effective_at,
    )  # fmt: skip


def _change(book: Book, step: Step, key: AccountKey, posted: int, held: int, before: _Before) -> Side:
    """Change the figures of an account that keeps some, within its limits."""
    account = book.accounts[key]
    if key not in before:
        before[key] = (account.posted, account.held, account.seq)
    taken = held - posted
    if account.status is not AccountStatus.OPEN:
        _check_status(account.status, step, taken)
    floor = -LARGEST_MINOR if account.floor is None else account.floor
    if taken > 0 and account.posted - account.held - taken < floor:
        raise RefusedError(Code.INSUFFICIENT_FUNDS, step.posting)
    if posted > 0 and account.posted + posted > (LARGEST_MINOR if account.ceiling is None else account.ceiling):
        raise RefusedError(Code.LIMIT_EXCEEDED, step.posting)
    account.posted += posted
    account.held += held
    account.seq += 1
    return Side(key, account.seq, account.posted, account.held)


def _check_status(status: AccountStatus, step: Step, taken: int) -> None:
    """A closed account stands still; of a frozen one nothing is taken but what was never its owner's to keep."""
    if status is AccountStatus.CLOSED:
        raise RefusedError(Code.ACCOUNT_CLOSED, step.posting)
    if taken > 0 and not step.forced and step.posting.kind not in TAKES_BACK:
        raise RefusedError(Code.ACCOUNT_FROZEN, step.posting)


def _refuse(book: Book, transaction: Transaction, refused: RefusedError, content: bytes) -> Outcome:
    """Answer a refusal and, where it burns the id, remember it; a reversal of nothing also entombs its original."""
    if refused.code not in KEPT_REFUSALS:
        return Outcome(refused.code, ())
    row = _refusal_row(book, transaction, refused, content)
    rows = [row]
    book.decided[row.transaction_id] = (row,)
    if refused.code is Code.NOTHING_TO_REVERSE and transaction.ref and transaction.ref not in book.decided:
        tombstone = _tombstone(transaction.ref, transaction.id)
        book.decided[tombstone.transaction_id] = (tombstone,)
        rows.append(tombstone)
    book.rows.extend(rows)
    return Outcome(refused.code, (rows[0],))


def _refusal_row(book: Book, transaction: Transaction, refused: RefusedError, content: bytes) -> JournalRow:
    posting = refused.posting
    return JournalRow(
        transaction.id, 0, transaction.operation, posting.kind if posting else None, refused.code,
        _shown(book, posting.source) if posting else None, _shown(book, posting.target) if posting else None,
        posting.amount.minor if posting else 0, transaction.ref, content, transaction.effective_at,
    )  # fmt: skip


def _shown(book: Book, key: AccountKey) -> Side:
    """The balance that a refusal was decided on; it takes no place in the account's sequence."""
    if key.purpose.is_platform:
        return Side(key)
    account = book.accounts[key]
    return Side(key, None, account.posted, account.held)


def _tombstone(original: TransactionId, reversal: TransactionId) -> JournalRow:
    """Stands where the original would have stood. It knows no content: whatever comes under that id is refused."""
    return JournalRow(original, 0, Operation.MOVE, None, Code.TOMBSTONED, None, None, 0, reversal, None, None)


def _remember(book: Book, transaction: Transaction, steps: list[Step]) -> None:
    """Keep the state of holds and reversals in step with what was just posted."""
    ref = transaction.ref
    match transaction.operation:
        case Operation.HOLD if transaction.expires_at is not None:
            lines = [HeldLine(step.posting, step.amount) for step in steps]
            book.holds[transaction.id] = HoldState(lines, transaction.expires_at)
            book.changed_holds.add(transaction.id)
        case Operation.CAPTURE | Operation.VOID | Operation.EXPIRE if ref is not None:
            for line, step in zip(book.holds[ref].lines, steps, strict=True):
                line.remaining -= step.amount
            book.changed_holds.add(ref)
        case Operation.REVERSE if ref is not None:
            book.reversed.add(ref)
        case _:
            pass
