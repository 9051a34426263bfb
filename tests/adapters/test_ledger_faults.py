"""The ledger when things go wrong around it: lost connections, full queues, slow callers and poisoned items."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.batcher import Batcher
from adapters.postgres.database import LOST, Database
from adapters.postgres.ledger import LedgerCore, PostgresLedger
from domain.errors import ConflictError, UnavailableError
from domain.ledger.chart import Kind, Limits, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Code, Outcome, Posting, Transaction
from domain.money import Currency, Money
from tests.ledger_on_postgres import PostgresHouse, breaches, house
from tests.ledger_stories import Hands, World, post
from tests.waiting import PATIENCE_S, eventually


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def world(hands: Hands) -> World:
    return World(uuid4().hex, hands)


@pytest_asyncio.fixture
async def opened(database: DatabaseAddresses, hands: Hands, world: World) -> AsyncIterator[PostgresHouse]:
    async with house(database.app_url, hands) as made:
        for account in (*world.platform, world.wallet("a"), world.wallet("b")):
            await made.open(account)
        for name in "ab":
            assert (await made.post(world.top_up(f"begin {name}", world.wallet(name), 10_000))).posted
        yield made
    assert await breaches(database.superuser_url) == {}


async def rows_of(opened: PostgresHouse, transaction: Transaction) -> int:
    query = "select count(*) from journal where transaction_id = $1"
    return int(await opened.database.pool.fetchval(query, transaction.id))


class BreakingOnce:
    """A core whose connection is lost at a chosen place, once."""

    def __init__(self, core: LedgerCore, breaks: Callable[[asyncpg.Connection], Any]) -> None:
        self._core, self._breaks, self.broke = core, breaks, 0

    async def decide_all(self, connection: asyncpg.Connection, transactions: Any, *, wait: bool) -> Any:
        decided = await self._core.decide_all(connection, transactions, wait=wait)
        if not self.broke:
            self.broke += 1
            await self._breaks(connection)
        return decided


async def lose_before_commit(connection: asyncpg.Connection) -> None:
    connection.terminate()


async def lose_after_commit(connection: asyncpg.Connection) -> None:
    """The server commits, and nobody hears of it."""
    await connection.execute("commit")
    connection.terminate()


async def be_ended_by_the_server(connection: asyncpg.Connection) -> None:
    await connection.execute("select pg_terminate_backend(pg_backend_pid())")


async def meet_a_deadlock(connection: asyncpg.Connection) -> None:
    raise asyncpg.DeadlockDetectedError("made up")


async def meet_another_of_the_same_id(connection: asyncpg.Connection) -> None:
    raise asyncpg.UniqueViolationError("made up")


async def fail_to_be_serialized(connection: asyncpg.Connection) -> None:
    raise asyncpg.SerializationError("made up")


@pytest.mark.parametrize(
    ("breaks", "replayed"),
    [
        (lose_before_commit, False), (lose_after_commit, True), (be_ended_by_the_server, False),
        (meet_a_deadlock, False), (meet_another_of_the_same_id, False), (fail_to_be_serialized, False),
    ],
)  # fmt: skip
async def test_what_breaks_under_a_round_is_healed_and_done_once(
    opened: PostgresHouse, world: World, breaks: Callable[[asyncpg.Connection], Any], replayed: bool
) -> None:
    core: Any = BreakingOnce(opened.core, breaks)
    batcher = Batcher(opened.database, core, lanes=1)
    sent = [world.charge(str(number), world.wallet("a"), 1) for number in range(10)]
    async with batcher.running():
        outcomes = await asyncio.wait_for(asyncio.gather(*map(batcher.submit, sent)), PATIENCE_S)
    assert core.broke == 1
    assert {outcome.code for outcome in outcomes} == {Code.POSTED}
    assert {outcome.replayed for outcome in outcomes} == {replayed}
    assert (await opened.balance(world.wallet("a"))).posted == 9_990


async def test_the_lane_heals_while_nobody_asks_for_anything(opened: PostgresHouse, world: World) -> None:
    assert (await opened.batcher.submit(world.charge("1", world.wallet("a"), 1))).posted
    await opened.database.pool.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
        "and pid <> pg_backend_pid() and usename = current_user"
    )
    outcome = await asyncio.wait_for(opened.batcher.submit(world.charge("2", world.wallet("a"), 1)), PATIENCE_S)
    assert (outcome.code, outcome.replayed) == (Code.POSTED, False)


async def test_a_cancelled_caller_does_not_cancel_its_item(opened: PostgresHouse, world: World) -> None:
    charge = world.charge("c", world.wallet("a"), 1)
    caller = asyncio.create_task(opened.batcher.submit(charge))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await eventually(lambda: rows_of(opened, charge))
    assert (await opened.batcher.submit(charge)).replayed


async def test_what_is_queued_at_the_end_is_finished(opened: PostgresHouse, world: World) -> None:
    batcher = Batcher(opened.database, opened.core, lanes=1)
    async with batcher.running():
        callers = [
            asyncio.create_task(batcher.submit(world.charge(str(number), world.wallet("a"), 1))) for number in range(50)
        ]
        await asyncio.sleep(0)
    assert all(caller.done() and caller.result().posted for caller in callers)


async def test_after_the_end_nothing_is_taken(opened: PostgresHouse, world: World) -> None:
    batcher = Batcher(opened.database, opened.core, lanes=1)
    async with batcher.running():
        pass
    with pytest.raises(UnavailableError):
        await asyncio.wait_for(batcher.submit(world.charge("c", world.wallet("a"), 1)), PATIENCE_S)


async def test_a_full_queue_refuses_at_once(opened: PostgresHouse, world: World) -> None:
    batcher = Batcher(opened.database, opened.core, lanes=1, capacity=2)
    async with batcher.running():
        charges = [world.charge(str(number), world.wallet("a"), 1) for number in range(3)]
        answers = await asyncio.gather(*map(batcher.submit, charges), return_exceptions=True)
        assert [isinstance(answer, UnavailableError) for answer in answers] == [False, False, True]
        assert await rows_of(opened, charges[2]) == 0
        again = await batcher.submit(charges[2])
        assert (again.code, again.replayed) == (Code.POSTED, False)


async def test_who_waits_too_long_is_told_and_may_ask_again(opened: PostgresHouse, world: World) -> None:
    batcher = Batcher(opened.database, opened.core, lanes=1, patience_s=1)
    charge = world.charge("c", world.wallet("a"), 1)
    async with batcher.running():
        async with opened.works() as slow:
            await slow.ledger.lock([world.wallet("a")])
            with pytest.raises(UnavailableError):
                await asyncio.wait_for(batcher.submit(charge), PATIENCE_S)
            assert (await batcher.submit(world.charge("b", world.wallet("b"), 1))).posted
        assert (await batcher.submit(charge)).posted


async def test_patience_ends_while_no_connection_is_to_be_had(
    opened: PostgresHouse, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def none(**_: object) -> AsyncIterator[asyncpg.Connection]:
        raise ConnectionRefusedError
        yield

    monkeypatch.setattr(opened.database, "own", none)
    batcher = Batcher(opened.database, opened.core, lanes=1, patience_s=0.2)
    async with batcher.running():
        with pytest.raises(UnavailableError):
            await asyncio.wait_for(batcher.submit(world.charge("c", world.wallet("a"), 1)), PATIENCE_S)


@pytest.mark.parametrize("size", [1, 2])
async def test_a_narrow_pool_serves_both_doors(
    database: DatabaseAddresses, hands: Hands, opened: PostgresHouse, world: World, size: int
) -> None:
    async with house(database.app_url, hands, size=size) as narrow:
        a = world.wallet("a")
        charges = [world.charge(str(number), a, 1) for number in range(40)]
        submitted = asyncio.gather(*map(narrow.batcher.submit, charges[:20]))
        posted = asyncio.gather(*map(narrow.post, charges[20:]))
        for outcome in [*await asyncio.wait_for(submitted, PATIENCE_S), *await asyncio.wait_for(posted, PATIENCE_S)]:
            assert outcome.posted


async def test_who_waits_too_long_for_a_connection_is_told(database: DatabaseAddresses) -> None:
    async with Database(database.app_url, size=1, patience_s=0.2) as narrow:
        async with narrow.transaction():
            for asked in (narrow.pool.fetchval("select 1"), narrow.transaction().__aenter__()):
                with pytest.raises(UnavailableError):
                    await asyncio.wait_for(asked, PATIENCE_S)
        assert await narrow.pool.fetchval("select 1") == 1
        async with narrow.transaction() as connection:
            assert await connection.fetchval("select 1") == 1


class Yesterday:
    """Looks like a moment as long as nobody reckons with it."""

    def utcoffset(self) -> timedelta:
        return timedelta(0)

    def isoformat(self) -> str:
        return "yesterday"


def poisoned(world: World) -> dict[str, Transaction]:
    wallet = world.wallet("a")

    def moves(name: str, to: AccountKey) -> Transaction:
        return Transaction.move(world.id(name), post(Kind.TOP_UP, world.clearing, to, 1))

    return {
        "a name with a zero byte": moves("zero", world.account("\x00")),
        "a name that is no text": moves("surrogate", world.account("\ud800")),
        "a time that no clock shows": Transaction.move(
            world.id("time"), world.charging(wallet, 1), effective_at=Yesterday(),  # type: ignore[arg-type]  # poison
        ),
    }  # fmt: skip


@pytest.mark.parametrize("what", poisoned(World("", Hands())))
async def test_a_poisoned_item_fails_alone_and_at_once(opened: PostgresHouse, world: World, what: str) -> None:
    bad = poisoned(world)[what]
    good = [world.charge(str(number), world.wallet("b"), 1) for number in range(20)]
    answers = await asyncio.wait_for(
        asyncio.gather(*map(opened.batcher.submit, [*good[:10], bad, *good[10:]]), return_exceptions=True), PATIENCE_S
    )
    assert not isinstance(answers.pop(10), Outcome | UnavailableError)
    assert all(isinstance(answer, Outcome) and answer.posted for answer in answers)
    assert await rows_of(opened, bad) == 0


async def test_an_account_that_others_hold_stalls_nobody_else(opened: PostgresHouse, world: World) -> None:
    a, b = world.wallet("a"), world.wallet("b")
    async with opened.works() as slow:
        await slow.ledger.lock([a])
        waiting = [asyncio.create_task(opened.batcher.submit(world.charge(f"a{n}", a, 1))) for n in range(1_200)]
        async with asyncio.timeout(PATIENCE_S):  # those who hold it go on for longer than anybody waits
            for number in range(20):
                charges = (world.charge(f"b{number} {part}", b, 1) for part in range(3))
                outcomes = await asyncio.gather(*map(opened.batcher.submit, charges))
                assert all(outcome.posted for outcome in outcomes)
        assert not any(task.done() for task in waiting)
    outcomes = await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)
    assert {(outcome.code, outcome.replayed) for outcome in outcomes} == {(Code.POSTED, False)}


async def test_a_hold_that_others_capture_stalls_nobody_else(opened: PostgresHouse, world: World) -> None:
    a, b = world.wallet("a"), world.wallet("b")
    assert (await opened.post(world.hold("h", world.charging(a, 10)))).posted
    async with opened.works() as slow:
        assert (await slow.ledger.post(world.capture("c", "h", 4))).posted
        rest = asyncio.create_task(opened.batcher.submit(world.capture("c2", "h")))
        repeat = asyncio.create_task(opened.batcher.submit(world.capture("c", "h", 4)))
        async with asyncio.timeout(PATIENCE_S):
            for number in range(20):
                assert (await opened.batcher.submit(world.charge(f"b{number}", b, 1))).posted
        assert not rest.done()
    assert (await asyncio.wait_for(rest, PATIENCE_S)).rows[0].amount == 6
    assert (await asyncio.wait_for(repeat, PATIENCE_S)).replayed
    assert (await opened.balance(a)).held == 0


async def test_many_on_locked_accounts_do_not_crowd_out_the_others_of_a_single_lane(
    opened: PostgresHouse, world: World
) -> None:
    a, b = world.wallet("a"), world.wallet("b")
    batcher = Batcher(opened.database, opened.core, lanes=1)
    async with batcher.running():
        async with opened.works() as slow:
            await slow.ledger.lock([a])
            waiting = [asyncio.create_task(batcher.submit(world.charge(f"a{n}", a, 1))) for n in range(1_200)]
            await asyncio.sleep(0)
            assert (await batcher.submit(world.charge("b", b, 1))).posted  # else its patience would end in an error
            assert not any(task.done() for task in waiting)
        await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE_S)


async def test_a_unit_of_work_that_fails_leaves_nothing(opened: PostgresHouse, world: World) -> None:
    charge, fresh = world.charge("c", world.wallet("a"), 1), world.wallet("fresh")

    async def fails() -> None:
        async with opened.works() as work:
            await work.ledger.open(fresh)
            assert (await work.ledger.post(charge)).posted
            raise ConflictError("something else went wrong")

    with pytest.raises(ConflictError):
        await fails()
    assert await rows_of(opened, charge) == 0
    assert (await opened.post(world.top_up("to nobody", fresh, 1))).code is Code.UNKNOWN_ACCOUNT
    assert (await opened.batcher.submit(world.top_up("to nobody", fresh, 1))).code is Code.UNKNOWN_ACCOUNT
    assert (await opened.post(charge)).replayed is False


async def test_a_refusal_in_a_unit_of_work_is_committed_with_it(opened: PostgresHouse, world: World) -> None:
    charge = world.charge("c", world.wallet("a"), 10_001)
    assert (await opened.post(charge)).code is Code.INSUFFICIENT_FUNDS
    assert (await opened.post(world.top_up("t", world.wallet("a"), 1))).posted
    again = await opened.batcher.submit(charge)
    assert (again.code, again.replayed) == (Code.INSUFFICIENT_FUNDS, True)


async def test_a_unit_of_work_waits_for_the_id_that_another_is_deciding(opened: PostgresHouse, world: World) -> None:
    settle = Transaction.move(world.id("s"), post(Kind.GATEWAY_SETTLEMENT, world.bank, world.clearing, 5))
    async with opened.works() as first:
        assert (await first.ledger.post(settle)).replayed is False
        second, third = asyncio.create_task(opened.post(settle)), asyncio.create_task(opened.batcher.submit(settle))
        await eventually(lambda: waiting_for_a_lock(opened))
        assert not second.done()
    assert (await second).replayed
    assert (await third).replayed
    assert await rows_of(opened, settle) == 1


async def waiting_for_a_lock(opened: PostgresHouse) -> bool:
    query = "select count(*) > 0 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    return bool(await opened.database.pool.fetchval(query))


async def test_lock_answers_balances_and_keeps_others_out_until_the_end(opened: PostgresHouse, world: World) -> None:
    a, ghost = world.wallet("a"), world.wallet("ghost")
    async with opened.works() as work:
        locked = await work.ledger.lock([a, ghost, world.clearing])
        assert {key: balance.available for key, balance in locked.items()} == {a: 10_000}
        other = asyncio.create_task(opened.post(world.charge("c", a, 10_000)))
        await eventually(lambda: waiting_for_a_lock(opened))
        assert (await work.ledger.post(world.charge("first", a, 1))).posted
    assert (await other).code is Code.INSUFFICIENT_FUNDS


async def test_times_and_amounts_come_back_as_they_were(opened: PostgresHouse, world: World) -> None:
    happened = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
    posting = Posting(Kind.TOP_UP, world.clearing, world.wallet("a"), Money(2**53 + 1, Currency.IDR))
    move = Transaction.move(world.id("m"), posting, effective_at=happened)
    first = await opened.post(move)
    again = await opened.batcher.submit(move)
    assert again.rows == first.rows
    assert again.rows[0].effective_at == happened
    assert again.rows[0].source is not None
    assert again.rows[0].source.account.purpose is Purpose.GATEWAY_CLEARING


async def test_a_unit_of_work_in_which_a_statement_failed_does_not_pass_for_committed(
    opened: PostgresHouse, world: World
) -> None:
    charge = world.charge("c", world.wallet("a"), 1)

    async def goes_on_after_a_failure() -> None:
        async with opened.database.transaction() as connection:
            assert (await PostgresLedger(connection, opened.core).post(charge)).posted
            with pytest.raises(asyncpg.DivisionByZeroError):
                await connection.execute("select 1 / 0")

    with pytest.raises(ConflictError, match="nothing of it"):
        await goes_on_after_a_failure()
    assert await rows_of(opened, charge) == 0


async def test_a_refused_change_of_an_account_leaves_the_unit_of_work_whole(
    opened: PostgresHouse, world: World
) -> None:
    a, charge = world.wallet("a"), world.charge("c", world.wallet("a"), 1)
    async with opened.works() as work:
        await work.ledger.lock([a])
        with pytest.raises(ConflictError):
            await work.register.set_status(a, AccountStatus.CLOSED)
        assert (await work.ledger.post(charge)).posted
    assert await rows_of(opened, charge) == 1


async def test_an_account_is_changed_alone_or_after_all_were_locked(opened: PostgresHouse, world: World) -> None:
    a, b = world.wallet("a"), world.wallet("b")
    async with opened.works() as work:
        await work.register.set_status(b, AccountStatus.FROZEN)
        await work.register.set_limits(b, Limits(0, 20_000))
        with pytest.raises(RuntimeError, match="in order"):
            await work.register.set_status(a, AccountStatus.FROZEN)
        with pytest.raises(RuntimeError, match="in order"):
            await work.ledger.lock([a])
        with pytest.raises(RuntimeError, match="in order"):
            await work.ledger.post(world.charge("c", a, 1))
    async with opened.works() as work:
        assert (await work.ledger.post(world.charge("c", a, 1))).posted
        with pytest.raises(RuntimeError, match="in order"):
            await work.register.set_status(b, AccountStatus.OPEN)
    async with opened.works() as work:
        await work.ledger.lock([a, b])
        await work.register.set_status(b, AccountStatus.OPEN)
        assert (await work.ledger.post(world.charge("d", a, 1))).posted


async def test_a_unit_of_work_that_stands_still_is_ended_by_the_server(
    database: DatabaseAddresses, hands: Hands, opened: PostgresHouse, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await opened.database.pool.fetchval("show idle_in_transaction_session_timeout") == "30s"
    a = world.wallet("a")
    monkeypatch.setattr("adapters.postgres.database.LONGEST_STANDSTILL", "2s")
    async with house(database.app_url, hands) as hasty:

        async def stand_still() -> None:
            async with hasty.works() as still:
                await still.ledger.lock([a])
                assert (await asyncio.wait_for(opened.post(world.charge("other", a, 1)), PATIENCE_S)).posted

        with pytest.raises(LOST):
            await stand_still()
        assert (await hasty.post(world.charge("again", a, 1))).posted


async def test_an_id_that_a_unit_of_work_has_in_hand_stalls_nobody_else(opened: PostgresHouse, world: World) -> None:
    settle = Transaction.move(world.id("s"), post(Kind.GATEWAY_SETTLEMENT, world.bank, world.clearing, 5))
    batcher = Batcher(opened.database, opened.core, lanes=1, patience_s=3)
    async with batcher.running():
        async with opened.works() as slow:
            assert (await slow.ledger.post(settle)).posted
            late = asyncio.create_task(batcher.submit(settle))
            others = [
                asyncio.create_task(batcher.submit(world.charge(f"{n}", world.wallet("b"), 1))) for n in range(20)
            ]
            outcomes = await asyncio.wait_for(asyncio.gather(*others), PATIENCE_S)
            assert all(outcome.posted for outcome in outcomes)
            with pytest.raises(UnavailableError):
                await asyncio.wait_for(late, PATIENCE_S)
        assert (await batcher.submit(settle)).replayed


async def test_patience_ends_for_what_a_lane_has_in_hand(opened: PostgresHouse, world: World) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def stand_still(_: asyncpg.Connection) -> None:
        begun.set()
        await go_on.wait()

    core: Any = BreakingOnce(opened.core, stand_still)
    batcher = Batcher(opened.database, core, lanes=1, patience_s=1)
    charge = world.charge("c", world.wallet("a"), 1)
    async with batcher.running():
        answer = asyncio.create_task(batcher.submit(charge))
        await begun.wait()
        with pytest.raises(UnavailableError):
            await asyncio.wait_for(answer, PATIENCE_S)
        go_on.set()
        assert (await asyncio.wait_for(batcher.submit(charge), PATIENCE_S)).replayed


async def test_what_always_conflicts_spoils_no_round_but_its_own(opened: PostgresHouse, world: World) -> None:
    bad = world.charge("bad", world.wallet("a"), 1)

    class Conflicting:
        async def decide_all(self, connection: asyncpg.Connection, transactions: Any, *, wait: bool) -> Any:
            if bad in transactions:
                raise ConflictError("made up")
            return await opened.core.decide_all(connection, transactions, wait=wait)

    core: Any = Conflicting()
    batcher = Batcher(opened.database, core, lanes=1, patience_s=3)
    good = [world.charge(str(number), world.wallet("b"), 1) for number in range(20)]
    async with batcher.running():
        late = asyncio.create_task(batcher.submit(bad))
        outcomes = await asyncio.gather(*map(batcher.submit, good))
        assert all(outcome.posted for outcome in outcomes)
        assert not late.done()
        with pytest.raises(UnavailableError):
            await asyncio.wait_for(late, PATIENCE_S)


async def test_units_of_work_read_what_is_committed_whatever_the_roles_default_is(
    database: DatabaseAddresses, hands: Hands, opened: PostgresHouse, world: World
) -> None:
    ruler = await asyncpg.connect(database.superuser_url)
    role = await opened.database.pool.fetchval("select current_user")
    base = await ruler.fetchval("select current_database()")
    await ruler.execute(
        f'alter role "{role}" in database "{base}" set default_transaction_isolation = \'serializable\''
    )
    await ruler.close()
    async with house(database.app_url, hands) as strict:
        assert await strict.database.pool.fetchval("show default_transaction_isolation") == "serializable"
        async with strict.database.transaction() as connection:
            assert await connection.fetchval("show transaction_isolation") == "read committed"
