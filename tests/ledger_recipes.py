"""Random transactions: recipes that hold only small numbers, and a kitchen that makes them of what was sent before."""

import random
from dataclasses import dataclass, field
from datetime import timedelta

from hypothesis import strategies as st

from domain.ids import TransactionId
from domain.ledger.chart import ALLOWED, Kind, Limits, Purpose
from domain.ledger.model import AccountKey, Operation, Posting, Transaction
from domain.money import Currency, Money
from tests.ledger_stories import HOUR, World, post

KINDS = (
    Kind.TOP_UP, Kind.HOSTING_CHARGE, Kind.ESCROW, Kind.ESCROW_RETURN, Kind.EARNING, Kind.CHARGEBACK, Kind.REPAYMENT,
    Kind.REFUND, Kind.TRANSFER, Kind.GATEWAY_SETTLEMENT, Kind.HOSTING_REFUND,
)  # fmt: skip
OPERATIONS = (
    *(Operation.MOVE,) * 3, *(Operation.HOLD,) * 3, *(Operation.CAPTURE,) * 3, *(Operation.REVERSE,) * 3, *Operation,
    Operation.EXPIRE,
)  # fmt: skip


LOOK_BACK = 60


@dataclass(frozen=True)
class Line:
    """A posting to be: which kind, which of the accounts that fit, how much."""

    kind: Kind
    source: int
    target: int
    minor: int


@dataclass(frozen=True)
class Recipe:
    """A transaction to be. `ref` counts back among what it may speak of, `reuse` among ids (0: a new one)."""

    operation: Operation
    lines: tuple[Line, ...]
    ref: int
    parts: tuple[int, ...]
    hours: int
    reuse: int


AMOUNTS = st.one_of(st.integers(1, 60), st.integers(1, 10), st.sampled_from([0, -1, 1_000]))
LINES = st.builds(Line, st.sampled_from(KINDS), st.integers(0, 2), st.integers(0, 2), AMOUNTS)
_SIMPLE = st.builds(
    Recipe,
    operation=st.sampled_from(OPERATIONS),
    lines=st.lists(LINES, min_size=1, max_size=3).map(tuple),
    ref=st.sampled_from([0, 0, 0, 1, 2, 3, -1]),
    parts=st.one_of(st.just(()), st.lists(st.integers(0, 30), min_size=1, max_size=3).map(tuple)),
    hours=st.integers(1, 3),
    reuse=st.sampled_from([0] * 9 + [1, 2, 3]),
)


def random_recipe(dice: random.Random) -> Recipe:
    """A recipe for load that nobody will want shrunk: mostly well-formed."""
    lines = tuple(
        Line(dice.choice(KINDS), dice.randrange(3), dice.randrange(3), dice.randint(1, 20))
        for _ in range(dice.choice((1, 1, 1, 2)))
    )
    parts = () if dice.random() < 0.5 else tuple(dice.randint(0, 9) for _ in range(dice.choice((1, 1, 2))))
    reuse = dice.randint(1, 3) if dice.random() < 0.05 else 0
    return Recipe(dice.choice(OPERATIONS), lines, dice.choice((0, 0, 1, 2, -1)), parts, dice.randint(1, 3), reuse)


RECIPES = st.one_of(_SIMPLE, st.integers(0, 2**32).map(lambda seed: random_recipe(random.Random(seed))))
"""Such as shrink well, and such as are dealt evenly."""


@dataclass
class Kitchen:
    """Makes transactions of recipes. Remembers what it made."""

    world: World
    accounts: dict[AccountKey, Limits] = field(default_factory=dict)
    made: list[Transaction] = field(default_factory=list)
    prefix: str = ""
    _pairs: dict[Kind, list[tuple[AccountKey, AccountKey]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        bounds = (Limits(0, None), Limits(-20, 150), Limits(0, None))
        for purpose in (Purpose.HOSTING_CREDIT, Purpose.BRAND_PREPAID, Purpose.CAMPAIGN_ESCROW):
            for number, limits in enumerate(bounds):
                self.accounts[self.world.account(str(number), purpose)] = limits
        for purpose in (Purpose.STREAMER_EARNED, Purpose.RECEIVABLE):
            self.accounts[self.world.account("0", purpose)] = purpose.usual_limits
        for account in self.world.platform:
            self.accounts[account] = account.purpose.usual_limits

    def begin(self) -> list[Transaction]:
        """Top-ups to begin with, so that not everything that follows is refused for want of funds."""
        purposes = {Purpose.HOSTING_CREDIT, Purpose.BRAND_PREPAID}
        wallets = [account for account in self.accounts if account.purpose in purposes]
        begun = [
            self.world.top_up(f"{self.prefix}begin {number}", wallet, 100) for number, wallet in enumerate(wallets)
        ]
        self.made += begun
        return begun

    def make(self, recipe: Recipe) -> Transaction:
        """A transaction; what it speaks of was made before, in this order or in none."""
        reuses = 0 < recipe.reuse <= len(self.made)
        id_ = self.made[-recipe.reuse].id if reuses else self.world.id(f"{self.prefix}{len(self.made)}")
        made = self._made(recipe, id_)
        self.made.append(made)
        return made

    def _made(self, recipe: Recipe, id_: TransactionId) -> Transaction:
        match recipe.operation:
            case Operation.MOVE:
                return Transaction.move(id_, *map(self._posting, recipe.lines))
            case Operation.HOLD:
                ends = self.world.hands.now + recipe.hours * HOUR - timedelta(minutes=30)
                return Transaction.hold(id_, *map(self._posting, recipe.lines), expires_at=ends)
            case Operation.REVERSE:
                return Transaction.reverse(id_, self._ref(recipe, Operation.MOVE, Operation.CAPTURE))
            case Operation.CAPTURE:
                parts = (Money(part, Currency.IDR) for part in recipe.parts)
                return Transaction.capture(id_, self._ref(recipe, Operation.HOLD), *parts)
            case ends_it:
                return Transaction(id_, ends_it, ref=self._ref(recipe, Operation.HOLD))

    def _ref(self, recipe: Recipe, *operations: Operation) -> TransactionId:
        fitting = [made.id for made in self.made[-LOOK_BACK:] if made.operation in operations]
        if recipe.ref < 0 or not fitting:
            return self.world.id(f"{self.prefix}{len(self.made) + 1 + recipe.hours}")  # one that may come yet
        return fitting[-1 - recipe.ref % len(fitting)]

    def _posting(self, line: Line) -> Posting:
        if line.kind not in self._pairs:
            self._pairs[line.kind] = [
                (source, target) for source in self.accounts for target in self.accounts
                if (source.purpose, target.purpose) in ALLOWED[line.kind]
            ]  # fmt: skip
        fitting = self._pairs[line.kind]
        source, target = fitting[(line.source * 3 + line.target) % len(fitting)]
        return post(line.kind, source, target, line.minor)
