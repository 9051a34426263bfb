"""The ledger's second door: concurrent callers share one database transaction, each has its own outcome.

No timer begins a round: while a lane is busy the queue grows, and the next round takes all of it. A lane leaves alone
what another lane has in hand and passes over accounts that a unit of work has locked; those ride in a later round.
What keeps a round from its end, such as an id that a unit of work is deciding, is found out and rides by itself.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import structlog

from adapters.postgres.database import BEGIN, Database, commit
from adapters.postgres.ledger import LedgerCore
from domain.errors import ConflictError, UnavailableError
from domain.ledger.model import Outcome, Transaction

MOST_IN_A_ROUND = 512
_REOPEN_S = 0.05
_CONNECT_S = 1.0
_LOCKED_S = 0.002
_SWEEP_S = 1.0
_BEGIN = f"{BEGIN}; set local lock_timeout = '500ms'"
_CONFLICTS = (
    asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError,
    asyncpg.LockNotAvailableError, ConflictError,
)  # fmt: skip
"""Somebody else was first: the same round may be tried again at once, on the same connection."""
_LOST = (
    asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError, OSError,
)  # fmt: skip
"""The connection is of no more use. Whether a commit on it took effect is told by the same ids when they come again.

But an `InterfaceError` that is a `ValueError` tells of a value that could not be encoded: that is the item's fault.
"""

_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class _Item:
    transaction: Transaction
    claims: set[object]
    done: asyncio.Future[Outcome]
    deadline: float
    conflicted: bool = False
    alone: bool = False
    """It conflicted by itself: no round of others is to wait for it again."""


class Batcher:
    """`domain.ledger.ports.Submissions` on PostgreSQL. Run it with `async with batcher.running()`."""

    def __init__(
        self, database: Database, core: LedgerCore, *, lanes: int = 2, capacity: int = 20_000, patience_s: float = 10
    ) -> None:
        self._database, self._core = database, core
        self._lanes, self._capacity, self._patience_s = lanes, capacity, patience_s
        self._queue: deque[_Item] = deque()
        self._in_hand: set[object] = set()
        self._at_work: set[_Item] = set()
        self._wakers: list[asyncio.Event] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._ended = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Batcher"]:
        """Carry out what is submitted while the block lasts; what is queued at its end is finished first."""
        self._wakers = [asyncio.Event() for _ in range(self._lanes)]
        tasks = [asyncio.create_task(self._lane(waker)) for waker in self._wakers]
        tasks.append(asyncio.create_task(self._sweep()))
        try:
            yield self
        finally:
            await self._idle.wait()
            self._ended = True
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, transaction: Transaction) -> Outcome:
        """Decide a transaction with others. Raises `UnavailableError` when full or too late; safe to repeat."""
        if self._ended or len(self._queue) >= self._capacity:
            raise UnavailableError("the ledger can queue no more; submit the same transaction again later")
        loop = asyncio.get_running_loop()
        item = _Item(transaction, _claims(transaction), loop.create_future(), loop.time() + self._patience_s)
        self._queue.append(item)
        self._idle.clear()
        self._wake()
        return await item.done

    def _wake(self) -> None:
        for waker in self._wakers:
            if not waker.is_set():
                waker.set()
                return

    async def _lane(self, waker: asyncio.Event) -> None:
        """Rounds on a connection of the lane's own beside the pool, opened again whenever it is lost."""
        while True:
            try:
                async with self._database.own(timeout_s=_CONNECT_S) as connection:
                    while True:
                        if not await self._next_round(connection):
                            waker.clear()
                            await waker.wait()
            except Exception as error:  # noqa: BLE001  # whatever it is, callers wait for a lane that lives
                _log.warning("ledger lane lost its connection", error=repr(error))
                await asyncio.sleep(_REOPEN_S)
                self._drop_late()

    async def _next_round(self, connection: asyncpg.Connection) -> bool:
        """Carry out what is there to do; False when there is nothing."""
        items = self._take()
        if not items:
            return False
        claims = {claim for item in items for claim in item.claims}
        self._in_hand |= claims
        self._at_work.update(items)
        try:
            left = await self._carry_out(connection, items)
        except _LOST:
            self._queue.extendleft(reversed(items))
            raise
        finally:
            self._in_hand -= claims
            self._at_work.difference_update(items)
        self._put_back(left)
        if len(left) == len(items):
            await asyncio.sleep(_LOCKED_S)
        if self._queue:
            self._wake()
        self._rest()
        return True

    async def _carry_out(self, connection: asyncpg.Connection, items: Sequence[_Item]) -> list[_Item]:
        """Decide items in one database transaction; answers those that must wait. A poisoned one fails alone."""
        try:
            outcomes = await self._round(connection, [item.transaction for item in items])
        except _CONFLICTS as error:
            if len(items) > 1 and (isinstance(error, asyncpg.LockNotAvailableError) or _again(items)):
                return await self._one_by_one(connection, items)
            for item in items:
                item.conflicted, item.alone = True, len(items) == 1
            return list(items)
        except Exception as error:
            if isinstance(error, _LOST) and not isinstance(error, ValueError):
                raise
            if len(items) > 1:
                return await self._one_by_one(connection, items)
            _log.exception("ledger could not decide", transaction=str(items[0].transaction.id))
            if not items[0].done.done():
                items[0].done.set_exception(error)
            return []
        return [item for item, outcome in zip(items, outcomes, strict=True) if not _answered(item, outcome)]

    async def _one_by_one(self, connection: asyncpg.Connection, items: Sequence[_Item]) -> list[_Item]:
        return [late for item in items for late in await self._carry_out(connection, [item])]

    async def _round(
        self, connection: asyncpg.Connection, transactions: Sequence[Transaction]
    ) -> Sequence[Outcome | None]:
        await connection.execute(_BEGIN)
        try:
            outcomes, _ = await self._core.decide_all(connection, transactions, wait=False)
            await commit(connection)
        except BaseException:
            if not connection.is_closed():
                await connection.execute("rollback")
            raise
        return outcomes

    def _take(self) -> list[_Item]:
        """The items of the next round, in order of arrival, but for those that touch what another lane has in hand."""
        self._drop_late()
        taken: list[_Item] = []
        left: list[_Item] = []
        while self._queue and len(taken) < MOST_IN_A_ROUND:
            item = self._queue.popleft()
            if (item.alone and taken) or not item.claims.isdisjoint(self._in_hand):
                left.append(item)
                continue
            taken.append(item)
            if item.alone:
                break
        self._queue.extendleft(reversed(left))
        return taken

    def _put_back(self, items: Sequence[_Item]) -> None:
        """Queue what has to wait behind all the others, so that it crowds nobody out, while it has time left."""
        now = asyncio.get_running_loop().time()
        self._queue.extend(item for item in items if not _is_late(item, now))

    async def _sweep(self) -> None:
        """Tell late callers, also of what is in hand: their wait ends even where a lane's does not."""
        while True:
            await asyncio.sleep(min(_SWEEP_S, self._patience_s / 4))
            now = asyncio.get_running_loop().time()
            self._queue = deque(item for item in self._queue if not _is_late(item, now))
            for item in self._at_work:
                _is_late(item, now)
            self._rest()

    def _drop_late(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._queue and _is_late(self._queue[0], now):
            self._queue.popleft()
        self._rest()

    def _rest(self) -> None:
        if not self._queue and not self._in_hand:
            self._idle.set()


def _answered(item: _Item, outcome: Outcome | None) -> bool:
    """Give a caller its outcome; False when there is none yet, because an account was locked by somebody else."""
    if outcome is not None and not item.done.done():
        item.done.set_result(outcome)
    return outcome is not None


def _again(items: Sequence[_Item]) -> bool:
    return any(item.conflicted for item in items)


def _is_late(item: _Item, now: float) -> bool:
    """Tell a caller whose deadline has passed."""
    if item.deadline < now and not item.done.done():
        item.done.set_exception(UnavailableError("the ledger did not get to it in time; submit it again"))
    return item.deadline < now


def _claims(transaction: Transaction) -> set[object]:
    """What no two lanes may have in hand at once: the id, what it refers to, and accounts that keep figures."""
    claims: set[object] = {transaction.id}
    if transaction.ref:
        claims.add(transaction.ref)
    for posting in transaction.postings:
        if not posting.source.purpose.is_platform:
            claims.add(posting.source)
        if not posting.target.purpose.is_platform:
            claims.add(posting.target)
    return claims
