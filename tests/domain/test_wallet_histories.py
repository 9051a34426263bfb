"""Whatever a gateway's answers are seen in, in any order, late or twice, the money ends the same."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money
from domain.wallet.effects import ARRIVED, VOID
from domain.wallet.gateway import PaymentState, PaymentStatus, TakenBack
from tests.builders import FIFTY, IDR, status
from tests.paper import Paper, back

P = PaymentState


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
