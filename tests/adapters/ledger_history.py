"""A small history in which everything happens that the ledger knows, for those who read it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.audit import audit
from adapters.postgres.database import Database
from adapters.postgres.deeds import write_deed
from adapters.postgres.digest import for_each_table
from adapters.postgres.ledger import LedgerCore, PostgresLedger
from adapters.postgres.register import PostgresAccountRegister
from adapters.postgres.seal import Head, Sealer
from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.clock import system_clock
from domain.ids import AccountId, PersonId, SessionId, TransactionId, uuid7
from domain.ledger.audit import Report
from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Code, Outcome, Posting, Transaction
from domain.money import Currency, Money
from tests.fake_vault import FakeVault
from tests.waiting import eventually

KEY = bytes(range(32))
WRONG_KEY = bytes(32)
LATER = datetime(2126, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2025, 12, 31, 17, 0, tzinfo=UTC)


def account(purpose: Purpose, owner: str = "platform", currency: Currency = Currency.IDR) -> AccountKey:
    return AccountKey(owner, purpose, currency)


CLEARING = account(Purpose.GATEWAY_CLEARING, "gateway:midtrans")
REVENUE = account(Purpose.REVENUE)
BANK = account(Purpose.BANK)
TAX = account(Purpose.TAX)
CREDIT = account(Purpose.HOSTING_CREDIT, "person:ani")
PREPAID = account(Purpose.BRAND_PREPAID, "brand:kopi")
ESCROW = account(Purpose.CAMPAIGN_ESCROW, "campaign:pagi")
EARNED = account(Purpose.STREAMER_EARNED, "person:budi")
DEBT = account(Purpose.RECEIVABLE, "person:ani")
DOLLARS = account(Purpose.HOSTING_CREDIT, "person:ani", Currency.USD)
DOLLAR_REVENUE = account(Purpose.REVENUE, currency=Currency.USD)
ACCOUNTS = (CLEARING, REVENUE, BANK, TAX, CREDIT, PREPAID, ESCROW, EARNED, DEBT, DOLLARS, DOLLAR_REVENUE)


def posting(kind: Kind, source: AccountKey, target: AccountKey, minor: int) -> Posting:
    return Posting(kind, source, target, Money(minor, source.currency))


def new_id() -> TransactionId:
    return TransactionId(uuid7())


UNSEALED = f"""
select count(*) from ({for_each_table("select position from {table}", " union all ")}) as written
where position > (select coalesce(max(last_position), 0) from seal)
"""
ANI, BUDI, STAFF = (PersonId(uuid7()) for _ in range(3))
"""Two people, and one who works here: `live_through_everything` gives each a key. Nobody else has one."""
ORIGIN = Origin("203.0.113.7", "request-1", "Firefox")


@dataclass(slots=True)
class Bench:
    """A database with the doors that these tests use."""

    addresses: DatabaseAddresses
    database: Database
    core: LedgerCore
    sealer: Sealer
    vault: FakeVault = field(default_factory=FakeVault)

    async def open(self, *keys: AccountKey, limits: Limits | None = None) -> list[AccountId]:
        async with self.database.transaction() as connection:
            ledger = PostgresLedger(connection, self.core)
            return [await ledger.open(key, limits) for key in keys]

    async def post(self, transaction: Transaction) -> Outcome:
        async with self.database.transaction() as connection:
            return await PostgresLedger(connection, self.core).post(transaction)

    async def move(
        self, kind: Kind, source: AccountKey, target: AccountKey, minor: int, *, effective_at: datetime | None = None
    ) -> TransactionId:
        id_ = new_id()
        outcome = await self.post(
            Transaction.move(id_, posting(kind, source, target, minor), effective_at=effective_at)
        )
        assert outcome.posted, outcome
        return id_

    async def set_limits(self, key: AccountKey, limits: Limits) -> None:
        async with self.database.transaction() as connection:
            await PostgresAccountRegister(connection).set_limits(key, limits)

    async def set_status(self, key: AccountKey, status: AccountStatus) -> None:
        async with self.database.transaction() as connection:
            await PostgresAccountRegister(connection).set_status(key, status)

    async def record(self, deed: Deed) -> None:
        async with self.database.transaction() as connection:
            await write_deed(connection, self.vault, deed)

    async def skip_position(self) -> int:
        """Take a position as a writer does that rolls back."""
        return int(await self.database.pool.fetchval("select nextval('journal_position')"))

    async def seal(self, sealer: Sealer | None = None) -> int:
        """Seal all that is committed and answer how many rows: a writer in any database of the server is waited for."""
        sealed = 0

        async def done() -> bool:
            nonlocal sealed
            sealed += await (sealer or self.sealer).seal_all()
            return not await self.database.pool.fetchval(UNSEALED)

        assert await eventually(done)
        return sealed

    async def audit(self, *exported: Head, key: bytes = KEY) -> Report:
        async with self.database.direct() as connection:
            return await audit(connection, key, exported)

    async def head(self) -> Head:
        return Head(*await self.database.pool.fetchrow(
            "select number, head, sealed_at from seal order by number desc limit 1"
        ))  # fmt: skip


@asynccontextmanager
async def bench_of(addresses: DatabaseAddresses) -> AsyncIterator[Bench]:
    async with Database(addresses.app_url, size=4) as database, database.direct() as connection:
        core = LedgerCore(AccountIndex(), system_clock)
        yield Bench(addresses, database, core, Sealer(connection, KEY, system_clock))


async def live_through_everything(bench: Bench) -> None:
    """Every operation, refusal, change and kind of posting, sealed in several seals with rows left over at the end."""
    await bench.open(*ACCOUNTS)
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 100_000)
    await bench.move(Kind.TOP_UP, CLEARING, PREPAID, 900_000, effective_at=LONG_AGO)
    await bench.move(Kind.ADJUSTMENT, DOLLAR_REVENUE, DOLLARS, 500)
    await _deeds(bench)
    await bench.seal()
    several = new_id()
    await bench.post(
        Transaction.move(
            several,
            posting(Kind.ESCROW, PREPAID, ESCROW, 300_000),
            posting(Kind.EARNING, ESCROW, EARNED, 100_000),
            posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 7_000),
        )
    )
    await _holds(bench)
    await bench.seal()
    await bench.post(Transaction.reverse(new_id(), several))
    await _refusals(bench)
    await _changes(bench)
    await bench.record(Deed("session.ended", f"session:{uuid7()}", Actor(ANI, origin=ORIGIN), about=ANI))
    await bench.seal()
    await bench.skip_position()
    await bench.move(Kind.GATEWAY_SETTLEMENT, BANK, CLEARING, 50_000)
    await bench.move(Kind.CHARGEBACK, DEBT, CLEARING, 2_000)
    await bench.record(Deed("key.rotated", "installation"))
    await bench.seal()


async def _deeds(bench: Bench) -> None:
    for person in (ANI, BUDI, STAFF):
        await bench.vault.create_key(person)
    staff = Actor(STAFF, SessionId(uuid7()), origin=ORIGIN)
    through_anis_eyes = Actor(ANI, SessionId(uuid7()), impersonator=STAFF, origin=ORIGIN)
    unknown = PersonId(uuid7())
    for deed in (
        Deed("role.changed", "role:support", staff, before={"may_refund": False}, after={"may_refund": True}),
        Deed("person.renamed", f"person:{BUDI}", staff, BUDI, {"name": "Budi"}, {"name": "Budi S."}, "he asked for it"),
        Deed("wallet.seen", f"person:{ANI}", through_anis_eyes),
        Deed("sign_in.failed", f"person:{unknown}", about=unknown, origin=ORIGIN, reason="no such person"),
        Deed("sign_in.failed", "nobody", origin=ORIGIN),
    ):
        await bench.record(deed)


async def _holds(bench: Bench) -> None:
    whole, part, void, late, live = (new_id() for _ in range(5))
    charge = posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 5_000)
    escrow = posting(Kind.ESCROW, PREPAID, ESCROW, 40_000)
    await bench.post(Transaction.hold(whole, charge, expires_at=LATER))
    await bench.post(Transaction.capture(new_id(), whole))
    await bench.post(Transaction.hold(part, charge, escrow, expires_at=LATER))
    await bench.post(Transaction.capture(new_id(), part, Money(2_000, Currency.IDR), Money(0, Currency.IDR)))
    await bench.post(Transaction.capture(new_id(), part, Money(1_000, Currency.IDR), Money(40_000, Currency.IDR)))
    await bench.post(Transaction.void(new_id(), part))
    await bench.post(Transaction.hold(void, escrow, expires_at=LATER))
    await bench.post(Transaction.void(new_id(), void))
    await bench.post(Transaction.hold(late, charge, expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    await bench.post(Transaction.expire(new_id(), late))
    await bench.post(Transaction.hold(live, charge, escrow, expires_at=LATER))
    await bench.post(Transaction.capture(new_id(), live, Money(10, Currency.IDR), Money(20, Currency.IDR)))


async def _refusals(bench: Bench) -> None:
    outcome = await bench.post(Transaction.move(new_id(), posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 10**9)))
    assert outcome.code is Code.INSUFFICIENT_FUNDS
    outcome = await bench.post(Transaction.reverse(new_id(), new_id()))
    assert outcome.code is Code.NOTHING_TO_REVERSE
    outcome = await bench.post(Transaction.move(new_id(), posting(Kind.OPENING_BALANCE, REVENUE, DEBT, 1)))
    assert outcome.code is Code.MOVEMENT_NOT_ALLOWED


async def _changes(bench: Bench) -> None:
    await bench.set_limits(CREDIT, Limits(-10_000, 5_000_000))
    await bench.set_status(CREDIT, AccountStatus.FROZEN)
    outcome = await bench.post(Transaction.move(new_id(), posting(Kind.HOSTING_CHARGE, CREDIT, REVENUE, 1)))
    assert outcome.code is Code.ACCOUNT_FROZEN
    await bench.move(Kind.TOP_UP, CLEARING, CREDIT, 3_000)
    await bench.move(Kind.CHARGEBACK, CREDIT, CLEARING, 1_000)
    await bench.set_status(CREDIT, AccountStatus.OPEN)
    outcome = await bench.post(Transaction.move(new_id(), posting(Kind.TOP_UP, CLEARING, CREDIT, 10**9)))
    assert outcome.code is Code.LIMIT_EXCEEDED
    spare = account(Purpose.PLAYER_CASH, "person:cici")
    await bench.open(spare)
    await bench.set_status(spare, AccountStatus.CLOSED)
    outcome = await bench.post(Transaction.move(new_id(), posting(Kind.TOP_UP, CLEARING, spare, 1)))
    assert outcome.code is Code.ACCOUNT_CLOSED
