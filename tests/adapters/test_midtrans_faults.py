import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from adapters.breaker import Breaker
from adapters.payments.midtrans_client import MidtransAccess, MidtransGateway
from domain.ids import uuid7
from domain.money import Currency, Money
from domain.wallet.gateway import (
    GatewayAnswerError,
    GatewayRefusedError,
    GatewayUnavailableError,
    Method,
    PaymentState,
)
from tests.adapters.midtrans_sandbox import FIFTY, KEY, answering, bench


async def open_at(url: str) -> None:
    async with MidtransGateway(MidtransAccess(url, f"{url}/snap/v1", KEY)) as gateway:
        await gateway.open_page(
            "o-1",
            FIFTY,
            Method.QRIS,
            request_key=uuid7(),
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            finish_url=None,
        )


async def test_a_create_whose_answer_is_lost_is_repeated_with_its_key() -> None:
    async with bench(timeout_s=0.3) as at:
        at.fault("time_out", call="snap.create")
        key = uuid7()
        with pytest.raises(GatewayUnavailableError) as lost:
            await at.page("o-1", request_key=key)
        assert lost.value.uncertain
        page = await at.page("o-1", request_key=key)
        payment = at.sandbox.account.find("o-1")
        assert payment is not None
        assert page.token == payment.token
        at.clock.turn(timedelta(minutes=5))
        with pytest.raises(GatewayRefusedError, match="order_id"):
            await at.page("o-1", request_key=key)
        assert at.sandbox.account.calls["snap.create"] == 3


async def test_a_create_in_flight_is_asked_again() -> None:
    async with bench() as at:
        begun, gate, key = asyncio.Event(), asyncio.Event(), uuid7()

        async def wait_for_gate(_: float) -> None:
            begun.set()
            await gate.wait()

        async def open_gate(_: float) -> None:
            gate.set()
            await first

        at.sandbox.account.sleep = wait_for_gate
        at.fault("delay", call="snap.create")
        first = asyncio.create_task(at.page("o-1", request_key=key))
        await begun.wait()
        access = MidtransAccess(at.sandbox.url, at.sandbox.snap_url, KEY)
        async with MidtransGateway(access, clock=at.clock, sleep=open_gate) as other:
            second = await other.open_page(
                "o-1", FIFTY, Method.QRIS, request_key=key, expires_at=at.clock() + timedelta(hours=1), finish_url=None
            )
        assert second == await first
        assert at.sandbox.account.calls["snap.create"] == 3


async def test_a_create_that_stays_in_flight_is_left_uncertain() -> None:
    async with answering(202, b'{"status_code":"202"}') as url:
        waits: list[float] = []

        async def wait(seconds: float) -> None:
            waits.append(seconds)
            await asyncio.sleep(0)

        gateway = MidtransGateway(MidtransAccess(url, url, KEY), sleep=wait, in_flight_pauses_s=(0.1, 0.2))
        async with gateway:
            with pytest.raises(GatewayUnavailableError) as unavailable:
                await gateway.open_page(
                    "o-1",
                    FIFTY,
                    Method.QRIS,
                    request_key=uuid7(),
                    expires_at=datetime.now(UTC) + timedelta(hours=1),
                    finish_url=None,
                )
        assert unavailable.value.uncertain
        assert waits == [0.1, 0.2]


@pytest.mark.parametrize(
    ("kind", "uncertain", "done"),
    [("server_error", True, False), ("error_after_work", True, True), ("rate_limit", False, False)],
)
async def test_failures_say_whether_it_may_have_been_done(kind: str, uncertain: bool, done: bool) -> None:
    async with bench() as at:
        at.fault(kind, call="snap.create")
        with pytest.raises(GatewayUnavailableError) as unavailable:
            await at.page("o-1")
        assert unavailable.value.uncertain is uncertain
        assert (at.sandbox.account.find("o-1") is not None) is done


async def test_a_failed_question_is_never_uncertain() -> None:
    async with bench(timeout_s=0.3) as at:
        for kind in ("server_error", "time_out"):
            at.fault(kind, call="core.status")
            with pytest.raises(GatewayUnavailableError) as unavailable:
                await at.gateway.status("o-1")
            assert not unavailable.value.uncertain


async def test_a_refused_connection_was_never_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(GatewayUnavailableError) as unavailable:
        await open_at(f"http://127.0.0.1:{port}")
    assert not unavailable.value.uncertain


async def test_a_connection_cut_in_the_middle_is_uncertain() -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(GatewayUnavailableError) as unavailable:
            await open_at(f"http://127.0.0.1:{port}")
    assert unavailable.value.uncertain


@pytest.mark.parametrize("kind", ["garbage", "huge_answer"])
async def test_an_unreadable_answer(kind: str) -> None:
    async with bench() as at:
        at.fault(kind, call="snap.create")
        with pytest.raises(GatewayAnswerError):
            await at.page("o-1")


async def test_unreadable_answers_about_one_order_keep_nobody_from_asking_about_others() -> None:
    async with bench() as at:
        await at.page("o-1")
        at.fault("garbage", call="core.status", times=10)
        for _ in range(10):
            with pytest.raises(GatewayAnswerError):
                await at.gateway.status("o-1")
        assert (await at.gateway.status("o-1")).state is PaymentState.UNKNOWN


async def test_redirects_are_not_followed() -> None:
    async with answering(302, b"{}") as url:
        with pytest.raises(GatewayAnswerError):
            await open_at(url)


async def test_a_stale_status_is_told_as_it_is() -> None:
    async with bench() as at:
        await at.page("o-1", Method.QRIS)
        await at.drive("o-1", "pay")
        at.fault("stale_status", times=2)
        told = [(await at.gateway.status("o-1")).state for _ in range(3)]
        assert told == [PaymentState.PENDING, PaymentState.PENDING, PaymentState.PAID]


async def test_another_amount_than_asked_is_stated() -> None:
    async with bench() as at:
        await at.page("o-1", Method.QRIS)
        await at.drive("o-1", "pay", amount=49_000)
        assert (await at.gateway.status("o-1")).amount == Money.whole(49_000, Currency.IDR)


async def test_a_wrong_key_is_ours_to_mend_and_told_as_an_error() -> None:
    async with bench() as at:
        access = MidtransAccess(at.sandbox.url, at.sandbox.snap_url, "another")
        async with MidtransGateway(access) as gateway:
            with capture_logs() as logs, pytest.raises(GatewayUnavailableError, match="401") as unavailable:
                await gateway.status("o-1")
    assert not unavailable.value.uncertain
    told = [(line["event"], line["code"], line["reason"]) for line in logs if line["log_level"] == "error"]
    assert told == [("midtrans_misconfigured", 401, "unknown server key")]


async def test_a_channel_that_is_not_enabled_keeps_nobody_from_using_others() -> None:
    async with answering(200, b'{"status_code":"402","status_message":"not enabled"}') as url:
        gateway = MidtransGateway(MidtransAccess(url, url, KEY), breaker=lambda: Breaker(failures=1))
        async with gateway:
            for _ in range(2):
                with pytest.raises(GatewayUnavailableError, match="not enabled"):
                    await gateway.status("o-1")


async def test_a_refusal_on_request_does_nothing() -> None:
    async with bench() as at:
        at.fault("refusal", call="snap.create")
        with pytest.raises(GatewayRefusedError, match="400"):
            await at.page("o-1")
        assert at.sandbox.account.find("o-1") is None
        await at.page("o-1")


async def test_after_failures_midtrans_is_left_alone_host_by_host() -> None:
    async with bench() as at:
        seconds = [0.0]
        access = MidtransAccess(at.sandbox.url, at.sandbox.snap_url, KEY)
        gateway = MidtransGateway(
            access, breaker=lambda: Breaker(failures=2, cool_down_s=5, clock=lambda: seconds[0]), clock=at.clock
        )
        async with gateway:
            at.fault("server_error", call="core.status", times=2)
            for _ in range(2):
                with pytest.raises(GatewayUnavailableError):
                    await gateway.status("o-1")
            with pytest.raises(GatewayUnavailableError, match="alone") as left_alone:
                await gateway.cancel("o-1")
            assert not left_alone.value.uncertain
            assert at.sandbox.account.calls == {"core.status": 2}
            await gateway.open_page(
                "o-1",
                FIFTY,
                Method.QRIS,
                request_key=uuid7(),
                expires_at=at.clock() + timedelta(hours=1),
                finish_url=None,
            )
            seconds[0] = 5
            assert (await gateway.status("o-1")).state is PaymentState.UNKNOWN
