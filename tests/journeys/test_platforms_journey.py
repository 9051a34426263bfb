"""A streamer links Twitch, goes live before a growing crowd that a brand sees, ends, and takes the grant back there."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.platforms.helix import EventSub, TwitchHelix
from adapters.platforms.twitch import TwitchAccess, TwitchSite
from adapters.sandbox.twitch import RunningSandbox, SandboxSettings, running_sandbox
from adapters.twitch_webhook import TWITCH_WEBHOOK
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from domain.streamer.grants import look_after_grants
from domain.streamer.model import Platform
from domain.streamer.watching import count_followers, sample_streams, subscribe_all
from tests.accounts_house import AccountsHouse, running_accounts
from tests.adapters.test_platform_grants import chosen
from tests.journeys.test_streamer_journey import BECOME, ME, PROFILE, REFUSED, Visitor, visitor
from tests.streamer_stage import StreamerStage
from tests.waiting import eventually

SECRET = "signed-with-this-secret"
LINK = f"""mutation ($platform: StreamPlatform!) {{
  linkPlatform(input: {{platform: $platform}}) {{ {REFUSED} ... on ProviderJourney {{ url token }} }}
}}"""
FINISH = f"""mutation ($token: String!, $parameters: [ParameterInput!]!) {{
  finishPlatformLink(input: {{token: $token, parameters: $parameters}}) {{
    {REFUSED} ... on PlatformLink {{ id account state codeExpiresAt }}
  }}
}}"""
CODE = f"""mutation {{
  requestPlatformCode(input: {{platform: TWITCH, account: "ayu_plays"}}) {{ __typename {REFUSED} }}
}}"""
SEEN = """query ($id: ID!) {
  streamer(id: $id) {
    platforms {
      platform account address live { viewers startedAt sampledAt }
      metrics { sampledSince followers averageViewers liveMinutes }
    }
  }
}"""


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database, twitch_eventsub_secret=SECRET) as running:
        yield running


@pytest.fixture
async def twitch(house: AccountsHouse) -> AsyncIterator[RunningSandbox]:
    """Twitch, which knows us and where to tell us."""
    async with running_sandbox(SandboxSettings("client", "secret"), clock=house.stage.clock) as running:
        access = TwitchAccess("client", "secret", running.oauth_url, timeout_s=20)
        eventsub = EventSub(f"{house.url}{TWITCH_WEBHOOK}", SECRET)
        async with TwitchSite(access) as site, TwitchHelix(access, running.api_url, eventsub) as helix:
            stage = streamers(house)
            stage.sites, stage.broadcasts = {Platform.TWITCH: site}, {Platform.TWITCH: helix}
            yield running


def streamers(house: AccountsHouse) -> StreamerStage:
    stage = house.ports.streamer
    assert isinstance(stage, StreamerStage)
    return stage


async def brought_back(who: Visitor, login: str) -> tuple[str, list[dict[str, str]]]:
    """A journey to Twitch, as far as the way back."""
    begun = await who.one(LINK, platform="TWITCH")
    told = await chosen(begun["url"], login)
    return begun["token"], [{"name": name, "value": value} for name, value in told.items()]


async def control(twitch: RunningSandbox, what: str, **wish: object) -> None:
    async with httpx2.AsyncClient(trust_env=False) as operator:
        assert (await operator.post(f"{twitch.url}/control/{what}", json=wish)).status_code == 204


async def test_from_the_link_to_the_crowd_and_the_end(house: AccountsHouse, twitch: RunningSandbox) -> None:
    stage, ani = streamers(house), await visitor(house)
    brand = await visitor(house, brands={BrandId(uuid7()): BrandRole.VIEWER})
    assert (await ani.one(LINK, platform="TWITCH"))["code"] == "NOT_STREAMER"
    id_ = (await ani.one(BECOME, input=PROFILE))["id"]
    assert (await ani.one(LINK, platform="TIKTOK"))["code"] == "PLATFORM_NOT_OFFERED"
    assert (await ani.one(CODE))["code"] == "SIGN_IN_THERE"

    token, parameters = await brought_back(ani, "ayu_plays")
    budi = await visitor(house)
    await budi.one(BECOME, input=PROFILE)
    assert (await budi.one(FINISH, token=token, parameters=parameters))["code"] == "LINK_REFUSED"
    found = await asyncio.gather(*(ani.one(FINISH, token=token, parameters=parameters) for _ in range(3)))
    assert sorted(each.get("code", "linked") for each in found) == ["LINK_REFUSED", "LINK_REFUSED", "linked"]
    token, parameters = await brought_back(budi, "ayu_plays")
    assert (await budi.one(FINISH, token=token, parameters=parameters))["code"] == "ACCOUNT_TAKEN"

    async def seen() -> Any:
        (platform,) = (await brand.one(SEEN, id=id_))["platforms"]
        return platform

    shown = await seen()
    assert (shown["account"], shown["address"]) == ("ayu_plays", "https://www.twitch.tv/ayu_plays")
    assert (shown["live"], shown["metrics"]["followers"], shown["metrics"]["averageViewers"]) == (None, None, None)

    await subscribe_all(stage, stage.clock())
    office = twitch.sandbox.eventsub
    await eventually(lambda: [each.status for each in office.subscriptions.values()] == ["enabled"] * 2)
    await count_followers(stage, stage.clock())
    await control(twitch, "channels/ayu_plays/online", viewers=[10, 20, 30, 40])
    live = (await seen())["live"]
    assert (live["viewers"], live["sampledAt"]) == (None, None)
    for viewers in (20, 30, 40):
        stage.turn(minutes=1)
        assert (await sample_streams(stage, stage.clock())).failed == []
        assert (await seen())["live"]["viewers"] == viewers
    await control(twitch, "channels/ayu_plays/offline")
    shown = await seen()
    assert shown["live"] is None
    assert {name: shown["metrics"][name] for name in ("followers", "averageViewers", "liveMinutes")} == {
        "followers": 1234, "averageViewers": 30, "liveMinutes": 3,
    }  # fmt: skip

    await control(twitch, "channels/ayu_plays/disconnect")
    stage.turn(hours=1)
    await look_after_grants(stage, stage.clock())
    assert (await brand.one(SEEN, id=id_))["platforms"] == []
    (link,) = (await ani.one(ME))["streamer"]["links"]
    assert link["state"] == "WITHDRAWN"
