"""`gametriggers documents …`: what the makers of clients want to ask, for deployments that do not ship it."""

import asyncio
import getpass
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.cli.terminal import refusal, settings_of
from adapters.config import Settings

documents = typer.Typer(help="Trusted documents: what clients may ask in production.", no_args_is_help=True)


class Client(StrEnum):
    """Whose documents they are."""

    BRAND = "brand"
    STREAMER = "streamer"
    PLAYER = "player"
    ADMIN = "admin"
    OVERLAY = "overlay"


@documents.command()
def upload(
    client: Annotated[Client, typer.Argument(help="Whose documents they are.")],
    files: Annotated[list[Path], typer.Argument(help="`.graphql` files, or `.json` manifests of ids and texts.")],
    by: Annotated[str | None, typer.Option(help="Who says so; you, when left out.")] = None,
) -> None:
    """Judge documents and trust them from now on, on every server. There is no way to take one back."""
    from adapters.commands import documents as work

    _done(lambda settings: work.upload(settings, client, files, by or getpass.getuser()))


@documents.command(name="list")
def listing() -> None:
    """List all trusted documents: whose, the id, and where it came from."""
    from adapters.commands import documents as work

    _done(work.listing)


@documents.command()
def check() -> None:
    """Hold every trusted document against this program's schema. Exit status 1 names what it takes no more."""
    from adapters.commands import documents as work

    _done(work.check)


def _done(work: Callable[[Settings], Coroutine[Any, Any, str]]) -> None:
    """Do something with documents, and show what came of it."""
    from asyncpg import PostgresError

    from adapters.commands.documents import RefusedError

    try:
        print(asyncio.run(work(settings_of(Settings))))
    except RefusedError as error:
        raise refusal(error) from None
    except (OSError, PostgresError) as error:
        raise refusal(f"The database of DATABASE_URL cannot be used: {error}") from None
