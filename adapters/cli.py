"""The commands: `gametriggers NAME`, or `python -m adapters.cli NAME`. Each imports what it runs when it is run."""

import asyncio
import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from adapters.config import MigrationSettings, SettingsError, Source, read_settings

Read = TypeVar("Read", bound=Source)

app = typer.Typer(
    name="gametriggers",
    help="One ledger, one schema: a GraphQL backend for a creator and gaming platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def every_command() -> None:
    """One ledger, one schema: a GraphQL backend for a creator and gaming platform.

    Settings come from the environment and from a file `.env` in the root; the README has a table of them.
    """


@app.command()
def migrate(revision: str = typer.Argument("head", help="Migration to stop at.")) -> None:
    """Bring the database's tables up to date.

    Runs as the role of MIGRATION_DATABASE_URL, which owns the tables, and grants the role of DATABASE_URL what the
    application needs. Everything is applied or nothing is; it may be run as often as one likes.
    """
    import asyncpg
    from sqlalchemy.exc import SQLAlchemyError

    from adapters.postgres.migrate import role_of, upgrade

    settings = _settings(MigrationSettings)
    role = role_of(settings.database_url.get_secret_value())
    try:
        asyncio.run(upgrade(settings.migration_database_url.get_secret_value(), role, revision))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
        raise _refusal(f"The database of MIGRATION_DATABASE_URL cannot be migrated: {error}") from None
    print(f"The tables are up to date; {role} may use them.")


@app.command()
def dev() -> None:
    """Start everything on this machine and keep it until Ctrl-C.

    PostgreSQL and Valkey from wheels (or yours, by DATABASE_URL with MIGRATION_DATABASE_URL, and REDIS_URL), the
    tables, demo data, the payment sandbox, the worker and the server with GraphiQL. PORT and SANDBOX_PORT choose the
    ports; where the usual ones are taken, free ones are chosen. What it stores stays in the folder `var`.
    """
    from adapters.embedded import dev as development

    _or_say_why(lambda: development.run(_say))


@app.command()
def reset() -> None:
    """Delete all that `dev` stored: databases, passwords, keys, logs. Refuses while a run is alive."""
    from adapters.embedded import dev as development

    _or_say_why(development.reset)
    print("Everything that was stored is deleted.")


def _settings(kind: type[Read]) -> Read:
    try:
        return read_settings(kind)
    except SettingsError as error:
        raise _refusal(error) from None


def _or_say_why(work: Callable[[], None]) -> None:
    """Run, and turn what a person can mend into a sentence and exit status 1."""
    from adapters.embedded.family import ChildEndedError
    from adapters.embedded.folders import FolderInUseError
    from adapters.embedded.server import ServerStartError, UnsuitablePlatformError

    try:
        work()
    except (SettingsError, FolderInUseError, ServerStartError, UnsuitablePlatformError, ChildEndedError) as error:
        raise _refusal(error) from None


def _refusal(reason: object) -> typer.Exit:
    print(reason, file=sys.stderr)
    return typer.Exit(1)


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    app()
