"""What strangers, thieves and old mailboxes try with accounts, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.identity.tickets import PostgresTickets
from adapters.wiring.identity import knowing_people
from domain.actor import Actor
from domain.clock import system_clock
from domain.identity.accounts import MailConfirmed, MailOnItsWay, confirm_mail, request_mail_change, sign_up
from domain.identity.exports import export_me, fetch_export, make_exports
from domain.identity.model import Portal, Ticket
from domain.identity.passwords import PasswordNowChanged, change_password
from domain.identity.privacy import Export
from domain.identity.refusals import LinkRefused, SignInRefused, TooManyTries
from domain.identity.resets import request_password_reset, reset_password
from domain.identity.sessions import SignedIn, end_other_sessions
from domain.ids import PersonId
from tests.accounts_stage import ENGLISH, PASSWORD, AccountsStage, origin, staged_accounts
from tests.factor_stage import stepped_up
from tests.gql.house import settings_for
from tests.privacy_stage import staged_privacy
from tests.waiting import eventually

NEW = "another horse, other batteries"
ANI, EVIL = "ani@mail.example", "evil@mail.example"
LOCKED = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[AccountsStage]:
    async with staged_accounts(database) as staged:
        yield staged


def held(found: object) -> SignedIn:
    assert isinstance(found, SignedIn), found
    return found


async def stolen(stage: AccountsStage) -> Actor:
    """A session of the member's in which somebody else can do all that takes no code."""
    return stepped_up(stage, stage.actor(held(await stage.sign_in())))


async def reset_link(stage: AccountsStage) -> str:
    assert await request_password_reset(stage, ANI, ENGLISH, origin()) == MailOnItsWay()
    await stage.post()
    return stage.token("ResetPassword")


async def link_to(stage: AccountsStage, me: Actor, mail: str) -> str:
    """What confirms another address of somebody's."""
    assert await request_mail_change(stage, me, mail) == MailOnItsWay()
    await stage.post()
    return stage.token("VerifyAddress")


async def renewed(stage: AccountsStage, me: Actor, how: str) -> None:
    """The owner keeps out whoever else is in."""
    if how == "change":
        assert isinstance(await change_password(stage, me, PASSWORD, NEW), PasswordNowChanged)
    elif how == "reset":
        held(await reset_password(stage, await reset_link(stage), NEW, Portal.PLAYER, origin()))
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
        link = await link_to(stage, me, EVIL)
        await change_password(stage, me, PASSWORD, NEW)
        assert await confirm_mail(stage, me, link) == LinkRefused()

    async def test_the_link_is_good_in_the_session_alone_that_asked(self, stage: AccountsStage) -> None:
        attacker, victim = await stage.member(EVIL), await stage.member("budi@mail.example")
        attacker = stepped_up(stage, attacker)
        link = await link_to(stage, attacker, ANI)
        other = stage.actor(held(await stage.sign_in(EVIL)))
        for actor in (victim, other):
            assert await confirm_mail(stage, actor, link) == LinkRefused()
        assert (await stage.people.people([attacker.person]))[attacker.person].mail == EVIL


class TestAddressesThatWereGivenUp:
    async def test_a_link_to_a_new_password_that_went_there_opens_nothing(self, stage: AccountsStage) -> None:
        me = stepped_up(stage, await stage.member())
        stale = await reset_link(stage)
        kept = await stage.database.pool.fetchrow("select * from ticket where purpose = 'reset_password'")
        assert isinstance(await confirm_mail(stage, me, await link_to(stage, me, "new@mail.example")), MailConfirmed)
        await stage.database.pool.execute("insert into ticket select ($1::ticket).*", kept)
        assert await reset_password(stage, stale, NEW, Portal.PLAYER, origin()) == LinkRefused()
        assert await stage.sign_in(ANI, NEW) == SignInRefused()

    async def test_none_is_given_up_while_a_link_to_it_is_made(
        self, stage: AccountsStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        me = stepped_up(stage, await stage.member())
        move = await link_to(stage, me, "new@mail.example")
        await request_password_reset(stage, ANI, ENGLISH, origin())
        real, moving = PostgresTickets.add, list[asyncio.Task[MailConfirmed | LinkRefused]]()

        async def moved_or_held_up() -> bool:
            return moving[0].done() or bool(await stage.value(LOCKED))

        async def add(tickets: PostgresTickets, ticket: Ticket) -> bool:
            if not moving:
                moving.append(asyncio.create_task(confirm_mail(stage, me, move)))
                await eventually(moved_or_held_up)
            return await real(tickets, ticket)

        monkeypatch.setattr(PostgresTickets, "add", add)
        await stage.post()
        assert await moving[0] == MailConfirmed("new@mail.example")
        assert await stage.count("ticket", "purpose = 'reset_password'") == 0


class TestMailsThatStrangersAskFor:
    async def test_whoever_asks_from_one_place_keeps_nobody_elsewhere_from_signing_up(
        self, stage: AccountsStage
    ) -> None:
        for _ in range(4):
            await sign_up(stage, ANI, NEW, "Ani", ENGLISH, origin("198.51.100.1"))
        await stage.post()
        assert isinstance(await sign_up(stage, ANI, NEW, "Ani", ENGLISH, origin("198.51.100.1")), TooManyTries)
        assert await sign_up(stage, ANI, PASSWORD, "Ani", ENGLISH, origin("192.0.2.1")) == MailOnItsWay()
        await stage.post()
        mine = stage.token("ConfirmSignUp")
        await sign_up(stage, ANI, NEW, "Ani", ENGLISH, origin("198.51.100.2"))
        await stage.post()
        assert isinstance(await stage.confirm(PASSWORD, mine), SignedIn)

    async def test_all_places_together_fill_no_mailbox(self, stage: AccountsStage) -> None:
        asked = [await request_password_reset(stage, ANI, ENGLISH, origin(f"192.0.2.{n}")) for n in range(61)]
        assert [type(each) for each in asked] == [MailOnItsWay] * 60 + [TooManyTries]

    async def test_one_place_gets_no_password_hashed_without_end(self, stage: AccountsStage) -> None:
        mails = [f"{number}@mail.example" for number in range(21)]
        found = [await sign_up(stage, mail, PASSWORD, "Ani", ENGLISH, origin()) for mail in mails]
        assert [type(each) for each in found] == [MailOnItsWay] * 20 + [TooManyTries]
        assert stage.passwords.calls["hash"] == 20

    async def test_two_resets_of_strangers_leave_ones_own(self, stage: AccountsStage) -> None:
        await stage.member()
        links = list[str]()
        for number in range(4):
            await request_password_reset(stage, ANI, ENGLISH, origin(f"192.0.2.{number}"))
            await stage.post()
            links.append(stage.token("ResetPassword"))
            stage.turn(seconds=1)
        assert await reset_password(stage, links[0], NEW, Portal.PLAYER, origin()) == LinkRefused()
        assert isinstance(await reset_password(stage, links[1], NEW, Portal.PLAYER, origin()), SignedIn)
        assert await reset_password(stage, links[3], PASSWORD, Portal.PLAYER, origin()) == LinkRefused()


class TestExportsThatAreOnTheirWay:
    @pytest.mark.parametrize("how", ["password", "address"])
    async def test_the_link_in_an_old_mailbox_or_a_thiefs_hands_fetches_nothing(
        self, database: DatabaseAddresses, how: str
    ) -> None:
        async with staged_privacy(database) as stage:
            me = stepped_up(stage, await stage.member())
            assert isinstance(await export_me(stage, me), Export)
            await make_exports(stage, stage.clock())
            await stage.post()
            link = stage.token("ExportReady")
            if how == "password":
                await change_password(stage, me, PASSWORD, NEW)
            else:
                await confirm_mail(stage, me, await link_to(stage, me, "new@mail.example"))
            assert await fetch_export(stage, link, origin()) is None
            assert await stage.value("select state from personal_export") == "expired"
            assert isinstance(await export_me(stage, me), Export)

    async def test_one_that_is_being_made_goes_to_the_new_address(
        self, database: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with staged_privacy(database) as stage:
            me = stepped_up(stage, await stage.member())
            await export_me(stage, me)
            moves = [await link_to(stage, me, "new@mail.example")]
            seal = stage.vault.seal

            async def moving(person: PersonId, field: str, text: str) -> bytes:
                if field == "letter" and moves:
                    assert isinstance(await confirm_mail(stage, me, moves.pop()), MailConfirmed)
                return await seal(person, field, text)

            monkeypatch.setattr(stage.vault, "seal", moving)
            swept = await make_exports(stage, stage.clock())
            assert (swept.looked_at, swept.failed) == (2, [])
            await stage.post()
            letters = [each for each in stage.mailer.letters if each.subject == "ExportReady"]
            assert [each.to for each in letters] == ["new@mail.example"]
            await stage.fetched(stage.token("ExportReady"))


async def test_the_first_unknown_address_costs_no_more_than_others(database: DatabaseAddresses, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "production", keys_database_url=database.app_url)
    async with knowing_people(settings, system_clock) as knowing:
        assert "_dummy" in vars(knowing.passwords)
