"""Authenticator apps and recovery codes on a real database: set up, asked for, replayed, raced for, taken away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.identity.mail import FactorChange
from domain.identity.model import FRESH_SIGN_IN, PersonStatus, Portal, SecondFactor
from domain.identity.refusals import (
    CodeRefused,
    FreshSignInRequired,
    LinkRefused,
    NotWhileImpersonating,
    PersonBanned,
    SecondFactorStays,
    SignInRefused,
    StepUpRequired,
    TooManyTries,
)
from domain.identity.second_factors import (
    RecoveryCodes,
    TotpOffer,
    answer_second_factor,
    confirm_totp,
    offer_totp,
    remove_totp,
    renew_recovery_codes,
)
from domain.identity.sessions import Means, SignedIn, refresh_session
from domain.identity.sign_in import SecondFactorNeeded, finish_sign_in
from domain.identity.step_up import SteppedUp, step_up
from domain.ids import PersonId, uuid7
from domain.quotas import Quota, Taken
from domain.rights import StaffRole
from tests.accounts_stage import AccountsStage, origin, staged_accounts
from tests.factor_stage import WRONG, App, asked, enrolled, stepped_up
from tests.fake_quotas import FakeQuotas


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def answer(stage: AccountsStage, challenge: str, code: str) -> object:
    return await answer_second_factor(stage, challenge, code, origin())


class Unlimited(FakeQuotas):
    """Counters that are away: everything is allowed."""

    async def take(self, quota: Quota, *_: str, **__: int) -> Taken:
        return Taken(allowed=True, quota=quota, remaining=1, retry_after_s=0)


async def hire(stage: AccountsStage, me: Actor, role: StaffRole | None = StaffRole.SUPPORT) -> None:
    async with stage.work() as work:
        await work.members.set_staff_role(me.person, role, stage.clock())


async def marks(stage: AccountsStage, me: Actor) -> tuple[bool, bool]:
    """Whether the session has its second factor, and a step-up."""
    row = await stage.database.pool.fetchrow("select * from session where id = $1", me.session)
    return row["second_factor_at"] is not None, row["stepped_up_at"] is not None


class TestSettingUp:
    async def test_an_app_is_offered_confirmed_and_asked_for_from_then_on(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        offer = await offer_totp(stage, me)
        assert isinstance(offer, TotpOffer)
        said = urlsplit(offer.uri)
        assert (said.scheme, said.netloc, said.path) == ("otpauth", "totp", "/Gametriggers:ani%40mail.example")
        assert parse_qs(said.query)["secret"] == [offer.secret]
        assert isinstance(await stage.sign_in(), SignedIn), "an offer is not a second factor"
        codes = await confirm_totp(stage, me, App(stage, offer.secret).code())
        assert isinstance(codes, RecoveryCodes)
        assert len(set(codes.codes)) == 10
        assert await marks(stage, me) == (True, True)
        found = await stage.sign_in()
        assert isinstance(found, SecondFactorNeeded)
        assert found.methods == {SecondFactor.TOTP, SecondFactor.RECOVERY_CODE}

    async def test_no_secret_and_no_code_lies_readable_in_any_row_or_shows_when_printed(
        self, stage: AccountsStage
    ) -> None:
        me = stepped_up(stage, await stage.member())
        offer = await offer_totp(stage, me)
        assert isinstance(offer, TotpOffer)
        codes = await confirm_totp(stage, me, App(stage, offer.secret).code())
        assert isinstance(codes, RecoveryCodes)
        assert offer.secret not in repr(offer)
        assert codes.codes[0] not in repr(codes)
        dump = ""
        for table in ("totp", "recovery_code", "deed", "letter", "ticket"):
            dump += str(await stage.value(f"select string_agg({table}::text, '') from {table}"))
        spelled = (offer.secret, offer.secret.encode().hex(), *codes.codes, codes.codes[0].replace("-", ""))
        assert not [secret for secret in spelled if secret in dump]

    @pytest.mark.parametrize("steps", [-1, 0, 1])
    async def test_a_clock_may_be_half_a_minute_off(self, stage: AccountsStage, steps: int) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        stage.turn(minutes=5)
        assert isinstance(await answer(stage, await asked(stage), app.code(steps)), SignedIn)

    @pytest.mark.parametrize("steps", [-2, 2])
    async def test_and_no_more_than_that(self, stage: AccountsStage, steps: int) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        stage.turn(minutes=5)
        assert await answer(stage, await asked(stage), app.code(steps)) == SignInRefused()

    async def test_a_wrong_code_confirms_nothing_and_the_newest_offer_alone_counts(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        assert await confirm_totp(stage, me, WRONG) == CodeRefused(), "nothing was offered"
        first, second = await offer_totp(stage, me), await offer_totp(stage, me)
        assert isinstance(first, TotpOffer)
        assert isinstance(second, TotpOffer)
        for code in (WRONG, "", "no code", App(stage, first.secret).code()):
            assert await confirm_totp(stage, me, code) == CodeRefused()
        assert isinstance(await stage.sign_in(), SignedIn)
        assert isinstance(await confirm_totp(stage, me, App(stage, second.secret).code()), RecoveryCodes)

    async def test_two_who_confirm_at_once_get_one_set_of_codes(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        offer = await offer_totp(stage, me)
        assert isinstance(offer, TotpOffer)
        code = App(stage, offer.secret).code()
        found = await asyncio.gather(*(confirm_totp(stage, me, code) for _ in range(4)))
        assert [type(each) for each in found].count(RecoveryCodes) == 1
        assert await stage.count("recovery_code") == 10

    async def test_a_session_alone_sets_up_nothing_where_a_code_can_be_sent(self, stage: AccountsStage) -> None:
        me = await stage.member()
        offer = await offer_totp(stage, stepped_up(stage, me))
        assert isinstance(offer, TotpOffer)
        assert await offer_totp(stage, me) == StepUpRequired()
        assert await confirm_totp(stage, me, App(stage, offer.secret).code()) == StepUpRequired()
        assert await renew_recovery_codes(stage, me) == StepUpRequired()
        late = stepped_up(stage, me)
        stage.turn(minutes=5)
        assert await confirm_totp(stage, late, App(stage, offer.secret).code()) == StepUpRequired()
        assert await stage.count("totp", "confirmed_at is not null") == 0
        assert isinstance(await stage.sign_in(), SignedIn), "the owner is not asked for what they do not have"

    async def test_it_takes_a_fresh_sign_in_where_there_is_neither_a_second_factor_nor_an_address(
        self, stage: AccountsStage
    ) -> None:
        me = await stage.member()
        await stage.database.pool.execute("update person set mail_verified_at = null")
        offer = await offer_totp(stage, me)
        assert isinstance(offer, TotpOffer)
        stage.turn(seconds=FRESH_SIGN_IN.total_seconds())
        assert await offer_totp(stage, me) == FreshSignInRequired()
        assert await confirm_totp(stage, me, App(stage, offer.secret).code()) == FreshSignInRequired()
        assert await stage.count("totp", "confirmed_at is not null") == 0

    async def test_and_a_step_up_from_then_on(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        assert await offer_totp(stage, me) == StepUpRequired()
        assert await confirm_totp(stage, me, WRONG) == StepUpRequired()
        assert await renew_recovery_codes(stage, me) == StepUpRequired()
        assert await remove_totp(stage, me) == StepUpRequired()
        anew, _ = await enrolled(stage, stepped_up(stage, me))
        challenge = await asked(stage)
        assert await answer(stage, challenge, app.next()) == SignInRefused(), "the old app is out of use"
        assert isinstance(await answer(stage, challenge, anew.code()), SignedIn)

    async def test_who_looks_through_their_eyes_changes_nothing(self, stage: AccountsStage) -> None:
        me = await stage.member()
        for looking in (replace(me, impersonator=PersonId(uuid7())), replace(me, session=None)):
            assert await offer_totp(stage, looking) == NotWhileImpersonating()
            assert await confirm_totp(stage, looking, WRONG) == NotWhileImpersonating()
            assert await remove_totp(stage, looking) == NotWhileImpersonating()
            assert await renew_recovery_codes(stage, looking) == NotWhileImpersonating()
            assert await step_up(stage, looking, WRONG) == NotWhileImpersonating()
        assert await stage.count("totp") == await stage.count("recovery_code") == 0


class TestSigningIn:
    async def test_no_step_is_taken_twice(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        assert await answer(stage, await asked(stage), app.code()) == SignInRefused(), "it confirmed the app"
        code = app.next()
        assert isinstance(await answer(stage, await asked(stage), code), SignedIn)
        assert await answer(stage, await asked(stage), code) == SignInRefused()
        assert await step_up(stage, me, code) == CodeRefused()
        assert await answer(stage, await asked(stage), app.code(-1)) == SignInRefused(), "an older one neither"
        assert isinstance(await answer(stage, await asked(stage), app.code(1)), SignedIn)

    async def test_one_code_in_many_hands_at_once_opens_one_session(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        challenges, code = [await asked(stage) for _ in range(4)], app.next()
        found = await asyncio.gather(*(answer(stage, challenge, code) for challenge in challenges))
        assert sorted(type(each).__name__ for each in found) == ["SignInRefused"] * 3 + ["SignedIn"]
        assert await stage.living(me) == 2

    async def test_one_challenge_answered_twice_at_once_opens_one_session(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, codes = await enrolled(stage, me)
        challenge = await asked(stage)
        given = [app.next(), app.code(1), *codes[:2]]
        found = await asyncio.gather(*(answer(stage, challenge, code) for code in given))
        assert sorted(type(each).__name__ for each in found) == ["LinkRefused"] * 3 + ["SignedIn"]
        assert await stage.living(me) == 2
        assert await stage.count("recovery_code", "used_at is not null") <= 1, "who comes late uses nothing up"

    async def test_the_session_has_its_second_factor_and_is_refreshed_like_others(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        found = await answer(stage, await asked(stage), app.next())
        assert isinstance(found, SignedIn)
        assert (found.session.portal, found.session.second_factor_at) == (Portal.PLAYER, stage.clock())
        assert found.refresh is not None
        assert isinstance(await refresh_session(stage, found.refresh, origin()), SignedIn)

    async def test_a_challenge_is_good_for_ten_minutes_and_no_other_token_is_one(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        challenge = await asked(stage)
        stage.turn(minutes=10)
        for token in (challenge, "-", stage.token("ConfirmSignUp")):
            assert isinstance(await answer(stage, token, app.code()), LinkRefused)
        assert await stage.living(me) == 1

    async def test_a_challenge_stands_five_tries_and_a_right_one_is_the_fifth_at_the_latest(
        self, stage: AccountsStage
    ) -> None:
        me = await stage.member()
        app, codes = await enrolled(stage, me)
        challenge = await asked(stage)
        for _ in range(4):
            assert await answer(stage, challenge, WRONG) == SignInRefused()
        assert isinstance(await answer(stage, challenge, app.next()), SignedIn)
        challenge = await asked(stage)
        found = await asyncio.gather(*(answer(stage, challenge, WRONG) for _ in range(8)))
        assert sorted(type(each).__name__ for each in found) == ["LinkRefused"] * 3 + ["SignInRefused"] * 5
        for code in (app.next(), codes[0]):
            assert isinstance(await answer(stage, challenge, code), LinkRefused)
        assert await stage.count("recovery_code", "used_at is not null") == 0
        assert isinstance(await answer(stage, await asked(stage), app.code()), SignedIn)

    async def test_who_guesses_on_is_stopped_without_any_counters_and_the_person_is_not(
        self, stage: AccountsStage
    ) -> None:
        me = await stage.member()
        app, codes = await enrolled(stage, me)
        stage.quotas = Unlimited()
        for _ in range(10):
            challenge = await asked(stage)
            for _ in range(5):
                assert await answer(stage, challenge, WRONG) == SignInRefused()
        challenge = await asked(stage)
        for refused in (await answer(stage, challenge, app.next()), await step_up(stage, me, app.code())):
            assert isinstance(refused, TooManyTries)
            assert 0 < refused.retry_after_s <= 24 * 3600
        assert isinstance(await answer(stage, challenge, codes[0]), SignedIn), "nobody guesses a recovery code"
        assert isinstance(await answer(stage, await asked(stage), app.code()), SignedIn), "and it begins anew"

    async def test_guesses_are_forgotten_after_a_day(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        stage.quotas = Unlimited()
        for _ in range(50):
            assert await step_up(stage, me, WRONG) == CodeRefused()
        assert isinstance(await step_up(stage, me, app.next()), TooManyTries)
        stage.turn(days=1)
        assert isinstance(await step_up(stage, me, app.code()), SteppedUp)

    async def test_who_knows_the_password_alone_does_not_use_up_the_tries_of_a_session(
        self, stage: AccountsStage
    ) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        for _ in range(3):
            challenge = await asked(stage)
            for _ in range(5):
                assert await answer(stage, challenge, WRONG) == SignInRefused()
        assert isinstance(await step_up(stage, me, app.next()), SteppedUp)
        assert isinstance(await answer(stage, await asked(stage), app.next()), SignedIn)

    async def test_who_was_banned_between_the_two_steps_stays_out(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, codes = await enrolled(stage, me)
        challenge = await asked(stage)
        async with stage.work() as work:
            await work.people.set_status(me.person, PersonStatus.BANNED)
        for code in (app.next(), codes[0], WRONG):
            assert await answer(stage, challenge, code) == PersonBanned()
        assert await stage.count("recovery_code", "used_at is not null") == 0
        assert await stage.count("session") == 1
        assert (await stage.deeds())[-1] == "sign_in.refused"

    async def test_who_left_the_staff_between_the_two_steps_does_not_get_into_the_admin_portal(
        self, stage: AccountsStage
    ) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        await hire(stage, me)
        async with stage.work() as work:
            await work.members.add_network("203.0.113.0/24", "office", me.person)

        async def challenged() -> str:
            found = await finish_sign_in(stage, me.person, Portal.ADMIN, Means.PASSWORD, origin())
            assert isinstance(found, SecondFactorNeeded)
            return found.challenge

        challenge = await challenged()
        elsewhere = origin("198.51.100.1")
        assert await answer_second_factor(stage, challenge, app.next(), elsewhere) == SignInRefused()
        found = await answer(stage, challenge, app.code())
        assert isinstance(found, SignedIn)
        assert found.session.portal is Portal.ADMIN
        challenge = await challenged()
        await hire(stage, me, None)
        assert await answer(stage, challenge, app.next()) == SignInRefused()
        assert await stage.living(me) == 2

    async def test_a_refused_code_is_written_down_and_the_code_is_not(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await enrolled(stage, me)
        await answer(stage, await asked(stage), "123454")
        row = await stage.database.pool.fetchrow("select deed::text as all, * from deed order by position desc limit 1")
        assert (row["action"], row["target"], row["about"]) == (
            "second_factor.refused", f"person:{me.person}", me.person,
        )  # fmt: skip
        assert "123454" not in row["all"]


class TestRecoveryCodes:
    async def test_each_is_good_once_however_it_is_written_and_the_person_is_told(self, stage: AccountsStage) -> None:
        me = await stage.member()
        _, codes = await enrolled(stage, me)
        await stage.post()
        for code in codes:
            assert isinstance(await answer(stage, await asked(stage), code.lower().replace("-", " ")), SignedIn)
            await stage.post()
            assert stage.subjects[-1] == "SecondFactorChanged"
        assert stage.subjects.count("SecondFactorChanged") == 11
        for code in codes[:3]:
            assert await answer(stage, await asked(stage), code) == SignInRefused()
        found = await stage.sign_in()
        assert isinstance(found, SecondFactorNeeded)
        assert found.methods == {SecondFactor.TOTP}
        assert (await stage.deeds()).count("second_factor.recovery_code_used") == 10

    async def test_one_used_in_two_places_at_once_opens_one_session(self, stage: AccountsStage) -> None:
        me = await stage.member()
        _, codes = await enrolled(stage, me)
        challenges = [await asked(stage) for _ in range(4)]
        found = await asyncio.gather(*(answer(stage, challenge, codes[0]) for challenge in challenges))
        assert sorted(type(each).__name__ for each in found) == ["SignInRefused"] * 3 + ["SignedIn"]
        await stage.post()
        assert stage.subjects.count("SecondFactorChanged") == 2

    async def test_new_ones_end_the_old(self, stage: AccountsStage) -> None:
        me = await stage.member()
        _, old = await enrolled(stage, me)
        new = await renew_recovery_codes(stage, stepped_up(stage, me))
        assert isinstance(new, RecoveryCodes)
        assert not {*old} & {*new.codes}
        for code in old[:3]:
            assert await answer(stage, await asked(stage), code) == SignInRefused()
        assert isinstance(await answer(stage, await asked(stage), new.codes[0]), SignedIn)

    async def test_without_a_second_factor_there_are_none(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        assert isinstance(await renew_recovery_codes(stage, me), CodeRefused)
        assert await stage.count("recovery_code") == 0

    async def test_anothers_are_nothing(self, stage: AccountsStage) -> None:
        me, other = await stage.member(), await stage.member("budi@mail.example")
        await enrolled(stage, me)
        _, theirs = await enrolled(stage, other)
        assert await answer(stage, await asked(stage), theirs[0]) == SignInRefused()
        assert await stage.count("recovery_code", "used_at is not null") == 0


class TestTakingAway:
    async def test_the_app_goes_and_its_recovery_codes_with_it(self, stage: AccountsStage) -> None:
        me = await stage.member()
        _, codes = await enrolled(stage, me)
        challenge = await asked(stage)
        assert await remove_totp(stage, stepped_up(stage, me)) is None
        assert await answer(stage, challenge, codes[0]) == SignInRefused()
        assert await step_up(stage, me, codes[1]) == CodeRefused()
        assert isinstance(await stage.sign_in(), SignedIn)
        assert await stage.count("recovery_code") == 0

    async def test_when_it_comes_and_goes_other_sessions_end_and_this_one_stays(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.sign_in()
        assert await stage.living(me) == 2
        app, _ = await enrolled(stage, me)
        assert await stage.living(me) == 1
        assert isinstance(await answer(stage, await asked(stage), app.next()), SignedIn)
        assert await remove_totp(stage, stepped_up(stage, me)) is None
        assert await stage.living(me) == 1
        assert await stage.count("session", f"id = '{me.session}' and ended_at is null") == 1
        assert await stage.count("session", "end_reason = 'identity_changed'") == 2

    async def test_without_one_nothing_happens_and_nobody_is_told(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        await offer_totp(stage, me)
        assert await remove_totp(stage, me) is None
        await stage.post()
        assert stage.subjects == ["ConfirmSignUp"]
        assert "second_factor.totp_removed" not in await stage.deeds()

    async def test_staff_keeps_one(self, stage: AccountsStage) -> None:
        me = await stage.member()
        app, _ = await enrolled(stage, me)
        await hire(stage, me)
        assert await remove_totp(stage, stepped_up(stage, me)) == SecondFactorStays()
        assert isinstance(await answer(stage, await asked(stage), app.next()), SignedIn)
        await hire(stage, me, None)
        assert await remove_totp(stage, stepped_up(stage, me)) is None


class TestBeingTold:
    async def test_every_change_brings_a_letter_and_a_line_in_the_log(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await enrolled(stage, me)
        await renew_recovery_codes(stage, stepped_up(stage, me))
        await remove_totp(stage, stepped_up(stage, me))
        await stage.post()
        letters = [letter for letter in stage.mailer.letters if letter.subject == "SecondFactorChanged"]
        assert [letter.to for letter in letters] == ["ani@mail.example"] * 3
        assert {letter.text for letter in letters} == {"https://portal.example/settings/second-factors"}
        changes = (FactorChange.TOTP_ADDED, FactorChange.RECOVERY_CODES_RENEWED, FactorChange.TOTP_REMOVED)
        told = [action for action in await stage.deeds() if action.startswith("second_factor.")]
        assert told == [f"second_factor.{change}" for change in changes]

    async def test_what_is_refused_tells_nobody(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        await offer_totp(stage, me)
        await confirm_totp(stage, me, WRONG)
        await renew_recovery_codes(stage, me)
        await stage.post()
        assert stage.subjects == ["ConfirmSignUp"]

    async def test_an_address_that_nobody_confirmed_gets_no_letter(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.database.pool.execute("update person set mail_verified_at = null")
        await enrolled(stage, me)
        await stage.post()
        assert stage.subjects == ["ConfirmSignUp"]
