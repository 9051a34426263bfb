"""The ledger's second door: concurrent callers share one database transaction, each has its own outcome.

No timer: while a lane is busy the queue grows, and the next round takes all of it. A lane leaves alone what another
lane has in hand and passes over accounts that a unit of work has locked; those items ride in a later round.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import asyncpg

from adapters.postgres.database import Database
from adapters.postgres.ledger import LedgerCore
from domain.errors import ConflictError, UnavailableError
from domain.ledger.model import AccountKey, Outcome, Transaction

MOST_IN_A_ROUND = 512
_PASSING = (
    asyncpg.PostgresConnectionError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError, ConflictError, OSError, TimeoutError,
)  # fmt: skip


@dataclass(slots=True, eq=False)
class _Item:
    transaction: Transaction
    claims: frozenset[object]
    done: asyncio.Future[Outcome]
    deadline: float


class Batcher:
    """`domain.ledger.ports.Submissions` on PostgreSQL. Run it with `async with batcher.running()`."""

    def __init__(
        self, database: Database, core: LedgerCore, *, lanes: int = 2, capacity: int = 20_000, patience_s: float = 10
    ) -> None:
        self._database, self._core = database, core
        self._lanes, self._capacity, self._patience_s = lanes, capacity, patience_s
        self._queue: deque[_Item] = deque()
        self._in_hand: set[object] = set()
        self._wakers: list[asyncio.Event] = []
        self._idle = asyncio.Event()
        self._idle.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Batcher"]:
        """Carry out what is submitted while the block lasts; what is queued at its end is finished first."""
        self._wakers = [asyncio.Event() for _ in range(self._lanes)]
        tasks = [asyncio.create_task(self._lane(waker)) for waker in self._wakers]
        try:
            yield self
        finally:
            await self._idle.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def submit(self, transaction: Transaction) -> Outcome:
        """Decide a transaction with others. Raises `UnavailableError` when full or too late; safe to repeat."""
        if len(self._queue) >= self._capacity:
            raise UnavailableError(
                "the ledger has more to do than it can queue; submit the same transaction again later"
            )
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
        """Rounds on a connection of the lane's own, opened again whenever it is lost."""
        while True:
            with suppress(*_PASSING):
                async with self._database.pool.acquire() as connection:
                    while not connection.is_closed():
                        await self._next_round(connection, waker)
            await asyncio.sleep(0.05)
            self._drop_late()

    async def _next_round(self, connection: asyncpg.Connection, waker: asyncio.Event) -> None:
        items = self._take()
        if not items:
            waker.clear()
            await waker.wait()
            return
        claims = {claim for item in items for claim in item.claims}
        self._in_hand |= claims
        try:
            outcomes = await self._round(connection, [item.transaction for item in items])
        except _PASSING:
            self._queue.extendleft(reversed(items))
            raise
        except Exception as error:  # noqa: BLE001  # the callers must hear of a bug, and the lane must live on
            outcomes = []
            for item in items:
                if not item.done.done():
                    item.done.set_exception(error)
        finally:
            self._in_hand -= claims
        passed_over = [item for item, outcome in zip(items, outcomes, strict=False) if _answer(item, outcome)]
        if passed_over:
            self._queue.extendleft(reversed(passed_over))
            if len(passed_over) == len(items):
                await asyncio.sleep(0.002)
        if self._queue:
            self._wake()
        elif not self._in_hand:
            self._idle.set()

    def _take(self) -> list[_Item]:
        """The items of the next round, in order of arrival, but for those that touch what another lane has in hand."""
        self._drop_late()
        taken: list[_Item] = []
        left: list[_Item] = []
        while self._queue and len(taken) < MOST_IN_A_ROUND:
            item = self._queue.popleft()
            (taken if item.claims.isdisjoint(self._in_hand) else left).append(item)
        self._queue.extendleft(reversed(left))
        return taken

    def _drop_late(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._queue and self._queue[0].deadline < now:
            item = self._queue.popleft()
            if not item.done.done():
                item.done.set_exception(UnavailableError("the ledger did not get to it in time; submit it again"))

    async def _round(
        self, connection: asyncpg.Connection, transactions: Sequence[Transaction]
    ) -> Sequence[Outcome | None]:
        while True:
            begun = connection.transaction()
            await begun.start()
            try:
                outcomes, written = await self._core.decide_all(connection, transactions, wait=False)
            except BaseException:
                with suppress(*_PASSING):
                    await begun.rollback()
                raise
            await (begun.commit() if written else begun.rollback())
            if written:
                return outcomes


def _answer(item: _Item, outcome: Outcome | None) -> bool:
    """Give a caller its outcome; True when there is none yet, because an account was locked by somebody else."""
    if outcome is None:
        return True
    if not item.done.done():
        item.done.set_result(outcome)
    return False


def _claims(transaction: Transaction) -> frozenset[object]:
    """What no two lanes may have in hand at once: the id, what it refers to, and accounts that keep figures."""
    claims: set[object] = {transaction.id}
    if transaction.ref:
        claims.add(transaction.ref)
    keys: list[AccountKey] = [key for posting in transaction.postings for key in (posting.source, posting.target)]
    claims.update(key for key in keys if not key.purpose.is_platform)
    return frozenset(claims)
