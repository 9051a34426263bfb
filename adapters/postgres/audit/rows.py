"""What an audit reads, a window of positions at a time."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection, Record

from adapters.postgres.digest import (
    ACCOUNT_CHANGE,
    JOURNAL,
    Sealed,
    account_change_digest,
    journal_digest,
    selected,
)
from domain.ledger.model import Operation
from domain.ledger.written import WrittenChange, WrittenRow

FIRST_OF_ALL = -(2**63)
LAST_OF_ALL = 2**63 - 1

_WINDOW = "where position > $1 and position <= $2 order by position limit $3"
_JOURNAL = f"select {selected(JOURNAL)} from journal {_WINDOW}"  # noqa: S608  # our own column names
_CHANGES = f"select {selected(ACCOUNT_CHANGE)} from account_change {_WINDOW}"  # noqa: S608  # the same
_ORIGINALS = f"select {', '.join(WrittenRow._fields)} from journal where transaction_id = any($1) order by line"  # noqa: S608  # the same
_PLATFORM = """
select position, account, seq, posted from platform_entry
where position > $1 and position <= $2 order by position, account
"""
_SEAL = """
select number, coalesce(first_position, 0), coalesce(last_position, 0), coalesce(marks, ''), coalesce(previous, ''),
    coalesce(timestamptz_send(sealed_at), ''), coalesce(head, '')
from seal
where number > $1 order by number limit 1
"""

Row = WrittenRow | WrittenChange


class Read(NamedTuple):
    """A row, how its place stands in a mark, and its digest, computed here.

    A change of an account is told from an entry by the sign of its place.
    """

    row: Row
    place: int
    digest: bytes

    @classmethod
    def entry(cls, record: Record) -> "Read":
        """A journal row."""
        return cls(WrittenRow._make(record[place] for place in _OF_ROW), record[0], journal_digest(record))

    @classmethod
    def change(cls, record: Record) -> "Read":
        """A change of an account."""
        change = WrittenChange._make(record[: len(WrittenChange._fields)])
        return cls(change, -change.position, account_change_digest(record))


_OF_ROW = tuple(list(JOURNAL).index(column) for column in WrittenRow._fields)


class WrittenSeal(NamedTuple):
    """A seal as it was read back."""

    says: Sealed
    head: bytes


class PlatformEntry(NamedTuple):
    """A platform account's entry as the sealer numbered it."""

    position: int
    account: int
    seq: int
    posted: int | None

    @property
    def key(self) -> str:
        """What names it in its table."""
        return f"{self.account}/{self.seq}"


class Rows:
    """Reads from one snapshot of the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def window(self, after: int, until: int, limit: int) -> list[Read]:
        """The first rows of both sealed tables after one position and up to another, in order."""
        entries = await self._connection.fetch(_JOURNAL, after, until, limit)
        changes = await self._connection.fetch(_CHANGES, after, until, limit)
        found = [Read.entry(record) for record in entries]
        if changes:
            found += [Read.change(record) for record in changes]
            found.sort(key=lambda read: read.row.position)
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

    async def originals(self, rows: Sequence[Read]) -> Mapping[UUID, Sequence[WrittenRow]]:
        """The rows of what reversals among these rows reverse."""
        wanted = [row.ref for row, *_ in rows if isinstance(row, WrittenRow) and row.operation == Operation.REVERSE]
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
