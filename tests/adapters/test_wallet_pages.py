"""Getting the page to pay on: replays in flight, time-outs, crashes, a gateway that is away or refuses."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.payments.midtrans_client import MidtransAccess, MidtransGateway
from domain.errors import UnavailableError
from domain.money import Money
from domain.wallet import model
from domain.wallet.actions import start_top_up
from domain.wallet.gateway import GatewayUnavailableError, Method, PaymentPage
from domain.wallet.model import TopUp, TopUpState
from domain.wallet.policy import TopUpPolicy
from tests.builders import FIFTY, Stage, order_of, owner_of, rupiah, staged

BANK = Method.BANK_TRANSFER


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[Stage]:
    async with staged(database) as stage:
        yield stage


async def test_a_replay_in_flight_answers_the_intent_without_a_page(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    slow = _Slow(stage)
    ports = stage.with_gateway(slow)
    first = asyncio.create_task(start_top_up(ports, actor, wallet, FIFTY, BANK, "key"))
    await slow.asked.wait()
    replay = await start_top_up(ports, actor, wallet, FIFTY, BANK, "key")
    assert isinstance(replay, TopUp)
    assert (replay.state, replay.redirect_url) == (TopUpState.REQUESTED, None)
    slow.go.set()
    opened = await first
    assert isinstance(opened, TopUp)
    again = await start_top_up(ports, actor, wallet, FIFTY, BANK, "key")
    assert again == opened
    assert (await stage.calls())["snap.create"] == 1


class _Wrapped:
    """The real gateway but for opening pages."""

    name = "midtrans"

    def __init__(self, stage: Stage) -> None:
        gateway = stage.gateway
        self._open = gateway.open_page
        self.status, self.cancel, self.expire = gateway.status, gateway.cancel, gateway.expire
        self.refund, self.approve, self.deny = gateway.refund, gateway.approve, gateway.deny

    async def open_page(
        self, order_id: str, amount: Money, method: Method, *, request_key: UUID, expires_at: datetime,
        finish_url: str | None,
    ) -> PaymentPage:  # fmt: skip
        return await self._open(
            order_id, amount, method, request_key=request_key, expires_at=expires_at, finish_url=finish_url
        )


class _Slow(_Wrapped):
    """Opens pages only when told to."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def open_page(
        self, order_id: str, amount: Money, method: Method, *, request_key: UUID, expires_at: datetime,
        finish_url: str | None,
    ) -> PaymentPage:  # fmt: skip
        self.asked.set()
        await self.go.wait()
        return await super().open_page(
            order_id, amount, method, request_key=request_key, expires_at=expires_at, finish_url=finish_url
        )


class _Dies(_Wrapped):
    """Ends the caller before or after the page is opened, as a crash would."""

    def __init__(self, stage: Stage, when: str) -> None:
        super().__init__(stage)
        self._when = when

    async def open_page(
        self, order_id: str, amount: Money, method: Method, *, request_key: UUID, expires_at: datetime,
        finish_url: str | None,
    ) -> PaymentPage:  # fmt: skip
        if self._when == "after":
            await super().open_page(
                order_id, amount, method, request_key=request_key, expires_at=expires_at, finish_url=finish_url
            )
        raise _CrashError


class _CrashError(BaseException):
    pass


@pytest.mark.parametrize("when", ["before", "after"])
async def test_after_a_crash_the_same_key_opens_the_page(stage: Stage, when: str) -> None:
    actor, wallet = await stage.somebody()
    with pytest.raises(_CrashError):
        await start_top_up(stage.with_gateway(_Dies(stage, when)), actor, wallet, FIFTY, BANK, "key")
    left = await stage.started(actor, wallet, key="key")
    assert left.redirect_url is None
    stage.clock.turn(stage.ports.policy.asking)
    opened = await stage.started(actor, wallet, key="key")
    assert (opened.id, opened.state) == (left.id, TopUpState.PENDING)
    assert opened.redirect_url is not None
    assert len(list(stage.sandbox.account)) == 1


async def test_a_time_out_is_repeated_with_the_same_key(database: DatabaseAddresses) -> None:
    async with staged(database, timeout_s=0.3) as stage:
        actor, wallet = await stage.somebody()
        stage.fault("time_out", call="snap.create")
        top_up = await stage.started(actor, wallet)
        (payment,) = stage.sandbox.account
        assert top_up.redirect_url is not None
        assert top_up.redirect_url.endswith(payment.token)
        assert (await stage.calls())["snap.create"] == 2


@pytest.mark.parametrize("fault", ["error_after_work", "garbage", "huge_answer"])
async def test_whatever_answer_gets_lost_the_repeat_finds_the_same_page(stage: Stage, fault: str) -> None:
    actor, wallet = await stage.somebody()
    stage.fault(fault, call="snap.create")
    top_up = await stage.started(actor, wallet)
    assert top_up.state is TopUpState.PENDING
    assert len(list(stage.sandbox.account)) == 1


async def test_an_uncertain_request_becomes_a_new_attempt_and_both_stay_creditable(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    stage.fault("error_after_work", call="snap.create", times=2)
    with pytest.raises(UnavailableError):
        await start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "key")
    stage.clock.turn(timedelta(minutes=6))
    top_up = await stage.started(actor, wallet, key="key")
    assert top_up.state is TopUpState.PENDING
    assert [payment.order_id for payment in stage.sandbox.account] == [order_of(top_up), order_of(top_up, 2)]
    assert (await stage.calls())["snap.create"] == 3, "the old request is not sent under a key that was forgotten"
    await stage.drive(top_up, "pay", 1)
    await stage.drive(top_up, "pay", 2)
    assert (await stage.confirmed(top_up, 1)).state is TopUpState.SETTLED
    assert (await stage.confirmed(top_up, 2)).credited == rupiah(100_000)
    assert await stage.balance(owner_of(actor)) == 100_000


async def test_an_order_that_is_taken_is_followed_by_another(database: DatabaseAddresses) -> None:
    """The gateway forgot our key sooner than we thought, and refuses the order as taken."""
    async with staged(database, policy=TopUpPolicy(same_request=timedelta(minutes=10))) as stage:
        actor, wallet = await stage.somebody()
        stage.fault("error_after_work", call="snap.create", times=2)
        with pytest.raises(UnavailableError):
            await start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "key")
        stage.clock.turn(timedelta(minutes=6))
        top_up = await stage.started(actor, wallet, key="key")
        assert [payment.order_id for payment in stage.sandbox.account] == [order_of(top_up), order_of(top_up, 2)]
        assert top_up.state is TopUpState.PENDING


async def test_a_gateway_that_is_away_leaves_the_intent_and_the_same_key_goes_on(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    away = _Away(stage)
    with pytest.raises(UnavailableError):
        await start_top_up(stage.with_gateway(away), actor, wallet, FIFTY, BANK, "key")
    assert away.asked == 1
    stage.clock.turn(timedelta(minutes=30))
    top_up = await stage.started(actor, wallet, key="key")
    assert [payment.order_id for payment in stage.sandbox.account] == [order_of(top_up)]


class _Away(_Wrapped):
    """Cannot be reached: what was asked certainly never arrived."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.asked = 0

    async def open_page(
        self, order_id: str, amount: Money, method: Method, *, request_key: UUID, expires_at: datetime,
        finish_url: str | None,
    ) -> PaymentPage:  # fmt: skip
        self.asked += 1
        raise GatewayUnavailableError("nobody there", uncertain=False)


async def test_a_refusal_by_the_gateway_fails_the_top_up(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    stage.fault("refusal", call="snap.create")
    found = await start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "key")
    assert await start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "key") == found
    assert isinstance(found, model.GatewayRefused)
    assert found.message == "The gateway declined to open a page.", "its own words are for the log"
    (top_up,) = await stage.ports.top_ups.top_ups_of([actor.person], after=None, first=10)
    assert top_up.state is TopUpState.FAILED
    assert await stage.events() == ["TopUpStarted", "TopUpEnded"]
    assert await stage.journal() == 0


async def test_a_wrong_key_of_ours_fails_no_top_up_and_burns_no_key(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    access = MidtransAccess(stage.sandbox.url, stage.sandbox.snap_url, "a key that Midtrans does not know")
    async with MidtransGateway(access, clock=stage.clock) as stranger:
        ports = stage.with_gateway(stranger)
        for _ in range(2):
            with pytest.raises(UnavailableError):
                await start_top_up(ports, actor, wallet, FIFTY, BANK, "key")
        (top_up,) = await stage.ports.top_ups.top_ups_of([actor.person], after=None, first=10)
        assert top_up.state is TopUpState.REQUESTED
    stage.clock.turn(timedelta(minutes=30))
    opened = await stage.started(actor, wallet, key="key")
    assert (opened.id, opened.state) == (top_up.id, TopUpState.PENDING)
    assert [payment.order_id for payment in stage.sandbox.account] == [order_of(top_up)], "the first order goes on"
