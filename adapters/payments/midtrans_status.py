"""How a payment stands, read from Midtrans' status answers: it alone decides whether money has moved."""

from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus

from adapters.payments.midtrans import JAKARTA, answer_code, read_answer
from domain.money import Currency, Money
from domain.wallet.gateway import GatewayAnswerError, GatewayRefusedError, PaymentState, PaymentStatus, TakenBack

STATES: Mapping[tuple[str, str | None], PaymentState] = {
    ("pending", None): PaymentState.PENDING,
    ("authorize", None): PaymentState.AUTHORIZED,
    ("authorize", "challenge"): PaymentState.CHALLENGED,
    ("authorize", "deny"): PaymentState.DENIED,
    ("capture", None): PaymentState.CHALLENGED,
    ("capture", "accept"): PaymentState.PAID,
    ("capture", "deny"): PaymentState.DENIED,
    ("settlement", None): PaymentState.PAID,
    ("deny", None): PaymentState.DENIED,
    ("cancel", None): PaymentState.CANCELLED,
    ("expire", None): PaymentState.EXPIRED,
    ("failure", None): PaymentState.FAILED,
    ("refund", None): PaymentState.REFUNDED,
    ("partial_refund", None): PaymentState.PARTIALLY_REFUNDED,
    ("chargeback", None): PaymentState.CHARGED_BACK,
    ("partial_chargeback", None): PaymentState.PARTIALLY_CHARGED_BACK,
}
"""By transaction_status and fraud_status; None stands for every fraud_status that is not listed beside it.

A capture without a clear `accept` is held. A settlement is money that has arrived whatever the fraud check says; if it
is denied after that, the transaction_status itself turns to `deny`.
"""

_WHOLE = {PaymentState.REFUNDED, PaymentState.CHARGED_BACK}
_TAKEN_BY_BANK = {PaymentState.CHARGED_BACK, PaymentState.PARTIALLY_CHARGED_BACK}
_TAKEN_BACK = _WHOLE | _TAKEN_BY_BANK | {PaymentState.PARTIALLY_REFUNDED}


def read_status(asked_for: str, http_status: int, body: bytes, *, posted: bool) -> PaymentStatus:
    """Read the answer about one payment; `asked_for` names it while Midtrans does not know it yet.

    Raises the gateway's errors. Never takes HTTP 200 or status_code 200 for success: transaction_status decides.
    """
    raw = read_answer(http_status, body, posted=posted)
    if "transaction_status" not in raw:
        return _without_payment(asked_for, http_status, raw)
    try:
        state, known = _state(raw), _currency(raw) is not None
        amount = _money(raw, "gross_amount") if known else None
        total = None if amount is None else _taken_back_total(raw, state, amount)
        return PaymentStatus(
            order_id=_text(raw, "order_id"),
            transaction_id=_optional_text(raw, "transaction_id"),
            state=state,
            amount=amount,
            payment_type=_optional_text(raw, "payment_type"),
            taken_back=_taken_back(raw, state, total) if known else (),
            taken_back_total=total,
            occurred_at=_moment(raw.get("settlement_time") or raw.get("transaction_time")),
            raw=raw,
            unread=None if known else _unread(raw),
        )
    except (ValueError, OverflowError) as error:
        raise GatewayAnswerError(f"unreadable answer about {asked_for}: {error}") from error


def _without_payment(asked_for: str, http_status: int, raw: Mapping[str, object]) -> PaymentStatus:
    code = answer_code(http_status, raw)
    if "status_code" not in raw:  # anybody's web server can say 404; that would not tell us that nothing was paid
        raise GatewayAnswerError(f"HTTP {http_status} without a status_code")
    if code == HTTPStatus.NOT_FOUND:
        return PaymentStatus(asked_for, None, PaymentState.UNKNOWN, None, None, (), None, None, raw)
    if code >= HTTPStatus.BAD_REQUEST:
        raise GatewayRefusedError(str(code), str(raw.get("status_message", "no reason given"))[:500])
    raise GatewayAnswerError(f"status code {code} without a transaction_status")


def _state(raw: Mapping[str, object]) -> PaymentState:
    status, fraud = _text(raw, "transaction_status").lower(), raw.get("fraud_status")
    checked = fraud.lower() if isinstance(fraud, str) else None
    state = STATES.get((status, checked)) or STATES.get((status, None))
    if state is None:
        raise GatewayAnswerError(f"{status[:40]!r} is no transaction_status that we know")
    return state


def _taken_back(raw: Mapping[str, object], state: PaymentState, total: Money | None) -> tuple[TakenBack, ...]:
    listed = tuple(_listed(entry, raw, state) for entry in _entries(raw))
    if state not in _TAKEN_BACK or total is None:
        return listed
    reference = _reference(raw) or _text(raw, "transaction_status").lower()
    rest = total - sum((each.amount for each in listed), Money.zero(total.currency))
    if rest.minor <= 0 or any(each.reference == reference for each in listed):
        return listed
    # Told without a list, as chargebacks and the answer to a refund are: what no other entry accounts for.
    return (*listed, TakenBack(reference, rest, final=state in _TAKEN_BY_BANK))


def _taken_back_total(raw: Mapping[str, object], state: PaymentState, amount: Money) -> Money | None:
    if state is PaymentState.CHARGED_BACK:
        return amount  # `refund_amount` may still be that of an earlier refund
    if raw.get("refund_amount") is not None:
        return _money(raw, "refund_amount")
    if entries := _entries(raw):
        return sum((_listed(entry, raw, state).amount for entry in entries), Money.zero(amount.currency))
    if state in _WHOLE:
        return amount
    if state in _TAKEN_BACK:
        raise GatewayAnswerError("a part was taken back, but not said how much")
    return None


def _entries(raw: Mapping[str, object]) -> list[Mapping[str, object]]:
    found = [] if raw.get("refunds") is None else raw["refunds"]
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise GatewayAnswerError("refunds is no list of objects")
    # The last word about each id: the same refund listed twice is one refund.
    return list({_reference(entry) or number: entry for number, entry in enumerate(found)}.values())


def _listed(entry: Mapping[str, object], raw: Mapping[str, object], state: PaymentState) -> TakenBack:
    reference = _reference(entry)
    if reference is None:
        raise GatewayAnswerError("a refund without its id")
    amount = _money({**entry, "currency": raw.get("currency")}, "refund_amount")
    spoken_of = state in _TAKEN_BY_BANK and reference == _reference(raw)
    return TakenBack(reference, amount, final=bool(entry.get("bank_confirmed_at")) or spoken_of)


def _reference(raw: Mapping[str, object]) -> str | None:
    found = raw.get("refund_chargeback_id")
    return str(found) if isinstance(found, int | str) and str(found) else None


def _money(raw: Mapping[str, object], field: str) -> Money:
    currency = _currency(raw)
    if currency is None:
        raise GatewayAnswerError(f"{field} is in no currency that we know")
    return Money.parse(_amount(raw, field), currency)


def _amount(raw: Mapping[str, object], field: str) -> str:
    found = raw.get(field)
    if not isinstance(found, str | int) or isinstance(found, bool):
        raise GatewayAnswerError(f"{field} is missing or no amount")
    return str(found)


def _currency(raw: Mapping[str, object]) -> Currency | None:
    stated = str(raw.get("currency") or "IDR")  # answers to a refund leave it out
    return next((currency for currency in Currency if currency == stated.upper()), None)


def _unread(raw: Mapping[str, object]) -> str:
    words = f"{_amount(raw, 'gross_amount')[:40]} {str(raw.get('currency'))[:40]}"
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def _text(raw: Mapping[str, object], field: str) -> str:
    found = raw.get(field)
    if not isinstance(found, str) or not found:
        raise GatewayAnswerError(f"{field} is missing or no text")
    return found


def _optional_text(raw: Mapping[str, object], field: str) -> str | None:
    return None if raw.get(field) is None else _text(raw, field)


def _moment(found: object) -> datetime | None:
    """None too for what is no time: money that has arrived must not wait for it."""
    try:
        moment = datetime.fromisoformat(str(found))
        return (moment if moment.tzinfo else moment.replace(tzinfo=JAKARTA)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
