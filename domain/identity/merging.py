"""Two people who are one: staff asks, other staff decides, and what was in both names is one person's.

The ledger is never rewritten: the merged person's accounts keep their owner, and the survivor stands for it
(`Actor.owners`). Doors: the admin portal's mutations.
"""

from collections.abc import Mapping
from uuid import UUID

from domain.actor import Actor
from domain.audit_log import Deed
from domain.identity.model import MergeRequest, PersonStatus, SessionEnd
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import FourEyesRequired, IsStaff, MergeRefused, UnknownPerson
from domain.identity.staff import check
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, uuid7
from domain.refusal import Refusal
from domain.rights import Permission


async def ask_to_merge(
    ports: IdentityPorts, actor: Actor, survivor: PersonId, merged: PersonId, reason: str
) -> MergeRequest | Refusal:
    """Say that two people are one. Nothing changes until somebody else agrees."""
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    request = MergeRequest(uuid7(), survivor, merged, reason, actor.person, ports.clock())
    async with ports.work() as work:
        if refusal := await _cannot_be_one(work, survivor, merged):
            return refusal
        if not await work.merges.add(request):
            return MergeRefused("Somebody asked to merge this person already: decide about that first.")
        names = {"survivor": str(survivor), "merged": str(merged)}
        await work.record(Deed("person.merge_asked", f"merge:{request.id}", actor, after=names, reason=reason))
    return request


async def decide_merge(
    ports: IdentityPorts, actor: Actor, id_: UUID, reason: str, *, approve: bool
) -> MergeRequest | Refusal:
    """Agree to a merge or turn it down. Who asked may turn it down, but not agree (four eyes)."""
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    async with ports.work() as work:
        asked = await work.merges.lock(id_)
    if asked is None:
        return MergeRefused("There is no such request.")
    subjects = await _sealed_anew(ports, asked) if approve else {}
    async with ports.work() as work:
        request = await work.merges.lock(id_)
        if request is None or request.decided_at is not None:
            return MergeRefused("This has been decided.")
        if approve:
            if request.asked_by == actor.person:
                return FourEyesRequired()
            if refusal := await _cannot_be_one(work, request.survivor, request.merged):
                return refusal
            await work.merges.join(request.survivor, request.merged, subjects)
            await work.sessions.end(request.merged, ports.clock(), SessionEnd.MERGED)
            await work.people.set_status(request.merged, PersonStatus.MERGED, "", request.survivor)
        await work.merges.decide(id_, actor.person, ports.clock(), approved=approve)
        verdict = "approved" if approve else "turned_down"
        await work.record(Deed(f"person.merge_{verdict}", f"merge:{id_}", actor, reason=reason))
        decided = await work.merges.lock(id_)
    return decided or request


async def _cannot_be_one(work: IdentityWork, survivor: PersonId, merged: PersonId) -> Refusal | None:
    """Why two people cannot be merged. Locks both, in the order of their ids."""
    if survivor == merged:
        return MergeRefused("These are one already.")
    statuses = {person: await work.people.lock(person) for person in sorted((survivor, merged))}
    if statuses[survivor] is not PersonStatus.ACTIVE:
        return UnknownPerson()
    if statuses[merged] not in {PersonStatus.ACTIVE, PersonStatus.BANNED}:
        return UnknownPerson()
    if statuses[merged] is PersonStatus.BANNED:
        return MergeRefused("A banned person is not merged: lift the ban first, or it would be forgotten.")
    return IsStaff() if await work.members.staff_role(merged) else None


async def _sealed_anew(ports: IdentityPorts, request: MergeRequest) -> Mapping[UUID, bytes]:
    """The subjects of the merged person's identities, sealed for the survivor."""
    identities = (await ports.people.identities_of([request.merged]))[request.merged]
    return {
        identity.id: await ports.vault.seal(request.survivor, "subject", identity.subject)
        for identity in identities
        if identity.subject is not None
    }
