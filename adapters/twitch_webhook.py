"""What Twitch posts to us (EventSub): believed when it is signed and fresh, kept as it came, followed once.

The signature is over the id, the timestamp *as it was sent* and the raw body; it is checked before anything is read.
"""

import asyncio
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.platforms.answers import moment
from adapters.webhooks import whole_body
from domain.streamer.live import Received
from domain.streamer.model import Platform
from domain.streamer.ports import StreamerPorts
from domain.streamer.watching import told_offline, told_online, told_silence

TWITCH_WEBHOOK: Final = "/webhooks/twitch"
FRESH: Final = timedelta(minutes=10)
"""By how much a message may be older than now, or newer: whoever recorded one cannot send it later."""
ANSWER_WITHIN_S: Final = 5.0
"""Twitch hangs up after some seconds, and tries again."""
_ID = re.compile(r"[!-~]{1,200}", re.ASCII)
_LONGEST_CHALLENGE = 1_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Message:
    id: str
    kind: str
    sent_at: datetime
    body: bytes


def twitch_routes(ports: Callable[[], StreamerPorts], secret: str | None) -> list[Route]:
    """Where Twitch reaches us; nowhere without a secret to know it by."""
    if secret is None:
        return []

    async def receive(request: Request) -> Response:
        return await receive_twitch(request, ports(), secret)

    return [Route(TWITCH_WEBHOOK, receive, methods=["POST"])]


def is_signed(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether Twitch signed this, byte for byte."""
    signed = f"{headers.get('twitch-eventsub-message-id', '')}{headers.get('twitch-eventsub-message-timestamp', '')}"
    expected = "sha256=" + hmac.new(secret.encode(), signed.encode("latin-1") + body, sha256).hexdigest()
    told = headers.get("twitch-eventsub-message-signature", "")
    return hmac.compare_digest(expected.encode(), told.encode("latin-1"))


async def receive_twitch(request: Request, ports: StreamerPorts, secret: str) -> Response:
    """Answer one message of Twitch.

    204 understood (now or before), 200 with the bare challenge, 400 no message, 403 not signed or not fresh, 413 too
    large, 503 try again.
    """
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            body = await whole_body(request)
            if body is None:
                return _answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            if not is_signed(secret, request.headers, body):
                return _answer(HTTPStatus.FORBIDDEN)
            return await _answered(ports, request.headers, body)
    except ClientDisconnect:
        return _answer(HTTPStatus.BAD_REQUEST)
    except Exception:  # noqa: BLE001  # whatever is wrong here, Twitch may try again
        _log.exception("webhook_failed", source="twitch")
        return _answer(HTTPStatus.SERVICE_UNAVAILABLE)


async def _answered(ports: StreamerPorts, headers: Mapping[str, str], body: bytes) -> Response:
    """Answer what is signed."""
    try:
        message = _message(headers, body)
        if abs(ports.clock() - message.sent_at) > FRESH:
            return _answer(HTTPStatus.FORBIDDEN)
        follow = _meant(ports, message)
    except (ValueError, KeyError, TypeError, AttributeError):
        _log.warning("webhook_malformed", source="twitch")
        return _answer(HTTPStatus.BAD_REQUEST)
    if isinstance(follow, str):
        return PlainTextResponse(follow)
    if follow is not None:
        await follow()
    return _answer(HTTPStatus.NO_CONTENT)


def _message(headers: Mapping[str, str], body: bytes) -> _Message:
    """What was signed. Raises ValueError or KeyError for what is no message."""
    id_ = headers["twitch-eventsub-message-id"]
    if not _ID.fullmatch(id_):
        raise ValueError("no message of theirs has such an id")
    sent_at = moment(headers["twitch-eventsub-message-timestamp"])
    return _Message(id_, headers["twitch-eventsub-message-type"], sent_at, body)


def _meant(ports: StreamerPorts, message: _Message) -> Callable[[], Awaitable[bool]] | str | None:
    """What follows from a message: an action, a challenge that is to come back, or nothing. Raises as it is read."""
    told: Any = json.loads(message.body)
    if message.kind == "webhook_callback_verification":
        if not isinstance(challenge := told["challenge"], str) or len(challenge) > _LONGEST_CHALLENGE:
            raise ValueError("no challenge")
        return challenge
    subscription = told["subscription"]
    kind, subject = subscription["type"], str(subscription["condition"]["broadcaster_user_id"])
    received = Received(message.id, message.body)
    if message.kind == "revocation":
        _log.warning("eventsub_revoked", kind=kind, status=str(subscription["status"])[:100])
        return partial(told_silence, ports, received, Platform.TWITCH, subject)
    event = told["event"]
    subject = str(event["broadcaster_user_id"])
    if kind == "stream.online" and event["type"] == "live":
        began = moment(event["started_at"])
        return partial(told_online, ports, received, Platform.TWITCH, subject, str(event["id"]), began)
    if kind == "stream.offline":
        return partial(told_offline, ports, received, Platform.TWITCH, subject, message.sent_at)
    return None


def _answer(status: HTTPStatus) -> Response:
    return Response(status_code=status)
