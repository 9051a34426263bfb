"""Streamers: `domain.streamer.ports.Streamers` on the connection of one unit of work."""

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Connection

from adapters.postgres.streamer.listing import list_anew
from domain.ids import AssetId, PersonId, uuid7
from domain.streamer.model import StreamerId
from domain.streamer.ports import KeptStreamer, SealedProfile

_ADD = """
insert into streamer (id, person, display_name, schedule, categories, language, rating, country, time_zone, created_at,
    changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
on conflict (person) do nothing returning id
"""
# The row tells every process by itself that the person's standing has changed.
_JOIN = """
insert into membership (id, person, kind, created_at) values ($1, $2, 'streamer', $3)
on conflict (person, kind, coalesce(brand, person)) where ended_at is null do nothing
"""
_LOCK_OF = """
select id, person, version from streamer where person = any($1::uuid[])
order by array_position($1::uuid[], person) limit 1 for no key update
"""
_CHANGE = """
update streamer set display_name = $2, schedule = $3, categories = $4, language = $5, rating = $6, country = $7,
    time_zone = $8, changed_at = $9, version = version + 1
where id = $1
"""


class PostgresStreamers:
    """Streamers inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, id_: StreamerId, person: PersonId, sealed: SealedProfile, now: datetime) -> bool:
        """Store a new streamer and make the person a member; False where they are one already."""
        if await self._connection.fetchval(_ADD, id_, person, *_columns(sealed), now) is None:
            return False
        await self._connection.execute(_JOIN, uuid7(), person, now)
        await list_anew(self._connection, id_)
        return True

    async def lock_of(self, people: Sequence[PersonId]) -> KeptStreamer | None:
        """Be alone with the streamer of people who are one."""
        found = await self._connection.fetchrow(_LOCK_OF, list(people))
        return KeptStreamer(StreamerId(found["id"]), PersonId(found["person"]), found["version"]) if found else None

    async def change(self, id_: StreamerId, sealed: SealedProfile, now: datetime) -> None:
        """Keep another profile."""
        await self._connection.execute(_CHANGE, id_, *_columns(sealed), now)
        await list_anew(self._connection, id_)

    async def set_avatar(self, id_: StreamerId, avatar: AssetId | None) -> None:
        """Show another picture, or none."""
        await self._connection.execute("update streamer set avatar = $2 where id = $1", id_, avatar)


def _columns(sealed: SealedProfile) -> tuple[object, ...]:
    profile = sealed.profile
    return (
        sealed.display_name, sealed.schedule, list(profile.categories), profile.language, profile.rating,
        profile.country, profile.time_zone,
    )  # fmt: skip
