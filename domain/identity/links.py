"""Links in letters: opaque tokens that are good once, for half an hour, and kept as digests."""

from domain.identity.model import LINK_LIFETIME, Ticket, TicketPurpose
from domain.identity.ports import IdentityPorts
from domain.identity.stores import IdentityWork
from domain.ids import PersonId
from domain.vault import Sealed


def new_link(ports: IdentityPorts, purpose: TicketPurpose, person: PersonId, body: bytes | None) -> tuple[str, Ticket]:
    """A token for a letter, and what is kept of it. `body` is sealed with the person's key."""
    token, now = ports.opaque_tokens.new(), ports.clock()
    ticket = Ticket(ports.opaque_tokens.digest(token), purpose, now, now + LINK_LIFETIME, person, body=body)
    return token, ticket


async def read_link(
    ports: IdentityPorts, token: str, purpose: TicketPurpose, field: str
) -> tuple[Ticket, PersonId, str] | None:
    """What a link stands for, its person, and its body opened as `field`; None if it is no good. Uses it not up."""
    async with ports.work() as work:
        ticket = await work.tickets.lock(ports.opaque_tokens.digest(token))
    if ticket is None or not ticket.good(ports.clock(), purpose) or ticket.person is None or ticket.body is None:
        return None
    (text,) = await ports.vault.open([Sealed(ticket.person, field, ticket.body)])
    return None if text is None else (ticket, ticket.person, text)


async def use_link(ports: IdentityPorts, work: IdentityWork, ticket: Ticket) -> bool:
    """Use a link up, alone with it; False if another did so first. Whoever locks its person, too, does that before."""
    now, found = ports.clock(), await work.tickets.lock(ticket.digest)
    if found is None or not found.good(now, ticket.purpose):
        return False
    await work.tickets.use(ticket.digest, now)
    return True
