"""The paths that money takes, as stories to die in: each is told the same way whatever dies in it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from domain.ids import TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from tests.journeys import asking, campaign_stories, earning_stories
from tests.journeys.crash_stage import SERVER_KEY, CrashStage

SOON = timedelta(minutes=2)


@dataclass(frozen=True)
class Story:
    """A path to its end, and the balance in rupiah that it leaves in the wallet."""

    tell: Callable[[CrashStage], Awaitable[None]]
    left: int
    settings: Mapping[str, object] = field(default_factory=dict)
    told: bool = False
    """Whether a worker then tells and seals what came of it; otherwise only where all is died at."""


async def paid_and_notified(stage: CrashStage) -> None:
    """The whole way, a notification that comes again at the end included."""
    async with stage.armed():
        await stage.start(await stage.wallet())
        await stage.pay()
        await stage.sweep(SOON)
        answer = None
        while answer is None:
            await stage.awake()
            stage.sandbox.account.notifier.notify(stage.payment())
            answer = (await stage.notified())[-1]
        assert answer == 200


async def paid_and_swept(stage: CrashStage) -> None:
    """The notification is lost, the sweep asks."""
    await stage.start(await stage.wallet())
    stage.sandbox.account.faults.order({"kind": "lost", "times": 2})
    await stage.pay()
    async with stage.armed():
        await stage.sweep(SOON)


async def asked_twice(stage: CrashStage) -> None:
    """The page is made but the answer is lost: the same request again answers the same page."""
    wallet = await stage.wallet()
    stage.sandbox.account.faults.order({"kind": "error_after_work"})
    async with stage.armed():
        await stage.start(wallet)
    await stage.pay()
    await stage.sweep(SOON)


async def asked_again_later(stage: CrashStage) -> None:
    """The gateway fails for so long that only a new attempt is sure; its page is the one that is paid on."""
    wallet = await stage.wallet()
    stage.sandbox.account.faults.order({"kind": "error_after_work", "times": 2})
    async with stage.armed():
        await stage.ask(asking.START, input=asking.wanted(wallet, "the one key"))
        await stage.sweep(timedelta(minutes=6))
    await _until_pending(stage)
    await stage.pay()
    await stage.sweep(SOON)


async def order_taken(stage: CrashStage) -> None:
    """The gateway has forgotten the key but not the order: another order is begun."""
    wallet = await stage.wallet()
    stage.sandbox.account.faults.order({"kind": "error_after_work", "times": 2})
    await stage.ask(asking.START, input=asking.wanted(wallet, "the one key"))
    stage.gateway_clock.turn(timedelta(minutes=4))
    async with stage.armed():
        await stage.sweep(timedelta(seconds=90))
    await _until_pending(stage)
    await stage.pay()
    await stage.sweep(SOON)


async def _until_pending(stage: CrashStage) -> None:
    for _ in range(4):
        found = await stage.told(asking.START, input=asking.wanted(await stage.wallet(), "the one key"))
        if found["state"] == "PENDING":
            return
        await stage.sweep(timedelta(seconds=90))
    raise AssertionError("there is no page to pay on")


async def declined(stage: CrashStage) -> None:
    """The gateway refuses to open a page, for good."""
    wallet = await stage.wallet()
    stage.sandbox.account.faults.order({"kind": "refusal", "call": "snap.create", "times": 100})
    async with stage.armed():
        for _ in range(2):
            await stage.ask(asking.START, input=asking.wanted(wallet, "the one key"))
            await stage.sweep(SOON)


async def with_a_key_that_comes_to_be_known(stage: CrashStage) -> None:
    """The gateway does not know our key for a while: nobody's top-up fails by that, and the same one goes on."""
    wallet = await stage.wallet()
    async with stage.armed():
        await stage.ask(asking.START, input=asking.wanted(wallet, "the one key"))
        await stage.sweep(SOON)
    assert not list(stage.sandbox.account)
    await stage.close_server()
    stage.settings["midtrans_server_key"] = SERVER_KEY
    await stage.sweep(SOON)
    await _until_pending(stage)
    await stage.pay()
    await stage.sweep(SOON)


async def cancelled_and_paid_all_the_same(stage: CrashStage) -> None:
    """A page that is open cannot be closed: what is paid on it lands."""
    top_up = await stage.start(await stage.wallet())
    async with stage.armed():
        await stage.told(asking.CANCEL, input={"topUpId": top_up["id"]})
    await stage.pay()
    await stage.sweep(SOON)


async def cancelled_at_the_gateway_too(stage: CrashStage) -> None:
    """The payer has chosen how to pay, so the gateway can be told."""
    top_up = await stage.start(await stage.wallet())
    stage.sandbox.account.choose(stage.payment())
    await stage.notified()
    async with stage.armed():
        await stage.told(asking.CANCEL, input={"topUpId": top_up["id"]})
        await stage.notified()
    await stage.sweep(SOON)
    assert stage.payment().state == "cancel"


async def never_paid(stage: CrashStage) -> None:
    """Nobody pays, and the top-up ends by itself."""
    await stage.start(await stage.wallet())
    async with stage.armed():
        await stage.sweep(timedelta(hours=25))
    await stage.sweep(timedelta(hours=2))


async def taken_back_after_it_was_spent(stage: CrashStage) -> None:
    """A chargeback takes what is left, the rest is owed, and the next credit repays it."""
    wallet = await stage.wallet()
    await stage.start(wallet)
    await stage.pay()
    await spend(stage, 35_000)
    async with stage.armed():
        stage.sandbox.account.charge_back(stage.payment(), None)
        await stage.notified()
    await stage.sweep(timedelta(minutes=70))
    await stage.start(wallet, 40_000)
    stage.sandbox.account.choose(stage.payment())
    await stage.notified()
    async with stage.armed():
        await stage.pay()
    await stage.sweep(SOON)


async def letters_that_lead_nowhere(stage: CrashStage) -> None:
    """A forged letter is kept for a while and forgotten; one about an order that is not ours is kept."""
    await stage.wallet()
    stage.sandbox.account.faults.order({"kind": "bad_signature"})
    stage.add_a_payment_of_somebody_else()
    async with stage.armed():
        await stage.pay()
        await stage.sweep(timedelta(days=8))


async def held_too_long(stage: CrashStage) -> None:
    """What was set aside is available again when its time is over."""
    wallet = await stage.wallet()
    await stage.start(wallet)
    await stage.pay()
    credit = AccountKey(stage.me.owner, Purpose.HOSTING_CREDIT, Currency.IDR)
    async with stage.at_the_ledger() as work:
        target = AccountKey("platform", Purpose.REVENUE, Currency.IDR)
        await work.ledger.open(target)
        posting = Posting(Kind.HOSTING_CHARGE, credit, target, Money.whole(20_000, Currency.IDR))
        soon = stage.clock() + timedelta(minutes=1)
        await work.ledger.post(Transaction.hold(TransactionId(uuid7()), posting, expires_at=soon))
    async with stage.armed():
        await stage.sweep(timedelta(minutes=30))


async def settled_to_our_bank(stage: CrashStage) -> None:
    """The gateway pays us, and the same message may be entered twice."""
    await stage.start(await stage.wallet())
    await stage.pay()
    async with stage.armed():
        await stage.once("settle")
        await stage.once("settle")


async def told_and_sealed(stage: CrashStage) -> None:
    """What a worker does with all that: the end of every story, here with everything that may die in it."""
    await stage.start(await stage.wallet())
    await stage.pay()
    async with stage.armed():
        await stage.tell()


async def spend(stage: CrashStage, units: int) -> None:
    """Something is bought with what is in the wallet."""
    source = AccountKey(stage.me.owner, Purpose.HOSTING_CREDIT, Currency.IDR)
    target = AccountKey("platform", Purpose.REVENUE, Currency.IDR)
    async with stage.at_the_ledger() as work:
        await work.ledger.open(target)
        posting = Posting(Kind.HOSTING_CHARGE, source, target, Money.whole(units, Currency.IDR))
        outcome = await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))
    assert outcome.posted, outcome


STORIES: Mapping[str, Story] = {
    story.tell.__name__: story
    for story in (
        Story(paid_and_notified, 50_000),
        Story(paid_and_swept, 50_000),
        Story(asked_twice, 50_000),
        Story(asked_again_later, 50_000),
        Story(order_taken, 50_000),
        Story(declined, 0),
        Story(with_a_key_that_comes_to_be_known, 50_000, {"midtrans_server_key": "SB-Mid-server-of-nobody"}),
        Story(cancelled_and_paid_all_the_same, 50_000),
        Story(cancelled_at_the_gateway_too, 0),
        Story(never_paid, 0),
        Story(taken_back_after_it_was_spent, 5_000),
        Story(letters_that_lead_nowhere, 0),
        Story(held_too_long, 50_000),
        Story(settled_to_our_bank, 50_000),
        Story(campaign_stories.launched_and_completed, 0),
        Story(campaign_stories.launched_and_cancelled, 0),
        Story(campaign_stories.ended_and_returned_in_parts, 0),
        Story(campaign_stories.over_with_its_last_day, 0),
        Story(earning_stories.a_minute_paid_after_a_week, 0),
        Story(earning_stories.a_minute_disputed_and_reduced, 0),
        Story(told_and_sealed, 50_000, told=True),
    )
}
