"""Reports that come in the same moment go by one statement, and each overlay is told its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.earning.intake import report_impressions
from domain.earning.model import Report, Source, Verdict
from domain.earning.sharing import seconds_between
from tests.earning_stage import EarningStage, staged_earnings

OVERLAYS = 40


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[EarningStage]:
    async with staged_earnings(database) as staged:
        yield staged


async def test_overlays_that_report_at_once_are_told_each_their_own(stage: EarningStage) -> None:
    campaign = await stage.campaign()
    parts = [await stage.part(campaign) for _ in range(OVERLAYS)]
    minute, closed = stage.minute, stage.minute - timedelta(minutes=1)
    await stage.report(parts[0], parts[0].seen(closed))
    await stage.database.pool.execute(
        "update earning_minute set state = 'unpaid', reason = 'daily_cap', closed_at = now()"
    )

    async def told(number: int) -> object:
        part, other = parts[number], parts[number - 1]
        said = [part.seen(minute, seconds_between(second, second)) for second in range(number % 4 + 1)]
        source: Source = other.source if number % 5 == 4 else part.source
        late: list[Report] = [part.seen(closed)] if number == 0 else []
        return await report_impressions(stage, source, [*said, *late])

    answers = await asyncio.gather(*map(told, range(OVERLAYS)))
    for number, answer in enumerate(answers):
        verdict = Verdict.UNKNOWN if number % 5 == 4 else Verdict.COUNTED
        late = [Verdict.LATE] if number == 0 else []
        assert answer == [verdict] * (number % 4 + 1) + late, number
    rows = await stage.database.pool.fetch(
        "select participation, bit_count(seconds::bit(64)) as seconds from evidence where minute = $1", minute
    )
    wanted = {parts[number].id: number % 4 + 1 for number in range(OVERLAYS) if number % 5 != 4}
    assert {row["participation"]: row["seconds"] for row in rows} == wanted


async def test_the_same_overlay_twice_in_one_moment_is_counted_once(stage: EarningStage) -> None:
    part = await stage.part(await stage.campaign())
    said = [part.seen(stage.minute, seconds_between(0, 29)), part.seen(stage.minute, seconds_between(20, 59))]
    answers = await asyncio.gather(*(report_impressions(stage, part.source, [each]) for each in said * 20))
    assert answers == [[Verdict.COUNTED]] * 40
    assert await stage.database.pool.fetchval("select sum(bit_count(seconds::bit(64))) from evidence") == 60
