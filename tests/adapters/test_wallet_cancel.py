"""A top-up that was given up is ended at the gateway too, however often that has to be said."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.wallet.actions import cancel_top_up, sweep_top_ups
from domain.wallet.gateway import Method, PaymentState
from domain.wallet.model import TopUp, TopUpState
from tests.builders import FIFTY, Stage, order_of, owner_of, staged

CANCEL = "core.cancel"
LOST = {"call": CANCEL, "times": 1}


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[Stage]:
    async with staged(database) as stage:
        yield stage


async def chosen(stage: Stage, method: Method = Method.BANK_TRANSFER) -> tuple[Actor, TopUp]:
    """A top-up whose payer has chosen how to pay, which we know."""
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=method)
    await stage.drive(top_up, "choose")
    return actor, await stage.confirmed(top_up)


async def cancelled(stage: Stage, actor: Actor, top_up: TopUp) -> TopUp:
    found = await cancel_top_up(stage.ports, actor, top_up.id)
    assert isinstance(found, TopUp)
    assert found.state is TopUpState.CANCELLED
    return found


async def sweep(stage: Stage, **later: float) -> None:
    stage.clock.turn(timedelta(**later))
    assert not (await sweep_top_ups(stage.ports, stage.clock())).failed


def there(stage: Stage, top_up: TopUp) -> str:
    """What the gateway calls the payment's state."""
    payment = stage.sandbox.account.find(order_of(top_up))
    assert payment is not None
    return str(payment.state)


async def seen(stage: Stage, top_up: TopUp) -> PaymentState:
    order = await stage.ports.top_ups.order(order_of(top_up))
    assert order is not None
    return order.attempt.seen


async def test_a_repeat_tells_a_gateway_that_did_not_hear_and_then_no_more(stage: Stage) -> None:
    actor, top_up = await chosen(stage)
    stage.fault("server_error", **LOST)
    first = await cancelled(stage, actor, top_up)
    assert there(stage, top_up) == "pending"
    assert await cancelled(stage, actor, top_up) == first
    assert (there(stage, top_up), await seen(stage, top_up)) == ("cancel", PaymentState.CANCELLED)
    events, calls = await stage.events(), await stage.calls()
    assert await cancelled(stage, actor, top_up) == first
    assert (await stage.events(), await stage.calls()) == (events, calls)
    assert events.count("TopUpEnded") == 1


@pytest.mark.parametrize("fault", ["server_error", "error_after_work", "garbage", "refusal"])
async def test_sweeps_repeat_a_lost_call_until_the_gateway_says_that_it_has_ended(stage: Stage, fault: str) -> None:
    actor, top_up = await chosen(stage)
    stage.fault(fault, **LOST)
    await cancelled(stage, actor, top_up)
    if fault in {"server_error", "refusal"}:
        stage.fault("refusal", **LOST)
        await sweep(stage, minutes=2)
        assert there(stage, top_up) == "pending"
    await sweep(stage, hours=1)
    assert (there(stage, top_up), await seen(stage, top_up)) == ("cancel", PaymentState.CANCELLED)
    calls = (await stage.calls())[CANCEL]
    for _ in range(5):
        await sweep(stage, hours=1)
    assert (await stage.calls())[CANCEL] == calls
    assert (await stage.again(top_up)).state is TopUpState.CANCELLED


async def test_a_gateway_that_is_away_is_told_by_a_later_sweep(stage: Stage) -> None:
    actor, top_up = await chosen(stage)
    stage.fault("server_error", call=CANCEL, times=2)
    await cancelled(stage, actor, top_up)
    stage.clock.turn(timedelta(minutes=2))
    failed = (await sweep_top_ups(stage.ports, stage.clock())).failed
    assert [order_id for order_id, _ in failed] == [order_of(top_up)]
    await sweep(stage, hours=1)
    assert there(stage, top_up) == "cancel"


async def test_who_chooses_how_to_pay_after_giving_up_is_not_left_with_something_to_pay(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await cancelled(stage, actor, top_up)
    await stage.drive(top_up, "choose")
    await sweep(stage, minutes=1)
    assert there(stage, top_up) == "cancel"


async def test_what_was_paid_after_all_lands_and_is_not_voided(stage: Stage) -> None:
    actor, top_up = await chosen(stage, Method.CARD)
    stage.fault("server_error", **LOST)
    await cancelled(stage, actor, top_up)
    await stage.drive(top_up, "capture")
    await sweep(stage, minutes=1)
    assert (await stage.again(top_up)).credited == FIFTY
    assert (there(stage, top_up), await stage.balance(owner_of(actor))) == ("capture", 50_000)


async def test_a_held_payment_that_was_given_up_does_not_come_back(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.CARD)
    await stage.drive(top_up, "challenge")
    assert (await stage.confirmed(top_up)).state is TopUpState.CHALLENGED
    stage.fault("server_error", **LOST)
    await cancelled(stage, actor, top_up)
    assert (await stage.confirmed(top_up)).state is TopUpState.CANCELLED
    await sweep(stage, minutes=1)
    assert (there(stage, top_up), (await stage.again(top_up)).state) == ("cancel", TopUpState.CANCELLED)


async def test_nobody_elses_payment_is_ended(stage: Stage) -> None:
    actor, top_up = await chosen(stage)
    await stage.settled(actor, top_up.wallet)
    for _ in range(5):
        await sweep(stage, minutes=10)
    assert there(stage, top_up) == "pending"
    assert not (await stage.calls())[CANCEL]
