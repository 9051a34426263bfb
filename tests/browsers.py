"""Browsers that keep cookies as browsers do, and pages of the portals' sites that ask with them."""

import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from tests.accounts_house import ANI, ASKED, ME, REFRESH, SIGN_IN, AccountsHouse
from tests.accounts_stage import PASSWORD

HOST = "api.portal.example"
BRANDS, STREAMERS = "https://brands.portal.example", "https://streamers.portal.example"
STAFF = "https://staff.portal.example"
PORTALS = {BRANDS: "BRAND", STREAMERS: "STREAMER", STAFF: "ADMIN"}
LISTED = ",".join(f"{portal.lower()}={site}" for site, portal in PORTALS.items())


class Here(AbstractResolver):
    """Finds every host on this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=family, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing is open."""


class Browser:
    """A browser's cookies, and a page of a site that asks with them."""

    def __init__(self, house: AccountsHouse, client: aiohttp.ClientSession, site: str) -> None:
        self.house, self.client, self.site = house, client, site
        self.port = urlsplit(house.url).port

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.client.cookie_jar}

    def address(self, host: str = HOST) -> str:
        return f"http://{host}:{self.port}/graphql"

    async def post(self, query: str, headers: Mapping[str, str] = ASKED, **variables: object) -> tuple[int, Any]:
        """A status and an answer."""
        body = {"query": query, "variables": variables}
        sent = {**headers, "Origin": self.site}
        async with self.client.post(self.address(), json=body, headers=sent) as answer:
            if answer.status == 200:
                assert answer.headers["Access-Control-Allow-Origin"] == self.site
                assert answer.headers["Access-Control-Allow-Credentials"] == "true"
            return answer.status, json.loads(await answer.text())

    async def one(self, query: str, **variables: object) -> Any:
        """The one field that was asked for."""
        status, body = await self.post(query, ASKED, **variables)
        assert status == 200, body
        assert "errors" not in body, body
        (found,) = body["data"].values()
        return found

    async def sign_in(self) -> None:
        given = {"mail": ANI, "password": PASSWORD, "transport": "COOKIE", "portal": PORTALS[self.site]}
        assert (await self.one(SIGN_IN, **given))["__typename"] == "SignedIn"

    def beside(self, site: str) -> "Browser":
        """A page of another site in the same browser."""
        return Browser(self.house, self.client, site)

    async def refresh(self) -> Any:
        return await self.one(REFRESH, transport="COOKIE")

    async def mail(self) -> Any:
        """Who the page finds itself signed in as; None for nobody."""
        _, body = await self.post(ME)
        return body["data"]["viewer"]["mail"] if "errors" not in body else None


@asynccontextmanager
async def browsing(house: AccountsHouse, site: str = BRANDS) -> AsyncIterator[Browser]:
    connector = aiohttp.TCPConnector(resolver=Here())
    secure = [URL(house.url).with_host(f"{name}.portal.example").origin() for name in ("api", "other")]
    jar = aiohttp.CookieJar(treat_as_secure_origin=secure)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as client:
        yield Browser(house, client, site)
