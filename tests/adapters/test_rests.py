"""Campaigns that have spent what they may by now, on a real database: what is paid, what rests, and what wakes it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.campaign.ports import CampaignReads
from domain.campaign.spending import Pacing, Rest, RestReason, Schedule, paced_by
from domain.earning.closing import close_minutes
from domain.earning.model import MinuteState, Unpaid, Verdict
from domain.earning.resting import wake_rested
from domain.earning.sharing import MINUTE
from domain.money import Money
from tests.campaign_stage import campaigns_on
from tests.earning_stage import IDR, Campaign, EarningStage, Part, staged_earnings
from tests.ledger_on_postgres import breaches

COST = 55_500_00
"""Of a minute before a thousand viewers, at the stage's rates."""
HELD, UNPAID = MinuteState.HELD, MinuteState.UNPAID


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[EarningStage]:
    async with staged_earnings(database) as staged:
        staged.clock.now = staged.clock.now.replace(hour=3)
        yield staged
    assert await breaches(database.superuser_url) == {}


async def shown(stage: EarningStage, part: Part, minutes: int, since: int = 0) -> None:
    """So many minutes, the last of them `since` minutes before now."""
    reports = [part.seen(stage.minute - number * MINUTE) for number in range(since, since + minutes)]
    assert set(await stage.report(part, *reports)) == {Verdict.COUNTED}


async def rest_of(stage: EarningStage, campaign: Campaign) -> Rest | None:
    reads: CampaignReads = campaigns_on(stage).reads
    return (await reads.campaigns_by_id([campaign.id]))[campaign.id].rest


async def on_screen(stage: EarningStage, part: Part) -> int:
    """How many creatives its streamer's overlays show."""
    return len((await campaigns_on(stage).reads.programme(part.source.streamer, stage.clock())).shown)


async def said(stage: EarningStage, part: Part) -> list[str]:
    """What became of its minutes, the oldest first."""
    return [minute.reason or str(minute.state) for minute in await stage.minutes(part)]


async def told(stage: EarningStage, campaign: Campaign) -> list[str]:
    asked = "select name from event where topic = $1 order by recorded_at"
    return [row["name"] for row in await stage.database.pool.fetch(asked, f"campaign:{campaign.id}")]


def end_of_day(stage: EarningStage, now: datetime) -> datetime:
    day = now.date()
    return Schedule(day, day, "Asia/Jakarta").day_of(now)[1]


async def test_until_a_day_is_over_no_more_is_paid_than_its_share(stage: EarningStage) -> None:
    # Of 31 days and the 30 before them 31 have passed when this day is over: just two minutes of what is to be spent.
    whole, days = Money(61 * 2 * COST // 31 + 61, IDR), 30
    campaign = await stage.campaign(whole.minor, days_left=days)
    part = await stage.part(campaign)
    now = stage.clock()
    schedule = Schedule(now.date() - timedelta(days=30), now.date() + timedelta(days=days), "Asia/Jakarta")
    assert 2 * COST <= paced_by(now, whole, schedule, Pacing.EVEN).minor < 3 * COST
    await shown(stage, part, 4)
    await stage.close()
    assert await said(stage, part) == [HELD, HELD, Unpaid.AHEAD_OF_PACE, Unpaid.AHEAD_OF_PACE]
    until = end_of_day(stage, stage.clock())
    assert await on_screen(stage, part) == 0
    assert await rest_of(stage, campaign) == Rest(RestReason.AHEAD_OF_PACE, until)
    assert (await stage.reads.rests_of([part.id]))[part.id] == Rest(RestReason.AHEAD_OF_PACE, until)
    assert await told(stage, campaign) == ["CampaignRested"]
    assert (await wake_rested(stage, until - timedelta(seconds=1))).looked_at == 0
    stage.clock.now = until + timedelta(minutes=1, seconds=5)
    await asyncio.gather(*(wake_rested(stage, stage.clock()) for _ in range(3)))
    assert await rest_of(stage, campaign) is None
    assert await stage.reads.rests_of([part.id]) == {}
    assert await on_screen(stage, part) == 2
    assert await told(stage, campaign) == ["CampaignRested", "CampaignWoken"]


async def test_a_campaign_rests_before_open_minutes_go_beyond_what_it_may_spend(stage: EarningStage) -> None:
    campaign = await stage.campaign(daily_cap=6 * COST)
    part = await stage.part(campaign)
    await shown(stage, part, 3, since=2)
    assert (await close_minutes(stage, stage.clock() + timedelta(minutes=3))).failed == []
    assert await said(stage, part) == [HELD, HELD, HELD]
    assert await rest_of(stage, campaign) is None
    stage.turn(minutes=3)
    await shown(stage, part, 3)
    stage.turn(minutes=3)
    await close_minutes(stage, stage.clock())
    assert await said(stage, part) == [HELD] * 4 + [MinuteState.OPEN] * 2
    assert await rest_of(stage, campaign) == Rest(RestReason.DAILY_CAP, end_of_day(stage, stage.clock()))
    await stage.close()
    assert await said(stage, part) == [HELD] * 6
    assert await stage.spent(campaign) == 6 * COST


async def test_another_plan_wakes_a_campaign(stage: EarningStage) -> None:
    campaign = await stage.campaign(daily_cap=COST)
    part = await stage.part(campaign)
    await shown(stage, part, 1)
    await stage.close()
    assert await rest_of(stage, campaign) is not None
    assert (await wake_rested(stage, stage.clock())).looked_at == 0
    await stage.database.pool.execute(_ANOTHER_PLAN, campaign.id)
    assert (await wake_rested(stage, stage.clock())).looked_at == 1
    assert await rest_of(stage, campaign) is None


_ANOTHER_PLAN = """
with made as (
    insert into campaign_version select campaign, 2, made_at, title, description, link, currency, budget, pricing, rate,
        minutes, null, streamer_cap, pacing, starts_on, ends_on, time_zone, platforms, countries, languages, categories,
        highest_rating, least_viewers, avoided
    from campaign_version where campaign = $1 returning campaign, version)
update campaign set version = made.version from made where campaign.id = made.campaign
"""


async def test_one_streamer_rests_at_their_cap_and_others_go_on(stage: EarningStage) -> None:
    campaign = await stage.campaign(streamer_cap=2 * COST)
    one, other = [await stage.part(campaign) for _ in range(2)]
    await shown(stage, one, 3)
    await shown(stage, other, 1)
    await stage.close()
    assert await said(stage, one) == [HELD, HELD, Unpaid.STREAMER_CAP]
    assert await rest_of(stage, campaign) is None
    assert await stage.reads.rests_of([one.id, other.id]) == {one.id: Rest(RestReason.STREAMER_CAP, None)}
    assert await told(stage, campaign) == ["CampaignRested"]
    await wake_rested(stage, stage.clock())
    assert set(await stage.reads.rests_of([one.id, other.id])) == {one.id}
    assert [await on_screen(stage, part) for part in (one, other)] == [0, 2]


async def test_who_is_about_to_have_shown_all_agreed_minutes_rests_unless_one_does_not_count(
    stage: EarningStage,
) -> None:
    part = await stage.part(await stage.campaign(), minutes=3)
    await shown(stage, part, 1, since=2)
    await shown(stage, part, 2)
    await close_minutes(stage, stage.clock() + timedelta(minutes=3))
    assert (await stage.reads.rests_of([part.id]))[part.id].reason is RestReason.MINUTES_USED
    stage.turn(minutes=10)
    await stage.database.pool.execute(
        "update earning_minute set state = 'unpaid', closed_at = now() where state = 'open' and minute = $1",
        stage.minute - 10 * MINUTE,
    )
    await stage.close()
    assert await said(stage, part) == [HELD, HELD, UNPAID]
    await wake_rested(stage, stage.clock())
    assert await stage.reads.rests_of([part.id]) == {}
    await shown(stage, part, 1)
    await stage.close()
    await wake_rested(stage, stage.clock())
    assert (await stage.reads.rests_of([part.id]))[part.id].reason is RestReason.MINUTES_USED


async def test_who_closes_at_once_does_not_go_beyond_the_pace_on_different_days(stage: EarningStage) -> None:
    whole, day = 61 * 3 * COST // 30, stage.clock().date()
    schedule = Schedule(day - timedelta(days=30), day + timedelta(days=30), "Asia/Jakarta")
    campaign = await stage.campaign(whole, days_left=30)
    parts = [await stage.part(campaign) for _ in range(8)]
    stage.clock.now = end_of_day(stage, stage.clock()) - timedelta(days=1) + timedelta(minutes=2, seconds=5)
    for part in parts:
        await shown(stage, part, 4)
    stage.turn(minutes=10)
    await asyncio.gather(*(close_minutes(stage, stage.clock()) for _ in range(4)))
    assert await stage.count("campaign_day") == 2
    most = paced_by(stage.clock(), Money(whole, IDR), schedule, Pacing.EVEN).minor
    assert most - COST < await stage.spent(campaign) <= most
