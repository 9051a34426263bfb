"""PostgreSQL against the model: anything, in any order, through both doors and at once.

LEDGER_EXAMPLES and LEDGER_STEPS set the budget.
"""

import asyncio
import os
import random
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from domain.errors import ConflictError
from domain.ledger.chart import Limits, Purpose
from domain.ledger.model import KEPT_REFUSALS, AccountStatus, Code, Operation, Outcome, Transaction
from tests.fake_ledger import FakeLedger
from tests.ledger_model import Answer, Model
from tests.ledger_on_postgres import DoorName, PostgresHouse, house, sound_database
from tests.ledger_recipes import RECIPES, Kitchen, Recipe, random_recipe
from tests.ledger_stories import HOUR, Hands, World
from tests.servers import Addresses

T = TypeVar("T")

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "120"))
STEPS = int(os.environ.get("LEDGER_STEPS", "30"))
BUDGET = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=EXAMPLES <= 120,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    report_multiple_bugs=False,
)
DOORS: st.SearchStrategy[DoorName] = st.sampled_from(("post", "submit"))


class Ground:
    """One loop and one house for every example of a run."""

    def __init__(self, url: str) -> None:
        self.loop = asyncio.new_event_loop()
        self.url, self.hands, self.stack = url, Hands(), AsyncExitStack()
        self.house: PostgresHouse = self.run(self.stack.enter_async_context(house(url, self.hands)))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def restart(self) -> None:
        """What a new process would know: nothing."""
        self.run(self.stack.aclose())
        self.stack = AsyncExitStack()
        self.house = self.run(self.stack.enter_async_context(house(self.url, self.hands)))

    def close(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()


@pytest.fixture(scope="module")
def ground(servers: Addresses) -> Iterator[Ground]:
    with sound_database(servers) as addresses:
        made = Ground(addresses.app_url)
        yield made
        made.close()


def answer(outcome: Outcome) -> Answer:
    """An outcome as the model answers."""
    shows: dict[Any, tuple[int, int]] = {}
    for row in outcome.rows:
        for side in (row.source, row.target):
            if side and side.posted is not None and side.held is not None:
                shows[side.account] = (side.posted, side.held)
    return Answer(outcome.code, outcome.replayed, frozenset((key, *figures) for key, figures in shows.items()))


def in_some_order(model: Model, told: Sequence[tuple[Transaction, Answer]], hands: Hands) -> Model | None:
    """The model after the transactions in the first order that gives exactly these answers; None if none does."""
    if not told:
        return model
    for place, (transaction, said) in enumerate(told):
        after = model.copy()
        if after.do(transaction, hands()) == said:
            found = in_some_order(after, [*told[:place], *told[place + 1 :]], hands)
            if found is not None:
                return found
    return None


async def agree(opened: PostgresHouse, model: Model, kitchen: Kitchen) -> None:
    """Every account stands in the database as the model says."""
    rows = await opened.database.pool.fetch(
        "select owner, purpose, currency, posted, held, seq from account where owner like $1 || ':%'",
        kitchen.world.scope,
    )
    stands = {tuple(row)[:3]: tuple(row)[3:] for row in rows}
    for account in kitchen.accounts:
        figures = (model.posted(account), model.held(account), model.entries(account))
        assert stands[tuple(account)] == ((0, 0, 0) if account.purpose.is_platform else figures), account


async def open_all(opened: PostgresHouse, kitchen: Kitchen) -> None:
    async with opened.works() as work:
        for account, limits in kitchen.accounts.items():
            await work.ledger.open(account, limits)


class LedgerMachine(RuleBasedStateMachine):
    ground: ClassVar[Ground]

    @initialize()
    def begin(self) -> None:
        self.hands = self.ground.hands
        self.kitchen, self.model = Kitchen(World(uuid4().hex, self.hands)), Model()
        self.ground.run(open_all(self.ground.house, self.kitchen))
        for account, limits in self.kitchen.accounts.items():
            self.model.open(account, limits)
        for transaction in self.kitchen.begin():
            self.tell(transaction, "submit")

    @rule(recipe=RECIPES, door=DOORS)
    def one(self, recipe: Recipe, door: DoorName) -> None:
        self.tell(self.kitchen.make(recipe), door)

    @rule(back=st.integers(0, 40), door=DOORS)
    def again(self, back: int, door: DoorName) -> None:
        if self.kitchen.made:
            self.tell(self.kitchen.made[-1 - back % len(self.kitchen.made)], door)

    @rule(recipes=st.lists(st.tuples(RECIPES, DOORS), min_size=2, max_size=5), repeat=st.booleans())
    def together(self, recipes: list[tuple[Recipe, DoorName]], repeat: bool) -> None:
        sent = [(self.kitchen.make(recipe), door) for recipe, door in recipes]
        if repeat:
            sent.append((sent[0][0], "submit" if sent[0][1] == "post" else "post"))
        outcomes = self.ground.run(self.all_at_once(sent))
        told = [(transaction, answer(outcome)) for (transaction, _), outcome in zip(sent, outcomes, strict=True)]
        found = in_some_order(self.model, told, self.hands)
        assert found is not None, f"no order gives these answers: {told}"
        self.model = found

    async def all_at_once(self, sent: Sequence[tuple[Transaction, DoorName]]) -> list[Outcome]:
        return await asyncio.gather(*(self.ground.house.do(transaction, door) for transaction, door in sent))

    @rule(hours=st.integers(1, 2))
    def time_passes(self, hours: int) -> None:
        self.hands.move(hours * HOUR)

    @rule(number=st.sampled_from([0, 0, 1, 1, 2, 3, 6, 9, 10]), status=st.sampled_from(AccountStatus))
    def status(self, number: int, status: AccountStatus) -> None:
        account = list(self.kitchen.accounts)[number]
        empty = not (self.model.posted(account) or self.model.held(account))
        may_close = empty and account.purpose is not Purpose.RECEIVABLE
        allowed = status is not AccountStatus.CLOSED or may_close
        if self.changed(self.ground.house.set_status(account, status), allowed=allowed):
            self.model.status[account] = status

    @rule(number=st.integers(0, 8), floor=st.integers(-30, 30), room=st.integers(0, 200))
    def limits(self, number: int, floor: int, room: int) -> None:
        account = list(self.kitchen.accounts)[number]
        posted = self.model.posted(account)
        allowed = posted - self.model.held(account) >= floor and posted <= floor + room
        if self.changed(self.ground.house.set_limits(account, Limits(floor, floor + room)), allowed=allowed):
            self.model.bounds[account] = Limits(floor, floor + room)

    @rule(really=st.sampled_from([False, False, False, True]))
    def restart(self, really: bool) -> None:
        if really:
            self.ground.restart()

    def changed(self, change: Coroutine[Any, Any, None], *, allowed: bool) -> bool:
        try:
            self.ground.run(change)
        except ConflictError:
            assert not allowed
            return False
        assert allowed
        return True

    def tell(self, transaction: Transaction, door: DoorName) -> None:
        outcome = self.ground.run(self.ground.house.do(transaction, door))
        assert answer(outcome) == self.model.do(transaction, self.hands())

    def teardown(self) -> None:
        if hasattr(self, "kitchen"):
            self.ground.run(agree(self.ground.house, self.model, self.kitchen))


def test_postgres_does_what_the_model_does(ground: Ground) -> None:
    LedgerMachine.ground = ground
    run_state_machine_as_test(LedgerMachine, settings=BUDGET)


def test_a_long_even_deal_meets_every_code(ground: Ground) -> None:
    met = ground.run(dealt(ground, random.Random(11), 1_500))
    assert met >= set(Code) - {Code.UNKNOWN_ACCOUNT, Code.CURRENCY_MISMATCH}


async def dealt(ground: Ground, dice: random.Random, count: int) -> set[Code]:
    """One long story through both doors, checked at every step; answers the codes that it met."""
    kitchen, model, met = Kitchen(World(uuid4().hex, ground.hands)), Model(), set[Code]()
    await open_all(ground.house, kitchen)
    for account, limits in kitchen.accounts.items():
        model.open(account, limits)
    owned = [account for account in kitchen.accounts if not account.purpose.is_platform]
    for transaction in [*kitchen.begin(), *(None for _ in range(count))]:
        if dice.random() < 0.02:
            ground.hands.move(HOUR / 2)
        if dice.random() < 0.06:
            account, status = dice.choice(owned), dice.choice([*AccountStatus, *(AccountStatus.OPEN,) * 3])
            if status is not AccountStatus.CLOSED or not (model.posted(account) or model.held(account)):
                await ground.house.set_status(account, status)
                model.status[account] = status
        made = transaction or kitchen.make(random_recipe(dice))
        if made.operation is Operation.MOVE and dice.random() < 0.01:
            made = Transaction.move(made.id, *(replace(line, amount=-line.amount) for line in made.postings))
        outcome = await ground.house.do(made, dice.choice(("post", "submit")))
        assert answer(outcome) == model.do(made, ground.hands())
        met.add(outcome.code)
    await agree(ground.house, model, kitchen)
    return met


def test_any_split_into_rounds_and_any_repeats_end_in_the_same_state(ground: Ground) -> None:
    @settings(BUDGET, max_examples=EXAMPLES)
    @given(recipes=st.lists(RECIPES, min_size=8, max_size=40), seed=st.integers(0, 2**32))
    def splits(recipes: list[Recipe], seed: int) -> None:
        ground.run(in_rounds(ground, recipes, random.Random(seed)))

    splits()


async def in_rounds(ground: Ground, recipes: Sequence[Recipe], dice: random.Random) -> None:
    """The same transactions one by one in memory, and in rounds with repeats among them on PostgreSQL."""
    kitchen = Kitchen(World(uuid4().hex, ground.hands))
    memory = FakeLedger(ground.hands)
    for account, limits in kitchen.accounts.items():
        await memory.open(account, limits)
    await open_all(ground.house, kitchen)
    transactions = [*kitchen.begin(), *(kitchen.make(recipe) for recipe in recipes)]
    first = [await memory.post(transaction) for transaction in transactions]
    kept = [
        (transaction, outcome)
        for transaction, outcome in zip(transactions, first, strict=True)
        if outcome.code in KEPT_REFUSALS | {Code.POSTED}
    ]
    given_answers: list[tuple[Transaction, Outcome, Outcome | None]] = []
    places = list(range(len(transactions)))
    while places:
        cut = dice.randint(1, len(places))
        now, places = places[:cut], places[cut:]
        sent = [(transactions[place], first[place]) for place in now]
        earlier = [pair for pair in kept if pair[0] in transactions[: now[0]]]
        repeats = dice.sample(earlier, min(len(earlier), dice.randint(0, 3)))
        mixed = [*sent, *((again, outcome) for again, outcome in repeats)]
        async with ground.house.database.transaction() as connection:
            decided = await ground.house.core.decide_all(connection, [one for one, _ in mixed], wait=False)
        given_answers += [(one, told, got) for (one, told), got in zip(mixed, decided.outcomes, strict=True)]
    dice.shuffle(kept)
    for again, outcome in kept:
        given_answers.append((again, outcome, await ground.house.do(again, dice.choice(("post", "submit")))))
    for transaction, told, got in given_answers:
        assert got is not None
        assert (got.code, answer(got).shows) == (told.code, answer(told).shows), transaction
    for account in kitchen.accounts:
        if not account.purpose.is_platform:
            assert await ground.house.balance(account) == memory.balance(account)
