"""What a person asks for: open a wallet, start a top-up, cancel it. All is denied but what is the caller's own."""

import asyncio
from dataclasses import replace
from hashlib import sha256

from domain.actor import Actor
from domain.errors import DomainError, NotPermittedError
from domain.ids import AccountId, derived, uuid7
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountKey, AccountStatus
from domain.ledger.ports import AccountView
from domain.money import Currency, Money
from domain.quotas import DEPOSIT
from domain.refusal import Refusal
from domain.rights import BrandRole
from domain.wallet.confirm import end_at_gateway
from domain.wallet.effects import VOID
from domain.wallet.events import TopUpEnded, TopUpStarted
from domain.wallet.gateway import Method
from domain.wallet.model import (
    LONGEST_KEY,
    NEXT,
    AboveMaximum,
    AmountNotRepresentable,
    Attempt,
    BelowMinimum,
    CurrencyNotSupported,
    DailyCapReached,
    GatewayNotBound,
    IdReused,
    MailNotVerified,
    MethodNotOffered,
    NotCancellable,
    Order,
    TooManyPending,
    TooManyTopUps,
    TopUp,
    TopUpId,
    TopUpNotFound,
    TopUpState,
    Turn,
    WalletFrozen,
    WalletNotFound,
    WalletNotOffered,
)
from domain.wallet.pages import Claim, first_claim, open_page
from domain.wallet.policy import MethodTerms, TopUpPolicy
from domain.wallet.ports import WalletPorts, WalletWork


async def open_wallet(
    ports: WalletPorts, actor: Actor, purpose: Purpose, currency: Currency
) -> AccountId | WalletNotOffered:
    """Open the caller's wallet of a purpose and a currency; again, and it answers the same one. Its door: the API."""
    if purpose not in ports.policy.wallets:
        return WalletNotOffered("Wallets of this purpose are not opened on request.")
    async with ports.work() as work:
        return await work.ledger.open(AccountKey(actor.owner, purpose, currency))


async def _not_now(ports: WalletPorts, actor: Actor, key: str) -> Refusal | None:
    """Why this person may not begin to pay at this moment. What was begun under the key already is not counted again.

    Raises `NotPermittedError` for staff that looks through somebody's eyes.
    """
    if actor.impersonator is not None:
        raise NotPermittedError("who looks through somebody's eyes moves no money")
    if await ports.top_ups.is_begun(actor.person, key):
        return None
    if actor.is_unreachable:
        return MailNotVerified("Confirm an e-mail address first: you would not hear of it if something went wrong.")
    taken = await ports.quotas.take(DEPOSIT, str(actor.person))
    if not taken.allowed:
        return TooManyTopUps("You have begun many top-ups within the hour. Wait a while.", taken.retry_after_s)
    return None


async def start_top_up(
    ports: WalletPorts, actor: Actor, wallet: AccountId, amount: Money, method: Method, key: str
) -> TopUp | Refusal:
    """Store the wish to pay `amount` into a wallet and get a page to pay it on. Its door: the mutation.

    `key` is the caller's: the same key with the same content answers the first top-up (without a page while that is
    still being asked for), with other content `IdReused`. Raises `UnavailableError` while the gateway does not answer:
    the top-up is stored, the same key tries again, and so does the sweep.
    """
    if not 1 <= len(key) <= LONGEST_KEY:
        raise ValueError(f"an idempotency key has 1 to {LONGEST_KEY} characters")
    account = (await ports.books.accounts_by_id([wallet])).get(wallet)
    if account is None or not actor.stands_for(account.key.owner, BrandRole.MANAGER):
        return WalletNotFound("There is no such wallet that you may pay into.")
    if refusal := await _not_now(ports, actor, key):
        return refusal
    content = sha256(f"{wallet}|{amount.minor}|{amount.currency}|{method}".encode()).digest()
    async with ports.work() as work:
        await work.top_ups.lock_payer(actor.person)
        kept = await work.top_ups.lock_by_key(actor.person, key)
        if kept is not None and kept.content != content:
            return IdReused("This idempotency key was used for another top-up.")
        begun = kept or await _begin(ports, work, actor, account, amount, method)
        if isinstance(begun, Refusal):
            return begun
        if isinstance(begun, Claim):
            await work.top_ups.add(begun.top_up, begun.attempt, key=key, content=content)
    return await open_page(ports, begun.top_up.id, begun if isinstance(begun, Claim) else None)


async def _begin(
    ports: WalletPorts, work: WalletWork, actor: Actor, account: AccountView, amount: Money, method: Method
) -> Claim | Refusal:
    """A new top-up with the right to ask for its page, if nothing stands against it. The payer's lock is held."""
    found = _gateway_for(ports.policy, account, amount, method)
    if isinstance(found, Refusal):
        return found
    gateway, terms = found
    refusal = _out_of_bounds(amount, terms) or await _over_limit(ports, work, actor, amount)
    if refusal is not None:
        return refusal
    now = ports.clock()
    top_up = TopUp(
        id=TopUpId(uuid7()),
        person=actor.person,
        wallet=account.id,
        account=account.key,
        amount=amount,
        method=method,
        gateway=gateway,
        state=TopUpState.REQUESTED,
        credited=Money.zero(amount.currency),
        taken_back=Money.zero(amount.currency),
        redirect_url=None,
        created_at=now,
        expires_at=now + ports.policy.lifetime,
        review=None,
    )
    await work.emit(TopUpStarted(derived("top-up:TopUpStarted", str(top_up.id)), top_up.id, top_up.wallet))
    return first_claim(top_up, ports.policy, now)


def _gateway_for(
    policy: TopUpPolicy, account: AccountView, amount: Money, method: Method
) -> tuple[str, MethodTerms] | Refusal:
    """The gateway that takes this method for this wallet, with its terms."""
    if account.balance.status is not AccountStatus.OPEN:
        return WalletFrozen(f"This wallet is {account.balance.status}.")
    offering = [(name, terms) for name, terms in policy.gateways.items() if method in terms.methods]
    if not offering:
        return MethodNotOffered("This method is not offered.")
    bound = [(name, terms) for name, terms in offering if account.key.purpose in terms.purposes]
    if not bound:
        return GatewayNotBound("No gateway takes money for wallets of this purpose.")
    for name, terms in bound:
        if terms.currency is amount.currency is account.key.currency:
            return name, terms.methods[method]
    return CurrencyNotSupported("This method does not take this currency for this wallet.")


def _out_of_bounds(amount: Money, terms: MethodTerms) -> Refusal | None:
    if amount < terms.minimum:
        return BelowMinimum(f"The least is {terms.minimum}.", terms.minimum)
    if terms.maximum < amount:
        return AboveMaximum(f"The most at once is {terms.maximum}.", terms.maximum)
    if amount.minor % 10**amount.currency.scale:
        return AmountNotRepresentable("The gateway takes whole amounts only, without a fraction.")
    return None


async def _over_limit(ports: WalletPorts, work: WalletWork, actor: Actor, amount: Money) -> Refusal | None:
    policy = ports.policy
    standing = await work.top_ups.standing(actor.person, policy.day_of(ports.clock()), amount.currency)
    if standing.pending >= policy.most_pending:
        return TooManyPending(
            f"{policy.most_pending} top-ups may be pending at once: pay or cancel one.", policy.most_pending
        )
    left = policy.daily_cap - standing.started_today
    if left < amount:
        left = max(left, Money.zero(amount.currency))
        return DailyCapReached(f"{left} is left of what may be topped up today.", left)
    return None


async def cancel_top_up(ports: WalletPorts, actor: Actor, id_: TopUpId) -> TopUp | Refusal:
    """Give up a top-up that is not paid; doing so again answers the same. Its door: the mutation.

    The gateway is told afterwards, as far as it can be: a page that is open cannot be closed, and a late payment lands.
    Where it did not hear, each repeat tells it again, and so does the sweep.
    """
    known = (await ports.top_ups.top_ups_by_id([id_])).get(id_)
    if known is None or not actor.stands_for(known.account.owner, BrandRole.MANAGER):
        return TopUpNotFound("There is no such top-up.")
    async with ports.work() as work:
        kept = await work.top_ups.lock(id_)
        cancelled = kept.top_up
        if cancelled.state is not TopUpState.CANCELLED:
            state = NEXT.get((cancelled.state, Turn.ABANDONED))
            if state is None:
                return NotCancellable(f"A top-up that is {cancelled.state} cannot be cancelled.", cancelled.state)
            cancelled = replace(cancelled, state=state)
            await work.top_ups.save(cancelled)
            await work.emit(TopUpEnded(derived("top-up:TopUpEnded", f"{id_}:abandoned"), id_, cancelled.wallet))
    open_there = [Order(cancelled, attempt) for attempt in kept.attempts if _may_be_open(attempt)]
    told = await asyncio.gather(*(end_at_gateway(ports, order) for order in open_there), return_exceptions=True)
    for answer in told:
        if isinstance(answer, BaseException) and not isinstance(answer, DomainError):
            raise answer
    return cancelled


def _may_be_open(attempt: Attempt) -> bool:
    """The gateway may know of it, and has not said that it came to anything or nothing."""
    return attempt.asked_at is not None and attempt.received is None and attempt.seen not in VOID
