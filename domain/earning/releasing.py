"""Releasing minutes: what has waited for a week is the streamer's, but for what staff ruled on otherwise.

Door: the schedule; many may run at once.
"""

from datetime import datetime
from typing import Final

from domain.earning.asking import Asked, ask_ledger
from domain.earning.model import Due, MinuteState
from domain.earning.ports import EarningPorts, Settled
from domain.earning.postings import give_back, pay
from domain.ledger.model import Code, Transaction
from domain.work import Swept

_BATCH: Final = 256
_MOST_ROUNDS: Final = 200


async def release_minutes(ports: EarningPorts, now: datetime) -> Swept:
    """Pay out of the escrow what has waited long enough, and finish what a process left between the steps."""
    swept, before = Swept(), now - ports.policy.held_for
    for _ in range(_MOST_ROUNDS):
        async with ports.work() as work:
            claimed = await work.minutes.claim_release(before, _BATCH)
        if not claimed:
            break
    for question in _QUESTIONS:
        swept.looked_at += await ask_ledger(ports, question, swept, now)
    return swept


def _pay(due: Due) -> Transaction | None:
    return pay(due.route, due.participation, due.minute, due.parts, due.kept) if due.kept.cost else None


def _give_back(due: Due) -> Transaction | None:
    return give_back(due.participation, due.minute) if due.kept.cost < due.parts.cost else None


def _paid(due: Due, code: Code) -> Settled | None:
    return Settled(due.participation, due.minute, MinuteState.PAID) if code is Code.POSTED else None


def _reduced(due: Due, code: Code) -> Settled | None:
    return Settled(due.participation, due.minute, MinuteState.RETURNING) if code is Code.POSTED else None


def _returned(due: Due, code: Code) -> Settled | None:
    state = MinuteState.PAID if due.kept.cost else MinuteState.RETURNED
    return Settled(due.participation, due.minute, state) if code is Code.POSTED else None


_QUESTIONS: Final = (
    Asked(MinuteState.RELEASING, _pay, _paid),
    Asked(MinuteState.REDUCING, _pay, _reduced),
    Asked(MinuteState.RETURNING, _give_back, _returned),
)
