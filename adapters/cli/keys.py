"""`gametriggers keys …`: keys that sign access tokens, and keys that people's data keys are wrapped with."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import typer

from adapters.cli.terminal import refusal, say, settings_of
from adapters.config import Settings
from domain.errors import DomainError

keys = typer.Typer(help="Keys: those that sign access tokens, and those of personal data.", no_args_is_help=True)


@keys.command()
def rotate() -> None:
    """Add a key to TOKEN_KEY_FILE that signs after a while, or make the first. Nobody is signed out."""
    from adapters.commands.keys import rotate as run

    _in_the_ring(run)


@keys.command(name="list")
def listing() -> None:
    """List the keys of TOKEN_KEY_FILE, oldest first, each with what it is good for now."""
    from adapters.commands.keys import listing as run

    _in_the_ring(run)


@keys.command()
def prune() -> None:
    """Take keys out of TOKEN_KEY_FILE whose last token has expired."""
    from adapters.commands.keys import prune as run

    _in_the_ring(run)


@keys.command()
def rewrap() -> None:
    """Wrap all data keys with the first master key of VAULT_MASTER_KEYS. Safe to repeat and to break off."""
    from adapters.commands.rewrap import run

    settings = settings_of(Settings)
    try:
        print(asyncio.run(run(settings, say)))
    except DomainError as error:
        raise refusal(error) from None
    except OSError as error:
        raise refusal(f"The database of KEYS_DATABASE_URL cannot be reached: {error}") from None


def _in_the_ring(work: Callable[[Path, datetime], str]) -> None:
    """Do something with the file of token keys, and show what came of it."""
    try:
        print(work(settings_of(Settings).token_key_file, datetime.now(UTC)))
    except DomainError as error:
        raise refusal(error) from None
