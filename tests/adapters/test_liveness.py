"""Whether streamers are live, on a real database: told once when it changes, whatever is said of several accounts."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.actor import Actor
from domain.ids import uuid7
from domain.streamer.linking import unlink
from domain.streamer.live import Liveness, OnAir
from domain.streamer.model import LinkId, LinkState, StreamerId
from domain.streamer.watching import tell_live
from tests.streamer_stage import StreamerStage, staged_streamers

_LINK = """
insert into platform_link (id, streamer, platform, account, account_index, code_digest, code_expires_at, state,
    asked_at, placed_at, decided_at)
values ($1, $2, $3, '', $4, '', now(), 'confirmed', now(), now(), now())
"""
_WATCH = "insert into platform_watch (link, subject, watched_since) values ($1, '', now())"


@pytest.fixture
async def stage(database: DatabaseAddresses) -> AsyncIterator[StreamerStage]:
    async with staged_streamers(database) as staged:
        yield staged


class Channels:
    """A streamer with two accounts."""

    def __init__(self, stage: StreamerStage, streamer: StreamerId) -> None:
        self.stage, self.streamer = stage, streamer
        self.links = [LinkId(uuid7()) for _ in range(2)]

    async def open(self) -> "Channels":
        for link, platform in zip(self.links, ("tiktok", "facebook"), strict=True):
            await self.stage.database.pool.execute(_LINK, link, self.streamer, platform, link.bytes)
            await self.stage.database.pool.execute(_WATCH, link)
        return self

    async def begin(self, place: int) -> None:
        now = self.stage.clock()
        async with self.stage.work() as work:
            await work.live.sample(self.links[place], OnAir(str(uuid4()), now, 10), now)
            await tell_live(work, [self.links[place]])

    async def end(self, place: int) -> None:
        async with self.stage.work() as work:
            await work.live.end(self.links[place], self.stage.clock())
            await tell_live(work, [self.links[place]])

    async def told(self) -> int:
        asked = "select count(*) from event where name = 'LiveChanged' and topic = $1"
        return int(str(await self.stage.value(asked, f"live:{self.streamer}")))

    async def liveness(self) -> Liveness:
        return await self.stage.live.liveness(self.streamer)


@pytest.fixture
async def channels(stage: StreamerStage) -> Channels:
    found = await stage.reads.streamer_of((await stage.streamer()).people)
    assert found is not None
    return await Channels(stage, found.id).open()


async def test_it_is_told_when_it_changes_and_only_then(stage: StreamerStage, channels: Channels) -> None:
    assert await channels.liveness() == Liveness(0, is_live=False)
    for act, place, seq in (
        (channels.end, 0, 0), (channels.begin, 0, 1), (channels.begin, 1, 1), (channels.end, 0, 1),
        (channels.end, 1, 2), (channels.end, 1, 2), (channels.begin, 1, 3),
    ):  # fmt: skip
        stage.turn(minutes=1)
        await act(place)
        assert await channels.liveness() == Liveness(seq, is_live=seq % 2 == 1)
        assert await channels.told() == seq


async def test_who_falls_silent_or_lets_go_of_the_account_is_live_no_more(
    stage: StreamerStage, channels: Channels
) -> None:
    await channels.begin(0)
    stage.turn(minutes=7)
    async with stage.work() as work:
        await work.live.silent(channels.links, stage.clock())
        await tell_live(work, channels.links)
    assert await channels.liveness() == Liveness(2, is_live=False)
    await channels.begin(1)
    assert not isinstance(await unlink(stage, await stage.person(), channels.links[1]), LinkState)
    assert await channels.liveness() == Liveness(3, is_live=True)
    owner = Actor((await stage.reads.streamers([channels.streamer]))[channels.streamer].person)
    assert await unlink(stage, owner, channels.links[1]) is LinkState.UNLINKED
    assert await channels.liveness() == Liveness(4, is_live=False)


async def test_what_is_said_of_two_accounts_at_once_comes_to_what_is_so(
    stage: StreamerStage, channels: Channels
) -> None:
    for _ in range(10):
        await channels.begin(0)
        stage.clock.now += timedelta(minutes=1)
        await asyncio.gather(channels.end(0), channels.begin(1))
        found = await channels.liveness()
        assert found.is_live
        assert await channels.told() == found.seq
        stage.clock.now += timedelta(minutes=1)
        await asyncio.gather(channels.end(1), channels.end(0))
        assert not (await channels.liveness()).is_live
