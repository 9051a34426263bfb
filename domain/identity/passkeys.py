"""Passkeys: a key in a person's device that is both factors in one. Doors: mutations, before and after a sign-in."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.identity.factor_changes import (
    end_other_sessions,
    forget_codes_of_nothing,
    know_at_once,
    letter_of_change,
    may_change_factors,
    stays,
    tell_factor_changed,
)
from domain.identity.factor_stores import KeptPasskey
from domain.identity.mail import FactorChange
from domain.identity.model import Portal, SecondFactor, Ticket, TicketPurpose
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import NotWhileImpersonating, PasskeyRefused
from domain.identity.secrets import Ceremony, Passkey, PasskeyRefusedError
from domain.identity.sessions import Means
from domain.identity.sign_in import SignInAnswer, finish_sign_in
from domain.identity.step_up import SteppedUp, confirm_session
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, SessionId
from domain.refusal import Refusal

_LIFETIME: Final = timedelta(minutes=5)
_MOST: Final = 20
_LONGEST_NAME: Final = 60
_TOO_MANY: Final = f"You have {_MOST} passkeys: remove one first."


@dataclass(frozen=True, slots=True)
class PasskeyOffer:
    """What a browser is asked to do, and the token that the answer comes back with."""

    token: str = field(repr=False)
    options: str
    """JSON for `navigator.credentials`."""


async def offer_passkey(ports: IdentityPorts, actor: Actor) -> PasskeyOffer | Refusal:
    """Begin to set up a passkey."""
    person = (await ports.people.people([actor.person])).get(actor.person)
    name = (person.mail or person.name if person else None) or str(actor.person)
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        known = [one.credential for one in await work.second_factors.passkeys(actor.person)]
        if len(known) >= _MOST:
            return PasskeyRefused(_TOO_MANY)
        ceremony = ports.passkeys.offer_registration(actor.person, name, known)
        return await _keep(ports, work, ceremony, actor.person, actor.session)


async def add_passkey(ports: IdentityPorts, actor: Actor, token: str, answer: str, name: str) -> Refusal | None:
    """Keep the passkey that the browser made. The present session has its second factor with that."""
    label = " ".join(name.split())[:_LONGEST_NAME] or "Passkey"
    sealed = await ports.vault.seal(actor.person, "passkey_name", label)
    letter = await letter_of_change(ports, actor.person, FactorChange.PASSKEY_ADDED)
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        ticket = await _take(ports, work, token)
        if ticket is None or ticket.session != actor.session or actor.session is None:
            return PasskeyRefused()
        if len(await work.second_factors.passkeys(actor.person)) >= _MOST:
            return PasskeyRefused(_TOO_MANY)
        try:
            made = ports.passkeys.register(actor.person, answer, ticket.body or b"")
        except PasskeyRefusedError:
            return PasskeyRefused()
        now = ports.clock()
        kept = KeptPasskey(made.credential_id, actor.person, made.public_key, made.sign_count, sealed, now)
        if not await work.second_factors.add_passkey(kept):
            return PasskeyRefused()
        await work.sessions.mark(actor.session, second_factor_at=now, stepped_up_at=now)
        await end_other_sessions(ports, work, actor)
        await tell_factor_changed(work, actor, FactorChange.PASSKEY_ADDED, letter)
    await know_at_once(ports, actor)
    return None


async def remove_passkey(ports: IdentityPorts, actor: Actor, credential: bytes) -> Refusal | None:
    """Take a passkey away; staff keeps at least one second factor."""
    letter = await letter_of_change(ports, actor.person, FactorChange.PASSKEY_REMOVED)
    async with ports.work() as work:
        if refusal := await may_change_factors(ports, work, actor):
            return refusal
        is_last = len(await work.second_factors.passkeys(actor.person)) == 1
        if is_last and (refusal := await stays(work, actor, without=SecondFactor.PASSKEY)):
            return refusal
        if not await work.second_factors.remove_passkey(actor.person, credential):
            return PasskeyRefused("There is no such passkey.")
        await forget_codes_of_nothing(work, actor.person)
        await end_other_sessions(ports, work, actor)
        await tell_factor_changed(work, actor, FactorChange.PASSKEY_REMOVED, letter)
    return None


async def offer_passkey_sign_in(ports: IdentityPorts) -> PasskeyOffer:
    """Begin to sign in with whichever passkey the person picks. Tells nothing about anybody."""
    async with ports.work() as work:
        return await _keep(ports, work, ports.passkeys.offer_sign_in(), None, None)


async def sign_in_with_passkey(
    ports: IdentityPorts, token: str, answer: str, portal: Portal, origin: Origin | None
) -> SignInAnswer | PasskeyRefused:
    """Sign in with the browser's answer: no second question, for the device asked its own."""
    async with ports.work() as work:
        ticket = await _take(ports, work, token)
        # A challenge that somebody got in a session is for something else, and for nobody else.
        anybodys = ticket is not None and ticket.person is None
        proven = await _proven(ports, work, ticket, answer) if ticket and anybodys else None
        if proven is None:
            await work.record(Deed("sign_in.refused", "passkey", origin=origin))
            return PasskeyRefused()

    async def still_right(work: IdentityWork) -> bool:
        return await work.second_factors.owner_of_passkey(proven.credential) == proven.person

    return await finish_sign_in(ports, proven.person, portal, Means.PASSKEY, origin, still_right)


async def offer_passkey_step_up(ports: IdentityPorts, actor: Actor) -> PasskeyOffer | Refusal:
    """Begin to confirm something with one of the actor's passkeys."""
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    async with ports.work() as work:
        known = [one.credential for one in await work.second_factors.passkeys(actor.person)]
        if not known:
            return PasskeyRefused("You have no passkey.")
        return await _keep(ports, work, ports.passkeys.offer_sign_in(known), actor.person, actor.session)


async def step_up_with_passkey(ports: IdentityPorts, actor: Actor, token: str, answer: str) -> SteppedUp | Refusal:
    """Confirm with a passkey: for five minutes the session may do weighty things."""
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    async with ports.work() as work:
        await work.people.lock(actor.person)
        ticket = await _take(ports, work, token)
        ours = ticket is not None and ticket.session == actor.session
        proven = await _proven(ports, work, ticket, answer) if ticket and ours else None
        if proven is None or proven.person != actor.person:
            await work.record(Deed("step_up.refused", f"session:{actor.session}", actor))
            return PasskeyRefused()
        confirmed = await confirm_session(ports, work, actor, by_factor=True)
    await know_at_once(ports, actor)
    return confirmed


async def _proven(ports: IdentityPorts, work: IdentityWork, ticket: Ticket, answer: str) -> KeptPasskey | None:
    """The passkey that answered a challenge; its new count is kept. None for an answer that proves nothing."""
    try:
        credential = ports.passkeys.claimed(answer)
        person = await work.second_factors.owner_of_passkey(credential)
        if person is None or (ticket.person is not None and ticket.person != person):
            return None
        await work.people.lock(person)
        kept = await work.second_factors.find_passkey(credential)
        if kept is None or kept.person != person:
            return None
        # Whether it is copied to other devices is the authenticator's to say anew each time; we keep nothing of it.
        known = Passkey(kept.person, kept.credential, kept.public_key, kept.sign_count, backed_up=False)
        used = ports.passkeys.sign_in(known, answer, ticket.body or b"")
    except PasskeyRefusedError:
        return None
    await work.second_factors.use_passkey(kept.credential, used.sign_count, ports.clock())
    return kept


async def _keep(
    ports: IdentityPorts, work: IdentityWork, ceremony: Ceremony, person: PersonId | None, session: SessionId | None
) -> PasskeyOffer:
    token, now = ports.opaque_tokens.new(), ports.clock()
    digest = ports.opaque_tokens.digest(token)
    purpose = TicketPurpose.PASSKEY_CHALLENGE
    await work.tickets.add(Ticket(digest, purpose, now, now + _LIFETIME, person, session, ceremony.challenge))
    return PasskeyOffer(token, ceremony.options)


async def _take(ports: IdentityPorts, work: IdentityWork, token: str) -> Ticket | None:
    """The ticket of a challenge, used up by this try whatever comes of it; None for one that is no good."""
    digest, now = ports.opaque_tokens.digest(token), ports.clock()
    ticket = await work.tickets.lock(digest)
    if ticket is None or not ticket.good(now, TicketPurpose.PASSKEY_CHALLENGE):
        return None
    await work.tickets.use(digest, now)
    return ticket
