"""The commands: `gametriggers NAME`, or `python -m adapters.cli NAME`. Each imports what it runs when it is run."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from adapters.cli.desk import staff
from adapters.cli.documents import documents
from adapters.cli.keys import keys
from adapters.cli.sandboxes import identity_sandbox, mail_sandbox, twitch_sandbox, youtube_sandbox
from adapters.cli.terminal import or_say_why, refusal, say, settings_of
from adapters.config import Environment, MigrationSettings, Settings
from domain.errors import DomainError

app = typer.Typer(
    name="gametriggers",
    help="One ledger, one schema: a GraphQL backend for a creator and gaming platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(staff, name="staff")
app.add_typer(keys, name="keys")
app.add_typer(documents, name="documents")
app.command()(identity_sandbox)
app.command()(mail_sandbox)
app.command()(twitch_sandbox)
app.command()(youtube_sandbox)


@app.callback()
def every_command() -> None:
    """One ledger, one schema: a GraphQL backend for a creator and gaming platform.

    Settings come from the environment and from a file `.env` in the root; the README has a table of them.
    """


@app.command()
def migrate() -> None:
    """Bring the database's tables up to date.

    Runs as the role of MIGRATION_DATABASE_URL, which owns the tables, and grants the role of DATABASE_URL what the
    application needs. Everything is applied or nothing is; it may be run as often as one likes.
    """
    import asyncpg
    from sqlalchemy.exc import SQLAlchemyError

    from adapters.postgres.migrate import role_of, upgrade_all

    settings = settings_of(MigrationSettings)
    try:
        asyncio.run(upgrade_all(*(url.get_secret_value() for url in settings.addresses)))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError) as error:
        raise refusal(f"The database of MIGRATION_DATABASE_URL cannot be migrated: {error}") from None
    print(f"The tables are up to date; {role_of(settings.database_url.get_secret_value())} may use them.")


@app.command()
def serve(workers: int = typer.Option(1, min=1, help="Processes that share the port.")) -> None:
    """Serve GraphQL, webhooks, health and metrics on HOST and PORT. Ends gracefully on SIGTERM."""
    from adapters.serving import serve as run

    run(settings_of(Settings), workers)


@app.command()
def work() -> None:
    """Do what waits: tell subscribers, seal the ledger, sweep payments, expire holds. Any number may run."""
    import uvloop

    from adapters.logs import configure_logging
    from adapters.worker import work as run

    settings = settings_of(Settings)
    configure_logging(settings)
    uvloop.run(run(settings))


@app.command()
def audit() -> None:
    """Recompute the whole ledger from its entries and name the first row that is wrong or missing.

    Exit status 0 when everything is in order, 1 when something is not. Reads only, and locks nothing.
    """
    from adapters.commands.audit import run

    settings = settings_of(Settings)
    try:
        report = asyncio.run(run(settings, say))
    except OSError as error:
        raise refusal(f"The database of DATABASE_URL cannot be reached: {error}") from None
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

    settings = settings_of(Settings)
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
    from adapters.demo import token_for
    from adapters.identity.keys import KeyFileError
    from adapters.identity.tokens import Tokens

    settings = settings_of(Settings)
    if settings.environment is not Environment.DEVELOPMENT:
        raise refusal("Tokens are given out by hand in development only: ENVIRONMENT=development.")
    try:
        tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
        print(token_for(settings.database_url.get_secret_value(), tokens, name, days))
    except (KeyFileError, OSError) as error:
        raise refusal(error) from None


@app.command()
def code() -> None:
    """Print the present code of the authenticator app that all demo accounts of staff share. Development only."""
    from adapters.demo import demo_totp

    settings = settings_of(Settings)
    if settings.environment is not Environment.DEVELOPMENT:
        raise refusal("There are demo accounts in development only: ENVIRONMENT=development.")
    print(demo_totp(settings.identity_key_bytes).now())


@app.command()
def settlement(
    gateway: str = typer.Argument(help="The gateway that paid, for example midtrans."),
    amount: str = typer.Argument(help="What arrived at our bank, in rupiah: 46000 or 46000.00."),
    reference: str = typer.Argument(help="The bank's or the gateway's own reference; the same one is booked once."),
) -> None:
    """Book that a gateway paid out to our bank: its clearing account goes back towards zero."""
    from adapters.commands.settlement import run

    settings = settings_of(Settings)
    try:
        print(asyncio.run(run(settings, gateway, amount, reference)))
    except DomainError as error:
        raise refusal(error) from None


@app.command()
def schema(
    *,
    check: Annotated[bool, typer.Option("--check", help="Compare with schema.graphql instead of writing it.")] = False,
    base: Annotated[str | None, typer.Option(help="For --check: the git revision that clients rely on.")] = None,
) -> None:
    """Write schema.graphql anew, or check that it is up to date and breaks no client since this branch left main."""
    command = [sys.executable, "-m", "gql.sdl", *(["--check"] if check else []), *(["--base", base] if base else [])]
    raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603  # our own module, no shell


@app.command(name="demo")
def tell_the_story() -> None:
    """Tell the whole story in the terminal, from nothing: a top-up, a storm, a crash, an audit. Ends in `demo ok`."""
    from adapters.embedded import story

    try:
        story.tell(say)
    except story.StoryFailedError as error:
        raise refusal(error) from None


@app.command()
def dev() -> None:
    """Start everything on this machine and keep it until Ctrl-C.

    PostgreSQL and Valkey from wheels (or yours, by DATABASE_URL with MIGRATION_DATABASE_URL, and REDIS_URL), the
    tables, demo data, sandboxes of the payment gateway, of mail and of sites to sign in by, the worker and the server
    with GraphiQL. PORT and SANDBOX_PORT choose the ports; where the usual ones are taken, free ones are chosen. What
    it stores stays in the folder `var`.
    """
    from adapters.embedded import dev as development

    or_say_why(lambda: development.run(say))


@app.command()
def reset() -> None:
    """Delete all that `dev` stored: databases, passwords, keys, logs. Refuses while a run is alive."""
    from adapters.embedded import dev as development

    or_say_why(development.reset)
    print("Everything that was stored is deleted.")
