"""The one path that moves the money of top-ups: ask the gateway how a payment stands, and record what is new."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from domain.errors import ConflictError
from domain.ids import derived
from domain.ledger.model import AccountKey, Code, Posting
from domain.wallet.effects import VOID, Effects, effects, next_check_s, seconds_until, waits
from domain.wallet.events import ReceivableOpened
from domain.wallet.gateway import Gateway, GatewayAnswerError, PaymentState, PaymentStatus
from domain.wallet.model import Order, TopUp
from domain.wallet.ports import WalletPorts, WalletWork
from domain.wallet.postings import charged, receivable, settlement

_ROUNDS = 4


class _RefusedByLedgerError(Exception):
    """The ledger declines; leaving the unit of work by it keeps the transaction's id from being burnt."""

    def __init__(self, code: Code, accounts: frozenset[AccountKey]) -> None:
        super().__init__(code)
        self.code = code
        self.accounts = accounts


async def confirm_top_up(ports: WalletPorts, order_id: str, *, transaction_id: str | None = None) -> TopUp | None:
    """Ask the gateway about an order and do what its answer says, once. None if the order is not ours.

    Its doors: the webhook (with the gateway's own `transaction_id`, which some methods must be asked by), the sweep,
    staff. Raises `UnavailableError` while the gateway does not answer, `ConflictError` if others keep getting ahead.
    """
    for _ in range(_ROUNDS):
        order = await ports.top_ups.order(order_id)
        if order is None:
            return None
        status = await _ask(ports.gateways[order.top_up.gateway], order, transaction_id)
        recorded = await _record(ports, order, status)
        if recorded is not None:
            return recorded
    raise ConflictError(f"order {order_id} is being confirmed by others")


async def end_at_gateway(ports: WalletPorts, order: Order) -> None:
    """Have the gateway end a payment of a top-up that was given up, and record that it has, so that nobody asks again.

    Its doors: the cancellation, its repeats, the sweep. Before a payer has chosen how to pay there is nothing to end.
    Raises the gateway's errors, `GatewayRefusedError` among them where the payment has gone too far.
    """
    order_id = order.attempt.order_id
    status = await ports.gateways[order.top_up.gateway].cancel(order_id)
    if status.state in VOID and status.order_id == order_id:
        await _record(ports, order, status)


async def _ask(gateway: Gateway, order: Order, transaction_id: str | None) -> PaymentStatus:
    """The gateway's answer about this very order. Raises `GatewayAnswerError` when it speaks of another."""
    order_id = order.attempt.order_id
    status = await gateway.status(order_id)
    known_as = order.attempt.transaction_id or transaction_id
    if status.state is PaymentState.UNKNOWN and known_as:
        status = await gateway.status(order_id, transaction_id=known_as)
    if status.order_id != order_id:
        raise GatewayAnswerError(f"asked about order {order_id}, the gateway spoke of {status.order_id[:60]!r}")
    return status


async def _record(ports: WalletPorts, order: Order, status: PaymentStatus) -> TopUp | None:
    """Record an answer. None if something else was recorded since it was asked for: it may be old, so ask again."""
    to_wallet = True
    for _ in range(_ROUNDS):
        try:
            return await _record_once(ports, order, status, to_wallet=to_wallet)
        except _RefusedByLedgerError as refused:
            if refused.code is Code.UNKNOWN_ACCOUNT:
                await _open_platform(ports, refused.accounts)
            elif to_wallet:
                to_wallet = False
            else:
                raise ConflictError(f"the ledger refuses order {order.attempt.order_id}: {refused.code}") from refused
    raise ConflictError(f"the ledger does not take order {order.attempt.order_id}")


async def _record_once(ports: WalletPorts, order: Order, status: PaymentStatus, *, to_wallet: bool) -> TopUp | None:
    async with ports.work() as work:
        await work.top_ups.lock_payer(order.top_up.person)
        kept = await work.top_ups.lock(order.top_up.id)
        attempt = kept.attempt(order.attempt.order_id)
        now = ports.clock()
        until_end_s = seconds_until(kept.top_up.expires_at + ports.policy.grace, now)
        found = effects(
            kept.top_up, attempt, status, latest=attempt == kept.latest, over=until_end_s <= 0, to_wallet=to_wallet
        )
        found = charged(found, ports.policy.terms(kept.top_up.gateway, kept.top_up.method))
        changed = found.attempt.version != attempt.version
        if changed and attempt.version != order.attempt.version:
            return None
        if found.moves:
            await _post(ports, work, found, status)
        await work.emit(*found.events)
        after = replace(found.attempt, checks=0) if changed else found.attempt
        watch_s = ports.policy.watched.total_seconds()
        wait_s = next_check_s(after, changed=changed, waits=waits(status), until_end_s=until_end_s, watch_s=watch_s)
        # A repeat of what is known does not put off the look that a change asked for and no sweep has taken yet.
        to_come = after.next_check_at if after.checks == 0 and not changed else None
        looks = [to_come, None if wait_s is None else now + timedelta(seconds=wait_s)]
        next_check_at = min((look for look in looks if look is not None), default=None)
        await work.top_ups.save(found.top_up, replace(after, next_check_at=next_check_at))
    return found.top_up


async def _post(ports: WalletPorts, work: WalletWork, found: Effects, status: PaymentStatus) -> None:
    """Post what moves. Raises `_RefusedByLedgerError` instead of committing a refusal."""
    top_up, order_id = found.top_up, found.attempt.order_id
    owner = receivable(top_up.account)
    if found.gone_back and found.attempt.credited:
        # Before the locks: an account that is opened while others wait for locks would break their order.
        await work.ledger.open(owner)
    balances = await work.ledger.lock([top_up.account, owner]) if found.attempt.credited else {}
    occurred_at = min(status.occurred_at, ports.clock()) if status.occurred_at else None
    settled = settlement(found, balances, occurred_at)
    outcome = await work.ledger.post(settled.transaction)
    if not outcome.posted:
        raise _RefusedByLedgerError(outcome.code, _accounts(settled.transaction.postings))
    await work.top_ups.note_posting(settled.transaction.id, order_id, found.refers_to)
    if settled.owed:
        cause = f"{order_id}:{found.attempt.taken_back.minor}"
        await work.emit(ReceivableOpened(derived("top-up:ReceivableOpened", cause), top_up.id, top_up.wallet))


async def _open_platform(ports: WalletPorts, accounts: Iterable[AccountKey]) -> None:
    async with ports.work() as work:
        for account in sorted(accounts):
            await work.ledger.open(account)


def _accounts(postings: Iterable[Posting]) -> frozenset[AccountKey]:
    """The platform's own accounts among those that postings touch."""
    touched = {account for posting in postings for account in (posting.source, posting.target)}
    return frozenset(account for account in touched if account.purpose.is_platform)
