"""The whole domain's ports in memory, for tests of what stands above them. The ledger decides as the real one does."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from adapters.identity.opaque import KeyedTokens
from domain.actor import Actor
from domain.asset.ports import AssetPorts
from domain.audit_log import Deed, Deeds
from domain.brand.ports import BrandPorts
from domain.campaign.ports import CampaignPorts
from domain.clock import Clock
from domain.earning.ports import EarningPorts
from domain.events import Event
from domain.identity.desk import Desk
from domain.identity.ports import IdentityPorts
from domain.identity.privacy import PrivacyPolicy
from domain.identity.privacy_stores import PrivacyPorts
from domain.ids import AccountId, PersonId, TransactionId, uuid7
from domain.invoice.ports import InvoicePorts
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Balance, Entry, JournalRow, Operation, Posting, Transaction
from domain.ledger.ports import AccountView, BalanceRequest, EntryFilter, StatementRequest, Submissions, wallet_topic
from domain.message.ports import MessagePorts
from domain.money import Currency, Money
from domain.overlay.ports import OverlayPorts
from domain.quotas import Quotas
from domain.streamer.ports import StreamerPorts
from domain.wallet.gateway import Gateway
from domain.wallet.policy import TopUpPolicy
from domain.wallet.ports import Inbox
from tests.fake_ledger import FakeLedger
from tests.fake_quotas import HIGH_QUOTAS, FakeQuotas
from tests.fake_standings import FakeStandings
from tests.fake_vault import FakeVault
from tests.fake_wallet import FakeGateway, FakeInbox, FakeTopUps

_MOVING = {Operation.MOVE, Operation.CAPTURE, Operation.REVERSE}


class TickingClock:
    """A clock that goes on by a millisecond each time it is read, so that no two things happen at once."""

    def __init__(self, now: datetime = datetime(2026, 5, 1, 3, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


class FakeFeed:
    """Tells listeners at once. `listeners` counts them; `tell` says anything, wrong things too."""

    def __init__(self) -> None:
        self.queues: dict[str, list[asyncio.Queue[int | None]]] = {}

    def listeners(self, topic: str) -> int:
        return len(self.queues.get(topic, ()))

    async def listen(self, *topics: str) -> AsyncGenerator[int, None]:
        queue = asyncio.Queue[int | None]()
        for topic in topics:
            self.queues.setdefault(topic, []).append(queue)
        try:
            yield 0
            while (number := await queue.get()) is not None:
                yield number
        finally:
            for topic in topics:
                self.queues[topic].remove(queue)

    def tell(self, topic: str, number: int | None) -> None:
        for queue in self.queues.get(topic, ()):
            queue.put_nowait(number)


class FakeBooks:
    """Reads of the ledger; counts its calls as a database would count statements."""

    def __init__(self, ledger: FakeLedger, clock: Clock, calls: Counter[str]) -> None:
        self._ledger, self._clock, self._calls = ledger, clock, calls
        self.recorded: list[tuple[JournalRow, datetime]] = []

    def record(self) -> list[Entry]:
        """Note the time of rows that were written just now; answers the entries that they make."""
        fresh = self._ledger.journal[len(self.recorded) :]
        self.recorded += [(row, self._clock()) for row in fresh]
        return [entry for row, at in self.recorded[-len(fresh) :] for entry in _entries(row, at)] if fresh else []

    async def accounts_by_id(self, ids: Sequence[AccountId]) -> Mapping[AccountId, AccountView]:
        self._calls["accounts_by_id"] += 1
        return {view.id: view for view in self._views() if view.id in set(ids)}

    async def accounts_of(self, owners: Sequence[str], purposes: Sequence[Purpose] = ()) -> Sequence[AccountView]:
        self._calls["accounts_of"] += 1
        return [
            view
            for view in self._views()
            if view.key.owner in owners and (not purposes or view.key.purpose in purposes)
        ]

    async def statements(self, requests: Sequence[StatementRequest]) -> Sequence[Sequence[Entry]]:
        self._calls["statements"] += 1
        return [self._statement(asked, asked.only) for asked in requests]

    def _statement(self, asked: StatementRequest, only: EntryFilter) -> Sequence[Entry]:
        found = [
            entry
            for entry in self._lines(asked.account)
            if (asked.after is None or entry.seq > asked.after)
            and (asked.before is None or entry.seq < asked.before)
            and (only.kinds is None or entry.kind in only.kinds)
            and (only.counterpart_purposes is None or entry.counterpart.purpose in only.counterpart_purposes)
            and (only.since is None or entry.recorded_at >= only.since)
            and (only.until is None or entry.recorded_at < only.until)
        ]
        return (found[::-1] if asked.newest_first else found)[: asked.first]

    async def balances_at(self, requests: Sequence[BalanceRequest]) -> Sequence[Balance]:
        self._calls["balances_at"] += 1
        return [self._balance_at(asked) for asked in requests]

    def _balance_at(self, asked: BalanceRequest) -> Balance:
        lines = self._lines(asked.account)
        counted = [e for e in lines if (e.effective_at if asked.effective else e.recorded_at) <= asked.at]
        if not counted:
            return Balance(0, 0, 0)
        return Balance(sum(entry.change for entry in counted), counted[-1].held, counted[-1].seq)

    async def trial_balance(self, at: datetime | None = None) -> Sequence[tuple[AccountKey, int]]:
        raise NotImplementedError

    async def expired_holds(self, now: datetime, limit: int) -> Sequence[TransactionId]:
        raise NotImplementedError

    def _views(self) -> list[AccountView]:
        return [
            AccountView(number, key, self._ledger.balance(key), key.purpose.usual_limits)
            for key, number in self._ledger._numbers.items()
        ]

    def _lines(self, account: AccountId) -> list[Entry]:
        key = next(key for key, number in self._ledger._numbers.items() if number == account)
        lines = (entry for row, at in self.recorded for entry in _entries(row, at) if entry.account == key)
        return sorted(lines, key=lambda entry: entry.seq)


def _entries(row: JournalRow, at: datetime) -> list[Entry]:
    """The lines that a row of the journal makes on the statements of accounts that keep figures."""
    if row.refusal is not None or row.kind is None or row.source is None or row.target is None:
        return []
    moved = row.amount if row.operation in _MOVING else 0
    sides = ((row.source, row.target, -moved), (row.target, row.source, moved))
    return [
        Entry(
            side.account, side.seq, row.transaction_id, row.line, row.operation, row.kind, other.account, change,
            side.posted or 0, side.held or 0, at, row.effective_at or at, row.ref,
        )
        for side, other, change in sides
        if side.seq is not None
    ]  # fmt: skip


@dataclass
class FakeWork:
    """One unit of work."""

    ledger: FakeLedger
    top_ups: FakeTopUps
    events: list[Event]
    deeds: list[Deed]

    @property
    def register(self) -> FakeLedger:
        return self.ledger

    async def emit(self, *events: Event) -> None:
        self.events.extend(events)

    async def record(self, deed: Deed) -> None:
        self.deeds.append(deed)


class FakeIdentity:
    """As much of identity as is asked for by tests of something else; theirs is a real one, in `accounts_stage`."""

    def __init__(self, clock: Clock, quotas: Quotas, standings: FakeStandings) -> None:
        self.clock, self.quotas, self.standings = clock, quotas, standings
        self.vault = FakeVault()
        self.opaque_tokens = KeyedTokens(bytes(32))


class NothingSaid:
    """Reads of privacy where nobody has said or asked for anything."""

    async def consents_of(self, people: object) -> list[Any]:
        return []

    async def consent_history(self, people: object, before: object, first: object) -> list[Any]:
        return []

    async def export_of(self, person: object) -> None:
        return None

    async def erasure_of(self, person: object) -> None:
        return None


class NobodyStreams:
    """Reads of streamers where there is none."""

    async def streamer_of(self, people: object) -> None:
        return None

    async def streamers(self, ids: object) -> dict[Any, Any]:
        return {}


class FakeStreamers(FakeIdentity):
    """As much of streamers as is asked for by tests of something else; theirs is a real one, in `streamer_stage`."""

    reads = NobodyStreams()


class NoOverlays:
    """Reads of overlays where there are none."""

    async def screen_of(self, digest: object) -> None:
        return None


class FakeOverlays(FakeStreamers):
    """As much of overlays as is asked for by tests of something else; theirs is a real one, in `overlay_stage`."""

    overlays = NoOverlays()


class FakePrivacy(FakeIdentity):
    """As much of privacy as is asked for by tests of something else; theirs is a real one, in `privacy_stage`."""

    policy = PrivacyPolicy()
    reads = NothingSaid()


class NoBrands:
    """Reads of brands where there are none."""

    async def brands_by_id(self, ids: object) -> dict[Any, Any]:
        return {}

    async def invitations_to(self, person: object, now: object, most: object) -> list[Any]:
        return []


class FakeBrands(FakeIdentity):
    """As much of brands as is asked for by tests of something else; theirs is a real one, in `brand_stage`."""

    reads = NoBrands()


class NoAssets:
    """Reads of files where there are none."""

    async def assets(self, ids: object) -> dict[Any, Any]:
        return {}


class FakeAssets(FakeIdentity):
    """As much of files as is asked for by tests of something else; theirs is a real one, in `asset_stage`."""

    reads = NoAssets()


class NoCampaigns:
    """Reads of campaigns where there are none."""

    async def campaigns_by_id(self, ids: object) -> dict[Any, Any]:
        return {}


class FakeCampaigns(FakeIdentity):
    """As much of campaigns as is asked for by tests of something else; theirs is a real one, in `campaign_stage`."""

    reads = NoCampaigns()


class FakeEarnings(FakeIdentity):
    """As much of earnings as is asked for by tests of something else; theirs is a real one, in `earning_stage`."""


class FakeInvoices(FakeIdentity):
    """As much of invoices as is asked for by tests of something else; theirs is a real one, in `invoice_stage`."""


class FakeMessages(FakeIdentity):
    """As much of messages as is asked for by tests of something else; theirs is a real one, in `message_stage`."""


class FakePorts:
    """`domain.ports.Ports` in memory. `calls` counts reads; `events`, `deeds`, `ledger.journal` tell what was done."""

    def __init__(self) -> None:
        self.clock: Clock = TickingClock()
        self.calls = Counter[str]()
        self.ledger = FakeLedger(self.clock)
        self.gateway = FakeGateway()
        self.gateways: Mapping[str, Gateway] = {"midtrans": self.gateway}
        self.policy = TopUpPolicy()
        self.books = FakeBooks(self.ledger, self.clock, self.calls)
        self.top_ups = FakeTopUps(self.calls)
        self.inbox: Inbox = FakeInbox()
        self.submissions: Submissions = self.ledger
        self.feed = FakeFeed()
        self.counts = FakeQuotas(changed=HIGH_QUOTAS)
        self.quotas: Quotas = self.counts
        self.standings = FakeStandings()
        self.identity = cast("IdentityPorts", FakeIdentity(self.clock, self.quotas, self.standings))
        self.privacy = cast("PrivacyPorts", FakePrivacy(self.clock, self.quotas, self.standings))
        self.streamer = cast("StreamerPorts", FakeStreamers(self.clock, self.quotas, self.standings))
        self.overlay = cast("OverlayPorts", FakeOverlays(self.clock, self.quotas, self.standings))
        self.brand = cast("BrandPorts", FakeBrands(self.clock, self.quotas, self.standings))
        self.asset = cast("AssetPorts", FakeAssets(self.clock, self.quotas, self.standings))
        self.campaign = cast("CampaignPorts", FakeCampaigns(self.clock, self.quotas, self.standings))
        self.invoice = cast("InvoicePorts", FakeInvoices(self.clock, self.quotas, self.standings))
        self.message = cast("MessagePorts", FakeMessages(self.clock, self.quotas, self.standings))
        self.earning = cast("EarningPorts", FakeEarnings(self.clock, self.quotas, self.standings))
        self.desk = cast("Desk", self.identity)
        self.audit_log = cast("Deeds", self.identity)
        self.events: list[Event] = []
        self.deeds: list[Deed] = []

    @asynccontextmanager
    async def work(self) -> AsyncIterator[FakeWork]:
        before = deepcopy((self.ledger.book, self.ledger._numbers, self.top_ups.kept, self.top_ups.keys))
        told, recorded = len(self.events), len(self.deeds)
        try:
            yield FakeWork(self.ledger, self.top_ups, self.events, self.deeds)
        except BaseException:
            self.ledger.book, self.ledger._numbers, self.top_ups.kept, self.top_ups.keys = before
            del self.events[told:]
            del self.deeds[recorded:]
            raise
        self._tell()

    def _tell(self) -> None:
        for entry in self.books.record():
            self.feed.tell(wallet_topic(self.ledger._numbers[entry.account]), entry.seq)

    @property
    def marks(self) -> tuple[int, int, int]:
        """What a refusal must leave alone: postings, events, calls of the vendor."""
        return len(self.ledger.journal), len(self.events), self.gateway.calls

    async def wallet(
        self, actor: Actor, purpose: Purpose = Purpose.HOSTING_CREDIT, currency: Currency = Currency.IDR
    ) -> AccountId:
        """A wallet of somebody's."""
        async with self.work() as work:
            return await work.ledger.open(AccountKey(actor.owner, purpose, currency))

    async def credit(self, wallet: AccountId, *amounts: int) -> None:
        """Whole units paid into a wallet, one after the other, told to the feed when all are there."""
        key = next(key for key, number in self.ledger._numbers.items() if number == wallet)
        source = AccountKey("gateway:midtrans", Purpose.GATEWAY_CLEARING, key.currency)
        async with self.work() as work:
            await work.ledger.open(source)
            for amount in amounts:
                posting = Posting(Kind.TOP_UP, source, key, Money.whole(amount, key.currency))
                outcome = await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))
                assert outcome.posted, outcome

    async def owe(self, actor: Actor, amount: int) -> None:
        """Let somebody owe whole units: a chargeback that their wallet could not pay."""
        debt = AccountKey(actor.owner, Purpose.RECEIVABLE, Currency.IDR)
        target = AccountKey("gateway:midtrans", Purpose.GATEWAY_CLEARING, Currency.IDR)
        async with self.work() as work:
            await work.ledger.open(debt)
            await work.ledger.open(target)
            posting = Posting(Kind.CHARGEBACK, debt, target, Money.whole(amount, Currency.IDR))
            assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))).posted

    async def freeze(self, wallet: AccountId) -> None:
        """Let nothing leave a wallet."""
        key = next(key for key, number in self.ledger._numbers.items() if number == wallet)
        await self.ledger.set_status(key, AccountStatus.FROZEN)


def somebody() -> Actor:
    """A new person."""
    return Actor(PersonId(uuid7()))


@asynccontextmanager
async def connected(ports: FakePorts, _: Any) -> AsyncIterator[FakePorts]:
    """What `wiring.connect` would answer."""
    yield ports
