"""The wallet's own ports in memory: top-ups, a gateway that opens pages, an inbox that keeps nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.ids import PersonId, TransactionId
from domain.money import Currency, Money
from domain.wallet.gateway import Method, PaymentPage, PaymentState, PaymentStatus
from domain.wallet.model import COUNTED_AS_PENDING, Attempt, Order, TopUp, TopUpId
from domain.wallet.ports import KeptTopUp, Letter, Standing


class FakeTopUps:
    """Top-ups, both inside and outside of units of work."""

    def __init__(self, calls: Counter[str]) -> None:
        self.kept: dict[TopUpId, KeptTopUp] = {}
        self.keys: dict[tuple[PersonId, str], TopUpId] = {}
        self._calls = calls

    async def lock_payer(self, person: PersonId) -> None:
        """Nobody else is here."""

    async def lock(self, top_up: TopUpId) -> KeptTopUp:
        return self.kept[top_up]

    async def lock_by_key(self, person: PersonId, key: str) -> KeptTopUp | None:
        found = self.keys.get((person, key))
        return None if found is None else self.kept[found]

    async def standing(self, person: PersonId, day: tuple[datetime, datetime], currency: Currency) -> Standing:
        own = [kept.top_up for kept in self.kept.values() if kept.top_up.person == person]
        today = [t.amount.minor for t in own if day[0] <= t.created_at < day[1] and t.amount.currency is currency]
        return Standing(sum(t.state in COUNTED_AS_PENDING for t in own), Money(sum(today), currency))

    async def add(self, top_up: TopUp, attempt: Attempt, *, key: str, content: bytes) -> None:
        self.kept[top_up.id] = KeptTopUp(top_up, (attempt,), content)
        self.keys[top_up.person, key] = top_up.id

    async def add_attempt(self, attempt: Attempt) -> None:
        kept = self.kept[attempt.top_up]
        self.kept[attempt.top_up] = replace(kept, attempts=(*kept.attempts, attempt))

    async def save(self, top_up: TopUp, *attempts: Attempt) -> None:
        fresh = {attempt.order_id: attempt for attempt in attempts}
        kept = self.kept[top_up.id]
        merged = tuple(fresh.get(attempt.order_id, attempt) for attempt in kept.attempts)
        self.kept[top_up.id] = replace(kept, top_up=top_up, attempts=merged)

    async def note_posting(self, transaction: TransactionId, order_id: str, refers_to: Sequence[str]) -> None:
        """Nobody asks for it here."""

    async def claim_due(self, now: datetime, limit: int, delays: Sequence[timedelta]) -> Sequence[str]:
        return []

    async def top_ups_by_id(self, ids: Sequence[TopUpId]) -> Mapping[TopUpId, TopUp]:
        self._calls["top_ups_by_id"] += 1
        return {id_: self.kept[id_].top_up for id_ in ids if id_ in self.kept}

    async def is_begun(self, person: PersonId, key: str) -> bool:
        return (person, key) in self.keys

    async def top_ups_of(self, people: Sequence[PersonId], *, after: TopUpId | None, first: int) -> Sequence[TopUp]:
        self._calls["top_ups_of"] += 1
        own = sorted((kept.top_up for kept in self.kept.values()), key=lambda found: found.id, reverse=True)
        return [t for t in own if t.person in people and (after is None or t.id < after)][:first]

    async def top_ups_in_review(self, *, after: TopUpId | None, first: int) -> Sequence[TopUp]:
        return []

    async def order(self, order_id: str) -> Order | None:
        orders = (Order(kept.top_up, attempt) for kept in self.kept.values() for attempt in kept.attempts)
        return next((order for order in orders if order.attempt.order_id == order_id), None)


class FakeInbox:
    """Keeps nothing."""

    async def receive(self, source: str, body: bytes, headers: Mapping[str, str]) -> Letter:
        raise NotImplementedError

    async def refuse(self, source: str, body: bytes, headers: Mapping[str, str], verdict: str) -> None:
        """Not kept."""

    async def note(self, letter: int, verdict: str, *, handled: bool) -> None:
        raise NotImplementedError

    async def find(self, letter: int) -> Letter | None:
        return None

    async def claim_unhandled(self, now: datetime, limit: int) -> Sequence[int]:
        return []

    async def prune(self, now: datetime) -> int:
        return 0


class FakeGateway:
    """Opens pages; `failure` is raised instead of an answer."""

    name = "midtrans"

    def __init__(self) -> None:
        self.calls = 0
        self.failure: Exception | None = None

    async def open_page(
        self, order_id: str, amount: Money, method: Method, *, request_key: UUID, expires_at: datetime,
        finish_url: str | None,
    ) -> PaymentPage:  # fmt: skip
        await self._called()
        return PaymentPage("token", f"https://pay.example/{order_id}")

    async def status(self, order_id: str, *, transaction_id: str | None = None) -> PaymentStatus:
        return await self._unknown(order_id)

    async def cancel(self, order_id: str) -> PaymentStatus:
        return await self._unknown(order_id)

    async def expire(self, order_id: str) -> PaymentStatus:
        return await self._unknown(order_id)

    async def refund(self, order_id: str, amount: Money, *, key: str, reason: str) -> PaymentStatus:
        return await self._unknown(order_id)

    async def approve(self, order_id: str) -> PaymentStatus:
        return await self._unknown(order_id)

    async def deny(self, order_id: str) -> PaymentStatus:
        return await self._unknown(order_id)

    async def _called(self) -> None:
        self.calls += 1
        if self.failure is not None:
            raise self.failure

    async def _unknown(self, order_id: str) -> PaymentStatus:
        await self._called()
        return PaymentStatus(order_id, None, PaymentState.UNKNOWN, None, None, (), None, None, {})
