"""What the overlay context says no to."""

from dataclasses import dataclass
from typing import ClassVar

from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class OverlayNotFound(Refusal):
    """There is no such overlay that is yours, or no more."""

    code: ClassVar[str] = "OVERLAY_NOT_FOUND"
    message: str = "There is no such overlay."


@dataclass(frozen=True, slots=True)
class OverlayRefused(Refusal):
    """Something in what is said of an overlay, or is to be shown on it, cannot be."""

    code: ClassVar[str] = "OVERLAY_REFUSED"
    message: str
    field: str


@dataclass(frozen=True, slots=True)
class TooManyOverlays(Refusal):
    """A streamer has so many overlays at a time."""

    code: ClassVar[str] = "TOO_MANY_OVERLAYS"
    message: str
    most: int


@dataclass(frozen=True, slots=True)
class StreamerNotFound(Refusal):
    """There is no such streamer."""

    code: ClassVar[str] = "STREAMER_NOT_FOUND"
    message: str = "There is no such streamer."


@dataclass(frozen=True, slots=True)
class OverlaySessionUnknown(Refusal):
    """What is reported comes from no session of this overlay and its token."""

    code: ClassVar[str] = "OVERLAY_SESSION_UNKNOWN"
    message: str = "This is no session of the overlay: follow its scene again, and report by the session told there."
