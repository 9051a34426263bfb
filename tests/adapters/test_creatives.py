"""Creatives on a real database: added, looked at, replaced and taken away, and who hears of it."""

from collections.abc import AsyncIterator
from itertools import product

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.brand.refusals import RoleTooLow
from domain.campaign.creatives import (
    CREATIVE_NEXT,
    MOST_CREATIVES,
    Creative,
    CreativeId,
    CreativeState,
    CreativeStep,
)
from domain.campaign.model import Campaign
from domain.campaign.ports import CreativePage
from domain.campaign.refusals import (
    CampaignNotReady,
    CreativeNotReady,
    HtmlRefused,
    TooManyCreatives,
    UnknownCampaign,
    UnknownCreative,
)
from domain.campaign.running import cancel_campaign
from domain.campaign.showing import add_creative, decide_creative, retire_creative
from domain.errors import NotPermittedError
from domain.identity.refusals import ReasonRequired
from domain.ids import uuid7
from domain.rights import StaffRole
from tests.campaign_stage import WHY, CampaignStage, at_once, staged_campaigns
from tests.staff_stage import staffer

S, T = CreativeState, CreativeStep
HTML = "<p>Play <b>longer</b></p>"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[CampaignStage]:
    async with staged_campaigns(database) as staged:
        yield staged


async def added(stage: CampaignStage, me: object, campaign: Campaign, key: str, replaces: object = None) -> Creative:
    stage.turn(seconds=1)
    made = await add_creative(stage, me, campaign.id, HTML, key, replaces)  # type: ignore[arg-type]  # an actor, an id
    assert isinstance(made, Creative), made
    return made


async def kept(stage: CampaignStage, creative: Creative) -> Creative:
    return (await stage.reads.creatives_by_id([creative.id]))[creative.id]


@pytest.mark.parametrize(("state", "step"), list(product(S, T)))
async def test_every_step_is_in_the_table_or_refused(
    stage: CampaignStage, state: CreativeState, step: CreativeStep
) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.MODERATOR)
    campaign = await stage.draft(me, await stage.brands.brand(me))
    creative = await added(stage, me, campaign, "first")
    await stage.database.pool.execute("update creative set state = $1, decided_at = now()", state)
    if step is T.RETIRE:
        answer = await retire_creative(stage, me, creative.id)
    else:
        answer = await decide_creative(stage, staff, creative.id, WHY, approve=step is T.APPROVE)
    after = (await kept(stage, creative)).state
    if (state, step) in CREATIVE_NEXT:
        assert isinstance(answer, Creative)
        assert after is CREATIVE_NEXT[state, step]
    else:
        assert isinstance(answer, CreativeNotReady)
        assert answer.state is after is state


async def test_what_is_added_is_clean_once_and_waits(stage: CampaignStage) -> None:
    me, stranger = await stage.member(), await stage.member("stranger@mail.example")
    brand = await stage.brands.brand(me)
    viewer = await stage.brands.joined(me, brand, "viewer@mail.example")
    campaign = await stage.draft(me, brand)
    made = await add_creative(stage, me, campaign.id, f"{HTML}<script>alert(1)</script>", "first")
    assert isinstance(made, Creative)
    assert (made.body, made.state) == (HTML, S.PENDING)
    assert await add_creative(stage, me, campaign.id, "<p>Other</p>", "first") == await kept(stage, made) == made
    for html in ("", "<script>alert(1)</script>", "a" * 5_001):
        assert isinstance(await add_creative(stage, me, campaign.id, html, "bad"), HtmlRefused)
    assert isinstance(await add_creative(stage, viewer, campaign.id, HTML, "second"), RoleTooLow)
    assert isinstance(await add_creative(stage, stranger, campaign.id, HTML, "second"), UnknownCampaign)
    assert isinstance(await retire_creative(stage, stranger, made.id), UnknownCreative)
    assert isinstance(await retire_creative(stage, me, CreativeId(uuid7())), UnknownCreative)
    assert (await stage.read(campaign)).seq == campaign.seq + 1
    assert await stage.count("creative") == 1


async def test_an_approved_one_is_shown_until_what_replaces_it_is_approved(stage: CampaignStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.MODERATOR)
    campaign = await stage.draft(me, await stage.brands.brand(me))
    first = await added(stage, me, campaign, "first")
    assert isinstance(await decide_creative(stage, staff, first.id, " ", approve=True), ReasonRequired)
    with pytest.raises(NotPermittedError):
        await decide_creative(stage, me, first.id, WHY, approve=True)
    assert isinstance(await decide_creative(stage, staff, first.id, WHY, approve=True), Creative)
    second = await added(stage, me, campaign, "second", first.id)
    waiting = await stage.reads.creatives_to_review(5, None)
    assert [(creative.id, of.id) for creative, of in waiting] == [(second.id, campaign.id)]
    assert (await kept(stage, first)).state is S.APPROVED
    assert isinstance(await decide_creative(stage, staff, second.id, WHY, approve=True), Creative)
    assert [(await kept(stage, each)).state for each in (first, second)] == [S.RETIRED, S.APPROVED]
    rejected = await decide_creative(stage, staff, second.id, "It shouts.", approve=False)
    assert isinstance(rejected, Creative)
    assert (rejected.state, rejected.reason) == (S.REJECTED, "It shouts.")
    done = [deed for deed in await stage.deeds() if deed.startswith("creative.")]
    assert done == [f"creative.{what}" for what in ("added", "approved", "added", "approved", "rejected")]
    told = await stage.database.pool.fetch("select name from event where name like 'Creative%' order by recorded_at")
    assert [row["name"] for row in told] == [
        "CreativeAdded", "CreativeDecided", "CreativeAdded", "CreativeDecided", "CreativeDecided",
    ]  # fmt: skip


async def test_a_campaign_has_no_endless_creatives_and_none_once_it_has_ended(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.brands.brand(me)
    campaign, other = await stage.draft(me, brand), await stage.draft(me, brand, "other")
    elsewhere = await added(stage, me, other, "elsewhere")
    strange = await add_creative(stage, me, campaign.id, HTML, "strange", elsewhere.id)
    assert isinstance(strange, UnknownCreative)
    made = [await added(stage, me, campaign, str(number)) for number in range(MOST_CREATIVES)]
    assert isinstance(await add_creative(stage, me, campaign.id, HTML, "one more"), TooManyCreatives)
    assert isinstance(await retire_creative(stage, me, made[0].id), Creative)
    await added(stage, me, campaign, "one more")
    assert isinstance(await cancel_campaign(stage, me, campaign.id), Campaign)
    assert isinstance(await add_creative(stage, me, campaign.id, HTML, "too late"), CampaignNotReady)
    page, rest = CreativePage(campaign.id, 2), CreativePage(campaign.id, 1, made[1].id)
    found = await stage.reads.creatives([page, rest, CreativePage(other.id, 5)])
    assert [each.id for each in found[page]] == [made[0].id, made[1].id]
    assert [each.id for each in found[rest]] == [made[2].id]
    assert [each.id for each in found[CreativePage(other.id, 5)]] == [elsewhere.id]


async def test_a_verdict_and_a_brand_that_takes_it_away_meet(stage: CampaignStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.MODERATOR)
    campaign = await stage.draft(me, await stage.brands.brand(me))
    for number in range(6):
        creative = await added(stage, me, campaign, str(number))
        decided, retired = await at_once(
            decide_creative(stage, staff, creative.id, WHY, approve=True), retire_creative(stage, me, creative.id)
        )
        assert isinstance(retired, Creative)
        assert isinstance(decided, Creative | CreativeNotReady)
        assert (await kept(stage, creative)).state is S.RETIRED
