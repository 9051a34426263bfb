"""Sessions and samples: `domain.streamer.live.LiveRows` on the connection of one unit of work."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from asyncpg import Connection

from domain.ids import uuid7
from domain.streamer.live import NEAR, SILENCE, OnAir, Received
from domain.streamer.model import LinkId, Platform, StreamerId

_WATCH = """
insert into platform_watch (link, subject, watched_since, subscribe_at) values ($1, $2, $3, $4)
on conflict (link) do nothing
"""
_FIND = "select id from platform_link where platform = $1 and account_index = $2 and state = 'confirmed'"
_RECEIVE = """
insert into platform_message (id, body, received_at) values ($1, $2, $3) on conflict (id) do nothing returning id
"""
_ALONE = "select offline_at from platform_watch where link = $1 for no key update"
# An end that was told before its beginning ends it; of a stream before the present one only its beginning is known.
_BEGIN = """
insert into stream_session (id, link, stream, started_at, seen_at, ended_at, end_told)
select $1, $2, $3, $4::timestamptz,
    case when later.is_there then $4 else greatest($4, least($5::timestamptz, $6::timestamptz)) end,
    case when later.is_there then $4 else $6 end, not later.is_there and $6 is not null
from (select exists (select from stream_session where link = $2 and started_at > $4::timestamptz) as is_there) as later
on conflict (link, stream) do nothing
"""
# Whoever began anew had ended: when, nobody said.
_END_FORMER = """
update stream_session set ended_at = seen_at where link = $1 and ended_at is null and stream <> $2 and started_at < $3
"""
_NOTE_END = "update platform_watch set offline_at = greatest(offline_at, $2) where link = $1"
_END = """
update stream_session set ended_at = $2, end_told = true, seen_at = least(seen_at, $2)
where id = (select id from stream_session where link = $1 and started_at <= $2 order by started_at desc limit 1)
    and not end_told
"""
_SEEN = """
update stream_session set seen_at = greatest(seen_at, $3), ended_at = null
where link = $1 and stream = $2 and not end_told
    and not exists (
        select from stream_session as later where later.link = $1 and later.started_at > stream_session.started_at)
returning id
"""
_SAMPLE = """
with sampled as (
    insert into viewer_sample (session, at, viewers) values ($1, date_trunc('minute', $2::timestamptz), $3)
    on conflict (session, at) do nothing returning viewers
)
update stream_session set samples = samples + 1, viewers_in_all = viewers_in_all + sampled.viewers
from sampled where id = $1
"""
_ASKED = "update platform_watch set asked_at = $2 where link = any($1::uuid[])"
_SILENT = (
    "update stream_session set ended_at = seen_at where link = any($1::uuid[]) and ended_at is null and seen_at < $2"
)
_LEAVE = "update stream_session set ended_at = seen_at where link = $1 and ended_at is null"
_NOTED = """
insert into streamer_live (streamer) select distinct streamer from platform_link where id = any($1::uuid[]) order by 1
on conflict do nothing
"""
# Alone with it, and looked at then: what is said of two accounts of a streamer at once is seen by who comes last.
_ALONE_LIVE = """
select streamer from streamer_live where streamer in (select streamer from platform_link where id = any($1::uuid[]))
order by streamer for no key update
"""
_CHANGED = """
update streamer_live as kept set is_live = not kept.is_live, seq = seq + 1
where streamer = any($1::uuid[]) and is_live <> exists (
    select from platform_link as link join stream_session as session on session.link = link.id
    where link.streamer = kept.streamer and session.ended_at is null)
returning streamer, seq
"""
_FOLLOWERS = "update platform_watch set followers = $2, followers_at = $3 where link = $1"
_SUBSCRIBED = "update platform_watch set subscribe_at = $2 where link = $1"
_PRUNE = "delete from platform_message where received_at < $1"
# What a minute waits for that may still be closed, or closed anew, stays: its own sample or the nearest ones. Whose
# evidence staff rejected may be appealed for days, which is less than samples are kept.
_PRUNE_SAMPLES = """
with gone as materialized (
    select session, at from viewer_sample where at < $1 and not exists (
        select from stream_session join platform_link on platform_link.id = stream_session.link
        join earning_minute on earning_minute.streamer = platform_link.streamer
        where stream_session.id = viewer_sample.session
            and (earning_minute.state not in ('paid', 'returned', 'unpaid')
                or (earning_minute.reason = 'evidence_rejected' and earning_minute.closed_at >= $1))
            and minute between at - $3::interval and at + $3::interval)
    limit $2
)
delete from viewer_sample using gone where viewer_sample.session = gone.session and viewer_sample.at = gone.at
"""
_AROUND = NEAR + timedelta(minutes=1)


class PostgresLive:
    """Sessions inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def watch(self, link: LinkId, subject: bytes, now: datetime, subscribe_at: datetime | None) -> None:
        """Look at an account from now on, and have us told then, if at all; one that is looked at stays as it is."""
        await self._connection.execute(_WATCH, link, subject, now, subscribe_at)

    async def find(self, platform: Platform, account_index: bytes) -> LinkId | None:
        """The confirmed link of an account."""
        found = await self._connection.fetchval(_FIND, platform, account_index)
        return LinkId(found) if found else None

    async def receive(self, message: Received, now: datetime) -> bool:
        """Keep what a platform told us; False where it was told before. Two at once wait for each other."""
        return await self._connection.fetchval(_RECEIVE, message.id, message.body, now) is not None

    async def begin(self, link: LinkId, stream: str, started_at: datetime, now: datetime) -> None:
        """Somebody is live since then."""
        offline_at = await self._connection.fetchval(_ALONE, link)
        ended_at = offline_at if offline_at is not None and offline_at >= started_at else None
        await self._connection.execute(_BEGIN, uuid7(), link, stream, started_at, now, ended_at)
        await self._connection.execute(_END_FORMER, link, stream, started_at)

    async def end(self, link: LinkId, at: datetime) -> None:
        """Somebody was live until then."""
        await self._connection.execute(_ALONE, link)
        await self._connection.execute(_NOTE_END, link, at)
        await self._connection.execute(_END, link, at)

    async def sample(self, link: LinkId, seen: OnAir, now: datetime) -> None:
        """Somebody is live, before so many; a platform that has not noticed an end that it told of is not believed."""
        await self.begin(link, seen.stream, seen.started_at, now)
        if seen.ended_at is not None:
            await self.end(link, seen.ended_at)
            return
        session = await self._connection.fetchval(_SEEN, link, seen.stream, now)
        if session is not None and seen.viewers is not None:
            await self._connection.execute(_SAMPLE, session, now, seen.viewers)

    async def asked(self, links: Sequence[LinkId], now: datetime) -> None:
        """These were asked for."""
        await self._connection.execute(_ASKED, list(links), now)

    async def silent(self, links: Sequence[LinkId], now: datetime) -> None:
        """These are not shown as live: who has not been for a while was live until last seen."""
        await self._connection.execute(_SILENT, list(links), now - SILENCE)

    async def leave(self, link: LinkId) -> None:
        """We look at an account no more: whoever was live there was so until last seen."""
        await self._connection.execute(_LEAVE, link)

    async def changed(self, links: Sequence[LinkId]) -> Mapping[StreamerId, int]:
        """Of whom it is news whether they are live, after what was said of accounts; how often it was so far."""
        await self._connection.execute(_NOTED, list(links))
        streamers = [row["streamer"] for row in await self._connection.fetch(_ALONE_LIVE, list(links))]
        rows = await self._connection.fetch(_CHANGED, streamers)
        return {StreamerId(row["streamer"]): row["seq"] for row in rows}

    async def note_followers(self, link: LinkId, followers: int | None, now: datetime) -> None:
        """Keep how many follow, or that it is not told."""
        await self._connection.execute(_FOLLOWERS, link, followers, now)

    async def subscribed(self, link: LinkId, again_at: datetime | None) -> None:
        """We are told of an account (None), or are to have us told then."""
        await self._connection.execute(_SUBSCRIBED, link, again_at)

    async def prune(self, before: datetime) -> None:
        """Forget messages that came before."""
        await self._connection.execute(_PRUNE, before)

    async def prune_samples(self, before: datetime, most: int) -> int:
        """Forget so many samples that were taken before, but for what a minute waits for; how many were forgotten."""
        return int((await self._connection.execute(_PRUNE_SAMPLES, before, most, _AROUND)).split()[-1])
