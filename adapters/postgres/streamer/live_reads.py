"""When streamers were live, read without locks: `domain.streamer.live.LiveReads`; a list is one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from asyncpg import Record

from adapters.postgres.database import Database
from adapters.postgres.gathering import Gathering
from domain.ids import PersonId
from domain.streamer.grants import opened_tokens
from domain.streamer.live import MEASURED, NEAR, Liveness, LiveNow, Metrics, Pace, StreamSession, Watched
from domain.streamer.model import ASKED_IN_THEIR_NAME, LinkId, Platform, StreamerId
from domain.streamer.watching import SUBJECT_FIELD
from domain.vault import Sealed, Vault

_DAILY = timedelta(days=1)
_SESSIONS = """
select link.streamer, link.platform, session.started_at, session.ended_at
from platform_link as link join stream_session as session on session.link = link.id
where link.streamer = any($1::uuid[]) and session.started_at < $3
    and (session.ended_at is null or session.ended_at >= $2)
order by session.started_at
"""
_MOST_SESSIONS = 500
_Within = tuple[StreamerId, datetime, datetime]
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
select link.id, link.streamer, link.platform, streamer.person, watch.subject, {more}
from platform_watch as watch join platform_link as link on link.id = watch.link
join streamer on streamer.id = link.streamer {beside}
where link.state = 'confirmed' and {which}
"""
_NOTHING_MORE = {"more": "null as stream, null::bytea as tokens", "beside": ""}
_LIVE = """
left join lateral (
    select stream from stream_session where stream_session.link = link.id and ended_at is null
    order by started_at desc limit 1
) as live on true
"""
_COUNT = """
select count(*) filter (where is_live) as live, count(*) filter (where not is_live) as quiet
from platform_watch as watch join platform_link as link on link.id = watch.link
cross join lateral (
    select exists (select from stream_session where stream_session.link = link.id and ended_at is null) as is_live
) as now
where link.state = 'confirmed' and link.platform = $1
"""
_ASKED = {
    "more": "live.stream, case when $2 then platform_grant.tokens end as tokens",
    "beside": f"{_LIVE} left join platform_grant on platform_grant.link = link.id",
}
_TO_POLL_LIVE = _WATCHED.format(which="link.platform = $1 and live.stream is not null", **_ASKED)
_TO_POLL_QUIET = _WATCHED.format(
    which="""link.platform = $1 and live.stream is null
    and (subscribe_at is not null or watch.asked_at is null or watch.asked_at <= $3)
order by watch.asked_at nulls first, link.id limit $4""",
    **_ASKED,
)
_TO_SUBSCRIBE = _WATCHED.format(which="subscribe_at <= $1 order by subscribe_at limit $2", **_NOTHING_MORE)
_TO_COUNT = _WATCHED.format(
    which="link.platform = $1 and (followers_at is null or followers_at <= $2) order by followers_at nulls first"
    " limit $3",
    **_NOTHING_MORE,
)
_ALL = _WATCHED.format(which="true", **_NOTHING_MORE)


class PostgresLiveReads:
    """Reads of sessions; a platform's own ids are opened by the vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault
        self._sessions = Gathering(self._sessions_within, _MOST_SESSIONS)

    async def sessions(
        self, streamers: Sequence[StreamerId], since: datetime, until: datetime
    ) -> Mapping[StreamerId, Sequence[StreamSession]]:
        """All sessions of each that lie within a time in part, first begun first."""
        found = await self._sessions.find([(streamer, since, until) for streamer in streamers])
        return {streamer: found[streamer, since, until] for streamer in streamers}

    async def _sessions_within(self, asked: Sequence[_Within]) -> Mapping[_Within, Sequence[StreamSession]]:
        """A statement for each time that is asked about, which are few: those who report do it of the same minutes."""
        found: dict[_Within, list[StreamSession]] = {each: [] for each in asked}
        for since, until in {(since, until): None for _, since, until in asked}:
            streamers = [streamer for streamer, *time in asked if time == [since, until]]
            for row in await self._database.pool.fetch(_SESSIONS, streamers, since, until):
                session = StreamSession(
                    StreamerId(row["streamer"]), Platform(row["platform"]), row["started_at"], row["ended_at"]
                )
                found[session.streamer, since, until].append(session)
        return found

    async def viewers_at(self, moments: Sequence[tuple[StreamerId, datetime]]) -> Sequence[int | None]:
        """Before how many each was live at a moment; None: not live, or no sample is near."""
        streamers, times = [streamer for streamer, _ in moments], [at for _, at in moments]
        return [row["viewers"] for row in await self._database.pool.fetch(_VIEWERS_AT, streamers, times, NEAR)]

    async def liveness(self, streamer: StreamerId) -> Liveness:
        """Whether a streamer is live anywhere."""
        row = await self._database.pool.fetchrow("select seq, is_live from streamer_live where streamer = $1", streamer)
        return Liveness(*row) if row else Liveness()

    async def metrics(self, links: Sequence[LinkId], now: datetime) -> Mapping[LinkId, Metrics]:
        """What we saw of accounts that we look at."""
        rows = await self._database.pool.fetch(_METRICS, list(links), now - MEASURED)
        return {LinkId(row["link"]): _metrics(row) for row in rows}

    async def watched(self, platform: Platform) -> tuple[int, int]:
        """How many accounts that we look at there are live, and how many are not, as far as we know."""
        row = await self._database.pool.fetchrow(_COUNT, platform)
        return (row["live"], row["quiet"]) if row else (0, 0)

    async def to_poll(self, platform: Platform, pace: Pace, now: datetime) -> Sequence[Watched]:
        """Who is to be asked for now at such a pace; first who is live."""
        whose = platform in ASKED_IN_THEIR_NAME
        live = await self._watched(_TO_POLL_LIVE, platform, whose) if pace.live else []
        return live + await self._watched(_TO_POLL_QUIET, platform, whose, now - pace.quiet_every, pace.quiet_most)

    async def to_subscribe(self, now: datetime, most: int) -> Sequence[Watched]:
        """Of whom we want to be told, and are not."""
        return await self._watched(_TO_SUBSCRIBE, now, most)

    async def to_count(self, platform: Platform, now: datetime, most: int) -> Sequence[Watched]:
        """Whose followers were not counted for a day there."""
        return await self._watched(_TO_COUNT, platform, now - _DAILY, most)

    async def all_watched(self) -> Sequence[Watched]:
        """Every account that we look at."""
        return await self._watched(_ALL)

    async def _watched(self, statement: str, *values: object) -> list[Watched]:
        """Those of them whose keys are there."""
        rows = await self._database.pool.fetch(statement, *values)
        sealed = [Sealed(PersonId(row["person"]), SUBJECT_FIELD, row["subject"]) for row in rows]
        opened = await self._vault.open(sealed) if sealed else ()
        granted = await opened_tokens(self._vault, {row["id"]: row["tokens"] for row in rows if row["tokens"]})
        return [
            Watched(
                LinkId(row["id"]), StreamerId(row["streamer"]), Platform(row["platform"]), subject, row["stream"],
                granted[row["id"]].access if row["id"] in granted else None,
            )
            for row, subject in zip(rows, opened, strict=True)
            if subject is not None
        ]  # fmt: skip


def _metrics(row: Record) -> Metrics:
    live = LiveNow(row["live_since"], row["viewers"], row["sampled_at"]) if row["live_since"] else None
    return Metrics(row["watched_since"], row["followers"], row["followers_at"], row["average"], row["minutes"], live)
