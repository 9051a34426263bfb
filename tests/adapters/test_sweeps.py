"""Nothing depends on a notification: sweeps find every payment, end what nobody paid, and one stops nobody."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.payments.midtrans_client import MidtransAccess, MidtransGateway
from domain.errors import UnavailableError
from domain.ids import TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.wallet.actions import cancel_top_up, expire_holds, start_top_up, sweep_top_ups
from domain.wallet.effects import CHECK_DELAYS_S
from domain.wallet.gateway import Method
from domain.wallet.model import TopUp, TopUpState
from tests.adapters.midtrans_sandbox import KEY
from tests.builders import FIFTY, IDR, Stage, order_of, owner_of, rupiah, staged
from tests.waiting import PATIENCE_S

S = TopUpState


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[Stage]:
    async with staged(database) as stage:
        yield stage


async def sweep(stage: Stage, **later: float) -> int:
    """Turn the clock and sweep; answers how many orders were looked at."""
    stage.clock.turn(timedelta(**later))
    found = await sweep_top_ups(stage.ports, stage.clock())
    assert not found.failed
    return found.looked_at


async def test_a_payment_is_found_without_a_notification(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "pay")
    assert await sweep(stage, seconds=19) == 0
    assert await sweep(stage, seconds=1) == 1
    assert (await stage.again(top_up)).state is S.SETTLED
    assert await stage.balance(owner_of(actor)) == 50_000


async def test_it_asks_often_at_first_and_once_an_hour_in_the_end(stage: Stage) -> None:
    top_up = await stage.started(*await stage.somebody())
    await stage.drive(top_up, "choose")
    await stage.confirmed(top_up)
    asked_after, began = [], stage.clock()
    while stage.clock() - began < timedelta(hours=5):
        if await sweep(stage, seconds=10):
            asked_after.append((stage.clock() - began).total_seconds())
    gaps = [later - earlier for earlier, later in zip([0.0, *asked_after], asked_after, strict=False)]
    assert gaps[:9] == list(CHECK_DELAYS_S[:9])
    assert set(gaps[9:]) == {3600}


async def test_one_that_nobody_pays_expires_after_its_time_and_is_left_alone(stage: Stage) -> None:
    top_up = await stage.started(*await stage.somebody())
    for _ in range(23):
        await sweep(stage, hours=1)
    assert (await stage.again(top_up)).state is S.PENDING
    await sweep(stage, hours=1)
    assert (await stage.again(top_up)).state is S.PENDING, "its grace lasts"
    await sweep(stage, minutes=15)
    assert (await stage.again(top_up)).state is S.EXPIRED
    assert (await stage.events())[-1] == "TopUpEnded"
    assert await sweep(stage, hours=1) == 1, "one last look"
    assert await sweep(stage, days=3) == 0


async def test_one_that_the_gateway_ended_is_looked_at_until_its_page_is_gone(stage: Stage) -> None:
    """A card that was denied may be tried again on the same page, and no notification may tell."""
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "deny")
    await sweep(stage, minutes=1)
    assert (await stage.again(top_up)).state is S.FAILED
    payment = stage.sandbox.account.find(order_of(top_up))
    assert payment is not None
    payment.state, payment.transaction_id = type(payment.state)("settlement"), "another try"
    await sweep(stage, hours=1)
    assert (await stage.again(top_up)).credited == FIFTY


async def test_a_cancelled_page_that_is_paid_is_found(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await cancel_top_up(stage.ports, actor, top_up.id)
    for _ in range(20):
        await sweep(stage, minutes=30)
    await stage.drive(top_up, "pay")
    await sweep(stage, hours=1)
    assert (await stage.again(top_up)).state is S.SETTLED


async def test_a_refund_is_followed_until_the_bank_confirms_it(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.GOPAY)
    await stage.drive(top_up, "pay")
    await stage.drive(top_up, "refund", amount=10_000, key="one")
    await stage.confirmed(top_up)
    await sweep(stage, days=2)
    await sweep(stage, days=1)
    await stage.drive(top_up, "confirm-refund")
    await sweep(stage, days=1)
    assert (await stage.again(top_up)).taken_back == rupiah(10_000)


async def test_a_chargeback_weeks_later_of_which_every_notice_is_lost_is_found(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.settled(actor, wallet)
    assert await sweep(stage, hours=1) == 1, "the last look after a change"
    assert [await sweep(stage, days=1) for _ in range(30)] == [1] * 30
    await stage.drive(top_up, "chargeback")
    await sweep(stage, days=1)
    assert (await stage.again(top_up)).taken_back == FIFTY


async def test_money_that_stays_is_asked_about_daily_for_six_weeks_and_then_left_alone(stage: Stage) -> None:
    await stage.settled(*await stage.somebody())
    looks = [await sweep(stage, days=1) for _ in range(60)]
    assert sum(looks) == looks.index(0)
    assert 45 <= sum(looks) <= 47


async def test_an_answer_that_was_old_at_the_gateway_does_not_stay_the_last(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.CARD)
    await stage.drive(top_up, "capture")
    await stage.drive(top_up, "cancel")
    stage.fault("stale_status", call="core.status")
    assert (await stage.confirmed(top_up)).credited == FIFTY
    await sweep(stage, hours=1)
    undone = await stage.again(top_up)
    assert (undone.state, undone.taken_back) == (S.CANCELLED, FIFTY)
    assert await stage.balance(owner_of(actor)) == 0


async def test_an_intent_that_was_left_without_a_page_gets_one(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    stage.fault("server_error", call="snap.create", times=2)
    with pytest.raises(UnavailableError):
        await start_top_up(stage.ports, actor, wallet, FIFTY, Method.QRIS, "key")
    assert await sweep(stage, minutes=1) == 1
    (top_up,) = await stage.ports.top_ups.top_ups_of([actor.person], after=None, first=5)
    assert top_up.state is S.PENDING
    assert top_up.redirect_url is not None


async def test_while_the_gateway_is_away_it_is_asked_ever_more_rarely_and_then_given_up(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    async with MidtransGateway(MidtransAccess("http://127.0.0.1:1", "http://127.0.0.1:1", KEY)) as away:
        ports = stage.with_gateway(away)
        with pytest.raises(UnavailableError):
            await start_top_up(ports, actor, wallet, FIFTY, Method.QRIS, "key")
        looked_at = 0
        for _ in range(3 * 24):
            stage.clock.turn(timedelta(minutes=20))
            looked_at += (await sweep_top_ups(ports, stage.clock())).looked_at
        assert looked_at < 40
    (top_up,) = await stage.ports.top_ups.top_ups_of([actor.person], after=None, first=5)
    assert top_up.state is S.REQUESTED
    await sweep(stage, hours=2)
    assert (await stage.again(top_up)).state is S.EXPIRED
    assert await stage.ports.database.pool.fetchval("select count(*) from top_up_attempt") == 1


async def test_one_that_fails_stops_nobody(stage: Stage) -> None:
    people = [await stage.somebody() for _ in range(5)]
    top_ups = [await stage.started(actor, wallet) for actor, wallet in people]
    for top_up in top_ups:
        await stage.drive(top_up, "pay")
    stage.fault("server_error", call="core.status", order_id=order_of(top_ups[2]))
    stage.clock.turn(timedelta(minutes=1))
    found = await sweep_top_ups(stage.ports, stage.clock())
    assert [order_id for order_id, _ in found.failed] == [order_of(top_ups[2])]
    states = [(await stage.again(top_up)).state for top_up in top_ups]
    assert states == [S.SETTLED, S.SETTLED, S.PENDING, S.SETTLED, S.SETTLED]
    await sweep(stage, minutes=1)
    assert (await stage.again(top_ups[2])).state is S.SETTLED


async def test_sweeps_at_once_share_the_work(stage: Stage) -> None:
    made: list[TopUp] = []
    for _ in range(10):
        actor, wallet = await stage.somebody()
        made += [await stage.started(actor, wallet) for _ in range(3)]
    await stage.operate("DELETE", "/control/calls")
    stage.clock.turn(timedelta(minutes=1))
    found = await asyncio.gather(*(sweep_top_ups(stage.ports, stage.clock()) for _ in range(4)))
    assert sum(each.looked_at for each in found) == len(made)
    assert (await stage.calls())["core.status"] == len(made)


async def test_an_order_in_other_hands_is_passed_over(stage: Stage) -> None:
    taken = await stage.started(*await stage.somebody())
    free = await stage.started(*await stage.somebody())
    await stage.drive(free, "pay")
    async with stage.ports.work() as work:
        await work.top_ups.lock(taken.id)
        async with asyncio.timeout(PATIENCE_S):
            assert await sweep(stage, minutes=1) == 1
    assert (await stage.again(free)).state is S.SETTLED


async def test_holds_whose_time_has_passed_are_released(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    await stage.settled(actor, wallet)
    revenue = AccountKey("platform", Purpose.REVENUE, IDR)
    for hours in (1, 3):
        async with stage.ports.work() as work:
            await work.ledger.open(revenue)
            posting = Posting(Kind.HOSTING_CHARGE, owner_of(actor), revenue, rupiah(10_000))
            expires_at = stage.clock() + timedelta(hours=hours)
            await work.ledger.post(Transaction.hold(TransactionId(uuid7()), posting, expires_at=expires_at))
    stage.clock.turn(timedelta(hours=2))
    released = await asyncio.gather(*(expire_holds(stage.ports, stage.clock()) for _ in range(3)))
    assert sum(each.looked_at for each in released) == 1
    assert not any(each.failed for each in released)
    view = (await stage.ports.books.accounts_by_id([wallet]))[wallet]
    assert view.balance.held == 10_000_00
