"""Which reactions are due, done or dead. A run is counted before it begins: one that ends the process counts too."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Connection

from adapters.postgres.database import Database
from domain.events import Event
from domain.reactions import Reaction, known_reactions

# Materialized: a plan that ran it once for each row would lock and take more than the limit.
_CLAIM = """
with due as materialized (
    select reaction.event_id, reaction.name, event.name as event_name, event.body
    from reaction join event on event.id = reaction.event_id
    where done_at is null and dead_at is null and next_at <= now()
      and (event.name, reaction.name) in (select * from unnest($3::text[], $4::text[]))
    order by next_at limit $1
    for no key update of reaction skip locked
)
update reaction set attempts = attempts + 1, next_at = now() + $2 * interval '1 second'
from due
where reaction.event_id = due.event_id and reaction.name = due.name
returning reaction.event_id, reaction.name, reaction.attempts, due.event_name, due.body
"""
_DONE = """
update reaction set done_at = now(), dead_at = null, error = null
where (event_id, name) = ($1, $2) and done_at is null
"""
_LATER = """
update reaction set next_at = now() + $3 * interval '1 second', error = $4
where (event_id, name) = ($1, $2) and done_at is null and dead_at is null
"""
_DEAD = """
update reaction set dead_at = now(), error = $3
where (event_id, name) = ($1, $2) and done_at is null and dead_at is null
"""
_DEAD_LETTERS = """
select reaction.event_id, reaction.name as reaction, event.name as event, event.topic, attempts, error, dead_at
from reaction join event on event.id = reaction.event_id
where dead_at is not null order by dead_at desc, reaction.event_id, reaction.name limit $1
"""
_REVIVE = """
update reaction set dead_at = null, attempts = 0, next_at = now()
where (event_id, name) = ($1, $2) and dead_at is not null returning true
"""
_ERROR_LENGTH = 2000


@dataclass(frozen=True, slots=True)
class Claim:
    """One run of one reaction, ours until its lease ends. `event` is None when its body cannot be read."""

    event_id: UUID
    name: str
    attempts: int
    reaction: Reaction
    event: Event | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A reaction that was given up, for staff to look at and, once its cause is gone, to revive."""

    event_id: UUID
    reaction: str
    event: str
    topic: str
    attempts: int
    error: str
    dead_at: datetime


async def claim(connection: Connection, most: int, lease_s: float) -> Sequence[Claim]:
    """Take reactions that are due and known to this release; nobody else takes them before the lease ends."""
    known = known_reactions()
    names = [list(column) for column in zip(*known, strict=True)] or [[], []]
    claims: list[Claim] = []
    for event_id, name, attempts, event_name, body in await connection.fetch(_CLAIM, most, lease_s, *names):
        kind, reaction = known[event_name, name]
        try:
            event = kind.read(event_id, body)
        except (KeyError, ValueError, TypeError):
            event = None
        claims.append(Claim(event_id, name, attempts, reaction, event))
    return claims


async def finish(connection: Connection, claimed: Claim) -> None:
    """The reaction has run to its end: never again."""
    await connection.execute(_DONE, claimed.event_id, claimed.name)


async def postpone(connection: Connection, claimed: Claim, pause_s: float, error: str) -> None:
    """The reaction failed: again after a pause."""
    await connection.execute(_LATER, claimed.event_id, claimed.name, pause_s, error[:_ERROR_LENGTH])


async def bury(connection: Connection, claimed: Claim, error: str) -> None:
    """The reaction failed too often: to the dead letters."""
    await connection.execute(_DEAD, claimed.event_id, claimed.name, error[:_ERROR_LENGTH])


async def dead_letters(database: Database, first: int = 100) -> Sequence[DeadLetter]:
    """What was given up, latest first."""
    return [DeadLetter(**record) for record in await database.pool.fetch(_DEAD_LETTERS, first)]


async def revive(database: Database, event_id: UUID, reaction: str) -> bool:
    """Try a dead letter again from the first attempt; False when there is no such dead letter."""
    return bool(await database.pool.fetchval(_REVIVE, event_id, reaction))
