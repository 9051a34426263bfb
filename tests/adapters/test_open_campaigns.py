"""Campaigns that are open to a streamer, on a real database: what the rules on paper find, and no place is lost."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.campaign import reads
from domain.campaign.model import Campaign, CampaignId
from domain.campaign.ports import OpenPage
from domain.campaign.running import pause_campaign
from domain.campaign.targeting import RATINGS, Facts, Targeting, Verdict, eligibility
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from domain.streamer.model import Category, LinkState, Platform, Rating
from tests.campaign_stage import BUDGET, CampaignStage, staged_campaigns
from tests.people import enroll
from tests.streamer_stage import streamers_on

ANI = Facts(frozenset({Platform.TIKTOK}), "ID", "id", frozenset({Category.GAMES}), Rating.TEEN)
CATEGORIES = [Category.GAMES, Category.TALK, Category.FOOD]


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[CampaignStage]:
    async with staged_campaigns(database) as staged:
        yield staged


async def put_up(stage: CampaignStage, brand: BrandId, targeting: Targeting) -> Campaign:
    """A campaign that runs, without the way there."""
    made = Campaign(CampaignId(uuid7()), brand, replace(stage.plan, targeting=targeting), stage.clock())
    async with stage.work() as work:
        assert await work.campaigns.add(made)
    stage.turn(seconds=1)
    await stage.database.pool.execute(
        "update campaign set state = 'active', launched_at = $2 where id = $1", made.id, stage.clock()
    )
    return made


async def open_to(stage: CampaignStage, facts: Facts, first: int = 200, after: Campaign | None = None) -> list[object]:
    page = OpenPage(facts, stage.clock(), first, after.id if after else None)
    return [each.id for each in await stage.reads.open_to(page)]


def any_of(draw: random.Random, values: list[object], least: int = 0) -> tuple[object, ...]:
    return tuple(draw.sample(values, draw.randint(least, len(values) - 1)))


def any_targeting(draw: random.Random) -> Targeting:
    wanted, avoided = any_of(draw, [*CATEGORIES]), any_of(draw, [*CATEGORIES])
    given = {
        "platforms": any_of(draw, [*Platform]), "countries": any_of(draw, ["ID", "MY", "SG"]),
        "languages": any_of(draw, ["id", "en"]), "categories": wanted, "highest_rating": draw.choice([*Rating]),
        "least_viewers": draw.choice([0, 0, 10, 100]),
        "avoided": tuple(each for each in avoided if each not in wanted),
    }  # fmt: skip
    return Targeting(**given)


def any_facts(draw: random.Random) -> Facts:
    return Facts(
        frozenset(draw.sample([*Platform], draw.randint(0, 2))), draw.choice(["ID", "MY"]), draw.choice(["id", "en"]),
        frozenset(draw.sample(CATEGORIES, draw.randint(1, 2))), draw.choice([*Rating]),
        draw.choice([None, 10, 99, 100]),
    )  # fmt: skip


async def test_the_database_finds_what_the_rules_find(stage: CampaignStage) -> None:
    brand, draw = BrandId(uuid7()), random.Random(7)
    await enroll(stage.database.pool, brands={brand: BrandRole.OWNER})
    put = [await put_up(stage, brand, any_targeting(draw)) for _ in range(80)]
    everybody, nobody = 0, 0
    for _ in range(60):
        facts = any_facts(draw)
        fits = [each.id for each in put if eligibility(each.plan.targeting, facts).verdict is not Verdict.NOT_MET]
        assert await open_to(stage, facts) == fits[::-1]
        everybody, nobody = everybody + len(fits), nobody + len(put) - len(fits)
    assert everybody > 100 < nobody


async def test_a_list_loses_no_place_when_what_it_ended_with_is_open_no_more(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.verified(me, paid_in=BUDGET + BUDGET + BUDGET)
    running = []
    for key in "abc":
        running.append(await stage.running(me, brand, key))
        stage.turn(seconds=1)
    first = await open_to(stage, ANI, 2)
    assert first == [running[2].id, running[1].id]
    assert isinstance(await pause_campaign(stage, me, running[1].id), Campaign)
    assert await open_to(stage, ANI, 2, running[1]) == [running[0].id]
    assert await open_to(stage, ANI) == [running[2].id, running[0].id]
    stage.clock.now = running[0].plan.schedule.closes_at
    assert await open_to(stage, ANI) == []


async def test_what_is_known_of_a_streamer_is_what_they_say_and_prove(stage: CampaignStage) -> None:
    streamers = streamers_on(stage)
    ani = await streamers.streamer()

    async def facts() -> Facts | None:
        found = await stage.reads.candidate(ani.people)
        return found.facts if found else None

    known = await facts()
    assert known == Facts(frozenset(), "ID", "id", frozenset({Category.GAMES, Category.TALK}), Rating.TEEN)
    offered = await streamers.placed(ani)
    assert await facts() == known
    async with streamers.work() as work:
        assert await work.platform_links.move(offered.link.id, LinkState.CONFIRMED, stage.clock())
    assert await facts() == replace(known, platforms=frozenset({Platform.TIKTOK}))
    assert await stage.reads.candidate((await stage.member()).people) is None


async def test_the_list_goes_by_its_index(stage: CampaignStage) -> None:
    given = [stage.clock(), None, ["tiktok"], "ID", "id", ["games"], [*RATINGS], "teen", None, 20]
    async with stage.database.transaction() as connection:
        for way in ("seqscan", "bitmapscan", "sort"):
            await connection.execute(f"set local enable_{way} = off")
        lines = [row[0] for row in await connection.fetch(f"explain {reads._OPEN}", *given)]
    assert any("campaign_open" in line for line in lines)
    assert not any(line.strip(" ->").startswith("Sort") for line in lines), lines
