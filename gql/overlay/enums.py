"""What the enumerations of overlays mean to clients."""

from domain.overlay.model import AlertKind, Place, Side, Theme
from gql.enums import describe

__all__ = ["AlertKind", "Place", "Side", "Theme"]

describe(
    Theme,
    "OverlayTheme",
    "In which colours an overlay is drawn.",
    {Theme.MIDNIGHT: "Light on dark.", Theme.DAYLIGHT: "Dark on light.", Theme.NEON: "Bright on black."},
)
describe(
    Place,
    "OverlayPlace",
    "Where on the picture an overlay shows things.",
    {place: f"{place.value.replace('_', ' ').capitalize()}." for place in Place},
)
describe(
    AlertKind,
    "OverlayAlertKind",
    "What an alert is about.",
    {AlertKind.TIP: "Somebody gave something.", AlertKind.FOLLOW: "Somebody follows the streamer."},
)
describe(
    Side,
    "OverlaySide",
    "Who has switched a streamer's overlays off.",
    {Side.STREAMER: "The streamer.", Side.STAFF: "Staff."},
)
