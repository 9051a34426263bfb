"""Members of brands on a real database: roles, leaving, and races in which an owner must stay."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.standings import PostgresStandings
from domain.brand.invitations import accept_invitation
from domain.brand.model import Member, MemberId
from domain.brand.refusals import InvitationGone, LastOwner, RoleTooLow, UnknownBrand, UnknownMember
from domain.brand.teams import change_role, leave_brand, remove_member
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from tests.brand_stage import BrandStage, staged_brands
from tests.staff_stage import told_of_standing
from tests.waiting import eventually

OTHER = "budi@mail.example"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[BrandStage]:
    async with staged_brands(database) as staged:
        yield staged


async def test_an_owner_changes_roles_and_sends_away(stage: BrandStage, database: DatabaseAddresses) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    other = await stage.joined(me, brand, OTHER)
    theirs = await stage.member_id(brand, other)
    async with told_of_standing(database) as told:
        changed = await change_role(stage, me, theirs, BrandRole.MANAGER)
        assert isinstance(changed, Member)
        assert changed.role is BrandRole.MANAGER
        assert isinstance(await change_role(stage, me, theirs, BrandRole.MANAGER), Member)
        assert isinstance(await remove_member(stage, me, theirs), Member)
        await eventually(lambda: told == [str(other.person)] * 2)
    assert isinstance(await remove_member(stage, me, theirs), UnknownMember)
    assert await stage.team(brand) == {str(me.person): BrandRole.OWNER}
    assert (await stage.deeds())[-2:] == ["brand.role_changed", "brand.member_removed"]


async def test_every_process_knows_at_once(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    other = await stage.joined(me, brand, OTHER)
    theirs = await stage.member_id(brand, other)
    session = other.session
    assert session is not None
    async with (
        PostgresStandings(stage.database, stage.clock).running() as one,
        PostgresStandings(stage.database, stage.clock).running() as another,
    ):

        async def all_know(role: BrandRole | None) -> bool:
            found = [await each.of(session) for each in (one, another)]
            return all(each is not None and each.brands.get(brand.id) is role for each in found)

        await eventually(lambda: all_know(BrandRole.VIEWER))
        await change_role(stage, me, theirs, BrandRole.MANAGER)
        await eventually(lambda: all_know(BrandRole.MANAGER))
        await remove_member(stage, me, theirs)
        await eventually(lambda: all_know(None))


@pytest.mark.parametrize("how", ["is made less", "is sent away", "leaves"])
async def test_who_is_no_owner_any_more_lets_nobody_in(stage: BrandStage, how: str) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    other = await stage.joined(me, brand, OTHER, BrandRole.OWNER)
    theirs = await stage.member_id(brand, other)
    back_door = await stage.invited(other, brand, "third@mail.example", BrandRole.OWNER)
    mine = await stage.invited(me, brand, "fourth@mail.example")
    verbs = {
        "is made less": lambda: change_role(stage, me, theirs, BrandRole.MANAGER),
        "is sent away": lambda: remove_member(stage, me, theirs),
        "leaves": lambda: leave_brand(stage, other, brand.id),
    }
    assert isinstance(await verbs[how](), Member)
    newcomer = await stage.member("third@mail.example")
    assert isinstance(await accept_invitation(stage, newcomer, back_door), InvitationGone)
    assert isinstance(await accept_invitation(stage, newcomer, mine), Member)


async def test_whoever_is_no_owner_changes_nobody(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    manager = await stage.joined(me, brand, OTHER, BrandRole.MANAGER)
    stranger = await stage.member("stranger@mail.example")
    await stage.brand(stranger)
    mine, before = await stage.member_id(brand, me), await stage.team(brand)
    assert isinstance(await change_role(stage, manager, mine, BrandRole.VIEWER), RoleTooLow)
    assert isinstance(await remove_member(stage, manager, mine), RoleTooLow)
    unknown = await remove_member(stage, stranger, mine)
    assert unknown == await remove_member(stage, stranger, MemberId(uuid7())) == UnknownMember()
    assert isinstance(await leave_brand(stage, stranger, brand.id), UnknownBrand)
    assert isinstance(await leave_brand(stage, stranger, BrandId(uuid7())), UnknownBrand)
    assert await stage.team(brand) == before


async def test_the_last_owner_stays(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    mine = await stage.member_id(brand, me)
    await stage.joined(me, brand, OTHER, BrandRole.MANAGER)
    deeds, events = await stage.deeds(), await stage.count("event")
    assert isinstance(await leave_brand(stage, me, brand.id), LastOwner)
    assert isinstance(await remove_member(stage, me, mine), LastOwner)
    assert isinstance(await change_role(stage, me, mine, BrandRole.VIEWER), LastOwner)
    assert (await stage.deeds(), await stage.count("event")) == (deeds, events)


async def test_an_owner_who_cannot_sign_in_is_none_to_leave_a_brand_to(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    other = await stage.joined(me, brand, OTHER, BrandRole.OWNER)
    await stage.database.pool.execute("update person set status = 'banned' where id = $1", other.person)
    assert isinstance(await leave_brand(stage, me, brand.id), LastOwner)


async def test_who_leaves_is_not_the_contact_any_more(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    other = await stage.joined(me, brand, OTHER, BrandRole.OWNER)
    assert isinstance(await leave_brand(stage, me, brand.id), Member)
    assert await stage.team(brand) == {str(other.person): BrandRole.OWNER}
    assert (await stage.reads.brands_by_id([brand.id]))[brand.id].contact is None


@pytest.mark.parametrize("how", ["both leave", "each sends the other away", "each makes the other less"])
async def test_of_two_owners_at_once_one_stays(stage: BrandStage, how: str) -> None:
    one = await stage.member()
    brands = [await stage.brand(one, f"Brand {number}") for number in range(4)]
    other = await stage.joined(one, brands[0], OTHER, BrandRole.OWNER)
    async with stage.work() as work:
        for brand in brands[1:]:
            member = Member(MemberId(uuid7()), brand.id, other.person, BrandRole.OWNER, stage.clock())
            await work.teams.add(member)
    for brand in brands:
        ones, others = [await stage.member_id(brand, each) for each in (one, other)]
        tries = {
            "both leave": [leave_brand(stage, one, brand.id), leave_brand(stage, other, brand.id)],
            "each sends the other away": [remove_member(stage, one, others), remove_member(stage, other, ones)],
            "each makes the other less": [
                change_role(stage, one, others, BrandRole.VIEWER),
                change_role(stage, other, ones, BrandRole.VIEWER),
            ],
        }
        answers = await asyncio.gather(*tries.pop(how))
        for unused in tries.values():
            for coroutine in unused:
                coroutine.close()
        assert sum(isinstance(answer, Member) for answer in answers) == 1, answers
        assert [*(await stage.team(brand)).values()].count(BrandRole.OWNER) == 1


async def test_the_database_lets_no_two_owners_go_at_once(stage: BrandStage, database: DatabaseAddresses) -> None:
    """Whatever way they go that knows nothing of brands, such as an erasure: the second waits, and then may not."""
    one = await stage.member()
    brand = await stage.brand(one)
    other = await stage.joined(one, brand, OTHER, BrandRole.OWNER)
    ending = "update membership set ended_at = now() where person = $1 and kind = 'brand'"

    async def end(person: object) -> str | None:
        try:
            async with stage.database.transaction() as connection:
                await connection.execute(ending, person)
        except asyncpg.CheckViolationError as error:
            return str(error)
        return None

    failures = [error for error in await asyncio.gather(end(one.person), end(other.person)) if error]
    assert len(failures) == 1
    assert "would have no owner" in failures[0]
    assert len(await stage.team(brand)) == 1
