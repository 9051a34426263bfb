"""Streamers on a real database: one for each person, one for each account, whoever comes at the same time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.deeds import PostgresDeeds
from domain.actor import Actor
from domain.audit_log import DeedFilter
from domain.errors import NotPermittedError
from domain.identity.erasure import erase_me
from domain.identity.refusals import (
    FourEyesRequired,
    NotWhileImpersonating,
    ReasonRequired,
    StepUpRequired,
    TooManyTries,
    UnknownPerson,
)
from domain.identity.shredding import erase_due
from domain.ids import PersonId, uuid7
from domain.rights import StaffRole
from domain.streamer.checking import confirm_link, reject_link
from domain.streamer.linking import ask_code, say_placed, unlink
from domain.streamer.model import LinkId, LinkState, Platform, Rating, Streamer
from domain.streamer.profile import become_streamer, change_profile
from domain.streamer.refusals import (
    AccountRefused,
    AccountTaken,
    AlreadyStreamer,
    CodeExpired,
    CodeNotThere,
    LinkNotFound,
    LinkNotReady,
    NotStreamer,
    PlatformLinked,
    ProfileRefused,
)
from tests.people import enroll
from tests.privacy_stage import PrivacyStage, all_that_is_written, staged_privacy, table
from tests.staff_stage import WHY, as_known, at_once, hears, staffer, told_of_standing
from tests.streamer_stage import PROFILE, StreamerStage, staged_streamers, streamers_on
from tests.waiting import eventually

TIKTOK, FACEBOOK = Platform.TIKTOK, Platform.FACEBOOK


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[StreamerStage]:
    async with staged_streamers(database) as staged:
        yield staged


def kinds(answers: list[Any]) -> Counter[str]:
    """What several came to, counted."""
    return Counter(type(answer).__name__ if answer != LinkState.CONFIRMED else "confirmed" for answer in answers)


class TestBecomingOne:
    async def test_it_holds_at_once_wherever_they_are_signed_in(
        self, stage: StreamerStage, database: DatabaseAddresses
    ) -> None:
        enrolled = await enroll(stage.database.pool)
        await stage.vault.create_key(enrolled.person)
        before = await as_known(stage, enrolled.session)
        assert not before.is_streamer
        async with told_of_standing(database) as told:
            made = await become_streamer(stage, before, PROFILE)
            assert isinstance(made, Streamer)
            await hears(told, enrolled.person)
        async with stage.standings.running():
            assert (await as_known(stage, enrolled.session)).is_streamer
        assert await stage.reads.streamer_of([enrolled.person]) == made
        assert await stage.deeds() == ["streamer.joined"]
        assert await stage.count("event", "name = 'StreamerJoined'") == 1

    async def test_a_person_is_one_streamer_also_under_another_name_and_in_a_race(self, stage: StreamerStage) -> None:
        me = await stage.person()
        found = await asyncio.gather(*(become_streamer(stage, me, PROFILE) for _ in range(5)))
        assert kinds(found) == {"Streamer": 1, "AlreadyStreamer": 4}
        assert await stage.count("streamer") == await stage.count("membership", "kind = 'streamer'") == 1
        survivor = replace(await stage.person(), also=frozenset({me.person}))
        assert isinstance(await become_streamer(stage, survivor, PROFILE), AlreadyStreamer)

    async def test_what_cannot_be_leaves_nothing(self, stage: StreamerStage) -> None:
        me = await stage.person()
        refused = await become_streamer(stage, me, replace(PROFILE, country="XX"))
        assert isinstance(refused, ProfileRefused)
        looked_through = replace(me, impersonator=PersonId(uuid7()))
        assert isinstance(await become_streamer(stage, looked_through, PROFILE), NotWhileImpersonating)
        assert isinstance(await change_profile(stage, me, PROFILE), NotStreamer)
        await stage.database.pool.execute("update person set status = 'banned'")
        assert isinstance(await become_streamer(stage, me, PROFILE), UnknownPerson)
        assert isinstance(await become_streamer(stage, Actor(PersonId(uuid7())), PROFILE), UnknownPerson)
        assert await stage.count("streamer") == await stage.count("deed") == await stage.count("event") == 0

    async def test_a_change_is_told_as_what_it_changed(self, stage: StreamerStage) -> None:
        me = await stage.streamer()
        changed = await change_profile(stage, me, replace(PROFILE, rating=Rating.MATURE, schedule=()))
        assert isinstance(changed, Streamer)
        assert await stage.reads.streamer_of([me.person]) == changed
        deed = (await stage_deeds(stage, me))[0]
        assert deed.action == "streamer.changed"
        assert deed.told is not None
        assert (deed.told.before, deed.told.after) == ({"rating": "teen"}, {"rating": "mature"})

    async def test_of_two_changes_at_once_each_tells_what_was_before_it(self, stage: StreamerStage) -> None:
        me = await stage.streamer()
        names = [f"Ani {number}" for number in range(5)]
        await at_once(*(change_profile(stage, me, replace(PROFILE, display_name=name)) for name in names))
        told = [deed.told for deed in await stage_deeds(stage, me) if deed.action == "streamer.changed"]
        said = [PROFILE.display_name, *(each.after["display_name"] for each in reversed(told))]
        assert [each.before["display_name"] for each in reversed(told)] == said[:-1]
        assert len(told) >= 1
        streamer = await stage.reads.streamer_of([me.person])
        assert streamer is not None
        assert streamer.profile.display_name == said[-1]


async def stage_deeds(stage: StreamerStage, about: Actor) -> Any:
    """The deeds about somebody, newest first."""
    return await PostgresDeeds(stage.database, stage.vault, bytes(32)).page(DeedFilter(about=about.person), 10)


class TestLinking:
    async def test_from_the_code_to_the_account(self, stage: StreamerStage, database: DatabaseAddresses) -> None:
        me, staff = await stage.streamer(), await staffer(stage, StaffRole.MODERATOR)
        offered = await stage.offered(me, "@Ani")
        assert offered.code not in await all_that_is_written(database)
        assert await stage.reads.to_check(10, None) == []
        assert isinstance(await confirm_link(stage, staff, offered.link.id, offered.code), LinkNotReady)
        assert await say_placed(stage, me, offered.link.id) is LinkState.PLACED
        assert await say_placed(stage, me, offered.link.id) is LinkState.PLACED
        (waiting,) = await stage.reads.to_check(10, None)
        assert (waiting.account, waiting.person) == ("ani", me.person)
        assert isinstance(await confirm_link(stage, staff, offered.link.id, "GT-0000-0000"), CodeNotThere)
        assert await confirm_link(stage, staff, offered.link.id, offered.code.lower()) is LinkState.CONFIRMED
        assert isinstance(await confirm_link(stage, staff, offered.link.id, offered.code), LinkNotReady)
        assert await stage.reads.to_check(10, None) == []
        assert (await stage.deeds())[1:] == [f"platform_link.{step}" for step in ("begun", "placed", "confirmed")]
        assert await stage.count("event", "name = 'PlatformLinkConfirmed'") == 1

    async def test_a_rejection_says_why_and_leaves_the_way_open(self, stage: StreamerStage) -> None:
        me, staff = await stage.streamer(), await staffer(stage, StaffRole.MODERATOR)
        first = await stage.placed(me)
        assert isinstance(await reject_link(stage, staff, first.link.id, " "), ReasonRequired)
        assert await reject_link(stage, staff, first.link.id, "No code there.") is LinkState.REJECTED
        assert isinstance(await unlink(stage, me, first.link.id), LinkNotReady)
        assert isinstance(await say_placed(stage, me, first.link.id), LinkNotReady)
        streamer = await stage.reads.streamer_of([me.person])
        assert streamer is not None
        second = await stage.placed(me)
        assert second.code != first.code
        newest, rejected = (await stage.reads.links_of([streamer.id]))[streamer.id]
        assert (newest.id, newest.state, newest.reason) == (second.link.id, LinkState.PLACED, None)
        assert (rejected.state, rejected.reason) == (LinkState.REJECTED, "No code there.")
        assert isinstance(await confirm_link(stage, staff, second.link.id, first.code), CodeNotThere)
        assert await confirm_link(stage, staff, second.link.id, second.code) is LinkState.CONFIRMED

    async def test_another_code_makes_the_former_one_worthless(self, stage: StreamerStage) -> None:
        me = await stage.streamer()
        first = await stage.offered(me)
        second = await stage.offered(me, "other")
        assert [await stage.state(each) for each in (first, second)] == ["unlinked", "offered"]
        assert isinstance(await say_placed(stage, me, first.link.id), LinkNotReady)
        await say_placed(stage, me, second.link.id)
        assert isinstance(await ask_code(stage, me, TIKTOK, "third"), PlatformLinked)
        assert await stage.state(second) == "placed"
        await stage.offered(me, "ani.plays", FACEBOOK)

    async def test_a_code_is_placed_in_time_or_not_at_all(self, stage: StreamerStage) -> None:
        me, staff = await stage.streamer(), await staffer(stage)
        late, early = await stage.offered(me), await stage.placed(await stage.streamer("Budi"), "budi")
        stage.turn(days=3)
        assert isinstance(await say_placed(stage, me, late.link.id), CodeExpired)
        staff = replace(staff, stepped_up_until=stage.clock() + timedelta(minutes=5))
        assert await confirm_link(stage, staff, early.link.id, early.code) is LinkState.CONFIRMED

    async def test_so_many_codes_a_day(self, stage: StreamerStage) -> None:
        me = await stage.streamer()
        for _ in range(5):
            await stage.offered(me)
        refused = await ask_code(stage, me, TIKTOK, "ani")
        assert isinstance(refused, TooManyTries)
        assert 0 < refused.retry_after_s <= 24 * 3600
        await stage.offered(await stage.streamer("Budi"))
        stage.turn(days=1)
        await stage.offered(me)

    async def test_what_is_no_account_or_comes_from_no_streamer(self, stage: StreamerStage) -> None:
        me = await stage.streamer()
        assert isinstance(await ask_code(stage, me, FACEBOOK, "ani"), AccountRefused)
        assert isinstance(await ask_code(stage, await stage.person(), TIKTOK, "ani"), NotStreamer)
        looked_through = replace(me, impersonator=PersonId(uuid7()))
        offered = await stage.offered(me)
        for refused in (
            await ask_code(stage, looked_through, TIKTOK, "ani"),
            await say_placed(stage, looked_through, offered.link.id),
            await unlink(stage, looked_through, offered.link.id),
        ):
            assert isinstance(refused, NotWhileImpersonating)
        assert await stage.count("platform_link") == 1

    async def test_a_link_is_its_streamers_alone(self, stage: StreamerStage) -> None:
        me, other = await stage.streamer(), await stage.streamer("Budi")
        offered = await stage.offered(me)
        for step in (say_placed, unlink):
            assert isinstance(await step(stage, other, offered.link.id), LinkNotFound)
            assert isinstance(await step(stage, other, LinkId(uuid7())), LinkNotFound)
        assert await stage.state(offered) == "offered"


class TestWhoChecks:
    async def test_staff_with_the_permission_and_a_fresh_code_and_never_their_own(self, stage: StreamerStage) -> None:
        placed = await stage.placed(await stage.streamer())
        support = await staffer(stage, StaffRole.SUPPORT)
        moderator = await staffer(stage, StaffRole.MODERATOR)
        for check in (confirm_link, reject_link):
            with pytest.raises(NotPermittedError):
                await check(stage, support, placed.link.id, placed.code)
            stale = replace(moderator, stepped_up_until=None)
            assert isinstance(await check(stage, stale, placed.link.id, placed.code), StepUpRequired)
            assert isinstance(await check(stage, moderator, LinkId(uuid7()), placed.code), LinkNotFound)
        assert isinstance(await become_streamer(stage, moderator, PROFILE), Streamer)
        own = await stage.placed(moderator, "moderator")
        for check in (confirm_link, reject_link):
            assert isinstance(await check(stage, moderator, own.link.id, own.code), FourEyesRequired)
        assert [await stage.state(each) for each in (placed, own)] == ["placed", "placed"]

    async def test_who_waits_longest_comes_first_a_page_at_a_time(self, stage: StreamerStage) -> None:
        placed = [await stage.placed(await stage.streamer(f"S{number}"), f"s{number}") for number in range(3)]
        first = await stage.reads.to_check(2, None)
        rest = await stage.reads.to_check(2, first[-1].id)
        assert [link.id for link in [*first, *rest]] == [each.link.id for each in placed]

    async def test_an_answer_is_given_once_whoever_answers(self, stage: StreamerStage) -> None:
        placed = await stage.placed(await stage.streamer())
        one, two = await staffer(stage), await staffer(stage)
        found = await at_once(
            confirm_link(stage, one, placed.link.id, placed.code), reject_link(stage, two, placed.link.id, WHY)
        )
        assert kinds(found)["LinkNotReady"] == 1
        assert await stage.state(placed) in {"confirmed", "rejected"}
        assert sum(deed in {"platform_link.confirmed", "platform_link.rejected"} for deed in await stage.deeds()) == 1


class TestOneAccountOneStreamer:
    async def test_an_account_that_is_held_is_nobody_elses(self, stage: StreamerStage) -> None:
        staff = await staffer(stage)
        me, other = await stage.streamer(), await stage.streamer("Budi")
        mine, slow = await stage.placed(me), await stage.offered(other)
        assert await confirm_link(stage, staff, mine.link.id, mine.code) is LinkState.CONFIRMED
        assert isinstance(await say_placed(stage, other, slow.link.id), AccountTaken)
        assert isinstance(await ask_code(stage, other, TIKTOK, "ANI"), AccountTaken)
        assert isinstance(await ask_code(stage, me, TIKTOK, "ani"), PlatformLinked)
        assert await unlink(stage, me, mine.link.id) is LinkState.UNLINKED
        assert await unlink(stage, me, mine.link.id) is LinkState.UNLINKED
        assert await stage.count("event", "name = 'PlatformUnlinked'") == 1
        theirs = await stage.placed(other)
        assert await confirm_link(stage, staff, theirs.link.id, theirs.code) is LinkState.CONFIRMED
        assert isinstance(await ask_code(stage, me, TIKTOK, "ani"), AccountTaken)

    async def test_of_many_who_are_confirmed_at_once_one_has_it(self, stage: StreamerStage) -> None:
        claims = [await stage.placed(await stage.streamer(f"S{number}")) for number in range(5)]
        staff = [await staffer(stage) for _ in claims]
        found = await at_once(
            *(confirm_link(stage, one, claim.link.id, claim.code) for one, claim in zip(staff, claims, strict=True))
        )
        assert kinds(found) == {"confirmed": 1, "AccountTaken": 4}
        assert sorted([await stage.state(claim) for claim in claims]) == ["confirmed", *["placed"] * 4]
        assert (await stage.deeds()).count("platform_link.confirmed") == 1
        assert await stage.count("event", "name = 'PlatformLinkConfirmed'") == 1

    async def test_who_is_confirmed_a_moment_later_waits_and_is_refused(self, stage: StreamerStage) -> None:
        staff = await staffer(stage)
        one, two = [await stage.placed(await stage.streamer(name)) for name in ("Ani", "Budi")]

        async def is_waiting() -> bool:
            return bool(
                await stage.value("select exists (select from pg_locks where not granted and locktype = 'advisory')")
            )

        async with stage.work() as work:
            assert await work.platform_links.move(one.link.id, LinkState.CONFIRMED, stage.clock())
            later = asyncio.create_task(confirm_link(stage, staff, two.link.id, two.code))
            await eventually(is_waiting)
            assert not later.done()
        assert isinstance(await later, AccountTaken)
        assert [await stage.state(each) for each in (one, two)] == ["confirmed", "placed"]

    async def test_who_asks_many_times_at_once_has_one_code(self, stage: StreamerStage) -> None:
        me = await stage.streamer()
        await asyncio.gather(*(ask_code(stage, me, TIKTOK, "ani") for _ in range(5)))
        assert await stage.count("platform_link", "state = 'offered'") == 1

    async def test_the_database_itself_holds_it(self, stage: StreamerStage) -> None:
        staff = await staffer(stage)
        one, two = [await stage.placed(await stage.streamer(name)) for name in ("Ani", "Budi")]
        assert await confirm_link(stage, staff, one.link.id, one.code) is LinkState.CONFIRMED
        with pytest.raises(asyncpg.UniqueViolationError, match="platform_link_held"):
            await stage.database.pool.execute(
                "update platform_link set state = 'confirmed', decided_at = now() where id = $1", two.link.id
            )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stage.database.pool.execute("update platform_link set streamer = streamer")


class TestWhatBecomesOfIt:
    @pytest.fixture
    async def privacy(self, database: DatabaseAddresses) -> AsyncIterator[PrivacyStage]:
        async with staged_privacy(database) as staged:
            yield staged

    async def test_an_export_tells_all_of_it(self, privacy: PrivacyStage) -> None:
        me, staff = await streaming(privacy), await staffer(privacy)
        stage = streamers_on(privacy)
        first = await stage.placed(me)
        await reject_link(stage, staff, first.link.id, "No code there.")
        await stage.offered(me, "ani.plays", FACEBOOK)
        found = await privacy.exported(me)
        (profile,) = table(found, "streamer")
        assert (profile["display_name"], profile["categories"]) == ("Ani Plays", "games, talk")
        assert profile["schedule"] == '[["friday", 1200, 1440], ["saturday", 0, 60]]'
        tiktok, facebook = sorted(table(found, "platform_links"), key=lambda row: str(row["platform"]), reverse=True)
        assert (tiktok["account"], tiktok["state"], tiktok["reason"]) == ("ani", "rejected", "No code there.")
        assert (facebook["account"], facebook["state"]) == ("ani.plays", "offered")

    async def test_an_erasure_takes_all_of_it(self, privacy: PrivacyStage, database: DatabaseAddresses) -> None:
        me, stage, staff = await streaming(privacy), streamers_on(privacy), await staffer(privacy)
        placed = await stage.placed(me)
        assert await confirm_link(stage, staff, placed.link.id, placed.code) is LinkState.CONFIRMED
        await erase_me(privacy, me)
        await privacy.post()
        privacy.turn(days=14)
        for _ in range(2):
            assert (await erase_due(privacy, privacy.clock())).failed == []
            await privacy.post()
        assert await stage.count("streamer") == await stage.count("platform_link") == 0
        assert await stage.count("membership", "kind = 'streamer' and ended_at is null") == 0
        other = await stage.placed(await stage.streamer("Budi"))
        staff = replace(staff, stepped_up_until=stage.clock() + timedelta(minutes=5))
        assert await confirm_link(stage, staff, other.link.id, other.code) is LinkState.CONFIRMED

    async def test_who_was_found_to_be_somebody_else_goes_on_as_them(self, privacy: PrivacyStage) -> None:
        stage, merged = streamers_on(privacy), await streaming(privacy)
        held = await stage.placed(merged)
        survivor = await privacy.member("budi@mail.example")
        await privacy.merged(survivor.person, merged.person)
        both = replace(survivor, also=frozenset({merged.person}))
        assert isinstance(await change_profile(stage, both, replace(PROFILE, language="en")), Streamer)
        found = await stage.reads.streamer_of(both.people)
        assert found is not None
        assert (found.person, found.profile.language, found.is_active) == (merged.person, "en", True)
        assert await unlink(stage, both, held.link.id) is LinkState.UNLINKED

    async def test_of_two_streamers_who_are_one_the_survivors_profile_stays(self, privacy: PrivacyStage) -> None:
        stage, survivor = streamers_on(privacy), await streaming(privacy)
        merged = await streaming(privacy, "budi@mail.example")
        staff = await staffer(privacy)
        held = await stage.placed(merged)
        assert await confirm_link(stage, staff, held.link.id, held.code) is LinkState.CONFIRMED
        await privacy.merged(survivor.person, merged.person)
        assert await stage.count("streamer") == 1
        again = await stage.placed(survivor)
        assert await confirm_link(stage, staff, again.link.id, again.code) is LinkState.CONFIRMED


async def streaming(privacy: PrivacyStage, mail: str = "ani@mail.example") -> Actor:
    """Somebody who signed up and streams."""
    actor = await privacy.member(mail)
    assert isinstance(await become_streamer(streamers_on(privacy), actor, PROFILE), Streamer)
    return actor
