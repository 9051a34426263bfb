"""Campaigns on paper: what a plan may be, which steps there are, and how much may be spent by when."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaign.model import NEXT, Brief, Campaign, CampaignId, CampaignState, CampaignStep, Caps, Pricing
from domain.campaign.spending import Pacing, Schedule, spendable_by
from domain.campaign.targeting import Targeting
from domain.ids import BrandId, uuid7
from domain.money import Currency, Money
from domain.streamer.model import Category
from tests.campaign_stage import BUDGET, PLAN, SCHEDULE, TERMS

NOW = datetime(2026, 5, 1, 3, tzinfo=UTC)
S, T = CampaignState, CampaignStep
ENDED = {S.COMPLETED, S.CANCELLED}
EUR = Money(5, Currency.EUR)
ZONES = ["Asia/Jakarta", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago"]


def campaign(state: CampaignState = S.DRAFT) -> Campaign:
    return Campaign(CampaignId(uuid7()), BrandId(uuid7()), PLAN, NOW, state)


def test_a_plan_that_can_be_has_no_fault() -> None:
    assert PLAN.fault is None
    assert replace(PLAN, caps=Caps(BUDGET, Money(1, Currency.IDR))).fault is None


@pytest.mark.parametrize(
    ("field", "plan"),
    list(
        {
            "title": replace(PLAN, brief=replace(PLAN.brief, title=" ")),
            "description": replace(PLAN, brief=replace(PLAN.brief, description="a" * 2001)),
            "link": replace(PLAN, brief=Brief("A title", "", "ftp://baterai.example")),
            "budget": replace(PLAN, budget=Money(0, Currency.IDR)),
            "terms": replace(PLAN, terms=replace(TERMS, minutes=0)),
            "terms of another currency": replace(PLAN, terms=replace(TERMS, rate=EUR)),
            "dailyCap": replace(PLAN, caps=Caps(daily=BUDGET + BUDGET)),
            "dailyCap of another currency": replace(PLAN, caps=Caps(daily=EUR)),
            "streamerCap": replace(PLAN, caps=Caps(per_streamer=Money(0, Currency.IDR))),
            "schedule": replace(PLAN, schedule=replace(SCHEDULE, ends_on=date(2025, 12, 31))),
            "schedule of a year and a day": replace(PLAN, schedule=replace(SCHEDULE, ends_on=date(2027, 1, 2))),
            "schedule elsewhere": replace(PLAN, schedule=replace(SCHEDULE, time_zone="Atlantis/Capital")),
            "targeting": replace(PLAN, targeting=Targeting(countries=("XX",))),
            "targeting without end": replace(PLAN, targeting=Targeting(countries=("ID",) * 21)),
            "targeting that contradicts itself": replace(
                PLAN, targeting=Targeting(categories=(Category.FOOD,), avoided=(Category.FOOD,))
            ),
        }.items()
    ),
)
def test_what_cannot_be_is_named(field: str, plan: object) -> None:
    assert getattr(plan, "fault", None) == field.partition(" ")[0]


@pytest.mark.parametrize(("state", "step"), list(product(S, T)))
def test_every_step_is_in_the_table_or_refused(state: CampaignState, step: CampaignStep) -> None:
    moved = campaign(state).stepped(step, NOW)
    if (state, step) not in NEXT:
        assert moved is None
        return
    assert moved is not None
    assert (moved.state, moved.seq) == (NEXT[state, step], 2)
    assert (moved.ended_at == NOW) is (moved.state in ENDED)
    assert (moved.launched_at == NOW) is (step is T.LAUNCH)


def test_nothing_leads_out_of_the_end_and_only_approval_leads_to_a_launch() -> None:
    assert not {state for state, _ in NEXT} & ENDED
    assert [state for state, step in NEXT if step is T.LAUNCH] == [S.APPROVED]
    assert {state for (state, step), to in NEXT.items() if to is S.APPROVED} == {S.IN_REVIEW}


def test_an_edit_is_a_version_and_what_staff_saw_must_be_handed_in_again() -> None:
    other = replace(PLAN, terms=replace(TERMS, pricing=Pricing.FLAT))
    for state in (S.DRAFT, S.IN_REVIEW, S.APPROVED):
        edited = campaign(state).edited(other, NOW)
        assert isinstance(edited, Campaign)
        assert (edited.state, edited.version, edited.plan) == (S.DRAFT, 2, other)
    for state in ENDED:
        assert campaign(state).edited(other, NOW) is None


@pytest.mark.parametrize("state", [S.ACTIVE, S.PAUSED])
def test_what_staff_stopped_stands_afterwards_as_it_stood_before(state: CampaignState) -> None:
    stopped = campaign(state).stepped(T.SUSPEND, NOW, "It is about something else.")
    assert stopped is not None
    assert (stopped.state, stopped.reason) == (S.SUSPENDED, "It is about something else.")
    assert stopped.stepped(T.RESUME, NOW) is stopped.stepped(T.PAUSE, NOW) is None
    edited = stopped.edited(replace(PLAN, pacing=Pacing.FRONT_LOADED), NOW)
    assert isinstance(edited, Campaign)
    back = edited.reinstated(NOW)
    assert back is not None
    assert (back.state, back.reason, back.suspension) == (state, "", None)
    assert back.reinstated(NOW) is None
    ended = edited.stepped(T.CANCEL, NOW)
    assert ended is not None
    assert (ended.suspension, ended.reason) == (None, "It is about something else.")


@pytest.mark.parametrize("state", [S.ACTIVE, S.PAUSED])
def test_of_one_that_runs_the_brief_and_the_budget_stay(state: CampaignState) -> None:
    running = campaign(state)
    assert running.edited(replace(PLAN, brief=replace(PLAN.brief, title="Other")), NOW) == "brief"
    assert running.edited(replace(PLAN, budget=BUDGET + BUDGET), NOW) == "budget"
    edited = running.edited(replace(PLAN, pacing=Pacing.FRONT_LOADED), NOW)
    assert isinstance(edited, Campaign)
    assert (edited.state, edited.version) == (state, 2)


def test_a_reason_stays_until_it_is_handed_in_again() -> None:
    rejected = campaign(S.IN_REVIEW).stepped(T.REJECT, NOW, "Not like that.")
    assert rejected is not None
    assert rejected.reason == "Not like that."
    edited = rejected.edited(replace(PLAN, budget=BUDGET + BUDGET), NOW)
    assert isinstance(edited, Campaign)
    assert edited.reason == "Not like that."
    again = edited.stepped(T.SUBMIT, NOW)
    assert again is not None
    assert again.reason == ""


@pytest.mark.parametrize(("day", "hours"), list({"2026-03-29": 23, "2026-06-01": 24, "2026-10-25": 25}.items()))
def test_a_day_is_as_long_as_the_clocks_make_it(day: str, hours: int) -> None:
    schedule = Schedule(date(2026, 1, 1), date(2026, 12, 31), "Europe/Berlin")
    noon = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZoneInfo("Europe/Berlin")).replace(hour=12)
    begins, ends = schedule.day_of(noon)
    assert ends - begins == timedelta(hours=hours)
    assert begins <= noon < ends
    one = Schedule(date.fromisoformat(day), date.fromisoformat(day), "Europe/Berlin")
    assert (one.opens_at, one.closes_at) == (begins, ends)


def test_it_opens_and_closes_at_its_own_midnight() -> None:
    schedule = Schedule(date(2026, 5, 1), date(2026, 5, 2), "Asia/Jakarta")
    assert schedule.opens_at == datetime(2026, 4, 30, 17, tzinfo=UTC)
    assert schedule.closes_at == datetime(2026, 5, 2, 17, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    moments = [schedule.opens_at - tick, schedule.opens_at, schedule.closes_at - tick, schedule.closes_at]
    assert [schedule.is_open(moment) for moment in moments] == [False, True, True, False]


@pytest.mark.parametrize(("pacing", "percents"), list({Pacing.EVEN: (25, 50), Pacing.FRONT_LOADED: (43, 75)}.items()))
def test_how_a_budget_is_spread(pacing: Pacing, percents: tuple[int, int]) -> None:
    schedule = Schedule(date(2026, 5, 1), date(2026, 5, 4), "Asia/Jakarta")
    hundred = Money(100, Currency.IDR)
    for days, percent in zip((1, 2), percents, strict=True):
        moment = schedule.opens_at + timedelta(days=days)
        assert spendable_by(moment, hundred, schedule, pacing) == Money(percent, Currency.IDR)


@given(
    st.integers(1, 10**15), st.sampled_from(Pacing), st.sampled_from(ZONES), st.integers(0, 365), st.integers(0, 300),
    st.lists(st.integers(-(10**8), 10**8), min_size=2, max_size=8),
)  # fmt: skip
def test_what_may_be_spent_only_grows_from_nothing_to_all(
    budget: int, pacing: Pacing, zone: str, start: int, days: int, seconds: list[int]
) -> None:
    starts = date(2026, 1, 1) + timedelta(days=start)
    schedule, whole = Schedule(starts, starts + timedelta(days=days), zone), Money(budget, Currency.IDR)
    moments = sorted([schedule.opens_at, schedule.closes_at, *(NOW + timedelta(seconds=each) for each in seconds)])
    spent = [spendable_by(moment, whole, schedule, pacing).minor for moment in moments]
    assert spent == sorted(spent)
    for moment, minor in zip(moments, spent, strict=True):
        assert 0 <= minor <= budget
        assert minor == 0 or moment > schedule.opens_at
        assert minor == budget or moment < schedule.closes_at
        begins, ends = schedule.day_of(moment)
        assert begins <= moment < ends
