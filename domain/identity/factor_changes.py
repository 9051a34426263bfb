"""What every change of a second factor has in common: who may make it, what stays, and who is told of it."""

from contextlib import suppress

from domain.actor import Actor
from domain.audit_log import Deed
from domain.errors import UnavailableError
from domain.identity.letters import letter_to
from domain.identity.mail import FactorChange, SecondFactorChanged
from domain.identity.mail_stores import QueuedLetter
from domain.identity.model import FRESH_SIGN_IN, SecondFactor, SessionEnd
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import FreshSignInRequired, NotWhileImpersonating, SecondFactorStays, StepUpRequired
from domain.identity.stores import IdentityWork
from domain.ids import PersonId
from domain.refusal import Refusal


async def may_change_factors(ports: IdentityPorts, work: IdentityWork, actor: Actor) -> Refusal | None:
    """Why the actor may not change their second factors at this moment. Locks the person.

    The first one, too, takes a code where there is an address to send it to: whoever gets hold of a session may not
    lock its owner out with a factor of their own.
    """
    if actor.impersonator is not None or actor.session is None:
        return NotWhileImpersonating()
    await work.people.lock(actor.person)
    now = ports.clock()
    if await work.second_factors.enrolled(actor.person) or await work.mailboxes.verified(actor.person) is not None:
        return None if actor.stepped_up(now) else StepUpRequired()
    fresh = actor.authenticated_at is not None and now - actor.authenticated_at < FRESH_SIGN_IN
    return None if fresh else FreshSignInRequired()


async def stays(work: IdentityWork, actor: Actor, *, without: SecondFactor) -> Refusal | None:
    """Refuse to leave staff without a second factor."""
    left = await work.second_factors.enrolled(actor.person) - {without, SecondFactor.RECOVERY_CODE}
    is_staff = await work.members.staff_role(actor.person) is not None
    return SecondFactorStays() if is_staff and not left else None


async def letter_of_change(ports: IdentityPorts, person: PersonId, change: FactorChange) -> QueuedLetter | None:
    """The letter that tells a person of a change, sealed before the unit of work; None without a confirmed address."""
    told = SecondFactorChanged(change, ports.clock(), ports.pages.second_factors)
    return await letter_to(ports, person, told, proven=True)


async def end_other_sessions(ports: IdentityPorts, work: IdentityWork, actor: Actor) -> None:
    """End what was begun before a factor came or went, which may be somebody else's, but not where it was done."""
    ended = await work.sessions.end(actor.person, ports.clock(), SessionEnd.IDENTITY_CHANGED, but=actor.session)
    for session in ended:
        await work.record(Deed(f"session.{SessionEnd.IDENTITY_CHANGED}", f"session:{session}", actor))


async def tell_factor_changed(
    work: IdentityWork, actor: Actor, change: FactorChange, letter: QueuedLetter | None
) -> None:
    """Write down that a second factor came, went or was used up, and tell the person by `letter_of_change`."""
    await work.record(Deed(f"second_factor.{change}", f"person:{actor.person}", actor))
    if letter is not None:
        await work.letters.add(letter)


async def know_at_once(ports: IdentityPorts, actor: Actor) -> None:
    """Have this process know of a proof before it answers; whoever proved something goes on at once to what it is for.

    The other processes are told by the database a moment later, as of every change.
    """
    if actor.session is not None:
        with suppress(UnavailableError):
            await ports.standings.of_all([actor.session])


async def forget_codes_of_nothing(work: IdentityWork, person: PersonId) -> None:
    """Recovery codes stand in for a second factor: they go with the last one."""
    if not await work.second_factors.enrolled(person):
        await work.second_factors.put_recovery_codes(person, ())
