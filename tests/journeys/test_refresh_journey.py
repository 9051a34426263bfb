"""Staying signed in over HTTP, by cookies and by tokens: two tabs, lost answers, thieves, and pages of two sites."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from yarl import URL

from adapters.embedded.database import DatabaseAddresses
from tests.accounts_house import ANI, ME, REFRESH, SIGN_IN, SIGN_OUT, AccountsHouse, bearer, running_accounts
from tests.accounts_stage import PASSWORD
from tests.browsers import BRANDS, HOST, LISTED, STREAMERS, Browser, browsing
from tests.waiting import eventually

STRANGERS = "https://portal.example.evil.example"
NAMES = {"__Host-gametriggers-brand-access", "__Host-gametriggers-brand-refresh"}
OVER = {"__typename": "SessionEnded", "code": "SESSION_ENDED"}

Houses = Callable[..., AbstractAsyncContextManager[AccountsHouse]]


@pytest.fixture
def houses(tmp_path: Path, database: DatabaseAddresses) -> Houses:
    return partial(running_accounts, tmp_path, database, portal_origins=LISTED)


@pytest.fixture
async def house(houses: Houses) -> AsyncIterator[AccountsHouse]:
    async with houses() as running:
        await running.stage.member()
        yield running


async def refused(house: AccountsHouse, tokens: Any) -> bool:
    return (await house.run(ME, bearer(tokens))).status == 401


class TestWithTokens:
    async def test_two_tabs_go_on_with_one_successor_until_a_spent_token_comes_back(self, house: AccountsHouse) -> None:
        first = await house.one(SIGN_IN, mail=ANI, password=PASSWORD)
        tabs = await asyncio.gather(*(house.one(REFRESH, token=first["refreshToken"]) for _ in range(4)))
        (second,) = {tab["refreshToken"] for tab in tabs}
        assert len({tab["accessToken"] for tab in tabs}) == 4
        assert {tab["sessionId"] for tab in tabs} == {first["sessionId"]}
        third = await house.one(REFRESH, token=second)
        assert (await house.one(REFRESH, token=first["refreshToken"]))["refreshToken"] == third["refreshToken"]
        for tokens in (first, *tabs, third):
            assert not await refused(house, tokens)
        house.stage.turn(seconds=11)
        stolen = await house.one(REFRESH, token=second)
        assert {name: stolen[name] for name in OVER} == OVER
        for tokens in (first, *tabs, third):
            await eventually(partial(refused, house, tokens))
        assert (await house.one(REFRESH, token=third["refreshToken"]))["code"] == "SESSION_ENDED"

    async def test_whoever_hangs_up_before_the_answer_asks_again_and_goes_on(self, house: AccountsHouse) -> None:
        first = await house.one(SIGN_IN, mail=ANI, password=PASSWORD)
        body = json.dumps({"query": REFRESH, "variables": {"token": first["refreshToken"]}})
        parts = urlsplit(house.url)
        _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        request = (
            f"POST /graphql HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        )
        writer.write(f"{request}\r\n\r\n{body}".encode())
        await writer.drain()
        spent = "select count(*) from refresh_token where spent_at is not null"
        await eventually(lambda: house.stage.value(spent))
        writer.close()
        house.stage.turn(seconds=10)
        again = await house.one(REFRESH, token=first["refreshToken"])
        assert again["__typename"] == "SignedIn"
        assert await house.stage.count("refresh_token", "spent_at is null") == 2  # theirs, and of the sign-up
        house.stage.turn(minutes=10)
        assert (await house.one(REFRESH, token=again["refreshToken"]))["__typename"] == "SignedIn"

    async def test_one_signs_out_by_a_token_and_no_token_of_the_session_is_any_good(self, house: AccountsHouse) -> None:
        first = await house.one(SIGN_IN, mail=ANI, password=PASSWORD)
        second = await house.one(REFRESH, token=first["refreshToken"])
        assert (await house.one(SIGN_OUT, token=first["refreshToken"]))["__typename"] == "SessionsEnded"
        for tokens in (first, second):
            await eventually(partial(refused, house, tokens))
            assert (await house.one(REFRESH, token=tokens["refreshToken"]))["code"] == "SESSION_ENDED"


class TestInBrowsers:
    async def test_cookies_are_kept_rotated_and_gone_after_signing_out(self, house: AccountsHouse) -> None:
        async with browsing(house) as browser:
            await browser.sign_in()
            first = browser.cookies
            assert set(first) == NAMES
            assert await browser.mail() == ANI
            assert (await browser.refresh())["__typename"] == "SignedIn"
            second = browser.cookies
            assert all(first[name] != second[name] for name in NAMES)
            assert await browser.mail() == ANI
            assert (await browser.one(SIGN_OUT))["__typename"] == "SessionsEnded"
            assert browser.cookies == {}
            assert await browser.mail() is None

    async def test_what_came_in_a_cookie_is_answered_in_cookies_whatever_a_script_asks_for(
        self, house: AccountsHouse
    ) -> None:
        async with browsing(house) as browser:
            await browser.sign_in()
            first = browser.cookies
            found = await browser.one(REFRESH, transport="BEARER")
            assert (found["__typename"], found["accessToken"], found["refreshToken"]) == ("SignedIn", None, None)
            assert all(first[name] != browser.cookies[name] for name in NAMES)
            assert await browser.mail() == ANI

    async def test_two_tabs_that_refresh_at_once_share_one_session_and_one_token(self, house: AccountsHouse) -> None:
        async with browsing(house) as browser:
            await browser.sign_in()
            answers = await asyncio.gather(*(browser.refresh() for _ in range(4)))
            assert {answer["__typename"] for answer in answers} == {"SignedIn"}
            house.stage.turn(minutes=10)
            assert (await browser.refresh())["__typename"] == "SignedIn"
            assert await house.stage.count("refresh_token", "spent_at is null") == 2  # theirs, and of the sign-up

    async def test_who_refreshes_with_a_stolen_cookie_later_puts_both_out(self, house: AccountsHouse) -> None:
        async with browsing(house) as owner, browsing(house) as thief:
            await owner.sign_in()
            thief.client.cookie_jar.update_cookies(owner.cookies, URL(thief.address()))
            assert (await owner.refresh())["__typename"] == "SignedIn"
            assert await owner.mail() == await thief.mail() == ANI
            house.stage.turn(seconds=11)
            assert (await thief.refresh())["code"] == "SESSION_ENDED"
            assert thief.cookies == {}
            await eventually(lambda: _is_nobody(owner))
            assert (await owner.refresh())["code"] == "SESSION_ENDED"
            assert owner.cookies == {}

    async def test_a_cookie_does_nothing_for_a_page_that_did_not_ask_first(self, house: AccountsHouse) -> None:
        async with browsing(house, STREAMERS) as browser:
            await browser.sign_in()
            before = browser.cookies
            for query in (ME, REFRESH, SIGN_OUT, SIGN_IN):
                status, body = await browser.post(query, {}, mail=ANI, password=PASSWORD)
                assert status == 403
                assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_INPUT"]
            assert browser.cookies == before
            assert await browser.mail() == ANI
            assert await house.stage.count("refresh_token", "spent_at is not null") == 0

    @pytest.mark.parametrize("site", [BRANDS, STREAMERS])
    async def test_pages_of_either_site_may_come_with_cookies(self, house: AccountsHouse, site: str) -> None:
        async with browsing(house, site) as browser:
            assert await _agreed(browser) == (site, "true", True)
            await browser.sign_in()
            assert await browser.mail() == ANI

    async def test_those_of_another_site_may_not(self, house: AccountsHouse) -> None:
        async with browsing(house, STRANGERS) as browser:
            assert await _agreed(browser) == (None, None, False)


async def _is_nobody(browser: Browser) -> bool:
    return await browser.mail() is None


async def _agreed(browser: Browser) -> tuple[str | None, str | None, bool]:
    """What a browser is told that asks before it lets a page send cookies: whose, with cookies, with our header."""
    asked = {
        "Origin": browser.site,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,graphql-require-preflight",
    }
    async with browser.client.options(browser.address(), headers=asked) as answer:
        told = answer.headers
        sendable = told.get("Access-Control-Allow-Headers", "").lower()
        return (
            told.get("Access-Control-Allow-Origin"),
            told.get("Access-Control-Allow-Credentials"),
            "graphql-require-preflight" in sendable,
        )


def _names_sent(browser: Browser, host: str) -> set[str]:
    return set(browser.client.cookie_jar.filter_cookies(URL(f"https://{host}/graphql")))


class TestWhereCookiesGo:
    async def test_without_a_domain_they_are_for_this_very_host(self, house: AccountsHouse) -> None:
        async with browsing(house) as browser:
            await browser.sign_in()
            assert _names_sent(browser, HOST) == NAMES
            assert _names_sent(browser, "other.portal.example") == set()
            assert _names_sent(browser, f"below.{HOST}") == set()

    async def test_with_a_domain_they_are_for_its_hosts_and_are_forgotten_there(self, houses: Houses) -> None:
        async with houses(cookie_domain="portal.example") as house, browsing(house) as browser:
            await house.stage.member()
            await browser.sign_in()
            names = {name.replace("__Host-", "__Secure-") for name in NAMES}
            assert set(browser.cookies) == names
            assert _names_sent(browser, "other.portal.example") == names
            assert _names_sent(browser, "portal.example.evil.example") == set()
            for cookie in browser.client.cookie_jar:
                assert (cookie["domain"], cookie["path"], cookie["samesite"]) == ("portal.example", "/", "Lax")
                assert cookie["secure"] is cookie["httponly"] is True
            assert (await browser.refresh())["__typename"] == "SignedIn"
            assert await browser.mail() == ANI
            assert (await browser.one(SIGN_OUT))["__typename"] == "SessionsEnded"
            assert browser.cookies == {}
