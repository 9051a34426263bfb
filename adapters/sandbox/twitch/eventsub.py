"""EventSub: subscriptions, and signed messages that come twice, late, in another order or never when told to."""

import asyncio
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import uuid4

import httpx2
import structlog

from domain.clock import Clock

_PATIENCE_S = 10.0

_log = structlog.get_logger(__name__)


class Manner(StrEnum):
    """How messages are delivered."""

    AS_IT_SHOULD = "as_it_should"
    TWICE = "twice"
    NEVER = "never"
    HELD = "held"
    """Kept back until they are released, the last one first."""


@dataclass(slots=True)
class Subscription:
    """Somebody who wants to be told of something."""

    id: str
    kind: str
    condition: Mapping[str, str]
    callback: str
    secret: str = field(repr=False)
    created_at: datetime
    status: str = "webhook_callback_verification_pending"

    @property
    def shown(self) -> dict[str, object]:
        """As Twitch shows it."""
        return {
            "id": self.id, "status": self.status, "type": self.kind, "version": "1", "condition": self.condition,
            "created_at": stamp(self.created_at), "cost": 1,
            "transport": {"method": "webhook", "callback": self.callback},
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """A signed message."""

    callback: str
    headers: Mapping[str, str]
    body: bytes


def stamp(at: datetime) -> str:
    """An instant as Twitch writes it, to the nanosecond."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"


class EventSub:
    """The office that tells."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.subscriptions: dict[str, Subscription] = {}
        self.manner = Manner.AS_IT_SHOULD
        self.held: list[Message] = []
        self.answers: list[int] = []
        """What was answered to each message, in order; 0 where nothing was."""
        self._errands: set[asyncio.Task[None]] = set()

    def subscribe(self, kind: str, condition: Mapping[str, str], callback: str, secret: str) -> Subscription | None:
        """Take a subscription, and ask whether it is wanted; None where it is there already."""
        for known in self.subscriptions.values():
            if (known.kind, known.condition, known.callback) == (kind, condition, callback):
                return None
        made = Subscription(str(uuid4()), kind, condition, callback, secret, self._clock())
        self.subscriptions[made.id] = made
        errand = asyncio.create_task(self._verify(made))
        self._errands.add(errand)
        errand.add_done_callback(self._errands.discard)
        return made

    async def tell(self, kind: str, subject: str, event: Mapping[str, object]) -> None:
        """Tell everybody who wants to be told, in the present manner."""
        for each in list(self.subscriptions.values()):
            if each.status == "enabled" and each.kind == kind and each.condition["broadcaster_user_id"] == subject:
                await self.deliver(self.message(each, "notification", {"event": event}))

    async def revoke(self, subject: str, status: str) -> None:
        """End all subscriptions about somebody, and say so."""
        for each in list(self.subscriptions.values()):
            if each.condition["broadcaster_user_id"] == subject:
                each.status = status
                await self.deliver(self.message(each, "revocation", {}))

    async def deliver(self, message: Message) -> None:
        """Deliver a message in the present manner."""
        if self.manner is Manner.HELD:
            self.held.append(message)
        times = {Manner.AS_IT_SHOULD: 1, Manner.TWICE: 2}.get(self.manner, 0)
        for _ in range(times):
            await self.post(message)

    async def release(self) -> None:
        """Deliver what was held back, the last first."""
        while self.held:
            await self.post(self.held.pop())

    def message(self, about: Subscription, kind: str, told: Mapping[str, Any], at: datetime | None = None) -> Message:
        """A message, signed as of now or another time."""
        body = json.dumps({"subscription": about.shown, **told}).encode()
        id_, sent = str(uuid4()), stamp(at or self._clock())
        signature = hmac.new(about.secret.encode(), (id_ + sent).encode() + body, sha256).hexdigest()
        headers = {
            "Twitch-Eventsub-Message-Id": id_,
            "Twitch-Eventsub-Message-Retry": "0",
            "Twitch-Eventsub-Message-Type": kind,
            "Twitch-Eventsub-Message-Signature": f"sha256={signature}",
            "Twitch-Eventsub-Message-Timestamp": sent,
            "Twitch-Eventsub-Subscription-Type": about.kind,
            "Twitch-Eventsub-Subscription-Version": "1",
            "Content-Type": "application/json",
        }
        return Message(about.callback, headers, body)

    async def post(self, message: Message) -> httpx2.Response | None:
        """Post a message; None where nobody answers."""
        async with httpx2.AsyncClient(trust_env=False, timeout=_PATIENCE_S) as client:
            try:
                answer = await client.post(message.callback, content=message.body, headers=dict(message.headers))
            except httpx2.HTTPError as error:
                _log.warning("eventsub_not_delivered", error=type(error).__name__)
                self.answers.append(0)
                return None
        self.answers.append(answer.status_code)
        return answer

    async def _verify(self, made: Subscription) -> None:
        challenge = secrets.token_urlsafe(24)
        answer = await self.post(self.message(made, "webhook_callback_verification", {"challenge": challenge}))
        wanted = answer is not None and answer.status_code == 200 and answer.text == challenge  # noqa: PLR2004 - HTTP
        made.status = "enabled" if wanted else "webhook_callback_verification_failed"
