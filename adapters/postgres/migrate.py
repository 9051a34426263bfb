"""Brings a database's tables up to date, as the role that owns them (Alembic, configured here instead of in a file)."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

_LOCK = 0x6D696772
_MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


async def upgrade(migration_url: str, app_role: str, revision: str = "head") -> None:
    """Apply what is missing up to a revision, all of it or nothing; a second caller waits for the first.

    Migrations grant `app_role` what the application needs: they read it as `context.config.attributes["app_role"]`.
    """
    await _upgrade(_MIGRATIONS, migration_url, app_role, revision)


async def upgrade_keys(migration_url: str, app_role: str, revision: str = "head") -> None:
    """The same for the database of data keys, whose history is its own; it may also be the application's database.

    Not at once with `upgrade` in one process: Alembic keeps its state in a module.
    """
    await _upgrade(_MIGRATIONS / "keys", migration_url, app_role, revision)


async def upgrade_all(url: str, migration_url: str, keys_url: str, keys_migration_url: str) -> None:
    """Bring both up to date: the application's database and that of data keys, which may be the same one."""
    await upgrade(migration_url, role_of(url))
    await upgrade_keys(keys_migration_url, role_of(keys_url))


def role_of(url: str) -> str:
    """The role that a database address signs in as. Raises ValueError if it names none."""
    role = urlsplit(url).username
    if not role:
        raise ValueError("the database address names no role: postgresql://role:password@host:5432/database")
    return unquote(role)


async def _upgrade(scripts: Path, migration_url: str, app_role: str, revision: str) -> None:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(migration_url)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            # Before Alembic is entered: it keeps its state in a module, so two of its runs may not overlap.
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_run, scripts, app_role, revision)
    finally:
        await engine.dispose()


def _run(connection: Connection, scripts: Path, app_role: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["app_role"] = app_role
    command.upgrade(config, revision)
