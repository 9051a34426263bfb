"""Minutes on a real database: counted once, priced by our own samples, and never paid for twice or from nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from unittest.mock import ANY

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.identity.estates import PostgresEstates
from adapters.postgres.identity.personal_rows import rows_of
from domain.actor import Actor
from domain.campaign.participation import ParticipationId
from domain.campaign.refusals import UnknownParticipation
from domain.earning import asking, closing, releasing
from domain.earning.analytics import Asked, Dimension, Row, Whose
from domain.earning.closing import close_minutes
from domain.earning.dispute import Dispute, Ruling
from domain.earning.disputing import decide_dispute, open_dispute
from domain.earning.intake import report_impressions
from domain.earning.model import MOST_REPORTS, Doubt, MinuteState, Unpaid, Verdict
from domain.earning.ports import Streamed
from domain.earning.refusals import (
    DisputeNotOpen,
    DisputeRefused,
    MinuteNotInReview,
    MinutesNotDisputable,
    TooManyReports,
)
from domain.earning.releasing import release_minutes
from domain.earning.review import review_minute
from domain.earning.sharing import MINUTE, NONE, seconds_between
from domain.errors import NotPermittedError, UnavailableError
from domain.identity.privacy import Obstacle
from domain.identity.privacy_stores import Section
from domain.identity.refusals import FourEyesRequired, ReasonRequired, StepUpRequired, TooManyTries
from domain.ids import uuid7
from domain.ledger.model import AccountStatus, Outcome, Transaction
from domain.ledger.ports import Submissions
from domain.money import Money
from domain.rights import StaffRole
from tests.earning_stage import IDR, EarningStage, Part, another_overlay, staged_earnings
from tests.ledger_on_postgres import breaches
from tests.people import enroll
from tests.staff_stage import WHY, staffer

HELD, PAID, UNPAID, REVIEW = MinuteState.HELD, MinuteState.PAID, MinuteState.UNPAID, MinuteState.REVIEW
COUNTED = Verdict.COUNTED


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[EarningStage]:
    async with staged_earnings(database) as staged:
        yield staged
    assert await breaches(database.superuser_url) == {}


class TestReporting:
    async def test_the_same_second_counts_once_however_often_and_in_which_order_it_is_told(
        self, stage: EarningStage
    ) -> None:
        part = await stage.part(await stage.campaign())
        early, late = part.seen(stage.minute, seconds_between(0, 19)), part.seen(stage.minute, seconds_between(10, 29))
        for batch in ([late, early], [early], [late, late], [early, late]):
            assert await stage.report(part, *batch) == [COUNTED] * len(batch)
        assert await stage.report(another_overlay(part), early) == [COUNTED]
        await stage.close()
        (minute,) = await stage.minutes(part)
        assert (minute.seconds, minute.state) == ({part.campaign.creatives[0]: 30}, HELD)

    async def test_what_cannot_be_is_not_counted(self, stage: EarningStage) -> None:
        part, other = await stage.part(await stage.campaign()), await stage.part(await stage.campaign())
        now = stage.minute + MINUTE
        stage.clock.now = now + timedelta(seconds=10)
        answers = await stage.report(
            part,
            part.seen(now, seconds_between(0, 39)),
            part.seen(now, seconds_between(0, 40)),
            part.seen(now + MINUTE),
            part.seen(now - 5 * MINUTE),
            part.seen(now - 6 * MINUTE - MINUTE),
            part.seen(now, NONE),
            part.seen(now + timedelta(seconds=1)),
            replace(part.seen(now - MINUTE), participation=other.id),
            replace(part.seen(now - MINUTE), creative=other.campaign.creatives[0]),
            replace(part.seen(now - MINUTE), participation=ParticipationId(uuid7())),
        )
        assert answers == [
            COUNTED, Verdict.FROM_THE_FUTURE, Verdict.FROM_THE_FUTURE, COUNTED, Verdict.LATE, Verdict.EMPTY,
            Verdict.EMPTY, Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.UNKNOWN,
        ]  # fmt: skip
        assert await stage.count("earning_minute") == await stage.count("evidence") == 2

    async def test_nothing_counts_without_a_live_stream_nor_after_the_end(self, stage: EarningStage) -> None:
        campaign = await stage.campaign()
        part = await stage.part(campaign)
        stage.samples.away.add(part.source.streamer)
        assert await stage.report(part, part.seen(stage.minute)) == [Verdict.NOT_LIVE]
        stage.samples.away.clear()
        for stands in ("state = 'paused'", "state = 'suspended', suspended_at = now(), was_paused = true"):
            await stage.database.pool.execute(f"update campaign set {stands} where id = $1", campaign.id)
            assert await stage.report(part, part.seen(stage.minute)) == [Verdict.UNKNOWN]
        assert await stage.count("earning") == await stage.count("evidence") == 0

    async def test_batches_and_rates_have_bounds(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign())
        many = [part.seen(stage.minute)] * MOST_REPORTS
        assert isinstance(await report_impressions(stage, part.source, [*many, many[0]]), TooManyReports)
        for _ in range(9):
            assert await stage.report(part, *many) == [COUNTED] * MOST_REPORTS
        assert isinstance(await report_impressions(stage, part.source, many), TooManyTries)

    async def test_a_minute_that_is_closed_takes_no_report(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign())
        minute = stage.minute
        assert await stage.report(part, part.seen(minute)) == [COUNTED]
        await close_minutes(stage, stage.clock() + timedelta(minutes=10))
        assert await stage.report(part, part.seen(minute, creative=1)) == [Verdict.LATE]
        assert await stage.count("evidence") == 1


class TestClosing:
    async def test_both_sides_can_compute_it_again(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign())
        minute = stage.minute
        await stage.report(
            part, part.seen(minute, seconds_between(0, 29)), part.seen(minute, seconds_between(30, 59), 1)
        )
        swept = await stage.close()
        assert (swept.looked_at, swept.failed) == (1, [])
        (found,) = await stage.minutes(part)
        assert (found.viewers, found.minute, found.state) == (1_000, minute, HELD)
        assert found.shares == dict.fromkeys(part.campaign.creatives, 25_000_00)
        assert found.arithmetic is not None
        assert {step.name: step.minor for step in found.arithmetic.steps()} == {
            "price": 50_000_00, "take": 10_000_00, "withholding_tax": 1_000_00, "earned": 39_000_00,
            "value_added_tax": 5_500_00, "cost": 55_500_00,
        }  # fmt: skip
        assert (await stage.balance(part.route.escrow)).held == 55_500_00
        assert (await stage.balance(part.route.earned)).posted == 0
        assert (await stage.close()).looked_at == 0

    async def test_minutes_of_one_follow_each_other_and_lose_no_fraction(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign(), 333)
        stage.samples.viewers = 7
        minutes = [stage.minute - number * MINUTE for number in range(4)]
        await stage.report(part, *(part.seen(minute) for minute in minutes))
        assert (await stage.close()).looked_at == 4
        prices = [minute.arithmetic.parts.gross for minute in await stage.minutes(part) if minute.arithmetic]
        assert prices == [2, 2, 2, 3]
        assert sum(prices) == 333 * 28 // 1_000

    @pytest.mark.parametrize(("starts", "ends"), [(2, 9), (-9, -2)])
    async def test_only_days_of_the_campaign_are_paid(
        self, stage: EarningStage, database: DatabaseAddresses, starts: int, ends: int
    ) -> None:
        part, today = await stage.part(await stage.campaign()), stage.clock().date()
        await stage.report(part, part.seen(stage.minute))
        connection = await asyncpg.connect(database.superuser_url)
        try:
            days = (today + timedelta(days=starts), today + timedelta(days=ends))
            await connection.execute("update campaign_version set starts_on = $1, ends_on = $2", *days)
        finally:
            await connection.close()
        await stage.close()
        (minute,) = await stage.minutes(part)
        assert (minute.state, minute.reason) == (UNPAID, Unpaid.OUTSIDE_SCHEDULE)

    async def test_a_second_that_two_campaigns_claim_is_the_firsts(self, stage: EarningStage) -> None:
        streamer = await stage.streamer()
        first, second, third = [await stage.part(await stage.campaign(), streamer=streamer) for _ in range(3)]
        await stage.report(first, first.seen(stage.minute, seconds_between(0, 39)))
        stage.turn(seconds=1)
        await stage.report(second, second.seen(stage.minute, seconds_between(20, 59)))
        stage.turn(seconds=1)
        await stage.report(third, third.seen(stage.minute, seconds_between(10, 49)))
        await stage.close()
        found = [(await stage.minutes(part))[0] for part in (first, second, third)]
        assert [sum(minute.seconds.values()) for minute in found] == [40, 20, 0]
        assert [minute.state for minute in found] == [HELD, HELD, UNPAID]
        assert found[2].reason == Unpaid.SHOWN_ELSEWHERE

    async def test_caps_and_agreed_minutes_are_kept_and_said(self, stage: EarningStage) -> None:
        capped = await stage.campaign(daily_cap=4 * 5_550_00, streamer_cap=3 * 5_550_00)
        one, other = [await stage.part(capped, 5_000_00) for _ in range(2)]
        short = await stage.part(await stage.campaign(), 100, minutes=2, pricing="flat")
        minutes = [stage.minute - number * MINUTE for number in range(4)]
        for part in (one, other, short):
            await stage.report(part, *(part.seen(minute) for minute in minutes))
        await stage.close()
        said = {
            part.id: [(minute.state, minute.reason) for minute in await stage.minutes(part)] for part in (one, other)
        }
        assert Counter(state for found in said.values() for state, _ in found) == {HELD: 4, UNPAID: 4}
        assert {reason for found in said.values() for state, reason in found if state is UNPAID} == {Unpaid.DAILY_CAP}
        assert [minute.state for minute in await stage.minutes(short)] == [HELD, HELD, UNPAID, UNPAID]
        assert (await stage.minutes(short))[2].reason == Unpaid.MINUTES_USED
        assert (await stage.balance(short.route.escrow)).held == 111

    async def test_one_streamer_takes_no_more_than_their_cap(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign(streamer_cap=2 * 5_550_00), 5_000_00)
        await stage.report(part, *(part.seen(stage.minute - number * MINUTE) for number in range(3)))
        await stage.close()
        found = await stage.minutes(part)
        assert [minute.state for minute in found] == [HELD, HELD, UNPAID]
        assert found[2].reason == Unpaid.STREAMER_CAP

    async def test_a_minute_that_costs_nothing_is_no_trouble(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign(0))
        stage.samples.viewers = 0
        await stage.report(part, part.seen(stage.minute))
        await stage.close()
        stage.turn(days=8)
        await release_minutes(stage, stage.clock())
        assert [minute.state for minute in await stage.minutes(part)] == [PAID]


class TestTheLastRupiah:
    @pytest.mark.parametrize(("budget", "paid"), [(0, 0), (110, 0), (111, 1), (7 * 111, 7), (63 * 111 + 110, 63)])
    async def test_64_who_close_at_once_never_overspend(self, stage: EarningStage, budget: int, paid: int) -> None:
        campaign = await stage.campaign(budget)
        parts = [await stage.part(campaign, 100) for _ in range(32)]
        minutes = [stage.minute, stage.minute - MINUTE]
        for part in parts:
            assert await stage.report(part, *(part.seen(minute) for minute in minutes)) == [COUNTED] * 2
        stage.turn(minutes=10)
        swept = await asyncio.gather(*(close_minutes(stage, stage.clock()) for _ in range(64)))
        await close_minutes(stage, stage.clock())
        assert [each.failed for each in swept if each.failed] == []
        states = Counter([minute.state for part in parts for minute in await stage.minutes(part)])
        assert states == Counter({HELD: paid, UNPAID: 64 - paid})
        escrow = await stage.balance(parts[0].route.escrow)
        assert (escrow.posted, escrow.held) == (budget, paid * 111)
        assert await stage.spent(campaign) == paid * 111
        assert await stage.count("journal", "operation = 'hold' and refusal is null and line = 0") == paid

    async def test_64_who_release_at_once_pay_once(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign(), 1_000_00)
        await stage.report(part, *(part.seen(stage.minute - number * MINUTE) for number in range(5)))
        await stage.close()
        stage.turn(days=7)
        swept = await asyncio.gather(*(release_minutes(stage, stage.clock()) for _ in range(64)))
        assert [each.failed for each in swept if each.failed] == []
        await release_minutes(stage, stage.clock())
        assert (await stage.balance(part.route.earned)).posted == 5 * 780_00
        assert (await stage.balance(part.route.escrow)).held == 0
        assert [minute.state for minute in await stage.minutes(part)] == [PAID] * 5


async def test_nobody_is_erased_whose_minutes_are_still_to_be_paid(stage: EarningStage) -> None:
    part = await stage.part(await stage.campaign())
    estates = PostgresEstates(stage.database.pool)
    assert (await estates.of([part.route.person])).obstacles == ()
    await stage.report(part, part.seen(stage.minute))
    assert (await estates.of([part.route.person])).obstacles == (Obstacle.EARNINGS_OPEN,)
    await stage.close()
    assert (await estates.of([part.route.person])).obstacles == (Obstacle.EARNINGS_OPEN,)
    stage.turn(days=7)
    await release_minutes(stage, stage.clock())
    assert (await estates.of([part.route.person])).obstacles == (Obstacle.WALLET_NOT_EMPTY,)


class Gone:
    """A ledger that nobody reaches, or whose answer is lost on the way."""

    def __init__(self, real: Submissions, *, hears: bool) -> None:
        self._real, self._hears = real, hears

    async def submit(self, transaction: Transaction) -> Outcome:
        if self._hears:
            await self._real.submit(transaction)
        raise UnavailableError("gone")


class TestWhatAProcessLeavesUndone:
    @pytest.mark.parametrize("hears", [True, False])
    async def test_a_minute_that_was_being_closed_is_closed_once(self, stage: EarningStage, hears: bool) -> None:
        part = await stage.part(await stage.campaign(), 1_000_00)
        await stage.report(part, *(part.seen(stage.minute - number * MINUTE) for number in range(2)))
        broken = replace(stage, submissions=Gone(stage.submissions, hears=hears))
        swept = await broken.close()
        assert len(swept.failed) == 1
        assert sorted(minute.state for minute in await stage.minutes(part)) == [MinuteState.DECIDING, MinuteState.OPEN]
        assert (await stage.close()).looked_at == 1
        assert [minute.state for minute in await stage.minutes(part)] == [HELD, HELD]
        assert (await stage.balance(part.route.escrow)).held == 2 * 1_110_00

    @pytest.mark.parametrize("hears", [True, False])
    async def test_a_minute_that_was_being_released_is_paid_once(self, stage: EarningStage, hears: bool) -> None:
        part = await stage.part(await stage.campaign(), 1_000_00)
        await stage.report(part, part.seen(stage.minute))
        await stage.close()
        stage.turn(days=6)
        await release_minutes(stage, stage.clock())
        assert [minute.state for minute in await stage.minutes(part)] == [HELD]
        stage.turn(days=1)
        broken = replace(stage, submissions=Gone(stage.submissions, hears=hears))
        assert (await release_minutes(broken, stage.clock())).failed
        assert (await release_minutes(stage, stage.clock())).looked_at == 1
        assert (await release_minutes(stage, stage.clock())).looked_at == 0
        assert (await stage.balance(part.route.earned)).posted == 780_00
        (minute,) = await stage.minutes(part)
        assert (minute.state, minute.released_at) == (PAID, stage.clock())

    async def test_minutes_that_cannot_be_paid_do_not_keep_those_behind_them(
        self, stage: EarningStage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for module in (asking, closing, releasing):
            monkeypatch.setattr(module, "_BATCH", 2)
        campaign = await stage.campaign()
        shut, other = await stage.part(campaign, 1_000_00), await stage.part(campaign, 1_000_00)
        await stage.report(shut, *(shut.seen(stage.minute - number * MINUTE) for number in range(2, 5)))
        await stage.report(other, *(other.seen(stage.minute - number * MINUTE) for number in range(2)))
        await stage.close()
        stage.turn(days=7)
        async with stage.work() as work:
            await work.register.set_status(shut.route.earned, AccountStatus.CLOSED)
        for looked_at in (2, 0):
            swept = await release_minutes(stage, stage.clock())
            assert swept.looked_at == looked_at
            assert [name.split()[0] for name, _ in swept.failed] == [str(shut.id)] * 3
        assert [minute.state for minute in await stage.minutes(other)] == [PAID, PAID]
        assert [minute.state for minute in await stage.minutes(shut)] == [MinuteState.RELEASING] * 3


class TestWhatIsOdd:
    async def odd(self, stage: EarningStage) -> Part:
        """Somebody whose second minute has many more viewers than the first."""
        part = await stage.part(await stage.campaign())
        early, late = stage.minute - MINUTE, stage.minute
        await stage.report(part, part.seen(early), part.seen(late))
        stage.samples.at[Streamed(part.source.streamer, early)] = 100
        stage.samples.at[Streamed(part.source.streamer, late)] = 1_001
        await stage.close()
        return part

    async def test_it_waits_for_staff_with_its_reason(self, stage: EarningStage) -> None:
        part = await self.odd(stage)
        found = await stage.minutes(part)
        assert [(minute.state, minute.reason) for minute in found] == [(HELD, ""), (REVIEW, Doubt.VIEWER_SPIKE)]
        staff = await staffer(stage)
        assert await review_minute(stage, staff, part.id, found[1].minute, WHY, counts=True) is MinuteState.OPEN
        assert (await stage.close()).looked_at == 1
        found = await stage.minutes(part)
        assert [(minute.state, minute.viewers) for minute in found] == [(HELD, 100), (HELD, 1_001)]
        assert (await stage.deeds())[-1] == "minute.counted"

    async def test_a_minute_that_counts_late_waits_a_week_from_then_on(self, stage: EarningStage) -> None:
        part, staff = await self.odd(stage), await staffer(stage)
        stage.turn(days=8)
        late = (await stage.minutes(part))[1].minute
        awake = replace(staff, stepped_up_until=stage.clock() + timedelta(minutes=1))
        assert await review_minute(stage, awake, part.id, late, WHY, counts=True) is MinuteState.OPEN
        await stage.close()
        await release_minutes(stage, stage.clock())
        assert [minute.state for minute in await stage.minutes(part)] == [PAID, HELD]
        dispute = await open_dispute(stage, await stage.manager(part), part.id, [late], WHY, "once")
        assert isinstance(dispute, Dispute)

    async def test_what_staff_rejects_is_not_paid(self, stage: EarningStage) -> None:
        part = await self.odd(stage)
        minute = (await stage.minutes(part))[1].minute
        staff = await staffer(stage)
        assert await review_minute(stage, staff, part.id, minute, WHY, counts=False) is UNPAID
        again = await review_minute(stage, staff, part.id, minute, WHY, counts=True)
        assert isinstance(again, MinuteNotInReview)
        found = (await stage.minutes(part))[1]
        assert (found.state, found.reason) == (UNPAID, Unpaid.EVIDENCE_REJECTED)
        assert (await stage.deeds()).count("minute.rejected") == 1

    async def test_a_minute_without_samples_waits_too(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign())
        stage.samples.viewers = None
        await stage.report(part, part.seen(stage.minute))
        await stage.close()
        (minute,) = await stage.minutes(part)
        assert (minute.state, minute.reason) == (REVIEW, Doubt.NO_SAMPLE)

    async def test_it_takes_staff_a_reason_and_a_fresh_code(self, stage: EarningStage) -> None:
        part = await self.odd(stage)
        minute = (await stage.minutes(part))[1].minute
        with pytest.raises(NotPermittedError):
            await review_minute(stage, await staffer(stage, StaffRole.SUPPORT), part.id, minute, WHY, counts=True)
        staff = await staffer(stage)
        assert isinstance(await review_minute(stage, staff, part.id, minute, " ", counts=True), ReasonRequired)
        stale = replace(staff, stepped_up_until=None)
        assert isinstance(await review_minute(stage, stale, part.id, minute, WHY, counts=True), StepUpRequired)
        assert (await stage.minutes(part))[1].state is REVIEW


class TestDisputes:
    async def held(self, stage: EarningStage, minutes: int = 3) -> tuple[Part, Actor, list[datetime]]:
        """Minutes that wait, and a manager of the brand that pays for them."""
        part = await stage.part(await stage.campaign())
        await stage.report(part, *(part.seen(stage.minute - number * MINUTE) for number in range(minutes)))
        await stage.close()
        return part, await stage.manager(part), [minute.minute for minute in await stage.minutes(part)]

    async def opened(self, stage: EarningStage, actor: Actor, part: Part, *minutes: datetime) -> Dispute:
        found = await open_dispute(stage, actor, part.id, minutes, WHY, "once")
        assert isinstance(found, Dispute), found
        return found

    async def test_it_stops_what_it_names_and_the_rest_flows_on(self, stage: EarningStage) -> None:
        part, manager, minutes = await self.held(stage)
        dispute = await self.opened(stage, manager, part, minutes[1])
        assert await open_dispute(stage, manager, part.id, minutes, WHY, "once") == replace(dispute, reason=ANY)
        stage.turn(days=7)
        await release_minutes(stage, stage.clock())
        assert [minute.state for minute in await stage.minutes(part)] == [PAID, MinuteState.FROZEN, PAID]
        assert (await stage.balance(part.route.escrow)).held == 55_500_00
        again = await open_dispute(stage, manager, part.id, minutes[:1], WHY, "twice")
        assert isinstance(again, MinutesNotDisputable)

    @pytest.mark.parametrize(
        ("ruling", "thousandths", "state", "earned", "back"),
        [
            (Ruling.UPHELD, 0, MinuteState.RETURNED, 0, 55_500_00),
            (Ruling.REDUCED, 250, PAID, 9_750_00, 41_625_00),
            (Ruling.REJECTED, 0, PAID, 39_000_00, 0),
        ],
    )
    async def test_what_staff_rules_is_what_is_paid(
        self, stage: EarningStage, ruling: Ruling, thousandths: int, state: MinuteState, earned: int, back: int
    ) -> None:
        part, manager, minutes = await self.held(stage, 1)
        budget = (await stage.balance(part.route.escrow)).posted
        dispute = await self.opened(stage, manager, part, *minutes)
        staff = await staffer(stage)
        assert await decide_dispute(stage, staff, dispute.id, ruling, WHY, thousandths) is ruling
        assert isinstance(await decide_dispute(stage, staff, dispute.id, ruling, WHY, thousandths), DisputeNotOpen)
        stage.turn(days=7)
        swept = await asyncio.gather(*(release_minutes(stage, stage.clock()) for _ in range(8)))
        assert [each.failed for each in swept if each.failed] == []
        await release_minutes(stage, stage.clock())
        (minute,) = await stage.minutes(part)
        assert minute.state is state
        assert (await stage.balance(part.route.earned)).posted == earned
        escrow = await stage.balance(part.route.escrow)
        assert (escrow.posted, escrow.held) == (budget - 55_500_00 + back, 0)
        assert [deed for deed in await stage.deeds() if "dispute" in deed] == ["dispute.opened", "dispute.decided"]

    @pytest.mark.parametrize("hears", [True, False])
    async def test_a_ruling_is_carried_out_once_whatever_is_lost_on_the_way(
        self, stage: EarningStage, hears: bool
    ) -> None:
        part, manager, minutes = await self.held(stage, 2)
        dispute = await self.opened(stage, manager, part, *minutes)
        await decide_dispute(stage, await staffer(stage), dispute.id, Ruling.REDUCED, WHY, 500)
        broken = replace(stage, submissions=Gone(stage.submissions, hears=hears))
        assert (await release_minutes(broken, stage.clock())).failed
        for _ in range(2):
            await release_minutes(stage, stage.clock())
        assert [minute.state for minute in await stage.minutes(part)] == [PAID, PAID]
        assert (await stage.balance(part.route.earned)).posted == 39_000_00

    async def test_a_streamer_appeals_against_what_staff_rejected(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign(), 100, pricing="flat")
        stage.samples.viewers = None
        await stage.report(part, part.seen(stage.minute), part.seen(stage.minute - MINUTE))
        await stage.close()
        staff, streamer = await staffer(stage), Actor(part.route.person)
        minutes = [minute.minute for minute in await stage.minutes(part)]
        for minute in minutes:
            await review_minute(stage, staff, part.id, minute, WHY, counts=False)
        upheld = await open_dispute(stage, streamer, part.id, minutes[:1], WHY, "one")
        rejected = await open_dispute(stage, streamer, part.id, minutes[1:], WHY, "two")
        assert isinstance(upheld, Dispute)
        assert isinstance(rejected, Dispute)
        assert isinstance(await decide_dispute(stage, staff, upheld.id, Ruling.REDUCED, WHY, 1), DisputeRefused)
        await decide_dispute(stage, staff, upheld.id, Ruling.UPHELD, WHY)
        await decide_dispute(stage, staff, rejected.id, Ruling.REJECTED, WHY)
        await stage.close()
        assert [minute.state for minute in await stage.minutes(part)] == [HELD, UNPAID]

    async def test_what_was_said_goes_with_who_said_it_and_is_theirs_to_read(self, stage: EarningStage) -> None:
        part, manager, minutes = await self.held(stage, 1)
        dispute = await self.opened(stage, manager, part, *minutes)
        people = [manager.person]
        told = [row async for page in rows_of(stage.database, stage.vault, Section.DISPUTES, people) for row in page]
        assert [(row["reason"], row["side"]) for row in told] == [(WHY, "brand")]
        people = [part.route.person]
        earned = [row async for page in rows_of(stage.database, stage.vault, Section.EARNINGS, people) for row in page]
        assert [(row["state"], row["earned"]) for row in earned] == [("frozen", Decimal("39000.00"))]
        async with stage.work() as work:
            await work.erasures.forget([manager.person])
            kept = await work.disputes.lock(dispute.id)
        assert kept == replace(dispute, reason=None)

    async def test_it_is_for_the_two_sides_and_is_ruled_on_by_neither(self, stage: EarningStage) -> None:
        part, manager, minutes = await self.held(stage, 1)
        other = await stage.manager(await stage.part(await stage.campaign()))
        for stranger in (other, Actor((await enroll(stage.database.pool)).person)):
            await stage.vault.create_key(stranger.person)
            found = await open_dispute(stage, stranger, part.id, minutes, WHY, "once")
            assert isinstance(found, UnknownParticipation)
        streamer = await open_dispute(stage, Actor(part.route.person), part.id, minutes, WHY, "once")
        assert isinstance(streamer, MinutesNotDisputable)
        for wrong, why in ((minutes, " "), ([], WHY), (minutes, "x" * 1_001)):
            assert isinstance(await open_dispute(stage, manager, part.id, wrong, why, "once"), DisputeRefused)
        dispute = await self.opened(stage, manager, part, *minutes)
        own = await staffer(stage, person=manager.person)
        assert isinstance(await decide_dispute(stage, own, dispute.id, Ruling.UPHELD, WHY), FourEyesRequired)
        with pytest.raises(NotPermittedError):
            await decide_dispute(stage, manager, dispute.id, Ruling.UPHELD, WHY)
        assert [minute.state for minute in await stage.minutes(part)] == [MinuteState.FROZEN]


class Figures(NamedTuple):
    """Of many rows together."""

    seconds: int
    impressions: int
    viewer_minutes: int
    gross: int
    cost: int
    returned: int
    earned: int
    forgone: int


class TestAnalytics:
    async def test_figures_add_up_to_the_minutes_whatever_they_are_added_up_by(self, stage: EarningStage) -> None:
        campaign = await stage.campaign()
        one, other = await stage.part(campaign, 333), await stage.part(campaign, 50_000_00)
        start = stage.minute.replace(minute=0) - timedelta(minutes=2)
        stage.clock.now = start + timedelta(minutes=4, seconds=5)
        for number, part in ((7, one), (1_001, other)):
            for minute in (start, start + MINUTE, start + 2 * MINUTE):
                stage.samples.at[Streamed(part.source.streamer, minute)] = number
                both = part.seen(minute, seconds_between(0, 6)), part.seen(minute, seconds_between(7, 17), 1)
                await stage.report(part, *both)
        await stage.close()
        dispute = await open_dispute(stage, await stage.manager(other), other.id, [start], WHY, "once")
        assert isinstance(dispute, Dispute)
        await decide_dispute(stage, await staffer(stage), dispute.id, Ruling.REDUCED, WHY, 100)
        await release_minutes(stage, stage.clock())
        hours = start - timedelta(hours=1), start + timedelta(hours=1)
        asked = Asked(Dimension.CREATIVE, Whose.CAMPAIGN, campaign.id, *hours, 10)
        rows = {by: await figures(stage, replace(asked, by=by)) for by in Dimension}
        totals = {by: summed(found) for by, found in rows.items()}
        assert set(totals.values()) == {totals[Dimension.CAMPAIGN]}
        assert [row.key for row in rows[Dimension.CAMPAIGN]] == [campaign.id]
        gross = 333 * 21 // 1_000 + 150_150_00
        vat = tax_of(gross - 6) + tax_of(6)
        whole = totals[Dimension.HOUR]
        assert (whole.seconds, whole.viewer_minutes, whole.gross) == (108, 3 * 1_008, gross)
        assert (whole.impressions, whole.cost) == (6 * 1_008, gross + vat)
        kept = 50_050_00 // 10
        assert whole.returned == 50_050_00 - kept + tax_of(50_050_00) - tax_of(50_050_00) * kept // 50_050_00
        assert rows[Dimension.CAMPAIGN][0].spend == whole.cost - whole.returned
        assert [row.key for row in rows[Dimension.HOUR]] == sorted({start.replace(minute=0), start + 2 * MINUTE})
        assert {row.key: row.viewer_minutes for row in rows[Dimension.PARTICIPATION]} == {one.id: 21, other.id: 3_003}
        mine = replace(asked, whose=Whose.PARTICIPATION, of=one.id)
        own = await stage.reads.analytics([mine, replace(mine, of=other.id)])
        assert [(summed(each).viewer_minutes, summed(each).gross) for each in own.values()] == [
            (21, 6), (3_003, 150_150_00),
        ]  # fmt: skip
        for part, found in zip((one, other), own.values(), strict=True):
            waiting = [minute.arithmetic for minute in await stage.minutes(part)]
            earned = sum(each.parts.earned for each in waiting if each)
            assert summed(found).earned == earned
        assert summed(own[replace(mine, of=other.id)]).forgone == 39_039_00 * 9 // 10
        assert rows[Dimension.PARTICIPATION][1].cpm(IDR) in {Money(286, IDR), Money(50_000_00, IDR)}

    async def test_nobody_watched(self, stage: EarningStage) -> None:
        part = await stage.part(await stage.campaign())
        stage.samples.viewers = 0
        await stage.report(part, part.seen(stage.minute))
        await stage.close()
        day = stage.clock() - timedelta(days=1), stage.clock()
        (row,) = await figures(stage, Asked(Dimension.HOUR, Whose.CAMPAIGN, part.campaign.id, *day, 10))
        assert (row.impressions, row.spend, row.cpm(IDR)) == (0, 0, None)

    @pytest.mark.parametrize("by", [Dimension.CREATIVE, Dimension.HOUR])
    async def test_pages_follow_one_another(self, stage: EarningStage, by: Dimension) -> None:
        part = await stage.part(await stage.campaign())
        for _ in range(3):
            minute = stage.minute
            both = part.seen(minute, seconds_between(0, 6)), part.seen(minute, seconds_between(7, 17), 1)
            await stage.report(part, *both)
            stage.turn(minutes=60)
        await stage.close()
        span = stage.clock() - timedelta(days=2), stage.clock()
        asked = Asked(by, Whose.PARTICIPATION, part.id, *span, 100)
        whole = await figures(stage, asked)
        assert len(whole) == (2 if by is Dimension.CREATIVE else 3)
        pages: list[Row] = []
        after = None
        while page := await figures(stage, replace(asked, first=1, after=after)):
            pages += page
            after = page[-1].key
        assert pages == whole


async def figures(stage: EarningStage, asked: Asked) -> Sequence[Row]:
    """One page of figures."""
    return (await stage.reads.analytics([asked]))[asked]


def summed(rows: Sequence[Row]) -> Figures:
    """All figures added up."""
    return Figures(*(sum(getattr(row, name) for row in rows) for name in Figures._fields))


def tax_of(minor: int) -> int:
    """The value-added tax of the stage."""
    return minor * 1_100 // 10_000


class TestTheAudit:
    @pytest.mark.parametrize(
        ("harm", "what"),
        [
            ("update earning_minute set earned = earned + 1, take = take - 1", "set aside was"),
            ("update earning_minute set state = 'paid', released_at = now()", "paid was"),
            ("update earning set viewers = viewers + 1", "its totals are not those of its minutes"),
            ("update campaign_day set cost = cost - 1", "what was spent on it"),
            ("update earning_hour set viewer_minutes = viewer_minutes - 1", "it is not what its minutes come to"),
            ("update earning_hour set forgone = forgone + 1", "it is not what its minutes come to"),
            ("update earning_hour set impressions = impressions + 1", "it is not what was shown of the creative"),
            ("update earning_share set gross = gross + 1", "the shares of creatives"),
            ("delete from earning_share; delete from evidence; delete from earning_minute", "no minute knows of"),
        ],
    )
    async def test_it_names_what_differs_from_the_ledger(
        self, database: DatabaseAddresses, harm: str, what: str
    ) -> None:
        async with staged_earnings(database) as stage:
            part = await stage.part(await stage.campaign(creatives=1))
            await stage.report(part, part.seen(stage.minute))
            await stage.close()
        assert await breaches(database.superuser_url) == {}
        connection = await asyncpg.connect(database.superuser_url)
        try:
            await connection.execute(harm)
        finally:
            await connection.close()
        assert what in str(await breaches(database.superuser_url))


async def test_each_change_is_told_on_the_participations_topic(stage: EarningStage) -> None:
    part = await stage.part(await stage.campaign())
    await stage.report(part, part.seen(stage.minute))
    await stage.close()
    stage.turn(days=7)
    await release_minutes(stage, stage.clock())
    told = await stage.database.pool.fetch("select topic, body from event where name = 'EarningsChanged' order by id")
    assert {row["topic"] for row in told} == {f"earnings:{part.id}"}
    assert sorted(row["body"]["seq"] for row in told) == [1, 2, 3]


async def test_what_was_earned_cannot_be_deleted(stage: EarningStage) -> None:
    for table in ("earning", "earning_minute", "evidence", "earning_share", "campaign_day"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await stage.database.pool.execute(f"delete from {table}")
