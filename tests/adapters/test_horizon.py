"""The horizon against real transactions that commit in every awkward order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.database import Database
from adapters.postgres.horizon import Horizon
from tests.waiting import eventually

INSERT = """
insert into account_change (account, after_seq, owner, purpose, currency, status)
values (1, 0, 'platform', 'fees', 'IDR', 'open') returning position
"""


@pytest.fixture
async def opened(database: DatabaseAddresses) -> AsyncIterator[Database]:
    async with Database(database.app_url) as opened:
        yield opened


class Writer:
    """A transaction that has taken a position."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._transaction = connection.transaction()
        self._connection = connection
        self.position = 0

    async def begin(self) -> None:
        await self._transaction.start()
        self.position = await self._connection.fetchval(INSERT)

    async def commit(self) -> None:
        await self._transaction.commit()

    async def rollback(self) -> None:
        await self._transaction.rollback()


@asynccontextmanager
async def writing(opened: Database, count: int) -> AsyncIterator[list[Writer]]:
    """Open transactions with a position each, in order."""
    async with AsyncExitStack() as stack:
        writers = [Writer(await stack.enter_async_context(opened.direct())) for _ in range(count)]
        for writer in writers:
            await writer.begin()
        yield writers


async def settled(horizon: Horizon, connection: asyncpg.Connection) -> int:
    """The horizon when nothing moves any more: what was awaited, and then what was taken meanwhile."""
    await horizon.advance(connection)
    return await horizon.advance(connection)


async def reaches(horizon: Horizon, connection: asyncpg.Connection, position: int) -> None:
    """Transactions of other databases of the server may hold it back for a moment; it gets there, and not beyond."""

    async def there() -> bool:
        return await horizon.advance(connection) >= position

    await eventually(there)
    assert await horizon.advance(connection) == position


async def test_it_starts_at_nothing(opened: Database) -> None:
    async with opened.direct() as connection:
        assert await Horizon().advance(connection) == 0


async def test_a_quiet_journal_is_final_at_once(opened: Database) -> None:
    position = await opened.pool.fetchval(INSERT)
    async with opened.direct() as connection:
        await reaches(Horizon(), connection, position)


async def test_a_running_writer_holds_it_back_even_when_it_is_the_newest(opened: Database) -> None:
    """Nobody has ended since the writer began, so that its number is not below the snapshot's xmax."""
    horizon = Horizon()
    async with opened.direct() as connection, writing(opened, 1) as (writer,):
        for _ in range(3):
            assert await settled(horizon, connection) < writer.position
        await writer.commit()
        await reaches(horizon, connection, writer.position)


@pytest.mark.parametrize("commit_first", [True, False], ids=["later ends by commit", "later ends by rollback"])
async def test_the_opposite_order_of_commits(opened: Database, commit_first: bool) -> None:
    horizon = Horizon()
    async with opened.direct() as connection, writing(opened, 2) as (earlier, later):
        await (later.commit() if commit_first else later.rollback())
        assert await settled(horizon, connection) < earlier.position
        await earlier.commit()
        await reaches(horizon, connection, later.position)


async def test_a_rolled_back_position_does_not_hold_it_back(opened: Database) -> None:
    horizon = Horizon()
    async with opened.direct() as connection, writing(opened, 1) as (writer,):
        await writer.rollback()
        await reaches(horizon, connection, writer.position)


async def test_one_that_holds_long_does_not_hide_that_others_come_and_go(opened: Database) -> None:
    horizon = Horizon()
    async with opened.direct() as connection, writing(opened, 1) as (slow,):
        for _ in range(20):
            await opened.pool.fetchval(INSERT)
            assert await horizon.advance(connection) < slow.position
        await slow.commit()
        last = await opened.pool.fetchval(INSERT)
        await reaches(horizon, connection, last)


async def test_what_began_before_a_slow_writer_is_final_while_it_runs(opened: Database) -> None:
    horizon = Horizon()
    async with opened.direct() as connection, writing(opened, 2) as (quick, slow):
        await horizon.advance(connection)
        await quick.commit()
        await horizon.advance(connection)
        assert await settled(horizon, connection) < slow.position
        await slow.commit()
        await reaches(horizon, connection, slow.position)


async def test_it_is_never_past_a_position_that_appears_later(opened: Database) -> None:
    """Writers overlap all the time; whatever the horizon passed must have been visible or never come."""
    horizon, known, passed = Horizon(), set[int](), 0
    async with opened.direct() as connection, AsyncExitStack() as stack:
        lanes = [await stack.enter_async_context(opened.direct()) for _ in range(3)]
        running: list[Writer] = []
        for turn in range(60):
            writer = Writer(lanes[turn % 3])
            await writer.begin()
            running.append(writer)
            seen = {row[0] for row in await connection.fetch("select position from account_change")}
            assert not {position for position in seen - known if position <= passed}
            known |= seen
            passed = await horizon.advance(connection)
            known |= {row[0] for row in await connection.fetch("select position from account_change")}
            assert all(other.position > passed for other in running)
            if len(running) == 3:
                ending = running.pop(0)
                await (ending.commit() if turn % 4 else ending.rollback())

        async def moves() -> bool:
            """Writers of the other databases of this server hold it back, too, but not for ever."""
            return await horizon.advance(connection) > 0

        await eventually(moves, timeout_s=60)


async def test_it_wants_one_connection_outside_of_transactions(opened: Database) -> None:
    horizon = Horizon()
    async with opened.direct() as connection, opened.direct() as other:
        async with connection.transaction():
            with pytest.raises(RuntimeError, match="inside a database transaction"):
                await horizon.advance(connection)
        await horizon.advance(connection)
        with pytest.raises(RuntimeError, match="one connection"):
            await horizon.advance(other)
