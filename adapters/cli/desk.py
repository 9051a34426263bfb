"""`gametriggers staff …`: who looks after things, and what they look after."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from adapters.cli.terminal import refusal, settings_of
from adapters.config import Settings
from domain.errors import DomainError

if TYPE_CHECKING:
    from adapters.commands.staff import Work

staff = typer.Typer(
    help="Who looks after things, and what they look after: reviews, vendors' messages, dead letters.",
    no_args_is_help=True,
)

First = Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")]


@staff.command()
def create(
    mail: Annotated[str, typer.Option(help="Their e-mail address: an account's, or a new person's.")],
    network: Annotated[
        list[str] | None,
        typer.Option(help="From where staff may work, as 203.0.113.0/24; may be given more than once."),
    ] = None,
) -> None:
    """Make somebody a super admin, and print a link, good once, by which they choose their password.

    The way in to a new installation, and back in when everybody is locked out. There is no default password.
    """
    from adapters.commands.staff_create import RefusedError, run

    settings = settings_of(Settings)
    try:
        print(asyncio.run(run(settings, mail, network or ())))
    except (RefusedError, DomainError) as error:
        raise refusal(error) from None
    except OSError as error:
        raise refusal(f"A database of DATABASE_URL or KEYS_DATABASE_URL cannot be reached: {error}") from None


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


def _at_the_desk(work: "Callable[[Settings], Work]") -> None:
    """Do something of staff's and show what came of it; exit status 1 where there is no such thing."""
    from adapters.commands.staff import NotThereError, run

    settings = settings_of(Settings)
    try:
        print(asyncio.run(run(settings, work(settings))))
    except (NotThereError, DomainError) as error:
        raise refusal(error) from None
    except OSError as error:
        raise refusal(f"The database of DATABASE_URL cannot be reached: {error}") from None
