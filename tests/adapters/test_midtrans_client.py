import json
from datetime import timedelta

import aiohttp
import pytest
from structlog.testing import capture_logs

from adapters.payments.midtrans import authorization, parse_notification, verify
from adapters.payments.midtrans_client import MidtransAccess, MidtransGateway
from domain.ids import uuid7
from domain.money import Currency, Money
from domain.wallet.gateway import (
    Gateway,
    GatewayRefusedError,
    GatewayUnavailableError,
    Method,
    PaymentState,
    TakenBack,
)
from tests.adapters.midtrans_sandbox import FIFTY, KEY, NEW_KEY, bench, listening_inbox


def rupiah(units: int) -> Money:
    return Money.whole(units, Currency.IDR)


async def test_is_the_gateway_that_the_domain_asks_for() -> None:
    gateway: Gateway = MidtransGateway(MidtransAccess("http://127.0.0.1:1", "http://127.0.0.1:1", KEY))
    assert gateway.name == "midtrans"


@pytest.mark.parametrize("method", Method)
async def test_a_payment_by_any_method(method: Method) -> None:
    async with bench() as at:
        page = await at.page("o-1", method)
        assert page.url.endswith(page.token)
        assert (await at.gateway.status("o-1")).state is PaymentState.UNKNOWN
        payment = at.sandbox.account.find("o-1")
        assert payment is not None
        at.sandbox.account.choose(payment)
        transaction_id = payment.transaction_id
        assert (await at.gateway.status("o-1", transaction_id=transaction_id)).state is PaymentState.PENDING
        at.sandbox.account.pay(payment)
        paid = await at.gateway.status("o-1", transaction_id=transaction_id)
        assert (paid.state, paid.order_id, paid.amount) == (PaymentState.PAID, "o-1", FIFTY)
        assert paid.occurred_at == at.clock().replace(microsecond=0)


async def test_dana_is_known_by_transaction_id_only() -> None:
    async with bench() as at:
        await at.page("o-1", Method.DANA)
        payment = at.sandbox.account.find("o-1")
        assert payment is not None
        at.sandbox.account.pay(payment)
        assert (await at.gateway.status("o-1")).state is PaymentState.UNKNOWN
        assert (await at.gateway.status("o-1", transaction_id=payment.transaction_id)).state is PaymentState.PAID


async def test_card_held_then_approved_or_denied() -> None:
    async with bench() as at:
        for order_id in ("o-1", "o-2"):
            await at.page(order_id, Method.CARD)
            await at.drive(order_id, "challenge")
            assert (await at.gateway.status(order_id)).state is PaymentState.CHALLENGED
        assert (await at.gateway.approve("o-1")).state is PaymentState.PAID
        assert (await at.gateway.deny("o-2")).state is PaymentState.DENIED
        with pytest.raises(GatewayRefusedError) as refused:
            await at.gateway.approve("o-2")
        assert refused.value.code == "412"


async def test_cancel_and_expire() -> None:
    async with bench() as at:
        for order_id in ("o-1", "o-2", "o-3"):
            await at.page(order_id)
        assert (await at.gateway.cancel("o-1")).state is PaymentState.UNKNOWN
        assert (await at.gateway.expire("o-1")).state is PaymentState.UNKNOWN
        await at.drive("o-2", "choose")
        assert (await at.gateway.cancel("o-2")).state is PaymentState.CANCELLED
        await at.drive("o-3", "choose")
        assert (await at.gateway.expire("o-3")).state is PaymentState.EXPIRED
        with pytest.raises(GatewayRefusedError):
            await at.gateway.cancel("o-3")


async def test_a_payment_expires_at_its_gateway_when_we_said_so() -> None:
    async with bench() as at:
        await at.page("o-1", lifetime=timedelta(minutes=20))
        await at.drive("o-1", "choose")
        at.clock.turn(timedelta(minutes=20, seconds=-1))
        assert (await at.gateway.status("o-1")).state is PaymentState.PENDING
        at.clock.turn(timedelta(seconds=1))
        assert (await at.gateway.status("o-1")).state is PaymentState.EXPIRED


async def test_refunds_in_parts_until_nothing_is_left() -> None:
    async with bench() as at:
        await at.page("o-1", Method.GOPAY)
        await at.drive("o-1", "pay")
        first = await at.gateway.refund("o-1", rupiah(20_000), key="r-1", reason="half")
        assert first.state is PaymentState.PARTIALLY_REFUNDED
        assert first.taken_back == (TakenBack("1", rupiah(20_000), final=False),)
        again = await at.gateway.refund("o-1", rupiah(20_000), key="r-1", reason="half")
        assert again.taken_back_total == rupiah(20_000)
        with pytest.raises(GatewayRefusedError, match="406"):
            await at.gateway.refund("o-1", rupiah(20_001), key="r-1", reason="other content")
        with pytest.raises(GatewayRefusedError, match="414"):
            await at.gateway.refund("o-1", rupiah(30_001), key="r-2", reason="too much")
        await at.gateway.refund("o-1", rupiah(30_000), key="r-2", reason="the rest")
        await at.drive("o-1", "confirm-refund")
        whole = await at.gateway.status("o-1")
        assert whole.state is PaymentState.REFUNDED
        assert whole.taken_back == (
            TakenBack("1", rupiah(20_000), final=True),
            TakenBack("2", rupiah(30_000), final=True),
        )


@pytest.mark.parametrize(
    ("method", "units", "code"),
    [
        (Method.BANK_TRANSFER, 50_000, "412"),
        (Method.CONVENIENCE_STORE, 50_000, "412"),
        (Method.OVO, 10_000, "414"),
        (Method.SHOPEEPAY, 10_000, "414"),
    ],
)
async def test_refunds_that_a_channel_does_not_do(method: Method, units: int, code: str) -> None:
    async with bench() as at:
        await at.page("o-1", method)
        await at.drive("o-1", "pay")
        with pytest.raises(GatewayRefusedError) as refused:
            await at.gateway.refund("o-1", rupiah(units), key="r-1", reason="")
        assert refused.value.code == code


async def test_verbs_on_a_payment_that_nobody_began_are_refused() -> None:
    async with bench() as at:
        for verb in (at.gateway.approve, at.gateway.deny):
            with pytest.raises(GatewayRefusedError, match="404"):
                await verb("nobody")
        with pytest.raises(GatewayRefusedError, match="404"):
            await at.gateway.refund("nobody", FIFTY, key="k", reason="")


async def test_chargebacks_are_cumulative() -> None:
    async with bench() as at:
        await at.page("o-1", Method.CARD)
        await at.drive("o-1", "pay")
        await at.drive("o-1", "chargeback", amount=20_000)
        part = await at.gateway.status("o-1")
        assert (part.state, part.taken_back_total) == (PaymentState.PARTIALLY_CHARGED_BACK, rupiah(20_000))
        await at.drive("o-1", "chargeback")
        whole = await at.gateway.status("o-1")
        assert (whole.state, whole.taken_back_total) == (PaymentState.CHARGED_BACK, FIFTY)
        assert whole.taken_back[-1].final
        assert whole.taken_back[-1].reference != part.taken_back[-1].reference


@pytest.mark.parametrize("too", [False, True])
async def test_notifications_go_where_we_say(too: bool) -> None:
    async with bench() as at, listening_inbox() as first, listening_inbox() as second:
        urls = (first.url, second.url)
        access = MidtransAccess(
            at.sandbox.url, at.sandbox.snap_url, KEY, notification_urls=urls, notify_dashboard_too=too
        )
        async with MidtransGateway(access, clock=at.clock) as gateway:
            await gateway.open_page(
                "o-1",
                FIFTY,
                Method.QRIS,
                request_key=uuid7(),
                expires_at=at.clock() + timedelta(hours=1),
                finish_url=None,
            )
        await at.drive("o-1", "choose")
        await first.holds(1)
        await second.holds(1)
        if too:
            await at.inbox.holds(1)
        assert len(at.inbox.bodies) == int(too)


async def test_notifications_are_verified_by_either_key_of_a_rotation() -> None:
    async with bench(server_keys=(KEY, NEW_KEY)) as at:
        await at.page("o-1")
        await at.drive("o-1", "choose")
        received = parse_notification((await at.inbox.holds(1))[0])
        assert verify(received, [NEW_KEY, KEY])
        assert not verify(received, [NEW_KEY])


async def test_logs_and_errors_hold_no_secret() -> None:
    async with bench() as at:
        with capture_logs() as logs:
            page = await at.page("o-1")
            at.fault("server_error", call="core.status")
            with pytest.raises(GatewayUnavailableError) as unavailable:
                await at.gateway.status("o-1")
        ours = [line for line in logs if str(line["event"]).startswith("midtrans")]
        assert [line["call"] for line in ours] == ["snap.create", "core.status"]
        written = json.dumps(logs) + str(unavailable.value) + repr(at.gateway.__dict__)
        for secret in (KEY, authorization(KEY).removeprefix("Basic "), page.token):
            assert secret not in written


async def test_a_session_that_was_lent_stays_open() -> None:
    async with bench() as at, aiohttp.ClientSession() as session:
        access = MidtransAccess(at.sandbox.url, at.sandbox.snap_url, KEY)
        async with MidtransGateway(access, session=session) as gateway:
            await gateway.status("o-1")
        assert not session.closed
