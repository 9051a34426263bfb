"""What staff may do to rights and people. Doors: the admin portal's mutations.

Every deed has a reason, is in the audit log, and takes a fresh code (`StepUpRequired`). Nobody gives what they do not
have, and the last super admin stays. Whoever loses a right loses it on every open connection within seconds: the
rows that are changed here tell of themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError, NotPermittedError
from domain.identity.model import IMPERSONATION_LIFETIME, PersonStatus, Portal, Session, SessionEnd
from domain.identity.networks import network, within
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import (
    IsStaff,
    LastSuperAdmin,
    MayNotGive,
    NotANetwork,
    ReasonRequired,
    StepUpRequired,
    UnknownPerson,
)
from domain.identity.sessions import SignedIn
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, SessionId, uuid7
from domain.refusal import Refusal
from domain.rights import Permission, StaffRole

BAN_REASON_FIELD: Final = "reason"
"""As what the vault seals why somebody is banned."""

_LONGEST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Done:
    """It is so now."""


@dataclass(frozen=True, slots=True)
class Ended:
    """So many sessions have ended."""

    sessions: int


def check(ports: IdentityPorts, actor: Actor, permission: Permission, reason: str) -> Refusal | None:
    """What a deed of staff takes: the permission, a reason, a fresh code. Raises `NotPermittedError`."""
    if not actor.may(permission):
        raise NotPermittedError(permission)
    readable = all(sign.isprintable() or sign == "\n" for sign in reason)
    if not reason.strip() or len(reason) > _LONGEST_REASON or not readable:
        return ReasonRequired()
    return None if actor.stepped_up(ports.clock()) else StepUpRequired()


async def change_staff_role(
    ports: IdentityPorts, actor: Actor, person: PersonId, role: StaffRole | None, reason: str
) -> Done | Refusal:
    """Make somebody staff, change their role, or (None) let them go. What the role may do the actor must may, too."""
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    async with ports.work() as work:
        held = await _alone_with_roles(work, actor, Permission.MANAGE_USERS)
        before = await work.members.staff_role(person)
        for changed in (before, role):
            if changed and not await work.members.permissions_of(changed) <= held:
                return MayNotGive()
        if role and await work.people.lock(person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        goes = before is StaffRole.SUPER_ADMIN and role is not before
        if goes and not await work.members.super_admins_beside(person):
            return LastSuperAdmin()
        await work.members.set_staff_role(person, role, ports.clock())
        await work.record(
            Deed(
                "staff.role_changed",
                f"person:{person}",
                actor,
                about=person,
                before={"role": before},
                after={"role": role},
                reason=reason,
            )
        )
    return Done()


async def change_permissions(
    ports: IdentityPorts, actor: Actor, role: StaffRole, permissions: frozenset[Permission], reason: str
) -> Done | Refusal:
    """Change what a role may do. Super admins only; their own set is always whole."""
    if actor.staff_role is not StaffRole.SUPER_ADMIN:
        raise NotPermittedError(StaffRole.SUPER_ADMIN)
    if refusal := check(ports, actor, Permission.CONFIGURE_SYSTEM, reason):
        return refusal
    if role is StaffRole.SUPER_ADMIN:
        return LastSuperAdmin()
    async with ports.work() as work:
        await _alone_with_roles(work, actor, Permission.CONFIGURE_SYSTEM)
        before = await work.members.permissions_of(role)
        await work.members.set_permissions(role, permissions)
        await work.record(
            Deed(
                "staff.permissions_changed",
                f"role:{role}",
                actor,
                before={"permissions": _listed(before)},
                after={"permissions": _listed(permissions)},
                reason=reason,
            )
        )
    return Done()


async def ban(ports: IdentityPorts, actor: Actor, person: PersonId, reason: str) -> Done | Refusal:
    """Keep a person out: their sessions end, and they cannot sign in. Money that is theirs stays theirs."""
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    try:
        sealed = await ports.vault.seal(person, BAN_REASON_FIELD, reason)
    except KeyDestroyedError:
        return UnknownPerson()
    async with ports.work() as work:
        if await work.people.lock(person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        if await work.members.staff_role(person):
            return IsStaff()
        await work.people.set_status(person, PersonStatus.BANNED, reason=sealed)
        await work.sessions.end(person, ports.clock(), SessionEnd.BANNED)
        await work.record(Deed("person.banned", f"person:{person}", actor, about=person, reason=reason))
    return Done()


async def end_sessions_of(ports: IdentityPorts, actor: Actor, person: PersonId, reason: str) -> Ended | Refusal:
    """End all sessions of a person, with those in which they look through others' eyes; they may sign in again."""
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    async with ports.work() as work:
        if await work.people.lock(person) is None:
            return UnknownPerson()
        role = await work.members.staff_role(person)
        if role and not await work.members.permissions_of(role) <= actor.permissions:
            return MayNotGive()
        ended = await work.sessions.end(person, ports.clock(), SessionEnd.REVOKED)
        deed = Deed(
            "person.signed_out", f"person:{person}", actor, about=person, after={"ended": len(ended)}, reason=reason
        )
        await work.record(deed)
    return Ended(len(ended))


async def lift_ban(ports: IdentityPorts, actor: Actor, person: PersonId, reason: str) -> Done | Refusal:
    """Let a banned person in again."""
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    async with ports.work() as work:
        if await work.people.lock(person) is not PersonStatus.BANNED:
            return UnknownPerson()
        await work.people.set_status(person, PersonStatus.ACTIVE)
        await work.record(Deed("person.ban_lifted", f"person:{person}", actor, about=person, reason=reason))
    return Done()


async def allow_network(ports: IdentityPorts, actor: Actor, text: str, note: str) -> Done | Refusal:
    """Let staff work from a network (CIDR). The first one must have the actor in it: it shuts this machine out."""
    if refusal := check(ports, actor, Permission.CONFIGURE_SYSTEM, note):
        return refusal
    try:
        found = str(network(text))
    except ValueError:
        return NotANetwork()
    async with ports.work() as work:
        await _alone_with_roles(work, actor, Permission.CONFIGURE_SYSTEM)
        if _shuts_out(actor.origin, [*await work.members.networks(), found]):
            return NotANetwork("You would shut yourself out: allow the address first that you work from.")
        await work.members.add_network(found, note, actor.person)
        await work.record(Deed("staff.network_allowed", f"network:{found}", actor, reason=note))
    return Done()


async def disallow_network(ports: IdentityPorts, actor: Actor, text: str, reason: str) -> Done | Refusal:
    """Let staff work from a network no more. Not the one the actor sits in: that would lock them out of undoing it."""
    if refusal := check(ports, actor, Permission.CONFIGURE_SYSTEM, reason):
        return refusal
    try:
        found = str(network(text))
    except ValueError:
        return NotANetwork()
    async with ports.work() as work:
        await _alone_with_roles(work, actor, Permission.CONFIGURE_SYSTEM)
        left = [one for one in await work.members.networks() if network(one) != network(found)]
        if _shuts_out(actor.origin, left) or not await work.members.remove_network(found):
            return NotANetwork("You work from there at this moment, or it is not in the list.")
        await work.record(Deed("staff.network_disallowed", f"network:{found}", actor, reason=reason))
    return Done()


async def impersonate(ports: IdentityPorts, actor: Actor, person: PersonId, reason: str) -> SignedIn | Refusal:
    """Look through a person's eyes for half an hour: no refresh, no money, no secrets, nobody of staff."""
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    async with ports.work() as work:
        if await work.people.lock(person) is not PersonStatus.ACTIVE or person == actor.person:
            return UnknownPerson()
        if await work.members.staff_role(person):
            return IsStaff()
        now = ports.clock()
        began = await work.sessions.lock(actor.session) if actor.session else None
        if began is None or not began.living(now):
            raise NotPermittedError(Permission.MANAGE_USERS)
        session = Session(
            SessionId(uuid7()), person, Portal.PLAYER, created_at=now, authenticated_at=now, last_used_at=now,
            expires_at=min(now + IMPERSONATION_LIFETIME, began.expires_at), impersonator=actor.person, through=began.id,
        )  # fmt: skip
        await work.sessions.add(session, None)
        await work.record(Deed("person.impersonated", f"person:{person}", actor, about=person, reason=reason))
    return SignedIn(session, ports.access_tokens.issue(session, now), None)


async def _alone_with_roles(work: IdentityWork, actor: Actor, permission: Permission) -> frozenset[Permission]:
    """Lock roles, and look again what the actor may do. Raises `NotPermittedError` for who lost it while they waited.

    What they lost may be the role, the permission, their session, or their account.
    """
    await work.members.lock_staff()
    role = await work.members.works_as(actor.person, actor.session)
    held = await work.members.permissions_of(role) if role else frozenset[Permission]()
    if role is not actor.staff_role or permission not in held:
        raise NotPermittedError(permission)
    return held


def _shuts_out(origin: Origin | None, networks: Sequence[str]) -> bool:
    """Whether the actor's own address would not be allowed any more."""
    return origin is not None and origin.address != "" and not within(networks, origin.address)


def _listed(permissions: frozenset[Permission]) -> str:
    return ", ".join(sorted(permissions))
