"""Who is live on YouTube, by what we ask within the day's units: hidden, refused, used up, hung."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from adapters.breaker import Breaker
from adapters.embedded.database import DatabaseAddresses
from adapters.platforms.youtube_api import YouTubeApi
from adapters.platforms.youtube_live import YouTubeBroadcasts
from adapters.postgres.streamer.units import PostgresUnits
from adapters.sandbox.platforms.office import FaultKind
from domain.identity.provider import ProviderUnavailableError
from domain.streamer.grants import look_after_grants
from domain.streamer.live import Metrics, StreamSession, Watched
from domain.streamer.model import LinkId, LinkState, StreamerId
from domain.streamer.units import day_ends
from domain.streamer.watching import SAMPLES_KEPT, count_followers, prune_samples, sample_streams, subscribe_all
from tests.adapters.test_youtube_grants import AYU, DAILY, YOUTUBE, Town, access_to, with_youtube
from tests.streamer_stage import StreamerStage, staged_streamers

MORNING = datetime(2026, 11, 21, 18, 0, 1, tzinfo=UTC)
"""Ten o'clock in California."""


@dataclass
class LiveTown(Town):
    """Our house, and a streamer whose channel is watched."""

    streamer: StreamerId
    link: LinkId

    async def sample(self, **turned: float) -> None:
        self.stage.turn(**turned)
        assert (await sample_streams(self.stage, self.stage.clock())).failed == []

    async def sessions(self) -> list[StreamSession]:
        now, long = self.stage.clock(), timedelta(days=365)
        return list((await self.stage.live.sessions([self.streamer], now - long, now + long))[self.streamer])

    async def viewers(self) -> int | None:
        (found,) = await self.stage.live.viewers_at([(self.streamer, self.stage.clock())])
        return found

    async def metrics(self) -> Metrics:
        return (await self.stage.live.metrics([self.link], self.stage.clock()))[self.link]

    async def seen(self, *links: LinkId) -> list[Metrics]:
        return list((await self.stage.live.metrics(links, self.stage.clock())).values())

    def calls(self, *names: str) -> list[int]:
        return [self.youtube.sandbox.calls[name] for name in names]


@asynccontextmanager
async def built(stage: StreamerStage) -> AsyncIterator[LiveTown]:
    stage.clock.now = MORNING
    async with with_youtube(stage) as town:
        me = await stage.streamer()
        link = await town.linked(me)
        streamer = await stage.reads.streamer_of(me.people)
        assert streamer is not None
        yield LiveTown(stage, town.youtube, town.api, streamer.id, link)


@pytest.fixture
async def town(database: DatabaseAddresses) -> AsyncIterator[LiveTown]:
    async with staged_streamers(database) as stage, built(stage) as made:
        yield made


class TestAStream:
    async def test_from_its_beginning_to_its_end(self, town: LiveTown) -> None:
        await town.sample()
        assert await town.sessions() == []
        town.stage.turn(minutes=2)
        began = town.stage.clock()
        town.youtube.sandbox.begin(town.channel, [10, 20, 30])
        await town.sample()
        assert await town.viewers() == 10
        for expected in (20, 30):
            await town.sample(minutes=1)
            assert await town.viewers() == expected
        town.stage.turn(seconds=40)
        town.youtube.sandbox.end(town.channel)
        ended = town.stage.clock()
        await town.sample(minutes=1)
        (session,) = await town.sessions()
        assert abs(session.started_at - began) < timedelta(seconds=1)
        assert session.ended_at is not None
        assert abs(session.ended_at - ended) < timedelta(seconds=1)
        metrics = await town.metrics()
        assert (metrics.average_viewers, metrics.live_minutes, metrics.live) == (20, 3, None)
        assert town.calls("liveBroadcasts", "videos") == [2, 4]

    async def test_nobody_subscribes_to_what_is_not_told(self, town: LiveTown) -> None:
        assert (await subscribe_all(town.stage, town.stage.clock())).looked_at == 0

    async def test_who_hides_how_many_watch_is_live_and_not_sampled(self, town: LiveTown) -> None:
        town.youtube.sandbox.hidden_viewers.add(AYU)
        town.youtube.sandbox.begin(town.channel, [10])
        for _ in range(3):
            await town.sample(minutes=2)
        live = (await town.metrics()).live
        assert live is not None
        assert (live.viewers, await town.viewers(), (await town.metrics()).average_viewers) == (None, None, None)
        assert await town.stage.count("viewer_sample") == 0
        town.youtube.sandbox.hidden_viewers.clear()
        await town.sample(minutes=1)
        assert await town.viewers() == 10

    async def test_what_is_shown_to_nobody_is_no_stream(self, town: LiveTown) -> None:
        shown = town.youtube.sandbox.begin(town.channel, [10], "private")
        await town.sample(minutes=2)
        assert await town.sessions() == []
        shown.privacy = "unlisted"
        await town.sample(minutes=2)
        assert await town.viewers() == 10
        shown.privacy = "private"
        for _ in range(5):
            await town.sample(minutes=2)
        (session,) = await town.sessions()
        assert session.ended_at is not None

    async def test_of_several_at_once_the_last_one_counts(self, town: LiveTown) -> None:
        town.youtube.sandbox.begin(town.channel, [10])
        town.stage.turn(minutes=1)
        town.youtube.sandbox.begin(town.channel, [500])
        await town.sample(minutes=1)
        assert await town.viewers() == 500
        assert len(await town.sessions()) == 1

    async def test_two_who_ask_at_once_take_one_sample(self, town: LiveTown) -> None:
        town.youtube.sandbox.begin(town.channel, [10])
        await asyncio.gather(*(sample_streams(town.stage, town.stage.clock()) for _ in range(4)))
        assert await town.stage.count("viewer_sample") == len(await town.sessions()) == 1


class TestWhatIsRefused:
    async def test_a_token_that_ran_out_is_renewed_at_once(self, town: LiveTown) -> None:
        town.youtube.sandbox.expire(town.channel)
        town.youtube.sandbox.begin(town.channel, [10])
        await town.sample()
        assert await town.sessions() == []
        await look_after_grants(town.stage, town.stage.clock())
        await town.sample(minutes=2)
        assert await town.viewers() == 10

    async def test_what_was_taken_back_ends_the_link_within_minutes(self, town: LiveTown) -> None:
        town.youtube.sandbox.disconnect(town.channel)
        await town.sample()
        await look_after_grants(town.stage, town.stage.clock())
        assert await town.state(town.link) is LinkState.WITHDRAWN
        before = await town.spent()
        await town.sample(minutes=5)
        assert await town.spent() == before

    async def test_that_units_are_used_up_is_no_word_on_the_grant(self, town: LiveTown) -> None:
        sandbox = town.youtube.sandbox
        sandbox.begin(town.channel, [10])
        await town.sample()
        sandbox.units = sandbox.spent
        town.stage.turn(minutes=1)
        assert len((await sample_streams(town.stage, town.stage.clock())).failed) == 1
        asked = town.calls("liveBroadcasts", "videos")
        for _ in range(3):
            await town.sample(minutes=30)
        assert town.calls("liveBroadcasts", "videos") == asked
        sandbox.end(town.channel)
        ended = town.stage.clock()
        (session,) = await town.sessions()
        assert session.ended_at is None
        assert await town.stage.count("viewer_sample") == 1
        town.stage.clock.now = day_ends(town.stage.clock()) + timedelta(minutes=1)
        await look_after_grants(town.stage, town.stage.clock())
        await town.sample()
        (session,) = await town.sessions()
        assert session.ended_at is not None
        assert abs(session.ended_at - ended) < timedelta(seconds=1)
        assert await town.state(town.link) is LinkState.CONFIRMED

    async def test_one_channel_that_cannot_be_asked_keeps_nobody_else(self, town: LiveTown) -> None:
        other = await town.linked(await town.stage.streamer("Budi"), "budimain")
        for login in ("ayuplays", "budimain"):
            channel = town.youtube.sandbox.channel(login)
            assert channel is not None
            town.youtube.sandbox.begin(channel, [10])
        town.youtube.sandbox.order(FaultKind.SERVER_ERROR, "liveBroadcasts")
        await town.sample()
        assert len([metrics for metrics in await town.seen(town.link, other) if metrics.live]) == 1
        await town.sample(minutes=2)
        assert len([metrics for metrics in await town.seen(town.link, other) if metrics.live]) == 2

    async def test_youtube_that_fails_ends_no_stream(self, town: LiveTown) -> None:
        town.youtube.sandbox.begin(town.channel, [10])
        await town.sample()
        for kind in (FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.LOST):
            town.youtube.sandbox.order(kind, "videos")
            town.stage.turn(minutes=5)
            assert len((await sample_streams(town.stage, town.stage.clock())).failed) == 1
        (session,) = await town.sessions()
        assert session.ended_at is None

    async def test_who_hangs_is_left_alone(self, town: LiveTown) -> None:
        sandbox, units = town.youtube.sandbox, PostgresUnits(town.stage.database, YOUTUBE, DAILY)
        sandbox.order(FaultKind.HUNG, "channels", 9)
        breaker = Breaker(failures=2, cool_down_s=3600)
        async with YouTubeApi(access_to(town.youtube, timeout_s=0.3), units, breaker=breaker) as api:
            for reason in ("Time", "Time", "left alone", "left alone"):
                with pytest.raises(ProviderUnavailableError, match=reason):
                    await YouTubeBroadcasts(api).followers([AYU])


class TestSubscribers:
    async def test_they_are_three_figures_and_hidden_ones_are_unknown(self, town: LiveTown) -> None:
        town.channel.followers = 123_456
        assert (await count_followers(town.stage, town.stage.clock())).failed == []
        assert (await town.metrics()).followers == 123_000
        town.youtube.sandbox.hidden_subscribers.add(AYU)
        town.stage.turn(days=1)
        for _ in range(2):
            await count_followers(town.stage, town.stage.clock())
        metrics = await town.metrics()
        assert (metrics.followers, metrics.followers_at) == (None, town.stage.clock())

    async def test_fifty_channels_are_one_unit(self, town: LiveTown) -> None:
        before = await town.spent()
        found = await YouTubeBroadcasts(town.api).followers([AYU, *(f"UC{number}" for number in range(49))])
        assert dict(found) == {AYU: 1230}
        assert await town.spent() == before + 1


class TestUnits:
    async def test_they_are_counted_for_everybody_and_outlive_processes(self, town: LiveTown) -> None:
        now, few = town.stage.clock(), await town.spent() + 10
        counters = [PostgresUnits(town.stage.database, YOUTUBE, few) for _ in range(20)]
        taken = await asyncio.gather(*(each.take(1, now, leaving=3) for each in counters))
        assert sum(taken) == 7
        assert await PostgresUnits(town.stage.database, YOUTUBE, few).left(now) == 3
        tomorrow = day_ends(now)
        assert await counters[0].left(tomorrow) == few
        assert await counters[0].left(tomorrow - timedelta(seconds=1)) == 3

    async def test_fifty_streams_are_one_unit(self, town: LiveTown) -> None:
        sandbox, before = town.youtube.sandbox, await town.spent()
        streams = [sandbox.begin(town.channel, [7]).live.id for _ in range(51)]
        asked = [Watched(town.link, town.streamer, YOUTUBE, id_, id_) for id_ in streams]
        assert len(await YouTubeBroadcasts(town.api).on_air(asked)) == 51
        assert await town.spent() == before + 2


class TestForgetting:
    async def test_samples_go_when_nothing_needs_them(self, town: LiveTown) -> None:
        town.youtube.sandbox.begin(town.channel, [10])
        for _ in range(5):
            await town.sample(minutes=1)
        first = await town.stage.value("select min(at) from viewer_sample")
        assert isinstance(first, datetime)
        town.stage.clock.now = first + SAMPLES_KEPT
        assert await prune_samples(town.stage, town.stage.clock()) == 0
        town.stage.turn(minutes=2)
        assert await prune_samples(town.stage, town.stage.clock()) == 2
        assert await town.stage.count("viewer_sample") == 3

    async def test_some_at_a_time(self, town: LiveTown) -> None:
        town.youtube.sandbox.begin(town.channel, [10])
        for _ in range(5):
            await town.sample(minutes=1)
        town.stage.turn(days=91)
        gone = []
        for _ in range(3):
            async with town.stage.work() as work:
                gone.append(await work.live.prune_samples(town.stage.clock(), 2))
        assert gone == [2, 2, 1]
        assert (await town.metrics()).live is not None
