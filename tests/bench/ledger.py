"""`make bench-ledger`: the ledger against bare inserts, interleaved on one PostgreSQL with fsync on.

A bare row has a uuid primary key and the columns of an entry, and is one INSERT and one commit a call, on a connection
of the client's own. A bare transaction of three inserts takes its connection from the pool that units of work use.
Every cell runs `--rounds` times in turn with all the others; figures are medians. The sealer runs beside, in a process
of its own, as it is deployed. The last line gives ratios to the bare insert (the README says how to read them).
"""

import argparse
import asyncio
import gc
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import uvloop

from adapters.embedded.database import DatabaseAddresses, RolePasswords, make_database, make_roles
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.batcher import Batcher
from adapters.postgres.database import Database
from adapters.postgres.deeds import NoVault
from adapters.postgres.ledger import LedgerCore
from adapters.postgres.migrate import upgrade
from adapters.postgres.work import Works
from domain.clock import system_clock
from domain.ids import TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from tests.waiting import eventually

ACCOUNTS = 10_000
CLEARINGS = 1_000
SERVER = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min", "max_connections": "300"}
BARE = """
create table bare (
    id uuid primary key, account bigint not null, seq bigint not null, transaction_id uuid not null,
    line smallint not null, operation text not null, kind text not null, counterpart bigint not null,
    change bigint not null, posted bigint not null, held bigint not null, recorded_at timestamptz not null,
    effective_at timestamptz, ref uuid
)
"""
INSERT_BARE = "insert into bare values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
SIZE = """
select sum(pg_total_relation_size(relation))
from unnest(array['journal', 'seal', 'platform_entry']::regclass[]) as relation
"""
COIN = Money(1, Currency.IDR)

SOURCES = [AccountKey(f"person:{number}", Purpose.REFERRAL, Currency.IDR) for number in range(ACCOUNTS // 2)]
TARGETS = [AccountKey(f"person:{number}", Purpose.HOSTING_CREDIT, Currency.IDR) for number in range(ACCOUNTS // 2)]
HOT = AccountKey("person:hot", Purpose.HOSTING_CREDIT, Currency.IDR)
OPENING = AccountKey("platform", Purpose.OPENING, Currency.IDR)
GATEWAYS = [AccountKey(f"gateway:{number}", Purpose.GATEWAY_CLEARING, Currency.IDR) for number in range(CLEARINGS)]

Call = Callable[[], Awaitable[object]]


@dataclass
class Cell:
    """One thing to measure: so many clients in a closed loop, each with a connection or caller of its own."""

    clients: int
    caller: Callable[[], Awaitable[Call]]
    sealed: bool = True
    rates: list[float] = field(default_factory=list)
    p99s_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def p99_ms(self) -> float:
        return statistics.median(self.p99s_ms)


async def measure(cell: Cell, warm_s: float, seconds: float) -> None:
    """Run the closed loop; what completes between the warm-up's end and the last second counts."""
    calls = [await cell.caller() for _ in range(cell.clients)]
    begin = time.perf_counter() + warm_s
    end = begin + seconds
    taken: list[float] = []

    async def client(call: Call) -> None:
        before = time.perf_counter()
        while before < end:
            await call()
            after = time.perf_counter()
            if before >= begin and after < end:
                taken.append(after - before)
            before = after

    await asyncio.gather(*map(client, calls))
    taken.sort()
    cell.rates.append(len(taken) / seconds)
    cell.p99s_ms.append(taken[int(len(taken) * 0.99)] * 1000)


@dataclass
class Stage:
    """Everything that the cells use."""

    address: DatabaseAddresses
    bare_pool: asyncpg.Pool
    database: Database
    works: Works
    batcher: Batcher

    def bare_row(self) -> tuple[object, ...]:
        now = system_clock()
        return (uuid7(), 17, 18, uuid7(), 0, "move", "transfer", 19, -20, 21, 0, now, None, None)

    async def bare(self) -> Call:
        connection = await self._connection()
        return lambda: connection.execute(INSERT_BARE, *self.bare_row())

    async def bare_transaction(self) -> Call:
        async def call() -> None:
            async with self.database.transaction() as connection:
                for _ in range(3):
                    await connection.execute(INSERT_BARE, *self.bare_row())

        return call

    async def submit_random(self) -> Call:
        return lambda: self.batcher.submit(_transfer(random.choice(TARGETS)))

    async def submit_hot(self) -> Call:
        return lambda: self.batcher.submit(_transfer(HOT))

    async def post_spread(self) -> Call:
        return lambda: self._post(random.choice(GATEWAYS))

    async def post_hot(self) -> Call:
        return lambda: self._post(GATEWAYS[0])

    async def _post(self, clearing: AccountKey) -> None:
        async with self.works() as work:
            connection = work._connection
            await connection.execute(INSERT_BARE, *self.bare_row())
            outcome = await work.ledger.post(
                Transaction.move(_id(), Posting(Kind.TOP_UP, clearing, random.choice(TARGETS), COIN))
            )
            await connection.execute(INSERT_BARE, *self.bare_row())
        assert outcome.posted

    async def _connection(self) -> asyncpg.Connection:
        connection = await self.bare_pool.acquire()
        self._borrowed.append(connection)
        return connection

    _borrowed: list[asyncpg.Connection] = field(default_factory=list)

    async def give_back(self) -> None:
        while self._borrowed:
            await self.bare_pool.release(self._borrowed.pop())


def _id() -> TransactionId:
    return TransactionId(uuid7())


def _transfer(target: AccountKey) -> Transaction:
    return Transaction.move(_id(), Posting(Kind.TRANSFER, random.choice(SOURCES), target, COIN))


async def open_accounts(works: Works) -> None:
    """Ten thousand accounts, half of them rich, and a thousand clearing accounts."""
    for some in (SOURCES, TARGETS, GATEWAYS, [HOT, OPENING]):
        async with works() as work:
            for account in some:
                await work.ledger.open(account)
    rich = Money.whole(1_000_000_000, Currency.IDR)
    async with works() as work:
        gifts = (Posting(Kind.OPENING_BALANCE, OPENING, account, rich) for account in SOURCES)
        await work.ledger.post(Transaction.move(_id(), *gifts))


@asynccontextmanager
async def stage(server: EmbeddedPostgres) -> AsyncIterator[Stage]:
    """A fresh database with its accounts, a pool of bare connections, and both doors of the ledger."""
    passwords = RolePasswords(secrets.token_hex(8), secrets.token_hex(8))
    await make_roles(server.superuser_url, passwords)
    address = await make_database(server.superuser_url, f"bench_{secrets.token_hex(4)}", passwords)
    await upgrade(address.owner_url, "gametriggers_app")
    owner = await asyncpg.connect(address.owner_url)
    await owner.execute(BARE)
    await owner.execute('grant insert on bare to "gametriggers_app"')
    await owner.close()
    index = AccountIndex()
    async with (
        asyncpg.create_pool(address.app_url, min_size=90, max_size=90) as bare_pool,
        Database(address.app_url, size=40) as database,
    ):
        works = Works(database, index, system_clock, vault=NoVault())
        await open_accounts(works)
        async with Batcher(database, LedgerCore(index, system_clock)).running() as batcher:
            gc.collect()
            gc.freeze()
            yield Stage(address, bare_pool, database, works, batcher)


async def _sealed(connection: asyncpg.Connection, position: int) -> bool:
    return (await connection.fetchval("select max(last_position) from seal") or 0) >= position


@asynccontextmanager
async def sealing(address: DatabaseAddresses) -> AsyncIterator[None]:
    """The sealer in its own process, as the worker runs it."""
    environment = {**os.environ, "BENCH_DATABASE_URL": address.app_url, "BENCH_SEAL_KEY": "00" * 32}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bench.sealer", env=environment)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def seal_lag_s(address: DatabaseAddresses) -> float:
    """How long the sealer still needs for what is committed at this moment."""
    connection = await asyncpg.connect(address.superuser_url)
    committed = await connection.fetchval("select last_value from journal_position")
    begin = time.perf_counter()
    reached: bool = await eventually(lambda: _sealed(connection, committed), timeout_s=60)
    assert reached
    await connection.close()
    return time.perf_counter() - begin


async def bytes_a_transfer(place: Stage, transfers: int = 100_000) -> float:
    """What the database grows by, all indexes and seals included, for each plain transfer between random accounts."""
    await seal_lag_s(place.address)
    connection = await asyncpg.connect(place.address.superuser_url)
    before = await connection.fetchval(SIZE)
    limit = asyncio.Semaphore(256)

    async def one() -> None:
        async with limit:
            await place.batcher.submit(_transfer(random.choice(TARGETS)))

    await asyncio.gather(*(one() for _ in range(transfers)))
    await seal_lag_s(place.address)
    grown = await connection.fetchval(SIZE) - before
    await connection.close()
    return float(grown) / transfers


async def run(rounds: int, seconds: float, warm_s: float, folder: Path) -> str:
    server = EmbeddedPostgres(folder / "postgres", settings=SERVER)
    server.start()
    try:
        async with stage(server) as place:
            cells = {
                "bare 8": Cell(8, place.bare), "bare 32": Cell(32, place.bare), "bare 90": Cell(90, place.bare),
                "random 32": Cell(32, place.submit_random), "hot 32": Cell(32, place.submit_hot),
                "random 256": Cell(256, place.submit_random), "hot 256": Cell(256, place.submit_hot),
                "random 32 unsealed": Cell(32, place.submit_random, sealed=False),
                "bare of three": Cell(32, place.bare_transaction), "post": Cell(32, place.post_spread),
                "post hot": Cell(32, place.post_hot),
            }  # fmt: skip
            lags: list[float] = []
            async with sealing(place.address):
                size = await bytes_a_transfer(place)
            for number in range(rounds):
                await _round(place, cells, lags, seconds, warm_s)
                print(f"round {number + 1} of {rounds}", flush=True)
            _print_table(cells)
            return last_line(cells, size, statistics.median(lags))
    finally:
        server.discard()


async def _round(place: Stage, cells: dict[str, Cell], lags: list[float], seconds: float, warm_s: float) -> None:
    """Every cell once, in random order; the sealed ones together, and the lag of the sealer at their end."""
    shuffled = random.sample(list(cells.values()), len(cells))
    async with sealing(place.address):
        for cell in (cell for cell in shuffled if cell.sealed):
            await measure(cell, warm_s, seconds)
            await place.give_back()
        lags.append(await seal_lag_s(place.address))
    for cell in (cell for cell in shuffled if not cell.sealed):
        await measure(cell, warm_s, seconds)


def _print_table(cells: dict[str, Cell]) -> None:
    for name, cell in cells.items():
        spread = f"{min(cell.rates):,.0f} … {max(cell.rates):,.0f}"
        print(f"{name:20} {cell.rate:>9,.0f}/s  p99 {cell.p99_ms:6.2f} ms  ({spread})")


def last_line(cells: dict[str, Cell], size: float, lag_s: float) -> str:
    """The figures as ratios, to be read by people and by scripts."""
    bare = cells["bare 32"].rate
    best = max(cells[name].rate for name in ("bare 8", "bare 32", "bare 90"))
    sealing_cost = max(0.0, 1 - cells["random 32"].rate / cells["random 32 unsealed"].rate)
    return (
        f"ledger random={cells['random 32'].rate / bare:.2f} hot={cells['hot 32'].rate / bare:.2f} "
        f"random256={cells['random 256'].rate / best:.2f} hot256={cells['hot 256'].rate / best:.2f} "
        f"post={cells['post'].rate / cells['bare of three'].rate:.2f} "
        f"post_hot={cells['post hot'].rate / cells['post'].rate:.2f} p99_hot_ms={cells['hot 32'].p99_ms:.1f} "
        f"bytes={size:.0f} seal={sealing_cost:.2f} seal_lag_s={lag_s:.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each cell runs (default 5)")
    parser.add_argument("--seconds", type=float, default=3, help="how long a cell is measured (default 3)")
    parser.add_argument("--warm", type=float, default=1, help="seconds before that, not measured (default 1)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-ledger-") as folder:
        Path(folder).chmod(0o755)
        print(uvloop.run(run(options.rounds, options.seconds, options.warm, Path(folder))))


if __name__ == "__main__":
    main()
