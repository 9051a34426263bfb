"""Accounts with an address and a password: signing up, in and out of a forgotten password, on a real database."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import bcrypt
import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.identity.accounts import (
    MailConfirmed,
    MailOnItsWay,
    confirm_mail,
    request_mail_change,
    sign_up,
)
from domain.identity.model import PersonStatus, Portal
from domain.identity.passwords import PasswordNowChanged, change_password
from domain.identity.refusals import (
    FreshSignInRequired,
    LinkRefused,
    NameRequired,
    NotAnAddress,
    NotWhileImpersonating,
    PersonBanned,
    SignInRefused,
    StepUpRequired,
    TooManyTries,
)
from domain.identity.resets import request_password_reset, reset_password
from domain.identity.secrets import PasswordIsAddress, PasswordTooCommon, PasswordTooShort
from domain.identity.sessions import SignedIn
from domain.identity.sign_in import SecondFactorNeeded
from domain.ids import PersonId, uuid7
from domain.refusal import Refusal
from tests.accounts_stage import ENGLISH, PASSWORD, AccountsStage, origin, staged_accounts
from tests.factor_stage import stepped_up
from tests.waiting import eventually

NEW = "another horse, other batteries"
ANI = "ani@mail.example"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


async def reset_link(stage: AccountsStage, mail: str = ANI) -> str:
    assert await request_password_reset(stage, mail, ENGLISH, origin()) == MailOnItsWay()
    await stage.post()
    return stage.token("ResetPassword")


class TestSigningUp:
    async def test_the_link_makes_the_person_and_lets_them_in(self, stage: AccountsStage) -> None:
        me = await stage.member("Ani@Mail.Example")
        person = (await stage.people.people([me.person]))[me.person]
        assert (person.name, person.mail, person.locale) == ("Ani", "Ani@mail.example", ENGLISH)
        assert person.mail_verified_at == stage.clock()
        (identity,) = (await stage.people.identities_of([me.person]))[me.person]
        assert (identity.provider, identity.subject) == ("password", "Ani@mail.example")
        assert [letter.to for letter in stage.mailer.letters] == ["Ani@mail.example"]
        assert await stage.deeds() == ["mail.sign_up_requested", "person.signed_up", "session.begun"]
        assert isinstance(await stage.sign_in("ANI@MAIL.EXAMPLE "), SignedIn)

    async def test_nothing_readable_is_kept_of_who_asked(self, stage: AccountsStage) -> None:
        await stage.ask(ANI)
        for table in ("mail_request", "ticket", "letter", "deed"):
            rows = await stage.database.pool.fetch(f"select to_jsonb({table}) as row from {table}")
            assert "ani" not in json.dumps([row["row"] for row in rows]).lower()
            assert PASSWORD not in str(rows)

    @pytest.mark.parametrize(
        ("mail", "password", "name", "expected"),
        [
            ("ani", PASSWORD, "Ani", NotAnAddress),
            ("ani@mail.example\r\nBcc: all@mail.example", PASSWORD, "Ani", NotAnAddress),
            (ANI, "short", "Ani", PasswordTooShort),
            (ANI, "1234567890", "Ani", PasswordTooCommon),
            (ANI, ANI, "Ani", PasswordIsAddress),
            (ANI, PASSWORD, " \x07 ", NameRequired),
        ],
    )
    async def test_what_is_wrong_with_the_input_is_told_and_nothing_done(
        self, stage: AccountsStage, mail: str, password: str, name: str, expected: type[Refusal]
    ) -> None:
        assert isinstance(await sign_up(stage, mail, password, name, ENGLISH, origin()), expected)
        assert await stage.count("mail_request") == await stage.count("deed") == 0
        assert not stage.passwords.calls

    async def test_a_known_address_is_told_so_where_only_its_owner_reads_it(self, stage: AccountsStage) -> None:
        me = await stage.member(ANI)
        await stage.ask("ANI@mail.example", NEW)
        assert stage.mailer.letters[-1].to == ANI
        assert stage.subjects == ["ConfirmSignUp", "AlreadyRegistered"]
        found = await reset_password(stage, stage.token("AlreadyRegistered"), NEW, Portal.PLAYER, origin())
        assert isinstance(found, SignedIn)
        assert found.session.person == me.person

    async def test_of_two_links_for_one_address_each_takes_its_own_password_and_one_is_used(
        self, stage: AccountsStage
    ) -> None:
        await stage.ask(ANI)
        first = stage.token("ConfirmSignUp")
        await stage.ask(ANI, NEW)
        assert await stage.confirm(NEW, token=first) == SignInRefused()
        assert isinstance(await stage.confirm(NEW), SignedIn)
        assert await stage.confirm(token=first) == LinkRefused()
        assert isinstance(await stage.sign_in(password=NEW), SignedIn)

    async def test_a_link_is_good_for_half_an_hour_and_for_nothing_else(self, stage: AccountsStage) -> None:
        await stage.ask(ANI)
        token = stage.token("ConfirmSignUp")
        assert await reset_password(stage, token, NEW, Portal.PLAYER, origin()) == LinkRefused()
        assert await confirm_mail(stage, await stage.member("budi@mail.example"), token) == LinkRefused()
        stage.turn(minutes=30)
        assert await stage.confirm(token=token) == LinkRefused()
        assert await stage.count("person") == 1

    async def test_two_who_use_one_link_at_once_make_one_person(self, stage: AccountsStage) -> None:
        await stage.ask(ANI)
        token = stage.token("ConfirmSignUp")
        found = await asyncio.gather(*(stage.confirm(token=token) for _ in range(4)))
        assert sorted(type(each).__name__ for each in found) == ["LinkRefused"] * 3 + ["SignedIn"]
        assert await stage.count("person") == await stage.count("session") == 1

    async def test_an_address_that_was_taken_meanwhile_is_refused_and_its_owner_told(
        self, stage: AccountsStage
    ) -> None:
        await stage.ask(ANI)
        late = stage.token("ConfirmSignUp")
        owner = PersonId(uuid7())
        await stage.vault.create_key(owner)
        index = await stage.value("select mail_index from mail_request")
        assert isinstance(index, bytes)
        async with stage.work() as work:
            mail = await stage.vault.seal(owner, "mail", ANI)
            await work.people.add(
                owner, ENGLISH, name=None, mail=mail, mail_index=index, mail_verified_at=stage.clock()
            )
        assert await stage.confirm(token=late) == LinkRefused()
        await stage.post()
        assert stage.subjects == ["ConfirmSignUp", "AlreadyRegistered"]
        assert await stage.count("person") == 1

    async def test_two_who_confirm_one_address_at_once_get_one_account(self, stage: AccountsStage) -> None:
        await stage.ask(ANI)
        first = stage.token("ConfirmSignUp")
        await stage.ask(ANI, NEW)
        second = stage.token("ConfirmSignUp")
        found = await asyncio.gather(stage.confirm(token=first), stage.confirm(NEW, second))
        assert sorted(type(each).__name__ for each in found) == ["LinkRefused", "SignedIn"]
        assert await stage.count("person") == 1

    async def test_who_is_overtaken_at_the_last_moment_undoes_all_and_the_owner_is_told(
        self, stage: AccountsStage
    ) -> None:
        await stage.ask(ANI)
        index, owner = await stage.value("select mail_index from mail_request"), PersonId(uuid7())
        assert isinstance(index, bytes)
        await stage.vault.create_key(owner)
        mail, subject = await stage.vault.seal(owner, "mail", ANI), await stage.vault.seal(owner, "subject", ANI)
        waiting = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        async with stage.work() as work:
            await work.people.add(owner, ENGLISH, name=None, mail=mail, mail_index=index, mail_verified_at=None)
            assert await work.people.add_identity(uuid7(), owner, "password", index, subject)
            late = asyncio.create_task(stage.confirm())
            await eventually(lambda: stage.value(waiting))
        assert await late == LinkRefused()
        assert await stage.count("person") == 1
        await stage.post()
        assert stage.subjects == ["ConfirmSignUp", "AlreadyRegistered"]

    async def test_a_request_whose_address_changes_hands_while_it_is_answered_is_answered_anew(
        self, stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await stage.ask(ANI)
        first = stage.token("ConfirmSignUp")
        await sign_up(stage, ANI, NEW, "Ani", ENGLISH, origin())
        waiting = [stage.confirm(token=first)]
        seal = stage.vault.seal

        async def overtaken(person: PersonId, field: str, text: str) -> bytes:
            if field == "letter" and waiting:
                assert isinstance(await waiting.pop(), SignedIn)
            return await seal(person, field, text)

        monkeypatch.setattr(stage.vault, "seal", overtaken)
        await stage.post()
        await stage.post()
        assert stage.subjects == ["ConfirmSignUp", "AlreadyRegistered"]


class TestSigningIn:
    async def test_a_wrong_password_and_an_unknown_address_are_one(self, stage: AccountsStage) -> None:
        me = await stage.member()
        assert await stage.sign_in(password=NEW) == await stage.sign_in("budi@mail.example") == SignInRefused()
        assert await stage.sign_in("no address \ud800", PASSWORD) == SignInRefused()
        rows = await stage.database.pool.fetch(
            "select about, target from deed where action = 'sign_in.wrong_password' order by position"
        )
        assert [row["about"] for row in rows] == [me.person, None, None]
        assert [row["target"] for row in rows] == [f"person:{me.person}", "person:unknown", "person:unknown"]

    async def test_the_banned_learn_it_only_by_their_own_password(self, stage: AccountsStage) -> None:
        me = await stage.member()
        async with stage.work() as work:
            await work.people.set_status(me.person, PersonStatus.BANNED)
        assert await stage.sign_in(password=NEW) == SignInRefused()
        assert await stage.sign_in() == PersonBanned()

    async def test_a_hash_of_an_older_system_is_made_anew(self, stage: AccountsStage) -> None:
        me = await stage.member()
        old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$")
        await stage.database.pool.execute("update password set hash = $1", old)
        assert await stage.sign_in(password=NEW) == SignInRefused()
        assert await stage.value("select hash from password") == old
        assert isinstance(await stage.sign_in(), SignedIn)
        assert str(await stage.value("select hash from password where person = $1", me.person)).startswith("$argon2id$")
        assert isinstance(await stage.sign_in(), SignedIn)

    async def test_who_has_a_second_factor_is_asked_for_it(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.database.pool.execute(
            "insert into totp (person, secret, confirmed_at) values ($1, 'sealed', now())", me.person
        )
        assert isinstance(await stage.sign_in(), SecondFactorNeeded)
        link = await reset_link(stage)
        assert isinstance(await reset_password(stage, link, NEW, Portal.PLAYER, origin()), SecondFactorNeeded)

    async def test_tries_are_counted_by_place_and_by_account(self, stage: AccountsStage) -> None:
        await stage.member()
        for _ in range(5):
            assert await stage.sign_in(password=NEW) == SignInRefused()
        hashed = stage.passwords.calls["verify"]
        refused = await stage.sign_in()
        assert isinstance(refused, TooManyTries)
        assert 0 < refused.retry_after_s <= 15 * 60
        assert stage.passwords.calls["verify"] == hashed
        assert isinstance(await stage.sign_in(address="203.0.113.8"), SignedIn)
        stage.turn(minutes=15, seconds=1)
        assert isinstance(await stage.sign_in(), SignedIn)

    async def test_tries_at_an_unknown_address_are_counted_alike(self, stage: AccountsStage) -> None:
        found = [await stage.sign_in("budi@mail.example") for _ in range(6)]
        assert [type(each) for each in found] == [SignInRefused] * 5 + [TooManyTries]


class TestForgottenPasswords:
    async def test_the_link_brings_a_new_password_and_ends_every_session(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.sign_in()
        assert await stage.living(me) == 2
        found = await reset_password(stage, await reset_link(stage), NEW, Portal.PLAYER, origin())
        assert isinstance(found, SignedIn)
        assert await stage.living(me) == 1
        await stage.post()
        assert stage.subjects[-1] == "PasswordChanged"
        assert await stage.sign_in() == SignInRefused()
        assert isinstance(await stage.sign_in(password=NEW), SignedIn)

    async def test_an_unknown_address_gets_nothing(self, stage: AccountsStage) -> None:
        assert await request_password_reset(stage, ANI, ENGLISH, origin()) == MailOnItsWay()
        assert (await stage.post()).looked_at == 0
        assert not stage.mailer.letters
        assert await stage.count("mail_request", "done_at is not null") == 1

    async def test_a_password_that_is_refused_leaves_the_link(self, stage: AccountsStage) -> None:
        await stage.member()
        link = await reset_link(stage)
        assert isinstance(await reset_password(stage, link, "short", Portal.PLAYER, origin()), PasswordTooShort)
        assert isinstance(await reset_password(stage, link, NEW, Portal.PLAYER, origin()), SignedIn)
        assert await reset_password(stage, link, PASSWORD, Portal.PLAYER, origin()) == LinkRefused()

    async def test_two_who_use_one_link_at_once(self, stage: AccountsStage) -> None:
        me = await stage.member()
        link = await reset_link(stage)
        passwords = [f"{NEW} {number}" for number in range(3)]
        found = await asyncio.gather(
            *(reset_password(stage, link, each, Portal.PLAYER, origin()) for each in passwords)
        )
        (good,) = [each for each, answer in zip(passwords, found, strict=True) if isinstance(answer, SignedIn)]
        assert await stage.living(me) == 1
        assert isinstance(await stage.sign_in(password=good), SignedIn)

    async def test_a_person_without_a_password_gets_one(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.database.pool.execute("delete from password")
        await stage.database.pool.execute("delete from sign_in_identity")
        found = await reset_password(stage, await reset_link(stage), NEW, Portal.PLAYER, origin())
        assert isinstance(found, SignedIn)
        assert found.session.person == me.person
        assert isinstance(await stage.sign_in(password=NEW), SignedIn)

    async def test_a_sign_in_by_the_old_password_does_not_survive_a_reset_in_its_midst(
        self, stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        me = await stage.member()
        link, verify = await reset_link(stage), stage.passwords.verify

        async def slowly(text: str, kept: str | None) -> object:
            verdict = await verify(text, kept)
            assert isinstance(await reset_password(stage, link, NEW, Portal.PLAYER, origin()), SignedIn)
            return verdict

        monkeypatch.setattr(stage.passwords, "verify", slowly)
        assert await stage.sign_in() == SignInRefused()
        assert await stage.living(me) == 1

    async def test_a_rehash_does_not_undo_a_reset_in_its_midst(
        self, stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await stage.member()
        old = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        await stage.database.pool.execute("update password set hash = $1", old)
        link, hash_ = await reset_link(stage), stage.passwords.hash

        async def slowly(text: str) -> str:
            if text == PASSWORD:
                await reset_password(stage, link, NEW, Portal.PLAYER, origin())
            return await hash_(text)

        monkeypatch.setattr(stage.passwords, "hash", slowly)
        assert await stage.sign_in() == SignInRefused()
        monkeypatch.undo()
        assert isinstance(await stage.sign_in(password=NEW), SignedIn)

    async def test_owners_get_in_by_link_while_others_try(self, stage: AccountsStage) -> None:
        await stage.member()
        for number in range(20):
            await stage.sign_in(password=NEW, address=f"198.51.100.{number}")
        assert isinstance(await stage.sign_in(), TooManyTries)
        link = await reset_link(stage)
        assert isinstance(await reset_password(stage, link, NEW, Portal.PLAYER, origin()), SignedIn)
        assert isinstance(await stage.sign_in(password=NEW), SignedIn)


class TestChangingPasswords:
    async def test_links_and_questions_of_the_old_one_are_over(self, stage: AccountsStage) -> None:
        me = await stage.member()
        stale = await reset_link(stage)
        enrolled = "insert into totp (person, secret, confirmed_at) values ($1, 'sealed', now())"
        await stage.database.pool.execute(enrolled, me.person)
        assert isinstance(await stage.sign_in(), SecondFactorNeeded)
        assert await stage.count("ticket", "purpose = 'second_factor'") == 1
        assert await change_password(stage, me, PASSWORD, NEW) == PasswordNowChanged(0)
        assert await stage.count("ticket", "purpose = 'second_factor'") == 0
        assert await reset_password(stage, stale, PASSWORD, Portal.PLAYER, origin()) == LinkRefused()

    async def test_every_other_session_ends(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.sign_in()
        assert await change_password(stage, me, PASSWORD, NEW) == PasswordNowChanged(1)
        (left,) = (await stage.people.sessions_of([me.person]))[me.person]
        assert left.session.id == me.session
        await stage.post()
        assert stage.subjects[-1] == "PasswordChanged"
        assert isinstance(await stage.sign_in(password=NEW), SignedIn)

    async def test_what_is_refused_changes_nothing(self, stage: AccountsStage) -> None:
        me = await stage.member()
        looking = replace(me, impersonator=PersonId(uuid7()))
        assert await change_password(stage, looking, PASSWORD, NEW) == NotWhileImpersonating()
        assert await change_password(stage, me, NEW, NEW) == SignInRefused()
        assert isinstance(await change_password(stage, me, PASSWORD, "short"), PasswordTooShort)
        assert isinstance(await change_password(stage, me, PASSWORD, ANI), PasswordIsAddress)
        for _ in range(2):
            await change_password(stage, me, NEW, NEW)
        assert isinstance(await change_password(stage, me, PASSWORD, NEW), TooManyTries)
        assert isinstance(await stage.sign_in(), SignedIn)


class TestChangingTheAddress:
    async def test_the_password_goes_with_it_and_the_old_address_is_told(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        stale = await reset_link(stage)
        assert await request_mail_change(stage, me, "Budi@mail.example") == MailOnItsWay()
        await stage.post()
        assert stage.mailer.letters[-1].to == "Budi@mail.example"
        assert await confirm_mail(stage, me, stage.token("VerifyAddress")) == MailConfirmed("Budi@mail.example")
        await stage.post()
        assert (stage.mailer.letters[-1].subject, stage.mailer.letters[-1].to) == ("AddressChanged", ANI)
        assert (await stage.people.people([me.person]))[me.person].mail == "Budi@mail.example"
        assert await reset_password(stage, stale, NEW, Portal.PLAYER, origin()) == LinkRefused()
        assert await stage.sign_in() == SignInRefused()
        assert isinstance(await stage.sign_in("budi@mail.example"), SignedIn)

    async def test_an_address_of_somebody_else_is_not_taken(self, stage: AccountsStage) -> None:
        await stage.member("budi@mail.example")
        me = stepped_up(stage, await stage.member())
        assert await request_mail_change(stage, me, "budi@mail.example") == MailOnItsWay()
        await stage.post()
        assert stage.subjects[-1] == "AlreadyRegistered"

    async def test_one_that_was_taken_meanwhile_is_refused(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        await request_mail_change(stage, me, "budi@mail.example")
        await stage.post()
        late = stage.token("VerifyAddress")
        await stage.member("budi@mail.example")
        assert await confirm_mail(stage, me, late) == LinkRefused()
        assert isinstance(await stage.sign_in(), SignedIn)

    async def test_it_takes_a_fresh_code_but_for_the_address_one_has(self, stage: AccountsStage) -> None:
        me = await stage.member()
        assert await request_mail_change(stage, me, "budi@mail.example") == StepUpRequired()
        assert await request_mail_change(stage, me, ANI) == MailOnItsWay()
        looking = replace(me, impersonator=PersonId(uuid7()))
        assert await request_mail_change(stage, looking, ANI) == NotWhileImpersonating()

    async def test_where_no_address_is_confirmed_it_takes_a_fresh_sign_in(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.database.pool.execute("update person set mail_verified_at = null")
        assert await request_mail_change(stage, me, "budi@mail.example") == MailOnItsWay()
        stage.turn(minutes=16)
        assert await request_mail_change(stage, me, "budi@mail.example") == FreshSignInRequired()

    async def test_mails_are_counted(self, stage: AccountsStage) -> None:
        found = [await request_password_reset(stage, ANI, ENGLISH, origin()) for _ in range(4)]
        assert [type(each) for each in found] == [MailOnItsWay] * 3 + [TooManyTries]
        stage.turn(minutes=5, seconds=1)
        assert isinstance(await sign_up(stage, ANI, PASSWORD, "Ani", ENGLISH, origin()), MailOnItsWay)
