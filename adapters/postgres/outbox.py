"""The outbox: events are written with what they speak of, in one database transaction, and told afterwards."""

from asyncpg import Connection

from domain.events import Event


async def write_event(connection: Connection, event: Event) -> None:
    """Record an event; the same event again is the same row."""
    raise NotImplementedError
