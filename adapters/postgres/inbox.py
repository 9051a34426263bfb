"""The inbox on PostgreSQL: vendors' messages as they came, kept before anything follows from them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from asyncpg import Record

from adapters.postgres.database import Database
from domain.wallet.ports import Letter

KEPT_OF_REFUSED_BYTES = 4096
MOST_REFUSED_AN_HOUR = 200
REFUSED_LIVE = timedelta(days=7)

_RECEIVE = """
insert into inbox (source, digest, body, headers, genuine, verdict) values ($1, $2, $3, $4, true, 'received')
on conflict (source, digest) do update set genuine = true, body = excluded.body, headers = excluded.headers
returning id, source, body, headers, genuine, verdict, received_at, handled_at, attempts
"""
_REFUSE = """
insert into inbox (source, digest, body, headers, genuine, verdict)
select $1, $2, $3, $4, false, $5
where (select count(*) from inbox where not genuine and received_at > clock_timestamp() - interval '1 hour') < $6
on conflict (source, digest) do nothing
"""
_NOTE = """
update inbox set verdict = $2, attempts = attempts + 1,
    handled_at = case when $3 then coalesce(handled_at, clock_timestamp()) else handled_at end
where id = $1
"""
_FIND = """
select id, source, body, headers, genuine, verdict, received_at, handled_at, attempts from inbox where id = $1
"""
_PRUNE = "delete from inbox where not genuine and received_at < $1"


class PostgresInbox:
    """`domain.wallet.ports.Inbox`; each call is a database transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(self, source: str, body: bytes, headers: Mapping[str, str]) -> Letter:
        """Keep a genuine message; the very same one again answers the row that is there."""
        async with self._database.transaction() as connection:
            record = await connection.fetchrow(_RECEIVE, source, sha256(body).digest(), body, dict(headers))
        return _letter(record)

    async def refuse(self, source: str, body: bytes, headers: Mapping[str, str], verdict: str) -> None:
        """Keep the beginning of what is not genuine, as long as there are not too many of it in an hour."""
        kept = body[:KEPT_OF_REFUSED_BYTES]
        async with self._database.transaction() as connection:
            await connection.execute(
                _REFUSE, source, sha256(body).digest(), kept, dict(headers), verdict, MOST_REFUSED_AN_HOUR
            )

    async def note(self, letter: int, verdict: str, *, handled: bool) -> None:
        """Write down what became of a message."""
        async with self._database.transaction() as connection:
            await connection.execute(_NOTE, letter, verdict, handled)

    async def find(self, letter: int) -> Letter | None:
        """A kept message by its number."""
        async with self._database.pool.acquire() as connection:
            record = await connection.fetchrow(_FIND, letter)
        return None if record is None else _letter(record)

    async def prune(self, now: datetime) -> int:
        """Forget old messages that were not genuine; answers how many."""
        async with self._database.transaction() as connection:
            return int((await connection.execute(_PRUNE, now - REFUSED_LIVE)).split()[-1])


def _letter(record: Record) -> Letter:
    return Letter(**dict(record))
