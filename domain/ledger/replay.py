"""The ledger told again from its rows alone, in the order of their positions: every figure on them must follow.

This is written apart from `decide` on purpose: a rule that is wrong there shall not be wrong here in the same way.
Where a row is wrong, the replay goes on from what the row says, so that one wrong row gives few findings and not a
thousand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from domain.ledger.audit import Finding
from domain.ledger.chart import ALLOWED, TAKES_BACK, Kind, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Code, Operation
from domain.ledger.written import Figures, WrittenChange, WrittenRow
from domain.money import Currency

_NO_FIGURES: Figures = (None, None, None)
_MOVING = frozenset({Operation.MOVE, Operation.CAPTURE, Operation.REVERSE})
_OF_A_HOLD = frozenset({Operation.CAPTURE, Operation.VOID, Operation.EXPIRE})
_HELD: dict[str, int] = {Operation.HOLD: 1, Operation.CAPTURE: -1, Operation.VOID: -1, Operation.EXPIRE: -1}


@dataclass(slots=True)
class ReplayedAccount:
    """An account as its changes and entries make it. A platform account's seq counts what the sealer will number."""

    key: AccountKey
    floor: int | None
    ceiling: int | None
    status: AccountStatus
    posted: int = 0
    held: int = 0
    seq: int = 0


@dataclass(slots=True)
class ReplayedHold:
    """A hold with something left, and its rows."""

    rows: list[WrittenRow]
    remaining: list[int]


@dataclass(slots=True)
class Replay:
    """All accounts and all live holds up to the row that was told last."""

    accounts: dict[int, ReplayedAccount] = field(default_factory=dict)
    holds: dict[UUID, ReplayedHold] = field(default_factory=dict)
    _awaited: dict[UUID, tuple[int, WrittenRow]] = field(default_factory=dict)

    def tell_change(self, change: WrittenChange) -> Iterator[Finding]:
        """Open or change an account."""
        try:
            key = AccountKey(change.owner, Purpose(change.purpose), Currency(change.currency))
            status = AccountStatus(change.status)
        except ValueError as error:
            yield change.finding(str(error))
            return
        account = self.accounts.get(change.account)
        if account is None:
            account = self.accounts[change.account] = ReplayedAccount(key, change.floor, change.ceiling, status)
        elif account.key != key:
            yield change.finding("it speaks of another account", account.key, key)
        numbered = 0 if key.purpose.is_platform else account.seq
        if change.after_seq != numbered:
            yield change.finding("it came after another entry", numbered, change.after_seq)
        account.floor, account.ceiling, account.status = change.floor, change.ceiling, status
        yield from _outside_of_limits(change, account)

    def tell(self, row: WrittenRow, originals: Mapping[UUID, Sequence[WrittenRow]]) -> Iterator[Finding]:
        """Carry out one row. `originals` has the rows of what a reversal reverses."""
        if row.refusal is not None:
            yield from self._tell_refusal(row)
            return
        source, target = self._account(row.source), self._account(row.target)
        if source is None or target is None:
            yield row.finding("it names an account that was never opened")
            return
        yield from _misshapen(row, source.key, target.key)
        yield from self._against_what_it_speaks_of(row, originals)
        moved = row.amount if row.operation in _MOVING else 0
        held = row.amount * _HELD.get(row.operation, 0)
        yield from _carried_out(row, "source", source, -moved, held)
        yield from _carried_out(row, "target", target, moved, 0)

    def platform_sides(self, row: WrittenRow) -> Iterator[int]:
        """The platform accounts that a row moved: their seq and balance after it are as the sealer must have them."""
        if row.refusal is None and row.amount > 0 and row.operation in _MOVING:
            for number in (row.source, row.target):
                account = self._account(number)
                if number is not None and account is not None and account.key.purpose.is_platform:
                    yield number

    def end(self) -> Iterator[Finding]:
        """What should have come and did not."""
        for missing, row in self._awaited.values():
            yield row.finding(f"{missing} more lines of its transaction are missing")

    def _account(self, number: int | None) -> ReplayedAccount | None:
        return None if number is None else self.accounts.get(number)

    def _tell_refusal(self, row: WrittenRow) -> Iterator[Finding]:
        """A refusal moves nothing; it shows the balances that it was decided on."""
        if (row.content is None) != (row.refusal == Code.TOMBSTONED):
            yield row.finding("only a tombstone knows no content")
        for side in ("source", "target"):
            number, figures = row.side(side)
            account = self._account(number)
            if number is not None and account is None:
                yield row.finding(f"its {side} was never opened")
            expected = _NO_FIGURES
            if account is not None and not account.key.purpose.is_platform:
                expected = (None, account.posted, account.held)
            if figures != expected:
                yield row.finding(f"it shows other figures of its {side} (seq, posted, held)", expected, figures)

    def _against_what_it_speaks_of(
        self, row: WrittenRow, originals: Mapping[UUID, Sequence[WrittenRow]]
    ) -> Iterator[Finding]:
        if row.operation == Operation.HOLD:
            hold = self.holds.setdefault(row.transaction_id, ReplayedHold([], []))
            hold.rows.append(row)
            hold.remaining.append(row.amount)
        elif row.operation in _OF_A_HOLD:
            yield from self._against_hold(row)
        elif row.operation == Operation.REVERSE:
            yield from self._against_originals(row, originals.get(row.ref, ()) if row.ref else ())

    def _against_hold(self, row: WrittenRow) -> Iterator[Finding]:
        hold = self.holds.get(row.ref) if row.ref else None
        if hold is None or not 0 <= row.line < len(hold.rows):
            yield row.finding("there is no such hold, or nothing is left of it")
            return
        placed, left = hold.rows[row.line], hold.remaining[row.line]
        if (row.kind, row.source, row.target) != (placed.kind, placed.source, placed.target):
            yield row.finding("it is not what the hold's line was for", placed.meaning, row.meaning)
        if row.amount > left or (row.operation != Operation.CAPTURE and row.amount != left):
            yield row.finding("it is not what was left of the hold's line", left, row.amount)
        hold.remaining[row.line] = max(0, left - row.amount)
        if self._count_lines(row, len(hold.rows)) and not any(hold.remaining):
            del self.holds[row.ref or row.transaction_id]

    def _against_originals(self, row: WrittenRow, originals: Sequence[WrittenRow]) -> Iterator[Finding]:
        wanted = [line for line in reversed(originals) if line.amount and line.position < row.position]
        if (
            not wanted
            or wanted[0].refusal is not None
            or wanted[0].operation not in {Operation.MOVE, Operation.CAPTURE}
        ):
            yield row.finding("there is nothing that it could reverse")
            return
        self._count_lines(row, len(wanted))
        if not 0 <= row.line < len(wanted):
            yield row.finding("what it reverses has fewer lines")
            return
        line = wanted[row.line]
        mirrored = (line.kind, line.target, line.source, line.amount)
        if (row.kind, row.source, row.target, row.amount) != mirrored:
            yield row.finding("it does not mirror what it reverses", mirrored, (*row.meaning, row.amount))

    def _count_lines(self, row: WrittenRow, lines: int) -> bool:
        """Whether this is the last line of a transaction of so many."""
        missing, first = self._awaited.pop(row.transaction_id, (lines, row))
        if missing > 1:
            self._awaited[row.transaction_id] = (missing - 1, first)
        return missing <= 1


def _misshapen(row: WrittenRow, source: AccountKey, target: AccountKey) -> Iterator[Finding]:
    """What is wrong with a row in itself."""
    if row.amount < 0 or (row.amount == 0 and row.operation not in _OF_A_HOLD):
        yield row.finding("the amount is not positive", None, row.amount)
    if source.currency is not target.currency:
        yield row.finding("the currencies differ", source.currency, target.currency)
    movement = (source.purpose, target.purpose)
    if row.operation == Operation.REVERSE:
        movement = (target.purpose, source.purpose)
    if row.kind is None or movement not in ALLOWED[Kind(row.kind)] or source == target:
        yield row.finding(f"no {row.kind} goes from {source.purpose} to {target.purpose}")
    if row.operation == Operation.HOLD and source.purpose.is_platform:
        yield row.finding("nothing is held on a platform account")
    if (row.ref is None) != (row.operation in {Operation.MOVE, Operation.HOLD}):
        yield row.finding("what it speaks of does not fit the operation", None, row.ref)
    if (row.content is None) != (row.line > 0):
        yield row.finding("the first line, and it alone, has the digest of the content")


def _carried_out(row: WrittenRow, side: str, account: ReplayedAccount, posted: int, held: int) -> Iterator[Finding]:
    """Change one side's account, and compare the figures after it with those on the row."""
    _, figures = row.side(side)
    if account.key.purpose.is_platform or not (posted or held):
        if figures != _NO_FIGURES:
            yield row.finding(f"its {side} has figures and makes no entry", _NO_FIGURES, figures)
        if posted:
            account.posted, account.seq = account.posted + posted, account.seq + 1
        return
    yield from _against_status(row, side, account, held - posted)
    expected = (account.seq + 1, account.posted + posted, account.held + held)
    account.seq, account.posted, account.held = expected
    if figures != expected:
        yield row.finding(f"the figures after it do not follow for its {side} (seq, posted, held)", expected, figures)
        if None not in figures:
            account.seq, account.posted, account.held = (figure or 0 for figure in figures)
    if held - posted > 0 and account.floor is not None and account.posted - account.held < account.floor:
        yield row.finding(f"its {side} fell under the floor", account.floor, account.posted - account.held)
    if posted > 0 and account.ceiling is not None and account.posted > account.ceiling:
        yield row.finding(f"its {side} rose above the ceiling", account.ceiling, account.posted)


def _against_status(row: WrittenRow, side: str, account: ReplayedAccount, taken: int) -> Iterator[Finding]:
    forced = row.operation in _OF_A_HOLD or row.operation == Operation.REVERSE or row.kind in TAKES_BACK
    if account.status is AccountStatus.CLOSED or (account.status is AccountStatus.FROZEN and taken > 0 and not forced):
        yield row.finding(f"its {side} was {account.status} then")


def _outside_of_limits(change: WrittenChange, account: ReplayedAccount) -> Iterator[Finding]:
    floor, ceiling = account.floor, account.ceiling
    if account.key.purpose.is_platform:
        return
    if (floor is not None and account.posted - account.held < floor) or (
        ceiling is not None and account.posted > ceiling
    ):
        yield change.finding("the account was outside of these limits", (floor, ceiling), account.posted)
    if account.status is AccountStatus.CLOSED and (account.posted or account.held):
        yield change.finding("an account was closed that held something", 0, account.posted)
