"""Starting, replaying and cancelling top-ups, on a real database against the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.register import PostgresAccountRegister
from domain.actor import Actor
from domain.ids import AccountId, PersonId, uuid7
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountStatus
from domain.money import Currency, Money
from domain.refusal import Refusal
from domain.wallet import model
from domain.wallet.actions import cancel_top_up, confirm_top_up, open_wallet, start_top_up
from domain.wallet.gateway import Method
from domain.wallet.model import TopUp, TopUpId, TopUpState
from domain.wallet.policy import MIDTRANS, MethodTerms, TopUpPolicy
from tests.builders import FIFTY, IDR, Stage, owner_of, rupiah, staged

BANK = Method.BANK_TRANSFER


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[Stage]:
    async with staged(database) as stage:
        yield stage


async def test_a_top_up_gets_a_page_to_pay_on(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    assert top_up.state is TopUpState.PENDING
    assert top_up.redirect_url is not None
    assert top_up.redirect_url.startswith(stage.sandbox.url)
    assert top_up == await stage.again(top_up)
    assert await stage.events() == ["TopUpStarted", "TopUpOpened"]
    assert await stage.journal() == 0
    assert top_up.expires_at - top_up.created_at == timedelta(hours=24)


async def test_opening_a_wallet_again_answers_the_same(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    assert await stage.wallet(actor) == wallet
    refused = await open_wallet(stage.ports, actor, Purpose.REVENUE, IDR)
    assert isinstance(refused, model.WalletNotOffered)


REFUSED: dict[str, tuple[Money, Method, str, type[Refusal]]] = {
    "too little": (rupiah(9_999), BANK, "own", model.BelowMinimum),
    "nothing": (rupiah(0), BANK, "own", model.BelowMinimum),
    "less than nothing": (rupiah(-50_000), BANK, "own", model.BelowMinimum),
    "too much": (rupiah(50_000_001), BANK, "own", model.AboveMaximum),
    "too much for the method": (rupiah(5_000_001), Method.CONVENIENCE_STORE, "own", model.AboveMaximum),
    "a fraction": (Money(5_000_050, IDR), BANK, "own", model.AmountNotRepresentable),
    "another currency": (Money.whole(50_000, Currency.USD), BANK, "own", model.CurrencyNotSupported),
    "a wallet of another currency": (Money.whole(500, Currency.USD), BANK, "dollars", model.CurrencyNotSupported),
    "a purpose not bound": (FIFTY, BANK, "player", model.GatewayNotBound),
    "a method not offered": (FIFTY, Method.OVO, "own", model.MethodNotOffered),
    "another's wallet": (FIFTY, BANK, "another's", model.WalletNotFound),
    "no wallet": (FIFTY, BANK, "none", model.WalletNotFound),
    "a frozen wallet": (FIFTY, BANK, "frozen", model.WalletFrozen),
    "a closed wallet": (FIFTY, BANK, "closed", model.WalletFrozen),
}


@pytest.mark.parametrize(("amount", "method", "which", "expected"), REFUSED.values(), ids=REFUSED)
async def test_denied_means_unchanged(
    database: DatabaseAddresses, amount: Money, method: Method, which: str, expected: type[Refusal]
) -> None:
    methods: dict[Method, MethodTerms] = {
        name: terms for name, terms in MIDTRANS.methods.items() if name is not Method.OVO
    }
    policy = TopUpPolicy(gateways={"midtrans": replace(MIDTRANS, methods=methods)})
    async with staged(database, policy=policy) as stage:
        actor, own = await stage.somebody()
        wallet = await _wallet_called(stage, actor, own, which)
        before = await stage.marks()
        found = await start_top_up(stage.ports, actor, wallet, amount, method, "key")
        assert type(found) is expected
        assert await stage.marks() == before


async def _wallet_called(stage: Stage, actor: Actor, own: AccountId, which: str) -> AccountId:
    if which in {"frozen", "closed"}:
        await _set_status(stage, actor, AccountStatus(which))
    others = {
        "player": lambda: stage.wallet(actor, Purpose.PLAYER_CASH),
        "dollars": lambda: stage.wallet(actor, currency=Currency.USD),
        "another's": lambda: stage.wallet(Actor(PersonId(uuid7()))),
    }
    if which == "none":
        return AccountId(2**60)
    return await others[which]() if which in others else own


async def _set_status(stage: Stage, actor: Actor, status: AccountStatus) -> None:
    async with stage.ports.database.transaction() as connection:
        await PostgresAccountRegister(connection).set_status(owner_of(actor), status)


async def test_refusals_say_what_would_do(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    low = await start_top_up(stage.ports, actor, wallet, rupiah(1), BANK, "low")
    assert isinstance(low, model.BelowMinimum)
    assert low.minimum == rupiah(10_000)
    high = await start_top_up(stage.ports, actor, wallet, rupiah(10_000_001), Method.QRIS, "high")
    assert isinstance(high, model.AboveMaximum)
    assert high.maximum == rupiah(10_000_000)


async def test_the_same_key_answers_the_same_top_up(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    first = await stage.started(actor, wallet, key="key")
    before = await stage.marks()
    assert await stage.started(actor, wallet, key="key") == first
    assert await stage.marks() == before
    other, others_wallet = await stage.somebody()
    assert (await stage.started(other, others_wallet, key="key")).id != first.id


@pytest.mark.parametrize("change", ["amount", "method", "wallet"])
async def test_the_same_key_with_other_content_is_refused(stage: Stage, change: str) -> None:
    actor, wallet = await stage.somebody()
    await stage.started(actor, wallet, key="key")
    second = await stage.wallet(actor, Purpose.PLAYER_CASH)
    before = await stage.marks()
    found = await start_top_up(
        stage.ports, actor, second if change == "wallet" else wallet,
        rupiah(60_000) if change == "amount" else FIFTY, Method.QRIS if change == "method" else BANK, "key",
    )  # fmt: skip
    assert isinstance(found, model.IdReused)
    assert await stage.marks() == before


async def test_at_most_three_are_pending(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_ups = [await stage.started(actor, wallet) for _ in range(3)]
    before = await stage.marks()
    refused = await start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "fourth")
    assert isinstance(refused, model.TooManyPending)
    assert refused.most == 3
    assert await stage.marks() == before
    await stage.drive(top_ups[0], "pay")
    await stage.confirmed(top_ups[0])
    assert (await stage.started(actor, wallet, key="fourth")).state is TopUpState.PENDING


async def test_the_day_has_a_cap_and_ends_at_midnight_in_jakarta(database: DatabaseAddresses) -> None:
    async with staged(database, policy=TopUpPolicy(daily_cap=rupiah(100_000))) as stage:
        actor, wallet = await stage.somebody()
        unpaid = await stage.started(actor, wallet, rupiah(60_000))
        before = await stage.marks()
        refused = await start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "second")
        assert isinstance(refused, model.DailyCapReached)
        assert refused.left == rupiah(40_000)
        assert await stage.marks() == before
        await cancel_top_up(stage.ports, actor, unpaid.id)
        still = await start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "second and a half")
        assert isinstance(still, model.DailyCapReached), "its page lives on and can be paid on"
        await stage.drive(unpaid, "cancel")
        await stage.confirmed(unpaid)
        await stage.started(actor, wallet, rupiah(100_000))
        none_left = await start_top_up(stage.ports, actor, wallet, rupiah(10_000), BANK, "third")
        assert isinstance(none_left, model.DailyCapReached)
        stage.clock.now = datetime.fromisoformat("2026-11-21T16:59:59.999999+00:00")
        assert isinstance(await start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "third"), model.DailyCapReached)
        stage.clock.turn(timedelta(microseconds=1))
        assert (await stage.started(actor, wallet, key="third")).state is TopUpState.PENDING


async def test_sixteen_at_once_keep_both_limits(database: DatabaseAddresses) -> None:
    async with staged(database, policy=TopUpPolicy(daily_cap=rupiah(100_000), most_pending=3)) as stage:
        actor, wallet = await stage.somebody()
        found = await asyncio.gather(
            *(start_top_up(stage.ports, actor, wallet, FIFTY, BANK, f"key {n}") for n in range(16))
        )
        assert sum(isinstance(each, TopUp) for each in found) == 2
        assert sum(isinstance(each, model.DailyCapReached) for each in found) == 14
    async with staged(database) as stage:
        actor, wallet = await stage.somebody()
        found = await asyncio.gather(
            *(start_top_up(stage.ports, actor, wallet, FIFTY, BANK, f"key {n}") for n in range(16))
        )
        assert sum(isinstance(each, TopUp) for each in found) == 3
        assert sum(isinstance(each, model.TooManyPending) for each in found) == 13


async def test_sixteen_replays_at_once_are_one_top_up(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    found = await asyncio.gather(*(start_top_up(stage.ports, actor, wallet, FIFTY, BANK, "key") for _ in range(16)))
    assert len({each.id for each in found if isinstance(each, TopUp)}) == 1
    assert (await stage.calls())["snap.create"] == 1
    assert await stage.events() == ["TopUpStarted", "TopUpOpened"]


async def test_cancelling_tells_the_gateway_and_may_be_repeated(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "choose")
    cancelled = await cancel_top_up(stage.ports, actor, top_up.id)
    assert isinstance(cancelled, TopUp)
    assert cancelled.state is TopUpState.CANCELLED
    assert next(iter(stage.sandbox.account)).state == "cancel"
    before = await stage.marks()
    assert await cancel_top_up(stage.ports, actor, top_up.id) == cancelled
    assert await stage.marks() == before


async def test_a_cancelled_page_that_is_paid_still_lands(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await cancel_top_up(stage.ports, actor, top_up.id)
    await stage.drive(top_up, "pay")
    assert (await stage.confirmed(top_up)).state is TopUpState.SETTLED
    assert await stage.balance(owner_of(actor)) == 50_000


async def test_a_gateway_that_is_away_does_not_keep_anybody_from_cancelling(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    stage.fault("server_error", call="core.cancel")
    cancelled = await cancel_top_up(stage.ports, actor, top_up.id)
    assert isinstance(cancelled, TopUp)
    assert cancelled.state is TopUpState.CANCELLED


async def test_only_ones_own_and_only_unpaid_can_be_cancelled(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.settled(actor, wallet)
    stranger, _ = await stage.somebody()
    before = await stage.marks()
    assert isinstance(await cancel_top_up(stage.ports, stranger, top_up.id), model.TopUpNotFound)
    assert isinstance(await cancel_top_up(stage.ports, actor, TopUpId(uuid7())), model.TopUpNotFound)
    refused = await cancel_top_up(stage.ports, actor, top_up.id)
    assert isinstance(refused, model.NotCancellable)
    assert refused.state is TopUpState.SETTLED
    assert await stage.marks() == before


async def test_top_ups_are_listed_newest_first_by_page(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    made = []
    for _ in range(5):
        made.append(await stage.started(actor, wallet))
        await cancel_top_up(stage.ports, actor, made[-1].id)
    ids = [top_up.id for top_up in reversed(made)]
    first = await stage.ports.top_ups.top_ups_of([actor.person], after=None, first=2)
    rest = await stage.ports.top_ups.top_ups_of([actor.person], after=first[-1].id, first=10)
    assert [top_up.id for top_up in [*first, *rest]] == ids
    assert await confirm_top_up(stage.ports, "unknown") is None
