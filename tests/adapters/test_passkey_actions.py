"""What is done with passkeys, on a real database: kept, counted, asked for once, and never for another person."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.identity.model import FRESH_SIGN_IN, PersonStatus, Portal, SecondFactor
from domain.identity.passkeys import (
    PasskeyOffer,
    add_passkey,
    offer_passkey,
    offer_passkey_sign_in,
    offer_passkey_step_up,
    remove_passkey,
    sign_in_with_passkey,
    step_up_with_passkey,
)
from domain.identity.refusals import (
    FreshSignInRequired,
    NotWhileImpersonating,
    PasskeyRefused,
    PersonBanned,
    SecondFactorStays,
    SignInRefused,
    StepUpRequired,
)
from domain.identity.second_factors import RecoveryCodes, renew_recovery_codes
from domain.identity.sessions import SignedIn
from domain.identity.sign_in import SecondFactorNeeded
from domain.identity.step_up import SteppedUp
from domain.ids import PersonId, uuid7
from domain.rights import StaffRole
from domain.vault import Sealed
from tests.accounts_stage import AccountsStage, origin, staged_accounts
from tests.factor_stage import enrolled, stepped_up
from tests.fake_passkeys import Device, FakePasskeys


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        staged.passkeys = FakePasskeys()
        yield staged


async def offered(stage: AccountsStage, me: Actor) -> PasskeyOffer:
    found = await offer_passkey(stage, stepped_up(stage, me))
    assert isinstance(found, PasskeyOffer), found
    return found


async def added(stage: AccountsStage, me: Actor, token: str, answer: str, name: str = "") -> object:
    """What comes of a browser's answer, after a step-up."""
    return await add_passkey(stage, stepped_up(stage, me), token, answer, name)


async def with_passkey(stage: AccountsStage, me: Actor, name: str = "Telephone") -> Device:
    offer, device = await offered(stage, me), Device()
    assert await added(stage, me, offer.token, device.made(offer.options), name) is None
    return device


async def sign_in(stage: AccountsStage, device: Device) -> object:
    offer = await offer_passkey_sign_in(stage)
    return await sign_in_with_passkey(stage, offer.token, device.used(offer.options), Portal.PLAYER, origin())


async def asked_to_confirm(stage: AccountsStage, me: Actor) -> PasskeyOffer:
    found = await offer_passkey_step_up(stage, me)
    assert isinstance(found, PasskeyOffer), found
    return found


async def hire(stage: AccountsStage, me: Actor) -> None:
    async with stage.work() as work:
        await work.members.set_staff_role(me.person, StaffRole.SUPPORT, stage.clock())


class TestAdding:
    async def test_a_passkey_is_a_second_factor_and_the_person_is_told(self, stage: AccountsStage) -> None:
        me = await stage.member()
        device = await with_passkey(stage, me, "  My\n  telephone " + "x" * 100)
        row = await stage.database.pool.fetchrow("select * from passkey")
        (name,) = await stage.vault.open([Sealed(me.person, "passkey_name", row["name"])])
        assert name is not None
        assert (row["credential"], name[:13], len(name)) == (device.credential, "My telephone ", 60)
        session = await stage.database.pool.fetchrow("select * from session")
        assert session["second_factor_at"] == session["stepped_up_at"] == stage.clock()
        found = await stage.sign_in()
        assert isinstance(found, SecondFactorNeeded)
        assert found.methods == {SecondFactor.PASSKEY}
        await stage.post()
        assert stage.subjects[-1] == "SecondFactorChanged"

    async def test_an_offer_is_good_once_in_its_session_for_five_minutes(self, stage: AccountsStage) -> None:
        me = await stage.member()
        elsewhere = await stage.sign_in()
        assert isinstance(elsewhere, SignedIn)
        offer, device = await offered(stage, me), Device()
        made = device.made(offer.options)
        assert await added(stage, stage.actor(elsewhere), offer.token, made) == PasskeyRefused()
        assert await added(stage, me, offer.token, made) == PasskeyRefused(), "it was tried"
        offer = await offered(stage, me)
        stage.turn(minutes=5)
        assert await added(stage, me, offer.token, device.made(offer.options)) == PasskeyRefused()
        first, second = await offered(stage, me), await offered(stage, me)
        assert await added(stage, me, second.token, device.made(first.options)) == PasskeyRefused()
        for token, answer in (("-", made), (stage.token("ConfirmSignUp"), made), (first.token, "nonsense")):
            assert await added(stage, me, token, answer) == PasskeyRefused()
        assert await stage.count("passkey") == 0

    async def test_two_answers_to_one_offer_at_once_keep_one(self, stage: AccountsStage) -> None:
        me = await stage.member()
        offer = await offered(stage, me)
        answers = [Device().made(offer.options) for _ in range(4)]
        found = await asyncio.gather(*(added(stage, me, offer.token, each) for each in answers))
        assert [each is None for each in found].count(True) == 1
        assert await stage.count("passkey") == 1

    async def test_one_that_is_somebodys_is_nobody_elses(self, stage: AccountsStage) -> None:
        me, other = await stage.member(), await stage.member("budi@mail.example")
        device = await with_passkey(stage, other)
        offer = await offered(stage, me)
        assert await added(stage, me, offer.token, device.made(offer.options)) == PasskeyRefused()
        assert await stage.value("select person from passkey") == other.person

    async def test_a_session_alone_adds_none_where_a_code_can_be_sent(self, stage: AccountsStage) -> None:
        me = await stage.member()
        offer = await offered(stage, me)
        assert await offer_passkey(stage, me) == StepUpRequired()
        assert await add_passkey(stage, me, offer.token, Device().made(offer.options), "") == StepUpRequired()
        device = await with_passkey(stage, me)
        assert await offer_passkey(stage, me) == StepUpRequired()
        assert await remove_passkey(stage, me, device.credential) == StepUpRequired()
        await offered(stage, me)
        assert isinstance(stage.passkeys, FakePasskeys)
        assert stage.passkeys.known[-1] == [device.credential], "the device is not to make a second one"

    async def test_it_takes_a_fresh_sign_in_where_no_address_is_known(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.database.pool.execute("update person set mail_verified_at = null")
        offer = await offer_passkey(stage, me)
        assert isinstance(offer, PasskeyOffer)
        made = Device().made(offer.options)
        stage.turn(seconds=FRESH_SIGN_IN.total_seconds())
        assert await offer_passkey(stage, me) == FreshSignInRequired()
        assert await add_passkey(stage, me, offer.token, made, "") == FreshSignInRequired()
        fresh = replace(me, authenticated_at=stage.clock())
        offer = await offer_passkey(stage, fresh)
        assert isinstance(offer, PasskeyOffer)
        assert await add_passkey(stage, fresh, offer.token, Device().made(offer.options), "") is None

    async def test_there_is_a_most(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        waiting = await offered(stage, me)
        for _ in range(20):
            await with_passkey(stage, me)
        assert isinstance(await offer_passkey(stage, me), PasskeyRefused)
        late = await added(stage, me, waiting.token, Device().made(waiting.options))
        assert isinstance(late, PasskeyRefused)
        assert await stage.count("passkey") == 20

    async def test_who_looks_through_their_eyes_does_nothing_of_this(self, stage: AccountsStage) -> None:
        me = await stage.member()
        device = await with_passkey(stage, me)
        offer = await asked_to_confirm(stage, me)
        looking = replace(stepped_up(stage, me), impersonator=PersonId(uuid7()))
        assert await offer_passkey(stage, looking) == NotWhileImpersonating()
        assert await add_passkey(stage, looking, offer.token, "", "") == NotWhileImpersonating()
        assert await remove_passkey(stage, looking, device.credential) == NotWhileImpersonating()
        assert await offer_passkey_step_up(stage, looking) == NotWhileImpersonating()
        used = device.used(offer.options)
        assert await step_up_with_passkey(stage, looking, offer.token, used) == NotWhileImpersonating()
        assert isinstance(await step_up_with_passkey(stage, me, offer.token, used), SteppedUp), "nothing was used up"


class TestSigningIn:
    async def test_it_is_both_factors_in_one_and_the_count_is_kept(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await enrolled(stage, me)
        device = await with_passkey(stage, stepped_up(stage, me))
        for number in (1, 2):
            found = await sign_in(stage, device)
            assert isinstance(found, SignedIn)
            assert (found.session.person, found.session.second_factor_at) == (me.person, stage.clock())
            row = await stage.database.pool.fetchrow("select * from passkey")
            assert (row["sign_count"], row["last_used_at"]) == (number, stage.clock())

    async def test_a_copy_that_lags_behind_is_refused(self, stage: AccountsStage) -> None:
        me = await stage.member()
        device = await with_passkey(stage, me)
        copy = replace(device)
        assert isinstance(await sign_in(stage, device), SignedIn)
        assert await sign_in(stage, copy) == PasskeyRefused()
        assert (await stage.deeds())[-1] == "sign_in.refused"

    async def test_a_challenge_is_good_once_whatever_comes_of_it(self, stage: AccountsStage) -> None:
        me = await stage.member()
        device = await with_passkey(stage, me)
        offer = await offer_passkey_sign_in(stage)
        used = device.used(offer.options)
        found = await asyncio.gather(
            *(sign_in_with_passkey(stage, offer.token, used, Portal.PLAYER, origin()) for _ in range(4))
        )
        assert sorted(type(each).__name__ for each in found) == ["PasskeyRefused"] * 3 + ["SignedIn"]
        offer = await offer_passkey_sign_in(stage)
        for answer in ("nonsense", device.used(offer.options)):
            refused = await sign_in_with_passkey(stage, offer.token, answer, Portal.PLAYER, origin())
            assert refused == PasskeyRefused()
        offer = await offer_passkey_sign_in(stage)
        stage.turn(minutes=5)
        late = await sign_in_with_passkey(stage, offer.token, device.used(offer.options), Portal.PLAYER, origin())
        assert late == PasskeyRefused()
        assert await stage.living(me) == 2

    async def test_a_challenge_of_a_step_up_lets_nobody_in(self, stage: AccountsStage) -> None:
        me = await stage.member()
        device = await with_passkey(stage, me)
        offer = await asked_to_confirm(stage, me)
        found = await sign_in_with_passkey(stage, offer.token, device.used(offer.options), Portal.PLAYER, origin())
        assert found == PasskeyRefused()

    async def test_an_unknown_one_is_refused_alike(self, stage: AccountsStage) -> None:
        await stage.member()
        assert await sign_in(stage, Device()) == PasskeyRefused()

    async def test_the_banned_learn_it_and_the_merged_do_not(self, stage: AccountsStage) -> None:
        me, other = await stage.member(), await stage.member("budi@mail.example")
        device = await with_passkey(stage, me)
        async with stage.work() as work:
            await work.people.set_status(me.person, PersonStatus.BANNED)
        assert await sign_in(stage, device) == PersonBanned()
        async with stage.work() as work:
            await work.people.set_status(me.person, PersonStatus.MERGED, survivor=other.person)
        assert await sign_in(stage, device) == SignInRefused()
        assert await stage.count("session") == 2

    async def test_one_that_is_taken_away_in_the_midst_lets_nobody_in(
        self, stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        me = await stage.member()
        device = await with_passkey(stage, me)
        seal = stage.vault.seal

        async def slowly(person: PersonId, field: str, text: str) -> bytes:
            if field == "origin":
                assert await remove_passkey(stage, stepped_up(stage, me), device.credential) is None
            return await seal(person, field, text)

        monkeypatch.setattr(stage.vault, "seal", slowly)
        assert await sign_in(stage, device) == SignInRefused()
        assert await stage.living(me) == 1

    async def test_signing_in_and_taking_away_at_once_wait_for_one_another(self, stage: AccountsStage) -> None:
        me = await stage.member()
        for _ in range(5):
            device = await with_passkey(stage, stepped_up(stage, me))
            found = await asyncio.gather(
                *(sign_in(stage, replace(device, count=number)) for number in range(4)),
                remove_passkey(stage, stepped_up(stage, me), device.credential),
            )
            assert found[-1] is None


class TestConfirming:
    async def test_it_steps_the_session_up_and_gives_it_its_second_factor(self, stage: AccountsStage) -> None:
        me = await stage.member()
        elsewhere = await stage.sign_in()
        assert isinstance(elsewhere, SignedIn)
        device, other = await with_passkey(stage, me), stage.actor(elsewhere)
        offer = await asked_to_confirm(stage, other)
        stage.turn(minutes=1)
        assert isinstance(await step_up_with_passkey(stage, other, offer.token, device.used(offer.options)), SteppedUp)
        row = await stage.database.pool.fetchrow("select * from session where id = $1", other.session)
        assert row["second_factor_at"] == row["stepped_up_at"] == stage.clock()

    async def test_one_offer_at_two_doors_at_once_serves_one_of_them(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        device = await with_passkey(stage, me)
        for _ in range(5):
            offer = await asked_to_confirm(stage, me)
            confirmed, added = await asyncio.gather(
                step_up_with_passkey(stage, me, offer.token, device.used(offer.options)),
                add_passkey(stage, me, offer.token, Device().made(offer.options), ""),
            )
            assert isinstance(confirmed, SteppedUp) is (added is not None)

    async def test_for_who_asked_with_what_is_theirs_and_once(self, stage: AccountsStage) -> None:
        me, other = await stage.member(), await stage.member("budi@mail.example")
        assert isinstance(await offer_passkey_step_up(stage, me), PasskeyRefused), "there is none"
        mine, theirs = await with_passkey(stage, me), await with_passkey(stage, other)
        offer = await asked_to_confirm(stage, me)
        assert await step_up_with_passkey(stage, other, offer.token, theirs.used(offer.options)) == PasskeyRefused()
        offer = await asked_to_confirm(stage, me)
        assert await step_up_with_passkey(stage, me, offer.token, theirs.used(offer.options)) == PasskeyRefused()
        assert await step_up_with_passkey(stage, me, offer.token, mine.used(offer.options)) == PasskeyRefused()
        anybodys = await offer_passkey_sign_in(stage)
        assert await step_up_with_passkey(stage, me, anybodys.token, mine.used(anybodys.options)) == PasskeyRefused()
        offer = await asked_to_confirm(stage, me)
        assert isinstance(await step_up_with_passkey(stage, me, offer.token, mine.used(offer.options)), SteppedUp)
        assert (await stage.deeds()).count("step_up.given") == 1


class TestTakingAway:
    async def test_it_goes_with_the_codes_that_stood_in_for_it(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        first, second = await with_passkey(stage, me), await with_passkey(stage, me)
        assert isinstance(await renew_recovery_codes(stage, me), RecoveryCodes)
        assert await remove_passkey(stage, me, first.credential) is None
        assert await stage.count("recovery_code") == 10
        assert await remove_passkey(stage, me, second.credential) is None
        assert await stage.count("recovery_code") == 0
        assert isinstance(await stage.sign_in(), SignedIn)

    async def test_when_it_comes_and_goes_other_sessions_end_and_this_one_stays(self, stage: AccountsStage) -> None:
        me = await stage.member()
        await stage.sign_in()
        device = await with_passkey(stage, me)
        assert await stage.living(me) == 1
        assert isinstance(await sign_in(stage, device), SignedIn)
        assert await remove_passkey(stage, stepped_up(stage, me), device.credential) is None
        assert await stage.living(me) == 1
        assert await stage.count("session", f"id = '{me.session}' and ended_at is null") == 1

    async def test_anothers_is_as_if_it_did_not_exist(self, stage: AccountsStage) -> None:
        me, other = await stage.member(), await stage.member("budi@mail.example")
        await with_passkey(stage, me)
        theirs = await with_passkey(stage, other)
        absent = await remove_passkey(stage, stepped_up(stage, me), b"none of ours")
        assert isinstance(absent, PasskeyRefused)
        assert await remove_passkey(stage, stepped_up(stage, me), theirs.credential) == absent
        assert await stage.count("passkey") == 2

    async def test_staff_keeps_the_last_one(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        first, second = await with_passkey(stage, me), await with_passkey(stage, me)
        await hire(stage, me)
        assert await remove_passkey(stage, me, first.credential) is None
        assert await remove_passkey(stage, me, second.credential) == SecondFactorStays()
        await enrolled(stage, me)
        assert await remove_passkey(stage, me, second.credential) is None

    async def test_of_two_that_staff_takes_away_at_once_one_stays(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        devices = [await with_passkey(stage, me) for _ in range(3)]
        await hire(stage, me)
        found = await asyncio.gather(*(remove_passkey(stage, me, each.credential) for each in devices))
        assert [each for each in found if each is not None] == [SecondFactorStays()]
        assert await stage.count("passkey") == 1
