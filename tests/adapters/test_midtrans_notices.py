import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.payments.midtrans import parse_notification, verify
from adapters.sandbox.midtrans.schedule import DELAYS, retry_delay
from domain.wallet.gateway import Method
from tests.adapters.midtrans_sandbox import KEY, Bench, bench


@pytest.fixture
async def at() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


RETRIES = [
    (200, []),
    (202, []),
    (299, []),
    (301, []),
    (302, []),
    (303, []),
    (400, DELAYS[:2]),
    (404, DELAYS[:2]),
    (500, DELAYS[:1]),
    (503, DELAYS[:4]),
    (403, DELAYS),
    (418, DELAYS),
    (502, DELAYS),
    (None, DELAYS),
]


@pytest.mark.parametrize(("status", "delays"), RETRIES, ids=str)
def test_schedule(status: int | None, delays: list[timedelta]) -> None:
    waits = [retry_delay(status, attempt) for attempt in range(1, 8)]
    assert waits == [*delays, *[None] * (7 - len(delays))]


def test_delays_as_documented() -> None:
    assert [delay.total_seconds() / 60 for delay in DELAYS] == [2, 10, 30, 90, 210]


@pytest.mark.parametrize(("status", "tries"), [(500, 2), (503, 5), (404, 3), (302, 1), (403, 6)])
async def test_are_tried_again(status: int, tries: int) -> None:
    async with bench(answers=[status] * 10) as at:
        await at.page("o-1")
        await at.drive("o-1", "choose")
        notifier = at.sandbox.account.notifier
        await notifier.drained()
        assert len(at.inbox.bodies) == tries
        assert len(set(at.inbox.bodies)) == 1
        assert at.waits == [delay.total_seconds() for delay in DELAYS[: tries - 1]]
        tried = [(delivery.attempt, delivery.status) for delivery in notifier.deliveries]
        assert tried == [(attempt, status) for attempt in range(1, tries + 1)]


async def test_the_latest_answer_decides_about_the_next_try() -> None:
    async with bench(answers=[503, 503, 500, 503]) as at:
        await at.page("o-1")
        await at.drive("o-1", "choose")
        await at.sandbox.account.notifier.drained()
        assert at.waits == [120, 600]


async def test_nobody_listens() -> None:
    async with bench() as at:
        at.sandbox.account.settings = replace(at.sandbox.account.settings, notification_url="http://127.0.0.1:1/")
        await at.page("o-1")
        await at.drive("o-1", "choose")
        await at.sandbox.account.notifier.drained()
        assert [delivery.status for delivery in at.sandbox.account.notifier.deliveries] == [None] * 6


@pytest.mark.parametrize("status", [307, 308])
async def test_follow_a_redirect_that_keeps_the_post(status: int) -> None:
    async with bench(answers=[status]) as at:
        at.inbox.location = "/moved"
        await at.page("o-1")
        await at.drive("o-1", "choose")
        first, second = await at.inbox.holds(2)
        assert first == second
        assert at.waits == []


async def test_follow_no_more_than_five() -> None:
    async with bench(answers=[307] * 12) as at:
        at.inbox.location = "/moved"
        await at.page("o-1")
        await at.drive("o-1", "choose")
        await at.inbox.holds(7)
        assert at.waits[0] == 120


async def test_are_signed_and_in_order(at: Bench) -> None:
    await at.page("o-1", Method.CARD)
    await at.drive("o-1", "pay")
    told = [parse_notification(body) for body in await at.inbox.holds(3)]
    assert all(verify(notification, [KEY]) for notification in told)
    assert [notification.raw["transaction_status"] for notification in told] == ["pending", "capture", "settlement"]


async def test_wait_for_the_answer_to_the_one_before(at: Bench) -> None:
    at.inbox.gate = asyncio.Event()
    await at.page("o-1")
    await at.drive("o-1", "pay")
    await at.inbox.holds(1)
    for _ in range(5):
        await at.gateway.status("o-1")
    assert len(at.inbox.bodies) == 1
    at.inbox.gate.set()
    await at.inbox.holds(2)


async def test_bad_signature(at: Bench) -> None:
    at.fault("bad_signature")
    await at.page("o-1")
    await at.drive("o-1", "pay")
    told = [parse_notification(body) for body in await at.inbox.holds(2)]
    assert [verify(notification, [KEY]) for notification in told] == [False, True]


async def test_duplicates(at: Bench) -> None:
    await at.page("o-1")
    await at.drive("o-1", "choose")
    await at.inbox.holds(1)
    at.fault("duplicate", copies=4)
    await at.drive("o-1", "settle")
    assert len(set((await at.inbox.holds(5))[1:])) == 1


async def test_out_of_order(at: Bench) -> None:
    at.fault("out_of_order", order_id="o-1")
    await at.page("o-1")
    await at.drive("o-1", "pay")
    told = [json.loads(body)["transaction_status"] for body in await at.inbox.holds(2)]
    assert told == ["settlement", "pending"]


async def test_what_was_held_back_can_be_let_go(at: Bench) -> None:
    at.fault("out_of_order")
    await at.page("o-1")
    await at.drive("o-1", "choose")
    await at.drive("o-1", "release")
    await at.inbox.holds(1)


async def test_lost(at: Bench) -> None:
    at.fault("lost")
    await at.page("o-1")
    await at.drive("o-1", "pay")
    assert json.loads((await at.inbox.holds(1))[0])["transaction_status"] == "settlement"


async def test_refunds_are_told_twice(at: Bench) -> None:
    await at.page("o-1", Method.GOPAY)
    await at.drive("o-1", "pay")
    await at.drive("o-1", "refund", amount=10_000)
    await at.drive("o-1", "confirm-refund")
    first, second = (json.loads(body)["refunds"][0] for body in (await at.inbox.holds(4))[2:])
    assert "bank_confirmed_at" not in first
    assert second == {**first, "bank_confirmed_at": "2026-11-21 10:00:00"}


async def test_an_expired_payment_is_told(at: Bench) -> None:
    await at.page("o-1", lifetime=timedelta(minutes=10))
    await at.drive("o-1", "choose")
    at.clock.turn(timedelta(minutes=10))
    await at.gateway.status("o-1")
    told = json.loads((await at.inbox.holds(2))[1])
    assert (told["transaction_status"], told["status_code"]) == ("expire", "202")
    assert verify(parse_notification(at.inbox.bodies[1]), [KEY])
