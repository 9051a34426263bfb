"""What a platform's sandbox remembers: its channels and who is live, and the codes and tokens that it gave."""

import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from domain.clock import Clock

CODE_LIVES = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Live:
    """A stream that goes on."""

    id: str
    started_at: datetime
    curve: list[int]
    """Viewers, minute by minute; after the last comes the first."""

    def viewers(self, now: datetime) -> int:
        """How many there are now."""
        minute = int((now - self.started_at).total_seconds() // 60)
        return self.curve[minute % len(self.curve)]


@dataclass(slots=True)
class Channel:
    """Somebody's channel."""

    id: str
    login: str
    display_name: str
    followers: int = 1234
    live: Live | None = None


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Who we are to the platform."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(slots=True)
class Code:
    """What a code stands for."""

    channel: Channel
    redirect_uri: str
    challenge: str
    scopes: list[str]
    given_at: datetime
    is_offline: bool = True
    """Whether it is worth a refresh token."""
    used: bool = False


@dataclass(slots=True)
class Grant:
    """What a channel's owner granted us: one access and one refresh token at a time."""

    channel: Channel
    scopes: list[str]
    access: str
    refresh: str
    expires_at: datetime
    renewed: int = 0


class FaultKind(StrEnum):
    """What can go wrong with a call."""

    SERVER_ERROR = "server_error"
    LOST = "lost"
    """The work is done, and its answer does not arrive."""
    GARBAGE = "garbage"
    HUNG = "hung"
    """No answer comes for as long as the caller waits."""


class Office:
    """A platform."""

    token_lives: ClassVar[timedelta] = timedelta(hours=4)
    changes_refresh_tokens: ClassVar[bool] = True

    def __init__(self, settings: SandboxSettings, channels: Iterable[tuple[str, str, str]], clock: Clock) -> None:
        self.settings, self.clock = settings, clock
        self.channels = {id_: Channel(id_, login, name) for id_, login, name in channels}
        self.calls: Counter[str] = Counter()
        self.grants: list[Grant] = []
        self._codes: dict[str, Code] = {}
        self._coming: list[tuple[FaultKind, str]] = []

    def channel(self, login: str) -> Channel | None:
        """The channel of this name."""
        return next((channel for channel in self.channels.values() if channel.login == login), None)

    def order(self, kind: FaultKind, call: str, times: int = 1) -> None:
        """Let the next so many of these calls go wrong."""
        self._coming += [(kind, call)] * times

    def take(self, kind: FaultKind, call: str) -> bool:
        """Whether this call goes so wrong; used up by one."""
        if (kind, call) not in self._coming:
            return False
        self._coming.remove((kind, call))
        return True

    def give_code(self, code: Code) -> str:
        """A new code."""
        text = secrets.token_urlsafe(24)
        self._codes[text] = code
        return text

    def code(self, text: str) -> Code | None:
        """What a code stands for, once and only while it lives."""
        found = self._codes.get(text)
        if found is None or found.used or self.clock() >= found.given_at + CODE_LIVES:
            return None
        found.used = True
        return found

    def grant(self, channel: Channel, scopes: list[str]) -> Grant:
        """Grant us a channel."""
        made = Grant(channel, scopes, new_token(), new_token(), self.clock() + self.token_lives)
        self.grants.append(made)
        return made

    def by_access(self, token: str) -> Grant | None:
        """The grant of an access token that is good."""
        now = self.clock()
        return next((each for each in self.grants if each.access == token and now < each.expires_at), None)

    def by_refresh(self, token: str) -> Grant | None:
        """The grant of a refresh token that is good."""
        return next((each for each in self.grants if each.refresh == token), None)

    def renew(self, grant: Grant) -> None:
        """Give other tokens for those, which are good no more; some platforms leave the refresh token as it is."""
        grant.access = new_token()
        if self.changes_refresh_tokens:
            grant.refresh = new_token()
        grant.expires_at = self.clock() + self.token_lives
        grant.renewed += 1

    def disconnect(self, channel: Channel) -> None:
        """Let a channel's owner take back all that they granted."""
        self.grants = [each for each in self.grants if each.channel is not channel]

    def expire(self, channel: Channel) -> None:
        """Let the access tokens of a channel run out now."""
        for each in self.grants:
            if each.channel is channel:
                each.expires_at = self.clock()


def new_token() -> str:
    """A token."""
    return secrets.token_hex(15)
