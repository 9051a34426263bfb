"""Signing in with an address and a password, and changing a password that one knows.

A password is tried outside of every unit of work, for that takes long, and what it was tried against is compared again
when the person is locked: whoever changed it in between has the last word.
"""

import asyncio
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.identity.addresses import mail_index
from domain.identity.arrivals import sealed_origin
from domain.identity.letters import letter_to
from domain.identity.links import withdraw_links
from domain.identity.mail import PasswordChanged
from domain.identity.mail_stores import KeptPassword
from domain.identity.model import PersonStatus, Portal, SessionEnd, TicketPurpose
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import NotWhileImpersonating, SignInRefused, TooManyTries
from domain.identity.secrets import refused_password
from domain.identity.sessions import Means
from domain.identity.sign_in import SignInAnswer, finish_sign_in
from domain.identity.stores import IdentityWork
from domain.ids import PersonId
from domain.quotas import SIGN_IN, SIGN_IN_OF_ACCOUNT, SIGN_IN_OF_ADDRESS, Quota, neighbourhood
from domain.refusal import Refusal

_NOBODY: Final = PersonId(UUID(int=0))
"""Stands for the person behind an unknown address, wherever a known one costs work."""


@dataclass(frozen=True, slots=True)
class PasswordNowChanged:
    """The new password holds; so many other sessions ended."""

    ended: int


async def sign_in_with_password(
    ports: IdentityPorts, mail: str, password: str, portal: Portal, origin: Origin | None
) -> SignInAnswer | TooManyTries:
    """Let in who knows the password of an address. Its door: the mutation.

    A wrong password and an unknown address answer the same after the same work. Tries are counted before any of it, by
    the digest of the address. Raises `UnavailableError` while too many passwords wait to be tried.
    """
    index = mail_index(ports.vault, mail)
    if refusal := await too_many_tries(ports, index.hex(), origin):
        return refusal
    async with ports.work() as work:
        kept = await work.mailboxes.password(index)
    # The key of a known person is fetched meanwhile, so that no later step takes longer for one who is known.
    verdict, _ = await asyncio.gather(
        ports.passwords.verify(password, kept.hash if kept else None),
        sealed_origin(ports, kept.person if kept else _NOBODY, origin),
    )
    if kept is None or not verdict.matches:
        await _note_wrong(ports, kept, origin)
        return SignInRefused()
    renewed = await ports.passwords.hash(password) if verdict.outdated else None

    async def still_right(work: IdentityWork) -> bool:
        if await work.people.password_hash(kept.person) != kept.hash:
            return False
        if renewed is not None:
            await work.people.set_password(kept.person, renewed)
        await work.people.use_identity(kept.identity, ports.clock())
        return True

    answer = await finish_sign_in(ports, kept.person, portal, Means.PASSWORD, origin, still_right)
    if not isinstance(answer, SignInRefused) and origin is not None:
        await ports.quotas.forget(SIGN_IN, neighbourhood(origin.address), index.hex())
    return answer


async def change_password(ports: IdentityPorts, actor: Actor, old: str, new: str) -> PasswordNowChanged | Refusal:
    """Change the actor's own password and end all their other sessions. Its door: the mutation.

    `SignInRefused` for a wrong old password; who has none yet asks for a link instead.
    """
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    limited = await too_many_tries(ports, f"person:{actor.person}", actor.origin)
    known = (await ports.people.people([actor.person])).get(actor.person)
    refusal = limited or refused_password(new, known.mail if known else None, ports.passwords)
    if refusal is not None:
        return refusal
    async with ports.work() as work:
        kept = await work.people.password_hash(actor.person)
    verdict = await ports.passwords.verify(old, kept)
    if kept is None or not verdict.matches:
        return SignInRefused()
    hash_ = await ports.passwords.hash(new)
    letter = await letter_to(ports, actor.person, PasswordChanged(ports.clock(), ports.pages.forgotten_password))
    async with ports.work() as work:
        active = await work.people.lock(actor.person) is PersonStatus.ACTIVE
        if not active or await work.people.password_hash(actor.person) != kept:
            return SignInRefused()
        ended = await renew_password(ports, work, actor, hash_)
        if letter is not None:
            await work.letters.add(letter)
    return PasswordNowChanged(ended)


async def renew_password(ports: IdentityPorts, work: IdentityWork, actor: Actor, hash_: str) -> int:
    """Keep a new password and end what the old one had opened, but the actor's own session; how many that were.

    The person is locked. Links to a new password or a new address, and sign-ins that wait for their second factor, are
    over too: whoever asked for them may be who the new password is to keep out.
    """
    now = ports.clock()
    await work.people.set_password(actor.person, hash_)
    ended = await work.sessions.end(actor.person, now, SessionEnd.PASSWORD_CHANGED, but=actor.session)
    await withdraw_links(work, actor.person)
    await work.tickets.withdraw(actor.person, TicketPurpose.SECOND_FACTOR)
    await work.record(Deed("password.changed", f"person:{actor.person}", actor, about=actor.person))
    return len(ended)


async def too_many_tries(ports: IdentityPorts, account: str, origin: Origin | None) -> TooManyTries | None:
    """Count a try of a password, by whom it concerns and where it comes from; a refusal where there were too many."""
    wanted: list[tuple[Quota, tuple[str, ...]]] = [(SIGN_IN_OF_ACCOUNT, (account,))]
    if origin is not None:
        place = neighbourhood(origin.address)
        wanted = [(SIGN_IN, (place, account)), (SIGN_IN_OF_ADDRESS, (place,)), *wanted]
    for quota, subject in wanted:
        taken = await ports.quotas.take(quota, *subject)
        if not taken.allowed:
            message = "There were too many tries. Wait, or ask for a new link by mail."
            return TooManyTries(message, taken.retry_after_s)
    return None


async def _note_wrong(ports: IdentityPorts, kept: KeptPassword | None, origin: Origin | None) -> None:
    """Write down that a password was wrong: of whom, if that is known, and never which address was tried."""
    person = kept.person if kept else None
    target = f"person:{person}" if person else "person:unknown"
    async with ports.work() as work:
        await work.record(Deed("sign_in.wrong_password", target, about=person, origin=origin))
