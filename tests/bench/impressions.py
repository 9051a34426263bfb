"""`make bench-impressions`: how many reports a second are judged and counted, beside a bare loop of inserts.

Five hundred overlays report a minute each, ten seconds at a time, many of them twice and all out of order: what reports
go through behind the door, on a real PostgreSQL. The loop beside it writes a row for each report and judges nothing, by
as many tasks on a pool of the same size. Both take turns, and the ratio is the median. Every second of every minute
must be counted once in the end, or nothing is printed.
"""

import argparse
import asyncio
import random
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import uvloop

from adapters.embedded.database import DatabaseAddresses, make_database
from domain.earning.intake import report_impressions
from domain.earning.model import Report, Verdict
from domain.earning.sharing import EVERY, seconds_between
from domain.ids import uuid7
from tests.earning_stage import EarningStage, Part, staged_earnings
from tests.servers import PASSWORDS, Addresses, Servers

OVERLAYS = 500
_BARE = "create table bare (id uuid primary key, minute timestamptz, creative uuid, seconds bigint, at timestamptz)"
_INSERT = "insert into bare values ($1, $2, $3, $4, $5)"

Told = Callable[[tuple[Part, Report]], Awaitable[None]]


async def run(addresses: Addresses, rounds: int) -> str:
    """Take turns, and compare."""
    name = f"bench_{secrets.token_hex(4)}"
    made = await make_database(addresses.superuser_url, name, PASSWORDS, template=addresses.template)
    await _as_superuser(made, f"{_BARE}; grant insert on bare to gametriggers_app")
    async with staged_earnings(made) as stage:
        campaign = await stage.campaign()
        parts = [await stage.part(campaign) for _ in range(OVERLAYS)]
        ratios: list[float] = []
        waits: list[float] = []
        for number in range(rounds):
            stage.turn(minutes=1)
            reports = _reports(stage, parts)
            counted = await _taken(reports, _through_us(stage), waits)
            bare = await _taken(reports, _straight(stage), [])
            ratios.append(bare / counted)
            rates = f"{len(reports) / counted:7.0f} reports/s, {len(reports) / bare:7.0f} rows/s"
            print(f"round {number}: {rates}", flush=True)
        await _each_counted_once(stage, rounds)
    p99 = statistics.quantiles(waits, n=100)[98] * 1000
    return f"impressions ratio={statistics.median(ratios):.2f} p99_ms={p99:.0f}"


def _reports(stage: EarningStage, parts: Sequence[Part]) -> list[tuple[Part, Report]]:
    """What all overlays say of the minute that has just passed."""
    spans = [seconds_between(first, first + 9) for first in range(0, 60, 10)]
    said = [(part, part.seen(stage.minute, span)) for part in parts for span in spans]
    said += random.sample(said, len(said) // 4)
    random.shuffle(said)
    return said


async def _taken(reports: Sequence[tuple[Part, Report]], tell: Told, waits: list[float]) -> float:
    """Seconds until all is told, by so many at once as there are overlays."""
    waiting = iter(reports)

    async def overlay() -> None:
        for report in waiting:
            before = time.perf_counter()
            await tell(report)
            waits.append(time.perf_counter() - before)

    before = time.perf_counter()
    await asyncio.gather(*(overlay() for _ in range(OVERLAYS)))
    return time.perf_counter() - before


def _through_us(stage: EarningStage) -> Told:
    async def tell(report: tuple[Part, Report]) -> None:
        part, said = report
        verdicts = await report_impressions(stage, part.source, [said])
        if verdicts != [Verdict.COUNTED]:
            raise AssertionError(verdicts)

    return tell


def _straight(stage: EarningStage) -> Told:
    async def tell(report: tuple[Part, Report]) -> None:
        _, said = report
        values = (uuid7(), said.minute, said.creative, said.seen, stage.clock())
        await stage.database.pool.execute(_INSERT, *values)

    return tell


async def _each_counted_once(stage: EarningStage, rounds: int) -> None:
    """Every minute was wholly seen, and there are so many and no more."""
    found = await stage.database.pool.fetchrow(
        "select count(*) as minutes, count(*) filter (where seconds = $1) as whole from evidence", EVERY
    )
    assert found is not None
    if tuple(found) != (OVERLAYS * rounds, OVERLAYS * rounds):
        raise AssertionError(f"of {OVERLAYS * rounds} minutes {found['minutes']} were counted, {found['whole']} whole")


async def _as_superuser(made: DatabaseAddresses, statements: str) -> None:
    connection = await asyncpg.connect(made.superuser_url)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="minutes that every overlay reports (default 5)")
    options = parser.parse_args()
    servers = Servers()
    try:
        print(uvloop.run(run(servers.start(), options.rounds)))
    finally:
        servers.stop()


if __name__ == "__main__":
    main()
