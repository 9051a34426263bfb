"""A pool of connections that nobody waits for without an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from asyncpg import Connection, Pool, Record

from domain.errors import UnavailableError

ACQUIRE_S = 5.0


class NoConnectionError(UnavailableError, TimeoutError):
    """Every connection of the pool was in use, or none could be opened, for too long; try again later."""


class PatientPool:
    """asyncpg's pool as far as we use it; whatever has to wait too long for a connection raises `NoConnectionError`."""

    def __init__(self, pool: Pool, size: int, patience_s: float = ACQUIRE_S) -> None:
        self._pool, self._size, self._patience_s = pool, size, patience_s
        self._asked = 0

    async def take(self) -> Connection:
        """A connection, to be given back by `release`. A timer runs only for those who find all of them in use."""
        self._asked += 1
        try:
            if self._asked <= self._size:
                return await self._pool.acquire()
            async with asyncio.timeout(self._patience_s):
                return await self._pool.acquire()
        except TimeoutError as error:
            self._asked -= 1
            _refuse(error)
        except BaseException:
            self._asked -= 1
            raise

    async def release(self, connection: Connection) -> None:
        """Give a connection back."""
        try:
            await self._pool.release(connection)
        finally:
            self._asked -= 1

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """A connection while the block lasts."""
        connection = await self.take()
        try:
            yield connection
        finally:
            await self.release(connection)

    async def execute(self, query: str, *values: object) -> str:
        """Run a statement on any connection and answer its status."""
        async with self.acquire() as connection:
            return str(await connection.execute(query, *values))

    async def fetch(self, query: str, *values: object, timeout: float | None = None) -> list[Record]:  # noqa: ASYNC109  # asyncpg's own name for it
        """All rows of a query."""
        async with self.acquire() as connection:
            rows: list[Record] = await connection.fetch(query, *values, timeout=timeout)
        return rows

    async def fetchrow(self, query: str, *values: object) -> Any:
        """The first row of a query, or None."""
        async with self.acquire() as connection:
            return await connection.fetchrow(query, *values)

    async def fetchval(self, query: str, *values: object) -> Any:
        """The first value of a query's first row."""
        async with self.acquire() as connection:
            return await connection.fetchval(query, *values)

    async def close(self) -> None:
        """Close every connection once it is given back."""
        await self._pool.close()

    def terminate(self) -> None:
        """Close every connection at once."""
        self._pool.terminate()


def _refuse(error: TimeoutError) -> NoReturn:
    raise NoConnectionError("no connection to the database was free in time; try again later") from error
