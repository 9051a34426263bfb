"""What the gateway's answers do to real accounts, whatever their order."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.register import PostgresAccountRegister
from domain.actor import Actor
from domain.errors import UnavailableError
from domain.ids import AccountId, TransactionId, uuid7
from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Outcome, Posting, Transaction
from domain.ledger.ports import EntryFilter
from domain.money import Money
from domain.wallet import model
from domain.wallet.actions import cancel_top_up, confirm_top_up, record_settlement, start_top_up
from domain.wallet.gateway import GatewayAnswerError, Method
from domain.wallet.model import TopUp, TopUpState
from domain.wallet.postings import receivable
from tests.builders import BANK, CLEARING, FEES, FIFTY, UNALLOCATED, Stage, order_of, owner_of, rupiah, staged

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
    lines = await stage.ports.books.statement(
        wallet, after=None, before=None, first=100, newest_first=False, only=EntryFilter()
    )
    return [(str(line.kind), line.change // 100) for line in lines]


async def test_a_payment_is_credited_once_with_its_fee(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.settled(actor, wallet)
    assert (top_up.state, top_up.credited) == (S.SETTLED, FIFTY)
    balances = await stage.balances()
    assert (balances[owner_of(actor)], balances[CLEARING], balances[FEES]) == (50_000, -46_000, -4_000)
    before = await stage.journal(), await stage.events()
    for _ in range(3):
        assert await stage.confirmed(top_up) == top_up
    assert (await stage.journal(), await stage.events()) == before
    assert await stage.events() == ["TopUpStarted", "TopUpOpened", "TopUpSettled"]


async def test_each_method_has_its_fee(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    fees = {Method.QRIS: 350, Method.CARD: 3_450, Method.CONVENIENCE_STORE: 5_000, Method.GOPAY: 1_000}
    for method, fee in fees.items():
        before = await stage.balance(FEES)
        top_up = await stage.started(actor, wallet, method=method)
        await stage.drive(top_up, "pay")
        await stage.confirmed(top_up)
        assert before - await stage.balance(FEES) == fee


async def test_capture_then_settlement_credits_once(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.CARD)
    await stage.drive(top_up, "capture")
    assert (await stage.confirmed(top_up)).state is S.SETTLED
    await stage.drive(top_up, "settle")
    await stage.confirmed(top_up)
    assert await kinds(stage, wallet) == [("top_up", 50_000)]


async def test_a_challenge_waits_until_it_is_decided(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    for deed, state, credited in (("approve", S.SETTLED, FIFTY), ("deny", S.FAILED, rupiah(0))):
        top_up = await stage.started(actor, wallet, method=Method.CARD)
        await stage.drive(top_up, "challenge")
        assert (await stage.confirmed(top_up)).state is S.CHALLENGED
        await stage.drive(top_up, deed)
        decided = await stage.confirmed(top_up)
        assert (decided.state, decided.credited) == (state, credited)


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


@pytest.mark.parametrize("deed", ["deny", "cancel", "expire", "fail"])
async def test_a_payment_that_comes_to_nothing_ends_the_top_up(stage: Stage, deed: str) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, deed)
    ended = await stage.confirmed(top_up)
    assert ended.state in {S.FAILED, S.CANCELLED, S.EXPIRED}
    assert await stage.journal() == 0
    assert (await stage.events())[-1] == "TopUpEnded"


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
    brand = await stage.wallet(actor, Purpose.BRAND_PREPAID)
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


async def test_a_wrong_amount_never_reaches_the_wallet(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "pay", amount=49_000)
    wrong = await stage.confirmed(top_up)
    assert (wrong.state, wrong.credited) == (S.IN_REVIEW, rupiah(0))
    assert wrong.review is not None
    balances = await stage.balances()
    assert (balances[UNALLOCATED], balances[owner_of(actor)], balances[CLEARING]) == (49_000, 0, -45_000)
    assert (await stage.events())[-1] == "TopUpNeedsReview"
    before = await stage.journal(), await stage.events()
    await stage.confirmed(top_up)
    assert (await stage.journal(), await stage.events()) == before
    assert [each.id for each in await stage.ports.top_ups.top_ups_in_review(after=None, first=5)] == [top_up.id]


async def set_status(stage: Stage, account: AccountKey, status: AccountStatus) -> None:
    async with stage.ports.database.transaction() as connection:
        await PostgresAccountRegister(connection).set_status(account, status)


async def test_into_a_frozen_wallet_credits_land_and_chargebacks_come_out(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "pay")
    await set_status(stage, owner_of(actor), AccountStatus.FROZEN)
    assert (await stage.confirmed(top_up)).credited == FIFTY
    await stage.drive(top_up, "chargeback")
    assert (await stage.confirmed(top_up)).taken_back == FIFTY
    assert await stage.balance(owner_of(actor)) == 0


@pytest.mark.parametrize("why", ["closed", "full"])
async def test_what_a_wallet_does_not_take_waits_for_staff(stage: Stage, why: str) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    if why == "closed":
        await set_status(stage, owner_of(actor), AccountStatus.CLOSED)
    else:
        async with stage.ports.database.transaction() as connection:
            register = PostgresAccountRegister(connection)
            await register.set_limits(owner_of(actor), Limits(floor=0, ceiling=10_000_00))
    await stage.drive(top_up, "pay")
    landed = await stage.confirmed(top_up)
    assert (landed.state, landed.credited) == (S.IN_REVIEW, rupiah(0))
    balances = await stage.balances()
    assert (balances[UNALLOCATED], balances[owner_of(actor)]) == (50_000, 0)
    refused = "select count(*) from journal where refusal is not null"
    assert await stage.ports.database.pool.fetchval(refused) == 0
    await stage.drive(top_up, "chargeback")
    await stage.confirmed(top_up)
    assert await stage.balance(UNALLOCATED) == 0


async def test_late_success_lands_on_a_top_up_that_had_ended(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    stage.clock.turn(timedelta(hours=25))
    assert (await stage.confirmed(top_up)).state is S.EXPIRED
    stage.clock.turn(-timedelta(hours=2))
    await stage.drive(top_up, "pay")
    stage.clock.turn(timedelta(hours=2))
    landed = await stage.confirmed(top_up)
    assert (landed.state, landed.credited) == (S.SETTLED, FIFTY)


async def test_a_status_that_is_old_at_the_gateway_itself_undoes_nothing(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.settled(actor, wallet)
    before = await stage.journal(), await stage.events()
    stage.fault("stale_status", call="core.status")
    stale = await stage.confirmed(top_up)
    assert (stale.state, stale.credited) == (S.SETTLED, FIFTY)
    assert (await stage.journal(), await stage.events()) == before


async def test_while_the_gateway_is_away_nothing_is_decided(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "pay")
    for fault in ("server_error", "garbage", "rate_limit"):
        before = await stage.journal(), await stage.events(), await stage.again(top_up)
        stage.fault(fault, call="core.status")
        with pytest.raises(UnavailableError):
            await stage.confirmed(top_up)
        assert (await stage.journal(), await stage.events(), await stage.again(top_up)) == before
    assert (await stage.confirmed(top_up)).state is S.SETTLED


async def test_an_answer_about_another_order_is_not_believed(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    paid, other = await stage.settled(actor, wallet), await stage.started(actor, wallet)
    known_as = stage.sandbox.account.find(order_of(paid))
    assert known_as is not None
    before = await stage.journal()
    with pytest.raises(GatewayAnswerError):
        await confirm_top_up(stage.ports, order_of(other), transaction_id=known_as.transaction_id)
    assert await stage.journal() == before


async def test_dana_is_asked_by_what_the_notification_named(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.DANA)
    await stage.drive(top_up, "choose")
    payment = stage.sandbox.account.find(order_of(top_up))
    assert payment is not None
    pending = await confirm_top_up(stage.ports, order_of(top_up), transaction_id=payment.transaction_id)
    assert pending is not None
    assert pending.state is S.PENDING
    await stage.drive(top_up, "settle")
    assert (await stage.confirmed(top_up)).state is S.SETTLED


async def test_an_unknown_order_costs_no_call(stage: Stage) -> None:
    assert await confirm_top_up(stage.ports, "never-heard-of") is None
    assert not await stage.calls()


async def test_the_gateways_settlement_returns_clearing_to_zero(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    await stage.settled(actor, wallet)
    first = await record_settlement(stage.ports, "midtrans", rupiah(46_000), "2026-11-21/1")
    again = await record_settlement(stage.ports, "midtrans", rupiah(46_000), "2026-11-21/1")
    assert isinstance(first, Outcome)
    assert isinstance(again, Outcome)
    assert (first.posted, again.replayed) == (True, True)
    balances = await stage.balances()
    assert (balances[CLEARING], balances[BANK]) == (0, -46_000)
    other = await record_settlement(stage.ports, "midtrans", rupiah(1), "2026-11-21/1")
    assert isinstance(other, model.IdReused)
    assert isinstance(await record_settlement(stage.ports, "nobody", rupiah(1), "x"), model.GatewayNotBound)
    nothing = await record_settlement(stage.ports, "midtrans", Money.zero(FIFTY.currency), "zero")
    assert isinstance(nothing, Outcome)
    assert not nothing.posted
    assert await stage.balances() == balances


async def test_a_cancelled_intent_can_be_paid_again_under_a_new_key(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    first = await stage.started(actor, wallet)
    await cancel_top_up(stage.ports, actor, first.id)
    second = await start_top_up(stage.ports, actor, wallet, FIFTY, Method.QRIS, "another")
    assert isinstance(second, TopUp)
    await stage.drive(second, "pay")
    assert (await stage.confirmed(second)).state is S.SETTLED
