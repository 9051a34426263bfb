"""What the wallet needs: a unit of work with its rows, reads without locks, gateways, and an inbox for their news."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.clock import Clock
from domain.ids import PersonId, TransactionId
from domain.ledger.ports import Books
from domain.money import Currency, Money
from domain.quotas import Quotas
from domain.wallet.gateway import Gateway
from domain.wallet.model import Attempt, Order, TopUp, TopUpId
from domain.wallet.policy import TopUpPolicy
from domain.work import Work


@dataclass(frozen=True, slots=True)
class Standing:
    """What counts against a person's limits."""

    pending: int
    started_today: Money


@dataclass(frozen=True, slots=True)
class KeptTopUp:
    """A top-up with its attempts, oldest first, and the digest of what was asked for."""

    top_up: TopUp
    attempts: tuple[Attempt, ...]
    content: bytes

    @property
    def latest(self) -> Attempt:
        """The attempt whose page is the one to pay on."""
        return self.attempts[-1]

    def attempt(self, order_id: str) -> Attempt:
        """The attempt of this order."""
        return next(attempt for attempt in self.attempts if attempt.order_id == order_id)


class TopUps(Protocol):
    """Top-ups inside a unit of work."""

    async def lock_payer(self, person: PersonId) -> None:
        """Be alone with a person's top-ups until the unit of work ends. Comes before any other lock."""
        ...

    async def lock(self, top_up: TopUpId) -> KeptTopUp:
        """Lock a top-up and its attempts. Raises `LookupError` if there is no such: none is ever deleted."""
        ...

    async def lock_by_key(self, person: PersonId, key: str) -> KeptTopUp | None:
        """The top-up that a person started under an idempotency key, locked."""
        ...

    async def standing(self, person: PersonId, day: tuple[datetime, datetime], currency: Currency) -> Standing:
        """What counts against a person's limits on a day."""
        ...

    async def add(self, top_up: TopUp, attempt: Attempt, *, key: str, content: bytes) -> None:
        """Store a new top-up with its first attempt."""
        ...

    async def add_attempt(self, attempt: Attempt) -> None:
        """Store one more attempt."""
        ...

    async def save(self, top_up: TopUp, *attempts: Attempt) -> None:
        """Store what changed."""
        ...

    async def note_posting(self, transaction: TransactionId, order_id: str, refers_to: Sequence[str]) -> None:
        """Remember which order a transaction of the ledger is about, and the gateway's references that it covers."""
        ...

    async def claim_due(self, now: datetime, limit: int, delays: Sequence[timedelta]) -> Sequence[str]:
        """Orders whose time has come to be asked about, each put off by the next delay so that no other takes it."""
        ...


class TopUpReads(Protocol):
    """Top-ups outside of units of work; nothing here locks."""

    async def top_ups_by_id(self, ids: Sequence[TopUpId]) -> Mapping[TopUpId, TopUp]:
        """Top-ups by id; unknown ones are left out."""
        ...

    async def is_begun(self, person: PersonId, key: str) -> bool:
        """Whether a person began a top-up under an idempotency key."""
        ...

    async def top_ups_of(self, people: Sequence[PersonId], *, after: TopUpId | None, first: int) -> Sequence[TopUp]:
        """Top-ups of a person under every id they were known by, newest first, from below `after`."""
        ...

    async def top_ups_in_review(self, *, after: TopUpId | None, first: int) -> Sequence[TopUp]:
        """Everybody's top-ups that staff should look at, newest first."""
        ...

    async def order(self, order_id: str) -> Order | None:
        """An attempt and its top-up by the order's id."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """A vendor's message as it was kept."""

    id: int
    source: str
    body: bytes
    headers: Mapping[str, str]
    genuine: bool
    verdict: str
    received_at: datetime
    handled_at: datetime | None
    attempts: int


class Inbox(Protocol):
    """Vendors' messages, kept raw before anything follows from them; each call is durable by itself."""

    async def receive(self, source: str, body: bytes, headers: Mapping[str, str]) -> Letter:
        """Keep a genuine message; the very same one again answers the row that is there."""
        ...

    async def refuse(self, source: str, body: bytes, headers: Mapping[str, str], verdict: str) -> None:
        """Keep the beginning of what is not genuine, as long as there are not too many of it."""
        ...

    async def note(self, letter: int, verdict: str, *, handled: bool) -> None:
        """Write down what became of a message; a handled one needs nothing more when it comes again."""
        ...

    async def find(self, letter: int) -> Letter | None:
        """A kept message by its number."""
        ...

    async def claim_unhandled(self, now: datetime, limit: int) -> Sequence[int]:
        """Genuine messages that wait to be handled, each put off so that no other takes it."""
        ...

    async def prune(self, now: datetime) -> int:
        """Forget old messages that were not genuine; answers how many."""
        ...


class WalletWork(Work, Protocol):
    """A unit of work with top-ups in it."""

    @property
    def top_ups(self) -> TopUps:
        """Top-ups within this unit of work."""
        ...


class WalletPorts(Protocol):
    """Everything that the wallet's actions reach."""

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...

    @property
    def gateways(self) -> Mapping[str, Gateway]:
        """Payment gateways by name."""
        ...

    @property
    def policy(self) -> TopUpPolicy:
        """The rules of top-ups."""
        ...

    @property
    def books(self) -> Books:
        """Accounts and statements, read without locks."""
        ...

    @property
    def top_ups(self) -> TopUpReads:
        """Top-ups, read without locks."""
        ...

    @property
    def inbox(self) -> Inbox:
        """Vendors' messages."""
        ...

    @property
    def quotas(self) -> Quotas:
        """How often one may."""
        ...

    def work(self) -> AbstractAsyncContextManager[WalletWork]:
        """Open a unit of work: it commits at the end of the block, or on an exception nothing happened."""
        ...
