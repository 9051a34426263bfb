"""What lies in escrow after a campaign's end, on a real database: minutes get theirs first, all the rest returns."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import cast

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.campaign.escrow import APPEALED_WITHIN, return_escrow
from domain.campaign.model import Campaign as Planned
from domain.campaign.participation import Side
from domain.campaign.running import cancel_campaign, complete_campaign
from domain.earning.closing import close_minutes
from domain.earning.dispute import Dispute, DisputeId, Ruling
from domain.earning.disputing import decide_dispute, open_dispute
from domain.earning.model import MinuteState, Verdict
from domain.earning.ports import Streamed
from domain.earning.refusals import AppealTooLate
from domain.earning.releasing import release_minutes
from domain.earning.review import review_minute
from domain.earning.sharing import MINUTE
from domain.ids import BrandId, uuid7
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountKey
from tests.campaign_stage import CampaignStage, campaigns_on
from tests.earning_stage import IDR, Campaign, EarningStage, Part, staged_earnings
from tests.ledger_on_postgres import breaches
from tests.staff_stage import WHY, staffer
from tests.waiting import eventually

BUDGET = 1_000_000_00
COST = 55_500_00
"""Of a minute before a thousand viewers, at the stage's rates."""


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[EarningStage]:
    async with staged_earnings(database) as staged:
        yield staged
    assert await breaches(database.superuser_url) == {}


class Ending:
    """A campaign in which somebody has shown minutes, and which ends."""

    def __init__(self, stage: EarningStage, part: Part, manager: Actor, staff: Actor) -> None:
        self.stage, self.part, self.manager, self._staff = stage, part, manager, staff
        self.campaigns: CampaignStage = campaigns_on(stage)

    @property
    def staff(self) -> Actor:
        """Somebody of staff, with a fresh code whatever time it is."""
        return replace(self._staff, stepped_up_until=self.stage.clock() + timedelta(minutes=1))

    async def completed(self) -> None:
        assert isinstance(await complete_campaign(self.campaigns, self.manager, self.part.campaign.id), Planned)

    async def job(self) -> None:
        swept = await return_escrow(self.campaigns, self.stage.clock())
        assert swept.failed == []

    async def money(self) -> tuple[int, int]:
        """What the brand has again, and what lies in escrow, held or not."""
        (brand,) = self.manager.brands
        back = await self.stage.balance(prepaid(brand))
        return back.posted, (await self.stage.balance(self.part.route.escrow)).posted

    async def is_empty(self) -> bool:
        asked = "select emptied_at is not null from campaign where id = $1"
        return bool(await self.stage.value(asked, self.part.campaign.id))

    async def returns(self) -> int:
        return cast("int", await self.stage.value("select count(*) from journal where kind = 'escrow_return'"))

    async def disputed(self, *, ruling: Ruling, thousandths: int = 0) -> None:
        """The brand disputes all that waits, and staff rules."""
        minutes = [found.minute for found in await self.stage.minutes(self.part) if found.state is MinuteState.HELD]
        opened = await open_dispute(self.stage, self.manager, self.part.id, minutes, WHY, str(ruling))
        assert isinstance(opened, Dispute), opened
        assert await decide_dispute(self.stage, self.staff, opened.id, ruling, WHY, thousandths)


def prepaid(brand: BrandId) -> AccountKey:
    return AccountKey(f"brand:{brand}", Purpose.BRAND_PREPAID, IDR)


async def shown(stage: EarningStage, minutes: int = 2, campaign: Campaign | None = None) -> Ending:
    """Somebody who has shown so many minutes, none of them closed."""
    part = await stage.part(campaign or await stage.campaign(BUDGET))
    reports = [part.seen(stage.minute - number * MINUTE) for number in range(minutes)]
    assert set(await stage.report(part, *reports)) == {Verdict.COUNTED}
    manager = await stage.manager(part)
    async with stage.work() as work:
        await work.ledger.open(prepaid(*manager.brands))
    return Ending(stage, part, manager, await staffer(stage))


async def test_minutes_that_are_not_closed_yet_are_paid_and_the_rest_returns(stage: EarningStage) -> None:
    ending = await shown(stage)
    await ending.completed()
    await ending.job()
    assert await ending.money() == (0, BUDGET)
    stage.turn(minutes=7)
    await ending.job()
    assert await ending.money() == (0, BUDGET)
    await close_minutes(stage, stage.clock())
    assert {minute.state for minute in await stage.minutes(ending.part)} == {MinuteState.HELD}
    await asyncio.gather(*(ending.job() for _ in range(4)))
    assert await ending.money() == (BUDGET - 2 * COST, 2 * COST)
    assert not await ending.is_empty()
    stage.turn(days=7)
    await release_minutes(stage, stage.clock())
    await ending.job()
    assert await ending.money() == (BUDGET - 2 * COST, 0)
    assert await ending.is_empty()
    assert await ending.returns() == 1
    assert (await return_escrow(ending.campaigns, stage.clock())).looked_at == 0


async def test_what_a_ruling_frees_after_the_end_returns_in_another_part(stage: EarningStage) -> None:
    ending = await shown(stage)
    await ending.completed()
    await stage.close()
    await ending.job()
    await ending.disputed(ruling=Ruling.REDUCED, thousandths=500)
    await ending.job()
    await asyncio.gather(release_minutes(stage, stage.clock()), ending.job(), ending.job())
    await release_minutes(stage, stage.clock())
    await asyncio.gather(ending.job(), ending.job())
    assert await ending.money() == (BUDGET - COST, 0)
    assert await ending.is_empty()


async def test_what_waits_for_staff_keeps_the_escrow_until_staff_has_looked(stage: EarningStage) -> None:
    stage.samples.viewers = None
    ending = await shown(stage, 1)
    await ending.completed()
    await stage.close()
    (minute,) = await stage.minutes(ending.part)
    assert minute.state is MinuteState.REVIEW
    await ending.job()
    assert await ending.money() == (0, BUDGET)
    stage.samples.viewers = 1_000
    await review_minute(stage, ending.staff, ending.part.id, minute.minute, WHY, counts=True)
    await ending.job()
    assert await ending.money() == (0, BUDGET)
    await stage.close()
    await ending.job()
    assert await ending.money() == (BUDGET - COST, COST)


async def rejected(stage: EarningStage) -> tuple[Ending, datetime]:
    """A campaign that has ended, of which staff has rejected the only minute; until when that may be appealed."""
    stage.samples.viewers = None
    ending = await shown(stage, 1)
    await ending.completed()
    await stage.close()
    (minute,) = await stage.minutes(ending.part)
    assert await review_minute(stage, ending.staff, ending.part.id, minute.minute, WHY, counts=False)
    (minute,) = await stage.minutes(ending.part)
    assert minute.appealable_until == stage.clock() + APPEALED_WITHIN
    return ending, minute.appealable_until


async def appealed(ending: Ending) -> object:
    """The streamer disputes all that was rejected."""
    streamer = replace(ending.manager, person=ending.part.route.person, brands={})
    named = [minute.minute for minute in await ending.stage.minutes(ending.part)]
    return await open_dispute(ending.stage, streamer, ending.part.id, named, "They were there.", "1")


async def test_who_wins_an_appeal_at_the_last_moment_is_paid(stage: EarningStage) -> None:
    ending, until = await rejected(stage)
    stage.clock.now = until - timedelta(seconds=1)
    await ending.job()
    assert await ending.money() == (0, BUDGET)
    opened = await appealed(ending)
    assert isinstance(opened, Dispute), opened
    assert (await stage.minutes(ending.part))[0].appealable_until is None
    stage.turn(days=30)
    await ending.job()
    assert await ending.money() == (0, BUDGET)
    assert await decide_dispute(stage, ending.staff, opened.id, Ruling.UPHELD, WHY) is Ruling.UPHELD
    stage.samples.viewers = 1_000
    await stage.close()
    await ending.job()
    stage.turn(days=8)
    await release_minutes(stage, stage.clock())
    await ending.job()
    assert [minute.state for minute in await stage.minutes(ending.part)] == [MinuteState.PAID]
    assert (await ending.money(), await ending.is_empty()) == ((BUDGET - COST, 0), True)


async def test_after_the_deadline_nobody_appeals_and_all_returns(stage: EarningStage) -> None:
    ending, until = await rejected(stage)
    stage.clock.now = until
    deeds = await stage.deeds()
    assert isinstance(await appealed(ending), AppealTooLate)
    assert (await stage.deeds(), await stage.count("dispute")) == (deeds, 0)
    await ending.job()
    assert await ending.money() == (0, BUDGET)
    stage.turn(minutes=5)
    await ending.job()
    assert (await ending.money(), await ending.is_empty()) == ((BUDGET, 0), True)


async def test_an_appeal_that_is_being_written_keeps_the_escrow(stage: EarningStage) -> None:
    ending, until = await rejected(stage)
    (minute,) = await stage.minutes(ending.part)
    stage.clock.now = until - timedelta(seconds=1)
    async with stage.work() as work:
        assert await work.disputes.disputable(ending.part.id, [minute.minute], Side.STREAMER)
        late = asyncio.create_task(return_escrow(ending.campaigns, until + timedelta(minutes=6)))
        await eventually(lambda: somebody_waits(stage))
        named, by = (minute.minute,), ending.part.route.person
        opened = Dispute(DisputeId(uuid7()), ending.part.id, Side.STREAMER, by, None, stage.clock(), named)
        assert await work.disputes.open(opened)
    assert (await late).failed == []
    assert await ending.money() == (0, BUDGET)


async def test_an_appeal_that_waits_for_the_return_is_judged_by_the_clock_after_it(stage: EarningStage) -> None:
    ending, until = await rejected(stage)
    stage.clock.now = until - timedelta(seconds=1)
    async with ending.campaigns.work() as work:
        assert await work.campaigns.lock(ending.part.campaign.id)
        appeal = asyncio.create_task(appealed(ending))
        await eventually(lambda: somebody_waits(stage))
        stage.clock.now = until
    assert isinstance(await appeal, AppealTooLate)


async def somebody_waits(stage: EarningStage) -> bool:
    """Whether somebody stands before a lock that another has."""
    asked = (
        "select exists (select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database())"
    )
    return bool(await stage.value(asked))


async def test_a_minute_that_is_closed_amid_returns_is_paid(stage: EarningStage) -> None:
    campaign = await stage.campaign(BUDGET)
    endings = [await shown(stage, 3, campaign) for _ in range(2)]
    await endings[0].completed()
    stage.turn(minutes=10)
    jobs = [job for ending in endings for job in (ending.job(), close_minutes(stage, stage.clock()), ending.job())]
    await asyncio.gather(*jobs)
    await close_minutes(stage, stage.clock())
    await endings[0].job()
    for ending in endings:
        assert {minute.state for minute in await stage.minutes(ending.part)} == {MinuteState.HELD}
    assert await endings[0].money() == (BUDGET - 6 * COST, 6 * COST)


async def test_where_nobody_went_live_all_of_it_returns_at_once(stage: EarningStage) -> None:
    part = await stage.part(await stage.campaign(BUDGET))
    undone = "update participation set state = 'accepted', live_at = null where id = $1"
    await stage.database.pool.execute(undone, part.id)
    manager = await stage.manager(part)
    async with stage.work() as work:
        await work.ledger.open(prepaid(*manager.brands))
    ending = Ending(stage, part, manager, await staffer(stage))
    assert isinstance(await cancel_campaign(ending.campaigns, manager, part.campaign.id), Planned)
    assert await ending.money() == (BUDGET, 0)
    assert await ending.is_empty()


@pytest.mark.parametrize("seed", range(6))
async def test_once_every_minute_is_settled_nothing_is_left_and_nothing_is_lost(stage: EarningStage, seed: int) -> None:
    dice = Random(seed)
    ending = await shown(stage, dice.randint(1, 6))
    for minute in range(6):
        at = Streamed(ending.part.source.streamer, stage.minute - minute * MINUTE)
        stage.samples.at[at] = dice.choice([None, 7, 333, 1_000])
    await ending.completed()
    steps: list[Callable[[], Awaitable[object]]] = [
        ending.job,
        stage.close,
        lambda: release_minutes(stage, stage.clock()),
        lambda: asyncio.gather(ending.job(), close_minutes(stage, stage.clock()), ending.job()),
        lambda: looked_at(ending, dice),
        lambda: maybe_disputed(ending, dice),
    ]
    for step in dice.choices(steps, k=12):
        await step()
    for _ in range(2):
        await stage.close()
        await looked_at(ending, dice)
        await stage.close()
        stage.turn(days=8)
        await release_minutes(stage, stage.clock())
        await ending.job()
    done = {minute.state for minute in await stage.minutes(ending.part)}
    assert done <= {MinuteState.PAID, MinuteState.RETURNED, MinuteState.UNPAID}
    assert "budget_spent" not in {minute.reason for minute in await stage.minutes(ending.part)}
    back, left = await ending.money()
    assert (left, await ending.is_empty()) == (0, True)
    assert back == BUDGET - cast("int", await stage.value(_PAID))


_PAID = """
select coalesce(sum(amount), 0)::bigint from journal join account on account.id = source
where purpose = 'campaign_escrow' and operation = 'capture' and refusal is null
"""


async def looked_at(ending: Ending, dice: Random) -> None:
    """Staff looks at all that is odd."""
    ending.stage.samples.at.update(dict.fromkeys(ending.stage.samples.at, 333))
    for minute in await ending.stage.minutes(ending.part):
        if minute.state is MinuteState.REVIEW:
            counts = dice.random() < 0.5
            await review_minute(ending.stage, ending.staff, ending.part.id, minute.minute, WHY, counts=counts)


async def maybe_disputed(ending: Ending, dice: Random) -> None:
    """The brand disputes what is held, if anything is."""
    if any(minute.state is MinuteState.HELD for minute in await ending.stage.minutes(ending.part)):
        ruling = dice.choice([Ruling.UPHELD, Ruling.REDUCED])
        await ending.disputed(ruling=ruling, thousandths=300 if ruling is Ruling.REDUCED else 0)
