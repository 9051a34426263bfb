"""Making a brand, saying what it is, and what staff finds of it. Roles: its managers change it, staff decides on it."""

from dataclasses import dataclass

from domain.actor import Actor
from domain.asset.model import Purpose
from domain.asset.refusals import AssetNotReady
from domain.audit_log import Deed, Detail
from domain.brand.events import BrandChanged, BrandCreated, BrandDecided
from domain.brand.model import MOST_DOCUMENTS, Billing, Brand, Company, Member, MemberId, Preferences, Profile, Step
from domain.brand.ports import BrandPorts, BrandWork
from domain.brand.refusals import BrandMovedOn, ProfileRefused, RoleTooLow, UnknownBrand, UnknownMember
from domain.identity.letters import letter_to
from domain.identity.mail import BrandRejected, BrandVerified
from domain.identity.mail_stores import QueuedLetter
from domain.identity.model import PersonStatus
from domain.identity.refusals import TooManyTries, UnknownPerson
from domain.identity.staff import check
from domain.ids import AssetId, BrandId, PersonId, derived, uuid7
from domain.quotas import BRAND
from domain.refusal import Refusal
from domain.rights import BrandRole, Permission


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be another; what is left out stays."""

    company: Company | None = None
    billing: Billing | None = None
    preferences: Preferences | None = None
    contact: MemberId | None = None
    logo: AssetId | None = None
    documents: tuple[AssetId, ...] | None = None


async def create_brand(ports: BrandPorts, actor: Actor, profile: Profile, key: str) -> Brand | Refusal:
    """Make a brand, whose owner and contact the actor is. Its door: the mutation. The same key again is the same."""
    if profile.fault:
        return _refused(profile.fault)
    id_, now = BrandId(derived(f"brand:{actor.person}", key)), ports.clock()
    known = (await ports.reads.brands_by_id([id_])).get(id_)
    if known is None and (refusal := await _too_many(ports, actor)):
        return refusal
    brand = Brand(id_, profile, actor.person, now)
    async with ports.work() as work:
        if await work.people.lock(actor.person) is not PersonStatus.ACTIVE:
            return UnknownPerson()
        if not await work.brands.add(brand):
            return await as_member(work, actor, id_, BrandRole.VIEWER)
        await work.teams.add(Member(MemberId(uuid7()), id_, actor.person, BrandRole.OWNER, now))
        await work.record(Deed("brand.created", brand.owner, actor, after={"name": profile.company.name}))
        await work.emit(BrandCreated(uuid7(), id_))
    return brand


async def change_brand(ports: BrandPorts, actor: Actor, id_: BrandId, change: Change) -> Brand | Refusal:
    """Say something else of a brand. Its door: the mutation, for owners and managers.

    Where something changes that staff looks at, the brand waits for staff again.
    """
    async with ports.work() as work:
        found = await as_member(work, actor, id_, BrandRole.MANAGER)
        if isinstance(found, Refusal):
            return found
        changed = await _changed(work, found, change)
        if isinstance(changed, Refusal) or changed == found:
            return changed
        await work.brands.save(changed)
        before, after = _told(found), _told(changed)
        await work.record(Deed("brand.changed", found.owner, actor, before=before, after=after))
        await work.emit(BrandChanged(uuid7(), id_))
    return changed


async def _changed(work: BrandWork, brand: Brand, change: Change) -> Brand | Refusal:
    """The brand as it is to be, or why it cannot be so."""
    old, contact = brand.profile, brand.contact
    profile = Profile(
        change.company or old.company, change.billing or old.billing, change.preferences or old.preferences
    )
    if profile.fault:
        return _refused(profile.fault)
    if change.contact is not None:
        member = await work.teams.member(change.contact)
        if member is None or member.brand != brand.id:
            return UnknownMember()
        contact = member.person
    if change.logo is not None and not await _ready(work, brand, (change.logo,), Purpose.BRAND_LOGO):
        return AssetNotReady()
    if change.documents is not None:
        documents = change.documents
        if len(documents) > MOST_DOCUMENTS or not await _ready(work, brand, documents, Purpose.BRAND_DOCUMENT):
            return AssetNotReady()
    return brand.changed(profile, contact, change.logo, change.documents)


async def _ready(work: BrandWork, brand: Brand, ids: tuple[AssetId, ...], purpose: Purpose) -> bool:
    """Whether all of these files are the brand's, for this purpose, and ready; each is named once."""
    return len(await work.assets.ready(ids, [brand.owner], purpose)) == len(ids)


def _told(brand: Brand) -> dict[str, Detail]:
    """A brand as the audit log tells its changes."""
    told: dict[str, Detail] = {"name": brand.profile.company.name, "verification": str(brand.verification)}
    if brand.logo:
        told["logo"] = str(brand.logo)
    return {**told, "documents": ", ".join(map(str, brand.documents))} if brand.documents else told


async def decide_brand(
    ports: BrandPorts, actor: Actor, id_: BrandId, revision: int, reason: str, *, approve: bool
) -> Brand | Refusal:
    """Verify a brand or reject it, as it was in the revision that staff looked at. Its door: staff's mutation.

    A letter tells the brand's contact. Raises `NotPermittedError`.
    """
    if refusal := check(ports, actor, Permission.VERIFY_BRANDS, reason):
        return refusal
    contact, letter = await _verdict(ports, id_, approve=approve)
    async with ports.work() as work:
        found = await work.brands.lock(id_)
        if found is None:
            return UnknownBrand()
        decided = found.decided(Step.VERIFY if approve else Step.REJECT, reason, ports.clock())
        if decided is None or found.revision != revision:
            return BrandMovedOn()
        await work.brands.save(decided)
        before, after = ({"verification": str(each.verification)} for each in (found, decided))
        verdict = "verified" if approve else "rejected"
        await work.record(Deed(f"brand.{verdict}", found.owner, actor, before=before, after=after, reason=reason))
        await work.emit(BrandDecided(uuid7(), id_))
        if letter is not None and found.contact == contact:
            await work.letters.add(letter)
    return decided


async def as_member(work: BrandWork, actor: Actor, id_: BrandId, least: BrandRole) -> Brand | Refusal:
    """A brand in which the actor has at least a role at this moment, locked; or why there is none for them."""
    brand = await work.brands.lock(id_)
    member = await work.teams.of(id_, actor.people) if brand else None
    if brand is None or member is None:
        return UnknownBrand()
    return brand if member.role.covers(least) else RoleTooLow()


async def _verdict(ports: BrandPorts, id_: BrandId, *, approve: bool) -> tuple[PersonId | None, QueuedLetter | None]:
    """Who is to hear what was found of a brand, and the letter to them; none where no address is surely theirs."""
    known = (await ports.reads.brands_by_id([id_])).get(id_)
    if known is None or known.contact is None:
        return None, None
    name, link = known.profile.company.name, ports.pages.brand(id_)
    occasion = BrandVerified(name, link) if approve else BrandRejected(name, link)
    return known.contact, await letter_to(ports, known.contact, occasion, proven=True)


async def _too_many(ports: BrandPorts, actor: Actor) -> Refusal | None:
    taken = await ports.quotas.take(BRAND, f"person:{actor.person}")
    if taken.allowed:
        return None
    return TooManyTries("You have made many brands lately: wait before the next.", taken.retry_after_s)


def _refused(field: str) -> Refusal:
    return ProfileRefused(f"`{field}` is missing, too long, or cannot be so.", field)
