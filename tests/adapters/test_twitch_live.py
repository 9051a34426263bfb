"""Who is live at Twitch, by what it tells us and what we ask: late, twice, out of order, forged, and never."""

import asyncio
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

import httpx2
import pytest
from starlette.applications import Starlette

from adapters.breaker import Breaker
from adapters.embedded.database import DatabaseAddresses
from adapters.platforms.helix import EventSub, TwitchHelix
from adapters.platforms.twitch import TwitchAccess, TwitchSite
from adapters.sandbox.listening import listening
from adapters.sandbox.platforms.office import Channel, FaultKind
from adapters.sandbox.twitch import SandboxSettings, running_sandbox
from adapters.sandbox.twitch.eventsub import Manner, Message
from adapters.sandbox.twitch.helix import go_live, go_offline
from adapters.twitch_webhook import TWITCH_WEBHOOK, is_signed, twitch_routes
from domain.actor import Actor
from domain.identity.provider import ProviderUnavailableError
from domain.streamer.linking import unlink
from domain.streamer.live import OnAir, StreamSession, Watched
from domain.streamer.model import LinkId, StreamerId
from domain.streamer.watching import count_followers, sample_streams, subscribe_all, tidy_subscriptions
from tests.adapters.test_platform_grants import SECRET, TWITCH, Town
from tests.streamer_stage import StreamerStage, staged_streamers
from tests.waiting import eventually

SIGNED_WITH = "signed-with-this-secret"
ONLINE = "stream.online"
NO_TIME = json.dumps(
    {
        "subscription": {"type": ONLINE, "condition": {"broadcaster_user_id": "1"}},
        "event": {"type": "live", "broadcaster_user_id": "1", "id": "1", "started_at": "now"},
    }
).encode()
DOCUMENTED = "5f1a6e7cd2e7137ccf9e15b2f43fe63949eb84b1db83c1d5a867dc93429de4e4"


@dataclass
class LiveTown(Town):
    """Our house with a door for what Twitch tells, and a streamer whose account is watched."""

    helix: TwitchHelix
    door: str
    streamer: StreamerId
    link: LinkId

    @property
    def channel(self) -> Channel:
        return self.twitch.sandbox.channels["71000001"]

    async def subscribed(self) -> None:
        await subscribe_all(self.stage, self.stage.clock())
        office = self.twitch.sandbox.eventsub
        await eventually(lambda: [each.status for each in office.subscriptions.values()] == ["enabled"] * 2)

    async def owner(self) -> Actor:
        return Actor((await self.stage.reads.streamers([self.streamer]))[self.streamer].person)

    async def live(self, *curve: int) -> None:
        await go_live(self.twitch.sandbox, self.channel, list(curve) or [10])

    async def offline(self) -> None:
        await go_offline(self.twitch.sandbox, self.channel)

    async def sample(self, **turned: float) -> None:
        self.stage.turn(**turned)
        assert (await sample_streams(self.stage, self.stage.clock())).failed == []

    async def sessions(self) -> list[StreamSession]:
        long = timedelta(days=365)
        now = self.stage.clock()
        return list((await self.stage.live.sessions([self.streamer], now - long, now + long))[self.streamer])

    async def viewers(self, at: datetime) -> int | None:
        (found,) = await self.stage.live.viewers_at([(self.streamer, at)])
        return found

    def message(self, kind: str = ONLINE, at: datetime | None = None, **event: str) -> Message:
        """A message that Twitch signed."""
        office = self.twitch.sandbox.eventsub
        about = next(each for each in office.subscriptions.values() if each.kind == kind)
        told = {"id": "1", "type": "live", "broadcaster_user_id": "71000001"} | event
        told.setdefault("started_at", self.stage.clock().strftime("%Y-%m-%dT%H:%M:%SZ"))
        return office.message(about, "notification", {"event": told}, at)

    async def post(self, message: Message) -> int:
        answer = await self.twitch.sandbox.eventsub.post(message)
        assert answer is not None
        return answer.status_code


@asynccontextmanager
async def built(stage: StreamerStage) -> AsyncIterator[LiveTown]:
    app = Starlette(routes=twitch_routes(lambda: stage, SIGNED_WITH))
    settings = SandboxSettings("client", SECRET)
    async with running_sandbox(settings, clock=stage.clock) as twitch, listening(app) as url:
        access = TwitchAccess("client", SECRET, twitch.oauth_url, timeout_s=20)
        door = f"{url}{TWITCH_WEBHOOK}"
        eventsub = EventSub(door, SIGNED_WITH)
        helix = TwitchHelix(
            access, twitch.api_url, eventsub, breaker=Breaker(failures=1000), ticks=lambda: stage.clock().timestamp()
        )
        async with TwitchSite(access) as site, helix:
            stage.sites, stage.broadcasts = {TWITCH: site}, {TWITCH: helix}
            me = await stage.streamer()
            link = await Town(stage, twitch).linked(me)
            streamer = await stage.reads.streamer_of(me.people)
            assert streamer is not None
            yield LiveTown(stage, twitch, helix, door, streamer.id, link)


@pytest.fixture
async def town(database: DatabaseAddresses) -> AsyncIterator[LiveTown]:
    async with staged_streamers(database) as stage, built(stage) as made:
        yield made


class TestWhatIsTold:
    async def test_a_stream_from_its_beginning_to_its_end(self, town: LiveTown) -> None:
        await town.subscribed()
        await town.live(10, 20, 30)
        (session,) = await town.sessions()
        assert session.ended_at is None
        began = town.stage.clock()
        for _ in range(3):
            await town.sample(minutes=1)
        await town.offline()
        (session,) = await town.sessions()
        assert session.ended_at is not None
        assert abs(session.ended_at - town.stage.clock()) < timedelta(seconds=1)
        assert [await town.viewers(began + timedelta(minutes=minute)) for minute in (1, 2)] == [20, 30]
        assert await town.viewers(town.stage.clock() + timedelta(seconds=1)) is None
        assert await town.viewers(began - timedelta(minutes=1)) is None
        metrics = (await town.stage.live.metrics([town.link], town.stage.clock()))[town.link]
        assert (metrics.average_viewers, metrics.live_minutes, metrics.live, metrics.followers) == (20, 3, None, None)

    @pytest.mark.parametrize("manner", [Manner.TWICE, Manner.HELD])
    async def test_twice_or_the_last_first_and_it_is_the_same(self, town: LiveTown, manner: Manner) -> None:
        await town.subscribed()
        office = town.twitch.sandbox.eventsub
        office.manner = manner
        for _ in range(2):
            await town.live()
            town.stage.turn(minutes=2)
            await town.offline()
            town.stage.turn(minutes=2)
        await office.release()
        first, second = await town.sessions()
        assert set(office.answers) == {200, 204}
        assert second.ended_at is not None
        assert timedelta(minutes=1) < second.ended_at - second.started_at < timedelta(minutes=3)
        assert first.ended_at is not None
        assert first.started_at <= first.ended_at < second.started_at

    async def test_the_same_message_at_once_is_one(self, town: LiveTown) -> None:
        await town.subscribed()
        message = town.message()
        assert set(await asyncio.gather(*(town.post(message) for _ in range(8)))) == {204}
        assert len(await town.sessions()) == 1
        assert await town.stage.count("platform_message") == 1

    async def test_what_is_told_again_of_a_stream_does_not_open_it(self, town: LiveTown) -> None:
        await town.subscribed()
        await town.live()
        again = town.message(id=town.channel.live.id) if town.channel.live else None
        town.stage.turn(minutes=2)
        await town.offline()
        assert again is not None
        assert await town.post(again) == 204
        (session,) = await town.sessions()
        assert session.ended_at is not None

    async def test_who_is_told_no_more_is_asked_for(self, town: LiveTown) -> None:
        await town.subscribed()
        await town.sample()
        asked = town.twitch.sandbox.calls["streams"]
        await town.sample(minutes=1)
        assert town.twitch.sandbox.calls["streams"] == asked
        await town.twitch.sandbox.eventsub.revoke("71000001", "notification_failures_exceeded")
        await town.live()
        assert await town.sessions() == []
        await town.sample(minutes=1)
        assert town.twitch.sandbox.calls["streams"] == asked + 1
        assert len(await town.sessions()) == 1
        town.stage.turn(hours=1)
        assert await tidy_subscriptions(town.stage, town.stage.clock()) == 0
        await town.subscribed()

    async def test_who_unlinks_while_live_was_so_until_last_seen(self, town: LiveTown) -> None:
        await town.subscribed()
        await town.live()
        await town.sample(minutes=3)
        seen_at = town.stage.clock()
        town.stage.turn(minutes=5)
        await unlink(town.stage, await town.owner(), town.link)
        (session,) = await town.sessions()
        assert session.ended_at is not None
        assert abs(session.ended_at - seen_at) < timedelta(seconds=1)

    async def test_of_somebody_else_nothing_follows(self, town: LiveTown) -> None:
        await town.subscribed()
        assert await town.post(town.message(broadcaster_user_id="71000002")) == 204
        assert await town.post(town.message(type="rerun")) == 204
        assert await town.sessions() == []


class TestWhatIsForged:
    async def test_only_what_twitch_signed_byte_for_byte(self, town: LiveTown) -> None:
        await town.subscribed()
        good = town.message()
        for name, value in {
            "Twitch-Eventsub-Message-Id": "another",
            "Twitch-Eventsub-Message-Timestamp": good.headers["Twitch-Eventsub-Message-Timestamp"].replace("123Z", "Z"),
            "Twitch-Eventsub-Message-Signature": "sha256=" + "0" * 64,
        }.items():
            assert await town.post(replace(good, headers={**good.headers, name: value})) == 403
            less = {key: given for key, given in good.headers.items() if key != name}
            assert await town.post(replace(good, headers=less)) == 403
        assert await town.post(replace(good, body=good.body + b" ")) == 403
        assert await town.sessions() == []
        assert await town.post(good) == 204

    @pytest.mark.parametrize("minutes", [-11, 11])
    async def test_what_is_not_of_now_is_refused(self, town: LiveTown, minutes: int) -> None:
        await town.subscribed()
        fresh = town.stage.clock() + timedelta(minutes=minutes + (2 if minutes < 0 else -2))
        assert await town.post(town.message(at=town.stage.clock() + timedelta(minutes=minutes))) == 403
        assert await town.sessions() == []
        assert await town.post(town.message(at=fresh)) == 204

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b'{"subscription": 1}', b"1" * 1000, NO_TIME])
    async def test_what_is_signed_and_no_message_is_refused(self, town: LiveTown, body: bytes) -> None:
        sent = town.stage.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        signature = hmac.new(SIGNED_WITH.encode(), b"id-1" + sent.encode() + body, sha256).hexdigest()
        headers = {
            "Twitch-Eventsub-Message-Id": "id-1", "Twitch-Eventsub-Message-Timestamp": sent,
            "Twitch-Eventsub-Message-Type": "notification", "Twitch-Eventsub-Message-Signature": f"sha256={signature}",
        }  # fmt: skip
        assert await town.post(Message(town.door, headers, body)) == 400

    async def test_a_body_without_an_end_is_not_read(self, town: LiveTown) -> None:
        assert await town.post(Message(town.door, {}, b"x" * 70_000)) == 413

    async def test_a_challenge_comes_back_bare(self, town: LiveTown) -> None:
        await town.subscribed()
        office = town.twitch.sandbox.eventsub
        about = next(iter(office.subscriptions.values()))
        asked = office.message(about, "webhook_callback_verification", {"challenge": "<b>word</b>"})
        answer = await office.post(asked)
        assert answer is not None
        assert (answer.status_code, answer.text) == (200, "<b>word</b>")
        assert answer.headers["content-type"].startswith("text/plain")

    def test_the_signature_is_over_id_timestamp_and_body(self) -> None:
        id_, sent = "e76c6bd4", "2026-11-21T10:11:12.634234626Z"
        digest = hmac.digest(DOCUMENTED.encode(), f"{id_}{sent}{{}}".encode(), "sha256").hex()
        headers: Mapping[str, str] = {
            "twitch-eventsub-message-id": id_,
            "twitch-eventsub-message-timestamp": sent,
            "twitch-eventsub-message-signature": f"sha256={digest}",
        }
        assert is_signed(DOCUMENTED, headers, b"{}")
        assert not is_signed("another", headers, b"{}")
        assert not is_signed(DOCUMENTED, {}, b"{}")


class TestWhatIsAsked:
    async def test_without_being_told_asking_finds_it_all(self, town: LiveTown) -> None:
        await town.live(5)
        await town.sample()
        await town.offline()
        for _ in range(3):
            await town.sample(minutes=2)
        (session,) = await town.sessions()
        assert session.ended_at is None
        await town.sample(minutes=2)
        (session,) = await town.sessions()
        assert session.ended_at is not None
        assert session.ended_at - session.started_at < timedelta(minutes=1)

    async def test_who_is_not_shown_for_a_moment_goes_on(self, town: LiveTown) -> None:
        await town.live(5)
        await town.sample()
        shown, town.channel.live = town.channel.live, None
        await town.sample(minutes=10)
        assert (await town.sessions())[0].ended_at is not None
        town.channel.live = shown
        await town.sample(minutes=1)
        (session,) = await town.sessions()
        assert session.ended_at is None

    async def test_what_still_is_shown_after_its_end_is_not_believed(self, town: LiveTown) -> None:
        await town.subscribed()
        await town.live(5)
        shown = town.channel.live
        town.stage.turn(minutes=3)
        await town.offline()
        (before,) = await town.sessions()
        town.channel.live = shown
        await town.sample(minutes=10)
        assert await town.sessions() == [before]
        assert await town.stage.count("viewer_sample") == 0

    async def test_a_minute_has_one_sample(self, town: LiveTown) -> None:
        await town.live(5)
        town.stage.clock.now = town.stage.clock.now.replace(second=1)
        await asyncio.gather(*(sample_streams(town.stage, town.stage.clock()) for _ in range(5)))
        assert await town.stage.count("viewer_sample") == 1

    async def test_we_ask_as_much_as_we_may_and_no_more(self, town: LiveTown) -> None:
        town.twitch.sandbox.bucket = 12
        calls = town.twitch.sandbox.calls
        for _ in range(2):
            assert await town.helix.followers(["71000001"]) == {"71000001": 1234}
        with pytest.raises(ProviderUnavailableError, match="as much as we may"):
            await town.helix.followers(["71000001"])
        assert calls["followers"] == 2
        town.stage.turn(minutes=1, seconds=1)
        assert await town.helix.followers(["71000001"]) == {"71000001": 1234}
        town.twitch.sandbox.bucket = 0
        with pytest.raises(ProviderUnavailableError, match="more than we may"):
            await town.helix.followers(["71000001"])

    async def test_a_hundred_at_a_time(self, town: LiveTown) -> None:
        await town.live(7)
        everybody = [Watched(town.link, town.streamer, TWITCH, str(number)) for number in (*range(250), 71000001)]
        found = await town.helix.on_air(everybody)
        assert len(found) == 251
        assert {subject: seen.viewers for subject, seen in found.items() if isinstance(seen, OnAir)} == {"71000001": 7}
        assert town.twitch.sandbox.calls["streams"] == 3

    async def test_a_token_of_ours_that_ran_out_is_had_anew(self, town: LiveTown) -> None:
        assert await town.helix.followers(["71000001"]) == {"71000001": 1234}
        town.twitch.sandbox.forget_app_tokens()
        assert await town.helix.followers(["71000001"]) == {"71000001": 1234}

    async def test_followers_are_counted_once_a_day(self, town: LiveTown) -> None:
        for _ in range(2):
            assert (await count_followers(town.stage, town.stage.clock())).failed == []
        assert town.twitch.sandbox.calls["followers"] == 1
        metrics = (await town.stage.live.metrics([town.link], town.stage.clock()))[town.link]
        assert (metrics.followers, metrics.average_viewers, metrics.live_minutes) == (1234, None, 0)
        town.stage.turn(days=1)
        town.twitch.sandbox.order(FaultKind.GARBAGE, "followers")
        assert len((await count_followers(town.stage, town.stage.clock())).failed) == 1

    async def test_twitch_that_fails_ends_no_stream(self, town: LiveTown) -> None:
        await town.live(5)
        await town.sample()
        for _ in range(3):
            town.twitch.sandbox.order(FaultKind.SERVER_ERROR, "streams")
            town.stage.turn(minutes=5)
            assert len((await sample_streams(town.stage, town.stage.clock())).failed) == 1
        (session,) = await town.sessions()
        assert session.ended_at is None


class TestSubscriptions:
    async def test_what_is_there_already_is_as_good(self, town: LiveTown) -> None:
        await town.subscribed()
        await town.helix.subscribe("71000001")
        assert len(town.twitch.sandbox.eventsub.subscriptions) == 2

    async def test_what_nobody_needs_is_ended_and_what_is_missing_begun(self, town: LiveTown) -> None:
        await town.subscribed()
        office = town.twitch.sandbox.eventsub
        office.subscriptions.pop(next(iter(office.subscriptions)))
        assert await tidy_subscriptions(town.stage, town.stage.clock()) == 0
        await town.subscribed()
        await unlink(town.stage, await town.owner(), town.link)
        assert await tidy_subscriptions(town.stage, town.stage.clock()) == 2
        assert office.subscriptions == {}

    async def test_what_fails_is_tried_again_in_an_hour(self, town: LiveTown) -> None:
        town.twitch.sandbox.order(FaultKind.SERVER_ERROR, "subscribe")
        assert len((await subscribe_all(town.stage, town.stage.clock())).failed) == 1
        assert (await subscribe_all(town.stage, town.stage.clock())).looked_at == 0
        town.stage.turn(hours=1)
        await town.subscribed()

    async def test_messages_are_forgotten_when_they_cannot_come_again(self, town: LiveTown) -> None:
        await town.subscribed()
        assert await town.post(town.message()) == 204
        await tidy_subscriptions(town.stage, town.stage.clock())
        assert await town.stage.count("platform_message") == 1
        town.stage.turn(days=2)
        await tidy_subscriptions(town.stage, town.stage.clock())
        assert await town.stage.count("platform_message") == 0


async def test_while_the_database_is_away_twitch_is_to_try_again(town: LiveTown) -> None:
    await town.subscribed()
    message = town.message()
    await town.stage.database.pool.execute("select 1")
    await town.stage.database.pool.close()
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        answer = await client.post(town.door, content=message.body, headers=dict(message.headers))
    assert answer.status_code == 503
    assert json.loads(message.body)["event"]["id"] == "1"
