"""The listing that brands search: `domain.streamer.ports.Listing` on the connection of one unit of work.

Only rows that differ are written: whoever finds nothing to do leaves no trace. Where two changes of one streamer meet,
the later one may list what it saw before the other, until the listing is renewed.
"""

from datetime import datetime
from typing import Final

from asyncpg import Connection

from domain.streamer.model import StreamerId

# Who was found to be somebody else is as welcome as that person is.
_RENEW: Final = """
with truth as materialized (
    select streamer.id as streamer, streamer.country, streamer.language, streamer.rating,
        (select string_agg(category, ',' order by category) from unnest(streamer.categories) as category) as categories,
        coalesce(confirmed.platforms, '') as platforms
    from streamer join person on person.id = streamer.person
        left join person as survivor on survivor.id = person.survivor
        left join (select streamer, string_agg(platform, ',' order by platform) as platforms from platform_link
            where state = 'confirmed' group by streamer) as confirmed on confirmed.streamer = streamer.id
    where coalesce(survivor.status, person.status) = 'active' and {which_streamer}
), gone as (
    delete from streamer_listing as listed
    where {which_listed} and not exists (select from truth where truth.streamer = listed.streamer) returning 1
), written as (
    insert into streamer_listing (streamer, country, language, rating, categories, platforms)
    select truth.* from truth left join streamer_listing as listed on listed.streamer = truth.streamer
    where listed.streamer is null
        or (listed.country, listed.language, listed.rating, listed.categories, listed.platforms)
            is distinct from (truth.country, truth.language, truth.rating, truth.categories, truth.platforms)
    on conflict (streamer) do update set country = excluded.country, language = excluded.language,
        rating = excluded.rating, categories = excluded.categories, platforms = excluded.platforms
    returning 1
)
select (select count(*) from gone) + (select count(*) from written)
"""
_MEASURE: Final = """
with measured as materialized (
    select link.streamer, round(sum(viewers_in_all)::numeric / sum(samples))::integer as average
    from stream_session join platform_link as link on link.id = stream_session.link
    where link.state = 'confirmed' and samples > 0 and seen_at >= $1 group by link.streamer
), truth as (
    select streamer, average from streamer_listing left join measured using (streamer)
)
update streamer_listing as listed set average_viewers = truth.average
from truth where truth.streamer = listed.streamer and listed.average_viewers is distinct from truth.average
returning 1
"""
_ALL = _RENEW.format(which_streamer="true", which_listed="true")
_ONE = _RENEW.format(which_streamer="streamer.id = $1", which_listed="listed.streamer = $1")


class PostgresListing:
    """The listing inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def renew(self) -> int:
        """Make it what it should be; how many rows were not."""
        return int(await self._connection.fetchval(_ALL))

    async def measure(self, since: datetime) -> int:
        """Say before how many everybody streamed on average since then; how many rows said otherwise."""
        return len(await self._connection.fetch(_MEASURE, since))


async def list_anew(connection: Connection, streamer: StreamerId) -> None:
    """Have one streamer's row say what is true by now, with the change that made it so."""
    await connection.execute(_ONE, streamer)
