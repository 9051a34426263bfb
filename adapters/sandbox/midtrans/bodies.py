"""What Midtrans puts into its answers and notifications."""

from datetime import datetime

from adapters.payments.midtrans import JAKARTA, signature
from adapters.sandbox.midtrans.payments import Back, Payment, State

_ON_WIRE = {
    State.PENDING: ("pending", "201", "accept"),
    State.AUTHORIZE: ("authorize", "200", "accept"),
    State.CHALLENGE: ("capture", "201", "challenge"),
    State.CAPTURE: ("capture", "200", "accept"),
    State.SETTLEMENT: ("settlement", "200", "accept"),
    State.DENY: ("deny", "202", "deny"),
    State.CANCEL: ("cancel", "200", "accept"),
    State.EXPIRE: ("expire", "407", "accept"),
    State.FAILURE: ("failure", "202", "accept"),
    State.PARTIAL_REFUND: ("partial_refund", "200", "accept"),
    State.REFUND: ("refund", "200", "accept"),
    State.PARTIAL_CHARGEBACK: ("partial_chargeback", "200", "accept"),
    State.CHARGEBACK: ("chargeback", "200", "accept"),
}
"""transaction_status, status_code and fraud_status of each state that the API knows."""

_SHOUTS_PENDING = {"dana", "shopeepay"}
_REFUNDED = {State.PARTIAL_REFUND, State.REFUND}


def not_found() -> dict[str, object]:
    """The status answer about a payment that the API does not know."""
    return {"status_code": "404", "status_message": "Transaction doesn't exist."}


def status_body(payment: Payment) -> dict[str, object]:
    """The status answer about a payment as it stands."""
    if payment.state is State.NEW:
        return not_found()
    body = _common(payment)
    body["status_message"] = "Success, transaction is found"
    if payment.state is State.PENDING and payment.payment_type in _SHOUTS_PENDING:
        body |= {"transaction_status": "PENDING", "status_code": "200"}
    return body


def notification_body(payment: Payment, server_key: str) -> dict[str, object]:
    """A signed notification about a payment as it stands."""
    body = _common(payment)
    body["status_message"] = "midtrans payment notification"
    if payment.state is State.EXPIRE:
        body["status_code"] = "202"
    signed = (payment.order_id, str(body["status_code"]), str(body["gross_amount"]))
    body["signature_key"] = signature(*signed, server_key)
    return body


def refund_body(payment: Payment, back: Back) -> dict[str, object]:
    """The answer to a refund: without a list, and without the currency."""
    body = _common(payment)
    for field in ("refunds", "currency"):
        body.pop(field, None)
    return body | {
        "status_message": "Success, refund request is approved",
        "refund_chargeback_id": back.number,
        "refund_chargeback_uuid": back.uuid,
        "refund_key": back.key,
    }


def _common(payment: Payment) -> dict[str, object]:
    status, code, fraud = _ON_WIRE[payment.state]
    body: dict[str, object] = {
        "status_code": code,
        "order_id": payment.order_id,
        "transaction_id": payment.transaction_id,
        "transaction_status": status,
        "fraud_status": fraud,
        "gross_amount": _amount(payment.paid),
        "currency": payment.currency,
        "payment_type": payment.payment_type,
        "merchant_id": "G000000001",
        "transaction_time": _time(payment.chosen_at or payment.made_at),
    }
    if payment.expires_at is not None:
        body["expiry_time"] = _time(payment.expires_at)
    if payment.settled_at is not None:
        body["settlement_time"] = _time(payment.settled_at)
    return body | _channel_fields(payment) | _gone_back(payment)


def _channel_fields(payment: Payment) -> dict[str, object]:
    number = str(payment.asked).rjust(12, "8")
    if payment.channel == "permata_va":
        return {"permata_va_number": number}
    fields: dict[str, dict[str, object]] = {
        "bank_transfer": {"va_numbers": [{"bank": payment.channel.removesuffix("_va"), "va_number": number}]},
        "echannel": {"biller_code": "70012", "bill_key": number},
        "cstore": {"store": payment.channel, "payment_code": number},
        "qris": {"acquirer": "gopay", "issuer": "dana", "transaction_type": "off-us"},
        "credit_card": {"masked_card": "48111111-1114", "bank": "bni", "card_type": "credit"},
    }
    return fields.get(payment.payment_type, {})


def _gone_back(payment: Payment) -> dict[str, object]:
    if not payment.backs:
        return {}
    last, total = payment.backs[-1], _amount(payment.gone_back)
    if payment.state in _REFUNDED:
        return {"refund_amount": total, "refunds": [_refund(back) for back in payment.backs]}
    return {"refund_amount": total, "refund_chargeback_id": last.number, "refund_chargeback_uuid": last.uuid}


def _refund(back: Back) -> dict[str, object]:
    body: dict[str, object] = {
        "refund_chargeback_id": back.number,
        "refund_chargeback_uuid": back.uuid,
        "refund_amount": _amount(back.amount),
        "created_at": _time(back.made_at),
        "reason": back.reason,
        "refund_key": back.key,
    }
    return body if back.confirmed_at is None else body | {"bank_confirmed_at": _time(back.confirmed_at)}


def _amount(rupiah: int) -> str:
    return f"{rupiah}.00"


def _time(moment: datetime) -> str:
    return moment.astimezone(JAKARTA).strftime("%Y-%m-%d %H:%M:%S")
