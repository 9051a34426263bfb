"""Everything that overlays need, plugged in."""

from dataclasses import dataclass, fields

from adapters.postgres.database import Database
from adapters.postgres.overlay.reads import PostgresOverlayReads
from adapters.wiring.streamer import StreamerAdapters


@dataclass(frozen=True, slots=True)
class OverlayAdapters(StreamerAdapters):
    """`domain.overlay.ports.OverlayPorts`, plugged in."""

    overlays: PostgresOverlayReads


def overlays_on(streamer: StreamerAdapters, database: Database) -> OverlayAdapters:
    """What the actions of overlays are handed: all of streamers, and what overlays are besides."""
    return OverlayAdapters(
        **{part.name: getattr(streamer, part.name) for part in fields(StreamerAdapters)},
        overlays=PostgresOverlayReads(database, streamer.vault),
    )
