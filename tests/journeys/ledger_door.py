"""The ledger as another part of the product comes to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.database import Database
from adapters.postgres.deeds import NoVault
from adapters.postgres.work import PostgresWork, Works
from domain.clock import system_clock


@asynccontextmanager
async def at_the_ledger(addresses: DatabaseAddresses) -> AsyncIterator[PostgresWork]:
    """A unit of work of another part of the product, which nobody kills."""
    database = Database(addresses.app_url, size=1)
    async with database, Works(database, AccountIndex(), system_clock, vault=NoVault())() as work:
        yield work
