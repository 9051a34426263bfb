"""Everything that streamers need, plugged in."""

from dataclasses import dataclass, fields

from adapters.postgres.database import Database
from adapters.postgres.streamer.reads import PostgresStreamerReads
from adapters.postgres.streamer.search import PostgresStreamerSearch
from adapters.wiring.identity import IdentityAdapters


@dataclass(frozen=True, slots=True)
class StreamerAdapters(IdentityAdapters):
    """`domain.streamer.ports.StreamerPorts`, plugged in."""

    reads: PostgresStreamerReads
    search: PostgresStreamerSearch


def streamer_of(identity: IdentityAdapters, database: Database) -> StreamerAdapters:
    """What the actions of streamers are handed: all of identity, and what streamers are besides."""
    return StreamerAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        reads=PostgresStreamerReads(database, identity.vault),
        search=PostgresStreamerSearch(database),
    )
