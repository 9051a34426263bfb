"""Which postings carry out what a gateway's answer means: gross credit, fee, what went back, then repayment."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain.ids import TransactionId, derived
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Balance, Posting, Transaction
from domain.money import Currency, Money
from domain.wallet.effects import Effects
from domain.wallet.policy import MethodTerms

HOUSE = "platform"


def clearing(gateway: str, currency: Currency) -> AccountKey:
    """What a gateway owes us (negative), or we it."""
    return AccountKey(f"gateway:{gateway}", Purpose.GATEWAY_CLEARING, currency)


def receivable(wallet: AccountKey) -> AccountKey:
    """What the owner of a wallet owes us (negative)."""
    return AccountKey(wallet.owner, Purpose.RECEIVABLE, wallet.currency)


@dataclass(frozen=True, slots=True)
class Settlement:
    """One transaction, and how much of it its owner now owes us."""

    transaction: Transaction
    owed: Money | None


def charged(found: Effects, terms: MethodTerms | None) -> Effects:
    """`found` with the gateway's fee for what came in by it. The attempt keeps that: terms may be others tomorrow."""
    came = found.received
    if came is None or terms is None or terms.fee_flat.currency is not came.currency:
        return found
    return replace(found, attempt=replace(found.attempt, fee=terms.fee(came)))


def settlement(found: Effects, balances: Mapping[AccountKey, Balance], occurred_at: datetime | None) -> Settlement:
    """The transaction that carries out `found`, with the balances of wallet and receivable as they are under lock.

    What went back is taken from what the wallet has available, never from what is held; the rest is owed. What is kept
    of a credit first pays what was owed before.
    """
    wallet = found.top_up.account
    before = balances.get(wallet)
    has = 0 if before is None or before.status is AccountStatus.CLOSED else max(0, before.available)
    debt = balances.get(receivable(wallet))
    owes = 0 if debt is None or debt.status is AccountStatus.CLOSED else max(0, -debt.posted)
    came = found.received.minor if found.received and found.attempt.credited else 0
    went = found.gone_back.minor if found.gone_back and found.attempt.credited else 0
    currency = wallet.currency
    from_wallet = min(went, has + came)
    postings = [
        *_incoming(found),
        *_outgoing(found, Money(from_wallet, currency)),
        *_fee_returned(found),
        *_move(Kind.REPAYMENT, wallet, receivable(wallet), Money(min(owes, max(0, came - went)), currency)),
    ]
    transaction = Transaction.move(_id(found), *postings, effective_at=occurred_at if found.received else None)
    return Settlement(transaction, Money(went - from_wallet, currency) if went > from_wallet else None)


def _id(found: Effects) -> TransactionId:
    order = found.attempt.order_id
    if found.received:
        return TransactionId(derived("top-up:credit" if found.attempt.credited else "top-up:misfit", order))
    return TransactionId(derived("top-up:taken-back", f"{order}:{found.attempt.taken_back.minor}"))


def _incoming(found: Effects) -> Iterator[Posting]:
    amount, top_up = found.received, found.top_up
    if amount is None:
        return
    gateway = clearing(top_up.gateway, amount.currency)
    if found.attempt.credited:
        yield from _move(Kind.TOP_UP, gateway, top_up.account, amount)
    else:
        yield from _move(Kind.MISFIT, gateway, _unallocated(amount.currency), amount)
    if found.attempt.fee is not None:
        yield from _move(Kind.GATEWAY_FEE, _fees(amount.currency), gateway, found.attempt.fee)


def _outgoing(found: Effects, from_wallet: Money) -> Iterator[Posting]:
    amount, top_up = found.gone_back, found.top_up
    if amount is None:
        return
    gateway = clearing(top_up.gateway, amount.currency)
    if not found.attempt.credited:
        yield from _move(found.kind, _unallocated(amount.currency), gateway, amount)
        return
    yield from _move(found.kind, top_up.account, gateway, from_wallet)
    yield from _move(found.kind, receivable(top_up.account), gateway, amount - from_wallet)


def _fee_returned(found: Effects) -> Iterator[Posting]:
    """A payment that is void as if it had never been costs no fee: else clearing would never return to zero."""
    amount, fee = found.gone_back, found.attempt.fee
    if fee is not None and found.kind is Kind.CANCELLATION and amount == found.attempt.received:
        gateway = clearing(found.top_up.gateway, fee.currency)
        yield from _move(Kind.GATEWAY_FEE, gateway, _fees(fee.currency), fee)


def _fees(currency: Currency) -> AccountKey:
    return AccountKey(HOUSE, Purpose.FEES, currency)


def _unallocated(currency: Currency) -> AccountKey:
    return AccountKey(HOUSE, Purpose.UNALLOCATED, currency)


def _move(kind: Kind, source: AccountKey, target: AccountKey, amount: Money) -> Iterator[Posting]:
    if amount:
        yield Posting(kind, source, target, amount)
