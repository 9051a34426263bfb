"""Vaults for tests: their keys lie in the test's own database.

`python -m tests.vaults URL MASTER_KEYS BATCH` wraps all keys anew, a line for each batch; it is there to be killed.
"""

import asyncio
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.embedded.database import APP_ROLE, DatabaseAddresses
from adapters.postgres.database import Database
from adapters.postgres.migrate import upgrade_keys
from adapters.vault.envelope import MasterKeys
from adapters.vault.postgres import PostgresVault
from adapters.vault.rotation import rewrap


@dataclass
class VaultKeys:
    """What the settings would hold, for several vaults to share."""

    master: str = field(default_factory=lambda: f"first:{secrets.token_hex(32)}")
    identity: bytes = field(default_factory=lambda: secrets.token_bytes(32))


@asynccontextmanager
async def open_vault(
    database: DatabaseAddresses,
    keys: VaultKeys | None = None,
    *,
    remembered: int = 10_000,
    seconds: Callable[[], float] = time.monotonic,
) -> AsyncIterator[PostgresVault]:
    """A vault whose data keys lie in a test's database, as those of a process of its own; random keys if none given."""
    given = keys or VaultKeys()
    async with Database(database.app_url, size=3) as opened:
        if not await opened.pool.fetchval("select to_regclass('data_key') is not null"):
            await upgrade_keys(database.owner_url, APP_ROLE)
        yield PostgresVault(
            opened, MasterKeys.parse(given.master), given.identity, remembered=remembered, seconds=seconds
        )


async def wrap_anew(url: str, master: str, batch: int) -> None:
    async with Database(url, size=2) as database:
        await rewrap(
            database, MasterKeys.parse(master), batch=batch, report=lambda done, of: print(done, of, flush=True)
        )


if __name__ == "__main__":
    asyncio.run(wrap_anew(sys.argv[1], sys.argv[2], int(sys.argv[3])))
