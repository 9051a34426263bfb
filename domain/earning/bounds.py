"""How much may be spent at most, beside the budget: that one is kept by the ledger, which never goes under it."""

from dataclasses import dataclass

from domain.campaign.model import Caps
from domain.campaign.spending import paced_by
from domain.earning.model import Case, Unpaid
from domain.earning.ports import Day, Spendings
from domain.money import Money


@dataclass(frozen=True, slots=True)
class Spent:
    """What a campaign spent, value-added tax included, also what a ruling returned later."""

    on_day: Money
    """By everybody, on the minute's day in the campaign's zone."""
    on_streamer: Money
    """In the participation, altogether."""
    altogether: Money
    """By everybody, on all days."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What it may have spent by the end of the minute's day."""

    caps: Caps
    paced: Money | None
    """None from when all of the budget may be spent: then the ledger is asked, which knows what has come back."""


def bounds_of(case: Case) -> Bounds:
    """The bounds of a minute, by the plan that is in force when it is closed."""
    paced = paced_by(case.minute, case.budget, case.schedule, case.pacing)
    return Bounds(case.caps, None if paced == case.budget else paced)


def reached(bounds: Bounds, spent: Spent, cost: Money) -> Unpaid | None:
    """The bound that a minute would go over, None where it goes over none. A minute is paid whole or not at all."""
    caps = bounds.caps
    if caps.daily is not None and caps.daily < spent.on_day + cost:
        return Unpaid.DAILY_CAP
    if caps.per_streamer is not None and caps.per_streamer < spent.on_streamer + cost:
        return Unpaid.STREAMER_CAP
    if bounds.paced is not None and bounds.paced < spent.altogether + cost:
        return Unpaid.AHEAD_OF_PACE
    return None


class Spending:
    """What campaigns spent while minutes are judged one after another: it grows by what each costs."""

    def __init__(self, spent: Spendings) -> None:
        self._on_days, self._altogether = dict(spent.on_days), dict(spent.altogether)

    def before(self, case: Case) -> Spent:
        """What was spent when a minute is judged."""
        so_far = (self._on_days[Day(case.campaign, case.day)], case.totals.cost, self._altogether[case.campaign])
        return Spent(*(Money(minor, case.budget.currency) for minor in so_far))

    def refuses(self, case: Case, cost: Money) -> Unpaid | None:
        """The bound that a minute would go over; where it goes over none, it is spent."""
        if refusal := reached(bounds_of(case), self.before(case), cost):
            return refusal
        self._on_days[Day(case.campaign, case.day)] += cost.minor
        self._altogether[case.campaign] += cost.minor
        return None
