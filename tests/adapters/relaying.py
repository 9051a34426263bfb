"""What tests of the event path share: events of their own, wallets with entries, a relay that runs beside a test."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from redis.asyncio import Redis

from adapters.postgres.accounts import AccountIndex
from adapters.postgres.database import Database
from adapters.postgres.deeds import NoVault
from adapters.postgres.work import PostgresWork, Works
from adapters.relay import Relay
from domain.clock import system_clock
from domain.events import Event
from domain.ids import AccountId, TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money

T = TypeVar("T")

CLEARING = AccountKey("gateway:test", Purpose.GATEWAY_CLEARING, Currency.IDR)


@dataclass(frozen=True, slots=True)
class KettleBoiled(Event):
    """An event of the tests."""

    kettle: UUID

    @property
    def topic(self) -> str:
        return f"kettle:{self.kettle}"


class Wallets:
    """Opens wallets and pays into them, for real."""

    def __init__(self, database: Database) -> None:
        self.works = Works(database, AccountIndex(), system_clock, vault=NoVault())

    async def open(self) -> tuple[AccountKey, AccountId]:
        key = AccountKey(f"person:{uuid7()}", Purpose.HOSTING_CREDIT, Currency.IDR)
        async with self.works() as work:
            await work.ledger.open(CLEARING)
            return key, await work.ledger.open(key)

    @staticmethod
    async def pay(work: PostgresWork, key: AccountKey) -> None:
        posting = Posting(Kind.TOP_UP, CLEARING, key, Money(100, Currency.IDR))
        outcome = await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))
        assert outcome.posted

    async def paid(self, key: AccountKey, times: int = 1) -> None:
        for _ in range(times):
            async with self.works() as work:
                await self.pay(work, key)

    async def emit(self, *events: Event) -> None:
        async with self.works() as work:
            await work.emit(*events)


@asynccontextmanager
async def beside(work: Callable[[], Awaitable[Any]]) -> AsyncIterator[asyncio.Task[Any]]:
    """Something that runs for ever, while the block lasts."""

    async def run() -> None:
        await work()

    task = asyncio.create_task(run())
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def relaying(database: Database, redis_url: str, ports: object = None, **options: Any) -> AsyncIterator[Relay]:
    relay = Relay(database, redis_url, ports, **options)
    async with beside(relay.run):
        yield relay


async def numbers(redis: Redis, topic: str) -> list[int]:
    """What a topic's stream holds."""
    entries: Any = await redis.xrange(topic)
    return [int(entry_id.split("-")[0]) for entry_id, _ in entries]


async def newest(redis: Redis, topic: str) -> int:
    return max(await numbers(redis, topic), default=0)


async def reached(redis: Redis, topic: str, number: int) -> bool:
    return await newest(redis, topic) == number


async def _relay_alone(database_url: str, redis_url: str) -> None:
    async with Database(database_url) as database:
        await Relay(database, redis_url, None).run()


if __name__ == "__main__":
    asyncio.run(_relay_alone(*sys.argv[1:]))
