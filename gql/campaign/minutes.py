"""Minutes as both sides see them: what was seen, what it came to line by line, and what became of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final, Self

import strawberry

from domain.earning import arithmetic, model
from domain.earning.arithmetic import Parts
from gql.access import Right, field
from gql.campaign.creatives import CREATIVE
from gql.campaign.minute_enums import Doubt, MinuteState, Unpaid
from gql.campaign.plans import CampaignTerms
from gql.errors import BadInputError
from gql.money import Money
from gql.node import global_id
from gql.weights import at_most

MOST_CREATIVES: Final = 20
_STEPS: Final = 6
_DOUBTS = {doubt.value: doubt for doubt in Doubt}
_UNPAID = {reason.value: reason for reason in Unpaid}


@strawberry.type(description="One line of a calculation.")
class ArithmeticStep:
    """One line of a calculation."""

    name: str = field(Right.PARENT, "What it yields.")
    formula: str = field(Right.PARENT, "How, in minor units; ⌊ ⌋ is rounding down.")
    amount: Money = field(Right.PARENT, "What it comes to.")


@strawberry.type(description="Everything that a minute's price depends on: both sides can compute it again.")
class MinuteArithmetic:
    """How a minute got its price."""

    terms: CampaignTerms = field(Right.PARENT, "What was agreed.")
    take_rate: int = field(Right.PARENT, "Our part of the price, in ten-thousandths.")
    withholding_tax_rate: int = field(Right.PARENT, "Tax withheld of the rest, in ten-thousandths.")
    value_added_tax_rate: int = field(Right.PARENT, "Tax on top of the price, in ten-thousandths.")
    earned: Money = field(Right.PARENT, "What the streamer earns.")
    cost: Money = field(Right.PARENT, "What it costs the brand.")
    steps: list[ArithmeticStep] = field(Right.PARENT, "The calculation, line by line.", list_size=at_most(_STEPS))

    @classmethod
    def of(cls, found: arithmetic.Arithmetic) -> Self:
        """Show how a minute got its price."""
        currency, rates = found.terms.rate.currency, found.rates
        return cls(
            terms=CampaignTerms.of(found.terms), take_rate=rates.take.parts,
            withholding_tax_rate=rates.withholding_tax.parts, value_added_tax_rate=rates.value_added_tax.parts,
            earned=Money.of_minor(found.parts.earned, currency), cost=Money.of(found.cost),
            steps=[
                ArithmeticStep(name=step.name, formula=step.formula, amount=Money.of_minor(step.minor, currency))
                for step in found.steps()
            ],
        )  # fmt: skip


@strawberry.type(description="For how long of a minute a creative was visible, and its part of the price.")
class MinuteShare:
    """A creative's part of a minute."""

    creative_id: strawberry.ID = field(Right.PARENT, "The creative's global id.")
    seconds: int = field(Right.PARENT, "So long it was visible.")
    share: Money | None = field(Right.PARENT, "Its part of the price; null for a minute without one.")


@strawberry.type(description="What staff left of a minute's price after a dispute.")
class MinuteKept:
    """What staff left of a minute's price."""

    earned: Money = field(Right.PARENT, "What the streamer earns.")
    cost: Money = field(Right.PARENT, "What it costs the brand.")


@strawberry.type(description="A minute of a participation, as both sides see it.")
class EarnedMinute:
    """A minute of a participation."""

    minute: datetime = field(Right.PARENT, "When it began.")
    state: MinuteState = field(Right.PARENT, "Where it stands.")
    doubt: Doubt | None = field(Right.PARENT, "What is odd about it, where staff looks at it.")
    unpaid: Unpaid | None = field(Right.PARENT, "Why it is not paid, where it is not.")
    viewers: int | None = field(Right.PARENT, "How many watched, as we sampled them; null before it is closed.")
    shares: list[MinuteShare] = field(
        Right.PARENT, "What was visible in it, once it is closed.", list_size=at_most(MOST_CREATIVES)
    )
    arithmetic: MinuteArithmetic | None = field(Right.PARENT, "How it got its price; null where it has none.")
    kept: MinuteKept | None = field(Right.PARENT, "What staff left of the price; null where nobody ruled on it.")
    appealable_until: datetime | None = field(
        Right.PARENT, "Until when its streamer may dispute that staff rejected its evidence; null where staff did not."
    )
    closed_at: datetime | None = field(Right.PARENT, "When it was closed.")
    released_at: datetime | None = field(Right.PARENT, "When it was paid.")

    @classmethod
    def of(cls, found: model.EarnedMinute) -> Self:
        """Show a minute."""
        return cls(
            minute=found.minute, state=found.state, doubt=_DOUBTS.get(found.reason), unpaid=_UNPAID.get(found.reason),
            viewers=found.viewers, shares=[*_shares(found)], kept=_kept(found),
            arithmetic=None if found.arithmetic is None else MinuteArithmetic.of(found.arithmetic),
            appealable_until=found.appealable_until, closed_at=found.closed_at, released_at=found.released_at,
        )  # fmt: skip


def _shares(found: model.EarnedMinute) -> Iterator[MinuteShare]:
    for creative, seconds in sorted(found.seconds.items()):
        share = None
        if found.arithmetic is not None:
            share = Money.of_minor(found.shares[creative], found.arithmetic.cost.currency)
        yield MinuteShare(creative_id=global_id(CREATIVE, creative), seconds=seconds, share=share)


def _kept(found: model.EarnedMinute) -> MinuteKept | None:
    kept: Parts | None = found.kept
    if kept is None or found.arithmetic is None:
        return None
    currency = found.arithmetic.cost.currency
    return MinuteKept(earned=Money.of_minor(kept.earned, currency), cost=Money.of_minor(kept.cost, currency))


def moment_from(text: str) -> datetime:
    """A moment within a cursor. Raises `BadInputError`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise BadInputError("This is not a cursor of ours: give one back as you got it.")
    return found
