"""Passwords that were forgotten: a link by mail leads to a new one, and in."""

from typing import Final

from domain.actor import Actor, Origin
from domain.errors import KeyDestroyedError
from domain.identity.accounts import MailOnItsWay, ask_for_mail, too_many_mails
from domain.identity.addresses import mail_index, readable_mail
from domain.identity.letters import queued_letter
from domain.identity.links import read_link, use_link
from domain.identity.mail import PasswordChanged
from domain.identity.mail_requests import MAIL_FIELD
from domain.identity.mail_stores import MailWish, QueuedLetter
from domain.identity.model import Locale, PersonStatus, Portal, Ticket, TicketPurpose
from domain.identity.passwords import renew_password
from domain.identity.ports import IdentityPorts
from domain.identity.provider import Provider
from domain.identity.refusals import LinkRefused, NotAnAddress, TooManyTries
from domain.identity.secrets import refused_password
from domain.identity.sessions import Means
from domain.identity.sign_in import SignInAnswer, finish_sign_in
from domain.ids import PersonId, uuid7
from domain.quotas import SIGN_IN, SIGN_IN_OF_ACCOUNT, neighbourhood
from domain.refusal import Refusal

_ACTIVE: Final = PersonStatus.ACTIVE


class _NotTheirsError(Exception):
    """The address belongs to somebody else by now: undo."""


async def request_password_reset(
    ports: IdentityPorts, mail: str, locale: Locale, origin: Origin | None
) -> MailOnItsWay | NotAnAddress | TooManyTries:
    """Ask for a link to a new password. Its door: the mutation. A known address gets one, an unknown one nothing."""
    address = readable_mail(mail)
    if address is None:
        return NotAnAddress()
    index = mail_index(ports.vault, address)
    if refusal := await too_many_mails(ports, index.hex(), origin):
        return refusal
    await ask_for_mail(ports, MailWish.RESET_PASSWORD, index, locale, origin)
    return MailOnItsWay()


async def reset_password(
    ports: IdentityPorts, token: str, new_password: str, portal: Portal, origin: Origin | None
) -> SignInAnswer | Refusal:
    """Choose a new password by the token of a letter's link, and sign in. Its door: the mutation.

    All sessions end, the address counts as verified, and who had no password has one now. No limit on tries stands in
    the way: whoever reads the mail gets in, also while others try passwords. A password that is refused does not use
    the link up.
    """
    link = await read_link(ports, token, TicketPurpose.RESET_PASSWORD, MAIL_FIELD)
    if link is None:
        return LinkRefused()
    ticket, person, mail = link
    if refusal := refused_password(new_password, mail, ports.passwords):
        return refusal
    hash_ = await ports.passwords.hash(new_password)
    try:
        subject, letter = await ports.vault.seal(person, "subject", mail), await _letter(ports, person, mail)
        if not await _reset(ports, ticket, person, mail, (hash_, subject), letter, origin):
            return LinkRefused()
    except (KeyDestroyedError, _NotTheirsError):
        return LinkRefused()
    account = mail_index(ports.vault, mail).hex()
    await ports.quotas.forget(SIGN_IN_OF_ACCOUNT, account)
    if origin is not None:
        await ports.quotas.forget(SIGN_IN, neighbourhood(origin.address), account)
    return await finish_sign_in(ports, person, portal, Means.LINK, origin)


async def _reset(
    ports: IdentityPorts, ticket: Ticket, person: PersonId, mail: str, kept: tuple[str, bytes],
    letter: QueuedLetter, origin: Origin | None,
) -> bool:  # fmt: skip
    """Set the password; False for a link that is no good any more. `kept` is its hash, and the address sealed."""
    (hash_, subject), index = kept, mail_index(ports.vault, mail)
    async with ports.work() as work:
        if await work.people.lock(person) is not _ACTIVE or not await use_link(ports, work, ticket):
            return False
        if await work.mailboxes.owner(index) != person:
            raise _NotTheirsError
        found = await work.people.find_identity(Provider.PASSWORD, index)
        if found is None:
            if not await work.people.add_identity(uuid7(), person, Provider.PASSWORD, index, subject):
                raise _NotTheirsError
        elif found[1] != person:
            raise _NotTheirsError
        await renew_password(ports, work, Actor(person, origin=origin), hash_)
        await work.mailboxes.verify(person, index, ports.clock())
        await work.letters.add(letter)
    return True


async def _letter(ports: IdentityPorts, person: PersonId, mail: str) -> QueuedLetter:
    known = (await ports.people.people([person])).get(person)
    locale = known.locale if known else Locale.INDONESIAN
    changed = PasswordChanged(ports.clock(), ports.pages.forgotten_password)
    return await queued_letter(ports, person, mail, locale, changed)
