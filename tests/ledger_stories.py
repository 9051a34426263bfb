"""Named cases of what the ledger does, told once and held against every door: in memory, by `post`, by `submit`."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from domain.ids import TransactionId, derived
from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Balance, Code, Outcome, Posting, Transaction
from domain.money import Currency, Money

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Hands:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


class World:
    """Names of one story's own: accounts and ids that no other story meets."""

    def __init__(self, scope: str, hands: Hands) -> None:
        self.scope, self.hands = scope, hands
        self.clearing = self.account("gateway", Purpose.GATEWAY_CLEARING)
        self.revenue = self.account("platform", Purpose.REVENUE)
        self.provider = self.account("provider", Purpose.PROVIDER_FLOAT)
        self.bank = self.account("bank", Purpose.BANK)
        self.platform = (self.clearing, self.revenue, self.provider, self.bank)

    def account(
        self, name: str, purpose: Purpose = Purpose.HOSTING_CREDIT, currency: Currency = Currency.IDR
    ) -> AccountKey:
        return AccountKey(f"{self.scope}:{name}", purpose, currency)

    def wallet(self, name: str) -> AccountKey:
        return self.account(name)

    def id(self, name: str) -> TransactionId:
        return TransactionId(derived(self.scope, name))

    def top_up(self, name: str, to: AccountKey, minor: int) -> Transaction:
        return Transaction.move(self.id(name), post(Kind.TOP_UP, self.clearing, to, minor))

    def charge(self, name: str, by: AccountKey, minor: int) -> Transaction:
        return Transaction.move(self.id(name), self.charging(by, minor))

    def charging(self, by: AccountKey, minor: int) -> Posting:
        return post(Kind.HOSTING_CHARGE, by, self.revenue, minor)

    def hold(self, name: str, *postings: Posting, lasts: timedelta = HOUR) -> Transaction:
        return Transaction.hold(self.id(name), *postings, expires_at=self.hands.now + lasts)

    def capture(self, name: str, hold: str, *amounts: int, currency: Currency = Currency.IDR) -> Transaction:
        return Transaction.capture(self.id(name), self.id(hold), *(Money(minor, currency) for minor in amounts))

    def void(self, name: str, hold: str) -> Transaction:
        return Transaction.void(self.id(name), self.id(hold))

    def expire(self, name: str, hold: str) -> Transaction:
        return Transaction.expire(self.id(name), self.id(hold))

    def reverse(self, name: str, original: str) -> Transaction:
        return Transaction.reverse(self.id(name), self.id(original))


def post(kind: Kind, source: AccountKey, target: AccountKey, minor: int, currency: Currency | None = None) -> Posting:
    return Posting(kind, source, target, Money(minor, currency or source.currency))


@dataclass(frozen=True)
class Opens:
    """An account is opened; with `holds`, its story begins with so much in it."""

    account: AccountKey
    holds: int = 0
    limits: Limits | None = None


@dataclass(frozen=True)
class Says:
    """A transaction and its answer; `shows` are posted and held of accounts, as the answer tells them."""

    transaction: Transaction
    code: Code = Code.POSTED
    replayed: bool = False
    shows: Mapping[AccountKey, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Stands:
    """What an account holds now: posted, held and, where it matters, how many entries it has."""

    account: AccountKey
    posted: int
    held: int = 0
    seq: int | None = None


@dataclass(frozen=True)
class Becomes:
    """An account's status is changed."""

    account: AccountKey
    status: AccountStatus


@dataclass(frozen=True)
class Bounded:
    """An account's limits are changed."""

    account: AccountKey
    limits: Limits


@dataclass(frozen=True)
class Together:
    """Transactions that come at once, and the codes that they get, whoever gets which."""

    transactions: tuple[Transaction, ...]
    codes: tuple[Code, ...]


Event = Opens | Says | Stands | Becomes | Bounded | Together
Story = Callable[[World], Iterator[Event]]
STORIES: dict[str, Story] = {}


def story(tell: Story) -> Story:
    """Register a story under its function's name."""
    assert tell.__name__ not in STORIES
    STORIES[tell.__name__] = tell
    return tell


class Door(Protocol):
    """A way into a ledger, with what a story needs beside it."""

    hands: Hands

    async def open(self, account: AccountKey, limits: Limits | None = None) -> None: ...

    async def do(self, transaction: Transaction) -> Outcome: ...

    async def set_limits(self, account: AccountKey, limits: Limits) -> None: ...

    async def set_status(self, account: AccountKey, status: AccountStatus) -> None: ...

    async def balance(self, account: AccountKey) -> Balance: ...


async def tell(name: str, door: Door, scope: str) -> None:
    """Play a story at a door, and hold every answer and balance against it."""
    world = World(scope, door.hands)
    for account in world.platform:
        await door.open(account)
    for number, event in enumerate(STORIES[name](world)):
        await _play(event, door, world, number)


async def _play(event: Event, door: Door, world: World, number: int) -> None:
    match event:
        case Opens(account, holds, limits):
            await door.open(account, limits)
            if holds:
                opening = world.account("opening", Purpose.OPENING, account.currency)
                await door.open(opening)
                given = Transaction.move(
                    world.id(f"opening {number}"), post(Kind.OPENING_BALANCE, opening, account, holds)
                )
                assert (await door.do(given)).code is Code.POSTED
        case Says(transaction, code, replayed, shows):
            outcome = await door.do(transaction)
            assert (outcome.code, outcome.replayed) == (code, replayed), f"event {number}: {outcome}"
            told = {account: outcome.balance(account) for account in shows}
            assert {key: told_of and (told_of.posted, told_of.held) for key, told_of in told.items()} == dict(shows)
        case Stands(account, posted, held, seq):
            balance = await door.balance(account)
            assert (balance.posted, balance.held) == (posted, held), f"event {number}"
            assert seq is None or balance.seq == seq, f"event {number}"
        case Becomes(account, status):
            await door.set_status(account, status)
        case Bounded(account, limits):
            await door.set_limits(account, limits)
        case Together(transactions, codes):
            outcomes = await asyncio.gather(*map(door.do, transactions))
            assert sorted(outcome.code for outcome in outcomes) == sorted(codes), f"event {number}: {outcomes}"
