import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.payments import midtrans
from adapters.payments.midtrans import MalformedNotificationError, parse_notification, verify
from domain.errors import InvalidMoneyError
from domain.money import Currency, Money
from domain.wallet.gateway import GatewayAnswerError, GatewayRefusedError, Method

# The key that Midtrans' own documentation prints in its example.
DOCUMENTED_KEY = "askvnoibnosifnboseofinbofinfgbiufglnbfg"
NOW = datetime(2026, 11, 21, 3, 0, 0, 250_000, tzinfo=UTC)
FIFTY = Money.whole(50_000, Currency.IDR)


def rupiah(units: int) -> Money:
    return Money.whole(units, Currency.IDR)


def notification(**fields: object) -> bytes:
    signed = {"order_id": "1111", "status_code": "200", "gross_amount": "100000.00"}
    signature = midtrans.signature(**signed, server_key=DOCUMENTED_KEY)
    return json.dumps({**signed, "signature_key": signature, "transaction_id": "t-1", **fields}).encode()


class TestSignature:
    def test_of_the_documented_example(self) -> None:
        signed = midtrans.signature("1111", "200", "100000.00", DOCUMENTED_KEY)
        assert signed.startswith("edc076b21793ebe3")
        assert len(signed) == 128

    @pytest.mark.parametrize(
        ("keys", "genuine"),
        [
            ([DOCUMENTED_KEY], True),
            ([DOCUMENTED_KEY, "next"], True),
            (["next", DOCUMENTED_KEY], True),
            (["next"], False),
            ([""], False),
            ([], False),
        ],
    )
    def test_by_any_of_our_keys(self, keys: list[str], genuine: bool) -> None:
        assert verify(parse_notification(notification()), keys) is genuine

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("gross_amount", "100000"),
            ("gross_amount", "100000.0"),
            ("order_id", "1112"),
            ("status_code", "201"),
            ("signature_key", "edc076b21793ebe3"),
            ("signature_key", "ünïcode"),
        ],
    )
    def test_covers_the_strings_as_received(self, field: str, value: str) -> None:
        assert not verify(parse_notification(notification(**{field: value})), [DOCUMENTED_KEY])

    def test_an_empty_key_signs_nothing(self) -> None:
        forged = midtrans.signature("1111", "200", "100000.00", "")
        assert not verify(parse_notification(notification(signature_key=forged)), ["", DOCUMENTED_KEY])

    @given(*[st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30)] * 4)
    def test_of_anything_is_verified_by_its_key_alone(self, order_id: str, code: str, amount: str, key: str) -> None:
        signed = midtrans.signature(order_id, code, amount, key)
        fields = {"order_id": order_id, "status_code": code, "gross_amount": amount, "signature_key": signed}
        received = parse_notification(json.dumps(fields).encode())
        assert verify(received, ["another", key])
        assert not verify(received, [key + "x"])


class TestNotification:
    def test_keeps_unknown_fields(self) -> None:
        received = parse_notification(notification(brand_new={"deep": [1.50]}))
        assert received.raw["brand_new"] == {"deep": ["1.5"]}
        assert (received.order_id, received.transaction_id) == ("1111", "t-1")

    def test_may_come_without_a_transaction_id(self) -> None:
        assert parse_notification(notification(transaction_id=None)).transaction_id is None

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b'"text"',
            b"null",
            b"\xff\xfe",
            b'{"order_id": NaN}',
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"1" * 5_000,
            notification(order_id=None),
            notification(order_id=1111),
            notification(order_id=""),
            notification(order_id="a\u0000b"),
            notification(order_id="\ud800"),
            notification(status_code=200),
            notification(gross_amount=100000.00),
            notification(signature_key=["x"]),
            notification(transaction_id=7),
        ],
        ids=repr,
    )
    def test_malformed(self, body: bytes) -> None:
        with pytest.raises(MalformedNotificationError):
            parse_notification(body)

    @given(
        st.binary(max_size=200)
        | st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["order_id", "status_code", "x"]), inner),
            max_leaves=10,
        ).map(lambda found: json.dumps(found).encode())
    )
    def test_of_anything_is_read_or_refused(self, body: bytes) -> None:
        try:
            received = parse_notification(body)
        except MalformedNotificationError:
            return
        verify(received, [DOCUMENTED_KEY])


class TestPageRequest:
    def request(
        self,
        order_id: str = "o-1",
        amount: Money = FIFTY,
        method: Method = Method.QRIS,
        *,
        now: datetime = NOW,
        expires_at: datetime = NOW + timedelta(hours=1),
        finish_url: str | None = None,
    ) -> dict[str, object]:
        return midtrans.page_request(order_id, amount, method, now=now, expires_at=expires_at, finish_url=finish_url)

    def test_in_whole(self) -> None:
        assert self.request(finish_url="https://example.org/done") == {
            "transaction_details": {"order_id": "o-1", "gross_amount": 50_000},
            "enabled_payments": ["other_qris"],
            "expiry": {"start_time": "2026-11-21 10:00:00 +0700", "unit": "minute", "duration": 60},
            "page_expiry": {"unit": "minute", "duration": 60},
            "callbacks": {"finish": "https://example.org/done"},
        }

    @pytest.mark.parametrize("method", Method)
    def test_opens_channels_for_every_method(self, method: Method) -> None:
        body = self.request(method=method)
        assert body["enabled_payments"] == list(midtrans.ENABLED[method])
        assert ("credit_card" in body) is (method is Method.CARD)

    def test_asks_for_3ds_on_cards(self) -> None:
        assert self.request(method=Method.CARD)["credit_card"] == {"secure": True}

    def test_offers_mandiri_among_bank_transfers(self) -> None:
        channels = midtrans.ENABLED[Method.BANK_TRANSFER]
        assert "echannel" in channels
        assert all(channel.endswith("_va") for channel in channels if channel != "echannel")

    @given(st.integers(1, 40 * 24 * 3600), st.integers(0, 999_999))
    def test_expires_when_told_to_the_second(self, seconds: int, microseconds: int) -> None:
        now = NOW.replace(microsecond=microseconds)
        expires_at = now + timedelta(seconds=seconds)
        expiry, page = self.request(now=now, expires_at=expires_at)["expiry"], self.request(now=now)["page_expiry"]
        assert isinstance(expiry, dict)
        assert isinstance(page, dict)
        start = datetime.strptime(expiry["start_time"], "%Y-%m-%d %H:%M:%S %z")
        assert start + timedelta(minutes=expiry["duration"]) == expires_at.replace(microsecond=0)
        assert start <= now
        assert 5 <= page["duration"] <= 10_080

    @pytest.mark.parametrize(
        "amount",
        [
            Money.parse("50000.01", Currency.IDR),
            Money.zero(Currency.IDR),
            rupiah(-1),
            Money.whole(50_000, Currency.USD),
            Money.whole(50_000, Currency.JPY),
        ],
        ids=str,
    )
    def test_takes_whole_rupiah_above_zero_alone(self, amount: Money) -> None:
        with pytest.raises(InvalidMoneyError):
            self.request(amount=amount)
        with pytest.raises(InvalidMoneyError):
            midtrans.refund_request(amount, "k", "")

    @pytest.mark.parametrize("order_id", ["", "a" * 51, "a b", "a/b", "é", "a\n", "../x"])
    def test_refuses_an_order_id_that_midtrans_would(self, order_id: str) -> None:
        with pytest.raises(midtrans.InvalidReferenceError):
            self.request(order_id=order_id)

    def test_refuses_a_refund_key_that_midtrans_would(self) -> None:
        with pytest.raises(midtrans.InvalidReferenceError):
            midtrans.refund_request(FIFTY, "a.b", "")

    def test_cuts_a_reason_to_what_fits(self) -> None:
        assert midtrans.refund_request(FIFTY, "a-b_1", "x" * 300) == {
            "refund_key": "a-b_1",
            "amount": 50_000,
            "reason": "x" * 255,
        }


class TestPageAnswer:
    def test_a_page(self) -> None:
        page = midtrans.read_page(201, b'{"token":"t","redirect_url":"https://x/t"}')
        assert page is not None
        assert (page.token, page.url) == ("t", "https://x/t")

    def test_still_in_flight(self) -> None:
        assert midtrans.read_page(202, b'{"status_code":"202"}') is None

    @pytest.mark.parametrize("body", [b"{}", b'{"token":"t"}', b'{"token":1,"redirect_url":"u"}', b"<html>", b"[]"])
    def test_unintelligible(self, body: bytes) -> None:
        with pytest.raises(GatewayAnswerError):
            midtrans.read_page(201, body)

    def test_refused_in_snaps_words(self) -> None:
        with pytest.raises(GatewayRefusedError) as refused:
            midtrans.read_page(400, b'{"error_messages":["order_id taken","and more"]}')
        assert (refused.value.code, refused.value.message) == ("400", "order_id taken; and more")
