"""Answers requests for mail. Only here it is found out whether an address is known, and nobody waits for it.

A new address gets the link that was asked for. A known one is told so, with a link to a new password, whoever asked.
"""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.errors import KeyDestroyedError
from domain.identity.addresses import mail_index
from domain.identity.letters import queued_letter
from domain.identity.links import new_link
from domain.identity.mail import AlreadyRegistered, ConfirmSignUp, ResetPassword, VerifyAddress
from domain.identity.mail_stores import MailRequest, MailWish, QueuedLetter
from domain.identity.model import Ticket, TicketPurpose
from domain.identity.ports import IdentityPorts
from domain.identity.provider import Provider
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, SessionId, uuid7
from domain.vault import PLATFORM, Sealed
from domain.work import Swept

SIGN_UP_FIELD: Final = "sign_up"
CHANGE_FIELD: Final = "mail_change"
MAIL_FIELD: Final = "mail"
"""As what the vault seals the bodies of requests and links."""

_ANSWERED_WITHIN: Final = timedelta(hours=6)
"""Who has waited longer has asked again or gone."""
_AT_ONCE: Final = 8
_MOST_ROUNDS: Final = 50
_OLDER_RESETS: Final = 2
"""So many links to a new password stay good beside the newest."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a request comes to."""

    ticket: Ticket
    letter: QueuedLetter


async def answer_mail_requests(ports: IdentityPorts, now: datetime) -> Swept:
    """Turn requests into links and letters. Its door: the schedule; many may run at once, each request is for one."""
    swept, failed = Swept(), list[UUID]()
    for _ in range(_MOST_ROUNDS):
        async with ports.work() as work:
            waiting = await work.mail_requests.waiting(now - _ANSWERED_WITHIN, _AT_ONCE, failed)
        errors = await asyncio.gather(*(_try(ports, request) for request in waiting))
        for request, error in zip(waiting, errors, strict=True):
            if error is not None:
                failed.append(request.id)
                swept.failed.append((str(request.id), error))
        swept.looked_at += len(waiting)
        if len(waiting) < _AT_ONCE:
            break
    return swept


async def _try(ports: IdentityPorts, request: MailRequest) -> Exception | None:
    try:
        await _answer(ports, request)
    except Exception as error:  # noqa: BLE001  # one request's trouble, even a bug of ours, must not keep the others
        return error
    return None


async def _answer(ports: IdentityPorts, request: MailRequest) -> None:
    """Answer one request, unless the address changes hands meanwhile: then it is answered in the next round.

    It does not change hands, nor are links withdrawn, while its owner and whoever wants it are locked.
    """
    async with ports.work() as work:
        owner = await work.mailboxes.owner(request.mail_index)
    answer = await _prepared(ports, request, owner)
    concerned = {person for person in (owner, request.person) if person is not None}
    async with ports.work() as work:
        for person in sorted(concerned):
            await work.people.lock(person)
        if not await work.mail_requests.lock(request.id):
            return
        if await work.mailboxes.owner(request.mail_index) != owner:
            return
        if answer is not None:
            await _make_way(work, answer.ticket)
            await work.tickets.add(answer.ticket)
            await work.letters.add(answer.letter)
        await work.mail_requests.done(request.id, ports.clock())


async def _make_way(work: IdentityWork, ticket: Ticket) -> None:
    """Withdraw older links, where that is no weapon: strangers may ask for a sign-up or a reset of anybody's.

    Each link of a sign-up is for a candidate of its own, with a password of its own. Of resets some of the newest stay.
    """
    if ticket.person is not None:
        kept = _OLDER_RESETS if ticket.purpose is TicketPurpose.RESET_PASSWORD else 0
        await work.tickets.withdraw(ticket.person, ticket.purpose, kept=kept)


async def _prepared(ports: IdentityPorts, request: MailRequest, owner: PersonId | None) -> _Answer | None:
    """The link and the letter for a request; None where there is nobody to write to."""
    try:
        if owner is not None and not (request.wish is MailWish.CHANGE_MAIL and owner == request.person):
            return await _for_owner(ports, request, owner)
        if request.body is None:
            return None
        if request.person is None:
            return await _for_candidate(ports, request, request.body)
        return await _for_newcomer(ports, request, request.person, request.body)
    except KeyDestroyedError:
        return None


async def _for_owner(ports: IdentityPorts, request: MailRequest, owner: PersonId) -> _Answer | None:
    """A link to a new password, to the address as its owner wrote it, never as the caller did."""
    mail = await _address_of(ports, owner, request.mail_index)
    if mail is None:
        return None
    token, ticket = new_link(
        ports, TicketPurpose.RESET_PASSWORD, owner, await ports.vault.seal(owner, MAIL_FIELD, mail)
    )
    link = ports.pages.reset_password(token)
    wanted = request.wish is MailWish.RESET_PASSWORD
    occasion = ResetPassword(link) if wanted else AlreadyRegistered(link)
    known = (await ports.people.people([owner])).get(owner)
    locale = known.locale if known else request.locale
    return _Answer(ticket, await queued_letter(ports, owner, mail, locale, occasion))


async def _for_candidate(ports: IdentityPorts, request: MailRequest, body: bytes) -> _Answer | None:
    """A link that makes a person, to an address that is nobody's yet."""
    (text,) = await ports.vault.open([Sealed(PLATFORM, SIGN_UP_FIELD, body)])
    if text is None:
        return None
    candidate, mail = PersonId(uuid7()), json.loads(text)["mail"]
    token, ticket = new_link(ports, TicketPurpose.CONFIRM_SIGN_UP, candidate, body)
    confirm = ConfirmSignUp(ports.pages.confirm_sign_up(token))
    return _Answer(ticket, await queued_letter(ports, candidate, mail, request.locale, confirm))


async def _for_newcomer(ports: IdentityPorts, request: MailRequest, person: PersonId, body: bytes) -> _Answer | None:
    """A link by which an address that is nobody's yet becomes a person's."""
    (text,) = await ports.vault.open([Sealed(person, CHANGE_FIELD, body)])
    if text is None:
        return None
    told = json.loads(text)
    mail: str = told["mail"]
    sealed = await ports.vault.seal(person, MAIL_FIELD, mail)
    token, ticket = new_link(ports, TicketPurpose.VERIFY_MAIL, person, sealed)
    asked_in = replace(ticket, session=SessionId(UUID(told["session"])))
    verify = VerifyAddress(ports.pages.confirm_mail(token))
    return _Answer(asked_in, await queued_letter(ports, person, mail, request.locale, verify))


async def _address_of(ports: IdentityPorts, person: PersonId, index: bytes) -> str | None:
    """The address of a digest, as its owner wrote it: their own, or that of a password they sign in with."""
    known = (await ports.people.people([person])).get(person)
    identities = (await ports.people.identities_of([person])).get(person, ())
    subjects = [each.subject for each in identities if each.provider == Provider.PASSWORD]
    written = [known.mail if known else None, *subjects]
    return next((mail for mail in written if mail is not None and mail_index(ports.vault, mail) == index), None)
