"""Copies of everything that is a person's: all of it and nothing of others, sealed where it lies, fetched once."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.identity.exports import PostgresExports
from domain.actor import Actor
from domain.audit_log import Deed
from domain.identity import exports
from domain.identity.consents import give_consent
from domain.identity.exports import expire_exports, export_me, fetch_export, make_exports, pieces_of
from domain.identity.model import SessionEnd, Ticket, TicketPurpose
from domain.identity.privacy import ConsentPurpose, Export, ExportState
from domain.identity.privacy_refusals import ExportOpen, MailRequired
from domain.identity.refusals import NotWhileImpersonating, TooManyTries
from domain.identity.sessions import SignedIn
from domain.ids import PersonId, uuid7
from tests.accounts_stage import origin
from tests.people import enroll
from tests.privacy_stage import PrivacyStage, all_that_is_written, as_superuser, staged_privacy, table

DANGER = "=HYPERLINK(1)"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[PrivacyStage]:
    async with staged_privacy(database) as staged:
        yield staged


async def state(stage: PrivacyStage, actor: Actor) -> ExportState:
    found = await stage.reads.export_of(actor.person)
    assert found is not None
    return found.state


async def made(stage: PrivacyStage, actor: Actor) -> str:
    """The token of somebody's export that is ready."""
    assert isinstance(await export_me(stage, actor), Export)
    swept = await make_exports(stage, stage.clock())
    assert (swept.looked_at, swept.failed) == (1, [])
    await stage.post()
    return stage.token("ExportReady")


class TestWhatItTells:
    async def test_everything_of_the_person_is_in_it(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        await give_consent(stage, me, ConsentPurpose.MARKETING_MAIL, "1")
        await stage.pay(me.owner, 50)
        await stage.pay(me.owner, -20)
        found = await stage.exported(me)
        (profile,) = table(found, "profile")
        assert (profile["name"], profile["mail"]) == ("Ani", "ani@mail.example")
        (identity,) = table(found, "identities")
        assert identity["subject"] == "ani@mail.example"
        (session,) = table(found, "sessions")
        assert (session["address"], session["device"]) == ("203.0.113.7", "a browser")
        (consent,) = table(found, "consents")
        assert (consent["purpose"], consent["given"], consent["address"]) == ("marketing_mail", True, "203.0.113.7")
        (wallet,) = table(found, "wallets")
        assert (wallet["total"], wallet["currency"]) == ("30.00", "IDR")
        assert [line["change"] for line in table(found, "statements")] == ["50.00", "-20.00"]
        actions = [deed["action"] for deed in table(found, "deeds")]
        assert sorted(actions) == sorted(set(actions))
        assert {"person.signed_up", "session.begun", "consent.given", "export.requested"} <= set(actions)
        assert {letter["occasion"] for letter in table(found, "letters")} == {"ConfirmSignUp"}
        assert table(found, "memberships") == table(found, "top_ups") == table(found, "second_factors") == []

    async def test_what_others_did_is_told_without_who_they_are(self, stage: PrivacyStage) -> None:
        me, staff = await stage.member(), (await enroll(stage.database.pool)).person
        await stage.vault.create_key(staff)
        boss = Actor(staff, origin=origin("198.51.100.66"))
        async with stage.work() as work:
            target = f"person:{me.person}"
            await work.record(Deed("person.banned", target, boss, reason="an inquiry that nobody may know of"))
            await work.record(Deed("person.renamed", target, boss, about=me.person, after={"name": "Ani B"}))
            mine = Deed("person.warned", f"person:{staff}", me, about=staff, after={"name": "the boss"})
            await work.record(mine)
        found = await stage.exported(me)
        deeds = {deed["action"]: deed for deed in table(found, "deeds")}
        assert deeds["person.banned"]["by"] == deeds["person.renamed"]["by"] == "staff"
        assert json.loads(deeds["person.renamed"]["after"]) == {"name": "Ani B"}
        assert (deeds["person.warned"]["by"], deeds["person.warned"]["after"]) == ("you", "")
        assert deeds["person.warned"]["target"] == ""
        everything = "".join(found.read(name).decode() for name in found.namelist())
        for secret in ("an inquiry", "198.51.100.66", "the boss", str(staff)):
            assert secret not in everything

    async def test_a_person_is_told_all_under_every_id_that_they_had(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        other = await stage.member("ani.b@mail.example")
        await stage.pay(other.owner, 70)
        await stage.merged(me.person, other.person)
        found = await stage.exported(me)
        assert {row["mail"] for row in table(found, "profile")} == {"ani@mail.example", "ani.b@mail.example"}
        assert [line["change"] for line in table(found, "statements")] == ["70.00"]
        assert {row["person"] for row in table(found, "sessions")} == {str(me.person), str(other.person)}

    async def test_it_is_read_by_pages_and_nothing_is_left_out_or_told_twice(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        for _ in range(2):
            await stage.database.pool.execute(
                "insert into session (id, person, portal, created_at, authenticated_at, last_used_at, expires_at)"
                " select gen_random_uuid(), $1, 'player', now() - interval '1 hour', now(), now(), now()"
                " from generate_series(1, 200)",
                me.person,
            )
        async with stage.work() as work:
            for number in range(401):
                await work.record(Deed("a.deed", f"thing:{number}", me))
        found = await stage.exported(me)
        assert len({row["person"] + row["created_at"] for row in table(found, "sessions")}) >= 2
        assert len(table(found, "sessions")) == 401
        assert len([deed for deed in table(found, "deeds") if deed["action"] == "a.deed"]) == 401

    async def test_no_name_of_a_person_is_a_formula(self, stage: PrivacyStage) -> None:
        await stage.ask("ani@mail.example", name=DANGER)
        signed_in = await stage.confirm()
        assert isinstance(signed_in, SignedIn)
        found = await stage.exported(stage.actor(signed_in))
        assert table(found, "profile")[0]["name"] == DANGER
        assert f'"\'{DANGER}"' in found.read("profile.csv").decode()


class TestTheFile:
    async def test_it_lies_sealed_and_goes_when_it_is_fetched(
        self, stage: PrivacyStage, database: DatabaseAddresses
    ) -> None:
        me = await stage.member()
        token = await made(stage, me)
        assert await state(stage, me) is ExportState.READY
        assert await stage.count("personal_export_piece") == 1
        written = await all_that_is_written(database)
        assert "profile.json" not in written
        assert token not in written
        found = await stage.fetched(token)
        assert found.testzip() is None
        assert await state(stage, me) is ExportState.FETCHED
        assert await stage.count("personal_export_piece") == 0
        assert await fetch_export(stage, token, origin()) is None
        assert {"export.requested", "export.made", "export.fetched"} <= set(await stage.deeds())

    async def test_many_pieces_are_one_file_and_hold_little_memory(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(exports, "PIECE", 256)
        me = await stage.member()
        await made(stage, me)
        assert await stage.count("personal_export_piece") > 10
        assert (await stage.fetched(stage.token("ExportReady"))).testzip() is None

    async def test_a_piece_opens_nowhere_but_in_its_place(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch, database: DatabaseAddresses
    ) -> None:
        monkeypatch.setattr(exports, "PIECE", 256)
        token = await made(stage, await stage.member())
        swap = (
            "update personal_export_piece as one set content = other.content from personal_export_piece as other"
            " where one.number = 0 and other.number = 1"
        )
        await as_superuser(database, swap)
        download = await fetch_export(stage, token, origin())
        assert download is not None
        with pytest.raises(Exception, match="does not open"):
            [piece async for piece in pieces_of(stage, download)]

    async def test_one_link_is_good_for_one_of_many_who_come_at_once(self, stage: PrivacyStage) -> None:
        token = await made(stage, await stage.member())
        found = await asyncio.gather(*(fetch_export(stage, token, origin()) for _ in range(4)))
        assert len([each for each in found if each]) == 1

    async def test_a_link_is_good_for_a_day_and_then_the_file_is_gone(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        token = await made(stage, me)
        stage.turn(hours=23, minutes=59)
        assert await expire_exports(stage, stage.clock()) == 0
        stage.turn(minutes=1)
        assert await fetch_export(stage, token, origin()) is None
        assert await expire_exports(stage, stage.clock()) == 1
        assert await state(stage, me) is ExportState.EXPIRED
        assert await stage.count("personal_export_piece") == 0

    async def test_whoever_breaks_off_leaves_nothing_for_long(self, stage: PrivacyStage) -> None:
        token = await made(stage, await stage.member())
        assert await fetch_export(stage, token, origin()) is not None
        await expire_exports(stage, stage.clock())
        assert await stage.count("personal_export_piece") == 1
        stage.turn(hours=1)
        await expire_exports(stage, stage.clock())
        assert await stage.count("personal_export_piece") == 0

    @pytest.mark.parametrize("purpose", [each for each in TicketPurpose if each is not TicketPurpose.EXPORT_DOWNLOAD])
    async def test_no_other_token_opens_it(self, stage: PrivacyStage, purpose: TicketPurpose) -> None:
        me = await stage.member()
        await made(stage, me)
        export = await stage.reads.export_of(me.person)
        assert export is not None
        now, token = stage.clock(), stage.opaque_tokens.new()
        ticket = Ticket(
            stage.opaque_tokens.digest(token), purpose, now, now + timedelta(days=1), me.person, body=export.id.bytes
        )
        async with stage.work() as work:
            await work.tickets.add(ticket)
        assert await fetch_export(stage, token, origin()) is None
        assert await state(stage, me) is ExportState.READY


class TestAsking:
    async def test_one_at_a_time_whoever_asks_first(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        found = await asyncio.gather(*(export_me(stage, me) for _ in range(3)))
        assert [type(each) for each in found].count(Export) == 1
        assert {type(each) for each in found} == {Export, ExportOpen}
        assert await stage.count("personal_export") == 1
        await make_exports(stage, stage.clock())
        assert isinstance(await export_me(stage, me), ExportOpen)

    async def test_only_so_many_in_a_week(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        for _ in range(3):
            await stage.exported(me)
        assert isinstance(await export_me(stage, me), TooManyTries)
        stage.turn(days=8)
        assert isinstance(await export_me(stage, me), Export)

    async def test_not_without_an_address_nor_for_who_looks_through_anothers_eyes(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        staff = replace(me, impersonator=PersonId(uuid7()))
        assert isinstance(await export_me(stage, staff), NotWhileImpersonating)
        nameless = (await enroll(stage.database.pool)).actor
        assert isinstance(await export_me(stage, nameless), MailRequired)
        await stage.database.pool.execute("update person set mail_verified_at = null")
        assert isinstance(await export_me(stage, me), MailRequired)
        assert await stage.count("personal_export") == 0


class TestMaking:
    async def test_many_makers_make_each_once(self, stage: PrivacyStage) -> None:
        people = [await stage.member(f"{name}@mail.example") for name in ("ani", "budi", "citra")]
        for each in people:
            await export_me(stage, each)
        swept = await asyncio.gather(*(make_exports(stage, stage.clock()) for _ in range(4)))
        assert sum(each.looked_at for each in swept) == 3
        assert [error for each in swept for error in each.failed] == []
        await stage.post()
        assert stage.subjects.count("ExportReady") == 3

    @pytest.mark.parametrize("where", ["add_piece", "ready", "letter"])
    async def test_a_maker_that_dies_anywhere_is_followed_by_another(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch, where: str
    ) -> None:
        me = await stage.member()
        await export_me(stage, me)
        with monkeypatch.context() as patch:
            await die_at(stage, patch, where)
            with pytest.raises(asyncio.CancelledError):
                await make_exports(stage, stage.clock())
        assert (await make_exports(stage, stage.clock())).looked_at == 0
        assert await state(stage, me) is ExportState.REQUESTED
        stage.turn(minutes=11)
        assert (await make_exports(stage, stage.clock())).looked_at == 1
        await stage.post()
        assert stage.subjects.count("ExportReady") == 1
        assert (await stage.fetched(stage.token("ExportReady"))).testzip() is None
        assert await stage.count("personal_export_piece") == 0

    async def test_a_slow_maker_that_was_overtaken_spoils_nothing(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        me = await stage.member()
        await export_me(stage, me)
        async with stage.work() as work:
            slow = await work.exports.claim(stage.clock(), stage.clock() + timedelta(minutes=10))
        assert slow is not None
        stage.turn(minutes=11)
        await make_exports(stage, stage.clock())
        async with stage.work() as work:
            assert not await work.exports.add_piece(slow, 0, b"", stage.clock())
            assert not await work.exports.ready(replace(slow, ready_at=stage.clock(), expires_at=stage.clock()))
            await work.exports.failed(slow)
        await stage.post()
        assert (await stage.fetched(stage.token("ExportReady"))).testzip() is None

    async def test_what_cannot_be_made_is_given_up_in_the_end_and_may_be_asked_for_anew(
        self, stage: PrivacyStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        me = await stage.member()
        await export_me(stage, me)
        with monkeypatch.context() as patch:
            patch.setattr(type(stage.books), "accounts_of", _broken)
            for _ in range(5):
                assert len((await make_exports(stage, stage.clock())).failed) == 1
                stage.turn(minutes=11)
            assert (await make_exports(stage, stage.clock())).looked_at == 0
        assert await state(stage, me) is ExportState.FAILED
        assert await stage.count("personal_export_piece") == 0
        await stage.exported(me)

    async def test_whoever_is_erased_meanwhile_gets_none(self, stage: PrivacyStage) -> None:
        me = await stage.member()
        await export_me(stage, me)
        async with stage.work() as work:
            await work.sessions.end(me.person, stage.clock(), SessionEnd.ERASED)
            await work.erasures.forget([me.person])
        await stage.vault.destroy_key(me.person)
        assert (await make_exports(stage, stage.clock())).looked_at == 0
        assert await stage.count("personal_export_piece") == 0

    async def test_whoever_is_merged_meanwhile_gets_none_and_no_link_to_it_stays(self, stage: PrivacyStage) -> None:
        me, other = await stage.member(), await stage.member("ani.b@mail.example")
        token = await made(stage, other)
        await stage.merged(me.person, other.person)
        assert await state(stage, other) is ExportState.EXPIRED
        assert await fetch_export(stage, token, origin()) is None
        await expire_exports(stage, stage.clock())
        assert await stage.count("personal_export_piece") == 0

    async def test_a_merge_takes_what_is_only_asked_for_too(self, stage: PrivacyStage) -> None:
        me, other = await stage.member(), await stage.member("ani.b@mail.example")
        await export_me(stage, other)
        await stage.merged(me.person, other.person)
        assert (await make_exports(stage, stage.clock())).looked_at == 0
        assert await state(stage, other) is ExportState.EXPIRED

    @pytest.mark.parametrize(
        "change", ["mail = null, mail_index = null, mail_verified_at = null", "status = 'merged', survivor = id"]
    )
    async def test_what_nobody_is_there_for_is_given_up_at_once(
        self, stage: PrivacyStage, database: DatabaseAddresses, change: str
    ) -> None:
        me = await stage.member()
        await export_me(stage, me)
        await as_superuser(
            database, f"set session_replication_role = replica; update person set {change} where id = '{me.person}'"
        )
        assert (await make_exports(stage, stage.clock())).looked_at == 1
        assert await state(stage, me) is ExportState.FAILED
        assert await stage.count("personal_export_piece") == 0

    async def test_a_new_maker_drops_what_the_last_one_left(self, stage: PrivacyStage) -> None:
        await export_me(stage, await stage.member())
        for _ in range(2):
            async with stage.work() as work:
                export = await work.exports.claim(stage.clock(), stage.clock() + timedelta(minutes=10))
                assert export is not None
            assert await stage.count("personal_export_piece") == 0
            async with stage.work() as work:
                assert await work.exports.add_piece(export, 0, b"", stage.clock() + timedelta(minutes=10))
            stage.turn(minutes=11)


async def _broken(*_: object) -> Any:
    raise RuntimeError("a bug of ours")


async def die_at(stage: PrivacyStage, patch: pytest.MonkeyPatch, where: str) -> None:
    async def dies(*_: object, **__: object) -> Any:
        raise asyncio.CancelledError

    if where == "letter":
        patch.setattr(exports, "queued_letter", dies)
    else:
        patch.setattr(PostgresExports, where, dies)
