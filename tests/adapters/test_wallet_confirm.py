"""What the gateway's answers do to real accounts, whatever their order."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.register import PostgresAccountRegister
from domain.errors import UnavailableError
from domain.ids import AccountId
from domain.ledger.chart import Limits
from domain.ledger.model import AccountKey, AccountStatus, Outcome
from domain.ledger.ports import StatementRequest
from domain.money import Money
from domain.wallet import model
from domain.wallet.actions import cancel_top_up, confirm_top_up, record_settlement, start_top_up
from domain.wallet.gateway import GatewayAnswerError, Method
from domain.wallet.model import TopUp, TopUpState
from tests.builders import BANK, CLEARING, FEES, FIFTY, UNALLOCATED, Stage, order_of, owner_of, rupiah, staged

S = TopUpState


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[Stage]:
    async with staged(database) as stage:
        yield stage


async def kinds(stage: Stage, wallet: AccountId) -> list[tuple[str, int]]:
    """The wallet's statement, oldest first: why, and how many rupiah."""
    (lines,) = await stage.ports.books.statements([StatementRequest(wallet, first=100)])
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


@pytest.mark.parametrize("deed", ["deny", "cancel", "expire", "fail"])
async def test_a_payment_that_comes_to_nothing_ends_the_top_up(stage: Stage, deed: str) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, deed)
    ended = await stage.confirmed(top_up)
    assert ended.state in {S.FAILED, S.CANCELLED, S.EXPIRED}
    assert await stage.journal() == 0
    assert (await stage.events())[-1] == "TopUpEnded"


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


async def test_a_currency_that_we_do_not_know_is_for_staff_and_moves_nothing(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "pay", currency="XYZ")
    with capture_logs() as logs:
        unread = await stage.confirmed(top_up)
    assert (unread.state, unread.credited) == (S.IN_REVIEW, rupiah(0))
    assert "50000.00 XYZ" in (unread.review or "")
    told = [(line["event"], line["amount"]) for line in logs if line["log_level"] == "error"]
    assert told == [("midtrans_currency_unknown", "50000.00 XYZ")]
    assert await stage.journal() == 0
    assert (await stage.events())[-1] == "TopUpNeedsReview"
    before = await stage.events()
    assert await stage.confirmed(top_up) == unread
    assert await stage.events() == before


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
