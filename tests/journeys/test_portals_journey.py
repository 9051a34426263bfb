"""Several portals in one browser: each has its session, and staff's answers to pages of staff's portal alone."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.embedded.database import DatabaseAddresses
from domain.rights import StaffRole
from tests.accounts_house import ANI, ASKED, ME, REFRESH, SIGN_OUT, AccountsHouse, running_accounts
from tests.accounts_stage import PASSWORD
from tests.browsers import BRANDS, LISTED, PORTALS, STAFF, STREAMERS, Browser, browsing
from tests.factor_stage import enrolled
from tests.gql.house import PROTOCOL
from tests.people import enroll

BEGIN = f"""mutation ($portal: Portal!, $transport: TokenTransport! = COOKIE) {{
  made: signIn(input: {{mail: "{ANI}", password: "{PASSWORD}", portal: $portal, transport: $transport}}) {{
    __typename ... on SecondFactorNeeded {{ challenge }}
  }}
}}"""
ANSWER = """mutation ($challenge: String!, $code: String!) {
  made: answerSecondFactor(input: {challenge: $challenge, code: $code, transport: COOKIE}) { __typename }
}"""
ROLE = "{ viewer { mail staffRole permissions sessions { portal current } } }"
EVERYWHERE = [BRANDS, STREAMERS, "https://evil.example", "null"]


@pytest.fixture(params=[None, "portal.example"], ids=["for one host", "for a domain"])
async def house(
    request: pytest.FixtureRequest, tmp_path: Path, database: DatabaseAddresses
) -> AsyncIterator[AccountsHouse]:
    async with running_accounts(tmp_path, database, portal_origins=LISTED, cookie_domain=request.param) as running:
        yield running


async def staff(house: AccountsHouse) -> Iterator[str]:
    """Ani is of staff, and proves it by these recovery codes."""
    me = await house.stage.member()
    await enroll(house.stage.database.pool, me.person, staff=StaffRole.SUPER_ADMIN)
    _, codes = await enrolled(house.stage, me)
    return iter(codes)


async def signed_in(browser: Browser, codes: Iterator[str]) -> None:
    """Sign in at the page's portal, with both factors."""
    challenge = (await browser.one(BEGIN, portal=PORTALS[browser.site]))["challenge"]
    made = await browser.one(ANSWER, challenge=challenge, code=next(codes))
    assert made == {"__typename": "SignedIn"}


async def seen(browser: Browser) -> tuple[Any, Any]:
    """The portal of the session that a page is in, and the role of staff there; nothing for nobody."""
    body = await posted(browser, ROLE)
    if "errors" in body:
        assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]
        return None, None
    viewer = body["data"]["viewer"]
    assert (viewer["staffRole"] is None) is (viewer["permissions"] == [])
    (portal,) = {each["portal"] for each in viewer["sessions"] if each["current"]}
    return portal, viewer["staffRole"]


async def posted(browser: Browser, query: str, headers: dict[str, str] | None = None) -> Any:
    """An answer, also where a browser would keep it from the page."""
    sent = headers if headers is not None else {**ASKED, "Origin": browser.site}
    async with browser.client.post(browser.address(), json={"query": query}, headers=sent) as answer:
        return await answer.json(content_type=None)


async def on_a_socket(browser: Browser) -> Any:
    """Who a page is on a socket of its own; None where it is let in nowhere."""
    connect = browser.client.ws_connect
    try:
        async with connect(browser.address(), protocols=[PROTOCOL], headers={"Origin": browser.site}) as socket:
            await socket.send_json({"type": "connection_init"})
            if (await socket.receive()).type is not aiohttp.WSMsgType.TEXT:
                return socket.close_code
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": ROLE}})
            viewer = (await socket.receive_json())["payload"]["data"]["viewer"]
            return viewer["staffRole"]
    except aiohttp.WSServerHandshakeError as refused:
        return refused.status


async def test_one_browser_is_signed_in_at_each_portal(house: AccountsHouse) -> None:
    await house.stage.member()
    async with browsing(house, BRANDS) as brands:
        streamers = brands.beside(STREAMERS)
        await brands.sign_in()
        assert (await seen(brands), await seen(streamers)) == (("BRAND", None), (None, None))
        await streamers.sign_in()
        assert (await seen(brands), await seen(streamers)) == (("BRAND", None), ("STREAMER", None))
        assert len(brands.cookies) == 4
        before = brands.cookies
        assert (await streamers.refresh())["__typename"] == "SignedIn"
        changed = {name for name, value in brands.cookies.items() if before[name] != value}
        assert len(changed) == 2
        assert all("-streamer-" in name for name in changed)
        assert (await streamers.one(SIGN_OUT))["__typename"] == "SessionsEnded"
        assert (await seen(brands), await seen(streamers)) == (("BRAND", None), (None, None))
        assert (await streamers.refresh())["code"] == "SESSION_ENDED"
        assert (await brands.refresh())["__typename"] == "SignedIn"
        assert len(brands.cookies) == 2


async def test_staffs_session_is_staffs_pages_alone(house: AccountsHouse) -> None:
    codes = await staff(house)
    async with browsing(house, STAFF) as desk:
        await signed_in(desk, codes)
        assert await seen(desk) == ("ADMIN", "SUPER_ADMIN")
        assert await on_a_socket(desk) == "SUPER_ADMIN"
        before = desk.cookies
        for site in EVERYWHERE:
            page = desk.beside(site)
            assert await seen(page) == (None, None)
            assert await on_a_socket(page) in {403, 4403}
            for query in (REFRESH, SIGN_OUT):
                ((made),) = (await posted(page, query))["data"].values()
                assert made["code"] == "SESSION_ENDED"
        for bare in ({}, {"Sec-Fetch-Site": "same-origin"}, {"Referer": f"{STAFF}/"}):
            asked = {"GraphQL-Require-Preflight": "1", "Gametriggers-Portal": "ADMIN", **bare}
            assert (await posted(desk, ME, asked))["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        assert desk.cookies == before
        assert await seen(desk) == ("ADMIN", "SUPER_ADMIN")


async def test_at_other_portals_staff_is_like_anybody(house: AccountsHouse) -> None:
    codes = await staff(house)
    async with browsing(house, STAFF) as desk:
        await signed_in(desk, codes)
        for site in (BRANDS, STREAMERS):
            page = desk.beside(site)
            await signed_in(page, codes)
            assert await seen(page) == (PORTALS[site], None)
            assert await on_a_socket(page) is None
        assert await seen(desk) == ("ADMIN", "SUPER_ADMIN")


async def test_no_page_is_given_the_cookies_of_another_portal(house: AccountsHouse) -> None:
    codes = await staff(house)
    begun = await house.stage.count("session")
    async with browsing(house, BRANDS) as brands:
        status, body = await brands.post(BEGIN, portal="ADMIN")
        assert (status, body["errors"][0]["extensions"]["code"]) == (200, "BAD_INPUT")
        asked = await brands.one(BEGIN, portal="ADMIN", transport="BEARER")
        status, body = await brands.post(ANSWER, challenge=asked["challenge"], code=next(codes))
        assert body["errors"][0]["extensions"]["code"] == "BAD_INPUT"
        assert brands.cookies == {}
        assert await seen(brands.beside(STAFF)) == (None, None)
    assert await house.stage.count("session") == begun + 1, "begun for nobody, by a page that mixes portals up"
