"""Everything that messages need, plugged in."""

from dataclasses import dataclass, fields

from adapters.postgres.database import Database
from adapters.postgres.message.reads import PostgresMessageReads
from adapters.wiring.identity import IdentityAdapters


@dataclass(frozen=True, slots=True)
class MessageAdapters(IdentityAdapters):
    """`domain.message.ports.MessagePorts`, plugged in."""

    reads: PostgresMessageReads


def messages_of(identity: IdentityAdapters, database: Database) -> MessageAdapters:
    """What the actions of messages are handed: all of identity, and messages besides."""
    return MessageAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        reads=PostgresMessageReads(database, identity.vault),
    )
