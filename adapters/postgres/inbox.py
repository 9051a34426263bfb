"""The inbox on PostgreSQL: vendors' messages as they came, kept before anything follows from them."""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from asyncpg import Record

from adapters.postgres.database import Database
from domain.wallet.ports import Letter

KEPT_OF_REFUSED_BYTES = 4096
MOST_REFUSED_AN_HOUR = 200
MOST_REFUSED_AT_ONCE = 3
REFUSED_LIVE = timedelta(days=7)
FIRST_TRY_AFTER = timedelta(minutes=1)
"""Until then whoever received a message is at it, or its sender tries again."""

UNKNOWN_ORDER = "unknown_order"
"""The verdict on a message about an order that is not ours."""

_RECEIVE = """
insert into inbox (source, digest, body, headers, genuine, verdict, next_try_at)
values ($1, $2, $3, $4, true, 'received', clock_timestamp() + $5::interval)
on conflict (source, digest) do update
set genuine = true, body = excluded.body, headers = excluded.headers, next_try_at = excluded.next_try_at
where not inbox.genuine
returning id, source, body, headers, genuine, verdict, received_at, handled_at, attempts
"""
_KEPT = """
select id, source, body, headers, genuine, verdict, received_at, handled_at, attempts from inbox
where (source, digest) = ($1, $2)
"""
_REFUSE = """
insert into inbox (source, digest, body, headers, genuine, verdict)
select $1, $2, $3, $4, false, $5
where (select count(*) from inbox where not genuine and received_at > clock_timestamp() - interval '1 hour') < $6
on conflict (source, digest) do nothing
"""
_NOTE = """
update inbox set verdict = $2, attempts = attempts + 1,
    handled_at = case when $3 then coalesce(handled_at, clock_timestamp()) else handled_at end,
    next_try_at = case when not $3 then next_try_at end
where id = $1
"""
_CLAIM = """
with due as materialized (
    select id from inbox where next_try_at <= $1 order by next_try_at limit $2 for no key update skip locked
)
update inbox set next_try_at = case
    when verdict <> $3 or received_at > $1 - interval '1 day'
        then $1 + least(greatest($1 - received_at, interval '1 minute'), interval '1 day')
end
from due where inbox.id = due.id
returning inbox.id
"""
_FIND = """
select id, source, body, headers, genuine, verdict, received_at, handled_at, attempts from inbox where id = $1
"""
_UNHANDLED = """
select id, source, body, headers, genuine, verdict, received_at, handled_at, attempts
from inbox where handled_at is null and genuine = $2 order by id desc limit $1
"""
_PRUNE = "delete from inbox where not genuine and received_at < $1"


class PostgresInbox:
    """`domain.wallet.ports.Inbox`; each call is a database transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._refusing = 0
        self._hour, self._refused = -1, 0

    async def receive(self, source: str, body: bytes, headers: Mapping[str, str]) -> Letter:
        """Keep a genuine message; the very same one again answers the row that is there."""
        async with self._database.transaction() as connection:
            digest = sha256(body).digest()
            record = await connection.fetchrow(_RECEIVE, source, digest, body, dict(headers), FIRST_TRY_AFTER)
            # A repeat rewrites nothing: what came stays as it came, and a storm of repeats leaves no dead rows behind.
            return _letter(record or await connection.fetchrow(_KEPT, source, digest))

    async def refuse(self, source: str, body: bytes, headers: Mapping[str, str], verdict: str) -> None:
        """Keep the beginning of what is not genuine, as long as there are not too many of it in an hour.

        Beyond that, or beside a few that are being kept, it is forgotten without asking the database: who has no key
        must not be able to hold the connections of those who have.
        """
        if self._refusing >= MOST_REFUSED_AT_ONCE or not self._has_room():
            return
        kept = body[:KEPT_OF_REFUSED_BYTES]
        self._refusing += 1
        try:
            async with self._database.transaction() as connection:
                await connection.execute(
                    _REFUSE, source, sha256(body).digest(), kept, dict(headers), verdict, MOST_REFUSED_AN_HOUR
                )
        finally:
            self._refusing -= 1

    def _has_room(self) -> bool:
        """Whether this process may keep one more in this hour; if so, it is counted."""
        hour = int(time.monotonic() // 3600)
        if hour != self._hour:
            self._hour, self._refused = hour, 0
        self._refused += 1
        return self._refused <= MOST_REFUSED_AN_HOUR

    async def note(self, letter: int, verdict: str, *, handled: bool) -> None:
        """Write down what became of a message."""
        async with self._database.transaction() as connection:
            await connection.execute(_NOTE, letter, verdict, handled)

    async def find(self, letter: int) -> Letter | None:
        """A kept message by its number."""
        async with self._database.pool.acquire() as connection:
            record = await connection.fetchrow(_FIND, letter)
        return None if record is None else _letter(record)

    async def claim_unhandled(self, now: datetime, limit: int) -> Sequence[int]:
        """Genuine messages that wait to be handled, each put off by as long again as it has waited, a day at most.

        About an order that is not ours this is only done for a day.
        """
        async with self._database.transaction() as connection:
            return [record["id"] for record in await connection.fetch(_CLAIM, now, limit, UNKNOWN_ORDER)]

    async def unhandled(self, first: int, *, genuine: bool) -> Sequence[Letter]:
        """Messages that are not handled, newest first: genuine ones, or those that were refused. For staff."""
        return [_letter(record) for record in await self._database.pool.fetch(_UNHANDLED, first, genuine)]

    async def prune(self, now: datetime) -> int:
        """Forget old messages that were not genuine; answers how many."""
        async with self._database.transaction() as connection:
            return int((await connection.execute(_PRUNE, now - REFUSED_LIVE)).split()[-1])


def _letter(record: Record) -> Letter:
    return Letter(**dict(record))
