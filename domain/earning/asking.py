"""Asking the ledger about minutes, many at once, and keeping what it answers.

What is asked stands in the minute's row before, under an id that is the minute's own: whoever comes upon it after a
crash, or at the same time, asks the same and hears the same, and an answer is kept once.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from domain.campaign.participation import ParticipationId
from domain.earning.events import EarningsChanged
from domain.earning.model import Due, MinuteState
from domain.earning.ports import EarningPorts, MinuteId, Settled
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
    """Ask about every minute that stands so, and keep the answers; how many there were.

    A minute without a useful answer is passed over, for it must not keep those behind it, and is asked about once in a
    sweep. A batch of which the ledger answers nothing at all is the last one: it cannot be reached.
    """
    settled, after, silent = 0, None, False
    while not silent and (due := await ports.reads.asked(question.state, _BATCH, after)):
        after = MinuteId(due[-1].minute, due[-1].participation)
        passed = {name for name, _ in swept.failed}
        new = [minute for minute in due if _name(minute) not in passed]
        answers = await asyncio.gather(*(_ask(ports, question.transaction(minute)) for minute in new))
        silent = bool(answers) and all(isinstance(answer, Exception) for answer in answers)
        found = [_useful(question, *pair, swept) for pair in zip(new, answers, strict=True)]
        settled += await _keep(ports, [one for one in found if one], now)
    return settled


async def _keep(ports: EarningPorts, settled: Sequence[Settled], now: datetime) -> int:
    if settled:
        async with ports.work() as work:
            await tell(work, await work.minutes.settle(settled, now))
    return len(settled)


def _useful(question: Asked, due: Due, answer: Code | Exception, swept: Swept) -> Settled | None:
    found = question.settled(due, answer) if isinstance(answer, Code) else None
    if found is None:
        wrong = answer if isinstance(answer, Exception) else LookupError(f"the ledger says {answer}")
        swept.failed.append((_name(due), wrong))
    return found


def _name(due: Due) -> str:
    return f"{due.participation} {due.minute.isoformat()}"


async def tell(work: Work, changed: Mapping[ParticipationId, int]) -> None:
    """Tell that the earnings of participations changed, up to a seq of each."""
    ids = {
        participation: derived(f"earnings.changed:{participation}", str(seq)) for participation, seq in changed.items()
    }
    await work.emit(*(EarningsChanged(ids[one], one, seq) for one, seq in changed.items()))


async def _ask(ports: EarningPorts, transaction: Transaction | None) -> Code | Exception:
    if transaction is None:
        return Code.POSTED
    try:
        return (await ports.submissions.submit(transaction)).code
    except Exception as error:  # noqa: BLE001  # one minute's trouble must not keep the others
        return error
