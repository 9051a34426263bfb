"""The first member of staff, and who lets people in again after a lock-out. Its door: the command line alone.

Whoever may type there owns the installation. No password is made up: a link, good once, leads to choosing one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.audit_log import Deed
from domain.errors import UnavailableError
from domain.identity.addresses import mail_index, readable_mail
from domain.identity.links import new_link
from domain.identity.mail_requests import MAIL_FIELD
from domain.identity.model import Locale, PersonStatus, Ticket, TicketPurpose
from domain.identity.networks import network
from domain.identity.ports import IdentityPorts
from domain.identity.provider import Provider, readable_name
from domain.identity.refusals import NotAnAddress, NotANetwork, UnknownPerson
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, uuid7
from domain.refusal import Refusal
from domain.rights import StaffRole

_REASON = "command line"


@dataclass(frozen=True, slots=True)
class Founded:
    """A super admin, and the link by which they choose a password."""

    person: PersonId
    is_new: bool
    link: str
    until: datetime
    networks: Sequence[str]
    """From where staff may work now; none: from this machine alone."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Who is to be a super admin, with what a new person is made of, sealed."""

    person: PersonId
    index: bytes
    mail: bytes
    subject: bytes
    name: bytes


async def found_super_admin(ports: IdentityPorts, mail: str, networks: Sequence[str] = ()) -> Founded | Refusal:
    """Make whoever has an address a super admin, or a new person who does; and let staff work from the networks.

    Refused: a text that is no address or network, and an address whose owner is banned. Raises `UnavailableError`
    when somebody takes the address in the same moment. Repeating it makes a new link, and the old one useless.
    """
    address = readable_mail(mail)
    if address is None:
        return NotAnAddress()
    try:
        allowed = [str(network(text)) for text in networks]
    except ValueError:
        return NotANetwork()
    index = mail_index(ports.vault, address)
    async with ports.work() as work:
        owner = await work.mailboxes.owner(index)
    candidate = await _candidate(ports, owner, address, index)
    person = candidate.person
    sealed = await ports.vault.seal(person, MAIL_FIELD, address)
    token, ticket = new_link(ports, TicketPurpose.RESET_PASSWORD, person, sealed)
    async with ports.work() as work:
        if await work.mailboxes.owner(index) != owner:
            raise UnavailableError("somebody took this address at the same moment: try again")
        if owner is None:
            await _make(work, candidate)
        if refusal := await _promote(ports, work, person, ticket):
            return refusal
        for each in allowed:
            await work.members.add_network(each, _REASON, person)
            await work.record(Deed("staff.network_allowed", f"network:{each}", reason=_REASON))
        left = await work.members.networks()
    return Founded(person, owner is None, ports.pages.reset_password(token), ticket.expires_at, left)


async def _candidate(ports: IdentityPorts, owner: PersonId | None, mail: str, index: bytes) -> _Candidate:
    """The owner of an address, or somebody new, with what a new person is made of."""
    person, vault = owner or PersonId(uuid7()), ports.vault
    if owner is None:
        await vault.create_key(person)
    name = readable_name(mail.partition("@")[0]) or mail
    sealed = [await vault.seal(person, *each) for each in (("mail", mail), ("subject", mail), ("name", name))]
    return _Candidate(person, index, *sealed)


async def _make(work: IdentityWork, made: _Candidate) -> None:
    """A new person. Their address counts as theirs when the link has been used."""
    person = made.person
    await work.people.add(
        person, Locale.INDONESIAN, name=made.name, mail=made.mail, mail_index=made.index, mail_verified_at=None
    )
    if not await work.people.add_identity(uuid7(), person, Provider.PASSWORD, made.index, made.subject):
        raise UnavailableError("somebody took this address at the same moment: try again")
    await work.record(Deed("person.made", f"person:{person}", about=person, reason=_REASON))


async def _promote(ports: IdentityPorts, work: IdentityWork, person: PersonId, link: Ticket) -> Refusal | None:
    """Give the role, where it is not held, and the link."""
    await work.members.lock_staff()
    if await work.people.lock(person) is not PersonStatus.ACTIVE:
        return UnknownPerson()
    before = await work.members.staff_role(person)
    if before is not StaffRole.SUPER_ADMIN:
        await work.members.set_staff_role(person, StaffRole.SUPER_ADMIN, ports.clock())
        deed = Deed(
            "staff.role_changed", f"person:{person}", about=person, before={"role": before},
            after={"role": StaffRole.SUPER_ADMIN}, reason=_REASON,
        )  # fmt: skip
        await work.record(deed)
    await work.tickets.withdraw(person, TicketPurpose.RESET_PASSWORD)
    await work.tickets.add(link)
    await work.record(Deed("mail.reset_password_requested", f"person:{person}", about=person, reason=_REASON))
    return None
