"""When streamers were live, read without locks: `domain.streamer.live.LiveReads`; a list is one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from adapters.postgres.database import Database
from domain.ids import PersonId
from domain.streamer.live import MEASURED, NEAR, LiveNow, Metrics, StreamSession, Watched
from domain.streamer.model import LinkId, Platform, StreamerId
from domain.streamer.watching import SUBJECT_FIELD
from domain.vault import Sealed, Vault

_NOW_AND_THEN = timedelta(minutes=10)
_DAILY = timedelta(days=1)
_SESSIONS = """
select link.streamer, link.platform, session.started_at, session.ended_at
from platform_link as link join stream_session as session on session.link = link.id
where link.streamer = any($1::uuid[]) and session.started_at < $3
    and (session.ended_at is null or session.ended_at >= $2)
order by session.started_at
"""
_VIEWERS_AT = """
select (
    select sum(sample.viewers)::bigint from platform_link as link
    join stream_session as session on session.link = link.id
    cross join lateral (
        select viewers from viewer_sample
        where session = session.id and at between asked.minute - $3::interval and asked.minute + $3::interval
        order by greatest(at - asked.minute, asked.minute - at) limit 1
    ) as sample
    where link.streamer = asked.streamer and session.started_at <= asked.moment
        and (session.ended_at is null or session.ended_at > asked.moment)
) as viewers
from (
    select streamer, moment, date_trunc('minute', moment) as minute, place
    from unnest($1::uuid[], $2::timestamptz[]) with ordinality as given (streamer, moment, place)
) as asked
order by asked.place
"""
_METRICS = """
select watch.link, watched_since, followers, followers_at, measured.average, measured.minutes,
    live.started_at as live_since, sample.viewers, sample.at as sampled_at
from platform_watch as watch
cross join lateral (
    select (select round(avg(viewers))::integer from stream_session join viewer_sample on session = stream_session.id
            where stream_session.link = watch.link and at >= $2) as average,
        (select (coalesce(sum(extract(epoch from lasted)), 0) / 60)::integer
            from stream_session
            cross join lateral (select coalesce(ended_at, seen_at) - greatest(started_at, $2) as lasted) as within
            where stream_session.link = watch.link and coalesce(ended_at, seen_at) > $2) as minutes
) as measured
left join lateral (
    select id, started_at from stream_session where stream_session.link = watch.link and ended_at is null
    order by started_at desc limit 1
) as live on true
left join lateral (
    select viewers, at from viewer_sample where session = live.id order by at desc limit 1
) as sample on true
where watch.link = any($1::uuid[])
"""
_WATCHED = """
select link.id, link.streamer, link.platform, streamer.person, watch.subject
from platform_watch as watch join platform_link as link on link.id = watch.link
join streamer on streamer.id = link.streamer
where link.state = 'confirmed' and {which}
"""
_TO_POLL = _WATCHED.format(
    which="""(subscribe_at is not null or watch.asked_at is null or watch.asked_at <= $1
    or exists (select from stream_session where stream_session.link = link.id and ended_at is null))
order by watch.asked_at nulls first"""
)
_TO_SUBSCRIBE = _WATCHED.format(which="subscribe_at <= $1 order by subscribe_at limit $2")
_TO_COUNT = _WATCHED.format(
    which="(followers_at is null or followers_at <= $1) order by followers_at nulls first limit $2"
)
_ALL = _WATCHED.format(which="true")


class PostgresLiveReads:
    """Reads of sessions; a platform's own ids are opened by the vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def sessions(
        self, streamers: Sequence[StreamerId], since: datetime, until: datetime
    ) -> Mapping[StreamerId, Sequence[StreamSession]]:
        """All sessions of each that lie within a time in part, first begun first."""
        found: dict[StreamerId, list[StreamSession]] = {streamer: [] for streamer in streamers}
        for row in await self._database.pool.fetch(_SESSIONS, list(streamers), since, until):
            streamer = StreamerId(row["streamer"])
            found[streamer].append(
                StreamSession(streamer, Platform(row["platform"]), row["started_at"], row["ended_at"])
            )
        return found

    async def viewers_at(self, moments: Sequence[tuple[StreamerId, datetime]]) -> Sequence[int | None]:
        """Before how many each was live at a moment; None: not live, or no sample is near."""
        streamers, times = [streamer for streamer, _ in moments], [at for _, at in moments]
        return [row["viewers"] for row in await self._database.pool.fetch(_VIEWERS_AT, streamers, times, NEAR)]

    async def metrics(self, links: Sequence[LinkId], now: datetime) -> Mapping[LinkId, Metrics]:
        """What we saw of accounts that we look at."""
        rows = await self._database.pool.fetch(_METRICS, list(links), now - MEASURED)
        return {LinkId(row["link"]): _metrics(row) for row in rows}

    async def to_poll(self, now: datetime) -> Sequence[Watched]:
        """Who is to be asked for now: who is live, of whom nobody tells us, and now and then everybody."""
        return await self._watched(_TO_POLL, now - _NOW_AND_THEN)

    async def to_subscribe(self, now: datetime, most: int) -> Sequence[Watched]:
        """Of whom we want to be told, and are not."""
        return await self._watched(_TO_SUBSCRIBE, now, most)

    async def to_count(self, now: datetime, most: int) -> Sequence[Watched]:
        """Whose followers were not counted for a day."""
        return await self._watched(_TO_COUNT, now - _DAILY, most)

    async def all_watched(self) -> Sequence[Watched]:
        """Every account that we look at."""
        return await self._watched(_ALL)

    async def _watched(self, statement: str, *values: object) -> list[Watched]:
        """Those of them whose keys are there."""
        rows = await self._database.pool.fetch(statement, *values)
        sealed = [Sealed(PersonId(row["person"]), SUBJECT_FIELD, row["subject"]) for row in rows]
        opened = await self._vault.open(sealed) if sealed else ()
        return [
            Watched(LinkId(row["id"]), StreamerId(row["streamer"]), Platform(row["platform"]), subject)
            for row, subject in zip(rows, opened, strict=True)
            if subject is not None
        ]


def _metrics(row: Record) -> Metrics:
    live = LiveNow(row["live_since"], row["viewers"], row["sampled_at"]) if row["live_since"] else None
    return Metrics(row["watched_since"], row["followers"], row["followers_at"], row["average"], row["minutes"], live)
