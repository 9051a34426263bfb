"""What happens to streamers."""

from dataclasses import dataclass
from uuid import UUID

from domain.events import Event


@dataclass(frozen=True, slots=True)
class StreamerJoined(Event):
    """Somebody became a streamer."""

    streamer: UUID


@dataclass(frozen=True, slots=True)
class PlatformLinkConfirmed(Event):
    """A streamer has proved that an account is theirs."""

    streamer: UUID
    link: UUID


@dataclass(frozen=True, slots=True)
class PlatformUnlinked(Event):
    """A streamer's account, confirmed before, is linked no more."""

    streamer: UUID
    link: UUID


@dataclass(frozen=True, slots=True)
class LiveChanged(Event):
    """A streamer is live who was not, or is no more, on whatever platform."""

    streamer: UUID

    @property
    def topic(self) -> str:
        """`live:<streamer>`."""
        return live_topic(self.streamer)


def live_topic(streamer: UUID) -> str:
    """The topic of when a streamer is live."""
    return f"live:{streamer}"
