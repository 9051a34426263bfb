"""Whether this process can serve: the database answers and its tables are those that the code expects."""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory
from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.postgres.database import Database

_MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
_PATIENCE_S = 2.0

UNREACHABLE: tuple[type[Exception], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InterfaceError,
    RedisError,
)
"""What the drivers raise when a server is away, starting, stopping or overloaded: the same may succeed later."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found, part by part: `ok`, or what is wrong with it."""

    database: str
    migrations: str
    redis: str

    @property
    def ready(self) -> bool:
        """Without Redis we are slower to tell news, and serve all the same."""
        return self.database == self.migrations == "ok"


async def readiness(database: Database, redis_url: str) -> Readiness:
    """Look at everything at once; never raises and takes two seconds at most."""
    (connected, migrated), redis = await asyncio.gather(_database(database), _redis(redis_url))
    return Readiness(connected, migrated, redis)


async def _database(database: Database) -> tuple[str, str]:
    try:
        async with asyncio.timeout(_PATIENCE_S), database.pool.acquire() as connection:
            found = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return "ok", "missing: run `gametriggers migrate`"
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        return f"unreachable: {type(error).__name__}", "unknown"
    expected = _newest_migration()
    return "ok", "ok" if found == expected else f"at {found}, {expected} is expected: run `gametriggers migrate`"


async def _redis(url: str) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_S), Redis.from_url(url) as client:
            await client.ping()
    except (RedisError, OSError, TimeoutError) as error:
        return f"unreachable: {type(error).__name__}"
    return "ok"


@cache
def _newest_migration() -> str | None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config).get_current_head()
