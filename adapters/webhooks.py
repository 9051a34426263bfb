"""What vendors post to us. A message is kept raw before anything follows from it, and only says: go and ask.

Answers are chosen for the vendor's own rule of trying again: 503 where we could not, never 500.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.payments.midtrans import MalformedNotificationError, Notification, parse_notification, verify
from adapters.postgres.inbox import UNKNOWN_ORDER
from domain.errors import ConflictError, UnavailableError
from domain.wallet.actions import confirm_top_up
from domain.wallet.gateway import GatewayRefusedError
from domain.wallet.model import ENDED, TopUp
from domain.wallet.ports import WalletPorts
from domain.work import Swept

LARGEST_BODY_BYTES = 64 * 1024
ANSWER_WITHIN_S = 12.0
"""Midtrans hangs up after 15 seconds, and what hangs here would gather."""
MIDTRANS = "midtrans"

_KEPT_HEADERS = ("content-type", "user-agent", "x-forwarded-for", "x-request-id")
_LONGEST_HEADER = 200
_TRANSACTION_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
"""What may be asked for: an id goes into an address, and one with dots or slashes would lead elsewhere."""

_AT_ONCE = 8
_MOST_SWEPT = 256

_TELL_OF_MONEY = ("settlement", "capture")

_log = structlog.get_logger(__name__)


def routes(ports: Callable[[], WalletPorts], midtrans_keys: Sequence[str]) -> list[Route]:
    """Where vendors reach us. `ports` answers the ports once they are connected; keys are all that may have signed."""

    async def midtrans(request: Request) -> Response:
        return await receive_midtrans(request, ports(), midtrans_keys)

    return [Route("/webhooks/midtrans", midtrans, methods=["POST"])]


async def receive_midtrans(request: Request, ports: WalletPorts, keys: Sequence[str]) -> Response:
    """Answer one notification of Midtrans.

    200 understood (now or before), 400 no notification, 403 not signed by Midtrans, 404 no order of ours, 413 too
    large, 503 try again.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            body = await whole_body(request)
            if body is None:
                return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
            return await _handle(ports, keys, body, _headers(request))
    except ClientDisconnect:
        return _answer(HTTPStatus.BAD_REQUEST, "incomplete")
    except TimeoutError:
        _log.warning("webhook_too_slow", source=MIDTRANS)
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "too_slow")
    except Exception:  # noqa: BLE001  # never 500: Midtrans tries that once more only, and 503 four times
        _log.exception("webhook_failed", source=MIDTRANS)
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE, "failed")


async def replay_inbox(ports: WalletPorts, keys: Sequence[str], letter: int) -> str:
    """Handle a kept message again, handled or not; answers what became of it. For staff.

    One that was not genuine when it came is checked again: a key may have been missing then. Raises `LookupError` for a
    number that is not in the inbox.
    """
    kept = await ports.inbox.find(letter)
    if kept is None:
        raise LookupError(f"there is no message {letter} in the inbox")
    try:
        notification = parse_notification(kept.body)
    except MalformedNotificationError:
        return "malformed"
    if not kept.genuine:
        if not verify(notification, keys):
            return "not_signed"
        kept = await ports.inbox.receive(kept.source, kept.body, kept.headers)
    return (await _follow(ports, kept.id, notification))[1]


async def sweep_inbox(ports: WalletPorts, now: datetime) -> Swept:
    """Handle genuine messages that were answered "try again", or whose handling died: their sender may have given up.

    Its door: the schedule; many may run at once. One that fails stops nobody and comes again.
    """
    sweep, gate = Swept(), asyncio.Semaphore(_AT_ONCE)

    async def take_up(letter: int) -> None:
        async with gate:
            try:
                await replay_inbox(ports, (), letter)  # no keys: those that wait were signed when they came
            except Exception as error:  # noqa: BLE001  # one message's trouble must not keep the others
                sweep.failed.append((str(letter), error))

    due = await ports.inbox.claim_unhandled(now, _MOST_SWEPT)
    await asyncio.gather(*(take_up(letter) for letter in due))
    sweep.looked_at = len(due)
    return sweep


async def _handle(ports: WalletPorts, keys: Sequence[str], body: bytes, headers: Mapping[str, str]) -> Response:
    try:
        notification = parse_notification(body)
    except MalformedNotificationError:
        return await _refuse(ports, body, headers, HTTPStatus.BAD_REQUEST, "malformed")
    if not verify(notification, keys):
        return await _refuse(ports, body, headers, HTTPStatus.FORBIDDEN, "not_signed")
    letter = await ports.inbox.receive(MIDTRANS, body, headers)
    if letter.handled_at is not None:
        return _answer(HTTPStatus.OK, letter.verdict)
    return _answer(*await _follow(ports, letter.id, notification))


async def _refuse(
    ports: WalletPorts, body: bytes, headers: Mapping[str, str], status: HTTPStatus, verdict: str
) -> Response:
    try:
        await ports.inbox.refuse(MIDTRANS, body, headers, verdict)
    except Exception:  # noqa: BLE001  # nothing is owed to whoever sent this; what is wrong here shows elsewhere too
        _log.warning("refused_message_not_kept", source=MIDTRANS, verdict=verdict, exc_info=True)
    return _answer(status, verdict)


async def _follow(ports: WalletPorts, letter: int, notification: Notification) -> tuple[HTTPStatus, str]:
    """Ask the gateway, record what it says, and write down how that went."""
    known_as = notification.transaction_id
    if known_as is not None and not _TRANSACTION_ID.fullmatch(known_as):
        known_as = None
    try:
        top_up = await confirm_top_up(ports, notification.order_id, transaction_id=known_as)
    except (UnavailableError, ConflictError, GatewayRefusedError) as error:
        _log.warning("notification_not_confirmed", order_id=notification.order_id, error=str(error))
        await ports.inbox.note(letter, "unavailable", handled=False)
        return HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"
    if top_up is None:
        await ports.inbox.note(letter, UNKNOWN_ORDER, handled=False)
        return HTTPStatus.NOT_FOUND, UNKNOWN_ORDER
    await ports.inbox.note(letter, top_up.state, handled=not _ahead(notification, top_up))
    return HTTPStatus.OK, top_up.state


def _ahead(notification: Notification, top_up: TopUp) -> bool:
    """It tells of money on an order that the status still calls ended: to be looked at again, not to be believed."""
    tells = str(notification.raw.get("transaction_status", "")).lower() in _TELL_OF_MONEY
    return tells and top_up.state in ENDED and not top_up.credited


async def whole_body(request: Request) -> bytes | None:
    """The whole body; None if it is too large, without reading on."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > LARGEST_BODY_BYTES:
        return None
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > LARGEST_BODY_BYTES:
            return None
    return bytes(found)


def _headers(request: Request) -> dict[str, str]:
    return {name: request.headers[name][:_LONGEST_HEADER] for name in _KEPT_HEADERS if name in request.headers}


def _answer(status: HTTPStatus, verdict: str) -> Response:
    return JSONResponse({"result": verdict}, status)
