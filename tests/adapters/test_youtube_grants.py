"""Channels linked by signing in at Google: there and back, looked after, taken back and given back, whatever dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest

from adapters.breaker import Breaker
from adapters.embedded.database import DatabaseAddresses
from adapters.platforms.youtube import YouTubeSite
from adapters.platforms.youtube_api import YouTubeAccess, YouTubeApi
from adapters.platforms.youtube_live import YouTubeBroadcasts
from adapters.postgres.streamer.units import PostgresUnits
from adapters.sandbox.platforms.office import Channel, FaultKind, SandboxSettings
from adapters.sandbox.youtube import RunningSandbox, running_sandbox
from domain.actor import Actor
from domain.identity.provider import ProviderUnavailableError
from domain.identity.providers import JourneyBegun
from domain.streamer.grants import look_after_grants
from domain.streamer.journeys import begin_link, finish_link
from domain.streamer.linking import unlink
from domain.streamer.model import LinkId, LinkState, Platform
from domain.streamer.refusals import AccountTaken, PlatformRefused
from domain.work import Swept
from tests.streamer_stage import StreamerStage, staged_streamers

YOUTUBE = Platform.YOUTUBE
SECRET, KEY = "client-secret-of-the-tests", "key-of-the-tests"
AYU = "UCayuAyuPlays00000000000"
DAILY = 10_000


@dataclass
class Town:
    """Our house, and YouTube."""

    stage: StreamerStage
    youtube: RunningSandbox
    api: YouTubeApi

    async def depart(self, actor: Actor) -> JourneyBegun:
        found = await begin_link(self.stage, actor, YOUTUBE)
        assert isinstance(found, JourneyBegun), found
        return found

    async def journey(self, actor: Actor, login: str = "ayuplays", **form: str) -> object:
        """There and back."""
        begun = await self.depart(actor)
        return await finish_link(self.stage, actor, begun.token, await chosen(begun.url, login, **form))

    async def linked(self, actor: Actor, login: str = "ayuplays") -> LinkId:
        found = await self.journey(actor, login)
        assert not hasattr(found, "code"), found
        return found  # type: ignore[return-value] # what is no refusal is the id

    async def look(self, **turned: float) -> Swept:
        """Let the job run, some time later."""
        self.stage.turn(**turned)
        return await look_after_grants(self.stage, self.stage.clock())

    async def state(self, link: LinkId) -> LinkState:
        return (await self.stage.reads.links([link]))[link].state

    async def spent(self) -> int:
        return DAILY - await self.api.units_left(self.stage.clock())

    @property
    def granted(self) -> list[str]:
        return [grant.channel.login for grant in self.youtube.sandbox.grants]

    @property
    def channel(self) -> Channel:
        return self.youtube.sandbox.channels[AYU]


async def chosen(url: str, login: str, **form: str) -> dict[str, str]:
    """Own that channel (none: say no), and come back with these parameters."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        assert (await browser.get(url)).status_code == 200
        answer = await browser.post(url, data={"login": login, **form})
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def access_to(youtube: RunningSandbox, timeout_s: float = 20, secret: str = SECRET) -> YouTubeAccess:
    return YouTubeAccess("client", secret, KEY, youtube.sign_in_url, youtube.url, youtube.api_url, timeout_s)


@asynccontextmanager
async def with_youtube(stage: StreamerStage, secret: str = SECRET, daily: int = DAILY) -> AsyncIterator[Town]:
    async with running_sandbox(SandboxSettings("client", SECRET), KEY, clock=stage.clock) as youtube:
        access = access_to(youtube, secret=secret)
        units = PostgresUnits(stage.database, YOUTUBE, daily)
        async with (
            YouTubeApi(access, units, breaker=Breaker(failures=1000), clock=stage.clock) as api,
            YouTubeSite(access, api, breaker=Breaker(failures=1000)) as site,
        ):
            stage.sites, stage.broadcasts = {YOUTUBE: site}, {YOUTUBE: YouTubeBroadcasts(api)}
            yield Town(stage, youtube, api)


@pytest.fixture
async def town(database: DatabaseAddresses) -> AsyncIterator[Town]:
    async with staged_streamers(database) as stage, with_youtube(stage) as built:
        yield built


class TestTheWayThereAndBack:
    async def test_the_channel_is_theirs_from_then_on(self, town: Town) -> None:
        link = await town.linked(await town.stage.streamer())
        kept = (await town.stage.reads.links([link]))[link]
        assert (kept.account, kept.state, kept.platform) == ("@ayuplays", LinkState.CONFIRMED, YOUTUBE)
        assert await town.stage.count("event", "name = 'PlatformLinkConfirmed'") == 1
        (grant,) = town.youtube.sandbox.grants
        sealed = await town.stage.value("select tokens from platform_grant where link = $1", link)
        assert isinstance(sealed, bytes)
        assert grant.refresh.encode() not in sealed
        assert await town.spent() == 1

    async def test_what_is_asked_of_google(self, town: Town) -> None:
        asked = parse_qs(urlsplit((await town.depart(await town.stage.streamer())).url).query)
        assert asked["scope"] == ["https://www.googleapis.com/auth/youtube.readonly"]
        assert (asked["access_type"], asked["prompt"]) == (["offline"], ["consent"])
        assert asked["code_challenge_method"] == ["S256"]
        assert asked["state"]

    async def test_who_says_no_to_all_or_to_a_part_of_it(self, town: Town) -> None:
        me = await town.stage.streamer()
        assert isinstance(await town.journey(me, ""), PlatformRefused)
        assert isinstance(await town.journey(me, scope="openid"), PlatformRefused)
        assert await town.stage.count("platform_link") == 0

    @pytest.mark.parametrize("wrong", [{"state": "of-another-journey"}, {"code": "guessed"}, {"error": "denied"}])
    async def test_what_is_no_return_of_this_journey_is_refused(self, town: Town, wrong: dict[str, str]) -> None:
        me = await town.stage.streamer()
        begun = await town.depart(me)
        told = await chosen(begun.url, "ayuplays") | wrong
        assert isinstance(await finish_link(town.stage, me, begun.token, told), PlatformRefused)

    async def test_without_units_nobody_is_sent_there(self, town: Town) -> None:
        me = await town.stage.streamer()
        assert await PostgresUnits(town.stage.database, YOUTUBE, DAILY).take(DAILY, town.stage.clock())
        with pytest.raises(ProviderUnavailableError, match="today"):
            await town.depart(me)
        town.stage.turn(days=1)
        await town.linked(me)

    async def test_a_client_that_google_does_not_know_is_no_fault_of_the_streamers(
        self, database: DatabaseAddresses
    ) -> None:
        async with staged_streamers(database) as stage, with_youtube(stage, secret="another") as town:
            with pytest.raises(ProviderUnavailableError):
                await town.journey(await stage.streamer())


class TestLookingAfterIt:
    async def test_each_hour_one_alone_renews_it(self, town: Town) -> None:
        link = await town.linked(await town.stage.streamer())
        for _ in range(3):
            town.stage.turn(minutes=55)
            await asyncio.gather(*(look_after_grants(town.stage, town.stage.clock()) for _ in range(5)))
        (grant,) = town.youtube.sandbox.grants
        assert grant.renewed == 3
        assert town.youtube.sandbox.calls["token"] == 4
        assert await town.state(link) is LinkState.CONFIRMED

    async def test_who_takes_it_back_there_is_unlinked_here_and_reads_why(self, town: Town) -> None:
        me = await town.stage.streamer()
        link = await town.linked(me)
        town.youtube.sandbox.disconnect(town.channel)
        for _ in range(2):
            await town.look(hours=1)
        kept = (await town.stage.reads.links([link]))[link]
        assert kept.state is LinkState.WITHDRAWN
        assert kept.reason is not None
        assert "took it back there" in kept.reason
        assert await town.stage.count("platform_grant") == 0
        assert await town.stage.count("event", "name = 'PlatformUnlinked'") == 1
        assert await town.linked(me) != link

    @pytest.mark.parametrize("kind", [FaultKind.SERVER_ERROR, FaultKind.GARBAGE, FaultKind.LOST])
    async def test_what_fails_or_is_lost_unlinks_nobody(self, town: Town, kind: FaultKind) -> None:
        link = await town.linked(await town.stage.streamer())
        town.youtube.sandbox.order(kind, "token")
        assert len((await town.look(hours=1)).failed) == 1
        assert await town.state(link) is LinkState.CONFIRMED
        assert (await town.look(minutes=4)).failed == []
        assert await town.state(link) is LinkState.CONFIRMED

    async def test_who_unlinks_has_it_given_back(self, town: Town) -> None:
        me = await town.stage.streamer()
        link = await town.linked(me)
        town.youtube.sandbox.order(FaultKind.LOST, "revoke")
        await unlink(town.stage, me, link)
        assert len((await town.look(minutes=4)).failed) == 1
        assert (await town.look(minutes=4)).failed == []
        assert town.granted == []
        assert await town.stage.count("platform_grant") == 0

    async def test_what_is_given_back_takes_nothing_from_the_link_that_is(self, town: Town) -> None:
        me, other = await town.stage.streamer(), await town.stage.streamer("Budi")
        link = await town.linked(me)
        assert await town.linked(me) == link
        assert isinstance(await town.journey(other), AccountTaken)
        await town.look(minutes=4)
        assert await town.stage.count("platform_grant") == 1
        assert town.youtube.sandbox.calls["revoke"] == 0
        await town.look(hours=1)
        assert await town.state(link) is LinkState.CONFIRMED
        await unlink(town.stage, me, link)
        await town.look(minutes=4)
        assert town.granted == []

    async def test_of_two_who_are_for_nothing_the_later_one_is_given_back(self, town: Town) -> None:
        me = await town.stage.streamer()
        link = await town.linked(me)
        await town.linked(me)
        await unlink(town.stage, me, link)
        await town.look(minutes=4)
        assert town.youtube.sandbox.calls["revoke"] == 1
        assert town.granted == []
        assert await town.stage.count("platform_grant") == 0
