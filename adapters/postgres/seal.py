"""The sealer: a keyed chain over committed rows, and the platform accounts' own entries, made a moment afterwards.

Any number of processes may run it: each seal is one database transaction under an advisory lock that ends with it, and
follows from the last seal that is committed. The key never comes near the database; its server hands out digests.
"""

import asyncio
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from pathlib import Path

import asyncpg
import structlog
from asyncpg import Connection
from prometheus_client import Gauge

from adapters.postgres.database import Database
from adapters.postgres.digest import (
    DIGEST_BYTES,
    GENESIS,
    Sealed,
    chained,
    for_each_table,
    head_of,
    wire_time,
)
from adapters.postgres.horizon import Horizon
from domain.clock import Clock, system_clock

MOST_IN_A_SEAL = 4096
_AT_A_TIME = 512
_DIGEST = 8 + DIGEST_BYTES
_LOCK = 0x7365616C

LAST = "select number, last_position, head from seal order by number desc limit 1"
WHOLE = """
select number, first_position, last_position, marks, previous, sealed_at, head from seal where number = $1
"""
# A span of positions, not a number of rows: whatever plan is chosen, and however long the sealer was away, it reads
# no more than the span holds.
_STARTS = for_each_table("(select min(position) from {table} where position > $1)", ", ")
_ROWS = for_each_table(
    "select position, int8send(position | {tag}) || {table}_digest({table}) as digest from {table} "
    "where position between (select position from start) and least((select position from start) + $3 - 1, $2)",
    " union all ",
)
DIGESTS = f"""
with start as materialized (select least({_STARTS}) as position)
select string_agg(digest, ''::bytea order by position), max(position) from ({_ROWS}) as next
"""  # noqa: S608  # the words are ours
SEAL = """
insert into seal (number, first_position, last_position, marks, previous, head, sealed_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
NUMBER_PLATFORM = """
with touching as materialized (
    select position, amount, source, source_seq, target, target_seq from journal
    where position between $1 and $2 and (source_seq is null or target_seq is null)
        and refusal is null and amount > 0 and operation in ('move', 'capture', 'reverse')
), moved as materialized (
    select source as account, -amount as change, position from touching where source_seq is null
    union all
    select target, amount, position from touching where target_seq is null
), before as (
    select account, coalesce(last.seq, 0) as seq, coalesce(last.posted, 0) as posted
    from (select distinct account from moved) as touched
    left join lateral (
        select seq, posted from platform_entry where account = touched.account order by seq desc limit 1
    ) as last on true
)
insert into platform_entry (account, seq, position, posted)
select account, before.seq + row_number() over each_account, position,
    (before.posted + sum(change) over each_account)::bigint
from moved join before using (account)
window each_account as (partition by account order by position)
"""
_OLDEST = for_each_table(
    "(select recorded_at from {table} where position > (select position from last) order by position limit 1)", ", "
)
UNSEALED_S = f"""
with last as materialized (
    select coalesce((select last_position from seal order by number desc limit 1), 0) as position
)
select coalesce(extract(epoch from clock_timestamp() - least({_OLDEST})), 0)::float8
"""  # noqa: S608  # the same
UNSEALED = Gauge("gametriggers_ledger_unsealed_seconds", "Age of the oldest row that no seal covers yet")
_PASSING = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_REST_S = 1.0
_ALARM_S = 10.0
LONGEST_STANDSTILL = "5s"
"""So long a frozen sealer keeps the others from sealing."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain. Kept where the database's keepers cannot reach, it shows when the chain is cut short."""

    number: int
    head: bytes
    sealed_at: datetime

    def __str__(self) -> str:
        return f"{self.number} {self.head.hex()} {self.sealed_at.isoformat()}"

    @classmethod
    def parse(cls, line: str) -> "Head":
        """Read a line of an exported file. Raises ValueError."""
        number, head, sealed_at = line.split()
        return cls(int(number), bytes.fromhex(head), datetime.fromisoformat(sealed_at))


class NotOurSealError(Exception):
    """The last seal was not made with the key: nothing can follow from it. An audit tells more."""


class Sealer:
    """Seals over one direct connection."""

    def __init__(self, connection: Connection, key: bytes, clock: Clock) -> None:
        self._connection, self._key, self._clock = connection, key, clock
        self._horizon = Horizon()
        self._known: tuple[int, int, bytes] = (0, 0, GENESIS)

    async def seal_all(self) -> int:
        """Seal everything that is final by now, and answer how many rows; 0 also while another sealer is at it.

        Raises `NotOurSealError` where the last seal is somebody else's: the application's role may add such a row.
        """
        sealed = 0
        final = await self._horizon.advance(self._connection)
        while rows := await self.seal_next(final):
            sealed += rows
        return sealed

    async def seal_next(self, final: int) -> int:
        """Make one seal, of at most `MOST_IN_A_SEAL` rows, up to a final position; answer how many rows it has."""
        async with self._connection.transaction():
            if not await self._connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK):
                return 0
            number, reached, head = await self._last()
            if final <= reached:
                return 0
            digests, last = await self._connection.fetchrow(DIGESTS, reached, final, MOST_IN_A_SEAL)
            if not digests:
                return 0
            marks = await self._marks(head, digests)
            sealed_at = self._clock().astimezone(UTC)
            seal = Sealed(number + 1, reached + 1, last, marks, head, wire_time(sealed_at))
            made = head_of(self._key, seal)
            await self._connection.execute(SEAL, *seal[:5], made, sealed_at)
            await self._connection.execute(NUMBER_PLATFORM, seal.first_position, seal.last_position)
        self._known = (seal.number, seal.last_position, made)
        return len(digests) // _DIGEST

    async def _last(self) -> tuple[int, int, bytes]:
        """The last seal's number, position and head, once it is known to be made with our key."""
        number, reached, head = last = tuple(await self._connection.fetchrow(LAST) or (0, 0, GENESIS))
        if number and last != self._known:
            seal = await self._connection.fetchrow(WHOLE, number)
            says = Sealed(seal[0], seal[1], seal[2], seal[3], seal[4], wire_time(seal[5]))
            if not compare_digest(head_of(self._key, says), seal[6]):
                raise NotOurSealError(f"seal {number} was not made with SEAL_KEY")
            self._known = number, reached, head
        return number, reached, head

    async def _marks(self, before: bytes, digests: bytes) -> bytes:
        """The chain over the digests, a slice at a time: whoever shares our thread does not wait for all of it."""
        marks = b""
        for start in range(0, len(digests), _AT_A_TIME * _DIGEST):
            made = chained(self._key, before, digests[start : start + _AT_A_TIME * _DIGEST])
            marks, before = marks + made, made[-16:]
            await asyncio.sleep(0)
        return marks


class Export:
    """Appends heads to a file, durably and at most every few seconds, says them in the log, and what waits for one."""

    def __init__(self, file: Path | None, monotonic: Callable[[], float], *, every_s: float = 5) -> None:
        self._file, self._monotonic, self._every_s = file, monotonic, every_s
        self._told: Head | None = None
        self._due = monotonic()

    async def offer(self, connection: Connection) -> None:
        """Export the present head if it is due and new. What a crash kept from being exported is exported here."""
        if self._monotonic() < self._due:
            return
        self._due = self._monotonic() + self._every_s
        UNSEALED.set(await connection.fetchval(UNSEALED_S))
        found = await connection.fetchrow("select number, head, sealed_at from seal order by number desc limit 1")
        if found is None or (head := Head(*found)) == self._told:
            return
        if self._file is not None:
            await asyncio.to_thread(_append, self._file, head)
        self._told = head
        _log.info("ledger sealed", number=head.number, head=head.head.hex(), sealed_at=head.sealed_at.isoformat())


def exported_heads(file: Path) -> list[Head]:
    """The heads in an exported file; a last line that a crash cut off is left out. Raises ValueError for any other."""
    return [Head.parse(line) for line in file.read_text().splitlines(keepends=True) if line.endswith("\n")]


def _append(file: Path, head: Head) -> None:
    """Add one whole line, on the disk before this returns; a line that a crash cut off is ended first."""
    with file.open("ab+") as out:
        if out.tell():
            out.seek(-1, os.SEEK_END)
            if out.read(1) != b"\n":
                out.truncate(_end_of_whole_lines(file))
        out.write(f"{head}\n".encode())
        out.flush()
        os.fsync(out.fileno())


def _end_of_whole_lines(file: Path) -> int:
    return file.read_bytes().rfind(b"\n") + 1


async def seal_for_ever(
    database: Database, key: bytes, *, head_file: Path | None = None, clock: Clock = system_clock, every_s: float = 0.2
) -> None:
    """Seal what is committed every so many seconds until cancelled, on a new connection after any failure of one.

    Any number of processes may run it. `head_file` gets the chain's head every few seconds (`exported_heads` reads it):
    keep it where the database's keepers cannot reach.
    """
    export = Export(head_file, asyncio.get_running_loop().time)
    while True:
        try:
            async with database.direct(
                application_name="gametriggers sealer", idle_in_transaction_session_timeout=LONGEST_STANDSTILL
            ) as connection:
                sealer = Sealer(connection, key, clock)
                while True:
                    await sealer.seal_all()
                    await export.offer(connection)
                    await asyncio.sleep(every_s)
        except NotOurSealError as error:
            UNSEALED.set(math.inf)
            _log.error("nothing is sealed any more: audit the ledger", error=str(error))
            await asyncio.sleep(_ALARM_S)
        except _PASSING as error:
            if (task := asyncio.current_task()) and task.cancelling():
                raise asyncio.CancelledError from error  # rolling back on a dead connection hides it
            _log.warning("the sealer begins again", error=repr(error))
        await asyncio.sleep(max(every_s, _REST_S))
