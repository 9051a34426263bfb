"""Opening the page to pay on: the intent is stored first, then the gateway is asked, outside of any unit of work.

A request whose outcome is unknown is repeated with the same key while the gateway still knows the key, and is a new
attempt with a new order afterwards. The attempts before it stay creditable: their pages may exist.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.errors import UnavailableError
from domain.ids import derived, uuid7
from domain.money import Money
from domain.wallet.effects import CHECK_DELAYS_S
from domain.wallet.events import TopUpEnded, TopUpOpened
from domain.wallet.gateway import GatewayRefusedError, GatewayUnavailableError, PaymentPage, PaymentState
from domain.wallet.model import NEXT, Attempt, GatewayRefused, TopUp, TopUpId, TopUpState, Turn
from domain.wallet.policy import TopUpPolicy
from domain.wallet.ports import KeptTopUp, WalletPorts

_TRIES = 3
_SHORTEST_LIFE = timedelta(minutes=1)
_REFUSED = GatewayRefused("The gateway declined to open a page.")


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to ask for a page, for a while."""

    top_up: TopUp
    attempt: Attempt
    repeated: bool
    """The same was asked before, and may have been carried out."""


def first_claim(top_up: TopUp, policy: TopUpPolicy, now: datetime) -> Claim:
    """A new top-up's first attempt, with the right to ask for its page."""
    return Claim(top_up, _claimed(_attempt(top_up, 1, now + policy.asking), policy, now), repeated=False)


def _attempt(top_up: TopUp, number: int, next_check_at: datetime, checks: int = 0) -> Attempt:
    """An attempt that the gateway knows nothing of yet."""
    return Attempt(
        order_id=f"{top_up.id}-{number}",
        top_up=top_up.id,
        number=number,
        request_key=uuid7(),
        taken_back=Money.zero(top_up.amount.currency),
        next_check_at=next_check_at,
        checks=checks,
    )


def _following(attempt: Attempt, top_up: TopUp, policy: TopUpPolicy, now: datetime) -> Attempt:
    """The attempt after one of which nobody knows what became."""
    return _attempt(top_up, attempt.number + 1, now + policy.asking, attempt.checks)


def _claimed(attempt: Attempt, policy: TopUpPolicy, now: datetime) -> Attempt:
    return replace(attempt, asked_at=attempt.asked_at or now, asking_until=now + policy.asking)


async def open_page(ports: WalletPorts, id_: TopUpId, first: Claim | None = None) -> TopUp | GatewayRefused:
    """Get a top-up its page to pay on, unless it has one, needs none, or another caller is getting it just now.

    `first` is the right to ask where the caller has it already. Its doors: the start of a top-up, the replay of one,
    the sweep. Raises `UnavailableError` when the gateway does not answer; the top-up is then still REQUESTED, and
    asking again is safe.
    """
    for tries_left in reversed(range(_TRIES)):
        claim = first or await _claim(ports, id_)
        first = None
        if not isinstance(claim, Claim):
            return claim
        try:
            page = await _ask(ports, claim)
        except GatewayRefusedError:
            if not (claim.repeated and tries_left):
                return await _fail(ports, claim)
            # The order is taken: an earlier request got through, under a key that is forgotten by now.
            await _begin_anew(ports, claim)
        except UnavailableError as error:
            uncertain = not isinstance(error, GatewayUnavailableError) or error.uncertain
            await _let_go(ports, claim, known=uncertain or claim.repeated)
            if not uncertain or tries_left < _TRIES - 1:
                raise
        else:
            return await _keep(ports, claim, page)
    raise AssertionError("the last try answers or raises")


async def _ask(ports: WalletPorts, claim: Claim) -> PaymentPage:
    top_up, attempt = claim.top_up, claim.attempt
    return await ports.gateways[top_up.gateway].open_page(
        attempt.order_id,
        top_up.amount,
        top_up.method,
        request_key=attempt.request_key,
        expires_at=top_up.expires_at,
        finish_url=ports.policy.finish_url,
    )


async def _claim(ports: WalletPorts, id_: TopUpId) -> Claim | TopUp | GatewayRefused:
    """Take the right to ask; where nothing is to be asked, the answer that was given before, or the top-up itself."""
    async with ports.work() as work:
        kept = await work.top_ups.lock(id_)
        now, top_up, attempt = ports.clock(), kept.top_up, kept.latest
        if not _is_to_be_asked(kept, now):
            return _REFUSED if _was_refused(kept) else top_up
        if attempt.asked_at is not None and now - attempt.asked_at >= ports.policy.same_request:
            attempt = _following(attempt, top_up, ports.policy, now)
            await work.top_ups.add_attempt(attempt)
        claimed = _claimed(attempt, ports.policy, now)
        await work.top_ups.save(top_up, claimed)
    return Claim(top_up, claimed, repeated=attempt.asked_at is not None)


def _is_to_be_asked(kept: KeptTopUp, now: datetime) -> bool:
    asking_until = kept.latest.asking_until
    being_asked = asking_until is not None and now < asking_until
    in_time = kept.top_up.expires_at - now > _SHORTEST_LIFE
    return kept.top_up.state is TopUpState.REQUESTED and in_time and not being_asked


def _was_refused(kept: KeptTopUp) -> bool:
    """It failed without a word about any payment: so it was the page that the gateway declined."""
    unseen = all(attempt.seen is PaymentState.UNKNOWN for attempt in kept.attempts)
    return kept.top_up.state is TopUpState.FAILED and unseen


async def _keep(ports: WalletPorts, claim: Claim, page: PaymentPage) -> TopUp:
    """Store the page. A top-up that was given up meanwhile keeps its state; its page can be paid on all the same."""
    async with ports.work() as work:
        kept = await work.top_ups.lock(claim.top_up.id)
        now, top_up = ports.clock(), kept.top_up
        state = NEXT.get((top_up.state, Turn.OPENED))
        if state is not None:
            top_up = replace(top_up, state=state, redirect_url=page.url)
            cause = derived("top-up:TopUpOpened", claim.attempt.order_id)
            await work.emit(TopUpOpened(cause, top_up.id, top_up.wallet))
        opened = replace(
            kept.attempt(claim.attempt.order_id),
            token=page.token,
            url=page.url,
            opened_at=now,
            asking_until=None,
            checks=0,
            next_check_at=now + timedelta(seconds=CHECK_DELAYS_S[0]),
        )
        await work.top_ups.save(top_up, opened)
    return top_up


async def _let_go(ports: WalletPorts, claim: Claim, *, known: bool) -> None:
    """Let others ask. `known`: the gateway may know the order already."""
    async with ports.work() as work:
        kept = await work.top_ups.lock(claim.top_up.id)
        attempt = kept.attempt(claim.attempt.order_id)
        asked_at = attempt.asked_at if known else None
        await work.top_ups.save(kept.top_up, replace(attempt, asked_at=asked_at, asking_until=None))


async def _begin_anew(ports: WalletPorts, claim: Claim) -> None:
    async with ports.work() as work:
        kept = await work.top_ups.lock(claim.top_up.id)
        if kept.latest.order_id == claim.attempt.order_id:
            await work.top_ups.add_attempt(_following(kept.latest, kept.top_up, ports.policy, ports.clock()))


async def _fail(ports: WalletPorts, claim: Claim) -> GatewayRefused:
    async with ports.work() as work:
        kept = await work.top_ups.lock(claim.top_up.id)
        state = NEXT.get((kept.top_up.state, Turn.REFUSED))
        if state is not None:
            cause = derived("top-up:TopUpEnded", f"{claim.attempt.order_id}:refused")
            await work.emit(TopUpEnded(cause, kept.top_up.id, kept.top_up.wallet))
        attempt = replace(kept.attempt(claim.attempt.order_id), asking_until=None, next_check_at=None)
        await work.top_ups.save(replace(kept.top_up, state=state or kept.top_up.state), attempt)
    return _REFUSED
