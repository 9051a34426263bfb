"""What makes nothing depend on a notification's arrival, or on a process that lived to the end of what it began."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from domain.ids import TransactionId, derived
from domain.ledger.model import Transaction
from domain.wallet.confirm import confirm_top_up, end_at_gateway
from domain.wallet.effects import CHECK_DELAYS_S, ON_ITS_WAY
from domain.wallet.gateway import GatewayRefusedError
from domain.wallet.model import TopUpState
from domain.wallet.pages import open_page
from domain.wallet.ports import WalletPorts
from domain.work import Swept

_AT_ONCE = 8
_BATCH = 64
_MOST_BATCHES = 50
_DELAYS = tuple(timedelta(seconds=delay) for delay in CHECK_DELAYS_S)


async def sweep_top_ups(ports: WalletPorts, now: datetime) -> Swept:
    """Ask about every order whose time has come, and do for it what a process left undone.

    A top-up without a page gets one; of one that was given up, the gateway ends what is still on its way. Its
    door: the schedule; many may run at once. One that fails stops nobody and is put off.
    """
    sweep, gate = Swept(), asyncio.Semaphore(_AT_ONCE)

    async def look(order_id: str) -> None:
        async with gate:
            try:
                await _look(ports, order_id, now)
            except Exception as error:  # noqa: BLE001  # one order's trouble, even a bug of ours, must not stop the others
                sweep.failed.append((order_id, error))

    for _ in range(_MOST_BATCHES):
        async with ports.work() as work:
            due = await work.top_ups.claim_due(now, _BATCH, _DELAYS)
        await asyncio.gather(*(look(order_id) for order_id in due))
        sweep.looked_at += len(due)
        if len(due) < _BATCH:
            break
    return sweep


async def _look(ports: WalletPorts, order_id: str, now: datetime) -> None:
    order = await ports.top_ups.order(order_id)
    if order is not None and order.top_up.state is TopUpState.REQUESTED and now < order.top_up.expires_at:
        await open_page(ports, order.top_up.id)
        return
    top_up = await confirm_top_up(ports, order_id)
    if top_up is not None and top_up.state is TopUpState.CANCELLED:
        await _end(ports, order_id)


async def _end(ports: WalletPorts, order_id: str) -> None:
    """Tell the gateway again that a top-up was given up, should it not have heard, or its payer have gone on paying."""
    order = await ports.top_ups.order(order_id)
    if order is not None and order.attempt.seen in ON_ITS_WAY and order.attempt.received is None:
        with suppress(GatewayRefusedError):  # it has gone on meanwhile: the next look tells where to
            await end_at_gateway(ports, order)


async def expire_holds(ports: WalletPorts, now: datetime) -> Swept:
    """Release every hold whose time has passed. Its door: the schedule; many may run at once."""
    sweep = Swept()
    for _ in range(_MOST_BATCHES):
        holds = await ports.books.expired_holds(now, _BATCH)
        released = [await _release(ports, hold, sweep) for hold in holds]
        sweep.looked_at += sum(released)
        if len(holds) < _BATCH or not any(released):
            break
    return sweep


async def _release(ports: WalletPorts, hold: TransactionId, sweep: Swept) -> bool:
    """Release a hold; False if it could not be, or another did so first."""
    expiry = Transaction.expire(TransactionId(derived("hold:expiry", str(hold))), hold)
    try:
        async with ports.work() as work:
            outcome = await work.ledger.post(expiry)
    except Exception as error:  # noqa: BLE001  # one hold's trouble must not keep the others
        sweep.failed.append((str(hold), error))
        return False
    return outcome.posted and not outcome.replayed
