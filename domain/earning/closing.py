"""Closing minutes: from evidence to a price that is set aside in the escrow. Door: the schedule; many may run at once.

Three steps, of which each may be the last one of a process: what a minute costs is written down with what it is
computed from; the ledger is asked, under an id that is the minute's own; its answer is written down. A participation's
next minute waits for the answer about the one before, because its price begins where that one's ended.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.campaign.model import Pricing
from domain.earning.arithmetic import price_of
from domain.earning.asking import Asked, ask_ledger, tell
from domain.earning.bounds import Spending
from domain.earning.model import Case, Closed, Doubt, Due, EarningPolicy, MinuteState, Unpaid
from domain.earning.ports import Day, EarningPorts, Settled, Streamed
from domain.earning.postings import set_aside
from domain.earning.resting import let_rest
from domain.earning.sharing import MINUTE, shared
from domain.ledger.model import Code, Transaction
from domain.work import Swept

_BATCH = 256
_MOST_ROUNDS = 200
_MOMENT: Final = timedelta(microseconds=1)
_NEVER: Final = frozenset({Code.INSUFFICIENT_FUNDS, Code.ACCOUNT_CLOSED, Code.ACCOUNT_FROZEN})


async def close_minutes(ports: EarningPorts, now: datetime) -> Swept:
    """Close every minute that is over for long enough, and finish what a process left between the steps.

    Where the ledger cannot be asked, the rest of the work is left to the next time.
    """
    swept, before = Swept(), now - ports.policy.closed_after
    for _ in range(_MOST_ROUNDS):
        closed = await _close(ports, before, now)
        swept.looked_at += closed
        asked = await ask_ledger(ports, _ASKED, swept, now)
        if not asked and (swept.failed or not closed):
            break
    return swept


async def _close(ports: EarningPorts, before: datetime, now: datetime) -> int:
    """The earliest minute of each of many participations; how many."""
    waiting = await ports.reads.to_close(before, _BATCH)
    if not waiting:
        return 0
    viewers = await _viewers(ports, waiting)
    async with ports.work() as work:
        cases = await work.minutes.claim(waiting)
        for account in sorted({account for case in cases for account in case.route.accounts}):
            await work.ledger.open(account)
        spent = Spending(await work.minutes.spent_on(sorted({Day(case.campaign, case.day) for case in cases})))
        closed = [_judged(ports.policy, case, viewers.get(_streamed(case)), spent) for case in cases]
        await tell(work, await work.minutes.close(closed, now))
        await let_rest(work, closed, spent, now)
    return len(cases)


async def _viewers(ports: EarningPorts, minutes: Sequence[Streamed]) -> Mapping[Streamed, int]:
    """By our samples: at the beginning of a minute or, of a stream that began amid it, at its end."""
    moments = [*minutes, *((streamer, minute + MINUTE - _MOMENT) for streamer, minute in minutes)]
    found = await ports.streams.viewers_at(moments)
    early, late = found[: len(minutes)], found[len(minutes) :]
    both = {
        minute: first if first is not None else last for minute, first, last in zip(minutes, early, late, strict=True)
    }
    return {minute: viewers for minute, viewers in both.items() if viewers is not None}


def _judged(policy: EarningPolicy, case: Case, viewers: int | None, spent: Spending) -> Closed:
    """What a minute comes to; `spent` grows by what it costs."""
    if not any(case.seconds.values()):
        return Closed(case, MinuteState.UNPAID, Unpaid.SHOWN_ELSEWHERE, viewers)
    if not case.schedule.is_open(case.minute):
        return Closed(case, MinuteState.UNPAID, Unpaid.OUTSIDE_SCHEDULE, viewers)
    doubt = _doubt(policy, case, viewers)
    if doubt and not case.approved:
        return Closed(case, MinuteState.REVIEW, doubt, viewers)
    if case.totals.minutes >= case.terms.minutes:
        return Closed(case, MinuteState.UNPAID, Unpaid.MINUTES_USED, viewers)
    priced = price_of(case.terms, case.rates, case.totals, viewers or 0)
    if bound := spent.refuses(case, priced.cost):
        return Closed(case, MinuteState.UNPAID, bound, viewers)
    shares = shared(priced.parts.gross, case.seconds)
    return Closed(case, MinuteState.DECIDING, "", priced.viewers, priced, shares)


def _doubt(policy: EarningPolicy, case: Case, viewers: int | None) -> Doubt | None:
    if viewers is None:
        return Doubt.NO_SAMPLE
    totals = case.totals
    if case.terms.pricing is Pricing.FLAT or not totals.minutes or viewers < policy.spike_from:
        return None
    return Doubt.VIEWER_SPIKE if viewers * totals.minutes > policy.spike * totals.viewers else None


def _streamed(case: Case) -> Streamed:
    return Streamed(case.streamer, case.minute)


def _set_aside(due: Due) -> Transaction | None:
    return set_aside(due.route, due.participation, due.minute, due.parts)


def _answer(due: Due, code: Code) -> Settled | None:
    if code is Code.POSTED:
        return Settled(due.participation, due.minute, MinuteState.HELD)
    if code in _NEVER:
        return Settled(due.participation, due.minute, MinuteState.UNPAID, Unpaid.BUDGET_SPENT)
    return None


_ASKED: Final = Asked(MinuteState.DECIDING, _set_aside, _answer)
