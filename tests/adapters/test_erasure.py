"""Erasure on a real database with a real vault: who may, when, what goes, and whatever breaks off goes on."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.identity.erasures import _FORGET, PostgresErasures
from adapters.vault.postgres import PostgresVault
from domain.actor import Actor
from domain.audit_log import DeedFilter
from domain.errors import KeyDestroyedError, NotPermittedError
from domain.identity.erasure import ErasureOutlook, Kept, erase_me, erasure_outlook, keep_me
from domain.identity.exports import export_me, make_exports
from domain.identity.privacy import Obstacle, RetentionReason
from domain.identity.privacy_refusals import DebtOpen, NoErasure, SoleOwner, TopUpOpen, WalletNotEmpty
from domain.identity.refusals import (
    FreshSignInRequired,
    IsStaff,
    NotWhileImpersonating,
    ReasonRequired,
    SignInRefused,
    StepUpRequired,
    UnknownPerson,
)
from domain.identity.retained import Retained, look_up_retained
from domain.identity.shredding import RETAINED, erase_due, shred_again
from domain.ids import BrandId, PersonId, derived, uuid7
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountKey
from domain.money import Currency
from domain.rights import BrandRole, Permission, StaffRole
from domain.vault import Sealed
from tests.people import enroll
from tests.privacy_stage import PrivacyStage, as_superuser, staged_privacy


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[PrivacyStage]:
    async with staged_privacy(database) as staged:
        yield staged


async def scheduled(stage: PrivacyStage, mail: str = "ani@mail.example") -> Actor:
    me = await stage.member(mail)
    assert isinstance(await erase_me(stage, me), ErasureOutlook)
    return me


async def until_due(stage: PrivacyStage) -> None:
    await stage.post()
    stage.turn(days=14)


async def run_to_end(stage: PrivacyStage) -> None:
    """What the schedule does: erase, send what is to be sent, erase."""
    for _ in range(2):
        assert (await erase_due(stage, stage.clock())).failed == []
        await stage.post()


async def status(stage: PrivacyStage, actor: Actor) -> str:
    return str(await stage.value("select status from person where id = $1", actor.person))


async def is_gone(stage: PrivacyStage, actor: Actor) -> bool:
    """Whether the person's key is destroyed and nothing of theirs is in any row."""
    try:
        await stage.vault.seal(actor.person, "name", "x")
    except KeyDestroyedError:
        row = await stage.database.pool.fetchrow("select * from person where id = $1", actor.person)
        assert (row["status"], row["name"], row["mail"], row["mail_index"]) == ("erased", None, None, None)
        for table in ("sign_in_identity", "password", "letter", "ticket", "totp", "recovery_code", "passkey"):
            assert await stage.count(table, f"person = '{actor.person}'") == 0, table
        assert await stage.count("refresh_token") == await stage.count("personal_export_piece") == 0
        assert await stage.count("session", f"person = '{actor.person}' and origin is not null") == 0
        assert await stage.living(actor) == 0
        return True
    return False


class TestAsking:
    async def test_it_is_scheduled_told_and_seen(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        due = stage.clock() + timedelta(days=14)
        assert await erasure_outlook(stage, me) == ErasureOutlook(due, None, (), ())
        await stage.post()
        assert stage.subjects[-1] == "ErasureScheduled"
        assert (await stage.deeds())[-1] == "erasure.scheduled"
        assert (await erase_due(stage, stage.clock())).looked_at == 0
        stage.turn(days=13, hours=23, minutes=59)
        assert (await erase_due(stage, stage.clock())).looked_at == 0
        assert await status(stage, me) == "active"

    async def test_asking_twice_is_asking_once_whoever_comes_first(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        found = await asyncio.gather(*(erase_me(stage, me) for _ in range(4)))
        assert len(set(found)) == 1
        assert await stage.count("erasure") == 1
        await stage.post()
        assert stage.subjects.count("ErasureScheduled") == 1

    async def test_it_takes_the_person_themselves(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        now = stage.clock()
        assert isinstance(await erase_me(stage, replace(me, impersonator=PersonId(uuid7()))), NotWhileImpersonating)
        stale = replace(me, authenticated_at=now - timedelta(minutes=16))
        assert isinstance(await erase_me(stage, stale), FreshSignInRequired)
        assert isinstance(await erase_me(stage, replace(me, authenticated_at=None)), FreshSignInRequired)
        assert await stage.count("erasure") == 0
        stepped = replace(stale, stepped_up_until=now + timedelta(minutes=1))
        assert isinstance(await erase_me(stage, stepped), ErasureOutlook)

    async def test_staff_stays_until_it_is_staff_no_more(self, stage: PrivacyStage) -> None:
        boss = await enroll(stage.database.pool, staff=StaffRole.SUPPORT)
        actor = Actor(boss.person, authenticated_at=stage.clock())
        assert isinstance(await erase_me(stage, actor), IsStaff)
        await stage.database.pool.execute("update membership set ended_at = now()")
        await stage.vault.create_key(boss.person)
        assert isinstance(await erase_me(stage, actor), ErasureOutlook)

    @pytest.mark.parametrize("purpose", [Purpose.HOSTING_CREDIT, Purpose.BRAND_PREPAID])
    async def test_money_is_not_left_behind(self, stage: PrivacyStage, purpose: Purpose) -> None:
        me = await stage.member()
        await stage.pay(me.owner, 50, purpose)
        refused = await erase_me(stage, me)
        assert isinstance(refused, WalletNotEmpty)
        assert "50.00" in refused.message
        assert await stage.count("erasure") == 0

    async def test_nor_are_debts_top_ups_and_brands(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        await stage.owe(me.owner, 5)
        assert isinstance(await erase_me(stage, me), DebtOpen)
        other = await stage.member("budi@mail.example")
        brand = BrandId(uuid7())
        await enroll(stage.database.pool, other.person, brands={brand: BrandRole.OWNER})
        assert isinstance(await erase_me(stage, other), SoleOwner)
        await enroll(stage.database.pool, brands={brand: BrandRole.OWNER})
        assert isinstance(await erase_me(stage, other), ErasureOutlook)
        third = await stage.member("citra@mail.example")
        await top_up(stage, third, "in_review")
        assert isinstance(await erase_me(stage, third), TopUpOpen)

    @pytest.mark.parametrize(
        ("state", "open_"),
        [("requested", True), ("pending", True), ("challenged", True), ("in_review", True), ("settled", False),
         ("expired", False), ("cancelled", False), ("failed", False)],
    )  # fmt: skip
    async def test_what_a_top_up_that_is_not_over_stands_against(
        self, stage: PrivacyStage, state: str, *, open_: bool
    ) -> None:
        me = await stage.member()
        await top_up(stage, me, state)
        estate = await stage.reads.estate_of([me.person])
        assert estate.obstacles == ((Obstacle.TOP_UP_OPEN,) if open_ else ())

    async def test_whoever_is_unknown_cannot(self, stage: PrivacyStage) -> None:
        nobody = Actor(PersonId(uuid7()), authenticated_at=stage.clock())
        assert isinstance(await erase_me(stage, nobody), UnknownPerson)
        assert isinstance(await keep_me(stage, nobody), UnknownPerson)


class TestChangingOnesMind:
    async def test_it_is_called_off_and_may_be_wished_for_again(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        assert isinstance(await keep_me(stage, replace(me, impersonator=me.person)), NotWhileImpersonating)
        assert isinstance(await keep_me(stage, me), Kept)
        assert await erasure_outlook(stage, me) is None
        assert isinstance(await keep_me(stage, me), NoErasure)
        await until_due(stage)
        await run_to_end(stage)
        assert await status(stage, me) == "active"
        again = replace(me, authenticated_at=stage.clock())
        assert isinstance(await erase_me(stage, again), ErasureOutlook)
        assert await stage.count("erasure") == 2

    async def test_it_is_too_late_once_it_has_begun(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        await until_due(stage)
        await erase_due(stage, stage.clock())
        assert isinstance(await keep_me(stage, me), UnknownPerson)
        assert isinstance(await erase_me(stage, replace(me, authenticated_at=stage.clock())), UnknownPerson)

    async def test_keeping_against_the_job_one_of_them_wins_whole(self, stage: PrivacyStage) -> None:
        for name in ("ani", "budi", "citra", "dewi"):
            me = await scheduled(stage, f"{name}@mail.example")
            await until_due(stage)
            kept, _ = await asyncio.gather(keep_me(stage, me), erase_due(stage, stage.clock()))
            await run_to_end(stage)
            if isinstance(kept, Kept):
                assert await status(stage, me) == "active"
                assert (await stage.people.people([me.person]))[me.person].mail == f"{name}@mail.example"
            else:
                assert await is_gone(stage, me)


class TestTheJob:
    async def test_everything_goes_and_the_key_last(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        await until_due(stage)
        assert (await erase_due(stage, stage.clock())).looked_at == 0
        assert await status(stage, me) == "erased"
        assert await stage.living(me) == 0
        await stage.vault.seal(me.person, "name", "the last letter is still to be read")
        assert isinstance(await stage.sign_in(), SignInRefused)
        await stage.post()
        assert (stage.subjects[-1], stage.mailer.letters[-1].to) == ("ErasureDone", "ani@mail.example")
        assert (await erase_due(stage, stage.clock())).looked_at == 1
        assert await is_gone(stage, me)
        assert (await erase_due(stage, stage.clock())).looked_at == 0
        assert [deed for deed in await stage.deeds() if "eras" in deed] == [
            "erasure.scheduled", "person.erasure_begun", "person.erased",
        ]  # fmt: skip
        kept = await stage.audit_log.page(DeedFilter(), 50)
        assert any(deed.erased for deed in kept)
        assert not any(deed.origin for deed in kept if deed.action != "mail.sign_up_requested" and deed.about)

    async def test_a_letter_that_never_goes_out_does_not_keep_the_key_for_ever(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        await until_due(stage)
        await erase_due(stage, stage.clock())
        stage.turn(hours=23)
        assert (await erase_due(stage, stage.clock())).looked_at == 0
        stage.turn(hours=1)
        assert (await erase_due(stage, stage.clock())).looked_at == 1
        assert await is_gone(stage, me)
        await stage.post()
        assert "ErasureDone" not in stage.subjects

    async def test_it_waits_for_what_came_in_between_and_says_so(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        await stage.pay(me.owner, 50)
        await until_due(stage)
        await run_to_end(stage)
        assert await status(stage, me) == "active"
        outlook = await erasure_outlook(stage, me)
        assert outlook is not None
        assert outlook.obstacles == (Obstacle.WALLET_NOT_EMPTY,)
        await stage.pay(me.owner, -50)
        await run_to_end(stage)
        assert await is_gone(stage, me)

    async def test_who_became_staff_or_was_banned_waits(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        await until_due(stage)
        await stage.database.pool.execute("update person set status = 'banned'")
        await run_to_end(stage)
        assert await status(stage, me) == "banned"
        await stage.database.pool.execute("update person set status = 'active'")
        await enroll(stage.database.pool, me.person, staff=StaffRole.SUPPORT)
        await run_to_end(stage)
        assert await status(stage, me) == "active"

    async def test_somebody_elses_erasure_goes_on_when_one_fails(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one, two = await scheduled(stage), await scheduled(stage, "budi@mail.example")
        await until_due(stage)
        await erase_due(stage, stage.clock())
        await stage.post()
        destroy = PostgresVault.destroy_key

        async def fails_for_one(vault: PostgresVault, person: PersonId) -> None:
            if person == one.person:
                raise OSError("the database of keys is away")
            await destroy(vault, person)

        with monkeypatch.context() as patch:
            patch.setattr(PostgresVault, "destroy_key", fails_for_one)
            swept = await erase_due(stage, stage.clock())
        assert (swept.looked_at, len(swept.failed)) == (1, 1)
        assert await is_gone(stage, two)
        await run_to_end(stage)
        assert await is_gone(stage, one)

    async def test_many_jobs_erase_each_once(self, stage: PrivacyStage) -> None:
        people = [await scheduled(stage, f"{name}@mail.example") for name in ("ani", "budi")]
        await until_due(stage)
        for _ in range(2):
            for swept in await asyncio.gather(*(erase_due(stage, stage.clock()) for _ in range(3))):
                assert swept.failed == []
            await stage.post()
        assert [await is_gone(stage, each) for each in people] == [True, True]
        assert stage.subjects.count("ErasureDone") == 2
        actions = await stage.deeds()
        assert (actions.count("person.erasure_begun"), actions.count("person.erased")) == (2, 2)

    async def test_everybody_that_a_person_ever_was_goes_along(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        other = await stage.member("ani.b@mail.example")
        await stage.merged(me.person, other.person)
        assert isinstance(await erase_me(stage, me), ErasureOutlook)
        await until_due(stage)
        await run_to_end(stage)
        assert await is_gone(stage, me)
        with pytest.raises(KeyDestroyedError):
            await stage.vault.seal(other.person, "name", "x")
        assert await stage.count("person", "name is not null or mail is not null or mail_index is not null") == 0

    async def test_whoever_is_another_by_now_decides_anew(self, stage: PrivacyStage) -> None:
        survivor = await stage.member("budi@mail.example")
        me = await scheduled(stage)
        await stage.merged(survivor.person, me.person)
        await until_due(stage)
        await run_to_end(stage)
        assert await status(stage, me) == "merged"
        assert await stage.count("erasure", "kept_at is not null") == 1
        assert (await stage.people.people([me.person]))[me.person].mail == "ani@mail.example"

    async def test_an_export_against_the_erasure_leaves_nothing(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        await until_due(stage)
        await export_me(stage, me)
        await asyncio.gather(make_exports(stage, stage.clock()), erase_due(stage, stage.clock()))
        await run_to_end(stage)
        assert await is_gone(stage, me)
        assert await stage.count("personal_export", "state <> 'expired'") == 0

    async def test_the_address_is_free_for_somebody_new(self, stage: PrivacyStage) -> None:
        me = await scheduled(stage)
        await until_due(stage)
        await run_to_end(stage)
        again = await stage.member()
        assert again.person != me.person


STEPS = ("lock", "forget", "begin", "letter", "destroy_before", "destroy_after", "done", "between")


class TestCrashes:
    @pytest.mark.parametrize("paid", [False, True], ids=["nothing is retained", "law keeps something"])
    @pytest.mark.parametrize("step", STEPS)
    async def test_whatever_breaks_off_is_gone_on_with(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch, step: str, *, paid: bool
    ) -> None:
        me = await scheduled(stage)
        if paid:
            await stage.pay(me.owner, 50)
            await stage.pay(me.owner, -50)
        await until_due(stage)
        if step not in {"lock", "forget", "begin"}:
            await erase_due(stage, stage.clock())
        if step != "letter":
            await stage.post()
        with monkeypatch.context() as patch:
            _die_at(patch, step)
            for _ in range(2):
                if step == "letter":
                    assert (await erase_due(stage, stage.clock())).looked_at == 0
                else:
                    with pytest.raises(asyncio.CancelledError):
                        await erase_due(stage, stage.clock())
        await run_to_end(stage)
        assert await is_gone(stage, me)
        assert stage.subjects.count("ErasureDoneInPart" if paid else "ErasureDone") == 1
        assert await stage.count("retained_record") == int(paid)
        assert (await stage.deeds()).count("person.erased") == 1


def _die_at(patch: pytest.MonkeyPatch, step: str) -> None:
    """Let the process die before (or, where it says so, after) a step, each time."""

    async def dies(*_: object, **__: object) -> Any:
        raise asyncio.CancelledError

    destroy = PostgresVault.destroy_key

    async def destroys_and_dies(vault: PostgresVault, person: PersonId) -> None:
        await destroy(vault, person)
        raise asyncio.CancelledError

    where: dict[str, tuple[type, str, Any]] = {
        "lock": (PostgresErasures, "lock", dies),
        "forget": (PostgresErasures, "forget", dies),
        "begin": (PostgresErasures, "begin", dies),
        "letter": (PostgresErasures, "due", PostgresErasures.due),
        "between": (PostgresErasures, "letter_waits", dies),
        "destroy_before": (PostgresVault, "destroy_key", dies),
        "destroy_after": (PostgresVault, "destroy_key", destroys_and_dies),
        "done": (PostgresErasures, "done", dies),
    }
    patch.setattr(*where[step])


class TestWhatLawKeeps:
    async def paid(self, stage: PrivacyStage) -> Actor:
        """Somebody erased whose money moved."""
        me = await stage.member()
        await stage.pay(me.owner, 50)
        await stage.pay(me.owner, -50)
        found = await erase_me(stage, me)
        assert isinstance(found, ErasureOutlook)
        assert found.retained_until is not None
        assert found.reasons == (RetentionReason.TAX, RetentionReason.MONEY_LAUNDERING)
        await until_due(stage)
        await run_to_end(stage)
        return me

    async def retained(self, stage: PrivacyStage, actor: Actor) -> str | None:
        row = await stage.database.pool.fetchrow("select * from retained_record where person = $1", actor.person)
        sealed = Sealed(row["custodian"], RETAINED, row["body"] or b"")
        return (await stage.vault.open([sealed]))[0]

    async def test_who_they_were_is_kept_apart_until_its_day_and_nothing_else_is(self, stage: PrivacyStage) -> None:
        me = await self.paid(stage)
        assert await is_gone(stage, me)
        text = await self.retained(stage, me)
        assert text is not None
        assert "ani@mail.example" in text
        until = await stage.value("select until from retained_record")
        assert until == await stage.value("select retained_until from erasure")
        await shred_again(stage, stage.clock())
        assert await self.retained(stage, me) == text
        stage.turn(days=3652)
        await shred_again(stage, stage.clock())
        assert await self.retained(stage, me) is None
        assert await stage.count("retained_record", "body is null and released_at is not null") == 1
        assert (await stage.deeds())[-1] == "person.released"

    async def test_staff_may_look_it_up_and_never_unseen(self, stage: PrivacyStage) -> None:
        me, other = await self.paid(stage), await stage.member("budi@mail.example")
        boss = Actor(
            (await enroll(stage.database.pool)).person,
            permissions=frozenset({Permission.ACCESS_AUDIT}),
            stepped_up_until=stage.clock() + timedelta(days=4000),
        )
        found = await look_up_retained(stage, boss, me.person, "a letter of the tax office")
        assert isinstance(found, Retained)
        assert (found.name, found.mail) == ("Ani", "ani@mail.example")
        assert (await stage.deeds())[-1] == "person.retained_read"
        assert isinstance(await look_up_retained(stage, boss, other.person, "who is that"), UnknownPerson)
        with pytest.raises(NotPermittedError):
            await look_up_retained(stage, replace(boss, permissions=frozenset()), me.person, "curious")
        assert isinstance(await look_up_retained(stage, boss, me.person, " "), ReasonRequired)
        fresh = replace(boss, stepped_up_until=None)
        assert isinstance(await look_up_retained(stage, fresh, me.person, "a letter"), StepUpRequired)
        assert (await stage.deeds()).count("person.retained_read") == 1
        stage.turn(days=3652)
        assert isinstance(await look_up_retained(stage, boss, me.person, "too late"), UnknownPerson)
        await shred_again(stage, stage.clock())
        assert isinstance(await look_up_retained(stage, boss, me.person, "too late"), UnknownPerson)

    async def test_what_was_paid_long_ago_keeps_nothing(self, database: DatabaseAddresses) -> None:
        async with staged_privacy(database, money_kept_years=0) as stage:
            me = await stage.member()
            await stage.pay(me.owner, 50)
            await stage.pay(me.owner, -50)
            assert isinstance(await erase_me(stage, me), ErasureOutlook)
            await until_due(stage)
            await run_to_end(stage)
            assert await is_gone(stage, me)
            assert await stage.count("retained_record") == 0

    async def test_a_release_that_breaks_off_is_made_good_the_next_day(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        me = await self.paid(stage)
        custodian = PersonId(derived("retained", str(me.person)))
        stage.turn(days=3652)
        with monkeypatch.context() as patch:
            _die_at(patch, "destroy_before")
            with pytest.raises(asyncio.CancelledError):
                await shred_again(stage, stage.clock())
        await stage.vault.seal(custodian, RETAINED, "still")
        await shred_again(stage, stage.clock())
        with pytest.raises(KeyDestroyedError):
            await stage.vault.seal(custodian, RETAINED, "not any more")


class TestOldBackups:
    async def test_keys_that_come_back_go_again_the_next_day(
        self, stage: PrivacyStage, database: DatabaseAddresses
    ) -> None:
        me = await stage.member()
        await as_superuser(database, "create table kept_key as select * from data_key")
        assert isinstance(await erase_me(stage, me), ErasureOutlook)
        await until_due(stage)
        await run_to_end(stage)
        # As a restored copy does it: past the trigger that keeps a destroyed key destroyed.
        for statement in ("truncate data_key", "insert into data_key select * from kept_key"):
            await as_superuser(database, f"set session_replication_role = replica; {statement}")
        stage.vault._cache.forget(me.person)  # type: ignore[attr-defined]  # as if the process had begun anew
        await stage.vault.seal(me.person, "name", "it is back")
        await shred_again(stage, stage.clock())
        assert await is_gone(stage, me)

    async def test_rows_that_come_back_are_erased_anew_without_a_key_or_a_letter(
        self, stage: PrivacyStage, database: DatabaseAddresses
    ) -> None:
        me = await scheduled(stage)
        await stage.post()
        await stage.vault.destroy_key(me.person)
        letters = len(stage.mailer.letters)
        stage.turn(days=14)
        await run_to_end(stage)
        assert await is_gone(stage, me)
        assert len(stage.mailer.letters) == letters


STAYS = {
    "account": "the ledger knows a pseudonym alone",
    "data_key": "a tombstone, so that no key is made again",
    "earning_minute": "to which account of the ledger money went, by a pseudonym",
    "deed": "what is personal in it is sealed with the key that goes",
    "erasure": "when it was wished for and done",
    "platform_grant": "which account granted what, by a digest, until a job gives it back",
    "retained_record": "what law keeps, sealed with a key of its own",
    "staff_network": "who of staff let a network in",
    "top_up": "what was paid, for whom by a pseudonym",
}
"""Tables that speak of people and are left alone by an erasure, and why."""
GOES_ALONG = {"platform_link", "viewer_sample"}
"""Tables whose rows the database deletes with those that they belong to."""


async def test_every_table_that_speaks_of_people_is_decided_about(stage: PrivacyStage) -> None:
    names = "person|owner|survivor|merged|impersonator|actor|about|asked_by|decided_by|added_by|custodian"
    names += "|contact|invited_by|accepted_by"
    found = await stage.database.pool.fetch(
        "select distinct table_name from information_schema.columns where table_schema = 'public'"
        f" and (column_name ~ '^({names})$' or column_name ~ '_index$' or column_name in ('session', 'export'))"
    )
    forgotten = {match[1] for statement in _FORGET for match in re.finditer(r"(?:delete from|update) (\w+)", statement)}
    speaking = {record["table_name"] for record in found} - {"account_change"}
    assert speaking - forgotten - GOES_ALONG == set(STAYS)
    assert forgotten - speaking == {"offer"}, "which speaks of whom its participation does"


async def top_up(stage: PrivacyStage, actor: Actor, state: str) -> None:
    async with stage.work() as work:
        wallet = await work.ledger.open(AccountKey(actor.owner, Purpose.HOSTING_CREDIT, Currency.IDR))
    await stage.database.pool.execute(
        "insert into top_up (id, person, wallet, amount, currency, method, gateway, state, key, content, credited,"
        " taken_back, created_at, expires_at) values ($1, $2, $3, 1, 'IDR', 'qris', 'midtrans', $4,"
        " gen_random_uuid()::text, '', 0, 0, now(), now())",
        uuid7(), actor.person, wallet, state,
    )  # fmt: skip
