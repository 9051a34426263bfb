"""Campaigns on a real database: who plans them, who decides, and where the money is at every moment."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.brand.refusals import RoleTooLow, UnknownBrand
from domain.campaign import running
from domain.campaign.editing import create_campaign, decide_campaign, edit_campaign, submit_campaign
from domain.campaign.model import Campaign, CampaignId, CampaignState, Caps, Pricing
from domain.campaign.ports import CampaignPage
from domain.campaign.refusals import (
    BrandNotVerified,
    BudgetNotCovered,
    CampaignMovedOn,
    CampaignNotReady,
    PlanRefused,
    PrepaidFrozen,
    ScheduleOver,
    UnknownCampaign,
)
from domain.campaign.running import (
    cancel_campaign,
    complete_campaign,
    complete_due,
    launch_campaign,
    pause_campaign,
    resume_campaign,
)
from domain.campaign.spending import Pacing
from domain.campaign.suspending import reinstate_campaign, suspend_campaign
from domain.campaign.targeting import Targeting
from domain.errors import NotPermittedError
from domain.identity.refusals import ReasonRequired, StepUpRequired, TooManyTries
from domain.ids import TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, AccountStatus, Posting, Transaction
from domain.money import Currency, Money
from domain.quotas import CAMPAIGN
from domain.rights import BrandRole, StaffRole
from domain.streamer.model import Category, Platform, Rating
from tests.campaign_stage import BUDGET, TERMS, WHY, CampaignStage, at_once, staged_campaigns
from tests.ledger_invariants import broken
from tests.staff_stage import staffer

HALF = Money(BUDGET.minor // 2, Currency.IDR)


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[CampaignStage]:
    async with staged_campaigns(database) as staged:
        yield staged


async def marks(stage: CampaignStage) -> tuple[object, ...]:
    """What a refusal leaves alone."""
    return await stage.deeds(), await stage.count("event"), await stage.count("journal"), await stage.count("account")


async def test_a_campaign_is_planned_once_by_whoever_manages_the_brand(stage: CampaignStage) -> None:
    me, stranger = await stage.member(), await stage.member("stranger@mail.example")
    brand = await stage.brands.brand(me)
    viewer = await stage.brands.joined(me, brand, "viewer@mail.example")
    made = await stage.draft(me, brand)
    assert await stage.draft(me, brand, plan=replace(stage.plan, pacing=Pacing.FRONT_LOADED)) == made
    assert await stage.read(made) == made
    assert isinstance(await create_campaign(stage, viewer, brand.id, stage.plan, "second"), RoleTooLow)
    assert isinstance(await create_campaign(stage, stranger, brand.id, stage.plan, "second"), UnknownBrand)
    assert isinstance(await edit_campaign(stage, viewer, made.id, stage.plan), RoleTooLow)
    unknown = await edit_campaign(stage, stranger, made.id, stage.plan)
    assert unknown == await edit_campaign(stage, stranger, CampaignId(uuid7()), stage.plan) == UnknownCampaign()
    assert await stage.count("campaign") == await stage.count("campaign_version") == 1
    assert await stage.value("select name from event where topic = $1", f"campaign:{made.id}") == "CampaignCreated"


async def test_nobody_plans_campaigns_without_end(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.brands.brand(me)
    for _ in range(CAMPAIGN.times):
        await stage.quotas.take(CAMPAIGN, f"brand:{brand.id}")
    assert isinstance(await create_campaign(stage, me, brand.id, stage.plan, "one more"), TooManyTries)


async def test_everything_that_is_planned_is_kept_as_it_was_said_version_by_version(stage: CampaignStage) -> None:
    me = await stage.member()
    made = await stage.draft(me, await stage.brands.brand(me))
    wanted = Targeting(
        (Platform.TIKTOK,), ("ID", "MY"), ("id",), (Category.GAMES,), Rating.TEEN, 50, (Category.FOOD, Category.TALK)
    )
    other = replace(made.plan, targeting=wanted, caps=Caps(HALF, HALF), pacing=Pacing.FRONT_LOADED)
    edited = await edit_campaign(stage, me, made.id, other)
    assert isinstance(edited, Campaign)
    assert await stage.read(made) == edited
    assert (edited.plan, edited.version) == (other, 2)
    assert await stage.count("campaign_version") == 2
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await stage.database.pool.execute("update campaign_version set rate = 1")


async def test_what_cannot_be_changes_nothing(stage: CampaignStage) -> None:
    me = await stage.member()
    made = await stage.draft(me, await stage.brands.brand(me))
    before = await marks(stage)
    refused = await edit_campaign(stage, me, made.id, replace(stage.plan, budget=Money(0, Currency.IDR)))
    assert isinstance(refused, PlanRefused)
    assert refused.field == "budget"
    dollars = Money(100, Currency.USD)
    other = replace(stage.plan, budget=dollars, terms=replace(TERMS, rate=dollars))
    assert isinstance(await edit_campaign(stage, me, made.id, other), PlanRefused)
    assert await edit_campaign(stage, me, made.id, made.plan) == made
    assert isinstance(await launch_campaign(stage, me, made.id), CampaignNotReady)
    assert isinstance(await pause_campaign(stage, me, made.id), CampaignNotReady)
    assert await marks(stage) == before


async def test_staff_decides_on_what_it_looked_at(stage: CampaignStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.ADMIN)
    made = await stage.draft(me, await stage.brands.brand(me))
    assert isinstance(await decide_campaign(stage, staff, made.id, 1, WHY, approve=True), CampaignNotReady)
    assert isinstance(await submit_campaign(stage, me, made.id), Campaign)
    rejected = await decide_campaign(stage, staff, made.id, 1, "Say what it is.", approve=False)
    assert isinstance(rejected, Campaign)
    assert (rejected.state, rejected.reason) == (CampaignState.DRAFT, "Say what it is.")
    edited = await edit_campaign(stage, me, made.id, replace(made.plan, budget=HALF))
    assert isinstance(edited, Campaign)
    assert isinstance(await submit_campaign(stage, me, made.id), Campaign)
    assert isinstance(await decide_campaign(stage, staff, made.id, 1, WHY, approve=True), CampaignMovedOn)
    approved = await decide_campaign(stage, staff, made.id, 2, WHY, approve=True)
    assert isinstance(approved, Campaign)
    assert (approved.state, approved.reason) == (CampaignState.APPROVED, "")
    assert isinstance(await decide_campaign(stage, staff, made.id, 2, " ", approve=False), ReasonRequired)
    stale = replace(staff, stepped_up_until=None)
    assert isinstance(await decide_campaign(stage, stale, made.id, 2, WHY, approve=False), StepUpRequired)
    with pytest.raises(NotPermittedError):
        await decide_campaign(stage, me, made.id, 2, WHY, approve=False)
    deeds = [deed for deed in await stage.deeds() if deed.startswith("campaign.")]
    assert deeds == [
        f"campaign.{what}" for what in ("created", "submitted", "rejected", "edited", "submitted", "approved")
    ]


async def test_the_budget_goes_into_escrow_whole_and_comes_back_whole(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.verified(me, paid_in=BUDGET + HALF)
    campaign = await stage.running(me, brand)
    assert await stage.balances(brand, campaign) == (500_000, 1_000_000)
    assert (await stage.read(campaign)).launched_at is not None
    ended = await cancel_campaign(stage, me, campaign.id)
    assert isinstance(ended, Campaign)
    assert ended.state is CampaignState.CANCELLED
    assert await stage.balances(brand, campaign) == (1_500_000, 0)
    assert isinstance(await complete_campaign(stage, me, campaign.id), CampaignNotReady)
    assert await broken(stage.database.pool) == {}


async def test_what_is_spent_and_what_is_owed_stays_and_only_the_rest_returns(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.verified(me)
    campaign = await stage.running(me, brand)
    escrow = AccountKey(campaign.escrow_owner, Purpose.CAMPAIGN_ESCROW, Currency.IDR)
    earned = AccountKey(me.owner, Purpose.STREAMER_EARNED, Currency.IDR)
    await stage.move(Kind.EARNING, escrow, earned, Money.whole(200_000, Currency.IDR))
    owed = Posting(Kind.EARNING, escrow, earned, Money.whole(50_000, Currency.IDR))
    async with stage.work() as work:
        held = Transaction.hold(TransactionId(uuid7()), owed, expires_at=stage.clock() + timedelta(days=1))
        assert (await work.ledger.post(held)).posted
    assert isinstance(await complete_campaign(stage, me, campaign.id), Campaign)
    assert await stage.balances(brand, campaign) == (750_000, 50_000)
    assert await broken(stage.database.pool) == {}


async def test_a_launch_that_is_not_covered_moves_nothing_and_is_no_bar_to_the_next(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.verified(me, paid_in=HALF)
    campaign = await stage.approved(me, brand)
    before = (await stage.deeds(), await stage.count("event"), await stage.count("journal"))
    refused = await launch_campaign(stage, me, campaign.id)
    assert isinstance(refused, BudgetNotCovered)
    assert refused.missing == HALF
    assert (await stage.deeds(), await stage.count("event"), await stage.count("journal")) == before
    assert (await stage.read(campaign)).state is CampaignState.APPROVED
    await stage.pay_in(brand, HALF)
    assert isinstance(await launch_campaign(stage, me, campaign.id), Campaign)
    assert await stage.balances(brand, campaign) == (0, 1_000_000)


async def test_only_a_verified_brand_whose_wallet_is_open_launches_before_the_last_day_is_over(
    stage: CampaignStage,
) -> None:
    me = await stage.member()
    brand = await stage.verified(me)
    campaign = await stage.approved(me, brand)
    await stage.database.pool.execute("update brand set verification = 'pending', decided_at = null")
    assert isinstance(await launch_campaign(stage, me, campaign.id), BrandNotVerified)
    await stage.database.pool.execute("update brand set verification = 'verified', decided_at = now()")
    prepaid = AccountKey(brand.owner, Purpose.BRAND_PREPAID, Currency.IDR)
    async with stage.work() as work:
        await work.register.set_status(prepaid, AccountStatus.FROZEN)
    assert isinstance(await launch_campaign(stage, me, campaign.id), PrepaidFrozen)
    async with stage.work() as work:
        await work.register.set_status(prepaid, AccountStatus.OPEN)
    stage.turn(days=800)
    assert isinstance(await launch_campaign(stage, me, campaign.id), ScheduleOver)
    assert await stage.balances(brand, campaign) == (1_000_000, 0)


async def test_it_pauses_and_goes_on_and_an_edit_meanwhile_is_another_version(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.verified(me)
    campaign = await stage.running(me, brand)
    paused = await pause_campaign(stage, me, campaign.id)
    assert isinstance(paused, Campaign)
    assert paused.state is CampaignState.PAUSED
    flat = replace(campaign.plan, terms=replace(TERMS, pricing=Pricing.FLAT))
    edited = await edit_campaign(stage, me, campaign.id, flat)
    assert isinstance(edited, Campaign)
    assert (edited.state, edited.version) == (CampaignState.PAUSED, 2)
    fixed = await edit_campaign(stage, me, campaign.id, replace(flat, budget=HALF))
    assert isinstance(fixed, PlanRefused)
    assert fixed.field == "budget"
    resumed = await resume_campaign(stage, me, campaign.id)
    assert isinstance(resumed, Campaign)
    assert resumed.state is CampaignState.ACTIVE
    names = await stage.database.pool.fetch(
        "select name from event where topic = $1 order by recorded_at", f"campaign:{campaign.id}"
    )
    assert [row["name"] for row in names][-4:] == [
        "CampaignLaunched", "CampaignPaused", "CampaignEdited", "CampaignResumed",
    ]  # fmt: skip


async def test_what_staff_stops_its_brand_does_not_let_go_on(stage: CampaignStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.ADMIN)
    brand = await stage.verified(me)
    campaign = await stage.running(me, brand)
    assert isinstance(await reinstate_campaign(stage, staff, campaign.id, WHY), CampaignNotReady)
    for paused in (False, True):
        if paused:
            assert isinstance(await pause_campaign(stage, me, campaign.id), Campaign)
        stopped = await suspend_campaign(stage, staff, campaign.id, "It is about something else.")
        assert isinstance(stopped, Campaign)
        assert await stage.read(campaign) == stopped
        assert (stopped.state, stopped.reason) == (CampaignState.SUSPENDED, "It is about something else.")
        before = await marks(stage)
        for refused in (resume_campaign, pause_campaign, launch_campaign, submit_campaign):
            assert isinstance(await refused(stage, me, campaign.id), CampaignNotReady)
        assert isinstance(await suspend_campaign(stage, staff, campaign.id, WHY), CampaignNotReady)
        assert await marks(stage) == before
        back = await reinstate_campaign(stage, staff, campaign.id, WHY)
        assert isinstance(back, Campaign)
        assert await stage.read(campaign) == back
        assert (back.state, back.reason) == (CampaignState.PAUSED if paused else CampaignState.ACTIVE, "")
    deeds = [deed for deed in await stage.deeds() if deed in {"campaign.suspended", "campaign.reinstated"}]
    assert deeds == ["campaign.suspended", "campaign.reinstated"] * 2


async def test_who_stops_campaigns_is_staff_with_the_right_a_reason_and_a_fresh_code(stage: CampaignStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.ADMIN)
    campaign = await stage.running(me, await stage.verified(me))
    before = await marks(stage)
    for act in (suspend_campaign, reinstate_campaign):
        assert isinstance(await act(stage, staff, campaign.id, " "), ReasonRequired)
        stale = replace(staff, stepped_up_until=None)
        assert isinstance(await act(stage, stale, campaign.id, WHY), StepUpRequired)
        assert isinstance(await act(stage, staff, CampaignId(uuid7()), WHY), UnknownCampaign)
        with pytest.raises(NotPermittedError):
            await act(stage, me, campaign.id, WHY)
    assert await marks(stage) == before


async def test_a_suspended_campaign_is_cancelled_or_ends_with_its_last_day(stage: CampaignStage) -> None:
    me, staff = await stage.member(), await staffer(stage, StaffRole.ADMIN)
    brand = await stage.verified(me, paid_in=BUDGET + BUDGET)
    first, second = [await stage.running(me, brand, key) for key in ("first", "second")]
    for campaign in (first, second):
        assert isinstance(await suspend_campaign(stage, staff, campaign.id, WHY), Campaign)
    assert isinstance(await cancel_campaign(stage, me, first.id), Campaign)
    stage.clock.now = second.plan.schedule.closes_at
    assert (await complete_due(stage, stage.clock())).failed == []
    ended = [(await stage.read(campaign)).state for campaign in (first, second)]
    assert ended == [CampaignState.CANCELLED, CampaignState.COMPLETED]
    assert await stage.balances(brand, first) == (2_000_000, 0)


async def test_with_its_last_day_it_ends_by_itself_and_only_once(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.verified(me, paid_in=BUDGET + BUDGET)
    campaign = await stage.running(me, brand)
    later = await stage.running(
        me, brand, "later", replace(stage.plan, schedule=replace(stage.plan.schedule, time_zone="America/New_York"))
    )
    assert (await complete_due(stage, stage.clock())).looked_at == 0
    stage.clock.now = campaign.plan.schedule.closes_at
    both = await at_once(complete_due(stage, stage.clock()), complete_due(stage, stage.clock()))
    assert [swept.failed for swept in both] == [[], []]
    assert (await stage.read(campaign)).state is CampaignState.COMPLETED
    assert (await stage.read(later)).state is CampaignState.ACTIVE
    assert await stage.balances(brand, campaign) == (1_000_000, 0)
    assert (await stage.deeds()).count("campaign.completed") == 1


async def test_lists_of_campaigns_lose_no_place(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.brands.brand(me)
    made = []
    for number in range(3):
        made.append(await stage.draft(me, brand, str(number)))
        stage.turn(seconds=1)
    newest = await stage.reads.campaigns_of(CampaignPage(brand.id, 2))
    assert [each.id for each in newest] == [made[2].id, made[1].id]
    assert [each.id for each in await stage.reads.campaigns_of(CampaignPage(brand.id, 2, made[1].id))] == [made[0].id]
    assert isinstance(await cancel_campaign(stage, me, made[0].id), Campaign)
    drafts = await stage.reads.campaigns_by_state(CampaignState.DRAFT, 5, made[0].id)
    assert [each.id for each in drafts] == [made[1].id, made[2].id]


async def suspended(stage: CampaignStage, _: Any, id_: CampaignId) -> Any:
    return await suspend_campaign(stage, await staffer(stage, StaffRole.ADMIN), id_, WHY)


Step = Callable[[CampaignStage, Any, CampaignId], Awaitable[Any]]
RACES: dict[str, tuple[Step, Step]] = {
    "launch and launch": (launch_campaign, launch_campaign),
    "launch and cancel": (launch_campaign, cancel_campaign),
    "pause and complete": (pause_campaign, complete_campaign),
    "pause and suspend": (pause_campaign, suspended),
    "suspend and complete": (suspended, complete_campaign),
    "complete and complete": (complete_campaign, complete_campaign),
    "complete and cancel": (complete_campaign, cancel_campaign),
}


@pytest.mark.parametrize("race", RACES)
async def test_of_steps_that_meet_each_finds_what_the_other_left(stage: CampaignStage, race: str) -> None:
    me = await stage.member()
    brand = await stage.verified(me)
    for round_ in range(4):
        begin = stage.approved if race.startswith("launch") else stage.running
        campaign = await begin(me, brand, str(round_))
        one, other = RACES[race]
        answers = await at_once(one(stage, me, campaign.id), other(stage, me, campaign.id))
        seen = await stage.read(campaign)
        done = [answer for answer in answers if isinstance(answer, Campaign)]
        assert all(isinstance(answer, Campaign | CampaignNotReady) for answer in answers)
        assert max(done, key=lambda answer: answer.seq) == seen
        assert await stage.balances(brand, campaign) == ((0, 1_000_000) if seen.state.runs else (1_000_000, 0))
        if seen.state.runs:
            assert isinstance(await running.cancel_campaign(stage, me, campaign.id), Campaign)
    assert await broken(stage.database.pool) == {}


async def test_of_two_campaigns_that_one_budget_covers_one_is_launched(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.verified(me)
    one, other = [await stage.approved(me, brand, key) for key in ("one", "other")]
    answers = await at_once(launch_campaign(stage, me, one.id), launch_campaign(stage, me, other.id))
    assert sorted(type(answer).__name__ for answer in answers) == ["BudgetNotCovered", "Campaign"]


async def test_whoever_is_no_manager_any_more_launches_nothing(stage: CampaignStage) -> None:
    me = await stage.member()
    brand = await stage.verified(me)
    campaign = await stage.approved(me, brand)
    manager = await stage.brands.joined(me, brand, "manager@mail.example", BrandRole.MANAGER)
    await stage.database.pool.execute("update membership set role = 'viewer' where person = $1", manager.person)
    assert isinstance(await launch_campaign(stage, manager, campaign.id), RoleTooLow)
