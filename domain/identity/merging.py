"""Two people who are one: staff asks, other staff decides, and what was in both names is one person's.

The ledger is never rewritten: the merged person's accounts keep their owner, and the survivor stands for it
(`Actor.owners`). Doors: the admin portal's mutations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from domain.actor import Actor
from domain.audit_log import Deed
from domain.errors import KeyDestroyedError
from domain.identity.addresses import mail_index
from domain.identity.letters import letter_to
from domain.identity.mail import AccountsMerged
from domain.identity.mail_stores import QueuedLetter
from domain.identity.model import MergeRequest, Person, PersonStatus, SessionEnd
from domain.identity.ports import IdentityPorts
from domain.identity.refusals import FourEyesRequired, IsStaff, MergeRefused, UnknownPerson
from domain.identity.staff import check
from domain.identity.stores import IdentityWork
from domain.ids import PersonId, uuid7
from domain.refusal import Refusal
from domain.rights import Permission
from domain.vault import Sealed, Vault

_REASON_FIELD: Final = "merge_reason"
"""As what the vault seals why two are said to be one."""


async def ask_to_merge(
    ports: IdentityPorts, actor: Actor, survivor: PersonId, merged: PersonId, reason: str
) -> MergeRequest | Refusal:
    """Say that two people are one. Nothing changes until somebody else agrees."""
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    try:
        sealed = await ports.vault.seal(merged, _REASON_FIELD, reason)
    except KeyDestroyedError:
        return UnknownPerson()
    request = MergeRequest(uuid7(), survivor, merged, sealed, actor.person, ports.clock())
    async with ports.work() as work:
        if refusal := await _cannot_be_one(work, survivor, merged):
            return refusal
        if not await work.merges.add(request):
            return MergeRefused("Somebody asked to merge this person already: decide about that first.")
        names = {"survivor": str(survivor), "merged": str(merged)}
        await work.record(
            Deed("person.merge_asked", f"merge:{request.id}", actor, about=merged, after=names, reason=reason)
        )
    return request


async def reasons_of(vault: Vault, requests: Sequence[MergeRequest]) -> Sequence[str | None]:
    """Why each was asked for; None where that cannot be read any more."""
    sealed = [Sealed(each.merged, _REASON_FIELD, each.reason) for each in requests if each.reason]
    opened = iter(await vault.open(sealed))
    return [next(opened) if each.reason else None for each in requests]


async def decide_merge(
    ports: IdentityPorts, actor: Actor, id_: UUID, reason: str, *, approve: bool
) -> MergeRequest | Refusal:
    """Agree to a merge or turn it down. Who asked may turn it down, but not agree (four eyes).

    Both people are told by a letter. The survivor keeps their name and address; who has none gets the other's.
    """
    if refusal := check(ports, actor, Permission.MANAGE_USERS, reason):
        return refusal
    async with ports.work() as work:
        asked = await work.merges.lock(id_)
    if asked is None:
        return MergeRefused("There is no such request.")
    try:
        estate = await _estate(ports, asked) if approve else None
        async with ports.work() as work:
            request = await work.merges.lock(id_)
            if request is None or request.decided_at is not None:
                return MergeRefused("This has been decided.")
            if estate and (refusal := await _join(ports, work, actor, request, estate)):
                return refusal
            await work.merges.decide(id_, actor.person, ports.clock(), approved=approve)
            verdict = "approved" if approve else "turned_down"
            deed = Deed(f"person.merge_{verdict}", f"merge:{id_}", actor, about=request.merged, reason=reason)
            await work.record(deed)
            decided = await work.merges.lock(id_)
    except (_MeanwhileError, KeyDestroyedError):
        return MergeRefused("What they sign in by has changed this very moment: look again, and decide again.")
    return decided or request


async def _join(
    ports: IdentityPorts, work: IdentityWork, actor: Actor, request: MergeRequest, estate: "_Estate"
) -> Refusal | None:
    """Make two people one. Raises `_MeanwhileError` where some way of signing in would be left behind."""
    if request.asked_by == actor.person:
        return FourEyesRequired()
    survivor, merged = request.survivor, request.merged
    if refusal := await _cannot_be_one(work, survivor, merged):
        return refusal
    if [await work.mailboxes.verified(person) for person in (survivor, merged)] != estate.addresses:
        raise _MeanwhileError
    await work.merges.join(survivor, merged, estate.subjects)
    if await work.people.count_identities(merged):
        raise _MeanwhileError
    if estate.mail is not None:
        await work.people.set_mail(survivor, *estate.mail)
    await work.sessions.end(merged, ports.clock(), SessionEnd.MERGED)
    await work.people.set_status(merged, PersonStatus.MERGED, survivor=survivor)
    for letter in estate.letters:
        await work.letters.add(letter)
    return None


class _MeanwhileError(Exception):
    """Something changed between the look and the deed: undo."""


@dataclass(frozen=True, slots=True)
class _Estate:
    """What of the merged person was sealed anew for the survivor, before the unit of work."""

    subjects: Mapping[UUID, bytes]
    letters: Sequence[QueuedLetter]
    mail: tuple[bytes, bytes, datetime] | None
    """Sealed, as it is found, and since when it is verified; None where the survivor has one of their own."""
    addresses: Sequence[bytes | None]
    """By what digests both were found to read mail, the survivor first."""


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
    staffed = [await work.members.staff_role(person) for person in (survivor, merged)]
    return IsStaff() if any(staffed) else None


async def _estate(ports: IdentityPorts, request: MergeRequest) -> _Estate:
    """Seal for the survivor what was sealed for the merged person, and word the letters. Raises `KeyDestroyedError`."""
    survivor, merged = request.survivor, request.merged
    identities = (await ports.people.identities_of([merged]))[merged]
    subjects = {
        identity.id: await ports.vault.seal(survivor, "subject", identity.subject)
        for identity in identities
        if identity.subject is not None
    }
    told = AccountsMerged(ports.clock(), ports.pages.sign_in)
    letters = [await letter_to(ports, person, told) for person in (survivor, merged)]
    known = await ports.people.people([survivor, merged])
    addresses = [_address(ports.vault, known[person]) for person in (survivor, merged)]
    mail, given = None, known[merged]
    if addresses[0] is None and addresses[1] and given.mail and given.mail_verified_at:
        mail = await ports.vault.seal(survivor, "mail", given.mail), addresses[1], given.mail_verified_at
    return _Estate(subjects, [letter for letter in letters if letter], mail, addresses)


def _address(vault: Vault, person: Person) -> bytes | None:
    """The digest of an address that a person proved to read."""
    return mail_index(vault, person.mail) if person.mail and person.mail_verified_at else None
