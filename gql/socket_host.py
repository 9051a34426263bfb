"""What every WebSocket is served with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import HTTPConnection

from domain.actor import Origin
from domain.clock import Clock
from gql.context import Context
from gql.doorkeeper import Guest, Leave, ScreenGuest
from gql.execution import Schema
from gql.fanout.groups import Fanout
from gql.fanout.places import Places


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who sits at the other end, and until when."""

    guest: Guest | ScreenGuest
    expires_at: datetime | None
    """None for who stays as long as they like: an overlay's token has no end of its own."""

    def left_s(self, now: datetime) -> float | None:
        """After how many seconds they have to leave by themselves."""
        return max((self.expires_at - now).total_seconds(), 0.0) if self.expires_at is not None else None


@dataclass(frozen=True, slots=True)
class Host:
    """What every socket is served with."""

    schema: Schema
    admit: Callable[[HTTPConnection, Mapping[str, Any], Leave], Awaitable[Admitted]]
    """Judges a handshake and the payload of `connection_init`. Raises `UnauthenticatedError`, or `UnavailableError`."""
    part: Callable[[Guest | ScreenGuest], None]
    """Is told that somebody has left."""
    open_context: Callable[[Guest | ScreenGuest, Origin], Context]
    """Makes the context of one operation."""
    welcomes: Callable[[Mapping[str, str]], bool]
    """Whether a handshake with these headers comes from a page that we know, or from no page."""
    clock: Clock
    fanout: Fanout
    places: Places
