"""Invitations on a real database: who may ask whom, what a link is good for, and what stays of an address."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.brand.invitations import (
    accept_invitation,
    decline_invitation,
    invite,
    prune_invitations,
    resend_invitation,
    revoke_invitation,
)
from domain.brand.model import INVITATION_KEPT, INVITATION_LIFETIME, Brand, Invitation, InvitationView, Member
from domain.brand.ports import TeamPage
from domain.brand.refusals import AlreadyInvited, AlreadyMember, InvitationGone, RoleTooLow, UnknownBrand
from domain.errors import KeyDestroyedError
from domain.identity.refusals import NotAnAddress, TooManyTries
from domain.quotas import INVITATION_TO_ADDRESS
from domain.rights import BrandRole
from tests.brand_stage import BrandStage, staged_brands

OTHER = "budi@mail.example"
VIEWER = BrandRole.VIEWER


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[BrandStage]:
    async with staged_brands(database) as staged:
        yield staged


async def open_invitations(stage: BrandStage, brand: Brand) -> list[InvitationView]:
    page = TeamPage(brand.id, 100)
    return list((await stage.reads.invitations([page]))[page])


async def test_whose_verified_address_it_is_takes_it_up_without_the_letter(stage: BrandStage) -> None:
    me, other = await stage.member(), await stage.member(OTHER)
    brand = await stage.brand(me)
    await stage.invited(me, brand, "Budi@Mail.Example", BrandRole.MANAGER)
    (found,) = await stage.reads.invitations_to(other.person, stage.clock(), 5)
    assert (found.brand_name, found.invitation.role) == (brand.profile.company.name, BrandRole.MANAGER)
    assert await stage.reads.invitations_to(me.person, stage.clock(), 5) == []
    assert isinstance(await accept_invitation(stage, me, found.invitation.id), InvitationGone)
    made = await accept_invitation(stage, other, found.invitation.id)
    assert isinstance(made, Member)
    assert (made.person, made.role) == (other.person, BrandRole.MANAGER)
    assert await accept_invitation(stage, other, found.invitation.id) == made
    assert len(await stage.team(brand)) == 2


async def test_who_is_erased_meanwhile_asks_nobody(stage: BrandStage, monkeypatch: pytest.MonkeyPatch) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    open_one = await invite(stage, me, brand.id, OTHER, VIEWER)
    assert isinstance(open_one, InvitationView)

    async def seal(*_: object) -> bytes:
        raise KeyDestroyedError("erased")

    monkeypatch.setattr(type(stage.vault), "seal", seal)
    assert isinstance(await invite(stage, me, brand.id, "another@mail.example", VIEWER), UnknownBrand)
    assert isinstance(await resend_invitation(stage, me, open_one.invitation.id), InvitationGone)
    assert [each.invitation.id for each in await open_invitations(stage, brand)] == [open_one.invitation.id]


async def test_who_holds_the_link_takes_it_up_with_any_address(stage: BrandStage) -> None:
    me, other = await stage.member(), await stage.member("somebody@mail.example")
    brand = await stage.brand(me)
    token = await stage.invited(me, brand, OTHER)
    assert isinstance(await accept_invitation(stage, other, token), Member)
    assert isinstance(await accept_invitation(stage, await stage.member(OTHER), token), InvitationGone)
    assert isinstance(await accept_invitation(stage, other, "no such token"), InvitationGone)
    assert await open_invitations(stage, brand) == []


async def test_an_address_that_nobody_verified_takes_nothing_up(stage: BrandStage) -> None:
    me, other = await stage.member(), await stage.member(OTHER)
    brand = await stage.brand(me)
    await stage.invited(me, brand, OTHER)
    await stage.database.pool.execute("update person set mail_verified_at = null where id = $1", other.person)
    (open_,) = await open_invitations(stage, brand)
    assert isinstance(await accept_invitation(stage, other, open_.invitation.id), InvitationGone)
    assert await stage.reads.invitations_to(other.person, stage.clock(), 5) == []


async def test_nothing_readable_is_kept_of_the_link_or_the_address(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    token = await stage.invited(me, brand, OTHER)
    row = await stage.database.pool.fetchrow("select * from brand_invitation")
    assert row["digest"] == stage.opaque_tokens.digest(token)
    assert not any(OTHER.encode() in bytes(row[column]) for column in ("mail", "mail_index", "digest"))
    assert [view.mail for view in await open_invitations(stage, brand)] == [OTHER]
    assert isinstance(await decline_invitation(stage, await stage.member(OTHER), token), Invitation)
    row = await stage.database.pool.fetchrow("select mail, mail_index, state from brand_invitation")
    assert tuple(row) == (None, None, "declined")


async def test_only_owners_ask_and_take_back(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    manager = await stage.joined(me, brand, OTHER, BrandRole.MANAGER)
    stranger = await stage.member("stranger@mail.example")
    token = await stage.invited(me, brand, "third@mail.example")
    (open_,) = await open_invitations(stage, brand)
    id_, letters = open_.invitation.id, await stage.count("letter")
    for verb in (resend_invitation, revoke_invitation):
        assert isinstance(await verb(stage, manager, id_), RoleTooLow)
        assert isinstance(await verb(stage, stranger, id_), InvitationGone)
    assert isinstance(await invite(stage, manager, brand.id, "fourth@mail.example", VIEWER), RoleTooLow)
    assert isinstance(await invite(stage, stranger, brand.id, "fourth@mail.example", VIEWER), UnknownBrand)
    assert await stage.count("letter") == letters
    assert isinstance(await revoke_invitation(stage, me, id_), Invitation)
    assert isinstance(await accept_invitation(stage, stranger, token), InvitationGone)
    assert isinstance(await resend_invitation(stage, me, id_), InvitationGone)


async def test_sent_again_the_newest_link_alone_is_good(stage: BrandStage) -> None:
    me, other = await stage.member(), await stage.member(OTHER)
    brand = await stage.brand(me)
    first = await stage.invited(me, brand, OTHER)
    assert isinstance(await invite(stage, me, brand.id, OTHER, VIEWER), AlreadyInvited)
    (open_,) = await open_invitations(stage, brand)
    stage.turn(seconds=INVITATION_LIFETIME.total_seconds() + 1)
    assert isinstance(await accept_invitation(stage, other, first), InvitationGone)
    again = await resend_invitation(stage, me, open_.invitation.id)
    assert isinstance(again, InvitationView)
    await stage.post()
    second = stage.token("BrandInvitation")
    assert second != first
    assert isinstance(await accept_invitation(stage, other, first), InvitationGone)
    assert isinstance(await accept_invitation(stage, other, second), Member)


async def test_nobody_is_pestered(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    await stage.invited(me, brand, OTHER)
    (open_,) = await open_invitations(stage, brand)
    for _ in range(INVITATION_TO_ADDRESS.times - 1):
        assert isinstance(await resend_invitation(stage, me, open_.invitation.id), InvitationView)
    refused = await resend_invitation(stage, me, open_.invitation.id)
    assert isinstance(refused, TooManyTries)
    another = await stage.brand(me, "Another")
    assert isinstance(await invite(stage, me, another.id, OTHER.upper(), VIEWER), TooManyTries)
    assert isinstance(await invite(stage, me, brand.id, "no address", VIEWER), NotAnAddress)
    assert await stage.count("letter", "template = 'BrandInvitation'") == INVITATION_TO_ADDRESS.times


async def test_who_is_a_member_stays_what_they_are(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    other = await stage.joined(me, brand, OTHER)
    token = await stage.invited(me, brand, "second@mail.example", BrandRole.OWNER)
    assert isinstance(await accept_invitation(stage, other, token), AlreadyMember)
    assert (await stage.team(brand))[str(other.person)] is VIEWER
    assert len(await open_invitations(stage, brand)) == 1


async def test_taken_up_twice_at_once_it_makes_one_member(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    one, other = await stage.member(OTHER), await stage.member("second@mail.example")
    token = await stage.invited(me, brand, OTHER)
    answers = await asyncio.gather(*(accept_invitation(stage, each, token) for each in (one, other) * 3))
    members = {answer.id for answer in answers if isinstance(answer, Member)}
    assert len(members) == 1
    assert sum(isinstance(answer, InvitationGone) for answer in answers) == 3
    assert len(await stage.team(brand)) == 2


async def test_taken_up_and_taken_back_at_once_it_is_one_of_both(stage: BrandStage) -> None:
    me, other = await stage.member(), await stage.member(OTHER)
    brand = await stage.brand(me)
    token = await stage.invited(me, brand, OTHER)
    (open_,) = await open_invitations(stage, brand)
    answers = await asyncio.gather(
        accept_invitation(stage, other, token), revoke_invitation(stage, me, open_.invitation.id)
    )
    assert sum(isinstance(answer, InvitationGone) for answer in answers) == 1
    assert (len(await stage.team(brand)) == 2) is isinstance(answers[0], Member)


async def test_what_nobody_took_up_is_forgotten_after_a_month(stage: BrandStage) -> None:
    me = await stage.member()
    brand = await stage.brand(me)
    await stage.invited(me, brand, OTHER)
    over = INVITATION_LIFETIME + INVITATION_KEPT
    stage.turn(seconds=over.total_seconds() - 1)
    assert await prune_invitations(stage, stage.clock()) == 0
    assert len(await open_invitations(stage, brand)) == 1
    stage.turn(seconds=2)
    assert await prune_invitations(stage, stage.clock()) == 1
    assert await stage.count("brand_invitation", "mail is null and mail_index is null") == 1
