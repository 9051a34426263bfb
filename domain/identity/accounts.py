"""Accounts with an address and a password: signing up, and changing the address.

Nothing here tells whether an address is known: the same is answered, after the same work, and all else a letter tells.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError
from domain.identity.addresses import mail_index, readable_mail
from domain.identity.letters import queued_letter
from domain.identity.links import count_guess, read_link, use_link, withdraw_links
from domain.identity.mail import AddressChanged
from domain.identity.mail_requests import CHANGE_FIELD, MAIL_FIELD, SIGN_UP_FIELD
from domain.identity.mail_stores import MailRequest, MailWish, QueuedLetter
from domain.identity.model import FRESH_SIGN_IN, Locale, Person, PersonStatus, Portal, Ticket, TicketPurpose
from domain.identity.passwords import too_many_tries
from domain.identity.ports import IdentityPorts
from domain.identity.provider import Provider, readable_name
from domain.identity.refusals import (
    FreshSignInRequired,
    LinkRefused,
    NameRequired,
    NotAnAddress,
    NotWhileImpersonating,
    SignInRefused,
    StepUpRequired,
    TooManyTries,
)
from domain.identity.secrets import refused_password
from domain.identity.sessions import Means
from domain.identity.sign_in import SignInAnswer, finish_sign_in
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, uuid7
from domain.quotas import CODE_REQUEST, CODE_REQUEST_OF_ACCOUNT, CODE_REQUEST_OF_ADDRESS, Quota, neighbourhood
from domain.refusal import Refusal
from domain.vault import PLATFORM

_CONFIRM_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class MailOnItsWay:
    """What is answered to who asks for mail, whether there will be any or not."""


@dataclass(frozen=True, slots=True)
class MailConfirmed:
    """The address is the person's own, and they sign in with it."""

    mail: str


class _TakenError(Exception):
    """Somebody else was faster: undo."""


async def sign_up(
    ports: IdentityPorts, mail: str, password: str, name: str, locale: Locale, origin: Origin | None
) -> MailOnItsWay | Refusal:
    """Ask for an account; a letter brings the link that makes it. Its door: the mutation.

    Refused for what is wrong with the input alone, and `TooManyTries`. Raises `UnavailableError` while too many
    passwords wait to be hashed.
    """
    address, called = readable_mail(mail), readable_name(name)
    if address is None:
        return NotAnAddress()
    if not called:
        return NameRequired()
    if refusal := refused_password(password, address, ports.passwords):
        return refusal
    index = mail_index(ports.vault, address)
    if refusal := await too_many_mails(ports, index.hex(), origin):
        return refusal
    hash_ = await ports.passwords.hash(password)
    told = {"mail": address, "name": called, "hash": hash_, "locale": locale}
    body = await ports.vault.seal(PLATFORM, SIGN_UP_FIELD, json.dumps(told))
    await ask_for_mail(ports, MailWish.SIGN_UP, index, locale, origin, body=body)
    return MailOnItsWay()


async def confirm_sign_up(
    ports: IdentityPorts, token: str, password: str, portal: Portal, origin: Origin | None
) -> SignInAnswer | LinkRefused | TooManyTries:
    """Make the person who signed up and let them in. Its door: the mutation, with the token of the letter's link.

    It takes the password of the sign-up, too: whoever signs up with another's address knows that password but not the
    link, and the owner of the mailbox has the link but not the password. No account is made that a stranger can open.
    `SignInRefused` for a wrong one; after five the link is no good any more. If the address got an owner since, nobody
    is made, and the owner is told by a letter. Raises `UnavailableError` while too many passwords wait to be tried.
    """
    link = await read_link(ports, token, TicketPurpose.CONFIRM_SIGN_UP, SIGN_UP_FIELD)
    if link is None:
        return LinkRefused()
    ticket, candidate, text = link
    if refusal := await too_many_tries(ports, f"sign_up:{candidate}", origin):
        return refusal
    if not await count_guess(ports, ticket):
        return LinkRefused()
    told = json.loads(text)
    if not (await ports.passwords.verify(password, told["hash"])).matches:
        async with ports.work() as work:
            await work.record(Deed("sign_up.wrong_password", "sign_up", origin=origin))
        return SignInRefused()
    for _ in range(_CONFIRM_TRIES):
        try:
            made = await _make_person(ports, ticket, candidate, told, origin)
        except _TakenError:
            continue
        return await finish_sign_in(ports, candidate, portal, Means.LINK, origin) if made else LinkRefused()
    return LinkRefused()


async def _make_person(
    ports: IdentityPorts, ticket: Ticket, candidate: PersonId, told: Mapping[str, str], origin: Origin | None
) -> bool:
    """Make a person of a candidate. Raises `_TakenError` where another took the address in the same moment.

    Their key comes first. Where it does not come to a person, the link, which has been tried, tells the daily pruning
    that there may be one too many.
    """
    vault, mail, locale = ports.vault, told["mail"], Locale(told["locale"])
    index = mail_index(vault, mail)
    await vault.create_key(candidate)
    sealed = {
        field: await vault.seal(candidate, field, value)
        for field, value in {"name": told["name"], "mail": mail, "subject": mail}.items()
    }
    async with ports.work() as work:
        if not await use_link(ports, work, ticket):
            return False
        now = ports.clock()
        if await work.mailboxes.owner(index) is not None:
            again = MailRequest(uuid7(), MailWish.SIGN_UP, index, locale, now, body=ticket.body)
            await work.mail_requests.add(again)
            return False
        await work.people.add(
            candidate, locale, name=sealed["name"], mail=sealed["mail"], mail_index=index, mail_verified_at=now
        )
        if not await work.people.add_identity(uuid7(), candidate, Provider.PASSWORD, index, sealed["subject"]):
            raise _TakenError
        await work.people.set_password(candidate, told["hash"])
        await work.record(Deed("person.signed_up", f"person:{candidate}", about=candidate, origin=origin))
    return True


async def request_mail_change(ports: IdentityPorts, actor: Actor, mail: str) -> MailOnItsWay | Refusal:
    """Name an address as one's own; a link that goes there proves it, in this session. Its door: the mutation.

    Whoever reads a person's mail can become them. So another address than the present one takes a fresh code, which
    the present one receives; where none is confirmed, a fresh sign-in.
    """
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    address = readable_mail(mail)
    if address is None:
        return NotAnAddress()
    index, known = mail_index(ports.vault, address), (await ports.people.people([actor.person])).get(actor.person)
    if refusal := _not_sure(ports, actor, known, index):
        return refusal
    for subject, origin in ((index.hex(), actor.origin), (f"person:{actor.person}", None)):
        if refusal := await too_many_mails(ports, subject, origin):
            return refusal
    told = {"mail": address, "session": str(actor.session)}
    body = await ports.vault.seal(actor.person, CHANGE_FIELD, json.dumps(told))
    locale = known.locale if known else Locale.INDONESIAN
    await ask_for_mail(ports, MailWish.CHANGE_MAIL, index, locale, actor.origin, actor.person, body, actor)
    return MailOnItsWay()


def _not_sure(ports: IdentityPorts, actor: Actor, known: Person | None, index: bytes) -> Refusal | None:
    """What an actor must prove before an address becomes theirs that is not."""
    if known is not None and known.mail is not None and mail_index(ports.vault, known.mail) == index:
        return None
    now, since = ports.clock(), actor.authenticated_at
    if known is not None and known.mail_verified_at is not None:
        return None if actor.stepped_up(now) else StepUpRequired()
    return FreshSignInRequired() if since is None or now - since > FRESH_SIGN_IN else None


async def confirm_mail(ports: IdentityPorts, actor: Actor, token: str) -> MailConfirmed | LinkRefused:
    """Take an address over as the actor's own. Its door: the mutation, with the token of the letter's link.

    It takes the session that asked. Who finds a link in their mail that they did not ask for would else give their
    address to a stranger's account; and when that session ends, what it had asked for is over.
    A password goes with the address. The old address is told, and links that went there are no good any more.
    """
    link = await read_link(ports, token, TicketPurpose.VERIFY_MAIL, MAIL_FIELD)
    if link is None:
        return LinkRefused()
    ticket, person, mail = link
    if actor.session is None or (actor.person, actor.session) != (person, ticket.session):
        return LinkRefused()
    known = (await ports.people.people([person])).get(person)
    try:
        sealed, subject = await ports.vault.seal(person, "mail", mail), await ports.vault.seal(person, "subject", mail)
        letter = await _farewell(ports, known, mail) if known else None
        await _take_over(ports, actor, ticket, mail_index(ports.vault, mail), (sealed, subject), letter)
    except (_TakenError, KeyDestroyedError):
        return LinkRefused()
    return MailConfirmed(mail)


async def _farewell(ports: IdentityPorts, known: Person, mail: str) -> QueuedLetter | None:
    """What the address that a person had so far is told."""
    if known.mail is None or mail_index(ports.vault, known.mail) == mail_index(ports.vault, mail):
        return None
    changed = AddressChanged(ports.clock(), ports.pages.sessions)
    return await queued_letter(ports, known.id, known.mail, known.locale, changed)


async def _take_over(
    ports: IdentityPorts, actor: Actor, ticket: Ticket, index: bytes, sealed: tuple[bytes, bytes],
    letter: QueuedLetter | None,
) -> None:  # fmt: skip
    """Raises `_TakenError`, and nothing has changed, where the session, the link or the address is no good any more."""
    person = actor.person
    async with ports.work() as work:
        if await work.people.lock(person) is not PersonStatus.ACTIVE or not await _still_in(ports, work, actor):
            raise _TakenError
        if not await use_link(ports, work, ticket):
            raise _TakenError
        if await work.mailboxes.owner(index) not in {None, person}:
            raise _TakenError
        if not await work.mailboxes.move_password(person, index, sealed[1]):
            raise _TakenError
        await work.people.set_mail(person, sealed[0], index, ports.clock())
        await withdraw_links(work, person)
        if letter is not None:
            await work.letters.add(letter)
        await work.record(Deed("person.mail_confirmed", f"person:{person}", actor, about=person))


async def _still_in(ports: IdentityPorts, work: IdentityWork, actor: Actor) -> bool:
    """Whether the actor's session has not ended in this moment; it cannot until the unit of work does."""
    session = await work.sessions.lock(actor.session) if actor.session else None
    return session is not None and session.living(ports.clock())


async def too_many_mails(ports: IdentityPorts, subject: str, origin: Origin | None = None) -> TooManyTries | None:
    """Count a mail that somebody asks for; a refusal where there were too many.

    It is counted by where they ask from, too, wherever anybody may ask: a stranger uses up a share of their own.
    """
    wanted: list[tuple[Quota, tuple[str, ...]]] = [(CODE_REQUEST, (subject,))]
    if origin is not None:
        place = neighbourhood(origin.address)
        wanted = [(CODE_REQUEST, (place, subject)), (CODE_REQUEST_OF_ADDRESS, (place,))]
    for quota, counted in [*wanted, (CODE_REQUEST_OF_ACCOUNT, (subject,))]:
        taken = await ports.quotas.take(quota, *counted)
        if not taken.allowed:
            message = "Too many mails were asked for. Look for the last one, or wait."
            return TooManyTries(message, taken.retry_after_s)
    return None


async def ask_for_mail(
    ports: IdentityPorts, wish: MailWish, index: bytes, locale: Locale, origin: Origin | None,
    person: PersonId | None = None, body: bytes | None = None, actor: Actor | None = None,
) -> None:  # fmt: skip
    """Store a request for mail, the same for every address."""
    request = MailRequest(uuid7(), wish, index, locale, ports.clock(), person, body)
    async with ports.work() as work:
        await work.mail_requests.add(request)
        deed = Deed(f"mail.{wish}_requested", f"mail_request:{request.id}", actor)
        await work.record(deed if actor else replace(deed, origin=origin))
