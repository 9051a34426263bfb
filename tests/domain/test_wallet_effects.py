"""What a status answer means, by table and for any order in which answers may come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import AccountId
from domain.ledger.book import AccountState, Book
from domain.ledger.chart import Purpose
from domain.ledger.decision import decide
from domain.ledger.model import AccountKey, AccountStatus, Balance, Code
from domain.money import Currency, Money
from domain.wallet.effects import ARRIVED, VOID, Effects, effects
from domain.wallet.gateway import PaymentState, PaymentStatus, TakenBack
from domain.wallet.model import Attempt, TopUp, TopUpState
from domain.wallet.policy import MIDTRANS
from domain.wallet.postings import receivable, settlement
from tests.builders import CLEARING, FEES, FIFTY, IDR, UNALLOCATED, paper_attempt, paper_top_up, rupiah, status

P, S = PaymentState, TopUpState
NOW = paper_top_up().created_at


@dataclass
class Paper:
    """One order whose answers are applied to a book on paper, as the unit of work applies them to the database."""

    top_up: TopUp = field(default_factory=paper_top_up)
    attempt: Attempt = field(init=False)
    book: Book = field(init=False)

    def __post_init__(self) -> None:
        self.attempt = paper_attempt(self.top_up)
        platform = {account: AccountState() for account in (CLEARING, FEES, UNALLOCATED)}
        self.book = Book(
            {
                self.top_up.account: AccountState(floor=0),
                receivable(self.top_up.account): AccountState(ceiling=0),
                **platform,
            }
        )

    def answer(
        self, state: PaymentState, amount: Money = FIFTY, *backs: TakenBack, transaction_id: str = "one"
    ) -> Effects:
        return self.apply(status(self.attempt.order_id, state, amount, *backs, transaction_id=transaction_id))

    def apply(self, answer: PaymentStatus, *, over: bool = False, to_wallet: bool = True) -> Effects:
        found = effects(self.top_up, self.attempt, answer, latest=True, over=over, to_wallet=to_wallet)
        if found.moves:
            balances = {
                key: Balance(state.posted, state.held, state.seq, state.status)
                for key, state in self.book.accounts.items()
            }
            made = settlement(found, balances, MIDTRANS.methods[found.top_up.method], None)
            assert decide(self.book, made.transaction, NOW).code is Code.POSTED
        self.top_up, self.attempt = found.top_up, found.attempt
        return found

    def posted(self, account: AccountKey) -> int:
        """In whole rupiah; of platform accounts from the rows, as they keep no figures."""
        change = 0
        for row in self.book.rows:
            assert row.source is not None
            assert row.target is not None
            change += row.amount * ((row.target.account == account) - (row.source.account == account))
        return change // 100

    @property
    def wallet(self) -> int:
        return self.posted(self.top_up.account)

    @property
    def owed(self) -> int:
        return -self.posted(receivable(self.top_up.account))


def back(reference: str, units: int, *, final: bool = True) -> TakenBack:
    return TakenBack(reference, rupiah(units), final)


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
    assert names == ["TopUpTakenBack", "TopUpEnded"]
    assert not paper.answer(undone).moves


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


@st.composite
def histories(draw: st.DrawFn) -> list[PaymentStatus]:
    """What becomes of one payment at the gateway, by its own state machine, answer by answer."""
    answers = [status("x", P.UNKNOWN)]
    if draw(st.booleans()):
        answers.append(status("x", P.PENDING, transaction_id="denied"))
        answers.append(status("x", P.DENIED, transaction_id="denied"))
    answers.append(status("x", P.PENDING))
    if draw(st.booleans()):
        answers.append(status("x", P.CHALLENGED))
    end = draw(st.sampled_from([P.PENDING, P.DENIED, P.CANCELLED, P.EXPIRED, P.FAILED, P.PAID]))
    answers.append(status("x", end))
    if end is P.PAID:
        answers += draw(_afterwards())
    return answers


@st.composite
def _afterwards(draw: st.DrawFn) -> list[PaymentStatus]:
    kind = draw(st.sampled_from(["nothing", "denied", "cancelled", "refunds", "chargebacks"]))
    if kind in {"denied", "cancelled"}:
        return [status("x", P(kind))]
    if kind == "nothing":
        return []
    part, whole = {
        "refunds": (P.PARTIALLY_REFUNDED, P.REFUNDED),
        "chargebacks": (P.PARTIALLY_CHARGED_BACK, P.CHARGED_BACK),
    }[kind]
    backs: list[TakenBack] = []
    answers: list[PaymentStatus] = []
    left = 50_000
    for number, units in enumerate(draw(st.lists(st.integers(1, 50_000), min_size=1, max_size=4))):
        taken = min(units, left)
        if not taken:
            break
        left -= taken
        for final in (False, True) if kind == "refunds" else (True,):
            listed = [*backs, back(str(number), taken, final=final)]
            answers.append(status("x", part if left else whole, FIFTY, *listed))
        backs.append(back(str(number), taken))
    return answers


def _final_wallet(history: Sequence[PaymentStatus]) -> int:
    """What the owner has in the end, from the last answer alone."""
    last = history[-1]
    if last.state not in ARRIVED:
        return 0
    return 50_000 - sum(each.amount.whole_units for each in last.taken_back if each.final)


def _asked(history: Sequence[PaymentStatus], order_id: str) -> list[PaymentStatus]:
    return [replace(answer, order_id=order_id) for answer in history]


@given(histories(), st.data())
def test_whatever_answers_are_seen_the_last_one_decides(history: list[PaymentStatus], data: st.DataObject) -> None:
    """Any answers in any order, repeated, old ones after new ones: once the last is seen, the money is right."""
    paper = Paper()
    answers = _asked(history, paper.attempt.order_id)
    seen = data.draw(st.lists(st.sampled_from(answers), max_size=8))
    for answer in [*seen, answers[-1], *data.draw(st.lists(st.just(answers[-1]), max_size=2))]:
        paper.apply(answer)
        assert Money.zero(IDR) <= paper.top_up.taken_back <= paper.top_up.credited <= FIFTY
    assert paper.wallet - paper.owed == _final_wallet(answers)


@given(histories(), st.data())
def test_money_that_did_not_go_back_is_never_taken(history: list[PaymentStatus], data: st.DataObject) -> None:
    """No order of answers takes back more than the gateway ever said had gone."""
    paper = Paper()
    answers = _asked(history, paper.attempt.order_id)
    for answer in data.draw(st.permutations(answers)):
        paper.apply(answer)
    gone = max(
        (sum(each.amount.whole_units for each in answer.taken_back if each.final) for answer in answers), default=0
    )
    void = any(answer.state in VOID and answer.transaction_id == "one" for answer in answers)
    assert paper.top_up.taken_back.whole_units in ({0, 50_000} if void else {gone})


@given(histories(), st.data())
def test_in_order_with_gaps_and_repeats_nothing_needs_the_last_look(
    history: list[PaymentStatus], data: st.DataObject
) -> None:
    """Answers in the order of time, some missing, some repeated, always end as the last of them says."""
    paper = Paper()
    answers = _asked(history, paper.attempt.order_id)
    places = sorted(data.draw(st.lists(st.integers(0, len(answers) - 1), min_size=1, max_size=10)))
    for place in places:
        paper.apply(answers[place])
    assert paper.wallet - paper.owed == _final_wallet(answers[: places[-1] + 1])


def test_the_table_knows_every_account_of_a_settlement() -> None:
    balances: Mapping[AccountKey, Balance] = {}
    top_up = replace(paper_top_up(), wallet=AccountId(7))
    found = effects(top_up, paper_attempt(top_up), status("x", P.PAID), latest=True, over=False)
    made = settlement(found, balances, None, None)
    assert [posting.kind for posting in made.transaction.postings] == ["top_up"]
    assert made.transaction.postings[0].target.purpose is Purpose.HOSTING_CREDIT
