"""What an audit reads, a window of positions at a time."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection

from adapters.postgres.digest import ACCOUNT_CHANGE, JOURNAL, Sealed, account_change_digest, journal_digest
from domain.ledger.model import Operation
from domain.ledger.written import WrittenChange, WrittenRow

FIRST_OF_ALL = -(2**63)
LAST_OF_ALL = 2**63 - 1

_WINDOW = "where position > $1 and position <= $2 order by position limit $3"
_JOURNAL = f"select {', '.join(JOURNAL)} from journal {_WINDOW}"  # noqa: S608  # our own column names
_CHANGES = f"select {', '.join(ACCOUNT_CHANGE)} from account_change {_WINDOW}"  # noqa: S608
_ORIGINALS = f"select {', '.join(JOURNAL)} from journal where transaction_id = any($1) order by line"  # noqa: S608
_PLATFORM = """
select position, account, seq, posted from platform_entry
where position > $1 and position <= $2 order by position, account
"""
_SEAL = """
select number, first_position, last_position, marks, previous, sealed_at, head from seal
where number > $1 order by number limit 1
"""

Row = WrittenRow | WrittenChange


class WrittenSeal(NamedTuple):
    """A seal as it was read back."""

    says: Sealed
    head: bytes


class PlatformEntry(NamedTuple):
    """A platform account's entry as the sealer numbered it."""

    position: int
    account: int
    seq: int
    posted: int

    @property
    def key(self) -> str:
        """What names it in its table."""
        return f"{self.account}/{self.seq}"


def place_of(row: Row) -> int:
    """How a row's place stands in a mark: a change of an account is told from an entry by its sign."""
    return row.position if isinstance(row, WrittenRow) else -row.position


def digest_of(row: Row) -> bytes:
    """A row's digest, computed here."""
    return journal_digest(row) if isinstance(row, WrittenRow) else account_change_digest(row)


class Rows:
    """Reads from one snapshot of the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def window(self, after: int, until: int, limit: int) -> list[Row]:
        """The first rows of both sealed tables after one position and up to another, in order."""
        entries = await self._connection.fetch(_JOURNAL, after, until, limit)
        changes = await self._connection.fetch(_CHANGES, after, until, limit)
        found: list[Row] = [WrittenRow._make(record) for record in entries]
        if changes:
            found += [WrittenChange._make(record) for record in changes]
            found.sort(key=lambda row: row.position)
        return found[:limit]

    async def seal_after(self, number: int) -> WrittenSeal | None:
        """The seal with the next higher number."""
        found = await self._connection.fetchrow(_SEAL, number)
        return WrittenSeal(Sealed(*found[:6]), found[6]) if found else None

    async def platform_entries(self, after: int, until: int) -> dict[int, list[PlatformEntry]]:
        """The platform's entries of a window, by position."""
        found: dict[int, list[PlatformEntry]] = {}
        for record in await self._connection.fetch(_PLATFORM, after, until):
            found.setdefault(record[0], []).append(PlatformEntry._make(record))
        return found

    async def originals(self, rows: Sequence[Row]) -> Mapping[UUID, Sequence[WrittenRow]]:
        """The rows of what reversals among these rows reverse."""
        wanted = [row.ref for row in rows if isinstance(row, WrittenRow) and row.operation == Operation.REVERSE]
        found: dict[UUID, list[WrittenRow]] = {}
        if wanted:
            for record in await self._connection.fetch(_ORIGINALS, wanted):
                row = WrittenRow._make(record)
                found.setdefault(row.transaction_id, []).append(row)
        return found

    async def last_position(self) -> int:
        """The highest position of all; 0 where there is none."""
        last = await self._connection.fetchval(
            "select greatest((select max(position) from journal), (select max(position) from account_change))"
        )
        return last or 0
