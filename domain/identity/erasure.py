"""A person's wish to be erased, and their changing their mind: both are theirs alone.

What it comes to is in `shredding`.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.actor import Actor
from domain.audit_log import Deed
from domain.identity.letters import letter_to
from domain.identity.mail import ErasureScheduled
from domain.identity.model import FRESH_SIGN_IN, PersonStatus
from domain.identity.privacy import Erasure, Estate, Obstacle, RetentionReason
from domain.identity.privacy_refusals import NoErasure
from domain.identity.privacy_stores import PrivacyPorts
from domain.identity.refusals import FreshSignInRequired, IsStaff, NotWhileImpersonating, UnknownPerson
from domain.ids import uuid7
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class ErasureOutlook:
    """What will become of a person who wishes to be erased."""

    at: datetime
    """When everything goes but what law keeps; later where it waits for something."""
    retained_until: datetime | None
    """When what law keeps goes, too; None where it keeps nothing."""
    reasons: tuple[RetentionReason, ...]
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """The account stays."""


async def erase_me(ports: PrivacyPorts, actor: Actor) -> ErasureOutlook | Refusal:
    """Wish to be erased, after some days' grace; again, and it answers the same. Its door: the mutation.

    It takes a fresh sign-in or code, and nothing that would be left behind.
    """
    now = ports.clock()
    if refusal := _not_themselves(actor, now):
        return refusal
    wish = Erasure(uuid7(), actor.person, now, now + ports.policy.grace)
    letter = await letter_to(ports, actor.person, ErasureScheduled(wish.due_at, ports.pages.keep_account))
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        if await work.members.staff_role(actor.person):
            return IsStaff()
        estate = await work.estates.of([actor.person, *await work.erasures.merged_into([actor.person])])
        if present := await work.erasures.open(actor.person):
            return _outlook(ports, present, estate)
        if refusal := estate.refusal:
            return refusal
        await work.erasures.add(wish)
        if letter is not None:
            await work.letters.add(letter)
        await work.record(Deed("erasure.scheduled", f"person:{actor.person}", actor, about=actor.person))
    return _outlook(ports, wish, estate)


async def keep_me(ports: PrivacyPorts, actor: Actor) -> Kept | Refusal:
    """Call one's erasure off. Its door: the mutation."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        wish = await work.erasures.open(actor.person)
        if wish is None or wish.begun_at is not None:
            return NoErasure()
        await work.erasures.keep(wish.id, ports.clock())
        await work.record(Deed("erasure.called_off", f"person:{actor.person}", actor, about=actor.person))
    return Kept()


async def erasure_outlook(ports: PrivacyPorts, actor: Actor) -> ErasureOutlook | None:
    """What is to become of the actor, if they wished to be erased. Its door: a field of the viewer."""
    wish = await ports.reads.erasure_of(actor.person)
    return None if wish is None else _outlook(ports, wish, await ports.reads.estate_of(actor.people))


def _not_themselves(actor: Actor, now: datetime) -> Refusal | None:
    """Why the actor is not sure enough to be the person."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    since = actor.authenticated_at
    fresh = since is not None and now - since <= FRESH_SIGN_IN
    return None if fresh or actor.stepped_up(now) else FreshSignInRequired()


def _outlook(ports: PrivacyPorts, wish: Erasure, estate: Estate) -> ErasureOutlook:
    kept = ports.policy.retention(estate.last_movement, wish.due_at)
    return ErasureOutlook(wish.due_at, kept.until, kept.reasons, estate.obstacles)
