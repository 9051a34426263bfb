"""Brands on a real database: who makes them, who says what of them, what staff finds, and who hears of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.brand.model import Billing, Brand, MemberId, Preferences, Profile, Verification
from domain.brand.profiles import Change, change_brand, create_brand, decide_brand
from domain.brand.refusals import BrandMovedOn, ProfileRefused, RoleTooLow, UnknownBrand, UnknownMember
from domain.brand.wallets import open_brand_wallet
from domain.errors import NotPermittedError
from domain.identity.refusals import ReasonRequired, StepUpRequired, TooManyTries
from domain.ids import BrandId, uuid7
from domain.money import Currency, Money
from domain.quotas import BRAND
from domain.rights import BrandRole, StaffRole
from tests.brand_stage import COMPANY, BrandStage, staged_brands
from tests.staff_stage import WHY, staffer, told_of_standing
from tests.waiting import eventually

BUDGET = Money.whole(0, Currency.IDR), Money.whole(5_000_000, Currency.IDR)
WANTED = Preferences("Who plays for hours", ("Racing",), ("Java", "Bali"), *BUDGET)


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[BrandStage]:
    async with staged_brands(database) as staged:
        yield staged


async def read(stage: BrandStage, brand: Brand) -> Brand:
    return (await stage.reads.brands_by_id([brand.id]))[brand.id]


async def test_who_makes_a_brand_owns_it_and_is_its_contact(stage: BrandStage, database: DatabaseAddresses) -> None:
    me = await stage.member()
    async with told_of_standing(database) as told:
        brand = await stage.brand(me)
        await eventually(lambda: told == [str(me.person)])
    assert await stage.team(brand) == {str(me.person): BrandRole.OWNER}
    kept = await read(stage, brand)
    assert (kept.profile.company, kept.contact, kept.verification) == (COMPANY, me.person, Verification.PENDING)
    assert (await stage.deeds())[-1] == "brand.created"
    assert await stage.value("select name from event where topic = $1", brand.owner) == "BrandCreated"


async def test_the_same_key_again_makes_no_second_brand(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    again = await create_brand(stage, me, Profile(replace(COMPANY, name="Another")), COMPANY.name)
    assert isinstance(again, Brand)
    assert again.profile.company.name == COMPANY.name
    assert again.id == brand.id
    assert await stage.count("brand") == await stage.count("membership", "kind = 'brand'") == 1


async def test_nobody_makes_brands_without_end(stage: BrandStage) -> None:
    me = await stage.member()
    for number in range(BRAND.times):
        await stage.brand(me, f"Brand {number}")
    refused = await create_brand(stage, me, Profile(COMPANY), "one more")
    assert isinstance(refused, TooManyTries)
    assert refused.retry_after_s > 0
    assert isinstance(await create_brand(stage, me, Profile(COMPANY), "Brand 0"), Brand)
    assert await stage.count("brand") == BRAND.times


async def test_everything_that_a_brand_says_is_kept_as_it_was_said(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    billing = Billing("Jalan Satu 1\nJakarta", "01.234", Currency.USD)
    assert isinstance(await change_brand(stage, me, brand.id, Change(billing=billing, preferences=WANTED)), Brand)
    kept = await read(stage, brand)
    assert kept.profile == Profile(COMPANY, billing, WANTED)
    company = replace(COMPANY, website="")
    assert isinstance(await change_brand(stage, me, brand.id, Change(company=company)), Brand)
    assert (await read(stage, brand)).profile == Profile(company, billing, WANTED)


async def test_what_cannot_be_so_changes_nothing(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    deeds, events = await stage.deeds(), await stage.count("event")
    refused = await change_brand(stage, me, brand.id, Change(company=replace(COMPANY, website="baterai.example")))
    assert isinstance(refused, ProfileRefused)
    assert refused.field == "website"
    assert isinstance(await change_brand(stage, me, brand.id, Change(contact=MemberId(uuid7()))), UnknownMember)
    assert await change_brand(stage, me, brand.id, Change(company=COMPANY)) == await read(stage, brand)
    assert (await stage.deeds(), await stage.count("event")) == (deeds, events)
    assert await read(stage, brand) == brand


async def test_a_manager_changes_a_brand_and_a_viewer_does_not(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    manager = await stage.joined(me, brand, "manager@mail.example", BrandRole.MANAGER)
    viewer = await stage.joined(me, brand, "viewer@mail.example")
    stranger = await stage.member("stranger@mail.example")
    named = Change(contact=await stage.member_id(brand, viewer))
    changed = await change_brand(stage, manager, brand.id, named)
    assert isinstance(changed, Brand)
    assert changed.contact == viewer.person
    assert isinstance(await change_brand(stage, viewer, brand.id, named), RoleTooLow)
    unknown = await change_brand(stage, stranger, brand.id, named)
    assert unknown == await change_brand(stage, stranger, BrandId(uuid7()), named) == UnknownBrand()


async def test_staff_verifies_what_it_looked_at_and_looks_again_at_what_changes(stage: BrandStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.MODERATOR)
    brand = await stage.brand(me)
    rejected = await decide_brand(stage, staff, brand.id, 1, "No such company.", approve=False)
    assert isinstance(rejected, Brand)
    assert (rejected.verification, rejected.reason) == (Verification.REJECTED, "No such company.")
    assert isinstance(await decide_brand(stage, staff, brand.id, 1, WHY, approve=False), BrandMovedOn)
    mended = await change_brand(stage, me, brand.id, Change(billing=Billing(tax_id="01.234")))
    assert isinstance(mended, Brand)
    assert (mended.verification, mended.reason, mended.revision) == (Verification.PENDING, "", 2)
    assert isinstance(await decide_brand(stage, staff, brand.id, 1, WHY, approve=True), BrandMovedOn)
    assert isinstance(await decide_brand(stage, staff, brand.id, 2, WHY, approve=True), Brand)
    assert isinstance(await change_brand(stage, me, brand.id, Change(preferences=WANTED)), Brand)
    kept = await read(stage, brand)
    assert (kept.verification, kept.revision) == (Verification.VERIFIED, 2)
    assert (await stage.deeds())[-2:] == ["brand.verified", "brand.changed"]


async def test_the_contact_hears_what_was_found(stage: BrandStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.MODERATOR)
    brand = await stage.brand(me)
    for approve, subject in ((False, "BrandRejected"), (True, "BrandVerified")):
        assert isinstance(await decide_brand(stage, staff, brand.id, 1, WHY, approve=approve), Brand)
        assert isinstance(await decide_brand(stage, staff, brand.id, 1, WHY, approve=approve), BrandMovedOn)
        await stage.post()
        letters = [letter for letter in stage.mailer.letters if letter.subject == subject]
        assert [(letter.to, letter.text) for letter in letters] == [
            ("ani@mail.example", f"https://portal.example/brands/{brand.id}")
        ]


async def test_staff_sees_the_oldest_first_and_loses_no_place(stage: BrandStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.MODERATOR)
    made = []
    for number in range(4):
        made.append((await stage.brand(me, f"Brand {number}")).id)
        stage.turn(seconds=1)
    first = [each.id for each in await stage.reads.brands_by_state(Verification.PENDING, 2, None)]
    assert first == made[:2]
    assert isinstance(await decide_brand(stage, staff, first[1], 1, WHY, approve=True), Brand)
    assert [each.id for each in await stage.reads.brands_by_state(Verification.PENDING, 5, first[1])] == made[2:]


async def test_a_decision_takes_the_permission_a_reason_and_a_fresh_code(stage: BrandStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.MODERATOR)
    brand, support = await stage.brand(me), await staffer(stage, StaffRole.SUPPORT)
    deeds = await stage.deeds()
    with pytest.raises(NotPermittedError):
        await decide_brand(stage, support, brand.id, 1, WHY, approve=True)
    with pytest.raises(NotPermittedError):
        await decide_brand(stage, me, brand.id, 1, WHY, approve=True)
    assert isinstance(await decide_brand(stage, staff, brand.id, 1, " ", approve=True), ReasonRequired)
    tired = replace(staff, stepped_up_until=stage.clock() - timedelta(seconds=1))
    assert isinstance(await decide_brand(stage, tired, brand.id, 1, WHY, approve=True), StepUpRequired)
    assert isinstance(await decide_brand(stage, staff, BrandId(uuid7()), 1, WHY, approve=True), UnknownBrand)
    assert await read(stage, brand) == brand
    assert await stage.deeds() == deeds


async def test_the_database_keeps_an_owner_whoever_takes_the_last_one(stage: BrandStage) -> None:
    me = await stage.member()
    await stage.brand(me)
    for change in ("ended_at = now()", "role = 'viewer'"):
        with pytest.raises(asyncpg.CheckViolationError, match="would have no owner"):
            await stage.database.pool.execute(f"update membership set {change} where kind = 'brand'")
    assert await stage.count("membership", "role = 'owner' and ended_at is null") == 1


async def test_a_brands_wallet_is_opened_once_by_whoever_manages_it_at_that_moment(stage: BrandStage) -> None:
    me, stranger = await stage.member(), await stage.member("stranger@mail.example")
    brand = await stage.brand(me)
    viewer = await stage.joined(me, brand, "viewer@mail.example")
    manager = await stage.joined(me, brand, "manager@mail.example", BrandRole.MANAGER)
    assert isinstance(await open_brand_wallet(stage, viewer, brand.id, Currency.IDR), RoleTooLow)
    assert await open_brand_wallet(stage, stranger, brand.id, Currency.IDR) == UnknownBrand()
    assert await open_brand_wallet(stage, stranger, BrandId(uuid7()), Currency.IDR) == UnknownBrand()
    assert await stage.count("account") == 0
    asked = [open_brand_wallet(stage, who, brand.id, Currency.IDR) for who in (me, manager) * 4]
    assert len(set(await asyncio.gather(*asked))) == 1
    assert await stage.value("select owner || ' ' || purpose from account") == f"{brand.owner} brand_prepaid"
    await stage.database.pool.execute("update membership set role = 'viewer' where person = $1", manager.person)
    assert isinstance(await open_brand_wallet(stage, manager, brand.id, Currency.USD), RoleTooLow)
    assert await stage.count("account") == 1
