"""What a status answer means, by table and for any order in which answers may come."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from domain.ids import AccountId
from domain.ledger.book import AccountState
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountKey, AccountStatus, Balance
from domain.money import Currency, Money
from domain.wallet.effects import effects
from domain.wallet.gateway import PaymentState, TakenBack
from domain.wallet.model import TopUpState
from domain.wallet.policy import MIDTRANS
from domain.wallet.postings import charged, receivable, settlement
from tests.builders import CLEARING, FEES, FIFTY, IDR, UNALLOCATED, paper_attempt, paper_top_up, rupiah, status
from tests.paper import Paper, back

P, S = PaymentState, TopUpState
NOW = paper_top_up().created_at


CASES: dict[str, tuple[PaymentState, TopUpState]] = {
    "unknown": (P.UNKNOWN, S.PENDING),
    "pending": (P.PENDING, S.PENDING),
    "authorized": (P.AUTHORIZED, S.PENDING),
    "challenged": (P.CHALLENGED, S.CHALLENGED),
    "paid": (P.PAID, S.SETTLED),
    "denied": (P.DENIED, S.FAILED),
    "cancelled": (P.CANCELLED, S.CANCELLED),
    "expired": (P.EXPIRED, S.EXPIRED),
    "failed": (P.FAILED, S.FAILED),
}


@pytest.mark.parametrize(("state", "expected"), CASES.values(), ids=CASES)
def test_each_answer_leads_to_its_state(state: PaymentState, expected: TopUpState) -> None:
    paper = Paper()
    found = paper.answer(state)
    assert paper.top_up.state is expected
    assert found.moves is (state is P.PAID)


def test_a_payment_is_credited_once_with_its_fee() -> None:
    paper = Paper()
    assert [type(event).__name__ for event in paper.answer(P.PAID).events] == ["TopUpSettled"]
    assert not paper.answer(P.PAID).moves
    assert (paper.wallet, paper.posted(CLEARING), paper.posted(FEES)) == (50_000, -46_000, -4_000)
    assert paper.top_up.credited == FIFTY


@pytest.mark.parametrize("before", [P.DENIED, P.CANCELLED, P.EXPIRED, P.FAILED, P.CHALLENGED])
def test_late_success_lands(before: PaymentState) -> None:
    paper = Paper()
    paper.answer(before)
    paper.answer(P.PAID)
    assert (paper.wallet, paper.top_up.state) == (50_000, S.SETTLED)


@pytest.mark.parametrize("undone", [P.DENIED, P.CANCELLED, P.EXPIRED, P.FAILED])
def test_what_was_credited_is_taken_back_whole_when_the_payment_comes_to_nothing(undone: PaymentState) -> None:
    paper = Paper()
    paper.answer(P.PAID)
    names = [type(event).__name__ for event in paper.answer(undone).events]
    assert (paper.wallet, paper.top_up.taken_back) == (0, FIFTY)
    assert (paper.posted(CLEARING), paper.posted(FEES)) == (0, 0), "a void payment costs no fee"
    assert names == ["TopUpTakenBack", "TopUpEnded"]
    assert not paper.answer(undone).moves


@pytest.mark.parametrize("amount", [FIFTY, rupiah(49_000)], ids=["credited", "misfit"])
def test_a_void_payment_returns_the_fee_that_was_posted_whatever_the_terms_have_become(amount: Money) -> None:
    paper = Paper()
    paper.answer(P.PAID, amount)
    assert paper.attempt.fee == rupiah(4_000)
    paper.terms = replace(MIDTRANS.methods[paper.top_up.method], fee_flat=rupiah(5_500), fee_permille=20)
    paper.answer(P.CANCELLED, amount)
    assert (paper.posted(CLEARING), paper.posted(FEES)) == (0, 0)


def test_a_denial_of_an_earlier_try_takes_nothing_back() -> None:
    paper = Paper()
    paper.answer(P.DENIED, transaction_id="first card")
    paper.answer(P.PAID, transaction_id="second card")
    assert not paper.answer(P.DENIED, transaction_id="first card").moves
    assert (paper.wallet, paper.top_up.state) == (50_000, S.SETTLED)


def test_paid_again_after_all_went_back_is_for_staff() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    paper.answer(P.CANCELLED)
    found = paper.answer(P.PAID)
    assert not found.moves
    assert paper.top_up.state is S.IN_REVIEW
    assert paper.top_up.review is not None
    assert [type(event).__name__ for event in found.events] == ["TopUpNeedsReview"]


@pytest.mark.parametrize("undone", [P.REFUNDED, P.CHARGED_BACK])
def test_paid_again_after_all_was_given_back_is_for_staff(undone: PaymentState) -> None:
    paper = Paper()
    paper.answer(P.PAID)
    paper.answer(undone, FIFTY, back("1", 50_000))
    assert not paper.answer(P.PAID).moves
    assert (paper.wallet, paper.top_up.state) == (0, S.IN_REVIEW)


@pytest.mark.parametrize("second", [P.PAID, P.REFUNDED, P.CHARGED_BACK])
def test_a_second_payment_under_one_order_is_for_staff_and_hides_nothing(second: PaymentState) -> None:
    paper = Paper()
    paper.answer(P.PAID, transaction_id="one")
    found = paper.answer(second, FIFTY, back("1", 50_000), transaction_id="two")
    assert not found.moves
    assert [type(event).__name__ for event in found.events] == ["TopUpNeedsReview"]
    assert (paper.wallet, paper.top_up.state, paper.attempt.transaction_id) == (50_000, S.IN_REVIEW, "one")
    assert not paper.answer(second, FIFTY, back("1", 50_000), transaction_id="two").events


def test_one_attempt_that_comes_to_nothing_ends_no_top_up_whose_other_attempts_money_stays() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    twice = replace(paper.top_up, credited=FIFTY + FIFTY)
    found = effects(twice, paper.attempt, status(paper.attempt.order_id, P.CANCELLED), latest=False, over=False)
    assert (found.gone_back, found.top_up.state, found.top_up.taken_back) == (FIFTY, S.SETTLED, FIFTY)


def test_refunds_are_posted_by_what_is_new_and_only_once_final() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    assert not paper.answer(P.PARTIALLY_REFUNDED, FIFTY, back("1", 10_000, final=False)).moves
    paper.answer(P.PARTIALLY_REFUNDED, FIFTY, back("1", 10_000))
    assert paper.wallet == 40_000
    paper.answer(P.PARTIALLY_REFUNDED, FIFTY, back("1", 10_000), back("2", 15_000, final=False))
    assert paper.wallet == 40_000
    paper.answer(P.REFUNDED, FIFTY, back("1", 10_000), back("2", 40_000))
    assert (paper.wallet, paper.top_up.taken_back, paper.top_up.state) == (0, FIFTY, S.SETTLED)


def test_a_total_that_holds_the_earlier_ones_too_is_not_added_up() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    paper.answer(P.PARTIALLY_CHARGED_BACK, FIFTY, back("1", 10_000))
    paper.answer(P.PARTIALLY_CHARGED_BACK, FIFTY, back("2", 25_000))
    assert paper.wallet == 25_000
    backs = (back("1", 10_000), back("2", 25_000), back("3", 30_000))
    paper.apply(status(paper.attempt.order_id, P.PARTIALLY_CHARGED_BACK, FIFTY, *backs, total=rupiah(30_000)))
    assert paper.wallet == 20_000


def test_a_whole_chargeback_after_a_partial_refund_takes_all_that_is_left() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    paper.answer(P.PARTIALLY_REFUNDED, FIFTY, TakenBack("1", rupiah(10_000), final=True))
    paper.answer(P.CHARGED_BACK, FIFTY, TakenBack("1", rupiah(10_000), final=True))
    assert (paper.wallet, paper.top_up.taken_back) == (0, FIFTY)


def test_a_refund_seen_before_its_payment_tells_of_both() -> None:
    paper = Paper()
    found = paper.answer(P.PARTIALLY_REFUNDED, FIFTY, back("1", 20_000))
    assert (paper.wallet, paper.top_up.credited, paper.top_up.taken_back) == (30_000, FIFTY, rupiah(20_000))
    assert [type(event).__name__ for event in found.events] == ["TopUpSettled", "TopUpTakenBack"]


def test_more_is_never_taken_back_than_came_in() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    paper.answer(P.CHARGED_BACK, FIFTY, back("1", 80_000))
    assert (paper.wallet, paper.owed, paper.top_up.taken_back) == (0, 0, FIFTY)


def test_what_the_wallet_no_longer_has_is_owed_and_what_is_held_stays() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    account = paper.book.accounts[paper.top_up.account]
    account.held = 40_000_00
    paper.answer(P.CHARGED_BACK, FIFTY, back("1", 50_000))
    assert (paper.wallet, paper.owed, account.held) == (40_000, 40_000, 40_000_00)


def test_a_credit_first_pays_what_is_owed_gross() -> None:
    paper = Paper()
    paper.book.accounts[receivable(paper.top_up.account)].posted = -30_000_00
    paper.answer(P.PAID)
    assert (paper.wallet, paper.top_up.credited) == (20_000, FIFTY)
    assert paper.book.accounts[receivable(paper.top_up.account)].posted == 0


def test_only_what_is_kept_of_a_credit_pays_debts() -> None:
    paper = Paper()
    debt = paper.book.accounts[receivable(paper.top_up.account)]
    debt.posted = -30_000_00
    paper.answer(P.PARTIALLY_REFUNDED, FIFTY, back("1", 45_000))
    assert (paper.wallet, debt.posted) == (0, -25_000_00)


WRONG = {
    "too little": rupiah(49_000),
    "too much": rupiah(51_000),
    "another currency": Money.whole(50_000, Currency.USD),
}


@pytest.mark.parametrize("amount", WRONG.values(), ids=WRONG)
def test_what_does_not_fit_never_reaches_the_wallet(amount: Money) -> None:
    paper = Paper()
    for account in (CLEARING, FEES, UNALLOCATED):
        paper.book.accounts[account._replace(currency=Currency.USD)] = AccountState()
    found = paper.answer(P.PAID, amount)
    assert (paper.wallet, paper.top_up.state, paper.top_up.credited) == (0, S.IN_REVIEW, Money.zero(IDR))
    assert paper.posted(UNALLOCATED._replace(currency=amount.currency)) == amount.whole_units
    assert [type(event).__name__ for event in found.events] == ["TopUpNeedsReview"]
    assert not paper.answer(P.PAID, amount).moves


def test_a_currency_that_we_do_not_know_is_for_staff_and_moves_nothing() -> None:
    paper = Paper()
    answer = replace(status(paper.attempt.order_id, P.PAID, None), unread="50000.00 XYZ")
    found = paper.apply(answer)
    assert not found.moves
    assert (paper.top_up.state, paper.top_up.credited, paper.attempt.received) == (S.IN_REVIEW, Money.zero(IDR), None)
    assert "50000.00 XYZ" in (paper.top_up.review or "")
    assert [type(event).__name__ for event in found.events] == ["TopUpNeedsReview"]
    again = paper.apply(answer)
    assert (again.top_up, again.attempt, again.events) == (found.top_up, found.attempt, ())


def test_a_currency_that_becomes_unknown_after_the_credit_takes_nothing_back() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    for state in (P.PAID, P.PARTIALLY_REFUNDED):
        assert not paper.apply(replace(status(paper.attempt.order_id, state, None), unread="50000.00 XYZ")).moves
    assert (paper.wallet, paper.top_up.state) == (50_000, S.IN_REVIEW)


def test_a_pending_payment_in_an_unknown_currency_is_only_pending() -> None:
    paper = Paper()
    paper.apply(replace(status(paper.attempt.order_id, P.PENDING, None), unread="50000.00 XYZ"))
    assert (paper.top_up.state, paper.top_up.review) == (S.PENDING, None)


def test_a_misfit_that_is_refunded_goes_back_from_where_it_lay() -> None:
    paper = Paper()
    paper.answer(P.PAID, rupiah(49_000))
    paper.answer(P.REFUNDED, rupiah(49_000), back("1", 49_000))
    assert (paper.posted(UNALLOCATED), paper.wallet, paper.top_up.taken_back) == (0, 0, Money.zero(IDR))


def test_a_wallet_that_takes_nothing_leaves_the_money_to_staff() -> None:
    paper = Paper()
    paper.apply(status(paper.attempt.order_id, P.PAID), to_wallet=False)
    assert (paper.wallet, paper.posted(UNALLOCATED), paper.top_up.state) == (0, 50_000, S.IN_REVIEW)


def test_of_a_closed_wallet_nothing_is_taken() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    account = paper.book.accounts[paper.top_up.account]
    account.posted, account.status = 0, AccountStatus.CLOSED
    paper.answer(P.CHARGED_BACK, FIFTY, back("1", 50_000))
    assert paper.owed == 50_000


def test_an_amount_that_changes_afterwards_is_for_staff() -> None:
    paper = Paper()
    paper.answer(P.PAID)
    assert not paper.answer(P.PAID, rupiah(60_000)).moves
    assert paper.top_up.state is S.IN_REVIEW


def test_nobody_paid_until_the_end() -> None:
    paper = Paper()
    assert paper.apply(status(paper.attempt.order_id, P.UNKNOWN)).top_up.state is S.PENDING
    assert paper.apply(status(paper.attempt.order_id, P.UNKNOWN), over=True).top_up.state is S.EXPIRED


def test_an_earlier_attempt_ends_nothing_while_a_later_one_is_open() -> None:
    top_up = paper_top_up()
    answer = status(paper_attempt(top_up).order_id, P.EXPIRED)
    assert effects(top_up, paper_attempt(top_up), answer, latest=False, over=False).top_up.state is S.PENDING
    assert effects(top_up, paper_attempt(top_up), answer, latest=True, over=False).top_up.state is S.EXPIRED


def test_events_of_one_cause_have_one_id() -> None:
    one = Paper()
    other = Paper(one.top_up)
    other.answer(P.PENDING)
    assert one.answer(P.PAID).events[0].id == other.answer(P.PAID).events[0].id


def test_the_table_knows_every_account_of_a_settlement() -> None:
    balances: Mapping[AccountKey, Balance] = {}
    top_up = replace(paper_top_up(), wallet=AccountId(7))
    found = effects(top_up, paper_attempt(top_up), status("x", P.PAID), latest=True, over=False)
    made = settlement(charged(found, None), balances, None)
    assert [posting.kind for posting in made.transaction.postings] == ["top_up"]
    assert made.transaction.postings[0].target.purpose is Purpose.HOSTING_CREDIT
