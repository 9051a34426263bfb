"""The ledger on a real PostgreSQL with both its doors, for tests: opened on one loop, shared by many examples."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Literal

import asyncpg

from adapters.embedded.database import DatabaseAddresses, make_database
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.audit import audit
from adapters.postgres.batcher import Batcher
from adapters.postgres.database import Database
from adapters.postgres.deeds import NoVault
from adapters.postgres.ledger import LedgerCore
from adapters.postgres.register import PostgresAccountRegister
from adapters.postgres.work import Works
from domain.clock import Clock
from domain.errors import ConflictError
from domain.ledger.chart import Limits
from domain.ledger.model import AccountKey, AccountStatus, Balance, Outcome, Transaction
from tests.ledger_invariants import broken
from tests.servers import PASSWORDS, Addresses, drop_database, run

DoorName = Literal["post", "submit"]
TRIES = 20
PATIENCE_S = 60.0
"""What is proven here is what becomes of transactions, on however busy a machine; not how soon."""

_BALANCE = "select posted, held, seq, status from account where (owner, purpose, currency) = ($1, $2, $3)"


class PostgresHouse:
    """A pool, units of work and a batcher, as one process of the application has them."""

    def __init__(self, database: Database, clock: Clock, *, lanes: int = 2) -> None:
        self.database, self.clock = database, clock
        self.index = AccountIndex()
        self.core = LedgerCore(self.index, clock)
        self.works = Works(database, self.index, clock, vault=NoVault())
        self.batcher = Batcher(database, self.core, lanes=lanes, patience_s=PATIENCE_S)

    async def open(self, account: AccountKey, limits: Limits | None = None) -> None:
        async with self.works() as work:
            await work.ledger.open(account, limits)

    async def do(self, transaction: Transaction, door: DoorName) -> Outcome:
        return await (self.batcher.submit(transaction) if door == "submit" else self.post(transaction))

    async def post(self, transaction: Transaction) -> Outcome:
        """A unit of work of one transaction; what met another's is tried again as a whole."""
        for _ in range(TRIES):
            try:
                async with self.works() as work:
                    return await work.ledger.post(transaction)
            except ConflictError:
                continue
        raise AssertionError(f"{transaction.id} met others {TRIES} times")

    async def set_limits(self, account: AccountKey, limits: Limits) -> None:
        async with self.database.transaction() as connection:
            await PostgresAccountRegister(connection).set_limits(account, limits)

    async def set_status(self, account: AccountKey, status: AccountStatus) -> None:
        async with self.database.transaction() as connection:
            await PostgresAccountRegister(connection).set_status(account, status)

    async def balance(self, account: AccountKey) -> Balance:
        row = await self.database.pool.fetchrow(_BALANCE, *account)
        assert row is not None, f"{account} was never opened"
        return Balance(row["posted"], row["held"], row["seq"], AccountStatus(row["status"]))


@asynccontextmanager
async def house(url: str, clock: Clock, *, size: int = 10, lanes: int = 2) -> AsyncIterator[PostgresHouse]:
    """A running house; what is in its batcher is finished at the end."""
    async with Database(url, size=size) as database:
        opened = PostgresHouse(database, clock, lanes=lanes)
        async with opened.batcher.running():
            yield opened


@contextmanager
def sound_database(servers: Addresses) -> Iterator[DatabaseAddresses]:
    """A database for many tests, whose tables must be sound when they are through with it."""
    name = f"test_{secrets.token_hex(6)}"
    made = run(make_database(servers.superuser_url, name, PASSWORDS, template=servers.template))
    try:
        yield made
        assert run(breaches(made.superuser_url)) == {}
    finally:
        run(drop_database(servers.superuser_url, name))


async def breaches(superuser_url: str) -> dict[str, list[tuple[object, ...]]]:
    """The rules that the ledger in a database breaks, and what its own audit finds."""
    connection = await asyncpg.connect(superuser_url)
    try:
        found = await broken(connection)
        report = await audit(connection, b"a key that has sealed nothing")
        return found if report.clean else {**found, "the audit": [tuple(map(str, report.findings))]}
    finally:
        await connection.close()
