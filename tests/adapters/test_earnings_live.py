"""Minutes priced by what jobs have sampled: nothing is made up where they have not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.streamer.live import PostgresLive
from adapters.postgres.streamer.live_reads import PostgresLiveReads
from domain.earning.closing import close_minutes
from domain.earning.intake import report_impressions
from domain.earning.model import Doubt, MinuteState, Verdict
from domain.earning.sharing import MINUTE
from domain.ids import uuid7
from tests.earning_stage import EarningStage, Part, staged_earnings

_LINK = """
insert into platform_link (id, streamer, platform, account, account_index, code_digest, code_expires_at, state,
    asked_at, placed_at, decided_at)
values ($1, $2, 'tiktok', '', $3, '', $4, 'confirmed', $4, $4, $4)
"""
_SESSION = "insert into stream_session (id, link, stream, started_at, seen_at) values ($1, $2, 'one', $3, $3)"
_SAMPLE = "insert into viewer_sample (session, at, viewers) values ($1, $2, $3)"
_END = "update stream_session set ended_at = $2, seen_at = $2 where id = $1"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[EarningStage]:
    async with staged_earnings(database) as staged:
        streams = PostgresLiveReads(staged.database, staged.vault)
        yield replace(staged, streams=streams)


async def goes_live(stage: EarningStage, part: Part, **ago: float) -> UUID:
    """A stream of somebody's, that began so long ago."""
    link, session, now = uuid7(), uuid7(), stage.clock()
    await stage.database.pool.execute(_LINK, link, part.source.streamer, link.bytes, now)
    await stage.database.pool.execute(_SESSION, session, link, now - timedelta(**ago))
    return session


async def test_a_minute_is_priced_by_the_sample_of_it(stage: EarningStage) -> None:
    part = await stage.part(await stage.campaign())
    minute = stage.minute
    session = await goes_live(stage, part, minutes=1, seconds=-20)
    assert await report_impressions(stage, part.source, [part.seen(minute)]) == [Verdict.COUNTED]
    await stage.database.pool.execute(_SAMPLE, session, minute + timedelta(seconds=55), 2_000)
    await stage.close()
    (found,) = await stage.minutes(part)
    assert (found.state, found.viewers) == (MinuteState.HELD, 2_000)


async def test_nobody_is_paid_for_a_minute_in_which_they_were_not_live(stage: EarningStage) -> None:
    part = await stage.part(await stage.campaign())
    assert await report_impressions(stage, part.source, [part.seen(stage.minute)]) == [Verdict.NOT_LIVE]
    session = await goes_live(stage, part, hours=1)
    assert await report_impressions(stage, part.source, [part.seen(stage.minute)]) == [Verdict.COUNTED]
    await stage.database.pool.execute(_END, session, stage.minute - MINUTE)
    await close_minutes(stage, stage.clock() + timedelta(minutes=10))
    (found,) = await stage.minutes(part)
    assert (found.state, found.reason) == (MinuteState.REVIEW, Doubt.NO_SAMPLE)


async def test_what_a_minute_waits_for_is_not_forgotten(stage: EarningStage) -> None:
    part = await stage.part(await stage.campaign())
    session = await goes_live(stage, part, hours=2)
    assert await report_impressions(stage, part.source, [part.seen(stage.minute)]) == [Verdict.COUNTED]
    for minutes in range(-5, 6):
        await stage.database.pool.execute(_SAMPLE, session, stage.minute + timedelta(minutes=minutes), 100)
    later = stage.clock() + timedelta(days=365)
    async with stage.database.pool.acquire() as connection:
        live = PostgresLive(connection)
        assert await live.prune_samples(later, 100) == 4
        rejected = "update earning_minute set state = 'unpaid', reason = 'evidence_rejected', closed_at = $1"
        await connection.execute(rejected, later)
        assert await live.prune_samples(later, 100) == 0
        await connection.execute(rejected, later - timedelta(days=1))
        assert await live.prune_samples(later, 100) == 7
