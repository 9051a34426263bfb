"""Signing in by other sites and by Telegram over HTTP, linking them and taking them away."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.identity.telegram import TelegramProofs
from adapters.sandbox.identity.people import PEOPLE, Site
from adapters.sandbox.identity.proofs import launch_text, widget_fields
from domain.identity.provider import Provider
from domain.vault import PLATFORM
from tests.accounts_house import ANSWER, ASKED, AccountsHouse, bearer, running_accounts
from tests.adapters.identity_sandbox import BOT_TOKEN, bench

AYU, BUDI, _ = PEOPLE
JOURNEY = "__typename ... on ProviderJourney { url token } ... on Refusal { code }"
IDENTITIES = "identities { id provider subject lastUsedAt }"
BEGIN = f"""mutation ($site: SignInProvider!) {{
  beginProviderSignIn(input: {{provider: $site, portal: PLAYER}}) {{ {JOURNEY} }}
}}"""
FINISH = f"""mutation ($token: String!, $told: [ParameterInput!]!, $transport: TokenTransport! = BEARER) {{
  finishProviderSignIn(input: {{token: $token, parameters: $told, transport: $transport}}) {{
    {ANSWER} ... on IdentitiesChanged {{ {IDENTITIES} }}
  }}
}}"""
TELEGRAM = f"""mutation ($widget: [ParameterInput!], $miniApp: String) {{
  signInWithTelegram(input: {{widget: $widget, miniApp: $miniApp, portal: PLAYER}}) {{ {ANSWER} }}
}}"""
LINK = f"mutation ($site: SignInProvider!) {{ linkProvider(input: {{provider: $site}}) {{ {JOURNEY} }} }}"
LINK_TELEGRAM = f"""mutation ($widget: [ParameterInput!], $miniApp: String) {{
  linkTelegram(input: {{widget: $widget, miniApp: $miniApp}}) {{
    __typename ... on IdentitiesChanged {{ {IDENTITIES} }} ... on Refusal {{ code }}
  }}
}}"""
UNLINK = f"""mutation ($id: ID!) {{
  unlinkIdentity(input: {{identityId: $id}}) {{
    __typename ... on IdentitiesChanged {{ {IDENTITIES} }} ... on Refusal {{ code }}
  }}
}}"""
MINE = f"{{ viewer {{ id name mail {IDENTITIES} }} }}"


@pytest.fixture
async def house(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database) as running, bench() as sites:
        stage = running.stage
        sites.hands.now = stage.clock()
        await stage.vault.create_key(PLATFORM)
        stage.providers = {Provider(site): sites.ours(site) for site in (Site.GOOGLE, Site.TWITCH)}
        stage.signed_proofs = TelegramProofs(BOT_TOKEN)
        yield running


async def went(journey: Any, person: str) -> list[dict[str, str]]:
    """What the browser comes back with."""
    async with httpx2.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(journey["url"], data={"person": person})
    return pairs(dict(parse_qsl(urlsplit(answer.headers["location"]).query)))


def pairs(found: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in found.items()]


async def by_site(house: AccountsHouse, site: str = "GOOGLE", person: str = "ayu") -> Any:
    journey = await house.one(BEGIN, site=site)
    return await house.one(FINISH, token=journey["token"], told=await went(journey, person))


async def test_one_signs_in_by_another_site(house: AccountsHouse) -> None:
    tokens = await by_site(house)
    viewer = (await house.run(MINE, bearer(tokens))).data["viewer"]
    assert (viewer["id"], viewer["name"], viewer["mail"]) == (tokens["person"]["viewerId"], AYU.name, AYU.mail)
    (identity,) = viewer["identities"]
    assert identity["provider"] == "GOOGLE"
    again = await by_site(house)
    assert again["person"] == tokens["person"]
    assert again["sessionId"] != tokens["sessionId"]


async def test_the_session_may_come_as_cookies(house: AccountsHouse) -> None:
    journey = await house.one(BEGIN, site="TWITCH")
    told = await went(journey, "budi")
    reply = await house.run(FINISH, ASKED, token=journey["token"], told=told, transport="COOKIE")
    assert reply.data["finishProviderSignIn"]["accessToken"] is None
    assert len(reply.headers.getall("Set-Cookie")) == 2  # type: ignore[attr-defined] # aiohttp's headers have it
    refused = await house.run(FINISH, token=journey["token"], told=told, transport="COOKIE")
    assert refused.codes == ["BAD_INPUT"]


async def test_what_is_no_good_is_refused(house: AccountsHouse) -> None:
    assert (await house.one(BEGIN, site="TELEGRAM"))["code"] == "PROVIDER_REFUSED"
    assert (await house.one(BEGIN, site="PASSWORD"))["code"] == "PROVIDER_REFUSED"
    journey = await house.one(BEGIN, site="GOOGLE")
    told = await went(journey, "ayu")
    twice = await house.run(FINISH, token=journey["token"], told=[*told, {"name": "code", "value": "another"}])
    assert twice.codes == ["BAD_INPUT"]
    assert (await house.one(FINISH, token=journey["token"], told=await went(journey, "")))["code"] == "PROVIDER_REFUSED"
    assert (await house.one(FINISH, token=journey["token"], told=told))["code"] == "LINK_REFUSED"
    texts: list[tuple[object, object]] = [(None, None), ([], "x"), (None, "x" * 20_000)]
    for widget, launch in texts:
        assert (await house.run(TELEGRAM, widget=widget, miniApp=launch)).codes == ["BAD_INPUT"]
    assert (await house.one(TELEGRAM, miniApp="x"))["code"] == "PROVIDER_REFUSED"


async def test_telegram_lets_in_by_button_and_mini_app_once_each(house: AccountsHouse) -> None:
    now = house.stage.clock()
    widget, launch = pairs(widget_fields(BUDI, BOT_TOKEN, now)), launch_text(BUDI, BOT_TOKEN, now)
    tokens = [await house.one(TELEGRAM, widget=widget), await house.one(TELEGRAM, miniApp=launch)]
    assert tokens[0]["person"] == tokens[1]["person"]
    assert (await house.one(TELEGRAM, widget=widget))["code"] == "LINK_REFUSED"


async def test_one_links_and_unlinks(house: AccountsHouse) -> None:
    member = bearer(await house.signed_up())
    journey = await house.one(LINK, member, site="GOOGLE")
    told = await went(journey, "ayu")
    found = await house.one(FINISH, member, token=journey["token"], told=told)
    assert [each["provider"] for each in found["identities"]] == ["PASSWORD", "GOOGLE"]
    signed = launch_text(AYU, BOT_TOKEN, house.stage.clock())
    found = await house.one(LINK_TELEGRAM, member, miniApp=signed)
    assert [each["provider"] for each in found["identities"]] == ["PASSWORD", "GOOGLE", "TELEGRAM"]
    assert found["identities"][2]["subject"] == str(AYU.number)
    stranger = bearer(await by_site(house, "TWITCH"))
    for identity in found["identities"]:
        assert (await house.one(UNLINK, stranger, id=identity["id"]))["code"] == "LAST_IDENTITY"
    for identity in found["identities"][:2]:
        assert (await house.one(UNLINK, member, id=identity["id"]))["__typename"] == "IdentitiesChanged"
    assert (await house.one(UNLINK, member, id=found["identities"][0]["id"]))["code"] == "LAST_IDENTITY"


async def test_nobody_links_for_nobody(house: AccountsHouse) -> None:
    assert (await house.run(LINK, site="GOOGLE")).codes == ["UNAUTHENTICATED"]
    assert (await house.run(LINK_TELEGRAM, miniApp="x")).codes == ["UNAUTHENTICATED"]
    member = bearer(await house.signed_up())
    journey = await house.one(LINK, member, site="GOOGLE")
    told = await went(journey, "ayu")
    assert (await house.one(FINISH, token=journey["token"], told=told))["code"] == "LINK_REFUSED"
