"""Who acts for a brand: roles that change, members who are sent away or leave. An owner who can sign in stays.

Of who is no owner any more the open invitations are taken back.
The person is locked first, then the brand: of two owners who leave at once the second waits, and finds that they are
the last. Every process hears of a change by the row itself.
"""

from domain.actor import Actor
from domain.audit_log import Deed
from domain.brand.events import BrandTeamChanged
from domain.brand.model import Member, MemberId
from domain.brand.ports import BrandPorts, BrandWork
from domain.brand.profiles import as_member
from domain.brand.refusals import LastOwner, UnknownBrand, UnknownMember
from domain.ids import BrandId, uuid7
from domain.refusal import Refusal
from domain.rights import BrandRole


async def change_role(ports: BrandPorts, actor: Actor, id_: MemberId, role: BrandRole) -> Member | Refusal:
    """Give a member another role. Its door: the mutation, for owners."""
    async with ports.work() as work:
        member = await _member(work, actor, id_)
        if isinstance(member, Refusal) or member.role is role:
            return member
        if refusal := await _keeps_an_owner(work, member):
            return refusal
        await work.teams.set_role(id_, role)
        await _changed(work, actor, "brand.role_changed", member, role)
    return Member(member.id, member.brand, member.person, role, member.since)


async def remove_member(ports: BrandPorts, actor: Actor, id_: MemberId) -> Member | Refusal:
    """Send a member away. Its door: the mutation, for owners."""
    async with ports.work() as work:
        member = await _member(work, actor, id_)
        if isinstance(member, Refusal):
            return member
        return await _ended(ports, work, actor, member, "brand.member_removed")


async def leave_brand(ports: BrandPorts, actor: Actor, id_: BrandId) -> Member | Refusal:
    """Be no member of a brand any more. Its door: the mutation, for every member."""
    async with ports.work() as work:
        for person in sorted(actor.people):
            await work.people.lock(person)
        found = await as_member(work, actor, id_, BrandRole.VIEWER)
        member = await work.teams.of(id_, actor.people)
        if isinstance(found, Refusal) or member is None:
            return UnknownBrand()
        return await _ended(ports, work, actor, member, "brand.left")


async def _member(work: BrandWork, actor: Actor, id_: MemberId) -> Member | Refusal:
    """A member of a brand that the actor owns, alone with both; what is another brand's is unknown."""
    found = await work.teams.member(id_)
    if found is None:
        return UnknownMember()
    await work.people.lock(found.person)
    brand = await as_member(work, actor, found.brand, BrandRole.OWNER)
    if isinstance(brand, Refusal):
        return UnknownMember() if isinstance(brand, UnknownBrand) else brand
    return await work.teams.member(id_) or UnknownMember()


async def _ended(ports: BrandPorts, work: BrandWork, actor: Actor, member: Member, action: str) -> Member | Refusal:
    if refusal := await _keeps_an_owner(work, member):
        return refusal
    await work.teams.end(member.id, ports.clock())
    await _changed(work, actor, action, member, None)
    return member


async def _keeps_an_owner(work: BrandWork, member: Member) -> Refusal | None:
    """Why an owner cannot go or be made less: there is no other."""
    is_last = member.role is BrandRole.OWNER and not await work.teams.owners_beside(member)
    return LastOwner() if is_last else None


async def _changed(work: BrandWork, actor: Actor, action: str, member: Member, role: BrandRole | None) -> None:
    """What follows from another role, or none: what it opened is shut, and it is written down."""
    if member.role is BrandRole.OWNER:
        # Nobody gets in any more by a door that somebody opened who may open none.
        await work.invitations.withdraw(member.brand, member.person)
    before, after = {"role": str(member.role)}, {"role": str(role) if role else None}
    await work.record(Deed(action, f"brand:{member.brand}", actor, about=member.person, before=before, after=after))
    await work.emit(BrandTeamChanged(uuid7(), member.brand))
