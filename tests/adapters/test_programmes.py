"""What overlays show of campaigns, on a real database, and whom it is told when that changes."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.campaign.agreeing import complete_participation
from domain.campaign.creatives import MOST_ON_SCREEN, Creative, CreativeKind, OnScreen, Programme
from domain.campaign.events import screens_topic
from domain.campaign.running import complete_campaign, pause_campaign, resume_campaign
from domain.campaign.showing import add_creative, decide_creative, retire_creative
from domain.ids import uuid7
from domain.rights import StaffRole
from tests.adapters.test_participations import Table
from tests.campaign_stage import BUDGET, WHY, CampaignStage, staged_campaigns
from tests.staff_stage import staffer
from tests.streamer_stage import streamers_on

_TOLD = "select count(*) from event where name = 'ScreensChanged' and topic = $1"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[CampaignStage]:
    async with staged_campaigns(database) as staged:
        yield staged


@pytest.fixture
async def table(stage: CampaignStage) -> Table:
    me = await stage.member()
    brand = await stage.verified(me, paid_in=BUDGET + BUDGET)
    return Table(stage, me, brand, await stage.running(me, brand), await streamers_on(stage).streamer())


async def approved(table: Table, key: str) -> Creative:
    stage = table.stage
    stage.turn(seconds=1)
    made = await add_creative(stage, table.me, table.campaign.id, f"<p>{key}</p>", key)
    assert isinstance(made, Creative), made
    decided = await decide_creative(stage, await staffer(stage, StaffRole.MODERATOR), made.id, WHY, approve=True)
    assert isinstance(decided, Creative), decided
    return decided


async def programme(table: Table) -> Programme:
    return await table.stage.reads.programme(await table.streamer(), table.stage.clock())


async def texts(table: Table) -> list[str]:
    return [each.body for each in (await programme(table)).shown]


async def told(table: Table) -> int:
    found: int = await table.stage.database.pool.fetchval(_TOLD, screens_topic(await table.streamer()))
    return found


async def test_what_is_approved_and_runs_is_shown_by_who_is_live(stage: CampaignStage, table: Table) -> None:
    first = await approved(table, "first")
    assert await programme(table) == Programme()
    live = await table.live()
    opens_at = table.campaign.plan.schedule.opens_at
    shown = OnScreen(first.id, live.id, CreativeKind.HTML, "<p>first</p>", None, opens_at)
    assert await programme(table) == Programme(frozenset({table.campaign.id}), (shown,))
    assert await told(table) == 1
    made = await add_creative(stage, table.me, table.campaign.id, "<p>Draft</p>", "draft")
    assert isinstance(made, Creative)
    await approved(table, "second")
    assert await texts(table) == ["<p>first</p>", "<p>second</p>"]
    await retire_creative(stage, table.me, first.id)
    assert await texts(table) == ["<p>second</p>"]
    await pause_campaign(stage, table.me, table.campaign.id)
    assert await programme(table) == Programme(frozenset({table.campaign.id}))
    await resume_campaign(stage, table.me, table.campaign.id)
    assert await texts(table) == ["<p>second</p>"]
    await complete_participation(stage, table.me, live.id)
    assert await programme(table) == Programme()
    assert await told(table) == 2


async def test_who_is_live_hears_of_a_campaign_that_ends(stage: CampaignStage, table: Table) -> None:
    await approved(table, "first")
    await table.live()
    await complete_campaign(stage, table.me, table.campaign.id)
    assert await programme(table) == Programme()
    assert await told(table) == 2


async def test_nothing_is_shown_when_the_last_day_is_over(stage: CampaignStage, table: Table) -> None:
    await approved(table, "first")
    await table.live()
    over = table.campaign.plan.schedule.closes_at
    for moment, shown in ((over - timedelta(seconds=1), 1), (over, 0)):
        assert len((await stage.reads.programme(await table.streamer(), moment)).shown) == shown


async def test_of_very_many_the_first_are_shown(stage: CampaignStage, table: Table) -> None:
    await table.live()
    insert = "insert into creative (id, campaign, kind, body, created_at) values ($1, $2, 'html', $3, $4)"
    for number in range(MOST_ON_SCREEN + 1):
        stage.turn(seconds=1)
        await stage.database.pool.execute(insert, uuid7(), table.campaign.id, str(number), stage.clock())
    await stage.database.pool.execute("update creative set state = 'approved', decided_at = now()")
    assert await texts(table) == [str(number) for number in range(MOST_ON_SCREEN)]
