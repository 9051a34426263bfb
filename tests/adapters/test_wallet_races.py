"""Many at once, slow ones, and processes that end at the worst moment: the money is the same."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.work import PostgresWork
from adapters.wiring import Adapters
from domain.errors import UnavailableError
from domain.wallet.actions import cancel_top_up, confirm_top_up, start_top_up, sweep_top_ups
from domain.wallet.gateway import Gateway, Method, PaymentStatus
from domain.wallet.model import TopUp, TopUpState
from domain.wallet.postings import receivable
from tests.builders import FIFTY, Stage, order_of, owner_of, rupiah, staged
from tests.waiting import eventually

BANK = Method.BANK_TRANSFER


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[Stage]:
    async with staged(database) as stage:
        yield stage


async def test_sixteen_confirmations_at_once_are_one_credit(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "pay")
    found = await asyncio.gather(*(stage.confirmed(top_up) for _ in range(16)))
    assert {each.state for each in found} == {TopUpState.SETTLED}
    assert await stage.balance(owner_of(actor)) == 50_000
    assert (await stage.events()).count("TopUpSettled") == 1
    assert (await stage.calls())["core.status"] <= 16


async def test_webhooks_and_sweeps_of_many_orders_at_once(stage: Stage) -> None:
    people = [await stage.somebody() for _ in range(4)]
    top_ups = [await stage.started(actor, wallet) for actor, wallet in people for _ in range(3)]
    for top_up in top_ups:
        await stage.drive(top_up, "pay")
    stage.clock.turn(timedelta(minutes=1))
    await asyncio.gather(
        *(stage.confirmed(top_up) for top_up in top_ups for _ in range(3)),
        *(sweep_top_ups(stage.ports, stage.clock()) for _ in range(3)),
    )
    balances = await stage.balances()
    assert [balances[owner_of(actor)] for actor, _ in people] == [150_000] * 4
    assert (await stage.events()).count("TopUpSettled") == len(top_ups)


async def test_chargebacks_and_credits_of_one_owner_at_once(stage: Stage) -> None:
    """The receivable is opened amid credits that would repay it; no deadlock, and nothing is lost."""
    people = [await stage.somebody() for _ in range(3)]
    first = [await stage.settled(actor, wallet, rupiah(50_000)) for actor, wallet in people]
    second = [await stage.started(actor, wallet, rupiah(30_000)) for actor, wallet in people]
    third = [await stage.started(actor, wallet, rupiah(20_000)) for actor, wallet in people]
    for top_up in first:
        await stage.drive(top_up, "chargeback")
    for top_up in [*second, *third]:
        await stage.drive(top_up, "pay")
    await asyncio.gather(*(stage.confirmed(top_up) for top_up in [*first, *second, *third] for _ in range(3)))
    balances = await stage.balances()
    for actor, _ in people:
        assert balances[owner_of(actor)] + balances.get(receivable(owner_of(actor)), 0) == 50_000


class Held:
    """The real gateway, whose status answers are held back on their way until they are let go."""

    name = "midtrans"

    def __init__(self, stage: Stage) -> None:
        self._gateway = stage.gateway
        self.answered, self.let_go = asyncio.Event(), asyncio.Event()

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._gateway, verb)

    async def status(self, order_id: str, *, transaction_id: str | None = None) -> PaymentStatus:
        found = await self._gateway.status(order_id, transaction_id=transaction_id)
        self.answered.set()
        await self.let_go.wait()
        return found


async def race(stage: Stage, top_up: TopUp, deed: str) -> None:
    """Somebody slow has an answer in hand; then `deed` happens and is recorded by somebody quick."""
    held = Held(stage)
    slow = asyncio.create_task(confirm_top_up(stage.with_gateway(held), order_of(top_up)))
    await held.answered.wait()
    await stage.drive(top_up, deed)
    await stage.confirmed(top_up)
    held.let_go.set()
    await slow


async def test_an_old_success_that_comes_late_is_not_credited(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, method=Method.CARD)
    await stage.drive(top_up, "capture")
    await race(stage, top_up, "cancel")
    cancelled = await stage.again(top_up)
    assert (cancelled.state, cancelled.credited) == (TopUpState.CANCELLED, rupiah(0))
    assert await stage.balance(owner_of(actor)) == 0


async def test_an_old_pending_that_comes_late_undoes_nothing(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "choose")
    await race(stage, top_up, "settle")
    assert (await stage.again(top_up)).state is TopUpState.SETTLED
    assert await stage.balance(owner_of(actor)) == 50_000


async def test_an_old_payment_that_comes_after_its_chargeback_adds_nothing(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "pay")
    await race(stage, top_up, "chargeback")
    assert await stage.balance(owner_of(actor)) == 0
    assert (await stage.again(top_up)).taken_back == FIFTY


async def test_cancelling_amid_the_opening_of_the_page(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet, key="key")
    await asyncio.gather(
        stage.drive(top_up, "pay"), cancel_top_up(stage.ports, actor, top_up.id), stage.confirmed(top_up)
    )
    assert (await stage.confirmed(top_up)).credited == FIFTY
    assert await stage.balance(owner_of(actor)) == 50_000


class DeathError(BaseException):
    """The process ends here."""


@dataclass
class Mortal:
    """The same ports for a process that dies at its n-th step: around each commit and each call of the gateway."""

    stage: Stage
    dies_at: int
    steps: int = 0
    gateways: Mapping[str, Gateway] = field(init=False)

    def __post_init__(self) -> None:
        self.gateways = {"midtrans": _MortalGateway(self)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stage.ports, name)

    def step(self) -> None:
        self.steps += 1
        if self.steps == self.dies_at:
            raise DeathError

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PostgresWork]:
        async with self.stage.ports.work() as work:
            yield work
            self.step()
        self.step()


class _MortalGateway:
    name = "midtrans"

    def __init__(self, mortal: Mortal) -> None:
        self._mortal, self._gateway = mortal, mortal.stage.gateway

    def __getattr__(self, verb: str) -> Any:
        async def call(*args: object, **more: object) -> object:
            self._mortal.step()
            found = await getattr(self._gateway, verb)(*args, **more)
            self._mortal.step()
            return found

        return call


async def story(stage: Stage, ports: Adapters, actor_wallet: tuple[Any, Any]) -> None:
    """Start, pay, confirm, charge back, confirm; each part picked up wherever the one before it ended."""
    actor, wallet = actor_wallet
    top_up = await start_top_up(ports, actor, wallet, FIFTY, BANK, "key")
    assert isinstance(top_up, TopUp)
    await stage.drive(top_up, "pay")
    await confirm_top_up(ports, order_of(top_up))
    await stage.drive(top_up, "chargeback", amount=20_000)
    await confirm_top_up(ports, order_of(top_up))


async def recovered(stage: Stage, actor: Any) -> TopUp:
    """Sweeps alone, with time passing, until nothing is due; what the payer and the bank do happens meanwhile."""
    (top_up,) = await stage.ports.top_ups.top_ups_of([actor.person], after=None, first=10)
    for _ in range(4):
        stage.clock.turn(timedelta(minutes=2))
        sweep = await sweep_top_ups(stage.ports, stage.clock())
        assert not sweep.failed
        payment = stage.sandbox.account.find(order_of(top_up))
        assert payment is not None
        if payment.state == "new":
            await stage.drive(top_up, "pay")
        elif payment.state == "settlement":
            await stage.drive(top_up, "chargeback", amount=20_000)
    stage.clock.turn(timedelta(hours=1))
    await sweep_top_ups(stage.ports, stage.clock())
    return await stage.again(top_up)


async def test_wherever_a_process_dies_sweeps_reach_the_same_end(stage: Stage) -> None:
    dies_at, stories = 0, 0
    while True:
        dies_at += 1
        actor, wallet = await stage.somebody()
        mortal: Any = Mortal(stage, dies_at)
        before = await stage.ports.database.pool.fetchval("select count(*) from top_up")
        try:
            await story(stage, mortal, (actor, wallet))
        except DeathError:
            stories += 1
        else:
            break
        if await stage.ports.database.pool.fetchval("select count(*) from top_up") == before:
            assert dies_at == 1, "only a death before the first commit leaves nothing"
            continue
        end = await recovered(stage, actor)
        assert (end.state, end.credited, end.taken_back) == (TopUpState.SETTLED, FIFTY, rupiah(20_000)), dies_at
        assert await stage.balance(owner_of(actor)) == 30_000
        assert (await stage.calls())["snap.create"] >= 1
    assert stories >= 14, "the story has at least so many points to die at"


async def test_a_database_that_goes_away_amid_a_confirmation_leaves_it_undone(stage: Stage) -> None:
    actor, wallet = await stage.somebody()
    top_up = await stage.started(actor, wallet)
    await stage.drive(top_up, "pay")
    held = Held(stage)
    slow = asyncio.create_task(confirm_top_up(stage.with_gateway(held), order_of(top_up)))
    await held.answered.wait()
    await stage.ports.database.pool.fetch(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
        " and usename = current_user and datname = current_database()"
    )
    held.let_go.set()
    (outcome,) = await asyncio.gather(slow, return_exceptions=True)

    async def credited() -> bool:
        try:
            return (await stage.confirmed(top_up)).credited == FIFTY
        except (OSError, UnavailableError):
            return False

    await eventually(credited)
    assert await stage.balance(owner_of(actor)) == 50_000
    del outcome
