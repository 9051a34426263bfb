"""Asking the ledger about minutes, many at once, and keeping what it answers.

What is asked stands in the minute's row before, under an id that is the minute's own: whoever comes upon it after a
crash, or at the same time, asks the same and hears the same, and an answer is kept once.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from domain.campaign.participation import ParticipationId
from domain.earning.events import EarningsChanged
from domain.earning.model import Due, MinuteState
from domain.earning.ports import EarningPorts, Settled
from domain.ids import derived
from domain.ledger.model import Code, Transaction
from domain.work import Swept, Work

_BATCH: Final = 256


class Asked(NamedTuple):
    """A question to the ledger about the minutes that stand in a state."""

    state: MinuteState
    transaction: Callable[[Due], Transaction | None]
    """None for a minute that moves nothing."""
    settled: Callable[[Due, Code], Settled | None]
    """What an answer means; None for one that should not be."""


async def ask_ledger(ports: EarningPorts, question: Asked, swept: Swept, now: datetime) -> int:
    """Ask about every minute that stands so, at most a batch, and keep the answers; how many there were."""
    due = await ports.reads.asked(question.state, _BATCH)
    answers = await asyncio.gather(*(_ask(ports, question.transaction(minute)) for minute in due))
    settled: list[Settled] = []
    for minute, answer in zip(due, answers, strict=True):
        found = question.settled(minute, answer) if isinstance(answer, Code) else None
        if found is None:
            wrong = answer if isinstance(answer, Exception) else LookupError(f"the ledger says {answer}")
            swept.failed.append((f"{minute.participation} {minute.minute.isoformat()}", wrong))
        else:
            settled.append(found)
    if settled:
        async with ports.work() as work:
            await tell(work, await work.minutes.settle(settled, now))
    return len(settled)


async def tell(work: Work, changed: Mapping[ParticipationId, int]) -> None:
    """Tell that the earnings of participations changed, up to a seq of each."""
    for participation, seq in changed.items():
        id_ = derived(f"earnings.changed:{participation}", str(seq))
        await work.emit(EarningsChanged(id_, participation, seq))


async def _ask(ports: EarningPorts, transaction: Transaction | None) -> Code | Exception:
    if transaction is None:
        return Code.POSTED
    try:
        return (await ports.submissions.submit(transaction)).code
    except Exception as error:  # noqa: BLE001  # one minute's trouble must not keep the others
        return error
