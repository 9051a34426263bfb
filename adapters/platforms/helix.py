"""What Twitch shows to everybody (Helix), asked as ourselves; and EventSub, by which it tells us what happens."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from adapters.breaker import Breaker
from adapters.identity.oidc_wire import Answer, Wire
from adapters.platforms import HELIX, SECRET_LENGTHS
from adapters.platforms.answers import moment, reading
from adapters.platforms.twitch import TwitchAccess
from domain.identity.provider import ProviderUnavailableError
from domain.streamer.live import OnAir, Pace, Seen, Telling, Unseen, Watched

KINDS = ("stream.online", "stream.offline")
_MOST_IDS = 100
_PACE = Pace(timedelta(minutes=10))
"""We are told; but a message may be lost."""
_MOST_PAGES = 500
_RESERVE = 10
"""So many calls of a bucket are left for others who use our client."""
_THERE_ALREADY = (HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT)
_IN_ORDER = {"enabled", "webhook_callback_verification_pending"}


@dataclass(frozen=True, slots=True)
class EventSub:
    """Where Twitch tells us what happens, and with which secret it signs that."""

    callback: str
    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) not in SECRET_LENGTHS or not self.secret.isascii():
            raise ValueError("Twitch signs with a secret of 10 to 100 ASCII characters")


class TwitchHelix:
    """`domain.streamer.live.Broadcasts` by Twitch. Close it, or use it as a context."""

    def __init__(
        self,
        access: TwitchAccess,
        api_url: str = HELIX,
        eventsub: EventSub | None = None,
        *,
        breaker: Breaker | None = None,
        ticks: Callable[[], float] = time.time,
    ) -> None:
        self._access, self._api_url, self._eventsub, self._ticks = access, api_url, eventsub, ticks
        self._wire = Wire(access.registration(), timeout_s=access.timeout_s, breaker=breaker or Breaker())
        self._token: str | None = None
        self._left, self._full_at = _RESERVE + 1, 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        await self._wire.aclose()

    @property
    def telling(self) -> Telling | None:
        """Itself, where it knows what to sign with."""
        return self if self._eventsub else None

    @property
    def counted_at_once(self) -> int:
        """One account a call."""
        return 1

    async def pace(self, _now: datetime, _live: int, _quiet: int, /) -> Pace:
        """Everybody who is live every minute, and everybody now and then: calls are for a hundred accounts."""
        return _PACE

    async def on_air(self, asked: Sequence[Watched]) -> Mapping[str, Seen]:
        """Who of these is live, a hundred a call."""
        found: dict[str, Seen] = {each.subject: Unseen.NOT_LIVE for each in asked}
        for at in range(0, len(asked), _MOST_IDS):
            ids = [("user_id", each.subject) for each in asked[at : at + _MOST_IDS]]
            told = await self._get("streams", [("first", str(_MOST_IDS)), *ids])
            with reading("streams"):
                for each in told["data"]:
                    if each["type"] == "live":
                        seen = OnAir(str(each["id"]), moment(each["started_at"]), max(0, int(each["viewer_count"])))
                        found[str(each["user_id"])] = seen
        return found

    async def followers(self, subjects: Sequence[str]) -> Mapping[str, int | None]:
        """How many follow each account, by a call for each."""
        found: dict[str, int | None] = {}
        for subject in subjects:
            told = await self._get("channels/followers", [("broadcaster_id", subject), ("first", "1")])
            with reading("followers"):
                found[subject] = max(0, int(told["total"]))
        return found

    async def subscribe(self, subject: str) -> None:
        """Have us told when somebody begins and ends; what is there already is as good."""
        if self._eventsub is None:
            raise ProviderUnavailableError("nobody told us what Twitch is to sign with")
        transport = {"method": "webhook", "callback": self._eventsub.callback, "secret": self._eventsub.secret}
        for kind in KINDS:
            wanted = {
                "type": kind, "version": "1", "condition": {"broadcaster_user_id": subject}, "transport": transport,
            }  # fmt: skip
            answer = await self._call("POST", "eventsub/subscriptions", told=wanted)
            if answer.status not in _THERE_ALREADY:
                raise ProviderUnavailableError(f"subscribe: HTTP {answer.status}")

    async def subscriptions(self) -> Mapping[str, Sequence[str]]:
        """Of whom we are told. What is not in order, or tells but half, is ended on the way, and begun anew in time."""
        found: dict[str, dict[str, str]] = {}
        after: list[tuple[str, str]] = []
        for _ in range(_MOST_PAGES):
            told = await self._get("eventsub/subscriptions", after)
            with reading("subscriptions"):
                page = [
                    (str(each["id"]), str(each["type"]), str(each["status"]), each["condition"])
                    for each in told["data"]
                ]
                cursor = told.get("pagination", {}).get("cursor")
            for id_, kind, status, condition in page:
                subject = condition.get("broadcaster_user_id")
                if kind in KINDS and isinstance(subject, str):
                    if status in _IN_ORDER:
                        found.setdefault(subject, {})[kind] = id_
                    else:
                        await self.unsubscribe(id_)
            if not cursor:
                break
            after = [("after", str(cursor))]
        for subject in [subject for subject, ids in found.items() if len(ids) < len(KINDS)]:
            for id_ in found.pop(subject).values():
                await self.unsubscribe(id_)
        return {subject: list(ids.values()) for subject, ids in found.items()}

    async def unsubscribe(self, subscription: str) -> None:
        """Be told no more; what is gone already is as good."""
        answer = await self._call("DELETE", f"eventsub/subscriptions?{urlencode({'id': subscription})}")
        if answer.status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND}:
            raise ProviderUnavailableError(f"unsubscribe: HTTP {answer.status}")

    async def _get(self, what: str, asked: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
        answer = await self._call("GET", f"{what}?{urlencode(asked)}")
        if answer.status != HTTPStatus.OK:
            raise ProviderUnavailableError(f"{what}: HTTP {answer.status}")
        return answer.told

    async def _call(self, verb: str, what: str, told: Mapping[str, object] | None = None) -> Answer:
        """One call, with a new token where Twitch does not know ours any more, and none that the bucket has not."""
        for is_last in (False, True):
            if self._left <= _RESERVE and self._ticks() < self._full_at:
                raise ProviderUnavailableError("we have asked as much as we may for now")
            headers = {"Authorization": f"Bearer {await self._app_token()}", "Client-Id": self._access.client_id}
            call = what.partition("?")[0]
            answer = await self._wire.send(call, verb, f"{self._api_url}/{what}", headers=headers, told=told)
            self._note_budget(answer)
            if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise ProviderUnavailableError(f"{call}: we have asked more than we may")
            if answer.status != HTTPStatus.UNAUTHORIZED or is_last:
                return answer
            self._token = None
        raise AssertionError("the loop returns")

    def _note_budget(self, answer: Answer) -> None:
        left, full_at = (answer.headers.get(f"ratelimit-{name}", "") for name in ("remaining", "reset"))
        if left.isdecimal() and full_at.isdecimal():
            self._left, self._full_at = int(left), float(full_at)

    async def _app_token(self) -> str:
        if self._token is None:
            form = {
                "client_id": self._access.client_id,
                "client_secret": self._access.client_secret,
                "grant_type": "client_credentials",
            }
            answer = await self._wire.send("app_token", "POST", f"{self._access.oauth_url}/token", form=form)
            token = answer.told.get("access_token") if answer.status == HTTPStatus.OK else None
            if not isinstance(token, str) or not token.isascii() or not token.isprintable():
                raise ProviderUnavailableError(f"app_token: HTTP {answer.status}")
            self._token = token
        return self._token
