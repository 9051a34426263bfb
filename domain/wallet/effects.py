"""What a gateway's status answer means, on paper: the next state and what is to be posted.

An answer is compared with what was recorded before, and only what is new follows from it. So repeats are harmless, and
an answer older than what is recorded undoes nothing: figures only grow.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from domain.events import Event
from domain.ids import derived
from domain.ledger.chart import Kind
from domain.money import Money
from domain.wallet.events import (
    TopUpChallenged,
    TopUpEnded,
    TopUpEvent,
    TopUpNeedsReview,
    TopUpSettled,
    TopUpTakenBack,
)
from domain.wallet.gateway import PaymentState, PaymentStatus
from domain.wallet.model import ENDED, NEXT, Attempt, TopUp, TopUpState, Turn

ARRIVED = frozenset({
    PaymentState.PAID, PaymentState.REFUNDED, PaymentState.PARTIALLY_REFUNDED, PaymentState.CHARGED_BACK,
    PaymentState.PARTIALLY_CHARGED_BACK,
})  # fmt: skip
"""Money has come in, whatever became of it later: a refund seen before its payment tells of both."""

VOID = {
    PaymentState.EXPIRED: Turn.EXPIRED,
    PaymentState.CANCELLED: Turn.VOIDED,
    PaymentState.DENIED: Turn.DENIED,
    PaymentState.FAILED: Turn.DENIED,
}
"""Nothing has come in or, if it had, all of it went back."""

ON_ITS_WAY = frozenset({PaymentState.PENDING, PaymentState.AUTHORIZED, PaymentState.CHALLENGED})
"""Somebody has chosen how to pay, and it may still go either way."""

_TAKES_BACK = {
    PaymentState.REFUNDED: Kind.REFUND,
    PaymentState.PARTIALLY_REFUNDED: Kind.REFUND,
    PaymentState.CHARGED_BACK: Kind.CHARGEBACK,
    PaymentState.PARTIALLY_CHARGED_BACK: Kind.CHARGEBACK,
}


@dataclass(frozen=True, slots=True)
class Effects:
    """What follows from an answer: the rows as they are to be, and the money that is to move now."""

    top_up: TopUp
    attempt: Attempt
    received: Money | None = None
    """Has come in by this answer: to the wallet if it fits, else to UNALLOCATED."""
    gone_back: Money | None = None
    """Has gone back by this answer, to the payer."""
    kind: Kind = Kind.CANCELLATION
    """Why it went back."""
    refers_to: tuple[str, ...] = ()
    """The gateway's references of what went back."""
    events: tuple[Event, ...] = ()

    @property
    def moves(self) -> bool:
        """Whether money is to be posted."""
        return self.received is not None or self.gone_back is not None


def effects(
    top_up: TopUp, attempt: Attempt, status: PaymentStatus, *, latest: bool, over: bool, to_wallet: bool = True
) -> Effects:
    """What an answer about an attempt means.

    `latest` says that this is the attempt whose page is the one to pay on, `over` that the page's time has passed,
    `to_wallet=False` that the wallet takes nothing (it was closed), so that what comes in is for staff to allocate.
    """
    if _of_another_try(attempt, status):
        return _stray(top_up, attempt, status)
    arrived = status.amount if status.state in ARRIVED and status.amount and status.amount.minor > 0 else None
    received = arrived if attempt.received is None else None
    fits = received == top_up.amount and to_wallet
    doubt = _doubt(top_up, attempt, status, arrived, to_wallet=to_wallet)
    after = _seen(attempt, status, received, fits=fits)
    gone_back = _gone_back(after, status)
    turn = _turn(top_up, attempt, status, received, gone_back, doubt, latest=latest, over=over)
    state = NEXT.get((top_up.state, turn), top_up.state) if turn else top_up.state
    zero = Money.zero(top_up.amount.currency)
    changed = replace(
        top_up,
        state=state,
        credited=top_up.credited + (received if received and fits else zero),
        taken_back=top_up.taken_back + (gone_back if gone_back and after.credited else zero),
        review=doubt or top_up.review,
    )
    if gone_back:
        after = replace(after, taken_back=after.taken_back + gone_back)
    if changed != top_up or after != attempt:
        after = replace(after, version=attempt.version + 1)
    kind = _TAKES_BACK.get(status.state, Kind.CANCELLATION)
    references = tuple(back.reference for back in status.taken_back if back.final)
    events = tuple(_events(top_up, changed, attempt, after))
    return Effects(changed, after, received, gone_back, kind, references, events)


def waits(status: PaymentStatus) -> bool:
    """Whether the gateway will have more to say by itself: a payment or a refund is still on its way."""
    return status.state in ON_ITS_WAY or any(not back.final for back in status.taken_back)


def _of_another_try(attempt: Attempt, status: PaymentStatus) -> bool:
    """Money came by one transaction, and the answer is about another one under the same order."""
    others = None not in {attempt.transaction_id, status.transaction_id} and (
        attempt.transaction_id != status.transaction_id
    )
    return others and attempt.received is not None


def _stray(top_up: TopUp, attempt: Attempt, status: PaymentStatus) -> Effects:
    """An earlier try's end says nothing about the money that came. A second payment is for staff, and moves nothing."""
    if status.state not in ARRIVED:
        return Effects(top_up, attempt)
    doubt = f"Order {attempt.order_id} was paid by {attempt.transaction_id}, and again by {status.transaction_id}."
    state = NEXT.get((top_up.state, Turn.STRAYED), top_up.state)
    changed = replace(top_up, state=state, review=doubt)
    if changed == top_up:
        return Effects(top_up, attempt)
    after = replace(attempt, version=attempt.version + 1)
    return Effects(changed, after, events=tuple(_events(top_up, changed, attempt, after)))


def _doubt(
    top_up: TopUp, attempt: Attempt, status: PaymentStatus, arrived: Money | None, *, to_wallet: bool
) -> str | None:
    """What staff should look at, if anything."""
    order = attempt.order_id
    if status.unread is not None and status.state in ARRIVED:
        return f"Order {order}: {status.unread} came in, in a currency that we do not know; nothing was posted."
    if arrived is None:
        return None
    if attempt.received is not None:
        return _doubt_about_more(attempt, status, arrived)
    if arrived != top_up.amount:
        return (
            f"Order {order}: {arrived} {arrived.currency} came in instead of {top_up.amount} {top_up.amount.currency}."
        )
    return None if to_wallet else f"Order {order}: {arrived} {arrived.currency} came in, but the wallet takes nothing."


def _doubt_about_more(attempt: Attempt, status: PaymentStatus, arrived: Money) -> str | None:
    """What staff should look at when the gateway speaks again of money that had come in."""
    if arrived != attempt.received:
        return f"Order {attempt.order_id}: {attempt.received} had come in, now the gateway speaks of {arrived}."
    if status.state is PaymentState.PAID and attempt.taken_back == attempt.received:
        return f"Order {attempt.order_id} is paid again after all of it had gone back."
    return None


def _seen(attempt: Attempt, status: PaymentStatus, received: Money | None, *, fits: bool) -> Attempt:
    """The attempt with the gateway's word in it."""
    if status.state is PaymentState.UNKNOWN:
        return attempt
    after = replace(
        attempt,
        seen=status.state,
        transaction_id=status.transaction_id or attempt.transaction_id,
        payment_type=status.payment_type or attempt.payment_type,
    )
    if received is None:
        return after
    return replace(after, received=received, credited=fits, taken_back=Money.zero(received.currency))


def _gone_back(attempt: Attempt, status: PaymentStatus) -> Money | None:
    """What has gone back for good and was not recorded yet; in total never more than what came in."""
    came = attempt.received
    if came is None:
        return None
    if status.state in VOID or status.state is PaymentState.CHARGED_BACK:
        total = came
    else:
        final = [back.amount for back in status.taken_back if back.final and back.amount.currency is came.currency]
        total = min(came, sum(final, Money.zero(came.currency)))
        if status.taken_back_total is not None and status.taken_back_total.currency is came.currency:
            # Where refunds are not listed one by one, an entry holds the earlier ones too.
            total = min(total, status.taken_back_total)
    return total - attempt.taken_back if attempt.taken_back < total else None


def _turn(
    top_up: TopUp,
    attempt: Attempt,
    status: PaymentStatus,
    received: Money | None,
    gone_back: Money | None,
    doubt: str | None,
    *,
    latest: bool,
    over: bool,
) -> Turn | None:
    """What happens to the top-up."""
    if doubt:
        return Turn.STRAYED
    if received:
        return Turn.LANDED
    if attempt.received is not None:
        # Another attempt's money may have stayed: then the top-up has not come to nothing.
        stays = top_up.credited - top_up.taken_back
        whole = gone_back is not None and (not attempt.credited or stays <= gone_back)
        return VOID.get(status.state) if whole else None
    if status.state is PaymentState.CHALLENGED:
        # Only as news: what was held when a top-up was given up does not bring it back.
        return None if attempt.seen is PaymentState.CHALLENGED else Turn.CHALLENGED
    if status.state in VOID and (latest or over):
        return VOID[status.state]
    return Turn.EXPIRED if status.state is PaymentState.UNKNOWN and over and latest else None


def _events(before: TopUp, after: TopUp, attempt: Attempt, now: Attempt) -> list[TopUpEvent]:
    """What is told, each under an id that its cause always makes."""
    order, found = now.order_id, list[TopUpEvent]()

    def tell(kind: type[TopUpEvent], cause: str) -> None:
        found.append(kind(derived(f"top-up:{kind.__name__}", f"{order}:{cause}"), after.id, after.wallet))

    if now.credited and not attempt.credited:
        tell(TopUpSettled, "credit")
    if attempt.taken_back.minor < now.taken_back.minor:
        tell(TopUpTakenBack, str(now.taken_back.minor))
    if after.review != before.review:
        tell(TopUpNeedsReview, str(now.version))
    if after.state is not before.state:
        if after.state is TopUpState.CHALLENGED:
            tell(TopUpChallenged, str(now.version))
        if after.state in ENDED:
            tell(TopUpEnded, str(now.version))
    return found


CHECK_DELAYS_S = (20, 30, 60, 60, 120, 300, 600, 900, 1800, 3600)
"""How long to wait before asking again, by how often it was asked in vain."""

_LAST_LOOK_S = 3600
_DAY_S = 86_400


def next_check_s(
    attempt: Attempt, *, changed: bool, waits: bool, until_end_s: float, watch_s: float = 0
) -> float | None:
    """In how many seconds to ask about an attempt again; None: only when the gateway says something.

    `until_end_s` is how long its page and the grace after it still last (negative: so long ago they ended). Whatever
    changed is looked at once more, so that an answer that was old at the gateway itself does not stay the last. Money
    that came in and may go back is looked at daily until `watch_s` after that end: the notice of it may be lost.
    """
    delay = CHECK_DELAYS_S[min(attempt.checks, len(CHECK_DELAYS_S) - 1)]
    if waits:
        return delay if until_end_s > -_DAY_S else _DAY_S
    if attempt.received is None and until_end_s > 0:
        return min(delay, until_end_s)
    if changed:
        return _LAST_LOOK_S
    may_go_back = attempt.received is not None and attempt.taken_back != attempt.received
    return _DAY_S if may_go_back and until_end_s > -watch_s else None


def seconds_until(moment: datetime, now: datetime) -> float:
    """From now to a moment; negative when it has passed."""
    return (moment - now).total_seconds()
