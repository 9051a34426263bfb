"""What an audit reads, a window of positions at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from asyncpg import Connection, Record

from adapters.postgres.digest import ACCOUNT_CHANGE, DEED, JOURNAL, Place, Sealed, SealedTable, for_each_table
from domain.ledger.audit import Finding
from domain.ledger.model import Operation
from domain.ledger.written import WrittenChange, WrittenRow

FIRST_OF_ALL = -(2**63)
LAST_OF_ALL = 2**63 - 1

_ORIGINALS = f"select {', '.join(WrittenRow._fields)} from journal where transaction_id = any($1) order by line"  # noqa: S608  # the columns of our own class
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
_LAST_POSITION = f"select greatest({for_each_table('(select max(position) from {table})', ', ')})"  # noqa: S608  # our own tables


class WrittenDeed(NamedTuple):
    """A line of the audit log: only the chain speaks for what it says."""

    position: int
    id: UUID

    def finding(self, what: str) -> Finding:
        """Something is wrong with this row."""
        return Finding("deed", str(self.id), self.position, what)


Row = WrittenRow | WrittenChange | WrittenDeed

_OF_ROW = tuple(JOURNAL.columns.index(column) for column in WrittenRow._fields)


def _row(record: Record) -> WrittenRow:
    return WrittenRow._make(record[place] for place in _OF_ROW)


def _change(record: Record) -> WrittenChange:
    return WrittenChange._make(record[: len(WrittenChange._fields)])


def _deed(record: Record) -> WrittenDeed:
    return WrittenDeed(record[0], record[1])


class Read(NamedTuple):
    """A row, its place, and its digest, computed here."""

    row: Row
    place: Place
    digest: bytes


class _Reader:
    """Reads windows of one of the sealed tables."""

    def __init__(self, table: SealedTable, made: Callable[[Record], Row]) -> None:
        self._table, self._made = table, made
        self._window = (
            f"select {table.selected} from {table.name} "  # noqa: S608  # our own column names
            "where position > $1 and position <= $2 order by position limit $3"
        )

    async def read(self, connection: Connection, after: int, until: int, limit: int) -> list[Read]:
        """The first rows after one position and up to another, in order."""
        table, made, digest = self._table, self._made, self._table.digest
        return [
            Read(made(record), Place(record[0], table), digest(record))
            for record in await connection.fetch(self._window, after, until, limit)
        ]


_READERS = (_Reader(JOURNAL, _row), _Reader(ACCOUNT_CHANGE, _change), _Reader(DEED, _deed))
_DEEDS = _READERS[2]


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
        """The first rows of all sealed tables after one position and up to another, in order."""
        found = [read for reader in _READERS for read in await reader.read(self._connection, after, until, limit)]
        found.sort(key=lambda read: read.place.position)
        return found[:limit]

    async def deeds(self, after: int, until: int, limit: int) -> list[Read]:
        """The first lines of the audit log after one position and up to another, in order."""
        return await _DEEDS.read(self._connection, after, until, limit)

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
        return await self._connection.fetchval(_LAST_POSITION) or 0
