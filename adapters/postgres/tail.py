"""Follows the journal as it grows, so that nobody is skipped: not by commits in another order, not by a restart."""

from datetime import datetime
from typing import Self

from asyncpg import Connection

from adapters.postgres.horizon import Horizon
from adapters.postgres.outbox import News
from domain.ids import AccountId
from domain.ledger.ports import wallet_topic

_ROWS = """
select position, source, source_seq, target, target_seq, recorded_at from journal where position = any($2::bigint[])
union all
(select position, source, source_seq, target, target_seq, recorded_at
 from journal where position > $1 order by position limit $3)
order by position
"""
_MARK = "select position from relay_mark where name = 'journal'"
_SAVE = """
insert into relay_mark (name, position) values ('journal', $1)
on conflict (name) do update set position = excluded.position where relay_mark.position < excluded.position
"""
# Few enough for the buffers of a socket: a server that is still sending to a frozen reader would not drop it as idle.
_AT_ONCE = 1000


class JournalTail:
    """Reads each visible row once and remembers the gaps: positions passed over that a commit may still fill."""

    def __init__(self, connection: Connection, mark: int) -> None:
        self._connection = connection
        self._horizon = Horizon()
        self._top = self._saved = mark
        self._final = 0
        self._gaps: set[int] = set()
        self.full = True
        """The last read took as many rows as it may: there are more."""

    @classmethod
    async def resume(cls, connection: Connection) -> Self:
        """Begin where the last one saved. The connection is direct and outlives the tail."""
        return cls(connection, await connection.fetchval(_MARK) or 0)

    async def read(self) -> News:
        """What has become visible since the last read, for each wallet its newest number."""
        if self._final < self._top or self._gaps or self.full:
            self._final = await self._horizon.advance(self._connection)
        rows = await self._connection.fetch(_ROWS, self._top, list(self._gaps), _AT_ONCE)
        heads: dict[str, int] = {}
        oldest: datetime | None = None
        for _, source, source_seq, target, target_seq, recorded_at in rows:
            oldest = min(oldest or recorded_at, recorded_at)
            for account, seq in ((source, source_seq), (target, target_seq)):
                if seq is not None:
                    topic = wallet_topic(AccountId(account))
                    heads[topic] = max(seq, heads.get(topic, 0))
        self._pass([row["position"] for row in rows])
        return News(heads, oldest if heads else None)

    async def save(self) -> None:
        """Everything read so far has been published: a later tail may begin here."""
        safe = min(self._gaps) - 1 if self._gaps else self._top
        if safe > self._saved:
            await self._connection.execute(_SAVE, safe)
            self._saved = safe

    def _pass(self, seen: list[int]) -> None:
        """Move on. What is still missing up to the final position never comes."""
        fresh = [position for position in seen if position > self._top]
        self.full = len(fresh) == _AT_ONCE
        reached = fresh[-1] if fresh else self._top
        if not self.full:
            reached = max(reached, self._final)
        passed = range(max(self._top, self._final) + 1, reached + 1)
        self._gaps = {gap for gap in self._gaps if gap > self._final}.difference(seen).union(passed).difference(seen)
        self._top = reached
