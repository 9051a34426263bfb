"""A second opinion on the ledger: a small model that keeps a list of what happened and derives everything from it.

It shares the nouns and the chart with the domain, and none of its rules: balances are sums over the list, what is held
is what was promised and neither taken nor released, and a transaction is tried on a copy that is thrown away.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.ids import TransactionId
from domain.ledger.chart import ALLOWED, TAKES_BACK, Kind, Limits
from domain.ledger.model import AccountKey, AccountStatus, Code, Operation, Posting, Transaction

BIGGEST = 2**63 - 1
BURNT = {"insufficient_funds", "limit_exceeded", "account_frozen", "account_closed", "nothing_to_reverse"}


class Fact(NamedTuple):
    """Something that happened to two accounts: money went, was promised (+) or the promise was taken back (-)."""

    by: TransactionId
    kind: Kind
    source: AccountKey
    target: AccountKey
    went: int
    promised: int
    line: int
    hold: TransactionId | None = None


class Answer(NamedTuple):
    """A code, whether it was given before, and (posted, held) of the limited accounts as the answer shows them."""

    code: Code
    replayed: bool
    shows: frozenset[tuple[AccountKey, int, int]]


@dataclass(frozen=True)
class Known:
    """What is remembered of a decided id."""

    transaction: Transaction | None
    answer: Answer


class RefusedError(Exception):
    """Ends a try."""

    def __init__(self, code: str, *shown: AccountKey) -> None:
        super().__init__(code)
        self.code, self.shown = Code(code), shown


class Model:
    """Everything that happened, in order."""

    def __init__(self) -> None:
        self.facts: tuple[Fact, ...] = ()
        self.bounds: dict[AccountKey, Limits] = {}
        self.status: dict[AccountKey, AccountStatus] = {}
        self.known: dict[TransactionId, Known] = {}

    def copy(self) -> "Model":
        twin = Model()
        twin.facts, twin.bounds = self.facts, dict(self.bounds)
        twin.status, twin.known = dict(self.status), dict(self.known)
        return twin

    def open(self, account: AccountKey, limits: Limits | None = None) -> None:
        self.bounds.setdefault(account, limits or account.purpose.usual_limits)

    def posted(self, account: AccountKey) -> int:
        came = sum(fact.went for fact in self.facts if fact.target == account)
        return came - sum(fact.went for fact in self.facts if fact.source == account)

    def held(self, account: AccountKey) -> int:
        return sum(fact.promised for fact in self.facts if fact.source == account)

    def entries(self, account: AccountKey) -> int:
        touching = [fact for fact in self.facts if account in {fact.source, fact.target}]
        return sum(bool(fact.went) or fact.source == account for fact in touching)

    def left(self, hold: TransactionId) -> dict[int, int]:
        """What is left of each line of a hold; nothing at all for what is none."""
        lines: dict[int, int] = {}
        for fact in self.facts:
            if hold in {fact.hold, fact.by} and (fact.hold or fact.promised > 0):
                lines[fact.line] = lines.get(fact.line, 0) + fact.promised
        return lines

    def do(self, transaction: Transaction, now: datetime) -> Answer:
        """Carry out a transaction, or answer why not."""
        if transaction.id in self.known:
            return self._again(transaction)
        facts = self.facts
        try:
            for wanted in self._wanted(transaction, now):
                self._add(wanted, transaction)
        except RefusedError as refused:
            self.facts = facts
            answer = Answer(refused.code, replayed=False, shows=self._shown(refused.shown))
            if refused.code in BURNT:
                self.known[transaction.id] = Known(transaction, answer)
                self._entomb(transaction, refused.code)
            return answer if refused.code in BURNT else answer._replace(shows=frozenset())
        touched = [fact for fact in self.facts[len(facts) :] if fact.went or fact.promised]
        sources = {fact.source for fact in touched}
        answer = Answer(
            Code.POSTED, replayed=False, shows=self._shown(sources | {fact.target for fact in touched if fact.went})
        )
        self.known[transaction.id] = Known(transaction, answer)
        return answer

    def _again(self, transaction: Transaction) -> Answer:
        first = self.known[transaction.id]
        if first.transaction not in {None, transaction}:
            return Answer(Code.ID_REUSED, replayed=False, shows=frozenset())
        return first.answer._replace(replayed=True)

    def _entomb(self, transaction: Transaction, code: Code) -> None:
        if code is Code.NOTHING_TO_REVERSE and transaction.ref and transaction.ref not in self.known:
            self.known[transaction.ref] = Known(None, Answer(Code.TOMBSTONED, replayed=True, shows=frozenset()))

    def _shown(self, accounts: Iterable[AccountKey]) -> frozenset[tuple[AccountKey, int, int]]:
        return frozenset(
            (account, self.posted(account), self.held(account))
            for account in accounts
            if not account.purpose.is_platform
        )

    def _wanted(self, transaction: Transaction, now: datetime) -> list[Fact]:
        operation = transaction.operation
        if operation in {Operation.MOVE, Operation.HOLD}:
            return self._fresh(transaction)
        if operation is Operation.REVERSE:
            return self._backwards(transaction)
        return self._of_hold(transaction, now)

    def _fresh(self, transaction: Transaction) -> list[Fact]:
        moves = transaction.operation is Operation.MOVE
        if not moves and transaction.expires_at is None:
            raise RefusedError("hold_ended")
        if not transaction.postings:
            raise RefusedError("invalid_amount")
        wanted = []
        for line, posting in enumerate(transaction.postings):
            self._well_formed(posting)
            if not moves and posting.source.purpose.is_platform:
                raise RefusedError("movement_not_allowed")
            amount = posting.amount.minor
            went, promised = (amount, 0) if moves else (0, amount)
            wanted.append(Fact(transaction.id, posting.kind, posting.source, posting.target, went, promised, line))
        return wanted

    def _well_formed(self, posting: Posting) -> None:
        ends = (posting.source, posting.target)
        if posting.amount.minor < 1:
            raise RefusedError("invalid_amount")
        if len({posting.amount.currency, *(end.currency for end in ends)}) > 1:
            raise RefusedError("currency_mismatch")
        if ends[0] == ends[1] or tuple(end.purpose for end in ends) not in ALLOWED[posting.kind]:
            raise RefusedError("movement_not_allowed")
        if not set(ends) <= set(self.bounds):
            raise RefusedError("unknown_account")

    def _of_hold(self, transaction: Transaction, now: datetime) -> list[Fact]:
        placed = self.known.get(transaction.ref) if transaction.ref else None
        is_hold = placed and placed.transaction and placed.transaction.operation is Operation.HOLD
        if not is_hold or not placed or not placed.transaction or placed.answer.code is not Code.POSTED:
            raise RefusedError("unknown_hold")
        hold, left = placed.transaction, self.left(placed.transaction.id)
        due = hold.expires_at is not None and hold.expires_at <= now
        captures = transaction.operation is Operation.CAPTURE
        if sum(left.values()) == 0 or (captures and due):
            raise RefusedError("hold_ended")
        if transaction.operation is Operation.EXPIRE and not due:
            raise RefusedError("hold_not_due")
        amounts = self._taken(transaction, hold, left)
        return [
            Fact(transaction.id, posting.kind, posting.source, posting.target, amount if captures else 0, -amount, line,
                 hold.id)
            for line, (posting, amount) in enumerate(zip(hold.postings, amounts, strict=True))
        ]  # fmt: skip

    @staticmethod
    def _taken(transaction: Transaction, hold: Transaction, left: dict[int, int]) -> list[int]:
        if transaction.operation is not Operation.CAPTURE or not transaction.amounts:
            return list(left.values())
        amounts = [amount.minor for amount in transaction.amounts]
        if len(amounts) != len(left) or not any(amounts):
            raise RefusedError("invalid_amount")
        if [amount.currency for amount in transaction.amounts] != [line.amount.currency for line in hold.postings]:
            raise RefusedError("currency_mismatch")
        if any(amount < 0 or amount > left[line] for line, amount in enumerate(amounts)):
            raise RefusedError("invalid_amount")
        return amounts

    def _backwards(self, transaction: Transaction) -> list[Fact]:
        original = self.known.get(transaction.ref) if transaction.ref else None
        if original is None or original.transaction is None or original.answer.code is not Code.POSTED:
            raise RefusedError("nothing_to_reverse")
        if original.transaction.operation not in {Operation.MOVE, Operation.CAPTURE}:
            raise RefusedError("movement_not_allowed")
        for known in self.known.values():
            done = known.transaction
            reverses = done is not None and done.operation is Operation.REVERSE and done.ref == transaction.ref
            if reverses and known.answer.code is Code.POSTED:
                raise RefusedError("already_reversed")
        went = [fact for fact in self.facts if fact.by == transaction.ref and fact.went]
        return [
            Fact(transaction.id, fact.kind, fact.target, fact.source, fact.went, 0, line)
            for line, fact in enumerate(reversed(went))
        ]

    def _add(self, fact: Fact, transaction: Transaction) -> None:
        """Let a fact happen, if both accounts can bear it."""
        if not fact.went and not fact.promised:
            return
        source, target, ends = fact.source, fact.target, (fact.source, fact.target)
        goes = fact.went + fact.promised
        free = transaction.operation in {Operation.CAPTURE, Operation.VOID, Operation.EXPIRE, Operation.REVERSE}
        if not source.purpose.is_platform:
            self._bear_status(source, ends, stops=goes > 0 and not free and fact.kind not in TAKES_BACK)
            floor = self.bounds[source].floor
            least = -BIGGEST if floor is None else floor
            if goes > 0 and self.posted(source) - self.held(source) - goes < least:
                raise RefusedError("insufficient_funds", *ends)
        if fact.went and not target.purpose.is_platform:
            self._bear_status(target, ends, stops=False)
            ceiling = self.bounds[target].ceiling
            if self.posted(target) + fact.went > (BIGGEST if ceiling is None else ceiling):
                raise RefusedError("limit_exceeded", *ends)
        self.facts += (fact,)

    def _bear_status(self, account: AccountKey, ends: tuple[AccountKey, AccountKey], *, stops: bool) -> None:
        status = self.status.get(account)
        if status is AccountStatus.CLOSED:
            raise RefusedError("account_closed", *ends)
        if status is AccountStatus.FROZEN and stops:
            raise RefusedError("account_frozen", *ends)
