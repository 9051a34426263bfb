"""What strangers, thieves and old mailboxes try with accounts, on a real database."""

from collections.abc import AsyncIterator

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.identity.accounts import MailOnItsWay, confirm_mail, request_mail_change
from domain.identity.model import Portal
from domain.identity.passwords import PasswordNowChanged, change_password
from domain.identity.refusals import LinkRefused
from domain.identity.resets import request_password_reset, reset_password
from domain.identity.sessions import SignedIn, end_other_sessions
from tests.accounts_stage import ENGLISH, PASSWORD, AccountsStage, origin, staged_accounts
from tests.factor_stage import stepped_up

NEW = "another horse, other batteries"
ANI, EVIL = "ani@mail.example", "evil@mail.example"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def stolen(stage: AccountsStage) -> Actor:
    """A session of the member's in which somebody else can do all that takes no code."""
    found = await stage.sign_in()
    assert isinstance(found, SignedIn), found
    return stepped_up(stage, stage.actor(found))


async def renewed(stage: AccountsStage, me: Actor, how: str) -> None:
    """The owner keeps out whoever else is in."""
    if how == "change":
        assert isinstance(await change_password(stage, me, PASSWORD, NEW), PasswordNowChanged)
    elif how == "reset":
        await request_password_reset(stage, ANI, ENGLISH, origin())
        await stage.post()
        found = await reset_password(stage, stage.token("ResetPassword"), NEW, Portal.PLAYER, origin())
        assert isinstance(found, SignedIn)
    else:
        assert await end_other_sessions(stage, me) == 1


class TestAddressesThatThievesNamed:
    @pytest.mark.parametrize("how", ["change", "reset", "end sessions"])
    @pytest.mark.parametrize("answered", [True, False])
    async def test_the_link_is_over_when_the_owner_shuts_them_out(
        self, stage: AccountsStage, how: str, *, answered: bool
    ) -> None:
        me = await stage.member()
        thief = await stolen(stage)
        assert await request_mail_change(stage, thief, EVIL) == MailOnItsWay()
        if answered:
            await stage.post()
        await renewed(stage, me, how)
        await stage.post()
        if how != "change" or answered:
            assert await confirm_mail(stage, thief, stage.token("VerifyAddress")) == LinkRefused()
        else:
            assert "VerifyAddress" not in stage.subjects
        person = (await stage.people.people([me.person]))[me.person]
        assert person.mail == ANI

    async def test_what_one_asked_for_oneself_is_over_with_the_password_too(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        await request_mail_change(stage, me, EVIL)
        await stage.post()
        await change_password(stage, me, PASSWORD, NEW)
        assert await confirm_mail(stage, me, stage.token("VerifyAddress")) == LinkRefused()

    async def test_the_link_is_good_in_the_session_alone_that_asked(self, stage: AccountsStage) -> None:
        attacker, victim = await stage.member(EVIL), await stage.member("budi@mail.example")
        attacker = stepped_up(stage, attacker)
        await request_mail_change(stage, attacker, ANI)
        await stage.post()
        link = stage.token("VerifyAddress")
        other = stage.actor(held(await stage.sign_in(EVIL)))
        for actor in (victim, other):
            assert await confirm_mail(stage, actor, link) == LinkRefused()
        assert (await stage.people.people([attacker.person]))[attacker.person].mail == EVIL


def held(found: object) -> SignedIn:
    assert isinstance(found, SignedIn), found
    return found
