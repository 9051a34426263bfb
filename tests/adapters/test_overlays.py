"""Overlays on a real database: tokens that are shown once, switches of two sides, alerts in order, and what goes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.errors import ConflictError
from domain.identity.erasure import erase_me
from domain.identity.refusals import (
    FourEyesRequired,
    NotWhileImpersonating,
    ReasonRequired,
    StepUpRequired,
    TooManyTries,
)
from domain.identity.shredding import erase_due
from domain.ids import PersonId, uuid7
from domain.overlay.actions import OverlayWithToken, add_overlay, change_overlay, revoke_overlay, rotate_token
from domain.overlay.alerts import send_test
from domain.overlay.model import (
    ALERT_LIFETIME,
    MOST_OVERLAYS,
    TOKEN_PREFIX,
    AlertKind,
    Look,
    OverlayId,
    Screen,
    Settings,
    Side,
    Stop,
    Theme,
)
from domain.overlay.refusals import OverlayNotFound, OverlayRefused, StreamerNotFound, TooManyOverlays
from domain.overlay.sessions import believed, open_session
from domain.overlay.switches import switch_as_staff, switch_own
from domain.rights import StaffRole
from domain.streamer.model import Streamer, StreamerId
from domain.streamer.profile import become_streamer
from domain.streamer.refusals import NotStreamer
from tests.fake_quotas import FakeQuotas
from tests.overlay_stage import SETTINGS, OverlayStage, overlays_on, staged_overlays
from tests.privacy_stage import all_that_is_written, staged_privacy, table
from tests.staff_stage import WHY, hears, staffer, told_of_standing
from tests.streamer_stage import PROFILE

OTHERS = replace(SETTINGS, name="Chat scene", look=Look(1280, 720, theme=Theme.NEON), goal=None)


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[OverlayStage]:
    async with staged_overlays(database) as staged:
        yield staged


async def streamer_of(stage: OverlayStage, actor: Actor) -> StreamerId:
    found = await stage.reads.streamer_of(actor.people)
    assert found is not None
    return found.id


class TestTokens:
    async def test_a_token_opens_its_overlay_and_stands_nowhere(
        self, stage: OverlayStage, database: DatabaseAddresses
    ) -> None:
        me = await stage.streamer()
        made = await stage.overlay(me)
        assert made.token.startswith(TOKEN_PREFIX)
        assert len(made.token) > 40
        screen = await stage.screen(made.token)
        assert screen is not None
        assert (screen.overlay, screen.people, screen.is_on) == (made.overlay, frozenset({me.person}), True)
        assert await stage.screen("gto_something-else") is None
        written = await all_that_is_written(database)
        assert made.token not in written
        assert SETTINGS.name not in written
        assert "New microphone" not in written
        assert (await stage.seen(made.overlay)).settings == SETTINGS
        assert (await stage.deeds()).count("overlay.added") == 1
        assert await stage.count("event", f"name = 'OverlayAdded' and topic = 'overlay:{made.overlay}'") == 1

    async def test_another_token_ends_the_former_and_the_database_tells(
        self, stage: OverlayStage, database: DatabaseAddresses
    ) -> None:
        me = await stage.streamer()
        made = await stage.overlay(me)
        async with told_of_standing(database) as told:
            renewed = await rotate_token(stage, me, made.overlay)
            await hears(told, me.person)
        assert isinstance(renewed, OverlayWithToken)
        assert await stage.screen(made.token) is None
        assert (await stage.screen(renewed.token)) is not None
        async with told_of_standing(database) as told:
            assert await revoke_overlay(stage, me, made.overlay) == made.overlay
            await hears(told, me.person)
        screen = await stage.screen(renewed.token)
        assert screen is not None
        assert not screen.is_on
        assert isinstance(await revoke_overlay(stage, me, made.overlay), OverlayNotFound)
        assert isinstance(await rotate_token(stage, me, made.overlay), OverlayNotFound)
        assert await stage.overlays.overlays([made.overlay]) == {}
        for name in ("OverlayTokenRotated", "OverlayRevoked"):
            assert await stage.count("event", f"name = '{name}'") == 1

    async def test_who_comes_at_once_has_no_more_than_the_most(self, stage: OverlayStage) -> None:
        me = await stage.streamer()
        found = await asyncio.gather(*(add_overlay(stage, me, SETTINGS) for _ in range(MOST_OVERLAYS + 3)))
        refused = [each for each in found if isinstance(each, TooManyOverlays)]
        assert len(refused) == 3
        assert await stage.count("overlay") == MOST_OVERLAYS
        made = next(each for each in found if isinstance(each, OverlayWithToken))
        await revoke_overlay(stage, me, made.overlay)
        assert isinstance(await add_overlay(stage, me, SETTINGS), OverlayWithToken)


class TestSettings:
    async def test_a_change_is_told_as_what_it_changed(self, stage: OverlayStage) -> None:
        me = await stage.streamer()
        made = await stage.overlay(me)
        assert await change_overlay(stage, me, made.overlay, OTHERS) == made.overlay
        seen = await stage.seen(made.overlay)
        assert (seen.settings, seen.version) == (OTHERS, 2)
        assert await stage.count("event", "name = 'OverlayChanged'") == 1

    async def test_of_changes_at_once_none_is_lost_unseen(self, stage: OverlayStage) -> None:
        me = await stage.streamer()
        made = await stage.overlay(me)
        changes = [change_overlay(stage, me, made.overlay, replace(OTHERS, name=f"S{n}")) for n in range(5)]
        found = await asyncio.gather(*changes, return_exceptions=True)
        done = [each for each in found if each == made.overlay]
        assert len(done) + sum(isinstance(each, ConflictError) for each in found) == 5
        assert (await stage.seen(made.overlay)).version == 1 + len(done)

    @pytest.mark.parametrize(
        ("wrong", "field"),
        [
            (replace(SETTINGS, name=" "), "name"),
            (replace(SETTINGS, look=Look(width=10)), "width"),
            (replace(SETTINGS, look=Look(height=10_000)), "height"),
            (replace(SETTINGS, look=Look(safe_area=21)), "safeArea"),
            (Settings("x", goal=replace(SETTINGS.goal, target=0) if SETTINGS.goal else None), "goal"),
        ],
    )
    async def test_what_cannot_be_leaves_nothing(self, stage: OverlayStage, wrong: Settings, field: str) -> None:
        refused = await add_overlay(stage, await stage.streamer(), wrong)
        assert isinstance(refused, OverlayRefused)
        assert refused.field == field
        assert await stage.count("overlay") == 0

    async def test_nobody_touches_what_is_anothers(self, stage: OverlayStage) -> None:
        me, other = await stage.streamer(), await stage.streamer("Budi")
        made = await stage.overlay(me)
        looked_through = replace(me, impersonator=PersonId(uuid7()))
        for who, kind in ((other, OverlayNotFound), (looked_through, NotWhileImpersonating)):
            assert isinstance(await change_overlay(stage, who, made.overlay, OTHERS), kind)
            assert isinstance(await rotate_token(stage, who, made.overlay), kind)
            assert isinstance(await revoke_overlay(stage, who, made.overlay), kind)
            assert isinstance(await send_test(stage, who, made.overlay, AlertKind.TIP, "Ayu", ""), kind)
        assert isinstance(await add_overlay(stage, looked_through, SETTINGS), NotWhileImpersonating)
        assert isinstance(await add_overlay(stage, await stage.person(), SETTINGS), NotStreamer)
        assert await stage.count("event", "name not in ('OverlayAdded', 'StreamerJoined')") == 0
        assert await stage.screen(made.token) is not None


class TestSwitches:
    async def test_either_side_is_enough_and_neither_lifts_the_other(
        self, stage: OverlayStage, database: DatabaseAddresses
    ) -> None:
        me, staff = await stage.streamer(), await staffer(stage, StaffRole.MODERATOR)
        made, id_ = await stage.overlay(me), await streamer_of(stage, me)
        async with told_of_standing(database) as told:
            off = await switch_own(stage, me, on=False)
            await hears(told, me.person)
        assert [each.side for each in as_stops(off)] == [Side.STREAMER]
        assert await switch_own(stage, me, on=False) == off
        both = as_stops(await switch_as_staff(stage, staff, id_, WHY, on=False))
        assert [(each.side, each.reason) for each in both] == [(Side.STREAMER, None), (Side.STAFF, WHY)]
        for lifted in (await switch_own(stage, me, on=True), await switch_own(stage, me, on=True)):
            assert [each.side for each in as_stops(lifted)] == [Side.STAFF]
            assert not await self.is_on(stage, made.token)
        async with told_of_standing(database) as told:
            assert await switch_as_staff(stage, staff, id_, WHY, on=True) == []
            await hears(told, me.person)
        assert await self.is_on(stage, made.token)
        deeds = await stage.deeds()
        for action in ("off", "on", "off_by_staff", "on_by_staff"):
            assert deeds.count(f"overlays.switched_{action}") == 1
        assert await stage.count("event", "name = 'OverlaysSwitchedOff'") == 2

    async def test_staff_says_why_has_a_fresh_code_and_is_not_the_streamer(self, stage: OverlayStage) -> None:
        me, staff = await stage.streamer(), await staffer(stage, StaffRole.MODERATOR)
        id_ = await streamer_of(stage, me)
        assert isinstance(await switch_as_staff(stage, staff, id_, " ", on=False), ReasonRequired)
        stale = replace(staff, stepped_up_until=None)
        assert isinstance(await switch_as_staff(stage, stale, id_, WHY, on=False), StepUpRequired)
        own = replace(staff, also=frozenset({me.person}))
        assert isinstance(await switch_as_staff(stage, own, id_, WHY, on=False), FourEyesRequired)
        nobody = StreamerId(uuid7())
        assert isinstance(await switch_as_staff(stage, staff, nobody, WHY, on=False), StreamerNotFound)
        assert isinstance(await switch_own(stage, await stage.person(), on=False), NotStreamer)
        assert await stage.count("overlay_stop") == 0

    async def test_who_is_banned_shows_nothing(self, stage: OverlayStage) -> None:
        made = await stage.overlay(await stage.streamer())
        await stage.database.pool.execute("update person set status = 'banned'")
        assert not await self.is_on(stage, made.token)

    @staticmethod
    async def is_on(stage: OverlayStage, token: str) -> bool:
        screen = await stage.screen(token)
        assert screen is not None
        return screen.is_on


def as_stops(found: Any) -> list[Stop]:
    assert isinstance(found, list), found
    return found


class TestAlerts:
    async def test_they_are_numbered_in_order_whoever_raises_them_at_once(self, stage: OverlayStage) -> None:
        me = await stage.streamer()
        made = await stage.overlay(me)
        names = {f"Fan {number}" for number in range(6)}
        sent = [send_test(stage, me, made.overlay, AlertKind.TIP, name, "Halo") for name in names]
        assert set(await asyncio.gather(*sent)) == {made.overlay}
        since = stage.clock() - ALERT_LIFETIME
        found = await stage.overlays.alerts(made.overlay, 0, since, 50)
        assert [each.sequence for each in found] == list(range(1, 7))
        assert {each.notice.name for each in found} == names
        assert all(each.is_test and each.notice.amount for each in found)
        assert [each.sequence for each in await stage.overlays.alerts(made.overlay, 4, since, 50)] == [5, 6]
        assert len(await stage.overlays.alerts(made.overlay, 0, since, 2)) == 2
        assert (await stage.seen(made.overlay)).sequence == 6

    async def test_what_is_too_old_is_told_to_nobody_and_goes(self, stage: OverlayStage) -> None:
        me = await stage.streamer()
        made = await stage.overlay(me)
        await send_test(stage, me, made.overlay, AlertKind.FOLLOW, "Ayu", "")
        stage.turn(minutes=61)
        assert await stage.overlays.alerts(made.overlay, 0, stage.clock() - ALERT_LIFETIME, 50) == []
        await send_test(stage, me, made.overlay, AlertKind.FOLLOW, "Budi", "")
        assert await stage.count("overlay_alert") == 1
        await revoke_overlay(stage, me, made.overlay)
        assert await stage.count("overlay_alert") == 0

    async def test_so_many_a_minute(self, database: DatabaseAddresses) -> None:
        async with staged_overlays(database, quotas=FakeQuotas()) as stage:
            me = await stage.streamer()
            made = await stage.overlay(me)
            found = [await send_test(stage, me, made.overlay, AlertKind.TIP, "Ayu", "") for _ in range(31)]
            assert [isinstance(each, TooManyTries) for each in found] == [False] * 30 + [True]

    @pytest.mark.parametrize(("name", "message", "field"), [("", "", "name"), ("Ayu", "x" * 201, "message")])
    async def test_what_cannot_be_shown_is_not_raised(
        self, stage: OverlayStage, name: str, message: str, field: str
    ) -> None:
        me = await stage.streamer()
        made = await stage.overlay(me)
        refused = await send_test(stage, me, made.overlay, AlertKind.TIP, name, message)
        assert isinstance(refused, OverlayRefused)
        assert refused.field == field


class TestSessions:
    def screen(self, digest: bytes = b"digest") -> Screen:
        return Screen(OverlayId(uuid7()), StreamerId(uuid7()), frozenset(), digest, is_on=True)

    async def test_one_is_believed_of_its_overlay_and_token_alone(self, stage: OverlayStage) -> None:
        screen = self.screen()
        signed = open_session(stage.vault, stage.clock, screen)
        found = believed(stage.vault, screen, signed.session.text, signed.nonce)
        assert found == signed.session
        others = (self.screen(), replace(screen, digest=b"another"))
        assert [believed(stage.vault, other, signed.session.text, signed.nonce) for other in others] == [None, None]
        made_up = ("", "00", signed.nonce[:-1], "\u00e9", "\ud800")
        assert {believed(stage.vault, screen, signed.session.text, nonce) for nonce in made_up} == {None}
        another = open_session(stage.vault, stage.clock, screen)
        assert believed(stage.vault, screen, another.session.text, signed.nonce) is None


class TestPrivacy:
    async def test_an_export_tells_all_and_an_erasure_leaves_nothing(self, database: DatabaseAddresses) -> None:
        async with staged_privacy(database) as privacy:
            stage = overlays_on(privacy)
            me = await privacy.member()
            assert isinstance(await become_streamer(stage, me, PROFILE), Streamer)
            staff = await staffer(stage, StaffRole.MODERATOR)
            made = await stage.overlay(me)
            await send_test(stage, me, made.overlay, AlertKind.TIP, "Ayu", "Halo")
            await switch_as_staff(stage, staff, await streamer_of(stage, me), WHY, on=False)
            files = await privacy.exported(me)
            (overlay,) = table(files, "overlays")
            assert "Main scene" in overlay["words"]
            assert "digest" not in overlay
            (alert,) = table(files, "overlay_alerts")
            assert "Halo" in alert["body"]
            (stop,) = table(files, "overlay_stops")
            assert stop["reason"] == WHY
            await erase_me(privacy, me)
            await privacy.post()
            privacy.turn(days=14)
            assert (await erase_due(privacy, privacy.clock())).failed == []
            for name in ("overlay", "overlay_alert", "overlay_stop"):
                assert await stage.count(name) == 0
            assert await stage.screen(made.token) is None
