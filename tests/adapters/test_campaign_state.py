"""Campaigns on PostgreSQL: whoever does whatever in whichever order, only what the tables of states say happens.

CAMPAIGN_EXAMPLES and CAMPAIGN_STEPS set the budget.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.campaign import agreeing, beginning, editing, running
from domain.campaign import model as campaigns
from domain.campaign.creatives import CreativeId
from domain.campaign.escrow import return_escrow
from domain.campaign.model import NEXT, CampaignStep
from domain.campaign.participation import PARTICIPATION_NEXT, Participation, ParticipationStep
from domain.campaign.spending import Pacing
from domain.campaign.suspending import reinstate_campaign, suspend_campaign
from domain.earning.closing import close_minutes
from domain.earning.model import Source
from domain.earning.postings import Route
from domain.earning.releasing import release_minutes
from domain.earning.resting import wake_rested
from domain.errors import NotPermittedError
from domain.ids import uuid7
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountKey
from domain.money import Currency
from domain.refusal import Refusal
from tests.campaign_stage import BUDGET, TERMS, WHY, campaigns_on
from tests.earning_stage import Campaign, EarningStage, Part, staged_earnings
from tests.ledger_on_postgres import breaches
from tests.staff_stage import staffer
from tests.streamer_stage import streamers_on

T = TypeVar("T")
EXAMPLES = int(os.environ.get("CAMPAIGN_EXAMPLES", "12"))
STEPS = int(os.environ.get("CAMPAIGN_STEPS", "40"))
_T, _P = CampaignStep, ParticipationStep
PASSES = [timedelta(minutes=7)] * 4 + [timedelta(hours=30), timedelta(days=5), timedelta(days=200)]
_SPENT = """
select kind, coalesce(sum(amount), 0)::bigint as amount from journal join account on account.id = source
where owner = $1 and purpose = 'campaign_escrow' and refusal is null and operation in ('move', 'capture') group by kind
"""


class Ground:
    """One loop and one database for every example of a run."""

    def __init__(self, addresses: DatabaseAddresses) -> None:
        self.loop, self.stack = asyncio.new_event_loop(), AsyncExitStack()
        self.earnings: EarningStage = self.run(self.stack.enter_async_context(staged_earnings(addresses)))
        self.begins = self.earnings.clock.now

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.run(self.stack.aclose())
        self.loop.close()


class Play:
    """A campaign, and all who might do something with it."""

    def __init__(self, earnings: EarningStage) -> None:
        self.earnings, self.stage = earnings, campaigns_on(earnings)
        self.parts: list[Participation] = []

    async def begin(self) -> "Play":
        streamers = streamers_on(self.stage)
        self.manager, self.stranger = [await streamers.person() for _ in range(2)]
        self.streamers = [await streamers.streamer() for _ in range(2)]
        self._staff = await staffer(self.stage)
        self.brand = await self.stage.verified(self.manager, paid_in=BUDGET)
        plan = replace(self.stage.plan, budget=BUDGET)
        self.campaign = await self.stage.draft(self.manager, self.brand, plan=plan)
        self.creative = CreativeId(uuid7())
        await self.earnings.creative(self.campaign.id, self.creative)
        return self

    @property
    def actors(self) -> list[Actor]:
        staff = replace(self._staff, stepped_up_until=self.stage.clock() + timedelta(minutes=1))
        return [self.manager, staff, *self.streamers, self.stranger]

    def another_plan(self) -> campaigns.Plan:
        plan = self.campaign.plan
        other = Pacing.EVEN if plan.pacing is Pacing.FRONT_LOADED else Pacing.FRONT_LOADED
        return replace(plan, pacing=other)

    async def decide(self, who: Actor, *, approve: bool) -> Any:
        return await editing.decide_campaign(
            self.stage, who, self.campaign.id, self.campaign.version, WHY, approve=approve
        )

    async def look(self) -> tuple[object, ...]:
        """Everything that a refusal leaves alone."""
        self.campaign = await self.stage.read(self.campaign)
        found = await self.stage.reads.participations_by_id([part.id for part in self.parts])
        self.parts = [found[part.id] for part in self.parts]
        offers = await self.stage.reads.offers_of([part.id for part in self.parts])
        counts = [await self.stage.count(table) for table in ("event", "deed", "journal", "campaign_version")]
        return self.campaign, self.parts, offers, counts

    async def does(self, act: Callable[[], Awaitable[Any]]) -> tuple[Any, tuple[object, ...]]:
        """What is answered, and what was there before."""
        before = await self.look()
        try:
            answer = await act()
        except NotPermittedError as error:
            answer = error
        if isinstance(answer, Refusal | NotPermittedError):
            assert await self.look() == before, answer
        else:
            await self.look()
        return answer, before

    async def money(self) -> dict[str, int]:
        """Where the budget is by what the ledger tells."""
        prepaid, escrow = (
            AccountKey(self.campaign.owner, Purpose.BRAND_PREPAID, Currency.IDR),
            AccountKey(self.campaign.escrow_owner, Purpose.CAMPAIGN_ESCROW, Currency.IDR),
        )
        rows = await self.stage.database.pool.fetch(_SPENT, self.campaign.escrow_owner)
        left = {row["kind"]: row["amount"] for row in rows}
        return {
            "prepaid": (await self.earnings.balance(prepaid)).posted,
            "escrow": (await self.earnings.balance(escrow)).posted,
            "returned": left.pop("escrow_return", 0),
            "spent": sum(left.values()),
        }


Act = Callable[[Play, Actor], Awaitable[Any]]
CAMPAIGN_ACTS: dict[CampaignStep, Act] = {
    _T.EDIT: lambda play, who: editing.edit_campaign(play.stage, who, play.campaign.id, play.another_plan()),
    _T.SUBMIT: lambda play, who: editing.submit_campaign(play.stage, who, play.campaign.id),
    _T.APPROVE: lambda play, who: play.decide(who, approve=True),
    _T.REJECT: lambda play, who: play.decide(who, approve=False),
    _T.LAUNCH: lambda play, who: running.launch_campaign(play.stage, who, play.campaign.id),
    _T.PAUSE: lambda play, who: running.pause_campaign(play.stage, who, play.campaign.id),
    _T.RESUME: lambda play, who: running.resume_campaign(play.stage, who, play.campaign.id),
    _T.SUSPEND: lambda play, who: suspend_campaign(play.stage, who, play.campaign.id, WHY),
    _T.REINSTATE: lambda play, who: reinstate_campaign(play.stage, who, play.campaign.id, WHY),
    _T.COMPLETE: lambda play, who: running.complete_campaign(play.stage, who, play.campaign.id),
    _T.CANCEL: lambda play, who: running.cancel_campaign(play.stage, who, play.campaign.id),
}
ENDS = {_T.COMPLETE, _T.CANCEL}
OF_STAFF = {_T.APPROVE, _T.REJECT, _T.SUSPEND, _T.REINSTATE}
PARTICIPATION_ACTS: dict[ParticipationStep, Callable[[Play, Actor, Participation, int], Awaitable[Any]]] = {
    _P.COUNTER: lambda play, who, part, number: agreeing.counter_offer(
        play.stage, who, part.id, number, replace(TERMS, minutes=2)
    ),
    _P.ACCEPT: lambda play, who, part, number: agreeing.accept_offer(play.stage, who, part.id, number),
    _P.REJECT: lambda play, who, part, _: agreeing.reject_participation(play.stage, who, part.id),
    _P.WITHDRAW: lambda play, who, part, _: agreeing.withdraw_participation(play.stage, who, part.id),
    _P.GO_LIVE: lambda play, who, part, number: agreeing.go_live(play.stage, who, part.id, disclosed=number > 0),
    _P.COMPLETE: lambda play, who, part, _: agreeing.complete_participation(play.stage, who, part.id),
}


class CampaignMachine(RuleBasedStateMachine):
    ground: ClassVar[Ground]

    @initialize(live=st.integers(0, 2), runs=st.booleans())
    def begin(self, live: int, *, runs: bool) -> None:
        self.ground.earnings.clock.now = self.ground.begins
        self.play = self.ground.run(Play(self.ground.earnings).begin())
        if live or runs:
            self.it_is_brought_to_run()
        for number in range(live):
            self.somebody_begins(streamer=number, by=2 + number, invited=False)
            self.all_goes_well(number)

    @rule(step=st.sampled_from(list(CAMPAIGN_ACTS)), who=st.integers(1, 4))
    def somebody_takes_a_step(self, step: CampaignStep, who: int) -> None:
        self.step(step, who)

    @rule(step=st.sampled_from([step for step in CAMPAIGN_ACTS if step not in ENDS]))
    def who_may_takes_a_step(self, step: CampaignStep) -> None:
        self.step(step, 1 if step in OF_STAFF else 0)

    @rule(step=st.sampled_from(sorted(ENDS)), rarely=st.integers(0, 5))
    def it_is_ended(self, step: CampaignStep, rarely: int) -> None:
        if not rarely:
            self.step(step, 0)

    @rule()
    def it_is_brought_to_run(self) -> None:
        for step in (_T.SUBMIT, _T.APPROVE, _T.LAUNCH):
            self.step(step, 1 if step in OF_STAFF else 0)

    def step(self, step: CampaignStep, who: int) -> None:
        play, act = self.play, CAMPAIGN_ACTS[step]
        was = play.campaign
        answer, _ = self.ground.run(play.does(lambda: act(play, play.actors[who])))
        if isinstance(answer, Refusal | NotPermittedError):
            return
        assert who == (1 if step in OF_STAFF else 0)
        if step is _T.REINSTATE and was.suspension is not None and was.suspension.was_paused:
            step = _T.REINSTATE_PAUSED
        assert (play.campaign.state, play.campaign.seq) == (NEXT[was.state, step], was.seq + 1)

    @rule(streamer=st.integers(0, 1), by=st.integers(0, 4), invited=st.booleans())
    def somebody_begins(self, streamer: int, by: int, *, invited: bool) -> None:
        play = self.play

        async def begin() -> Any:
            if not invited:
                return await beginning.apply_to_campaign(play.stage, play.actors[by], play.campaign.id)
            asked = await play.stage.reads.candidate(play.streamers[streamer].people)
            assert asked is not None
            return await beginning.invite_streamer(play.stage, play.actors[by], play.campaign.id, asked.id)

        answer, _ = self.ground.run(play.does(begin))
        if isinstance(answer, Participation):
            assert by == 0 if invited else by in {2, 3}
            assert play.campaign.state is campaigns.CampaignState.ACTIVE
            play.parts.append(answer)

    @rule(
        step=st.sampled_from(list(PARTICIPATION_ACTS)), which=st.integers(0, 9), who=st.integers(0, 4),
        number=st.integers(0, 3),
    )  # fmt: skip
    def somebody_answers(self, step: ParticipationStep, which: int, who: int, number: int) -> None:
        self.answer(step, which, self.play.actors[who], number)

    @rule(which=st.integers(0, 9))
    def all_goes_well(self, which: int) -> None:
        if self.play.parts:
            part = self.play.parts[which % len(self.play.parts)]
            streamer = next(each for each in self.play.streamers if part.person in each.people)
            for who in (self.play.manager, streamer):
                self.answer(_P.ACCEPT, which, who, 1)
            self.answer(_P.GO_LIVE, which, streamer, 1)

    def answer(self, step: ParticipationStep, which: int, who: Actor, number: int) -> None:
        play = self.play
        if not play.parts:
            return
        was = play.parts[which % len(play.parts)]
        answer, _ = self.ground.run(play.does(lambda: PARTICIPATION_ACTS[step](play, who, was, number)))
        now = play.parts[which % len(play.parts)]
        if isinstance(answer, Participation):
            assert answer == now
            assert (now.state, now.seq) == (PARTICIPATION_NEXT[was.state, step], was.seq + 1)
            assert was.agreement in {None, now.agreement}
            assert who.person in {play.manager.person, was.person}

    @rule(minutes=st.integers(1, 4), viewers=st.sampled_from([None, 0, 7, 1_000]))
    def overlays_report(self, minutes: int, viewers: int | None) -> None:
        self.play.earnings.samples.viewers = viewers
        self.ground.run(self.report(minutes))

    async def report(self, minutes: int) -> None:
        earnings, campaign = self.play.earnings, Campaign(self.play.campaign.id, (self.play.creative,))
        for part in self.play.parts:
            assert part.streamer is not None
            shown = Part(
                part.id, campaign, Source(uuid7(), part.streamer), Route(campaign.id, part.person, Currency.IDR)
            )
            await earnings.report(
                shown, *(shown.seen(earnings.minute - n * timedelta(minutes=1)) for n in range(minutes))
            )

    @rule(passed=st.sampled_from(PASSES))
    def time_passes_and_jobs_run(self, passed: timedelta) -> None:
        stage, earnings = self.play.stage, self.play.earnings
        earnings.clock.now += passed
        now = stage.clock()

        async def jobs() -> None:
            swept = [
                await running.complete_due(stage, now), await agreeing.lapse_offers(stage, now),
                await close_minutes(earnings, now), await wake_rested(earnings, now),
                await release_minutes(earnings, now), await return_escrow(stage, now),
            ]  # fmt: skip
            assert [failed for each in swept for failed in each.failed] == []
            await self.play.look()

        self.ground.run(jobs())

    @invariant()
    def the_budget_is_somewhere(self) -> None:
        play = getattr(self, "play", None)
        if play is None:
            return
        found = self.ground.run(play.money())
        budget = play.campaign.plan.budget.minor if play.campaign.launched_at else 0
        assert found["escrow"] + found["spent"] + found["returned"] == budget, found
        assert found["prepaid"] == BUDGET.minor - budget + found["returned"], found
        assert min(found.values()) >= 0
        if play.campaign.emptied_at is not None:
            assert found["escrow"] == 0
        if play.campaign.ended_at is not None:
            assert all(part.ended_at is not None for part in play.parts)


@pytest.fixture
def ground(database: DatabaseAddresses) -> Iterator[Ground]:
    made = Ground(database)
    yield made
    try:
        assert made.run(breaches(database.superuser_url)) == {}
    finally:
        made.close()


def test_whoever_does_whatever_only_what_the_tables_say_happens(ground: Ground) -> None:
    CampaignMachine.ground = ground
    budget = settings(
        max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=list(HealthCheck),
        derandomize=True, database=None, phases=(Phase.generate, Phase.shrink), report_multiple_bugs=False,
    )  # fmt: skip
    run_state_machine_as_test(CampaignMachine, settings=budget)
