"""Links in letters: opaque tokens that are good once, for half an hour, and kept as digests."""

from typing import Final

from domain.identity.model import LINK_LIFETIME, Ticket, TicketPurpose
from domain.identity.ports import IdentityPorts
from domain.identity.stores import IdentityWork
from domain.ids import PersonId
from domain.vault import PLATFORM, Sealed

_MOST_GUESSES: Final = 5
"""At what a link asks for besides; after that many it is no good any more."""


def new_link(ports: IdentityPorts, purpose: TicketPurpose, person: PersonId, body: bytes | None) -> tuple[str, Ticket]:
    """A token for a letter, and what is kept of it. `body` is sealed with the person's key.

    Of a sign-up it is sealed with nobody's: there is no person yet, and no key is made for everybody who might be one.
    """
    token, now = ports.opaque_tokens.new(), ports.clock()
    ticket = Ticket(ports.opaque_tokens.digest(token), purpose, now, now + LINK_LIFETIME, person, body=body)
    return token, ticket


async def read_link(
    ports: IdentityPorts, token: str, purpose: TicketPurpose, field: str
) -> tuple[Ticket, PersonId, str] | None:
    """What a link stands for, its person, and its body opened as `field`; None if it is no good. Uses it not up."""
    async with ports.work() as work:
        ticket = await work.tickets.lock(ports.opaque_tokens.digest(token))
    if ticket is None or not ticket.good(ports.clock(), purpose) or ticket.tries >= _MOST_GUESSES:
        return None
    if ticket.person is None or ticket.body is None:
        return None
    owner = PLATFORM if purpose is TicketPurpose.CONFIRM_SIGN_UP else ticket.person
    (text,) = await ports.vault.open([Sealed(owner, field, ticket.body)])
    return None if text is None else (ticket, ticket.person, text)


async def use_link(ports: IdentityPorts, work: IdentityWork, ticket: Ticket) -> bool:
    """Use a link up, alone with it; False if another did so first. Whoever locks its person, too, does that before."""
    now, found = ports.clock(), await work.tickets.lock(ticket.digest)
    if found is None or not found.good(now, ticket.purpose):
        return False
    await work.tickets.use(ticket.digest, now)
    return True


async def withdraw_links(work: IdentityWork, person: PersonId) -> None:
    """Make useless what was sent, or is about to be, to an address that a person has or has asked for.

    The person is locked: what their requests for mail come to waits for that.
    """
    await work.mail_requests.withdraw_changes(person)
    for purpose in (TicketPurpose.RESET_PASSWORD, TicketPurpose.VERIFY_MAIL, TicketPurpose.EXPORT_DOWNLOAD):
        await work.tickets.withdraw(person, purpose)
    await work.exports.withdraw(person)


async def count_guess(ports: IdentityPorts, ticket: Ticket) -> bool:
    """Count a guess before it is tried, so that many at once are no more than one by one; False for one too many."""
    async with ports.work() as work:
        found = await work.tickets.lock(ticket.digest)
        if found is None or not found.good(ports.clock(), ticket.purpose) or found.tries >= _MOST_GUESSES:
            return False
        await work.tickets.count_try(ticket.digest)
    return True
