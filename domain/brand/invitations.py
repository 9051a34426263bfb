"""Asking somebody by mail to act for a brand: sent, sent again, taken back, taken up, turned down.

Nobody is told whether an address is known. The link holds a secret that is kept as a digest only; the address is sealed
with the key of who gave it, and forgotten as soon as the invitation is over.
"""

from dataclasses import replace
from datetime import datetime

from domain.actor import Actor
from domain.audit_log import Deed
from domain.brand.events import BrandTeamChanged
from domain.brand.model import (
    INVITATION_KEPT,
    INVITATION_LIFETIME,
    Invitation,
    InvitationId,
    InvitationState,
    InvitationView,
    Member,
    MemberId,
)
from domain.brand.ports import BrandPorts, BrandWork
from domain.brand.profiles import as_member
from domain.brand.refusals import AlreadyInvited, AlreadyMember, InvitationGone, UnknownBrand
from domain.errors import KeyDestroyedError
from domain.identity.addresses import mail_index, readable_mail
from domain.identity.letters import queued_letter
from domain.identity.mail import BrandInvitation
from domain.identity.mail_stores import QueuedLetter
from domain.identity.model import Locale, PersonStatus
from domain.identity.refusals import NotAnAddress, TooManyTries
from domain.ids import BrandId, PersonId, uuid7
from domain.quotas import INVITATION, INVITATION_TO_ADDRESS
from domain.refusal import Refusal
from domain.rights import BrandRole

MAIL_FIELD = "invited_mail"
"""As what the vault seals to whom an invitation goes."""


async def invite(
    ports: BrandPorts, actor: Actor, brand: BrandId, mail: str, role: BrandRole
) -> InvitationView | Refusal:
    """Ask the reader of an address to act for a brand. Its door: the mutation, for owners."""
    address = readable_mail(mail)
    if address is None:
        return NotAnAddress()
    async with ports.work() as work:
        found = await as_member(work, actor, brand, BrandRole.OWNER)
    if isinstance(found, Refusal):
        return found
    index = mail_index(ports.vault, address)
    if refusal := await _too_many(ports, actor, index):
        return refusal
    now, token, name = ports.clock(), ports.opaque_tokens.new(), found.profile.company.name
    made = Invitation(
        InvitationId(uuid7()), brand, role, actor.person, now, now + INVITATION_LIFETIME, mail_index=index
    )
    try:
        sealed = await ports.vault.seal(actor.person, MAIL_FIELD, address)
        letter = await _letter(ports, actor.person, address, name, token, made)
    except KeyDestroyedError:
        return UnknownBrand()  # their memberships went with their key
    refusal = await _begun(ports, actor, made, sealed, ports.opaque_tokens.digest(token), letter)
    return refusal or InvitationView(made, address, name)


async def _begun(
    ports: BrandPorts, actor: Actor, invitation: Invitation, mail: bytes, digest: bytes, letter: QueuedLetter
) -> Refusal | None:
    """Keep an invitation and its letter, or say why not: the right may have gone while the letter was written."""
    async with ports.work() as work:
        allowed = await as_member(work, actor, invitation.brand, BrandRole.OWNER)
        if isinstance(allowed, Refusal):
            return allowed
        if not await work.invitations.add(invitation, mail, digest):
            return AlreadyInvited()
        await work.letters.add(letter)
        await _told(work, actor, "brand.invited", invitation)
    return None


async def resend_invitation(ports: BrandPorts, actor: Actor, id_: InvitationId) -> InvitationView | Refusal:
    """Send an open invitation once more, with a link of its own; the one before is no good. Its door: the mutation."""
    found = await _own(ports, actor, id_)
    if isinstance(found, Refusal):
        return found
    view, index = found, found.invitation.mail_index
    if view.mail is None or index is None:
        return InvitationGone()
    if refusal := await _too_many(ports, actor, index):
        return refusal
    now, token = ports.clock(), ports.opaque_tokens.new()
    renewed = replace(view.invitation, expires_at=now + INVITATION_LIFETIME)
    try:
        letter = await _letter(ports, view.invitation.invited_by, view.mail, view.brand_name, token, renewed)
    except KeyDestroyedError:
        return InvitationGone()
    async with ports.work() as work:
        if isinstance(current := await _locked(work, actor, id_), Refusal):
            return current
        await work.invitations.renew(id_, ports.opaque_tokens.digest(token), renewed.expires_at)
        await work.letters.add(letter)
        await _told(work, actor, "brand.invited_again", renewed)
    return replace(view, invitation=renewed)


async def revoke_invitation(ports: BrandPorts, actor: Actor, id_: InvitationId) -> Invitation | Refusal:
    """Take an invitation back. Its door: the mutation, for owners."""
    async with ports.work() as work:
        found = await _locked(work, actor, id_)
        if isinstance(found, Refusal):
            return found
        await work.invitations.end(id_, InvitationState.REVOKED)
        await _told(work, actor, "brand.invitation_revoked", found)
    return found


async def accept_invitation(ports: BrandPorts, actor: Actor, by: InvitationId | str) -> Member | Refusal:
    """Take an invitation up, by its link's token, or by its id where it went to the actor's verified address.

    Its door: the mutation. Once more, it answers what came of it the first time.
    """
    async with ports.work() as work:
        found = await _addressed(ports, work, actor, by)
        if found is None:
            return InvitationGone()
        member = await work.teams.of(found.brand, actor.people)
        if found.state is InvitationState.ACCEPTED and found.accepted_by in actor.people:
            return member or InvitationGone()
        if not found.good(ports.clock()):
            return InvitationGone()
        if member is not None:
            return AlreadyMember()
        member = Member(MemberId(uuid7()), found.brand, actor.person, found.role, ports.clock())
        await work.teams.add(member)
        await work.invitations.end(found.id, InvitationState.ACCEPTED, actor.person)
        role = {"role": str(found.role)}
        await work.record(Deed("brand.joined", f"brand:{found.brand}", actor, about=actor.person, after=role))
        await work.emit(BrandTeamChanged(uuid7(), found.brand))
    return member


async def decline_invitation(ports: BrandPorts, actor: Actor, by: InvitationId | str) -> Invitation | Refusal:
    """Turn an invitation down, as whoever may take it up. Its door: the mutation."""
    async with ports.work() as work:
        found = await _addressed(ports, work, actor, by)
        if found is None or not found.good(ports.clock()):
            return InvitationGone()
        await work.invitations.end(found.id, InvitationState.DECLINED)
        await _told(work, actor, "brand.invitation_declined", found)
    return found


async def prune_invitations(ports: BrandPorts, now: datetime) -> int:
    """Forget whom nobody heard of for a month. Its door: a daily job."""
    async with ports.work() as work:
        return await work.invitations.forget(now - INVITATION_KEPT)


async def _own(ports: BrandPorts, actor: Actor, id_: InvitationId) -> InvitationView | Refusal:
    """An open invitation of a brand that the actor owns, readable; what is another brand's is gone."""
    async with ports.work() as work:
        found = await _locked(work, actor, id_)
    if isinstance(found, Refusal):
        return found
    return (await ports.reads.invitations_by_id([id_])).get(id_) or InvitationGone()


async def _locked(work: BrandWork, actor: Actor, id_: InvitationId) -> Invitation | Refusal:
    """The same, alone with it and its brand."""
    known = await work.invitations.find(id_)
    brand = await as_member(work, actor, known.brand, BrandRole.OWNER) if known else UnknownBrand()
    if isinstance(brand, Refusal):
        return InvitationGone() if isinstance(brand, UnknownBrand) else brand
    found = await work.invitations.lock(id_)
    return found if found is not None and found.state is InvitationState.OPEN else InvitationGone()


async def _addressed(ports: BrandPorts, work: BrandWork, actor: Actor, by: InvitationId | str) -> Invitation | None:
    """An invitation that is the actor's to answer, alone with them, it and its brand."""
    if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
        return None
    known = await work.invitations.find(ports.opaque_tokens.digest(by) if isinstance(by, str) else by)
    if known is None:
        return None
    await work.brands.lock(known.brand)
    found = await work.invitations.lock(known.id)
    if found is None or isinstance(by, str) or found.accepted_by in actor.people:
        return found
    verified = await work.mailboxes.verified(actor.person)
    return found if verified is not None and verified == found.mail_index else None


async def _too_many(ports: BrandPorts, actor: Actor, index: bytes) -> Refusal | None:
    """Why nothing is sent now: the address or the actor has had many."""
    for quota, subject in ((INVITATION_TO_ADDRESS, index.hex()), (INVITATION, f"person:{actor.person}")):
        taken = await ports.quotas.take(quota, subject)
        if not taken.allowed:
            return TooManyTries("Many invitations went out lately: wait before the next.", taken.retry_after_s)
    return None


async def _letter(
    ports: BrandPorts, writer: PersonId, mail: str, name: str, token: str, invitation: Invitation
) -> QueuedLetter:
    known = (await ports.people.people([writer], ())).get(writer)
    occasion = BrandInvitation(name, ports.pages.accept_invitation(token), invitation.expires_at)
    return await queued_letter(ports, writer, mail, known.locale if known else Locale.INDONESIAN, occasion)


async def _told(work: BrandWork, actor: Actor, action: str, invitation: Invitation) -> None:
    named = {"invitation": str(invitation.id), "role": str(invitation.role)}
    await work.record(Deed(action, f"brand:{invitation.brand}", actor, after=named))
