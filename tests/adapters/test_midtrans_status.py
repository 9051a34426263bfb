import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.payments.midtrans_status import read_status
from domain.money import Currency, Money
from domain.wallet.gateway import (
    GatewayAnswerError,
    GatewayRefusedError,
    GatewayUnavailableError,
    PaymentState,
    TakenBack,
)

FIFTY = Money.whole(50_000, Currency.IDR)


def rupiah(units: int) -> Money:
    return Money.whole(units, Currency.IDR)


def status(**fields: object) -> bytes:
    body = {
        "status_code": "200",
        "order_id": "o-1",
        "transaction_id": "t-1",
        "transaction_status": "settlement",
        "gross_amount": "50000.00",
        "currency": "IDR",
        "payment_type": "bank_transfer",
        "transaction_time": "2026-11-21 10:00:00",
        **fields,
    }
    return json.dumps({name: value for name, value in body.items() if value is not ...}).encode()


STATES = [
    ("pending", ..., PaymentState.PENDING),
    ("PENDING", ..., PaymentState.PENDING),
    ("authorize", "accept", PaymentState.AUTHORIZED),
    ("authorize", "challenge", PaymentState.CHALLENGED),
    ("capture", "accept", PaymentState.PAID),
    ("Capture", "ACCEPT", PaymentState.PAID),
    ("capture", "challenge", PaymentState.CHALLENGED),
    ("capture", "deny", PaymentState.DENIED),
    ("capture", ..., PaymentState.CHALLENGED),
    ("capture", None, PaymentState.CHALLENGED),
    ("capture", "brand new", PaymentState.CHALLENGED),
    ("settlement", ..., PaymentState.PAID),
    ("SETTLEMENT", "accept", PaymentState.PAID),
    ("settlement", "deny", PaymentState.PAID),
    ("deny", "accept", PaymentState.DENIED),
    ("cancel", ..., PaymentState.CANCELLED),
    ("expire", ..., PaymentState.EXPIRED),
    ("failure", ..., PaymentState.FAILED),
    ("refund", ..., PaymentState.REFUNDED),
    ("chargeback", ..., PaymentState.CHARGED_BACK),
]


class TestStatus:
    @pytest.mark.parametrize(("told", "fraud", "state"), STATES)
    def test_state(self, told: str, fraud: object, state: PaymentState) -> None:
        body = status(transaction_status=told, fraud_status=fraud)
        assert read_status("o-1", 200, body, posted=False).state is state

    def test_in_whole(self) -> None:
        found = read_status("o-1", 200, status(settlement_time="2026-11-21 06:59:59", brand_new=1), posted=False)
        assert (found.order_id, found.transaction_id, found.payment_type) == ("o-1", "t-1", "bank_transfer")
        assert found.amount == FIFTY
        assert found.occurred_at == datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
        assert found.raw["brand_new"] == 1
        assert (found.taken_back, found.taken_back_total) == ((), None)

    @pytest.mark.parametrize(
        ("told", "amount"),
        [
            ({"gross_amount": "50000.00"}, FIFTY),
            ({"gross_amount": "50000"}, FIFTY),
            ({"gross_amount": 50000}, FIFTY),
            ({"currency": ...}, FIFTY),
            ({"currency": "idr"}, FIFTY),
            ({"currency": "USD"}, Money.whole(50_000, Currency.USD)),
            ({"gross_amount": "0.50"}, Money(50, Currency.IDR)),
        ],
    )
    def test_amount_as_stated(self, told: dict[str, object], amount: Money) -> None:
        assert read_status("o-1", 200, status(**told), posted=False).amount == amount

    @pytest.mark.parametrize(
        "told",
        [
            {"gross_amount": ...},
            {"gross_amount": ..., "currency": "XYZ"},
            {"gross_amount": "5e4"},
            {"gross_amount": "50000.001"},
            {"gross_amount": True},
            {"gross_amount": ["50000.00"]},
            {"order_id": ...},
            {"order_id": 7},
            {"transaction_status": "brand new"},
            {"transaction_status": 1},
            {"status_code": "OK"},
            {"transaction_status": "partial_refund"},
            {"refunds": {}},
            {"refunds": [1]},
            {"refunds": [{"refund_amount": "1.00"}]},
            {"transaction_status": ...},
        ],
        ids=repr,
    )
    def test_unintelligible(self, told: dict[str, object]) -> None:
        with pytest.raises(GatewayAnswerError):
            read_status("o-1", 200, status(**told), posted=False)

    @pytest.mark.parametrize(
        ("currency", "words"),
        [
            ("XYZ", "50000.00 XYZ"),
            ("ID\x00R\ud800", "50000.00 ID?R?"),
            (360, "50000.00 360"),
            ("X" * 99, f"50000.00 {'X' * 40}"),
        ],
    )
    @pytest.mark.parametrize("told", ["settlement", "refund", "partial_refund", "chargeback", "pending"])
    def test_a_currency_that_we_do_not_know_is_kept_in_its_own_words(
        self, told: str, currency: object, words: str
    ) -> None:
        refund = {"refund_amount": "1.00", "refunds": [{"refund_chargeback_id": 1, "refund_amount": "1.00"}]}
        found = read_status("o-1", 200, status(transaction_status=told, currency=currency, **refund), posted=False)
        assert (found.amount, found.unread) == (None, words)
        assert (found.taken_back, found.taken_back_total) == ((), None)

    @pytest.mark.parametrize("moment", ["yesterday", "0001-01-01 00:00:00", "", 5, {}])
    def test_a_time_that_cannot_be_read_keeps_no_money_from_landing(self, moment: object) -> None:
        found = read_status("o-1", 200, status(settlement_time=moment, transaction_time=moment), posted=False)
        assert (found.state, found.amount, found.occurred_at) == (PaymentState.PAID, FIFTY, None)

    @pytest.mark.parametrize("http_status", [200, 404])
    def test_nobody_chose_a_method_yet(self, http_status: int) -> None:
        found = read_status("o-1", http_status, b'{"status_code":"404","status_message":"no"}', posted=False)
        assert (found.order_id, found.state, found.amount) == ("o-1", PaymentState.UNKNOWN, None)

    @pytest.mark.parametrize("body", [b"{}", b'{"error":"no such page"}', b'{"transaction_status":"settlement"}'])
    def test_a_404_of_some_web_server_tells_nothing_about_the_payment(self, body: bytes) -> None:
        with pytest.raises(GatewayAnswerError):
            read_status("o-1", 404, body, posted=False)

    def test_expired_says_407_and_is_an_answer(self) -> None:
        body = status(status_code="407", transaction_status="expire")
        assert read_status("o-1", 200, body, posted=False).state is PaymentState.EXPIRED

    @pytest.mark.parametrize(
        ("http_status", "code"), [(200, "400"), (200, "406"), (200, "410"), (200, "412"), (200, "414")]
    )
    def test_refused_in_the_body_whatever_http_says(self, http_status: int, code: str) -> None:
        body = json.dumps({"status_code": code, "status_message": "because"}).encode()
        with pytest.raises(GatewayRefusedError) as refused:
            read_status("o-1", http_status, body, posted=True)
        assert (refused.value.code, refused.value.message) == (code, "because")

    @pytest.mark.parametrize("posted", [True, False])
    @pytest.mark.parametrize(
        ("http_status", "code"), [(401, None), (401, "401"), (200, "401"), (200, "402"), (402, "402"), (200, "411")]
    )
    def test_what_is_wrong_with_us_is_no_refusal(self, http_status: int, code: str | None, posted: bool) -> None:
        body = json.dumps({"status_message": "because"} | ({} if code is None else {"status_code": code})).encode()
        with pytest.raises(GatewayUnavailableError, match="because") as unavailable:
            read_status("o-1", http_status, body, posted=posted)
        assert unavailable.value.uncertain is False

    @pytest.mark.parametrize(
        ("http_status", "body", "uncertain"),
        [
            (500, b"<html>", True),
            (503, b"{}", True),
            (200, b'{"status_code":"500"}', True),
            (200, b'{"status_code":"505"}', True),
            (429, b"", False),
            (200, b'{"status_code":"429"}', False),
        ],
    )
    def test_unavailable(self, http_status: int, body: bytes, uncertain: bool) -> None:
        with pytest.raises(GatewayUnavailableError) as unavailable:
            read_status("o-1", http_status, body, posted=True)
        assert unavailable.value.uncertain is uncertain
        with pytest.raises(GatewayUnavailableError) as unavailable:
            read_status("o-1", http_status, body, posted=False)
        assert unavailable.value.uncertain is False

    def test_a_redirect_is_no_answer(self) -> None:
        with pytest.raises(GatewayAnswerError):
            read_status("o-1", 302, status(), posted=False)

    @given(st.binary(max_size=100), st.sampled_from([200, 201, 202, 302, 400, 404, 407, 500]))
    def test_of_anything_is_read_or_refused(self, body: bytes, http_status: int) -> None:
        with pytest.raises((GatewayAnswerError, GatewayRefusedError, GatewayUnavailableError)):
            read_status("o-1", http_status, body, posted=False)


class TestTakenBack:
    def refund(self, number: int, amount: str, **more: object) -> dict[str, object]:
        return {"refund_chargeback_id": number, "refund_amount": amount, **more}

    def test_refunds_are_final_once_the_bank_confirmed_them(self) -> None:
        told = [self.refund(1, "10000.00", bank_confirmed_at="2026-11-22 10:00:00"), self.refund(2, "5000.00")]
        body = status(transaction_status="partial_refund", refund_amount="15000.00", refunds=told)
        found = read_status("o-1", 200, body, posted=False)
        assert found.state is PaymentState.PARTIALLY_REFUNDED
        assert found.taken_back == (
            TakenBack("1", rupiah(10_000), final=True),
            TakenBack("2", rupiah(5_000), final=False),
        )
        assert found.taken_back_total == rupiah(15_000)

    def test_an_answer_without_list_tells_what_is_not_accounted_for(self) -> None:
        body = status(transaction_status="refund", refund_amount="50000.00", refund_chargeback_id=9, currency=...)
        found = read_status("o-1", 200, body, posted=True)
        assert found.taken_back == (TakenBack("9", FIFTY, final=False),)

    def test_a_whole_refund_may_leave_the_amount_out(self) -> None:
        found = read_status("o-1", 200, status(transaction_status="refund"), posted=False)
        assert found.taken_back == (TakenBack("refund", FIFTY, final=False),)
        assert found.taken_back_total == FIFTY

    def test_a_whole_chargeback_is_of_everything_whatever_was_refunded_before(self) -> None:
        told = [self.refund(1, "10000.00", bank_confirmed_at="2026-11-22 10:00:00"), self.refund(1, "10000.00")]
        body = status(transaction_status="chargeback", refund_amount="10000.00", refunds=told)
        found = read_status("o-1", 200, body, posted=False)
        assert (found.state, found.taken_back_total) == (PaymentState.CHARGED_BACK, FIFTY)
        assert [back.reference for back in found.taken_back] == ["1", "chargeback"], "one refund, and the rest"

    def test_a_chargeback_is_final_at_once(self) -> None:
        body = status(transaction_status="partial_chargeback", refund_amount="20000.00", refund_chargeback_id=3)
        found = read_status("o-1", 200, body, posted=False)
        assert found.state is PaymentState.PARTIALLY_CHARGED_BACK
        assert found.taken_back == (TakenBack("3", rupiah(20_000), final=True),)

    def test_without_a_total_the_list_is_summed(self) -> None:
        body = status(transaction_status="partial_refund", refunds=[self.refund(1, "1000.00"), self.refund(2, "2.00")])
        assert read_status("o-1", 200, body, posted=False).taken_back_total == rupiah(1_002)
