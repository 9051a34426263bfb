"""A streamer links YouTube, goes live before a crowd that a brand sees, hides it, ends, and takes the grant back."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.platforms.youtube import YouTubeSite
from adapters.platforms.youtube_api import YouTubeApi
from adapters.platforms.youtube_live import YouTubeBroadcasts
from adapters.postgres.streamer.units import PostgresUnits
from adapters.sandbox.platforms.office import SandboxSettings
from adapters.sandbox.youtube import RunningSandbox, running_sandbox
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from domain.streamer.grants import look_after_grants
from domain.streamer.model import Platform
from domain.streamer.watching import count_followers, sample_streams
from tests.accounts_house import AccountsHouse, running_accounts
from tests.adapters.test_youtube_grants import DAILY, KEY, SECRET, access_to, chosen
from tests.journeys.test_platforms_journey import FINISH, LINK, SEEN, streamers
from tests.journeys.test_streamer_journey import BECOME, PROFILE, Visitor, visitor

LINKS = "{ viewer { streamer { links { platform account address state reason } } } }"


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database) as running:
        yield running


@pytest.fixture
async def youtube(house: AccountsHouse) -> AsyncIterator[RunningSandbox]:
    """YouTube, which knows us."""
    stage = streamers(house)
    async with running_sandbox(SandboxSettings("client", SECRET), KEY, clock=stage.clock) as running:
        access, units = access_to(running), PostgresUnits(stage.database, Platform.YOUTUBE, DAILY)
        async with YouTubeApi(access, units, clock=stage.clock) as api, YouTubeSite(access, api) as site:
            stage.sites, stage.broadcasts = {Platform.YOUTUBE: site}, {Platform.YOUTUBE: YouTubeBroadcasts(api)}
            yield running


async def control(youtube: RunningSandbox, what: str, **wish: object) -> None:
    async with httpx2.AsyncClient(trust_env=False) as operator:
        assert (await operator.post(f"{youtube.url}/control/{what}", json=wish)).status_code == 204


async def linked(who: Visitor, **form: str) -> Any:
    """A journey to YouTube and back."""
    begun = await who.one(LINK, platform="YOUTUBE")
    told = await chosen(begun["url"], "ayuplays", **form)
    parameters = [{"name": name, "value": value} for name, value in told.items()]
    return await who.one(FINISH, token=begun["token"], parameters=parameters)


async def test_from_the_link_to_the_crowd_and_the_end(house: AccountsHouse, youtube: RunningSandbox) -> None:
    stage, ani = streamers(house), await visitor(house)
    brand = await visitor(house, brands={BrandId(uuid7()): BrandRole.VIEWER})
    id_ = (await ani.one(BECOME, input=PROFILE))["id"]
    assert (await linked(ani, scope="openid"))["code"] == "PLATFORM_REFUSED"
    link = await linked(ani)
    assert (link["account"], link["state"]) == ("@ayuplays", "CONFIRMED")

    async def seen() -> Any:
        (platform,) = (await brand.one(SEEN, id=id_))["platforms"]
        return platform

    async def samples(minutes: int = 1) -> None:
        stage.turn(minutes=minutes)
        assert (await sample_streams(stage, stage.clock())).failed == []

    shown = await seen()
    assert (shown["platform"], shown["address"]) == ("YOUTUBE", "https://www.youtube.com/@ayuplays")
    assert shown["live"] is None

    await control(youtube, "channels/ayuplays/online", viewers=[10, 20, 30])
    await count_followers(stage, stage.clock())
    await samples()
    assert (await seen())["live"]["viewers"] == 20
    await samples()
    await control(youtube, "channels/ayuplays/hide", viewers=True, subscribers=True)
    await samples()
    shown = await seen()
    assert (shown["live"]["viewers"], shown["metrics"]["followers"]) == (30, 1230)
    await control(youtube, "channels/ayuplays/offline")
    await samples()
    shown = await seen()
    assert shown["live"] is None
    assert (shown["metrics"]["averageViewers"], shown["metrics"]["liveMinutes"]) == (25, 3)

    await control(youtube, "channels/ayuplays/disconnect")
    stage.turn(hours=1)
    await look_after_grants(stage, stage.clock())
    assert (await brand.one(SEEN, id=id_))["platforms"] == []
    (link,) = (await ani.one(LINKS))["streamer"]["links"]
    assert link["state"] == "WITHDRAWN"
    assert "Link the account again" in link["reason"]
    assert (await linked(ani))["state"] == "CONFIRMED"


async def test_the_page_does_what_programs_do(youtube: RunningSandbox) -> None:
    async with httpx2.AsyncClient(trust_env=False, base_url=youtube.url, follow_redirects=True) as operator:
        page = (await operator.post("/control/channels/ayuplays/online", data={"viewers": "120,180"})).text
        assert "live before 120" in page
        page = (await operator.post("/control/channels/ayuplays/viewers", data={"viewers": "5000"})).text
        assert "live before 5000" in page
        assert "Show viewers" in (await operator.post("/control/channels/ayuplays/hide", data={"viewers": "yes"})).text
        assert "Hide viewers" in (await operator.post("/control/channels/ayuplays/hide", data={"viewers": ""})).text
        assert (await operator.post("/control/units", data={"left": "0"})).status_code == 200
        assert not youtube.sandbox.charge()
        assert (await operator.post("/control/channels/nobody/online")).status_code == 404
