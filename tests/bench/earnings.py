"""`make bench-earnings`: how soon a campaign of a million minutes is looked at, added up and as single minutes.

A real PostgreSQL is filled as a year of closing would have left it. Figures are of one caller after another; the last
line is the slowest hundredth of all additions.
"""

import argparse
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import asyncpg
import uvloop

from adapters.embedded.database import make_database
from adapters.postgres.database import Database
from adapters.postgres.deeds import NoVault
from adapters.postgres.earning.reads import PostgresEarningReads
from domain.campaign.participation import ParticipationId
from domain.earning.analytics import Asked, Dimension, Whose
from domain.earning.ports import MinutePage
from gql.paging import LARGEST_PAGE
from tests.earning_rows import CAMPAIGN, filling
from tests.servers import PASSWORDS, Addresses, Servers

PARTS = 100
ROUNDS = 100
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


async def run(addresses: Addresses, minutes: int) -> str:
    """Fill a database and look at it."""
    name = f"bench_{secrets.token_hex(4)}"
    made = await make_database(addresses.superuser_url, name, PASSWORDS, template=addresses.template)
    connection = await asyncpg.connect(made.superuser_url)
    await connection.execute(filling(PARTS, minutes // PARTS))
    await connection.execute("vacuum analyze")
    part = ParticipationId(await connection.fetchval("select max(participation::text)::uuid from earning"))
    await connection.close()
    async with Database(made.app_url, size=2) as database:
        reads = PostgresEarningReads(database, NoVault())
        slowest = 0.0
        for by in Dimension:
            whole = Asked(by, Whose.CAMPAIGN, CAMPAIGN, BEGIN, END, LARGEST_PAGE)
            mine = replace(whole, whose=Whose.PARTICIPATION, of=part)
            slowest = max(slowest, await told(f"by {by}", partial(reads.analytics, [whole])))
            slowest = max(slowest, await told(f"by {by}, of one", partial(reads.analytics, [mine])))
        await told("50 minutes with their arithmetic", partial(reads.minutes, [MinutePage(part, 50)]))
    return f"earnings minutes={minutes} p99_ms={slowest:.1f}"


async def told(what: str, ask: Callable[[], Awaitable[object]]) -> float:
    """The slowest hundredth, in milliseconds."""
    taken: list[float] = []
    for _ in range(ROUNDS + 5):
        before = time.perf_counter()
        await ask()
        taken.append((time.perf_counter() - before) * 1000)
    p99 = statistics.quantiles(taken[5:], n=100)[98]
    print(f"{what:32} median {statistics.median(taken[5:]):6.1f} ms, p99 {p99:6.1f} ms", flush=True)
    return p99


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=1_000_000, help="of the whole campaign (default 1,000,000)")
    options = parser.parse_args()
    servers = Servers()
    try:
        print(uvloop.run(run(servers.start(), options.minutes)))
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
