"""Confirming once more who one is, before something weighty: for five minutes the session may do it.

Doors: mutations. Whoever has a second factor confirms with that one; everybody else may have a code sent to their
address. For staff without one such a code is good for setting one up, and for nothing of staff's.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.actor import Actor
from domain.audit_log import Deed
from domain.identity.factor_changes import know_at_once
from domain.identity.factor_proofs import entered, forget_tries, one_too_many, proves, too_many_codes
from domain.identity.letters import queued_letter
from domain.identity.mail import StepUpCode
from domain.identity.model import STEP_UP_LIFETIME, Ticket, TicketPurpose
from domain.identity.one_time_codes import (
    MAIL_CODE_LIFETIME,
    CodeAnswer,
    CodePurpose,
    MailCode,
    mail_code_entered,
    new_mail_code,
)
from domain.identity.ports import IdentityPorts
from domain.identity.privacy_refusals import MailRequired
from domain.identity.refusals import CodeRefused, NotWhileImpersonating, SecondFactorRequired, TooManyTries
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, SessionId
from domain.quotas import CODE_REQUEST, CODE_REQUEST_OF_ACCOUNT
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class CodeOnItsWay:
    """A letter brings a code, which is good until then, in this session, once."""

    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SteppedUp:
    """Until then the session may do weighty things."""

    until: datetime


async def step_up(ports: IdentityPorts, actor: Actor, code: str) -> SteppedUp | Refusal:
    """Confirm with a fresh code of the app, a recovery code, or the code of `request_step_up_code`."""
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    if refusal := await too_many_codes(ports, actor.session):
        return refusal
    given = await entered(ports, actor.person, code)
    async with ports.work() as work:
        await work.people.lock(actor.person)
        if refusal := await one_too_many(ports, work, actor.person, given):
            return refusal
        by_factor = await proves(ports, work, actor, given)
        if not by_factor and not await _sent_by_mail(ports, work, actor, code):
            await work.record(Deed("step_up.refused", f"session:{actor.session}", actor))
            return CodeRefused()
        await work.second_factors.forget_tries(actor.person)
        confirmed = await confirm_session(ports, work, actor, by_factor=by_factor)
    await forget_tries(ports, actor.session)
    await know_at_once(ports, actor)
    return confirmed


async def confirm_session(ports: IdentityPorts, work: IdentityWork, actor: Actor, *, by_factor: bool) -> SteppedUp:
    """Let the actor's session do weighty things. Raises `ValueError` for an actor without one.

    A code by mail is no second factor: whoever reads the mail can also ask for a new password.
    """
    if actor.session is None:
        raise ValueError("what is not done in a session cannot be confirmed in it")
    now = ports.clock()
    await work.sessions.mark(actor.session, stepped_up_at=now, second_factor_at=now if by_factor else None)
    await work.record(Deed("step_up.given", f"session:{actor.session}", actor))
    return SteppedUp(now + STEP_UP_LIFETIME)


async def request_step_up_code(ports: IdentityPorts, actor: Actor) -> CodeOnItsWay | Refusal:
    """Have six digits sent to the actor's confirmed address. A session's newest code is the only good one in it.

    Sessions are counted, and their codes kept, apart: nobody with another session of the person uses up this one's.
    """
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    if refusal := await _too_many_codes_sent(ports, actor.person, actor.session):
        return refusal
    known = (await ports.people.people([actor.person])).get(actor.person)
    if known is None or known.mail is None or known.mail_verified_at is None:
        return MailRequired("Confirm an e-mail address of yours first: the code is sent there.")
    code, now = new_mail_code(), ports.clock()
    letter = await queued_letter(ports, actor.person, known.mail, known.locale, StepUpCode(code))
    ticket = Ticket(
        ports.opaque_tokens.digest(ports.opaque_tokens.new()), TicketPurpose.STEP_UP_CODE, now,
        now + MAIL_CODE_LIFETIME, actor.person, actor.session,
        body=ports.opaque_tokens.code_digest(CodePurpose.STEP_UP, actor.person, code),
    )  # fmt: skip
    async with ports.work() as work:
        await work.people.lock(actor.person)
        if await work.second_factors.enrolled(actor.person):
            return SecondFactorRequired()
        if (older := await work.tickets.lock_open(actor.session, TicketPurpose.STEP_UP_CODE)) is not None:
            await work.tickets.use(older.digest, now)
        await work.tickets.add(ticket)
        await work.letters.add(letter)
        await work.record(Deed("step_up.code_requested", f"session:{actor.session}", actor))
    return CodeOnItsWay(ticket.expires_at)


async def _too_many_codes_sent(ports: IdentityPorts, person: PersonId, session: SessionId) -> TooManyTries | None:
    """Count a code that is to be sent, by session and, with more to spare, by person."""
    for quota, subject in ((CODE_REQUEST, f"session:{session}"), (CODE_REQUEST_OF_ACCOUNT, f"person:{person}")):
        taken = await ports.quotas.take(quota, subject)
        if not taken.allowed:
            return TooManyTries("Too many codes were sent. Look for the last one, or wait.", taken.retry_after_s)
    return None


async def _sent_by_mail(ports: IdentityPorts, work: IdentityWork, actor: Actor, code: str) -> bool:
    """Whether a code is the one that was sent for this session; every try counts, and the right one is the last."""
    digits = mail_code_entered(code)
    if digits is None or actor.session is None or await work.second_factors.enrolled(actor.person):
        return False
    ticket = await work.tickets.lock_open(actor.session, TicketPurpose.STEP_UP_CODE)
    if ticket is None or ticket.person != actor.person:
        return False
    given = ports.opaque_tokens.code_digest(CodePurpose.STEP_UP, actor.person, digits)
    kept = MailCode(ticket.body or b"", ticket.expires_at, ticket.tries)
    answer, _ = kept.tried(given, ports.clock())
    if answer is CodeAnswer.SPENT:
        return False
    await work.tickets.count_try(ticket.digest)
    if answer is CodeAnswer.ACCEPTED:
        await work.tickets.use(ticket.digest, ports.clock())
    return answer is CodeAnswer.ACCEPTED
