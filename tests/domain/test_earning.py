"""What a minute is worth, on paper: nothing lost, nothing made, whoever computes it, in whatever order it was heard."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.campaign.model import Caps, Pricing, Terms
from domain.earning.arithmetic import Arithmetic, Parts, price_of
from domain.earning.bounds import Bounds, Spent, reached
from domain.earning.model import Unpaid
from domain.earning.postings import Route, give_back, pay, set_aside
from domain.earning.rates import WHOLE, Rate, Rates, Totals
from domain.earning.sharing import (
    EVERY,
    NONE,
    Claim,
    Seconds,
    belonging,
    minute_of,
    seconds_between,
    shared,
    union,
)
from domain.ids import PersonId, uuid7
from domain.ledger.book import AccountState, Book
from domain.ledger.decision import decide
from domain.ledger.model import Code, Transaction
from domain.money import Currency, Money
from tests.builders import rupiah

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IDR = Currency.IDR
_USUAL = Rates(Rate(2_000), Rate(250), Rate(1_100))

cuts = st.builds(Rates, *(st.integers(0, WHOLE).map(Rate) for _ in range(3)))
amounts = st.integers(1, 10**12).map(lambda minor: Money(minor, IDR))
agreed = st.builds(Terms, st.sampled_from(Pricing), amounts, st.integers(1, 500))
audiences = st.lists(st.integers(0, 10**6), max_size=60)
seconds = st.integers(0, EVERY).map(Seconds)
parts = st.builds(Parts, *(st.integers(0, 10**9) for _ in range(4)))
creatives = st.dictionaries(st.uuids(), st.integers(0, 60), min_size=1, max_size=8)


def followed(terms: Terms, rates: Rates, audience: Sequence[int]) -> list[Arithmetic]:
    """Minute after minute."""
    minutes: list[Arithmetic] = []
    before = Totals()
    for viewers in audience:
        minutes.append(price_of(terms, rates, before, viewers))
        before = minutes[-1].after
    return minutes


def test_a_thousand_viewers_cost_the_cpm() -> None:
    priced = price_of(Terms(Pricing.CPM, rupiah(50_000), 60), _USUAL, Totals(), 1_000)
    assert priced.parts == Parts(39_000_00, 10_000_00, 1_000_00, 5_500_00)
    assert (priced.parts.gross, priced.cost) == (50_000_00, rupiah(55_500))


def test_what_rounding_leaves_over_is_in_a_later_minute() -> None:
    terms = Terms(Pricing.CPM, Money(1, IDR), 60)
    assert [minute.parts.gross for minute in followed(terms, Rates(), [400] * 5)] == [0, 0, 1, 0, 1]


def test_a_flat_rate_is_spread_over_the_agreed_minutes_and_ends_with_them() -> None:
    terms = Terms(Pricing.FLAT, Money(10, IDR), 3)
    assert [minute.parts.gross for minute in followed(terms, Rates(), [0, 9_999, 5, 7])] == [3, 3, 4, 0]


@given(agreed, cuts, audiences)
def test_minutes_sum_to_what_their_totals_come_to(terms: Terms, rates: Rates, audience: list[int]) -> None:
    minutes = followed(terms, rates, audience)
    gross = sum(minute.parts.gross for minute in minutes)
    if terms.pricing is Pricing.FLAT:
        assert gross == terms.rate.minor * min(len(audience), terms.minutes) // terms.minutes
    else:
        assert gross == terms.rate.minor * sum(audience) // 1_000
    take = sum(minute.parts.take for minute in minutes)
    withheld = sum(minute.parts.withholding_tax for minute in minutes)
    assert take == gross * rates.take.parts // WHOLE
    assert withheld == (gross - take) * rates.withholding_tax.parts // WHOLE
    assert sum(minute.parts.earned for minute in minutes) == gross - take - withheld
    assert sum(minute.parts.value_added_tax for minute in minutes) == gross * rates.value_added_tax.parts // WHOLE


@given(agreed, cuts, audiences)
def test_no_part_is_ever_negative(terms: Terms, rates: Rates, audience: list[int]) -> None:
    for minute in followed(terms, rates, audience):
        assert min(minute.parts.earned, minute.parts.take, minute.parts.withholding_tax) >= 0
        assert minute.parts.value_added_tax >= 0


@given(agreed, cuts, audiences, st.randoms(use_true_random=False))
def test_in_which_order_minutes_counted_does_not_change_their_sum(
    terms: Terms, rates: Rates, audience: list[int], chance: Random
) -> None:
    other = sorted(audience)
    chance.shuffle(other)
    costs = [sum(minute.parts.cost for minute in followed(terms, rates, order)) for order in (audience, other)]
    assert costs[0] == costs[1]


@given(agreed, cuts, audiences)
def test_each_line_of_the_calculation_says_how_it_is_computed(terms: Terms, rates: Rates, audience: list[int]) -> None:
    for minute in followed(terms, rates, audience):
        for step in minute.steps():
            assert by_hand(step.formula) == step.minor, step
        lines = {step.name: step.minor for step in minute.steps()}
        assert lines["price"] == lines["earned"] + lines["take"] + lines["withholding_tax"]
        assert lines["cost"] == minute.cost.minor == lines["price"] + lines["value_added_tax"]


def by_hand(formula: str) -> int:
    """What somebody gets who computes a line as it stands there."""
    first, operator, second = _cut(formula)
    if not operator:
        return _term(first)
    return by_hand(first) - _term(second) if operator == "-" else by_hand(first) + _term(second)


def _cut(formula: str) -> tuple[str, str, str]:
    place = max(formula.rfind(" - "), formula.rfind(" + "))
    return (formula, "", "") if place < 0 else (formula[:place], formula[place + 1], formula[place + 3 :])


def _term(text: str) -> int:
    if not text.startswith("⌊"):
        return int(text)
    product, _, divisor = text.strip("⌊⌋").partition(" / ")
    left, _, right = product.partition(" * ")
    return int(left) * int(right) // int(divisor)


@given(parts, st.data())
def test_a_reduced_minute_has_no_part_above_what_it_was(whole: Parts, data: st.DataObject) -> None:
    gross = data.draw(st.integers(0, whole.gross))
    less = whole.reduced_to(gross)
    assert less.gross == gross
    for part in ("earned", "take", "withholding_tax", "value_added_tax"):
        assert 0 <= getattr(less, part) <= getattr(whole, part)
    if whole.gross:
        assert abs(less.earned * whole.gross - whole.earned * gross) < whole.gross


def test_a_price_is_not_reduced_to_more() -> None:
    for gross in (-1, 11):
        with pytest.raises(ValueError, match="not reduced"):
            Parts(earned=10).reduced_to(gross)


@given(st.integers(0, 10**12), creatives, st.randoms(use_true_random=False))
def test_shares_sum_to_the_amount_in_whatever_order_creatives_come(
    minor: int, seen: dict[UUID, int], chance: Random
) -> None:
    if not any(seen.values()):
        with pytest.raises(ValueError, match="nothing was seen"):
            shared(minor + 1, seen)
        assert shared(0, seen) == {}
        return
    found = shared(minor, seen)
    assert sum(found.values()) == minor
    whole = sum(seen.values())
    for creative, share in found.items():
        assert abs(share * whole - minor * seen[creative]) < whole
    items = list(seen.items())
    chance.shuffle(items)
    assert shared(minor, dict(items)) == found


def test_seconds_of_a_minute() -> None:
    assert seconds_between(0, 59) == EVERY
    assert seconds_between(59, 59).bit_length() == 60
    assert union([seconds_between(0, 9), seconds_between(5, 19)]).bit_count() == 20
    assert union([]) == NONE
    assert minute_of(NOON + timedelta(seconds=59, microseconds=999_999)) == NOON
    for first, last in ((-1, 3), (4, 3), (0, 60)):
        with pytest.raises(ValueError, match="no seconds"):
            seconds_between(first, last)


claims = st.builds(Claim, st.uuids(), st.integers(0, 90).map(lambda late: NOON + timedelta(seconds=late)), seconds)


@given(st.lists(claims, max_size=8), st.randoms(use_true_random=False))
def test_a_streamers_second_is_never_paid_twice(all_claims: list[Claim], chance: Random) -> None:
    owned = belonging(all_claims)
    assert (
        sum(seen.bit_count() for seen in owned.values()) == union(claim.seen for claim in all_claims).bit_count() <= 60
    )
    chance.shuffle(all_claims)
    assert belonging(all_claims) == owned


def test_of_two_who_claim_a_second_the_first_has_it() -> None:
    early, late = UUID(int=2), UUID(int=1)
    owned = belonging(
        [Claim(late, NOON + timedelta(seconds=1), seconds_between(0, 29)), Claim(early, NOON, seconds_between(20, 39))]
    )
    assert owned == {early: seconds_between(20, 39), late: seconds_between(0, 19)}


def test_a_minute_is_paid_whole_within_caps_or_not_at_all() -> None:
    caps = Caps(daily=rupiah(100), per_streamer=rupiah(50))
    spent = Spent(rupiah(90), rupiah(45), rupiah(300))
    bounds = Bounds(caps, rupiah(400))
    assert reached(bounds, spent, rupiah(5)) is None
    assert reached(bounds, spent, rupiah(6)) is Unpaid.STREAMER_CAP
    assert reached(bounds, spent, rupiah(11)) is Unpaid.DAILY_CAP
    assert reached(Bounds(Caps(), None), spent, rupiah(10**6)) is None
    assert reached(Bounds(Caps(), rupiah(304)), spent, rupiah(5)) is Unpaid.AHEAD_OF_PACE
    assert reached(Bounds(Caps(), rupiah(305)), spent, rupiah(5)) is None


class Escrow:
    """A campaign's budget in a ledger on paper."""

    def __init__(self, budget: int) -> None:
        self.route = Route(uuid7(), PersonId(uuid7()), IDR)
        self.book = Book(
            {key: AccountState(floor=None if key.purpose.is_platform else 0) for key in self.route.accounts}
        )
        self.book.accounts[self.route.escrow].posted = budget

    def do(self, transaction: Transaction) -> Code:
        """Decide a transaction."""
        return decide(self.book, transaction, NOON).code

    @property
    def state(self) -> AccountState:
        """What is left of the budget, and set aside of it."""
        return self.book.accounts[self.route.escrow]


@given(st.integers(0, 10**7), agreed, cuts, audiences)
def test_a_budget_never_overspends_and_what_is_paid_is_what_was_set_aside(
    budget: int, terms: Terms, rates: Rates, audience: list[int]
) -> None:
    escrow, participation = Escrow(budget), uuid7()
    earned = 0
    for number, minute in enumerate(followed(terms, rates, audience)):
        at = NOON + timedelta(minutes=number)
        transaction = set_aside(escrow.route, participation, at, minute.parts)
        if transaction is None:
            assert minute.parts.cost == 0
            continue
        before = escrow.state.posted - escrow.state.held
        fits = minute.parts.cost <= before
        assert escrow.do(transaction) is (Code.POSTED if fits else Code.INSUFFICIENT_FUNDS)
        assert escrow.do(transaction) is (Code.POSTED if fits else Code.INSUFFICIENT_FUNDS)
        if fits:
            assert escrow.state.posted - escrow.state.held == before - minute.parts.cost >= 0
            assert escrow.do(pay(escrow.route, participation, at, minute.parts, minute.parts)) is Code.POSTED
            earned += minute.parts.earned
    assert escrow.state.held == 0
    assert escrow.book.accounts[escrow.route.earned].posted == earned


@given(parts.filter(lambda whole: whole.gross > 0), st.data())
def test_a_reduced_minute_pays_less_and_the_rest_is_the_campaigns_again(whole: Parts, data: st.DataObject) -> None:
    escrow, participation = Escrow(whole.cost), uuid7()
    hold = set_aside(escrow.route, participation, NOON, whole)
    assert hold is not None
    assert escrow.do(hold) is Code.POSTED
    less = whole.reduced_to(data.draw(st.integers(0, whole.gross)))
    if less.cost:
        assert escrow.do(pay(escrow.route, participation, NOON, whole, less)) is Code.POSTED
    if less != whole:
        assert escrow.do(give_back(participation, NOON)) is Code.POSTED
    assert (escrow.state.posted, escrow.state.held) == (whole.cost - less.cost, 0)
    assert escrow.book.accounts[escrow.route.earned].posted == less.earned


def test_a_rate_is_from_nothing_to_all() -> None:
    for wrong in (-1, WHOLE + 1):
        with pytest.raises(ValueError, match="ten-thousandths"):
            Rate(wrong)
    with pytest.raises(ValueError, match="viewers"):
        price_of(Terms(Pricing.CPM, rupiah(1), 1), Rates(), Totals(), -1)
