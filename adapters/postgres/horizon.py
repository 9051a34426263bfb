"""Up to which position the journal is final. The order of commits cannot be seen from SQL, so this is derived.

A position is a sequence's value: one can still appear below another that is visible already, or never, because its
writer rolled back. A trigger gives each writer a transaction number before it takes a position. So, read the sequence,
and then the number that the next transaction will get: whoever holds a position up to there has a lower number. Once
the oldest running transaction is not below it, all those positions are decided.
"""

from typing import NamedTuple

from asyncpg import Connection

_TAKEN = "select case when is_called then last_value else 0 end from journal_position"
# Not pg_snapshot_xmax: that is one above the last *ended* transaction, and a running one may be beyond it.
_NUMBERS = """
select running::text::bigint as oldest, running::text::bigint + age(running::xid) as next
from pg_snapshot_xmin(pg_current_snapshot()) as running
"""


class _Awaited(NamedTuple):
    position: int
    """Every row up to here is final..."""
    number: int
    """... once no transaction below this number runs."""


class Horizon:
    """The final position, as seen over one direct connection. It starts at 0 and never falls.

    It remembers no transaction number beyond a connection's life: a server that crashes may give numbers and positions
    again that nobody's commit has made durable, and it takes every connection with it.
    """

    def __init__(self) -> None:
        self._connection: Connection | None = None
        self._awaited: _Awaited | None = None
        self._final = 0

    async def advance(self, connection: Connection) -> int:
        """Look again and answer the position up to which all rows are decided and visible to the next statement.

        The connection is direct, always the same one, and not inside a database transaction, or RuntimeError is raised:
        inside of one, the server answers stale numbers.
        """
        self._check(connection)
        taken = await connection.fetchval(_TAKEN)
        oldest, next_ = await connection.fetchrow(_NUMBERS)
        if self._awaited is not None and oldest >= self._awaited.number:
            self._final, self._awaited = self._awaited.position, None
        if oldest >= next_:
            self._final, self._awaited = taken, None
        elif self._awaited is None and taken > self._final:
            self._awaited = _Awaited(taken, next_)
        return self._final

    def _check(self, connection: Connection) -> None:
        if connection.is_in_transaction():
            raise RuntimeError("the horizon cannot be seen from inside a database transaction")
        if self._connection is None:
            self._connection = connection
        elif self._connection is not connection:
            raise RuntimeError("a horizon belongs to one connection: make another one for this")
