"""Rules of top-ups on paper: bounds, fees, days, states."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.chart import ALLOWED, Kind, Purpose
from domain.wallet.effects import CHECK_DELAYS_S, next_check_s
from domain.wallet.gateway import Method, PaymentState
from domain.wallet.model import COUNTED_AS_PENDING, ENDED, NEXT, TopUpState, Turn
from domain.wallet.policy import MIDTRANS, TopUpPolicy
from tests.builders import FIFTY, paper_attempt, paper_top_up, rupiah

FEES = {
    Method.BANK_TRANSFER: 4_000_00, Method.CARD: 3_450_00, Method.GOPAY: 1_000_00, Method.SHOPEEPAY: 1_000_00,
    Method.DANA: 750_00, Method.OVO: 750_00, Method.QRIS: 350_00, Method.CONVENIENCE_STORE: 5_000_00,
}  # fmt: skip


@pytest.mark.parametrize("method", Method)
def test_every_method_has_terms(method: Method) -> None:
    terms = MIDTRANS.methods[method]
    assert terms.minimum == rupiah(10_000)
    assert terms.minimum < terms.maximum
    assert terms.fee(FIFTY).minor == FEES[method]


@given(st.sampled_from(Method), st.integers(1, 10**12))
def test_a_fee_is_never_more_than_the_amount(method: Method, minor: int) -> None:
    amount = FIFTY.__class__(minor, FIFTY.currency)
    fee = MIDTRANS.methods[method].fee(amount)
    assert rupiah(0) <= fee <= amount


def test_midtrans_is_not_bound_to_games() -> None:
    assert MIDTRANS.purposes == {Purpose.HOSTING_CREDIT, Purpose.BRAND_PREPAID}
    assert {(Purpose.GATEWAY_CLEARING, purpose) for purpose in MIDTRANS.purposes} <= ALLOWED[Kind.TOP_UP]


def test_the_day_is_jakartas() -> None:
    start, end = TopUpPolicy().day_of(datetime.fromisoformat("2026-11-20T17:00:00+00:00"))
    assert start.isoformat() == "2026-11-21T00:00:00+07:00"
    assert (end - start).total_seconds() == 86_400
    before, _ = TopUpPolicy().day_of(datetime.fromisoformat("2026-11-20T16:59:59+00:00"))
    assert before.isoformat() == "2026-11-20T00:00:00+07:00"


@pytest.mark.parametrize("state", TopUpState)
def test_money_lands_whatever_the_state(state: TopUpState) -> None:
    landed = NEXT.get((state, Turn.LANDED), state)
    assert landed in {TopUpState.SETTLED, TopUpState.IN_REVIEW}


def test_every_state_is_told_apart() -> None:
    assert set(TopUpState) == COUNTED_AS_PENDING | ENDED | {TopUpState.SETTLED, TopUpState.IN_REVIEW}
    assert not COUNTED_AS_PENDING & ENDED
    for (state, turn), after in NEXT.items():
        assert state is not after, (state, turn)
        assert turn is not Turn.ABANDONED or state in COUNTED_AS_PENDING


@given(st.integers(0, 40), st.booleans(), st.booleans(), st.floats(-(10**7), 10**6), st.booleans())
def test_what_waits_is_asked_about_again(checks: int, changed: bool, waits: bool, left_s: float, paid: bool) -> None:
    attempt = paper_attempt(paper_top_up())
    attempt = type(attempt)(
        attempt.order_id, attempt.top_up, 1, attempt.request_key, attempt.taken_back, checks=checks,
        received=FIFTY if paid else None, seen=PaymentState.PAID if paid else PaymentState.UNKNOWN,
    )  # fmt: skip
    watch_s = 45 * 86_400
    found = next_check_s(attempt, changed=changed, waits=waits, until_end_s=left_s, watch_s=watch_s)
    if waits or changed or (not paid and left_s > 0):
        assert found is not None
        assert 0 < found <= 86_400
        assert not waits or found >= CHECK_DELAYS_S[0]
    else:
        assert found == (86_400 if paid and left_s > -watch_s else None)
