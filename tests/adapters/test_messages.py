"""Messages on a real database: who writes to whom, what is read and hidden, and that nothing is told twice or lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.identity.personal_rows import rows_of
from domain.actor import Actor
from domain.brand.refusals import RoleTooLow
from domain.campaign.participation import ParticipationId, Side
from domain.campaign.refusals import UnknownParticipation
from domain.errors import NotPermittedError
from domain.identity.privacy_stores import Section
from domain.identity.refusals import FourEyesRequired, ReasonRequired, StepUpRequired, TooManyTries
from domain.ids import uuid7
from domain.message.model import (
    LONGEST_TEXT,
    OPEN_FOR,
    Message,
    MessageId,
    MessageState,
    ReadMessage,
    Report,
    Sides,
)
from domain.message.moderating import dismiss_message_report, hide_message, read_messages, read_reports
from domain.message.ports import MessagePage
from domain.message.refusals import (
    ConversationOver,
    MessageNotReportable,
    MessageNotReported,
    MessageRefused,
    UnknownMessage,
)
from domain.message.writing import mark_messages_read, report_message, send_message
from domain.quotas import MESSAGE, Quota
from domain.rights import BrandRole, StaffRole
from tests.fake_quotas import FakeQuotas
from tests.message_stage import Talk, talking
from tests.privacy_stage import all_that_is_written
from tests.staff_stage import WHY, staffer

EVERYTHING = ("conversation", "message", "message_mark", "message_report", "deed", "event")


@pytest.fixture
async def talk(database: DatabaseAddresses) -> AsyncIterator[Talk]:
    async with talking(database) as found:
        yield found


async def rows(talk: Talk) -> list[int]:
    return [await talk.stage.count(table) for table in EVERYTHING]


async def stranger(talk: Talk) -> Actor:
    """Somebody who may write elsewhere, and has no part in this."""
    return await talk.earnings.manager(await talk.earnings.part(await talk.earnings.campaign()))


class TestWriting:
    async def test_both_sides_read_what_either_wrote_newest_first(self, talk: Talk) -> None:
        written = [await talk.sends(talk.ani, "Hello"), await talk.sends(talk.streamer, "Good evening,\nAni")]
        owner = await talk.member(BrandRole.OWNER)
        written.append(await talk.sends(owner, "\U0001f469\u200d\U0001f680 welcome"))
        assert [(each.number, each.seq, each.side) for each in written] == [
            (1, 1, Side.BRAND), (2, 2, Side.STREAMER), (3, 3, Side.BRAND),
        ]  # fmt: skip
        found = await talk.read()
        assert [each.message for each in found] == written[::-1]
        assert await talk.texts() == ["Hello", "Good evening,\nAni", "\U0001f469\u200d\U0001f680 welcome"]
        assert [each.message.number for each in await talk.read(1, before=3)] == [2]
        assert await talk.told() == 3

    async def test_the_same_key_again_is_the_same_message(self, talk: Talk) -> None:
        first = await talk.sends(talk.ani, "Hello", "one")
        assert await talk.sends(talk.ani, "Something else", "one") == first
        assert await talk.texts() == ["Hello"]
        assert (await talk.sends(talk.streamer, "Hello", "one")).id != first.id
        assert await talk.told() == 2

    async def test_what_is_sent_at_once_is_numbered_without_a_gap_and_repeats_are_one(self, talk: Talk) -> None:
        sent = await asyncio.gather(
            *(talk.sends(who, f"{number}") for number in range(8) for who in (talk.ani, talk.streamer) for _ in "12")
        )
        found = await talk.read()
        assert [each.message.number for each in found] == [*range(16, 0, -1)]
        assert {each.id for each in sent} == {each.message.id for each in found}
        assert await talk.told() == await talk.stage.reads.seq_of(talk.part.id) == 16

    @pytest.mark.parametrize("text", ["", " \n ", "x" * (LONGEST_TEXT + 1), "a\x00b", "a\u202eb", "a\rb", "\ud800"])
    async def test_a_message_says_something_that_can_be_shown(self, talk: Talk, text: str) -> None:
        before = await rows(talk)
        assert await send_message(talk.stage, talk.ani, talk.part.id, text, "one") == MessageRefused()
        assert await rows(talk) == before
        assert len((await talk.sends(talk.ani, "x" * LONGEST_TEXT)).text or b"") > 0

    async def test_nobody_but_the_two_sides_learns_that_there_is_any(self, talk: Talk) -> None:
        sent, outsider, staff = await talk.sends(talk.ani, "Hello"), await stranger(talk), await staffer(talk.stage)
        before, nothing = await rows(talk), ParticipationId(uuid7())
        for who in (outsider, staff):
            for id_ in (talk.part.id, nothing):
                assert await send_message(talk.stage, who, id_, "Hello", "one") == UnknownParticipation()
                assert await mark_messages_read(talk.stage, who, id_, sent.id) == UnknownParticipation()
            for message in (sent.id, MessageId(uuid7())):
                assert await report_message(talk.stage, who, message, WHY) == UnknownMessage()
        assert await rows(talk) == before

    async def test_who_only_looks_on_writes_and_reports_nothing_and_has_a_mark(self, talk: Talk) -> None:
        viewer, sent = await talk.member(BrandRole.VIEWER), await talk.sends(talk.streamer, "Hello")
        before = await rows(talk)
        assert isinstance(await send_message(talk.stage, viewer, talk.part.id, "Hello", "one"), RoleTooLow)
        assert isinstance(await report_message(talk.stage, viewer, sent.id, WHY), RoleTooLow)
        assert await rows(talk) == before
        assert isinstance(await mark_messages_read(talk.stage, viewer, talk.part.id, sent.id), Sides)
        assert (await talk.unread(viewer), await talk.unread(talk.ani)) == (0, 1)

    async def test_nothing_is_written_long_after_the_end_and_all_can_be_read(self, talk: Talk) -> None:
        await talk.ends()
        talk.stage.clock.turn(OPEN_FOR - timedelta(seconds=1))
        kept = await talk.sends(talk.ani, "Thank you", "one")
        talk.stage.turn(seconds=1)
        before = await rows(talk)
        for who in (talk.ani, talk.streamer):
            assert await send_message(talk.stage, who, talk.part.id, "Hello?", "two") == ConversationOver()
        assert await talk.sends(talk.ani, "Thank you", "one") == kept
        assert await rows(talk) == before
        assert await talk.texts() == ["Thank you"]

    async def test_who_writes_too_much_waits_and_repeats_are_not_counted(self, talk: Talk) -> None:
        few = {MESSAGE.name: Quota(MESSAGE.name, 2, timedelta(hours=1))}
        talk.stage = replace(talk.stage, quotas=FakeQuotas(talk.stage.clock, few))
        for text in ("one", "one", "two", "two", "one"):
            await talk.sends(talk.ani, text)
        refused = await send_message(talk.stage, talk.ani, talk.part.id, "three", "three")
        assert isinstance(refused, TooManyTries)
        assert 0 < refused.retry_after_s <= 3600
        await talk.sends(talk.streamer, "three")
        talk.stage.turn(hours=1)
        await talk.sends(talk.ani, "three")

    async def test_somebody_who_left_the_brand_is_on_neither_side(self, talk: Talk) -> None:
        sent = await talk.sends(talk.ani, "Hello")
        await talk.stage.database.pool.execute(
            "update membership set ended_at = now() where person = $1 and kind = 'brand'", talk.ani.person
        )
        assert await send_message(talk.stage, talk.ani, talk.part.id, "More", "two") == UnknownParticipation()
        assert await mark_messages_read(talk.stage, talk.ani, talk.part.id, sent.id) == UnknownParticipation()


class TestReading:
    async def test_each_has_a_mark_that_never_goes_back(self, talk: Talk) -> None:
        sent = [await talk.sends(talk.streamer, text) for text in ("one", "two", "three")]
        owner = await talk.member(BrandRole.OWNER)
        assert (await talk.unread(talk.ani), await talk.unread(owner), await talk.unread(talk.streamer)) == (3, 3, 0)
        told = await talk.told()
        for up_to, left in ((1, 1), (0, 1), (1, 1), (2, 0)):
            assert isinstance(await mark_messages_read(talk.stage, talk.ani, talk.part.id, sent[up_to].id), Sides)
            assert await talk.unread(talk.ani) == left
        assert await talk.unread(owner) == 3
        assert await talk.told() == told + 2
        assert [each.is_read for each in await talk.read()] == [True, True, True]
        answer = await talk.sends(talk.ani, "four")
        assert (await talk.unread(talk.streamer), (await talk.read(1))[0].is_read) == (1, False)
        assert isinstance(await mark_messages_read(talk.stage, talk.streamer, talk.part.id, answer.id), Sides)
        assert (await talk.unread(talk.streamer), (await talk.read(1))[0].is_read) == (0, True)

    async def test_marks_that_are_set_at_once_end_at_the_furthest(self, talk: Talk) -> None:
        sent = [await talk.sends(talk.streamer, f"{number}") for number in range(8)]
        told = await talk.told()
        await asyncio.gather(
            *(mark_messages_read(talk.stage, talk.ani, talk.part.id, each.id) for each in (*sent, *reversed(sent)))
        )
        assert await talk.unread(talk.ani) == 0
        assert 1 <= await talk.told() - told <= len(sent)

    async def test_a_mark_is_a_message_of_that_participation(self, talk: Talk) -> None:
        other = replace(talk, part=await talk.earnings.part(talk.part.campaign))
        other.streamer = Actor(other.part.route.person)
        theirs = await other.sends(other.streamer, "Hello")
        for id_ in (theirs.id, MessageId(uuid7())):
            assert await mark_messages_read(talk.stage, talk.ani, talk.part.id, id_) == UnknownMessage()
        assert await talk.stage.count("message_mark") == 0

    async def test_who_was_found_to_be_somebody_else_has_read_under_either_name(self, talk: Talk) -> None:
        sent = await talk.sends(talk.streamer, "Hello")
        await mark_messages_read(talk.stage, talk.ani, talk.part.id, sent.id)
        survivor = replace(await talk.member(BrandRole.MANAGER), also=frozenset({talk.ani.person}))
        assert await talk.unread(survivor) == 0

    async def test_what_changed_is_told_in_its_order_from_any_place(self, talk: Talk) -> None:
        sent = [await talk.sends(talk.streamer, f"{number}") for number in range(4)]
        await mark_messages_read(talk.stage, talk.ani, talk.part.id, sent[0].id)
        await hide_message(talk.stage, await staffer(talk.stage), sent[1].id, WHY)
        changed = talk.stage.reads.changed
        assert [each.message.number for each in await changed(talk.part.id, 0, 100)] == [1, 3, 4, 2]
        assert [each.message.seq for each in await changed(talk.part.id, 3, 100)] == [4, 6]
        assert [each.state for each in await changed(talk.part.id, 5, 100)] == [MessageState.HIDDEN]
        assert [each.message.number for each in await changed(talk.part.id, 0, 2)] == [1, 3]


class TestModerating:
    async def reported(self, talk: Talk) -> Message:
        """Something that the streamer wrote, and the brand reported."""
        sent = await talk.sends(talk.streamer, "You fool")
        assert isinstance(await report_message(talk.stage, talk.ani, sent.id, "It is rude."), Report)
        return sent

    async def test_a_message_is_reported_once_however_often_and_by_whom(self, talk: Talk) -> None:
        sent, owner = await talk.sends(talk.streamer, "You fool"), await talk.member(BrandRole.OWNER)
        made = await asyncio.gather(
            *(report_message(talk.stage, who, sent.id, "It is rude.") for who in (talk.ani, owner) for _ in "12")
        )
        assert len({each.id for each in made if isinstance(each, Report)}) == 1
        assert await talk.stage.count("message_report") == 1
        assert await talk.stage.deeds() == ["message.reported"]
        (found,) = await read_reports(talk.stage, await staffer(talk.stage), 10)
        assert (found.reason, found.message.text, found.message.message) == ("It is rude.", "You fool", sent)

    async def test_what_one_wrote_or_cannot_read_is_not_reported(self, talk: Talk) -> None:
        mine, theirs = await talk.sends(talk.ani, "Hello"), await talk.sends(talk.streamer, "You fool")
        await hide_message(talk.stage, await staffer(talk.stage), theirs.id, WHY)
        for id_ in (mine.id, theirs.id):
            assert await report_message(talk.stage, talk.ani, id_, WHY) == MessageNotReportable()
        assert isinstance(await report_message(talk.stage, talk.streamer, mine.id, " "), ReasonRequired)
        assert await talk.stage.count("message_report") == 0

    async def test_hidden_it_is_read_by_neither_side_and_by_staff(self, talk: Talk) -> None:
        sent, staff = await self.reported(talk), await staffer(talk.stage, StaffRole.MODERATOR)
        for _ in range(2):
            hidden = await hide_message(talk.stage, staff, sent.id, WHY)
            assert isinstance(hidden, Message)
        (found,) = await talk.read()
        assert (found.text, found.state, await talk.unread(talk.ani)) == (None, MessageState.HIDDEN, 0)
        page = MessagePage(talk.part.id, 10)
        assert [each.text for each in await read_messages(talk.stage, staff, page)] == ["You fool"]
        assert await read_reports(talk.stage, staff, 10) == []
        assert await talk.stage.deeds() == ["message.reported", "message.hidden", "messages.read", "messages.read"]
        assert await talk.told() == 2
        assert await talk.stage.value("select ruling from message_report") == "hidden"

    async def test_dismissed_it_stands_and_may_be_hidden_later(self, talk: Talk) -> None:
        sent, staff = await self.reported(talk), await staffer(talk.stage)
        assert isinstance(await dismiss_message_report(talk.stage, staff, sent.id, WHY), Message)
        assert await talk.texts() == ["You fool"]
        assert await dismiss_message_report(talk.stage, staff, sent.id, WHY) == MessageNotReported()
        assert isinstance(await report_message(talk.stage, talk.ani, sent.id, "Again."), Report)
        assert await read_reports(talk.stage, staff, 10) == []
        assert isinstance(await hide_message(talk.stage, staff, sent.id, WHY), Message)
        assert await talk.texts() == [None]
        assert await talk.stage.value("select ruling from message_report") == "dismissed"

    async def test_two_who_decide_at_once_make_one_ruling(self, talk: Talk) -> None:
        sent = await self.reported(talk)
        judges = [await staffer(talk.stage) for _ in range(4)]
        acts = [hide_message, dismiss_message_report] * 2
        await asyncio.gather(*(act(talk.stage, judge, sent.id, WHY) for act, judge in zip(acts, judges, strict=True)))
        deeds = await talk.stage.deeds()
        assert (deeds.count("message.hidden"), deeds.count("message.report_dismissed") <= 1) == (1, True)
        assert await talk.texts() == [None]

    async def test_it_takes_a_permission_a_reason_and_a_fresh_code_and_nobody_decides_their_own(
        self, talk: Talk
    ) -> None:
        sent, staff = await self.reported(talk), await staffer(talk.stage)
        on_a_side = [replace(staff, brands=talk.ani.brands), replace(staff, also=frozenset({talk.streamer.person}))]
        before = await rows(talk)
        support, page = await staffer(talk.stage, StaffRole.SUPPORT), MessagePage(talk.part.id, 10)
        acts: tuple[Any, ...] = (hide_message, dismiss_message_report)
        for act in acts:
            assert isinstance(await act(talk.stage, staff, sent.id, " "), ReasonRequired)
            assert isinstance(
                await act(talk.stage, replace(staff, stepped_up_until=None), sent.id, WHY), StepUpRequired
            )
            for who in on_a_side:
                assert isinstance(await act(talk.stage, who, sent.id, WHY), FourEyesRequired)
            assert await act(talk.stage, staff, MessageId(uuid7()), WHY) == UnknownMessage()
            with pytest.raises(NotPermittedError):
                await act(talk.stage, support, sent.id, WHY)
        for look in (read_messages(talk.stage, support, page), read_reports(talk.stage, talk.ani, 10)):
            with pytest.raises(NotPermittedError):
                await look
        assert await rows(talk) == before


class TestPrivacy:
    async def told(self, talk: Talk, section: Section, who: Actor) -> list[Any]:
        pages = rows_of(talk.stage.database, talk.stage.vault, section, [who.person])
        return [row async for page in pages for row in page]

    async def test_an_export_tells_what_one_wrote_read_and_reported(self, talk: Talk) -> None:
        mine, theirs = await talk.sends(talk.ani, "Hello"), await talk.sends(talk.streamer, "You fool")
        await mark_messages_read(talk.stage, talk.ani, talk.part.id, theirs.id)
        await report_message(talk.stage, talk.ani, theirs.id, "It is rude.")
        (message,) = await self.told(talk, Section.MESSAGES, talk.ani)
        assert (message["text"], message["side"], message["number"]) == ("Hello", "brand", mine.number)
        (mark,) = await self.told(talk, Section.MESSAGE_MARKS, talk.ani)
        assert mark["read_up_to"] == theirs.number
        (report,) = await self.told(talk, Section.MESSAGE_REPORTS, talk.ani)
        assert (report["message"], report["reason"]) == (str(theirs.id), "It is rude.")
        assert await self.told(talk, Section.MESSAGE_REPORTS, talk.streamer) == []

    async def test_of_who_is_erased_nothing_can_be_read_any_more(self, talk: Talk, database: DatabaseAddresses) -> None:
        await talk.sends(talk.ani, "My name is Ani")
        theirs = await talk.sends(talk.streamer, "Good evening")
        await mark_messages_read(talk.stage, talk.ani, talk.part.id, theirs.id)
        await report_message(talk.stage, talk.ani, theirs.id, "Nobody greets me so")
        written = await all_that_is_written(database)
        assert [text for text in ("My name is Ani", "Good evening", "Nobody greets") if text in written] == []
        async with talk.stage.work() as work:
            await work.erasures.forget([talk.ani.person])
        newest, oldest = await talk.read()
        assert (oldest.text, oldest.state, newest.text) == (None, MessageState.ERASED, "Good evening")
        assert await talk.stage.count("message_mark") == 0
        (report,) = await read_reports(talk.stage, await staffer(talk.stage), 10)
        assert report.reason is None

    async def test_whose_key_is_gone_reads_as_erased(self, talk: Talk) -> None:
        await talk.sends(talk.ani, "My name is Ani")
        await talk.stage.vault.destroy_key(talk.ani.person)
        (found,) = await talk.read()
        assert found == ReadMessage(found.message, None)
        assert found.state is MessageState.ERASED
        refused = await send_message(talk.stage, talk.ani, talk.part.id, "More", "two")
        assert refused == UnknownParticipation()
