"""Snap: opening a payment page, checked as Midtrans checks it."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import uuid4

from starlette.routing import Route

from adapters.sandbox.midtrans.endpoint import Answer, Call, Endpoint, KeptAnswers
from adapters.sandbox.midtrans.payments import CHANNELS, Payment
from adapters.sandbox.midtrans.sandbox import page_lifetime

PAGE_PATH = "/snap/v4/redirection"

_ORDER_ID = re.compile(r"[A-Za-z0-9_~.-]{1,50}", re.ASCII)
_MINUTES = {"minute": 1, "minutes": 1, "hour": 60, "hours": 60, "day": 1440, "days": 1440}
_PAGE_MINUTES = range(5, 7 * 1440 + 1)
_MOST_URLS = 3
_LONGEST_CUSTOM_FIELD = 255


class _InvalidError(Exception):
    """A field that Snap refuses."""


def routes(kept: KeptAnswers) -> list[Route]:
    """Where Snap's API listens."""
    return [Route("/snap/v1/transactions", Endpoint("snap.create", _create, _complain, kept).serve, methods=["POST"])]


def _complain(status: int, reason: str) -> Answer:
    return Answer(status, {"error_messages": [reason]})


def _create(call: Call) -> Answer:
    try:
        payment = _payment(call)
    except _InvalidError as error:
        return _complain(400, str(error))
    if call.sandbox.find(payment.order_id) is not None:
        return _complain(400, "transaction_details.order_id has already been taken")
    call.sandbox.add(payment)
    url = f"{call.base_url.rstrip('/')}{PAGE_PATH}/{payment.token}"
    return Answer(201, {"token": payment.token, "redirect_url": url})


def _payment(call: Call) -> Payment:
    body, now = call.body, call.sandbox.clock()
    details = _section(body, "transaction_details")
    order_id, amount = details.get("order_id"), details.get("gross_amount")
    if not isinstance(order_id, str) or not _ORDER_ID.fullmatch(order_id):
        raise _InvalidError("transaction_details.order_id is required: at most 50 of A-Z a-z 0-9 - _ ~ .")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 1:
        raise _InvalidError("transaction_details.gross_amount must be a whole number, not less than 1")
    _check_items(body, amount)
    _check_custom_fields(body)
    return Payment(
        order_id=order_id,
        token=str(uuid4()),
        asked=amount,
        channels=_channels(body),
        made_at=now,
        page_closes_at=now + page_lifetime(_page_minutes(body)),
        expires_at=_expiry(body, now),
        finish_url=_finish_url(body),
        notify=_addresses(call),
    )


def _section(body: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = body.get(name, {})
    if not isinstance(found, dict):
        raise _InvalidError(f"{name} must be an object")
    return found


def _check_items(body: Mapping[str, object], amount: int) -> None:
    items = body.get("item_details")
    if items is None:
        return
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _InvalidError("item_details must be a list of objects")
    figures = [(item.get("price"), item.get("quantity")) for item in items]
    if not all(isinstance(price, int) and isinstance(quantity, int) for price, quantity in figures):
        raise _InvalidError("item_details need a price and a quantity, both whole numbers")
    if sum(price * quantity for price, quantity in figures) != amount:
        raise _InvalidError("transaction_details.gross_amount is not equal to the sum of item_details")


def _check_custom_fields(body: Mapping[str, object]) -> None:
    for name in ("custom_field1", "custom_field2", "custom_field3"):
        if len(str(body.get(name, ""))) > _LONGEST_CUSTOM_FIELD:
            raise _InvalidError(f"{name} is longer than {_LONGEST_CUSTOM_FIELD} characters")


def _channels(body: Mapping[str, object]) -> list[str]:
    wanted = body.get("enabled_payments")
    if wanted is None:
        return list(CHANNELS)
    if not isinstance(wanted, list) or not wanted or not all(channel in CHANNELS for channel in map(str, wanted)):
        raise _InvalidError("enabled_payments has a channel that is not known")
    return [str(channel) for channel in wanted]


def _duration_minutes(section: Mapping[str, object], name: str) -> int:
    duration, unit = section.get("duration"), _MINUTES.get(str(section.get("unit")))
    if not isinstance(duration, int) or isinstance(duration, bool) or duration < 1 or unit is None:
        raise _InvalidError(f"{name} needs a duration, a whole number, and a unit: minute, hour or day")
    return duration * unit


def _page_minutes(body: Mapping[str, object]) -> int | None:
    if "page_expiry" not in body:
        return None
    minutes = _duration_minutes(_section(body, "page_expiry"), "page_expiry")
    if minutes not in _PAGE_MINUTES:
        raise _InvalidError("page_expiry must lie between 5 minutes and 7 days")
    return minutes


def _expiry(body: Mapping[str, object], now: datetime) -> datetime | None:
    if "expiry" not in body:
        return None
    section = _section(body, "expiry")
    minutes = _duration_minutes(section, "expiry")
    try:
        start = (
            datetime.strptime(str(section["start_time"]), "%Y-%m-%d %H:%M:%S %z") if "start_time" in section else now
        )
        return start + timedelta(minutes=minutes)
    except (ValueError, OverflowError) as error:
        raise _InvalidError("expiry.start_time must have the form yyyy-MM-dd HH:mm:ss Z") from error


def _finish_url(body: Mapping[str, object]) -> str | None:
    found = _section(body, "callbacks").get("finish")
    if found is None:
        return None
    if not isinstance(found, str) or not found.startswith(("http://", "https://")):
        raise _InvalidError("callbacks.finish must be an http or https address")
    return found


def _addresses(call: Call) -> list[str]:
    dashboard = [call.sandbox.settings.notification_url] if call.sandbox.settings.notification_url else []
    instead = _header_addresses(call, "x-override-notification")
    return instead or [*dashboard, *_header_addresses(call, "x-append-notification")]


def _header_addresses(call: Call, header: str) -> list[str]:
    found = [address.strip() for address in call.headers.get(header, "").split(",") if address.strip()]
    if len(found) > _MOST_URLS:
        raise _InvalidError(f"at most {_MOST_URLS} notification addresses")
    return found
