"""`gametriggers staff create`: a super admin without any password that somebody else could know."""

from collections.abc import Sequence

from adapters.config import Settings
from adapters.logs import configure_logging
from adapters.wiring import connect
from domain.identity.founding import Founded, found_super_admin
from domain.refusal import Refusal


class RefusedError(Exception):
    """It was refused; its text says why."""


async def run(settings: Settings, mail: str, networks: Sequence[str]) -> str:
    """Make one, and answer what to tell, with the link. Raises `RefusedError` and `UnavailableError`."""
    configure_logging(settings)
    async with connect(settings) as ports:
        made = await found_super_admin(ports.identity, mail, networks)
    if isinstance(made, Refusal):
        raise RefusedError(made.message)
    return _told(made, mail)


def _told(made: Founded, mail: str) -> str:
    places = ", ".join(made.networks) or "this machine alone (`--network` allows more)"
    return (
        f"{mail} is a super admin{', a new person' if made.is_new else ''}: person {made.person}.\n"
        f"A password is chosen here, once, until {made.until:%H:%M} UTC; whoever has this link becomes them:\n"
        f"  {made.link}\n"
        f"Staff may sign in from {places}. The first thing in the admin portal is to set up a second"
        " factor, with a code that comes by mail."
    )
