"""The chapters: one person's money first, then everybody's at once, then the proof."""

from collections.abc import Callable
from dataclasses import dataclass

from adapters.commands import audit
from adapters.demo import person_named
from adapters.embedded.story import airtime, storm
from adapters.embedded.story.checks import decimal, expect, rupiah
from adapters.embedded.story.client import Entry, Person, Watch
from adapters.embedded.story.gateway import Notice
from adapters.embedded.story.scene import Scene
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.database import Database
from adapters.postgres.deeds import NoVault
from adapters.postgres.work import Works
from domain.clock import system_clock
from domain.ids import TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money

_FIRST_CREDIT, _PAID, _SPENT, _PAID_AGAIN = 25_000, 50_000, 65_000, 60_000
_LEFT = _FIRST_CREDIT + _PAID - _SPENT
_OWED = _PAID - _LEFT
_COPIES = 3


@dataclass(frozen=True)
class _Demo:
    """The demo account, its wallet, and the live view of it."""

    person: Person
    wallet: str
    watch: Watch


async def told(scene: Scene, chapter: Callable[[str], None]) -> None:
    """Tell all chapters. Raises `AmissError` where something is not as it must be."""
    chapter("Somebody watches a wallet")
    demo = await _watch(scene)
    chapter("A top-up is paid once, though its webhooks come three times each and in the wrong order")
    order_id = await _top_up(scene, demo)
    chapter("A payment that has been spent is charged back")
    await _charge_back(scene, demo, order_id)
    chapter("A brand's budget goes into escrow, and a streamer goes live for it")
    on_air = await airtime.prepared(scene)
    chapter("A storm of payments, and kill -9 in the middle of it")
    await storm.told(scene)
    chapter("A minute on stream becomes a streamer's earnings")
    await airtime.told(scene, on_air)
    chapter("The audit recomputes everything from the entries")
    await _audit(scene)


async def _watch(scene: Scene) -> _Demo:
    person = await scene.person("demo")
    wallet = await person.wallet_for("HOSTING_CREDIT")
    watch = Watch(person, wallet)
    await scene.until("the subscription's snapshot", lambda: watch.snapshot is not None)
    expect("the balance in the snapshot", watch.snapshot, decimal(_FIRST_CREDIT))
    scene.say(f"demo subscribes to walletChanged over graphql-transport-ws: the snapshot says {rupiah(_FIRST_CREDIT)}.")
    return _Demo(person, wallet, watch)


async def _top_up(scene: Scene, demo: _Demo) -> str:
    top_up = await demo.person.start_top_up(demo.wallet, _PAID, "BANK_TRANSFER", str(uuid7()))
    page = await scene.gateway.open_page(top_up["redirectUrl"])
    scene.say(f"startTopUp of {rupiah(_PAID)}: {top_up['state']}, order {page.order_id}, to be paid on a page.")
    await scene.gateway.order_fault("duplicate", order_id=page.order_id, times=2, copies=_COPIES)
    await scene.gateway.order_fault("out_of_order", order_id=page.order_id)
    await scene.gateway.press_pay(page)
    scene.say("demo presses Pay on that page, and the gateway begins to notify us.")
    told_in_order = [Notice(news, 200) for news in ("settlement", "pending") for _ in range(_COPIES)]

    async def all_came() -> bool:
        return len(await scene.gateway.notices(page.order_id)) >= len(told_in_order)

    await scene.until("six webhooks answered", all_came)
    expect("webhooks in the order that they came", await scene.gateway.notices(page.order_id), told_in_order)
    calls = await scene.gateway.status_calls()
    scene.say(f"{_COPIES} x settlement came, then {_COPIES} x pending, all answered 200; we asked back {calls} times.")
    await _sees(scene, demo, 2, Entry(2, "TOP_UP", decimal(_PAID), decimal(_FIRST_CREDIT + _PAID)))
    await _owns(demo, _FIRST_CREDIT + _PAID, 0, entries=2)
    expect("demo's top-ups", await demo.person.top_ups(), [("SETTLED", decimal(_PAID), decimal(0))])
    scene.say("The top-up is SETTLED, and the statement has one entry for it.")
    return page.order_id


async def _charge_back(scene: Scene, demo: _Demo, order_id: str) -> None:
    await _spend(scene, _SPENT)
    await _sees(scene, demo, 3, Entry(3, "HOSTING_CHARGE", decimal(-_SPENT), decimal(_LEFT)))
    await scene.gateway.charge_back(order_id)
    await _sees(scene, demo, 4, Entry(4, "CHARGEBACK", decimal(-_LEFT), decimal(0)))
    await _owns(demo, 0, _OWED, entries=4)
    scene.say(f"The payer's bank took {rupiah(_PAID)}; {rupiah(_LEFT)} were there, so demo owes us {rupiah(_OWED)}.")
    top_up = await demo.person.start_top_up(demo.wallet, _PAID_AGAIN, "QRIS", str(uuid7()))
    await scene.gateway.press_pay(await scene.gateway.open_page(top_up["redirectUrl"]))
    await _sees(scene, demo, 5, Entry(5, "TOP_UP", decimal(_PAID_AGAIN), decimal(_PAID_AGAIN)))
    await _sees(scene, demo, 6, Entry(6, "REPAYMENT", decimal(-_OWED), decimal(_PAID_AGAIN - _OWED)))
    await _owns(demo, _PAID_AGAIN - _OWED, 0, entries=6)
    scene.say(f"Of the next {rupiah(_PAID_AGAIN)} the debt was repaid first; demo owes {rupiah(0)}.")


async def _sees(scene: Scene, demo: _Demo, sequence: int, wanted: Entry) -> None:
    """The next live entry is this one, and no other came with it in its place."""
    place = sequence - 2  # the first credit came before the subscription
    await scene.until(f"entry {sequence} told live", lambda: len(demo.watch.entries) > place)
    expect("the live entry", demo.watch.entries[place], wanted)
    scene.say(f"live: entry {wanted.sequence} {wanted.kind} {rupiah(wanted.change)}, balance {rupiah(wanted.balance)}")


async def _owns(demo: _Demo, total: int, owes: int, *, entries: int) -> None:
    """A query answers the same as the subscription told."""
    found = await demo.person.holdings(demo.wallet)
    expect("the balance and the debt", (found.total, found.owes), (decimal(total), decimal(owes)))
    expect("the number of entries in the statement", len(found.entries), entries)


async def _spend(scene: Scene, amount: int) -> None:
    """Spend by the ledger's own door: there is nothing to buy yet."""
    currency = Currency.IDR
    revenue = AccountKey("platform", Purpose.REVENUE, currency)
    wallet = AccountKey(f"person:{person_named('demo')}", Purpose.HOSTING_CREDIT, currency)
    charge = Posting(Kind.HOSTING_CHARGE, wallet, revenue, Money.whole(amount, currency))
    async with (
        Database(scene.stage.environment["DATABASE_URL"], size=1) as database,
        Works(database, AccountIndex(), system_clock, vault=NoVault())() as work,
    ):
        await work.ledger.open(revenue)
        outcome = await work.ledger.post(Transaction.move(TransactionId(uuid7()), charge))
    expect("the ledger's answer to a charge", outcome.posted, wanted=True)


async def _audit(scene: Scene) -> None:
    said: list[str] = []

    async def all_sealed() -> bool:
        said.clear()
        report = await audit.run(scene.stage.settings, said.append)
        expect("rows that are wrong", report.found, 0)
        return report.unsealed == 0

    await scene.until("every row sealed", all_sealed)
    for line in said:
        scene.say(line)
