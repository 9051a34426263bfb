"""What goes back: cancellations, refunds, chargebacks, and what their owner then owes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.work import PostgresWork
from domain.actor import Actor
from domain.ids import AccountId, TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.ledger.ports import StatementRequest
from domain.wallet.actions import confirm_top_up
from domain.wallet.gateway import Method
from domain.wallet.model import TopUpState
from domain.wallet.policy import MIDTRANS, TopUpPolicy
from domain.wallet.postings import receivable
from tests.builders import CLEARING, FEES, FIFTY, Stage, order_of, owner_of, rupiah, staged
from tests.waiting import eventually

S = TopUpState


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[Stage]:
    async with staged(database) as stage:
        yield stage


async def spend(stage: Stage, actor: Actor, units: int) -> None:
    """Take money out of the wallet, as a hosting charge does."""
    revenue = AccountKey("platform", Purpose.REVENUE, owner_of(actor).currency)
    async with stage.ports.work() as work:
        await work.ledger.open(revenue)
        posting = Posting(Kind.HOSTING_CHARGE, owner_of(actor), revenue, rupiah(units))
        outcome = await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))
    assert outcome.posted


async def hold(stage: Stage, actor: Actor, units: int, lasts: timedelta = timedelta(hours=1)) -> None:
    revenue = AccountKey("platform", Purpose.REVENUE, owner_of(actor).currency)
    async with stage.ports.work() as work:
        await work.ledger.open(revenue)
        posting = Posting(Kind.HOSTING_CHARGE, owner_of(actor), revenue, rupiah(units))
        expires_at = stage.clock() + lasts
        outcome = await work.ledger.post(Transaction.hold(TransactionId(uuid7()), posting, expires_at=expires_at))
    assert outcome.posted


async def kinds(stage: Stage, wallet: AccountId) -> list[tuple[str, int]]:
    """The wallet's statement, oldest first: why, and how many rupiah."""
    (lines,) = await stage.ports.books.statements([StatementRequest(wallet, first=100)])
    return [(str(line.kind), line.change // 100) for line in lines]


@pytest.mark.parametrize(("deed", "state"), [("cancel", S.CANCELLED), ("deny", S.FAILED)])
async def test_undone_after_the_credit_all_of_it_goes_back(stage: Stage, deed: str, state: TopUpState) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.CARD)
    await stage.drive(top_up, "capture")
    await stage.confirmed(top_up)
    await stage.drive(top_up, deed)
    undone = await stage.confirmed(top_up)
    assert (undone.state, undone.taken_back) == (state, FIFTY)
    assert await kinds(stage, wallet) == [("top_up", 50_000), ("cancellation", -50_000)]
    assert (await stage.events())[-2:] == ["TopUpTakenBack", "TopUpEnded"]
    await stage.confirmed(top_up)
    assert await stage.balance(owner_of(actor)) == 0


@pytest.mark.parametrize("terms", ["dearer", "cheaper", "none"])
async def test_a_void_payment_returns_the_fee_of_the_day_it_was_credited(stage: Stage, terms: str) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.CARD)
    await stage.drive(top_up, "capture")
    await stage.confirmed(top_up)
    assert await stage.balance(FEES) == -3_450
    await stage.drive(top_up, "cancel")
    methods = {Method.CARD: replace(MIDTRANS.methods[Method.CARD], fee_permille={"dearer": 35}.get(terms, 7))}
    policy = TopUpPolicy(gateways={"midtrans": replace(MIDTRANS, methods={} if terms == "none" else methods)})
    await confirm_top_up(replace(stage.ports, policy=policy), order_of(top_up))
    balances = await stage.balances()
    assert (balances[CLEARING], balances[FEES], balances[owner_of(actor)]) == (0, 0, 0)


async def test_refunds_go_back_by_what_is_new_once_the_bank_confirms(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.GOPAY)
    await stage.drive(top_up, "pay")
    await stage.confirmed(top_up)
    await stage.drive(top_up, "refund", amount=10_000, key="first")
    assert (await stage.confirmed(top_up)).taken_back == rupiah(0)
    await stage.drive(top_up, "confirm-refund")
    assert (await stage.confirmed(top_up)).taken_back == rupiah(10_000)
    await stage.drive(top_up, "refund", amount=15_000, key="second")
    await stage.drive(top_up, "confirm-refund")
    await stage.drive(top_up, "refund", key="rest")
    assert (await stage.confirmed(top_up)).taken_back == rupiah(25_000)
    await stage.drive(top_up, "confirm-refund")
    for _ in range(2):
        assert (await stage.confirmed(top_up)).taken_back == FIFTY
    assert await kinds(stage, wallet) == [
        ("top_up", 50_000), ("refund", -10_000), ("refund", -15_000), ("refund", -25_000),
    ]  # fmt: skip
    noted = await stage.ports.database.pool.fetch("select refers_to from top_up_posting order by recorded_at")
    assert [row["refers_to"] for row in noted] == [[], ["1"], ["1", "2"], ["1", "2", "3"]]


async def test_a_refund_that_is_seen_before_its_payment_tells_of_both(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.GOPAY)
    await stage.drive(top_up, "pay")
    await stage.drive(top_up, "refund", amount=20_000, key="early")
    await stage.drive(top_up, "confirm-refund")
    seen = await stage.confirmed(top_up)
    assert (seen.state, seen.credited, seen.taken_back) == (S.SETTLED, FIFTY, rupiah(20_000))
    assert await kinds(stage, wallet) == [("top_up", 50_000), ("refund", -20_000)]


async def test_partial_chargebacks_are_not_added_up(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.settled(actor, wallet)
    await stage.drive(top_up, "chargeback", amount=10_000)
    await stage.confirmed(top_up)
    await stage.drive(top_up, "chargeback", amount=5_000)
    assert (await stage.confirmed(top_up)).taken_back == rupiah(15_000)
    await stage.drive(top_up, "chargeback")
    assert (await stage.confirmed(top_up)).taken_back == FIFTY
    assert [kind for kind, _ in await kinds(stage, wallet)] == ["top_up", *["chargeback"] * 3]


async def test_an_empty_wallet_blocks_no_chargeback_and_the_next_credits_repay(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.settled(actor, wallet)
    owed = receivable(owner_of(actor))
    await spend(stage, actor, 45_000)
    await stage.drive(top_up, "chargeback")
    await stage.confirmed(top_up)
    balances = await stage.balances()
    assert (balances[owner_of(actor)], balances[owed]) == (0, -45_000)
    assert "ReceivableOpened" in await stage.events()
    await stage.settled(actor, wallet, rupiah(20_000))
    assert await stage.balance(owed) == -25_000
    brand = await second_wallet(stage, actor)
    await stage.settled(actor, brand, rupiah(30_000))
    balances = await stage.balances()
    assert (balances[owed], balances[owner_of(actor, Purpose.BRAND_PREPAID)]) == (0, 5_000)
    assert await kinds(stage, brand) == [("top_up", 30_000), ("repayment", -25_000)]
    assert (await stage.events()).count("ReceivableOpened") == 1


async def test_what_is_held_is_not_taken(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.settled(actor, wallet)
    await hold(stage, actor, 30_000)
    await stage.drive(top_up, "chargeback")
    await stage.confirmed(top_up)
    view = (await stage.ports.books.accounts_by_id([wallet]))[wallet]
    assert (view.balance.posted, view.balance.held) == (30_000_00, 30_000_00)
    assert await stage.balance(receivable(owner_of(actor))) == -30_000


async def second_wallet(stage: Stage, actor: Actor) -> AccountId:
    """Another wallet of the same person, of a kind that people once could open."""
    async with stage.ports.work() as work:
        return await work.ledger.open(owner_of(actor, Purpose.BRAND_PREPAID))


@dataclass
class Hesitant:
    """The same ports for a process that stops just before its first commit until it is told to go on."""

    stage: Stage
    there: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stage.ports, name)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PostgresWork]:
        async with self.stage.ports.work() as work:
            yield work
            self.there.set()
            await self.go.wait()


async def test_a_credit_beside_the_chargeback_that_opens_the_debt_repays_it(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    charged_back = await stage.settled(actor, wallet)
    await spend(stage, actor, 50_000)
    brand = await second_wallet(stage, actor)
    paid = await stage.started(actor, brand, rupiah(30_000))
    await stage.drive(charged_back, "chargeback")
    await stage.drive(paid, "pay")
    ports: Any = Hesitant(stage)
    slow = asyncio.create_task(confirm_top_up(ports, order_of(charged_back)))
    await ports.there.wait()
    quick = asyncio.create_task(stage.confirmed(paid))
    waiting = "select count(*) > 0 from pg_locks where not granted and database ="
    waiting += " (select oid from pg_database where datname = current_database())"

    async def quick_is_done_or_waits() -> bool:
        return quick.done() or bool(await stage.ports.database.pool.fetchval(waiting))

    await eventually(quick_is_done_or_waits)
    ports.go.set()
    await asyncio.gather(slow, quick)
    assert await stage.balance(receivable(owner_of(actor))) == -20_000
