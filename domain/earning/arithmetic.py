"""The price of one minute and its parts, in a form that both sides can compute again by hand.

Every figure of a minute is a difference of two totals, each rounded down once: what rounding leaves over in one minute
is thereby in a later one, so that after any number of minutes nothing was lost and nothing made.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Final

from domain.campaign.model import Pricing, Terms
from domain.earning.rates import WHOLE, Rates, Totals
from domain.money import Money

_THOUSAND: Final = 1_000


@dataclass(frozen=True, slots=True)
class Parts:
    """Where the money of a minute goes, in minor units: their sum is what it costs the brand."""

    earned: int = 0
    take: int = 0
    withholding_tax: int = 0
    value_added_tax: int = 0

    @property
    def gross(self) -> int:
        """The price: what the streamer, the platform and the tax on earnings share."""
        return self.earned + self.take + self.withholding_tax

    @property
    def cost(self) -> int:
        """What leaves the budget: the price, and value-added tax on top."""
        return self.gross + self.value_added_tax

    def reduced_to(self, gross: int) -> "Parts":
        """The same minute at a lower price, each part lowered alike and none above what it was.

        Raises ValueError for a price that is not from nothing to what it was.
        """
        whole = self.gross
        if not 0 <= gross <= whole:
            raise ValueError(f"a price of {whole} is not reduced to {gross}")
        if not whole:
            return self
        ends = accumulate((self.earned, self.take, self.withholding_tax), initial=0)
        earned, take, withheld = (until - since for since, until in pairwise(end * gross // whole for end in ends))
        return Parts(earned, take, withheld, self.value_added_tax * gross // whole)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a calculation: what it yields, and how."""

    name: str
    formula: str
    minor: int


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Everything that a minute's price depends on, and what it comes to."""

    terms: Terms
    rates: Rates
    before: Totals
    """What was paid for before this minute."""
    after: Totals
    parts: Parts

    @property
    def viewers(self) -> int:
        """How many saw it, by our samples."""
        return self.after.viewers - self.before.viewers

    @property
    def cost(self) -> Money:
        """What it takes out of the budget."""
        return Money(self.parts.cost, self.terms.rate.currency)

    def steps(self) -> Iterator[Step]:
        """The calculation line by line. Each line says which totals it is the difference of; `⌊ ⌋` is rounding down."""
        rates, parts = self.rates, self.parts
        of = (self.before.gross, self.after.gross)
        own = tuple(gross - rates.take.of(gross) for gross in of)
        yield Step("price", self._price(), parts.gross)
        yield Step("take", _difference(of, rates.take.parts), parts.take)
        yield Step("withholding_tax", _difference(own, rates.withholding_tax.parts), parts.withholding_tax)
        yield Step("earned", f"{parts.gross} - {parts.take} - {parts.withholding_tax}", parts.earned)
        yield Step("value_added_tax", _difference(of, rates.value_added_tax.parts), parts.value_added_tax)
        yield Step("cost", f"{parts.gross} + {parts.value_added_tax}", parts.cost)

    def _price(self) -> str:
        sums = (_until(self.terms, totals) for totals in (self.after, self.before))
        return " - ".join(f"⌊{rate} * {counted} / {whole}⌋" for rate, counted, whole in sums)


def price_of(terms: Terms, rates: Rates, before: Totals, viewers: int) -> Arithmetic:
    """The price of the minute that follows `before`, seen by so many. Raises ValueError for fewer than nobody."""
    if viewers < 0:
        raise ValueError(f"{viewers} viewers")
    counted = replace(before, minutes=before.minutes + 1, viewers=before.viewers + viewers)
    rate, number, whole = _until(terms, counted)
    gross = rate * number // whole
    parts = _parts(rates, before.gross, gross)
    return Arithmetic(terms, rates, before, replace(counted, gross=gross, cost=before.cost + parts.cost), parts)


def _until(terms: Terms, totals: Totals) -> tuple[int, int, int]:
    """What all minutes so far cost together: a rate, times so many, divided by so many, rounded down once.

    By the thousand it is viewers that count; a flat rate is spread evenly over the agreed minutes, and ends with them.
    """
    if terms.pricing is Pricing.FLAT:
        return terms.rate.minor, min(totals.minutes, terms.minutes), terms.minutes
    return terms.rate.minor, totals.viewers, _THOUSAND


def _parts(rates: Rates, before: int, after: int) -> Parts:
    """The parts of what the price grew by. Whatever the rates, each is from nothing to all of it."""
    take = rates.take.of(after) - rates.take.of(before)
    own_before, own_after = before - rates.take.of(before), after - rates.take.of(after)
    withheld = rates.withholding_tax.of(own_after) - rates.withholding_tax.of(own_before)
    tax = rates.value_added_tax.of(after) - rates.value_added_tax.of(before)
    return Parts(after - before - take - withheld, take, withheld, tax)


def _difference(totals: tuple[int, ...], parts: int) -> str:
    before, after = totals
    return f"⌊{after} * {parts} / {WHOLE}⌋ - ⌊{before} * {parts} / {WHOLE}⌋"
