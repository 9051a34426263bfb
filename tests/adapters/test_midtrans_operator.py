from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.sandbox.midtrans import SandboxSettings, running_sandbox
from adapters.sandbox.midtrans.payments import NEXT, Act, State
from domain.wallet.gateway import GatewayUnavailableError
from tests.adapters.midtrans_sandbox import KEY, Bench, Official, TurnedClock, bench


@pytest.fixture
async def at() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


async def test_counts_calls(at: Bench) -> None:
    await at.page("o-1")
    await at.gateway.status("o-1")
    await at.gateway.status("o-1")
    assert await at.operate("GET", "/control/calls") == (200, {"snap.create": 1, "core.status": 2})
    assert (await at.operate("DELETE", "/control/calls"))[0] == 204
    assert await at.operate("GET", "/control/calls") == (200, {})


async def test_orders_and_clears_faults(at: Bench) -> None:
    status, _ = await at.operate("POST", "/control/faults", {"kind": "server_error", "times": 2, "call": "core.status"})
    assert status == 201
    with pytest.raises(GatewayUnavailableError):
        await at.gateway.status("o-1")
    _, coming = await at.operate("GET", "/control/faults")
    assert [(fault["kind"], fault["times"]) for fault in coming] == [("server_error", 1)]
    await at.operate("DELETE", "/control/faults")
    await at.gateway.status("o-1")


@pytest.mark.parametrize("wish", [{}, {"kind": "earthquake"}, {"kind": "lost", "x": 1}, {"kind": "lost", "times": "x"}])
async def test_refuses_faults_that_make_no_sense(at: Bench, wish: dict[str, object]) -> None:
    assert (await at.operate("POST", "/control/faults", wish))[0] == 400


async def test_faults_may_be_meant_for_one_order(at: Bench) -> None:
    at.fault("server_error", order_id="o-2")
    await at.page("o-1")
    with pytest.raises(GatewayUnavailableError):
        await at.page("o-2")


async def test_shows_payments_and_deliveries(at: Bench) -> None:
    await at.page("o-1")
    await at.drive("o-1", "pay")
    await at.inbox.holds(2)
    _, shown = await at.operate("GET", "/control/payments")
    assert [(payment["order_id"], payment["state"]) for payment in shown] == [("o-1", "settlement")]
    assert (await at.operate("GET", "/control/payments/o-1"))[1] == shown[0]
    _, deliveries = await at.operate("GET", "/control/deliveries")
    assert [tried["transaction_status"] for tried in deliveries["tries"]][:1] == ["pending"]


@pytest.mark.parametrize(
    ("path", "wish", "status"),
    [
        ("/control/payments/nobody/pay", {}, 404),
        ("/control/payments/o-1/rob", {}, 404),
        ("/control/payments/o-1/refund", {}, 409),
        ("/control/payments/o-1/confirm-refund", {}, 409),
        ("/control/payments/o-1/pay", {"amount": "x"}, 400),
        ("/control/payments/o-1/choose", {"channel": 1}, 400),
        ("/control/payments/o-1/choose", {"channel": "kredivo"}, 409),
    ],
)
async def test_nonsense(at: Bench, path: str, wish: dict[str, object], status: int) -> None:
    await at.page("o-1")
    assert (await at.operate("POST", path, wish))[0] == status


@pytest.mark.parametrize(("state", "act"), NEXT)
def test_every_turn_starts_somewhere_reachable(state: State, act: Act) -> None:
    assert state is State.NEW or state in NEXT.values()
    assert act in Act


async def test_payments_outlive_a_restart(tmp_path: Path) -> None:
    settings = SandboxSettings(server_keys=(KEY,), state_file=tmp_path / "payments.json")
    clock = TurnedClock()
    async with running_sandbox(settings, clock=clock) as sandbox:
        official = Official(sandbox)
        await official.create("o-1", enabled_payments=["gopay"])
        await official.create("o-2")
        payment = sandbox.account.find("o-1")
        assert payment is not None
        sandbox.account.pay(payment)
        sandbox.account.refund(payment, 10_000, "r-1", "")
        before = list(sandbox.account)
    async with running_sandbox(settings, clock=clock) as sandbox:
        assert list(sandbox.account) == before
