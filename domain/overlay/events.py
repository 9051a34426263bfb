"""What happens to overlays. Each is told on the overlay's own topic, which its page follows."""

from dataclasses import dataclass
from uuid import UUID

from domain.events import Event
from domain.overlay.model import Side, overlay_topic


@dataclass(frozen=True, slots=True)
class _OfOverlay(Event):
    """Something about one overlay."""

    overlay: UUID

    @property
    def topic(self) -> str:
        """The overlay's own."""
        return overlay_topic(self.overlay)


@dataclass(frozen=True, slots=True)
class OverlayAdded(_OfOverlay):
    """A streamer has one more overlay."""


@dataclass(frozen=True, slots=True)
class OverlayChanged(_OfOverlay):
    """An overlay is to look another way."""


@dataclass(frozen=True, slots=True)
class OverlayTokenRotated(_OfOverlay):
    """An overlay has another token; who has the former one has to leave."""


@dataclass(frozen=True, slots=True)
class OverlayRevoked(_OfOverlay):
    """An overlay is no more."""


@dataclass(frozen=True, slots=True)
class OverlayAlertRaised(_OfOverlay):
    """Something is to be shown on an overlay."""

    sequence: int


@dataclass(frozen=True, slots=True)
class OverlaysSwitchedOff(Event):
    """All overlays of a streamer are off."""

    streamer: UUID
    side: Side


@dataclass(frozen=True, slots=True)
class OverlaysSwitchedOn(Event):
    """One side has nothing any more against a streamer's overlays."""

    streamer: UUID
    side: Side
