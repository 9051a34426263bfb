"""The outbox: events are written with what they speak of, in one database transaction, and told afterwards.

Writers do not number: commit order cannot be seen from SQL. The relay, one at a time, numbers what it can see.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import Connection, Record

from adapters.postgres.arrays import columns
from adapters.postgres.pool import PatientPool
from domain.events import Event
from domain.reactions import reaction_names

_WRITE = """
with written as (
    insert into event (id, topic, name, body, recorded_at)
    select id, topic, name, body, clock_timestamp() + place * interval '1 microsecond'
    from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[])
        with ordinality as told (id, topic, name, body, place) order by place
    on conflict (id) do nothing returning id
)
insert into reaction (event_id, name)
select id, reaction from written join unnest($5::uuid[], $6::text[]) as follows (id, reaction) using (id)
"""
_NUMBER = """
with waiting as materialized (
    select id, topic, recorded_at, row_number() over (partition by topic order by recorded_at, id) as place
    from (select * from event where number is null order by recorded_at, id limit $1) as oldest
), sizes as (
    select topic, count(*) as size, min(recorded_at) as oldest from waiting group by topic
), heads as (
    insert into topic_head (topic, number) select topic, size from sizes order by topic
    on conflict (topic) do update set number = topic_head.number + excluded.number
    returning topic, number
), numbered as (
    update event set number = heads.number - sizes.size + waiting.place
    from waiting join heads using (topic) join sizes using (topic)
    where event.id = waiting.id
)
select topic, number, oldest from heads join sizes using (topic)
"""
_UNPUBLISHED = """
select topic, max(number) as number, min(recorded_at) as oldest
from event where published_at is null and number is not null group by topic
"""
_PUBLISHED = "update event set published_at = clock_timestamp() where published_at is null and number is not null"
_PRUNE = "select prune_events($1, $2)"
_AT_ONCE = 1000


class News(NamedTuple):
    """The newest number of each topic that has something to publish, and since when the oldest of it waits."""

    heads: Mapping[str, int]
    oldest: datetime | None


async def write_events(connection: Connection, events: Sequence[Event]) -> None:
    """Record events, in this order, with all that is to follow them; the same event again is the same row.

    Raises LookupError for a class that `domain.reactions.REACTIONS` does not list.
    """
    told = {event.id: event for event in events}
    rows = [(event.id, event.topic, event.name, event.body) for event in told.values()]
    follows = [(event.id, name) for event in told.values() for name in reaction_names(type(event))]
    if rows:
        await connection.execute(_WRITE, *columns(rows, 4), *columns(follows, 2))


async def number_events(connection: Connection) -> News:
    """Give each visible event that has none the next number of its topic. Only one caller at a time: the relay."""
    return _news(await connection.fetch(_NUMBER, _AT_ONCE))


async def unpublished_events(connection: Connection) -> News:
    """What was numbered and perhaps not published, by a relay that ended in between."""
    return _news(await connection.fetch(_UNPUBLISHED))


async def mark_published(connection: Connection) -> None:
    """Everything numbered so far has been published."""
    await connection.execute(_PUBLISHED)


async def prune_events(pool: PatientPool, before: datetime) -> int:
    """Delete events published before then, 30 days ago at least, and followed to the end; how many. Dead letters stay.

    Their numbers outlive them in `topic_head`, so that none is given twice.
    """
    pruned = 0
    while gone := await pool.fetchval(_PRUNE, before, _AT_ONCE):
        pruned += gone
    return pruned


def _news(records: Iterable[Record]) -> News:
    found = list(records)
    return News(
        {record["topic"]: record["number"] for record in found},
        min((record["oldest"] for record in found), default=None),
    )
