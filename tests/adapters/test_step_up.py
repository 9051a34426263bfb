"""Confirming once more who one is: by a code of the app, or by one that a letter brings."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.mail.letters import WrittenLetters
from domain.actor import Actor
from domain.identity.model import STEP_UP_LIFETIME, Portal
from domain.identity.privacy_refusals import MailRequired
from domain.identity.refusals import (
    CodeRefused,
    NotWhileImpersonating,
    SecondFactorRequired,
    StepUpRequired,
    TooManyTries,
)
from domain.identity.second_factors import RecoveryCodes, TotpOffer, confirm_totp, offer_totp
from domain.identity.sessions import SignedIn
from domain.identity.step_up import CodeOnItsWay, SteppedUp, request_step_up_code, step_up
from domain.ids import PersonId, SessionId, uuid7
from domain.rights import StaffRole
from tests.accounts_stage import AccountsStage, staged_accounts
from tests.factor_stage import WRONG, App, enrolled
from tests.people import open_session
from tests.waiting import eventually


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def code_by_mail(stage: AccountsStage, me: Actor) -> str:
    """Ask for a code, and read it in the letter as it is really written."""
    stage.wording = WrittenLetters()
    assert isinstance(await request_step_up_code(stage, me), CodeOnItsWay)
    await stage.post()
    letter = stage.mailer.letters[-1]
    assert letter.to == "ani@mail.example"
    (code,) = re.findall(r"\b\d{6}\b", letter.text)
    return str(code)


async def more(stage: AccountsStage, me: Actor) -> SessionId:
    """One more session of somebody."""
    return (await open_session(stage.database.pool, me.person)).id


async def as_known(stage: AccountsStage, me: Actor) -> Actor:
    """Who calls in a session, as the database has it."""
    assert me.session is not None
    standing = await stage.standings.of(me.session)
    assert standing is not None
    return standing.actor(stage.clock(), me.origin)


async def confirmed(stage: AccountsStage, me: Actor) -> tuple[bool, bool]:
    """Whether the session is stepped up just now, and whether it has its second factor."""
    row = await stage.database.pool.fetchrow("select * from session where id = $1", me.session)
    return row["stepped_up_at"] == stage.clock(), row["second_factor_at"] == stage.clock()


class TestByTheApp:
    async def test_a_fresh_code_or_a_recovery_code_confirms_for_five_minutes(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, codes = await enrolled(stage, me)
        for code in (app.next(), codes[0]):
            stage.turn(seconds=1)
            assert isinstance(await step_up(stage, me, code), SteppedUp)
            assert await confirmed(stage, me) == (True, True)
            assert await step_up(stage, me, code) == CodeRefused()
        assert me.session is not None
        async with stage.standings.running():
            standing = await stage.standings.of(me.session)
            assert standing is not None
            actor = standing.actor(stage.clock(), None)
            assert actor.stepped_up(stage.clock())
            assert not actor.stepped_up(stage.clock() + STEP_UP_LIFETIME)

    async def test_the_next_request_knows_it_also_before_the_news_has_come(
        self, stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        stage.turn(minutes=6)
        assert me.session is not None
        async with stage.standings.running():
            await eventually(stage.standings._hears)
            monkeypatch.setattr(stage.standings, "_forget", lambda _: None)
            standing = await stage.standings.of(me.session)
            assert standing is not None
            assert not standing.actor(stage.clock(), None).stepped_up(stage.clock())
            await step_up(stage, me, app.code())
            standing = await stage.standings.of(me.session)
            assert standing is not None
            assert standing.actor(stage.clock(), None).stepped_up(stage.clock())

    async def test_it_confirms_in_its_own_session_alone(self, stage: AccountsStage) -> None:
        me = await stage.member()
        elsewhere = await stage.sign_in()
        assert isinstance(elsewhere, SignedIn)
        app, _ = await enrolled(stage, me)
        stage.turn(seconds=1)
        assert isinstance(await step_up(stage, me, app.next()), SteppedUp)
        assert await confirmed(stage, stage.actor(elsewhere)) == (False, False)

    async def test_wrong_codes_are_limited_and_written_down(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        for _ in range(10):
            assert await step_up(stage, me, WRONG) == CodeRefused()
        assert isinstance(await step_up(stage, me, app.next()), TooManyTries)
        assert (await stage.deeds()).count("step_up.refused") == 10


class TestByMail:
    async def test_who_has_no_second_factor_confirms_by_a_letter(self, stage: AccountsStage) -> None:
        me = await stage.member()
        code = await code_by_mail(stage, me)
        assert isinstance(await step_up(stage, me, f" {code[:3]} {code[3:]} "), SteppedUp)
        assert await confirmed(stage, me) == (True, False), "mail is no second factor"
        assert await step_up(stage, me, code) == CodeRefused()
        assert (await stage.deeds())[-3:] == ["step_up.code_requested", "step_up.given", "step_up.refused"]

    async def test_nothing_that_is_kept_shows_the_code(self, stage: AccountsStage) -> None:
        me = await stage.member()
        code = await code_by_mail(stage, me)
        for table in ("ticket", "letter", "deed"):
            texts = str(await stage.value(f"select string_agg({table}::text, ' ') from {table}"))
            assert not re.search(rf"(?<![0-9a-f-]){code}(?![0-9a-f-])", texts)

    async def test_it_is_good_for_ten_minutes(self, stage: AccountsStage) -> None:
        me = await stage.member()
        code = await code_by_mail(stage, me)
        stage.turn(minutes=9, seconds=59)
        assert isinstance(await step_up(stage, me, code), SteppedUp)
        code = await code_by_mail(stage, me)
        stage.turn(minutes=10)
        assert await step_up(stage, me, code) == CodeRefused()

    async def test_five_tries_and_no_sixth(self, stage: AccountsStage) -> None:
        me = await stage.member()
        code = await code_by_mail(stage, me)
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        for given in ("", "no code", "12345", *[wrong] * 4):
            assert await step_up(stage, me, given) == CodeRefused()
        assert isinstance(await step_up(stage, me, code), SteppedUp), "what cannot be a code is no try"
        code = await code_by_mail(stage, me)
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        for given in (*[wrong] * 5, code):
            assert await step_up(stage, me, given) == CodeRefused()

    async def test_the_newest_alone_is_good_and_not_every_minute_brings_one(self, stage: AccountsStage) -> None:
        me = await stage.member()
        codes = [await code_by_mail(stage, me) for _ in range(3)]
        limited = await request_step_up_code(stage, me)
        assert isinstance(limited, TooManyTries)
        assert 0 < limited.retry_after_s <= 5 * 60
        older = [code for code in codes[:2] if code != codes[2]]
        assert {await step_up(stage, me, code) for code in older} <= {CodeRefused()}
        assert isinstance(await step_up(stage, me, codes[2]), SteppedUp)

    async def test_it_is_good_in_the_session_that_asked_and_for_its_person(self, stage: AccountsStage) -> None:
        me = await stage.member()
        elsewhere, other = await stage.sign_in(), await stage.member("budi@mail.example")
        assert isinstance(elsewhere, SignedIn)
        code = await code_by_mail(stage, me)
        for actor in (stage.actor(elsewhere), other):
            assert await step_up(stage, actor, code) == CodeRefused()
        assert isinstance(await step_up(stage, me, code), SteppedUp)

    async def test_who_has_a_second_factor_confirms_with_that(self, stage: AccountsStage) -> None:
        me = await stage.member()
        code = await code_by_mail(stage, me)
        await enrolled(stage, me)
        assert await step_up(stage, me, code) == CodeRefused(), "the code was sent before"
        assert await request_step_up_code(stage, me) == SecondFactorRequired()

    async def test_staff_without_one_sets_it_up_by_a_letter_and_may_do_nothing_else_with_that(
        self, stage: AccountsStage
    ) -> None:
        me = await stage.member()
        session = await open_session(stage.database.pool, me.person, Portal.ADMIN, second_factor_at=None)
        me = replace(me, session=session.id)
        async with stage.work() as work:
            await work.members.set_staff_role(me.person, StaffRole.SUPPORT, stage.clock())
            await work.members.add_network("203.0.113.0/24", "office", me.person)
        assert isinstance(await offer_totp(stage, me), StepUpRequired)
        assert isinstance(await step_up(stage, me, await code_by_mail(stage, me)), SteppedUp)
        sure = await as_known(stage, me)
        assert (sure.stepped_up(stage.clock()), sure.staff_role, sure.permissions) == (True, None, frozenset())
        offer = await offer_totp(stage, sure)
        assert isinstance(offer, TotpOffer)
        assert isinstance(await confirm_totp(stage, sure, App(stage, offer.secret).code()), RecoveryCodes)
        assert (await as_known(stage, me)).staff_role is StaffRole.SUPPORT

    async def test_who_has_another_session_of_the_person_uses_up_no_code_and_no_try_of_this_one(
        self, stage: AccountsStage
    ) -> None:
        me, stolen = await stage.member(), await stage.sign_in()
        assert isinstance(stolen, SignedIn)
        thief, code = stage.actor(stolen), await code_by_mail(stage, me)
        for _ in range(3):
            assert isinstance(await request_step_up_code(stage, thief), CodeOnItsWay)
        assert isinstance(await request_step_up_code(stage, thief), TooManyTries)
        for _ in range(6):
            assert await step_up(stage, thief, f"{(int(code) + 1) % 1_000_000:06}") == CodeRefused()
        assert isinstance(await step_up(stage, me, code), SteppedUp)
        assert isinstance(await request_step_up_code(stage, me), CodeOnItsWay)

    async def test_many_sessions_bring_a_person_no_more_letters_than_there_is_to_spare(
        self, stage: AccountsStage
    ) -> None:
        me = await stage.member()
        sent = 0
        while isinstance(await request_step_up_code(stage, replace(me, session=await more(stage, me))), CodeOnItsWay):
            sent += 1
            assert sent <= 60
        assert sent == 60

    async def test_it_takes_a_confirmed_address_and_ones_own_eyes(self, stage: AccountsStage) -> None:
        me = await stage.member()
        looking = replace(me, impersonator=PersonId(uuid7()))
        assert await request_step_up_code(stage, looking) == NotWhileImpersonating()
        await stage.database.pool.execute("update person set mail_verified_at = null")
        assert isinstance(await request_step_up_code(stage, me), MailRequired)
        assert await stage.count("ticket", "purpose = 'step_up_code'") == 0
