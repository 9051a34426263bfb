"""Events are written once, with all that is to follow them; reactions run until they are done or given up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.database import Database
from adapters.postgres.outbox import mark_published, number_events, prune_events, write_events
from adapters.postgres.reactions import dead_letters, revive
from adapters.reactor import Patience, Reactor
from domain.events import Event
from domain.ids import uuid7
from domain.reactions import REACTIONS
from tests.adapters.relaying import KettleBoiled, Wallets, beside
from tests.waiting import eventually

KETTLE = UUID(int=7)
QUICK = Patience(attempts=3, first_pause_s=0.01, longest_pause_s=0.02, run_s=5, lease_s=10, at_once=4, idle_s=0.05)

Seen = list[tuple[str, UUID]]


async def pour(ports: Seen, event: KettleBoiled) -> None:
    ports.append(("pour", event.id))


async def drink(ports: Seen, event: KettleBoiled) -> None:
    ports.append(("drink", event.id))


async def spill(ports: Seen, event: KettleBoiled) -> None:
    ports.append(("spill", event.id))
    raise ValueError(f"the kettle {event.kettle} leaks")


@pytest.fixture
async def opened(database: DatabaseAddresses) -> AsyncIterator[Database]:
    async with Database(database.app_url) as opened:
        yield opened


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def follow(*reactions: Callable[[Seen, KettleBoiled], Awaitable[None]]) -> None:
        monkeypatch.setitem(REACTIONS, KettleBoiled, reactions)

    return follow


def boiled() -> KettleBoiled:
    return KettleBoiled(uuid7(), KETTLE)


async def done(opened: Database) -> int:
    return int(await opened.pool.fetchval("select count(*) from reaction where done_at is not null"))


async def test_the_same_event_again_is_the_same_row(opened: Database, follow: Callable[..., None]) -> None:
    follow(pour, drink)
    event = boiled()
    for _ in range(2):
        async with opened.transaction() as connection:
            await write_events(connection, [event])
    assert await opened.pool.fetchval("select count(*) from event") == 1
    row = await opened.pool.fetchrow("select id, topic, name, body, number from event")
    assert tuple(row) == (event.id, f"kettle:{KETTLE}", "KettleBoiled", {"kettle": str(KETTLE)}, None)
    assert [record[0] for record in await opened.pool.fetch("select name from reaction order by name")] == [
        "drink",
        "pour",
    ]


async def test_many_are_written_at_once_and_told_in_their_order(opened: Database, follow: Callable[..., None]) -> None:
    follow(pour, drink)
    events = sorted((boiled() for _ in range(50)), key=lambda event: event.id, reverse=True)
    async with opened.transaction() as connection:
        await write_events(connection, [*events, events[0]])
        await write_events(connection, [])
    assert await opened.pool.fetchval("select count(*) from reaction") == 100
    async with opened.transaction() as connection:
        await number_events(connection)
    told = await opened.pool.fetch("select id from event order by number")
    assert [row["id"] for row in told] == [event.id for event in events]


async def test_an_event_that_is_not_listed_is_refused(opened: Database) -> None:
    async with opened.transaction() as connection:
        with pytest.raises(LookupError, match="KettleBoiled is not in"):
            await write_events(connection, [boiled()])


async def test_what_rolls_back_tells_nothing(opened: Database, follow: Callable[..., None]) -> None:
    follow(pour)

    async def fail() -> None:
        async with Wallets(opened).works() as work:
            await work.emit(boiled())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await opened.pool.fetchval("select count(*) from event") == 0
    assert await opened.pool.fetchval("select count(*) from reaction") == 0


async def test_topics_are_numbered_apart_and_without_gaps(opened: Database, follow: Callable[..., None]) -> None:
    follow()
    other = UUID(int=8)
    for kettle in (KETTLE, other, KETTLE):
        await Wallets(opened).emit(KettleBoiled(uuid7(), kettle))
    async with opened.pool.acquire() as connection:
        assert (await number_events(connection)).heads == {f"kettle:{KETTLE}": 2, f"kettle:{other}": 1}
        assert (await number_events(connection)).heads == {}
        await Wallets(opened).emit(boiled(), boiled())
        assert (await number_events(connection)).heads == {f"kettle:{KETTLE}": 4}
    rows = await opened.pool.fetch("select number from event where topic = $1 order by recorded_at", f"kettle:{KETTLE}")
    assert [row[0] for row in rows] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "statement",
    ["delete from event", "update event set body = '{}'", "update event set topic = 'x'", "delete from reaction"],
)
async def test_the_application_may_not_rewrite_what_happened(opened: Database, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await opened.pool.execute(statement)


async def test_everything_that_follows_runs_once(opened: Database, follow: Callable[..., None]) -> None:
    follow(pour, drink)
    events: list[Event] = [boiled() for _ in range(20)]
    seen: Seen = []
    async with beside(Reactor(opened, seen, QUICK).run), beside(Reactor(opened, seen, QUICK).run):
        await Wallets(opened).emit(*events)
        await eventually(lambda: _is(done(opened), 40))
    assert sorted(seen) == sorted((name, event.id) for name in ("pour", "drink") for event in events)


async def _is(asked: Awaitable[int], wanted: int) -> bool:
    return await asked == wanted


async def test_a_poison_reaction_is_given_up_and_stops_nobody(opened: Database, follow: Callable[..., None]) -> None:
    follow(spill, drink)
    first, second = boiled(), boiled()
    seen: Seen = []
    async with beside(Reactor(opened, seen, QUICK).run):
        await Wallets(opened).emit(first)
        letters = await eventually(lambda: dead_letters(opened))
        await Wallets(opened).emit(second)
        await eventually(lambda: _is(done(opened), 2))
        await eventually(lambda: _is(_count(dead_letters(opened)), 2))
    (letter,) = letters
    assert (letter.event_id, letter.reaction, letter.event, letter.attempts) == (first.id, "spill", "KettleBoiled", 3)
    assert letter.error == f"ValueError('the kettle {KETTLE} leaks')"
    assert seen.count(("spill", first.id)) == 3
    assert seen.count(("drink", first.id)) == 1


async def _count(asked: Awaitable[object]) -> int:
    found = await asked
    assert isinstance(found, list)
    return len(found)


async def test_a_dead_letter_is_revived_once_its_cause_is_gone(opened: Database, follow: Callable[..., None]) -> None:
    leaking = True

    async def patch(ports: Seen, event: KettleBoiled) -> None:
        ports.append(("patch", event.id))
        if leaking:
            raise OSError("leaks")

    follow(patch)
    event = boiled()
    seen: Seen = []
    async with beside(Reactor(opened, seen, QUICK).run):
        await Wallets(opened).emit(event)
        await eventually(lambda: dead_letters(opened))
        leaking = False
        assert await revive(opened, event.id, "patch")
        assert not await revive(opened, event.id, "patch")
        await eventually(lambda: done(opened))
    assert not await dead_letters(opened)
    assert len(seen) == 4


async def test_a_reaction_that_hangs_holds_up_nobody_and_fails_in_time(
    opened: Database, follow: Callable[..., None]
) -> None:
    async def hang(ports: Seen, event: KettleBoiled) -> None:
        await asyncio.Event().wait()

    follow(hang, drink)
    patience = Patience(attempts=1, run_s=0.2, lease_s=10, at_once=2, idle_s=0.05)
    async with beside(Reactor(opened, [], patience).run):
        await Wallets(opened).emit(boiled(), boiled(), boiled())
        await eventually(lambda: _is(done(opened), 3))
        await eventually(lambda: _is(_count(dead_letters(opened)), 3))


async def test_a_run_that_ended_with_its_process_is_taken_up_when_its_lease_ends(
    opened: Database, follow: Callable[..., None]
) -> None:
    began = asyncio.Event()

    async def die(ports: Seen, event: KettleBoiled) -> None:
        began.set()
        await asyncio.Event().wait()

    follow(die)
    event = boiled()
    await Wallets(opened).emit(event)
    short = Patience(attempts=2, run_s=5, lease_s=0.1, idle_s=0.05)
    for _ in range(2):
        async with beside(Reactor(opened, [], short).run):
            await began.wait()
            began.clear()
    async with beside(Reactor(opened, [], short).run):
        (letter,) = await eventually(lambda: dead_letters(opened))
    assert letter.error == "the process ended amid every attempt"


async def test_what_this_release_does_not_know_is_left_to_one_that_does(
    opened: Database, follow: Callable[..., None]
) -> None:
    follow(pour, drink)
    await Wallets(opened).emit(boiled())
    follow(drink)
    seen: Seen = []
    async with beside(Reactor(opened, seen, QUICK).run):
        await eventually(lambda: done(opened))
        assert [name for name, _ in seen] == ["drink"]
        follow(pour, drink)
        await eventually(lambda: _is(done(opened), 2))


async def test_what_was_told_and_followed_long_ago_is_pruned_and_its_number_never_given_again(
    opened: Database, follow: Callable[..., None]
) -> None:
    follow(pour)
    followed, waiting, untold = boiled(), boiled(), boiled()
    async with opened.transaction() as connection:
        await write_events(connection, [followed, waiting])
        await number_events(connection)
        await mark_published(connection)
        await write_events(connection, [untold])
        await connection.execute("update reaction set done_at = now() where event_id <> $1", waiting.id)
    now = datetime.now(UTC)
    assert await prune_events(opened.pool, now + timedelta(days=1)) == 0, "none so young goes, whoever asks"
    await opened.pool.execute("update event set published_at = $1 where number is not null", now - timedelta(days=60))
    assert await prune_events(opened.pool, now - timedelta(days=61)) == 0
    assert await prune_events(opened.pool, now - timedelta(days=59)) == 1
    left = {record[0] for record in await opened.pool.fetch("select id from event")}
    assert left == {waiting.id, untold.id}
    assert await opened.pool.fetchval("select count(*) from reaction") == 2
    async with opened.transaction() as connection:
        assert (await number_events(connection)).heads == {f"kettle:{KETTLE}": 3}
    assert await prune_events(opened.pool, now) == 0
