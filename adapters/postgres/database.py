"""Connections to PostgreSQL: the pool for short work, own ones for lasting use, direct ones for lasting locks.

The pool and `own` work behind a transaction-pooling proxy: nothing on them lives longer than a database transaction.
Advisory locks of leaders need `direct`, which bypasses such a proxy.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg
import orjson
from asyncpg import Connection

from adapters.postgres.pool import ACQUIRE_S, PatientPool
from domain.errors import ConflictError

LONGEST_STANDSTILL = "30s"
"""How long a transaction may do nothing before the server ends it: its locks and its place before the sealer's horizon
must not outlast a process that is frozen or cut off."""


LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)
"""What one meets where the database is away, or goes while a statement is prepared: for loops that try again."""

BEGIN = "begin isolation level read committed"
"""Said each time, for every statement must see what the locks before it waited for, whatever a role's default is."""


def _session() -> dict[str, Any]:
    """What we ask of a session at its start. A proxy that shares sessions refuses it: set it on the role there.

    Planning a short statement anew costs more than running it.
    """
    settings = {
        "plan_cache_mode": "force_generic_plan", "idle_in_transaction_session_timeout": LONGEST_STANDSTILL,
    }  # fmt: skip
    return {"server_settings": settings}


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads, schema="pg_catalog"
    )


async def _keep(connection: Connection) -> None:
    """Nothing to reset: no code of ours leaves a trace on a pooled connection, and asking costs a round trip."""


class Database:
    """A pool of connections and the means to open direct ones. `async with Database(...)` closes it."""

    def __init__(
        self,
        url: str,
        direct_url: str | None = None,
        *,
        size: int = 10,
        behind_pooler: bool = False,
        patience_s: float = ACQUIRE_S,
    ) -> None:
        self._url, self._direct_url = url, direct_url or url
        self._size, self._patience_s = size, patience_s
        self._options: dict[str, Any] = {"statement_cache_size": 0} if behind_pooler else _session()
        self._pool: PatientPool | None = None

    async def __aenter__(self) -> Self:
        pool = await asyncpg.create_pool(
            self._url, min_size=1, max_size=self._size, init=_prepare, reset=_keep, command_timeout=30,
            timeout=self._patience_s, **self._options,
        )  # fmt: skip
        self._pool = PatientPool(pool, self._size, self._patience_s)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._pool is not None:
            await self._pool.close()

    @property
    def pool(self) -> PatientPool:
        """The open pool. Whoever waits too long for one of its connections is told by `UnavailableError`."""
        if self._pool is None:
            raise RuntimeError("the database is used before it is opened: `async with Database(...)`")
        return self._pool

    def transaction(self) -> "Transaction":
        """A pooled connection inside a database transaction: commits at the end, rolls back on any exception."""
        return Transaction(self.pool)

    @asynccontextmanager
    async def own(self, *, timeout_s: float) -> AsyncIterator[Connection]:
        """A connection as the pool has them, beside it: for who would keep one of the pool's for ever."""
        connection = await asyncpg.connect(self._url, timeout=timeout_s, command_timeout=30, **self._options)
        try:
            await _prepare(connection)
            yield connection
        finally:
            connection.terminate()

    @asynccontextmanager
    async def direct(self, **settings: str) -> AsyncIterator[Connection]:
        """A connection of one's own past any pooling proxy, with session settings: for advisory locks and LISTEN."""
        connection = await asyncpg.connect(self._direct_url, server_settings=settings, command_timeout=30)
        try:
            await _prepare(connection)
            yield connection
        finally:
            connection.terminate()


async def commit(connection: Connection) -> None:
    """Commit. Raises `ConflictError` where a statement had failed: the server then rolls back without an error."""
    if await connection.execute("commit") != "COMMIT":
        raise ConflictError("a statement failed before the end, and nothing of it was committed")


class Transaction:
    """`async with` gives the connection. Written out, for every action of ours pays for what stands here."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: PatientPool) -> None:
        self._pool = pool
        self._connection: Connection | None = None

    async def __aenter__(self) -> Connection:
        connection = await self._pool.take()
        try:
            await connection.execute(BEGIN)
        except BaseException:
            await self._pool.release(connection)
            raise
        self._connection = connection
        return connection

    async def __aexit__(self, error: type[BaseException] | None, *_: object) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if error is None:
                await commit(connection)
            elif not connection.is_closed():
                await connection.execute("rollback")
        finally:
            await self._pool.release(connection)
