"""Letting campaigns rest that have spent what they may by now, and waking them. Doors: closing, and the schedule.

Nobody is to show what nobody will pay. Minutes are closed some while after they were shown, so a campaign rests before
it has spent all that it may: as soon as the minutes that are still open would take the rest of it, at what the last one
cost. What is left over then is the next day's, or comes to whoever shows it once the last open minute is closed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from domain.campaign.events import CampaignRested, CampaignWoken
from domain.campaign.model import Caps
from domain.campaign.participation import ParticipationId
from domain.campaign.spending import Rest, RestReason
from domain.earning.bounds import Bounds, Spending, bounds_of, reached
from domain.earning.model import Closed
from domain.earning.ports import EarningPorts, EarningWork, Resting
from domain.ids import uuid7
from domain.money import Money
from domain.work import Swept

_BATCH: Final = 256
_REASONS: Final = {str(reason): reason for reason in RestReason}
_OF_ALL: Final = frozenset({RestReason.DAILY_CAP, RestReason.AHEAD_OF_PACE})
"""For these all of a campaign rests, until its local day is over."""


async def let_rest(work: EarningWork, closed: Sequence[Closed], spent: Spending, now: datetime) -> None:
    """Have rest what can pay no more than the minutes that are open already."""
    still_open = await work.minutes.still_open(sorted({one.case.campaign for one in closed}))
    resting = [found for one in closed for found in _resting(one, spent, still_open.get(one.case.campaign, {}))]
    due = [found for found in resting if found.rest.until is None or found.rest.until > now]
    await work.emit(*(CampaignRested(uuid7(), campaign) for campaign in await work.minutes.rest(due)))


async def wake_rested(ports: EarningPorts, now: datetime) -> Swept:
    """Show again what may spend more: another day, another plan, or minutes that came to less than was feared.

    Its door: the schedule; many may run at once.
    """
    async with ports.work() as work:
        woken = await work.minutes.wake(now, _BATCH)
        await work.emit(*(CampaignWoken(uuid7(), campaign) for campaign in woken))
    return Swept(looked_at=len(woken))


def _resting(one: Closed, spent: Spending, still_open: Mapping[ParticipationId, int]) -> Iterator[Resting]:
    """What is to rest after a minute. Its campaign is asked before its participation: that one is shown longer."""
    case = one.case
    for reason in _reasons(one, spent, still_open):
        if reason in _OF_ALL:
            yield Resting(case.campaign, None, Rest(reason, case.schedule.day_of(case.minute)[1]))
        else:
            yield Resting(case.campaign, case.participation, Rest(reason, None))


def _reasons(one: Closed, spent: Spending, still_open: Mapping[ParticipationId, int]) -> Iterator[RestReason]:
    """Why: the bound that it went over, or those that the next one would, after all that are open."""
    case, priced = one.case, one.arithmetic
    if priced is None:
        if one.reason in _REASONS:
            yield _REASONS[one.reason]
        return
    next_own, next_of_all = still_open.get(case.participation, 0) + 1, sum(still_open.values()) + 1
    bounds, currency = bounds_of(case), case.budget.currency
    so_far = replace(spent.before(case), on_streamer=Money(priced.after.cost, currency))
    of_all = Bounds(replace(bounds.caps, per_streamer=None), bounds.paced)
    own = Bounds(Caps(per_streamer=bounds.caps.per_streamer), None)
    for each, minutes in ((of_all, next_of_all), (own, next_own)):
        if bound := reached(each, so_far, Money(priced.parts.cost * minutes, currency)):
            yield _REASONS[bound]
    if case.terms.minutes < priced.after.minutes + next_own:
        yield RestReason.MINUTES_USED
