"""Midtrans on paper: sign, verify, encode and decode what goes over the wire. Plain functions, no input or output."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from http import HTTPStatus

from domain.errors import DomainError, InvalidMoneyError
from domain.money import Currency, Money
from domain.wallet.gateway import GatewayAnswerError, GatewayRefusedError, GatewayUnavailableError, Method, PaymentPage

JAKARTA = timezone(timedelta(hours=7))
"""Times on the wire are naive and mean this zone; Indonesia's west keeps no summer time."""

ENABLED: Mapping[Method, tuple[str, ...]] = {
    Method.BANK_TRANSFER: (
        "bca_va",
        "bni_va",
        "bri_va",
        "permata_va",
        "cimb_va",
        "danamon_va",
        "bsi_va",
        "seabank_va",
        "saqu_va",
        "other_va",
        "echannel",
    ),
    Method.CARD: ("credit_card",),
    Method.GOPAY: ("gopay",),
    Method.SHOPEEPAY: ("shopeepay",),
    Method.DANA: ("dana",),
    Method.OVO: ("ovo",),
    Method.QRIS: ("other_qris",),
    Method.CONVENIENCE_STORE: ("indomaret", "alfamart"),
}
"""Which channels of the payment page each method opens."""

_ORDER_ID = re.compile(r"[A-Za-z0-9_~.-]{1,50}", re.ASCII)
_REFUND_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_REASON_LENGTH = 255
_MINUTE = timedelta(minutes=1)
_PAGE_MINUTES = range(5, 7 * 24 * 60 + 1)


class MalformedNotificationError(DomainError, ValueError):
    """What was posted to us is not a Midtrans notification."""


class NotAnObjectError(ValueError):
    """A body that is not one JSON object."""


class Unquoted(str):
    """A decimal that stood in JSON without quotes, exactly as it was written: no float comes near an amount."""

    __slots__ = ()


class MisconfiguredError(GatewayUnavailableError):
    """Our key, or what our account is allowed to do, is wrong. It is ours to mend, and the same call then succeeds."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}", uncertain=False)
        self.code = code
        self.reason = reason


class InvalidReferenceError(DomainError, ValueError):
    """An order id or refund key with characters, or of a length, that Midtrans does not take."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a notification claims. Even a good signature does not cover the status: ask for it before moving money."""

    order_id: str
    status_code: str
    gross_amount: str
    signature_key: str
    transaction_id: str | None
    raw: Mapping[str, object]


def parse_notification(body: bytes) -> Notification:
    """Read a notification's body, whatever fields it has besides; raises `MalformedNotificationError`."""
    try:
        raw = parsed(body)
    except ValueError as error:
        raise MalformedNotificationError(f"not a JSON object: {error}") from error
    return Notification(
        order_id=_claimed(raw, "order_id"),
        status_code=_claimed(raw, "status_code"),
        gross_amount=_claimed(raw, "gross_amount"),
        signature_key=_claimed(raw, "signature_key"),
        transaction_id=None if raw.get("transaction_id") is None else _claimed(raw, "transaction_id"),
        raw=raw,
    )


def signature(order_id: str, status_code: str, gross_amount: str, server_key: str) -> str:
    """The signature that Midtrans puts on a notification: SHA-512 in hex over the strings as they were sent."""
    signed = f"{order_id}{status_code}{gross_amount}{server_key}"
    return hashlib.sha512(signed.encode("utf-8", "surrogatepass")).hexdigest()


def verify(notification: Notification, server_keys: Sequence[str]) -> bool:
    """Whether one of the keys (two while one is rotated) signed this; takes the same time whichever did, or none."""
    claimed = notification.signature_key.encode("utf-8", "surrogatepass")
    genuine = False
    for key in filter(None, server_keys):  # anybody can sign with an empty key
        ours = signature(notification.order_id, notification.status_code, notification.gross_amount, key)
        genuine |= hmac.compare_digest(ours.encode(), claimed)
    return genuine


def authorization(server_key: str) -> str:
    """The Authorization header: the server key is the user, the password is empty."""
    return "Basic " + base64.b64encode(f"{server_key}:".encode()).decode()


def checked_order_id(order_id: str) -> str:
    """The same order id; raises `InvalidReferenceError` where Midtrans would refuse it."""
    if not _ORDER_ID.fullmatch(order_id):
        raise InvalidReferenceError(f"{order_id[:60]!r} is no order id that Midtrans takes")
    return order_id


def page_request(
    order_id: str, amount: Money, method: Method, *, now: datetime, expires_at: datetime, finish_url: str | None
) -> dict[str, object]:
    """The body that opens a payment page.

    `expires_at` lies after `now` and counts by the second. Raises `InvalidMoneyError` for anything but whole rupiah
    above zero, `InvalidReferenceError` for the order id.
    """
    deadline = expires_at.replace(microsecond=0)
    minutes = max(1, -((now - deadline) // _MINUTE))
    body: dict[str, object] = {
        "transaction_details": {"order_id": checked_order_id(order_id), "gross_amount": _rupiah(amount)},
        "enabled_payments": list(ENABLED[method]),
        # Only whole minutes can be said, so the count starts where it ends exactly at the deadline.
        "expiry": {"start_time": _stamp(deadline - minutes * _MINUTE), "unit": "minute", "duration": minutes},
        "page_expiry": {"unit": "minute", "duration": min(max(minutes, _PAGE_MINUTES[0]), _PAGE_MINUTES[-1])},
    }
    if method is Method.CARD:
        body["credit_card"] = {"secure": True}
    if finish_url is not None:
        body["callbacks"] = {"finish": finish_url}
    return body


def refund_request(amount: Money, key: str, reason: str) -> dict[str, object]:
    """The body that refunds; raises `InvalidMoneyError` or `InvalidReferenceError` (for the key)."""
    if not _REFUND_KEY.fullmatch(key):
        raise InvalidReferenceError(f"{key[:80]!r} is no refund key that Midtrans takes")
    return {"refund_key": key, "amount": _rupiah(amount), "reason": reason[:_REASON_LENGTH]}


def encoded(body: Mapping[str, object]) -> bytes:
    """A request's body as it goes over the wire."""
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()


def parsed(body: bytes) -> Mapping[str, object]:
    """A JSON object, its decimals kept as they were written; raises `ValueError`."""
    try:
        found = json.loads(body, parse_float=Unquoted, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise NotAnObjectError("nested too deep") from error
    if not isinstance(found, dict):
        raise NotAnObjectError("JSON, but no object")
    return found


def read_page(http_status: int, body: bytes) -> PaymentPage | None:
    """The page that was opened, or None while Midtrans still works on the same request. Raises the gateway's errors."""
    raw = read_answer(http_status, body, posted=True)
    if http_status == HTTPStatus.ACCEPTED:
        return None
    token, url = raw.get("token"), raw.get("redirect_url")
    if not (isinstance(token, str) and token and isinstance(url, str) and url):
        raise GatewayAnswerError(f"HTTP {http_status} without a token and a redirect_url")
    return PaymentPage(token, url)


def read_answer(http_status: int, body: bytes, *, posted: bool) -> Mapping[str, object]:
    """What was answered, once it is neither a refusal nor a failure; either may hide behind HTTP 200.

    `posted` says that the request was to change something, so that a failure leaves it uncertain. 404 and 407 are
    answers about a payment and pass.
    """
    if http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise GatewayUnavailableError(f"HTTP {http_status}", uncertain=posted)
    if http_status == HTTPStatus.TOO_MANY_REQUESTS:
        raise GatewayUnavailableError("too many requests", uncertain=False)
    try:
        raw = parsed(body)
    except ValueError as error:
        raise GatewayAnswerError(f"HTTP {http_status} with a body that is not a JSON object: {error}") from error
    code = answer_code(http_status, raw)
    if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise GatewayUnavailableError(f"status code {code}", uncertain=posted)
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        raise GatewayUnavailableError("too many requests", uncertain=False)
    if code in _OURS_TO_MEND:
        raise MisconfiguredError(code, _reason(raw))
    if code >= HTTPStatus.BAD_REQUEST and code not in _ABOUT_A_PAYMENT:
        raise GatewayRefusedError(str(code), _reason(raw))
    if not HTTPStatus.OK <= http_status < HTTPStatus.MULTIPLE_CHOICES and code not in _ABOUT_A_PAYMENT:
        raise GatewayAnswerError(f"HTTP {http_status} is no answer of Midtrans")
    return raw


def answer_code(http_status: int, raw: Mapping[str, object]) -> int:
    """Midtrans' own status code, which stands in the body; HTTP's where there is none."""
    code = raw.get("status_code", http_status)
    if isinstance(code, int | str) and re.fullmatch(r"[1-9][0-9]{2}", str(code), re.ASCII):
        return int(code)
    raise GatewayAnswerError(f"{str(code)[:40]!r} is no status code")


_EXPIRED = 407
_OURS_TO_MEND = (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.LENGTH_REQUIRED)
"""By Midtrans' own meaning: a key that is not known, a channel that is not enabled, a token that is not valid."""

_ABOUT_A_PAYMENT = (HTTPStatus.NOT_FOUND, _EXPIRED)


def _reason(raw: Mapping[str, object]) -> str:
    messages = raw.get("error_messages") or raw.get("validation_messages")
    if isinstance(messages, list):
        return "; ".join(str(message) for message in messages)[:500]
    return str(raw.get("status_message", "no reason given"))[:500]


def _claimed(raw: Mapping[str, object], field: str) -> str:
    found = raw.get(field)
    if not isinstance(found, str) or isinstance(found, Unquoted) or not found or not found.isprintable():
        raise MalformedNotificationError(f"{field} is missing or not plain text")
    return found


def _rupiah(amount: Money) -> int:
    if amount.currency is not Currency.IDR or amount.minor <= 0:
        raise InvalidMoneyError(f"Midtrans takes rupiah above zero, not {amount} {amount.currency}")
    return amount.whole_units


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).astimezone(JAKARTA).strftime("%Y-%m-%d %H:%M:%S %z")


def _refuse_constant(name: str) -> object:
    raise NotAnObjectError(f"{name} is not JSON")
