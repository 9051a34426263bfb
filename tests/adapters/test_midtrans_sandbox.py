import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import midtransclient
import pytest

from tests.adapters.midtrans_sandbox import Bench, Official, bench

ANOTHER_KEY = "SB-Mid-server-of-somebody-else"


@pytest.fixture
async def at() -> AsyncIterator[Bench]:
    async with bench() as made:
        yield made


async def refused(call: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(midtransclient.MidtransAPIError) as error:
        await call
    return error.value.http_status_code, error.value.api_response_dict


async def test_opens_a_page(at: Bench) -> None:
    made = await Official(at.sandbox).create("o-1", enabled_payments=["gopay", "bca_va"])
    assert set(made) == {"token", "redirect_url"}
    assert made["redirect_url"] == f"{at.sandbox.url}/snap/v4/redirection/{made['token']}"


async def test_takes_everything_that_it_may_send(at: Bench) -> None:
    await Official(at.sandbox).create(
        "o-1",
        customer_details={
            "first_name": "Budi",
            "email": "budi@example.org",
            "billing_address": {"city": "Bandung"},
        },
        item_details=[{"id": "a", "price": 20_000, "quantity": 2, "name": "x"}, {"price": 10_000, "quantity": 1}],
        credit_card={"secure": True},
        expiry={"start_time": "2026-11-21 10:00:00 +0700", "unit": "hours", "duration": 2},
        page_expiry={"unit": "hours", "duration": 3},
        callbacks={"finish": "https://example.org/"},
        custom_field1="x" * 255,
    )
    payment = at.sandbox.account.find("o-1")
    assert payment is not None
    assert payment.expires_at is not None
    assert payment.expires_at.isoformat() == "2026-11-21T12:00:00+07:00"
    assert payment.page_closes_at == at.clock() + timedelta(hours=3)


@pytest.mark.parametrize(
    "fields",
    [
        {"transaction_details": {"order_id": "o-1", "gross_amount": 50_000.5}},
        {"transaction_details": {"order_id": "o-1", "gross_amount": 50_000.0}},
        {"transaction_details": {"order_id": "o-1", "gross_amount": "50000"}},
        {"transaction_details": {"order_id": "o-1", "gross_amount": 0}},
        {"transaction_details": {"order_id": "o-1", "gross_amount": True}},
        {"transaction_details": {"order_id": "o 1", "gross_amount": 50_000}},
        {"transaction_details": {"order_id": "o" * 51, "gross_amount": 50_000}},
        {"transaction_details": {"gross_amount": 50_000}},
        {"transaction_details": []},
        {"enabled_payments": ["linkaja"]},
        {"enabled_payments": []},
        {"item_details": [{"price": 49_999, "quantity": 1}]},
        {"item_details": [{"price": "x", "quantity": 1}]},
        {"item_details": {}},
        {"page_expiry": {"unit": "minutes", "duration": 4}},
        {"page_expiry": {"unit": "days", "duration": 8}},
        {"expiry": {"unit": "fortnight", "duration": 1}},
        {"expiry": {"start_time": "tomorrow", "unit": "day", "duration": 1}},
        {"expiry": {"unit": "day", "duration": 10**12}},
        {"callbacks": {"finish": "javascript:alert(1)"}},
        {"custom_field1": "x" * 256},
    ],
    ids=lambda fields: json.dumps(fields)[:60],
)
async def test_is_refused_what_midtrans_refuses(at: Bench, fields: dict[str, object]) -> None:
    http_status, body = await refused(Official(at.sandbox).create("o-1", **fields))
    assert http_status == 400
    assert isinstance(body["error_messages"], list)
    assert list(at.sandbox.account) == []


async def test_an_order_id_is_taken_once(at: Bench) -> None:
    await Official(at.sandbox).create("o-1")
    http_status, body = await refused(Official(at.sandbox).create("o-1"))
    assert http_status == 400
    assert "order_id" in body["error_messages"][0]


async def test_too_large_a_request(at: Bench) -> None:
    http_status, _ = await refused(Official(at.sandbox).create("o-1", metadata="x" * 17_000))
    assert http_status == 413


async def test_another_key_is_refused_by_both_apis(at: Bench) -> None:
    stranger = Official(at.sandbox, ANOTHER_KEY)
    assert (await refused(stranger.create("o-1")))[0] == 401
    assert (await refused(stranger("status", "o-1")))[0] == 401


async def test_keys_of_idempotency(at: Bench) -> None:
    official = Official(at.sandbox, headers={"Idempotency-Key": "b7a9f7f4-5c1c-4f3e-9f1c-0d7a3c0d7a3c"})
    first = await official.create("o-1")
    assert await official.create("o-1") == first
    assert await official.create("another body, same key") == first
    at.clock.turn(timedelta(minutes=5))
    assert (await refused(official.create("o-1")))[0] == 400


async def test_a_refusal_uses_up_no_key(at: Bench) -> None:
    official = Official(at.sandbox, headers={"Idempotency-Key": "k"})
    await refused(official.create("o 1"))
    await official.create("o-1")


async def test_too_long_a_key(at: Bench) -> None:
    assert (await refused(Official(at.sandbox, headers={"Idempotency-Key": "k" * 47}).create("o-1")))[0] == 400


async def test_a_page_without_a_method_is_unknown_to_core(at: Bench) -> None:
    official = Official(at.sandbox)
    await official.create("o-1")
    for verb in ("status", "cancel", "expire", "approve", "deny", "refund"):
        http_status, body = await refused(official(verb, "o-1"))
        assert (http_status, body["status_code"]) == (200, "404")


async def test_reads_a_status(at: Bench) -> None:
    official = Official(at.sandbox)
    await official.create("o-1", enabled_payments=["bca_va"])
    await at.drive("o-1", "choose")
    pending = await official("status", "o-1")
    assert (pending["status_code"], pending["transaction_status"]) == ("201", "pending")
    assert pending["va_numbers"][0]["bank"] == "bca"
    assert pending["transaction_time"] == "2026-11-21 10:00:00"
    await at.drive("o-1", "pay")
    settled = await official("status", pending["transaction_id"])
    assert (settled["status_code"], settled["transaction_status"]) == ("200", "settlement")
    assert (settled["gross_amount"], settled["currency"]) == ("50000.00", "IDR")
    assert settled["settlement_time"] == "2026-11-21 10:00:00"


@pytest.mark.parametrize("channel", ["dana", "shopeepay"])
async def test_a_pending_status_that_looks_like_success(at: Bench, channel: str) -> None:
    official = Official(at.sandbox)
    await official.create("o-1", enabled_payments=[channel])
    await at.drive("o-1", "choose")
    payment = at.sandbox.account.find("o-1")
    assert payment is not None
    told = await official("status", payment.transaction_id)
    assert (told["status_code"], told["transaction_status"]) == ("200", "PENDING")


async def test_cancels_and_expires(at: Bench) -> None:
    official = Official(at.sandbox)
    for order_id in ("o-1", "o-2"):
        await official.create(order_id)
        await at.drive(order_id, "choose", channel="bni_va")
    assert (await official("cancel", "o-1"))["transaction_status"] == "cancel"
    expired = await official("expire", "o-2")
    assert (expired["status_code"], expired["transaction_status"]) == ("407", "expire")
    assert (await official("status", "o-2"))["status_code"] == "407"
    http_status, body = await refused(official("cancel", "o-1"))
    assert (http_status, body["status_code"]) == (200, "412")


async def test_approves_and_denies(at: Bench) -> None:
    official = Official(at.sandbox)
    for order_id in ("o-1", "o-2"):
        await official.create(order_id, enabled_payments=["credit_card"])
        await at.drive(order_id, "challenge")
        held = await official("status", order_id)
        assert (held["status_code"], held["transaction_status"], held["fraud_status"]) == (
            "201",
            "capture",
            "challenge",
        )
    approved = await official("approve", "o-1")
    assert (approved["transaction_status"], approved["fraud_status"]) == ("capture", "accept")
    assert (await official("deny", "o-2"))["transaction_status"] == "deny"
    assert (await refused(official("deny", "o-1")))[1]["status_code"] == "412"


async def test_refunds(at: Bench) -> None:
    official = Official(at.sandbox)
    await official.create("o-1", enabled_payments=["gopay"])
    assert (await refused(official("refund", "o-1", {"amount": 1})))[1]["status_code"] == "404"
    await at.drive("o-1", "pay")
    wish = {"refund_key": "r-1", "amount": 20_000, "reason": "half"}
    part = await official("refund", "o-1", wish)
    assert (part["transaction_status"], part["refund_amount"]) == ("partial_refund", "20000.00")
    assert (await official("refundDirect", "o-1", wish))["refund_chargeback_id"] == part["refund_chargeback_id"]
    for bad, code in (({"refund_key": "r.1"}, "400"), ({"amount": 1.5}, "400"), ({"amount": 30_001}, "414")):
        assert (await refused(official("refund", "o-1", bad)))[1]["status_code"] == code
    whole = await official("refund", "o-1", {})
    assert (whole["transaction_status"], whole["refund_amount"]) == ("refund", "50000.00")
    at.clock.turn(timedelta(days=7))
    assert (await refused(official("refund", "o-1", wish)))[1]["status_code"] == "406"


async def test_handles_a_notification(at: Bench) -> None:
    official = Official(at.sandbox)
    await official.create("o-1", enabled_payments=["other_qris"])
    await at.drive("o-1", "pay")
    told = json.loads((await at.inbox.holds(2))[1])
    confirmed = await official("notification", told)
    assert confirmed["transaction_status"] == told["transaction_status"] == "settlement"
    assert {name for name in confirmed if name not in told} == set()
