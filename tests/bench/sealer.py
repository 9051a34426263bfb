"""The sealer as a process of its own, beside a benchmark."""

import os

import uvloop

from adapters.postgres.database import Database
from adapters.postgres.seal import seal_for_ever


async def main() -> None:
    async with Database(os.environ["BENCH_DATABASE_URL"], size=1) as database:
        await seal_for_ever(database, bytes.fromhex(os.environ["BENCH_SEAL_KEY"]))


if __name__ == "__main__":
    uvloop.run(main())
