"""The commands: `gametriggers NAME`, or `python -m adapters.cli NAME`. Each imports what it runs when it is run."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from adapters.config import Environment, MigrationSettings, Settings, SettingsError, Source, read_settings
from domain.errors import DomainError

if TYPE_CHECKING:
    from adapters.commands.staff import Work

Read = TypeVar("Read", bound=Source)

app = typer.Typer(
    name="gametriggers",
    help="One ledger, one schema: a GraphQL backend for a creator and gaming platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

staff = typer.Typer(help="What people look after: reviews, vendors' messages, dead letters.", no_args_is_help=True)
app.add_typer(staff, name="staff")

First = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]


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
def serve(workers: int = typer.Option(1, min=1, help="Processes that share the port.")) -> None:
    """Serve GraphQL, webhooks, health and metrics on HOST and PORT. Ends gracefully on SIGTERM."""
    from adapters.serving import serve as run

    run(_settings(Settings), workers)


@app.command()
def work() -> None:
    """Do what waits: tell subscribers, seal the ledger, sweep payments, expire holds. Any number may run."""
    import uvloop

    from adapters.logs import configure_logging
    from adapters.worker import work as run

    settings = _settings(Settings)
    configure_logging(settings)
    uvloop.run(run(settings))


@app.command()
def audit() -> None:
    """Recompute the whole ledger from its entries and name the first row that is wrong or missing.

    Exit status 0 when everything is in order, 1 when something is not. Reads only, and locks nothing.
    """
    from adapters.commands.audit import run

    settings = _settings(Settings)
    try:
        report = asyncio.run(run(settings, _say))
    except OSError as error:
        raise _refusal(f"The database of DATABASE_URL cannot be reached: {error}") from None
    if not report.clean:
        raise typer.Exit(1)


@app.command()
def sandbox(
    port: int = typer.Option(8100, envvar="SANDBOX_PORT", help="Port on loopback."),
    state_file: Annotated[
        Path | None,
        typer.Option(envvar="SANDBOX_STATE_FILE", help="Keeps payments over restarts; in `var` by default."),
    ] = None,
) -> None:
    """Stand in for Midtrans on this machine: its API, its pay page, its notifications, and its faults on request."""
    import uvicorn

    from adapters.embedded.household import VAR
    from adapters.sandbox.midtrans import SandboxSettings, create_sandbox

    settings = _settings(Settings)
    if state_file is None:
        VAR.mkdir(exist_ok=True)
        state_file = VAR / "midtrans-sandbox.json"
    keys = (settings.midtrans_server_key.get_secret_value(),)
    application = create_sandbox(SandboxSettings(server_keys=keys, state_file=state_file))
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning", access_log=False)


@app.command()
def token(
    name: str = typer.Argument("demo", help="A demo account's name, or the UUID of a person."),
    days: int = typer.Option(30, min=1, max=365, help="How many days it holds."),
) -> None:
    """Print an access token that names a person. Development only: it lets its bearer be that person."""
    from datetime import timedelta

    from adapters.identity.tokens import KeyFileError, Tokens, person_named

    settings = _settings(Settings)
    if settings.environment is not Environment.DEVELOPMENT:
        raise _refusal("Tokens are given out by hand in development only: ENVIRONMENT=development.")
    try:
        tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
    except KeyFileError as error:
        raise _refusal(error) from None
    print(tokens.issue_token(person_named(name), timedelta(days=days)))


@app.command()
def settlement(
    gateway: str = typer.Argument(help="The gateway that paid, for example midtrans."),
    amount: str = typer.Argument(help="What arrived at our bank, in rupiah: 46000 or 46000.00."),
    reference: str = typer.Argument(help="The bank's or the gateway's own reference; the same one is booked once."),
) -> None:
    """Book that a gateway paid out to our bank: its clearing account goes back towards zero."""
    from adapters.commands.settlement import run

    settings = _settings(Settings)
    try:
        print(asyncio.run(run(settings, gateway, amount, reference)))
    except DomainError as error:
        raise _refusal(error) from None


@staff.command()
def review(first: First = 50) -> None:
    """List top-ups that somebody should look at, newest first, each with the reason."""
    from adapters.commands import staff as desk

    _at_the_desk(lambda _: partial(desk.review, first=first))


@staff.command()
def inbox(
    *, first: First = 50, refused: Annotated[bool, typer.Option("--refused", help="Those that nobody signed.")] = False
) -> None:
    """List vendors' messages that are not handled yet, newest first."""
    from adapters.commands import staff as desk

    _at_the_desk(lambda _: partial(desk.inbox, first=first, refused=refused))


@staff.command()
def replay(message: int = typer.Argument(help="Its number, as `inbox` shows it.")) -> None:
    """Handle a vendor's message again: ask the vendor, and do what its answer says, once."""
    from adapters.commands import staff as desk

    _at_the_desk(lambda settings: desk.replaying(settings, message))


@staff.command(name="dead-letters")
def dead_letters(first: First = 50) -> None:
    """List what should have followed an event and was given up, latest first."""
    from adapters.commands import staff as desk

    _at_the_desk(lambda _: partial(desk.dead_letters, first=first))


@staff.command()
def revive(
    event: UUID = typer.Argument(help="The event's id, as `dead-letters` shows it."),
    reaction: str = typer.Argument(help="The reaction's name."),
) -> None:
    """Try a dead letter again from the first attempt, once its cause is gone."""
    from adapters.commands import staff as desk

    _at_the_desk(lambda _: partial(desk.revive, event=event, reaction=reaction))


@app.command()
def schema(
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare with schema.graphql instead of writing it.")] = False,
    base: Annotated[str, typer.Option(help="The git revision that clients rely on, for --check.")] = "HEAD",
) -> None:
    """Write schema.graphql anew, or check that it is up to date and breaks no client."""
    command = [sys.executable, "-m", "gql.sdl", *(["--check", "--base", base] if check else [])]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603  # our own module, no shell


@app.command(name="demo")
def tell_the_story() -> None:
    """Tell the whole story in the terminal, from nothing: a top-up, a storm, a crash, an audit. Ends in `demo ok`."""
    from adapters.embedded import story

    try:
        story.tell(_say)
    except story.StoryFailedError as error:
        raise _refusal(error) from None


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
    """Read settings; beside a running `make dev` what it uses stands in for what nobody gave."""
    from dotenv import load_dotenv

    from adapters.embedded.household import DEV_SETTINGS

    load_dotenv(DEV_SETTINGS, override=False)
    try:
        return read_settings(kind)
    except SettingsError as error:
        raise _refusal(error) from None


def _at_the_desk(work: "Callable[[Settings], Work]") -> None:
    """Do something of staff's and show what came of it; exit status 1 where there is no such thing."""
    from adapters.commands.staff import NotThereError, run

    settings = _settings(Settings)
    try:
        print(asyncio.run(run(settings, work(settings))))
    except (NotThereError, DomainError) as error:
        raise _refusal(error) from None
    except OSError as error:
        raise _refusal(f"The database of DATABASE_URL cannot be reached: {error}") from None


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
