"""Which sites' pages may call: CORS over HTTP, and the Origin of sockets."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import aiohttp
import pytest

from adapters.config import Settings
from domain.identity.model import Portal
from gql.sites import PortalSites, origin_of
from tests.gql.house import PROTOCOL, House, running_house, settings_for

PORTAL = "https://brands.example"
STREAMERS = "http://localhost:5173"
OWN = "http://gametriggers.example"
STRANGERS = {
    "another": "https://evil.example",
    "a part of it": "https://brands.example.evil.example",
    "a longer one": "https://xbrands.example",
    "below it": "https://sub.brands.example",
    "another scheme": "http://brands.example",
    "another port": "https://brands.example:8443",
    "nobody": "null",
    "a path": "https://brands.example/",
    "capitals": "https://BRANDS.example",
    "anything": "*",
    "empty": "",
    "two": "https://brands.example, https://evil.example",
}
HELLO = {"query": "{ __typename }"}
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with running_house(tmp_path, portal_origins=f"brand={PORTAL}, streamer={STREAMERS}") as running:
        yield running


def granted(headers: Mapping[str, str]) -> list[str]:
    return [name for name in headers if name.lower().startswith("access-control-")]


class TestOverHttp:
    @pytest.mark.parametrize("site", [PORTAL, STREAMERS])
    async def test_a_listed_site_may_ask_and_call(self, house: House, site: str) -> None:
        reply = await house.request("OPTIONS", headers={"Origin": site, **PREFLIGHT})
        assert reply.status == 200
        assert reply.headers["Access-Control-Allow-Origin"] == site
        assert reply.headers["Access-Control-Allow-Credentials"] == "true"
        assert "POST" in reply.headers["Access-Control-Allow-Methods"]
        assert "Authorization" in reply.headers["Access-Control-Allow-Headers"]
        assert "Origin" in reply.headers["Vary"]
        reply = await house.request("POST", json=HELLO, headers={"Origin": site})
        assert reply.data == {"__typename": "Query"}
        assert reply.headers["Access-Control-Allow-Origin"] == site
        assert reply.headers["Access-Control-Allow-Credentials"] == "true"
        shown = reply.headers["Access-Control-Expose-Headers"]
        assert {"RateLimit", "Retry-After", "X-Request-Id"} <= set(shown.split(", "))
        assert sorted(reply.headers["Vary"].split(", ")) == ["Accept", "Authorization", "Cookie", "Origin"]

    @pytest.mark.parametrize("site", STRANGERS.values(), ids=STRANGERS.keys())
    async def test_nobody_else_hears_of_it(self, house: House, site: str) -> None:
        asked = await house.request("OPTIONS", headers={"Origin": site, **PREFLIGHT})
        assert (asked.status, granted(asked.headers)) == (405, [])
        called = await house.request("POST", json=HELLO, headers={"Origin": site})
        assert granted(called.headers) == []
        assert "Origin" in called.headers["Vary"].split(", ")

    async def test_without_an_origin_nothing_is_said_but_that_it_matters(self, house: House) -> None:
        reply = await house.request("POST", json=HELLO)
        assert (reply.status, granted(reply.headers)) == (200, [])
        assert "Origin" in reply.headers["Vary"].split(", ")

    @pytest.mark.parametrize("header", ["X-Evil", "Cookie"])
    async def test_a_listed_site_may_not_send_everything(self, house: House, header: str) -> None:
        asked = {"Origin": PORTAL, **PREFLIGHT, "Access-Control-Request-Headers": header}
        assert (await house.request("OPTIONS", headers=asked)).status == 400

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    async def test_nor_by_every_method(self, house: House, method: str) -> None:
        asked = {"Origin": PORTAL, "Access-Control-Request-Method": method}
        assert (await house.request("OPTIONS", headers=asked)).status == 400

    @pytest.mark.parametrize("site", [PORTAL, "https://evil.example"])
    @pytest.mark.parametrize(
        "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
    )
    async def test_what_a_browser_posts_without_asking_first_is_refused(
        self, house: House, site: str, kind: str
    ) -> None:
        body = b'{"query": "mutation { __typename }"}'
        reply = await house.request("POST", data=body, headers={"Origin": site, "Content-Type": kind})
        assert (reply.status, reply.codes) == (415, ["BAD_INPUT"])

    @pytest.mark.parametrize("site", [PORTAL, "https://evil.example"])
    async def test_so_is_a_get_that_did_not_ask(self, house: House, site: str) -> None:
        path = "/graphql?query={__typename}"
        headers = {"Origin": site, "Sec-Fetch-Site": "cross-site"}
        assert (await house.request("GET", path, headers=headers)).status == 403
        asked = {**headers, "GraphQL-Require-Preflight": "1"}
        assert (await house.request("GET", path, headers=asked)).status == 200

    async def test_errors_are_shown_to_a_listed_site_too(self, house: House) -> None:
        for reply in (
            await house.request("POST", data=b"{", headers={"Origin": PORTAL, "Content-Type": "application/json"}),
            await house.request("POST", json=HELLO, headers={"Origin": PORTAL, "Authorization": "Bearer x"}),
        ):
            assert reply.status in {400, 401}
            assert reply.headers["Access-Control-Allow-Origin"] == PORTAL


class TestOnSockets:
    @pytest.mark.parametrize("site", [None, OWN, PORTAL, STREAMERS])
    async def test_our_own_pages_listed_ones_and_programs_are_let_in(self, house: House, site: str | None) -> None:
        headers = {"Origin": site} if site else {}
        async with house.client.ws_connect(house.url + "/graphql", protocols=(PROTOCOL,), headers=headers) as raw:
            assert raw.protocol == PROTOCOL

    @pytest.mark.parametrize("site", STRANGERS.values(), ids=STRANGERS.keys())
    async def test_others_do_not_get_as_far_as_a_socket(self, house: House, site: str) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await house.client.ws_connect(house.url + "/graphql", protocols=(PROTOCOL,), headers={"Origin": site})
        assert refused.value.status == 403


async def test_usually_no_other_site_may(tmp_path: Path) -> None:
    async with running_house(tmp_path) as house:
        assert granted((await house.request("OPTIONS", headers={"Origin": PORTAL, **PREFLIGHT})).headers) == []
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await house.client.ws_connect(house.url + "/graphql", protocols=(PROTOCOL,), headers={"Origin": PORTAL})


ADDRESSES = {
    "https://api.example": "https://api.example",
    "https://api.example/": "https://api.example",
    "https://API.example:443/path": "https://api.example",
    "http://api.example:80": "http://api.example",
    "http://api.example:443": "http://api.example:443",
    "http://127.0.0.1:8000/x?y": "http://127.0.0.1:8000",
    "http://[::1]:8000": "http://[::1]:8000",
}


@pytest.mark.parametrize(("address", "origin"), ADDRESSES.items())
def test_the_origin_of_an_address(address: str, origin: str) -> None:
    assert origin_of(address) == origin


@pytest.mark.parametrize("origin", ["*", "brands.example", "https://brands.example/", "https://*.example", "null", ""])
def test_what_is_no_origin_cannot_be_listed(tmp_path: Path, origin: str) -> None:
    with pytest.raises(ValueError, match="an origin is a scheme and a host"):
        settings_for(tmp_path, "production", portal_origins=f"brand={origin}")


@pytest.mark.parametrize("pairs", [PORTAL, f"={PORTAL}", f"BRAND={PORTAL}", f"any={PORTAL}", f"staff={PORTAL}"])
def test_an_origin_is_listed_with_its_portal(tmp_path: Path, pairs: str) -> None:
    with pytest.raises(ValueError, match="it takes portal=origin, for brand, streamer, player, admin"):
        settings_for(tmp_path, "production", portal_origins=pairs)


def test_no_origin_is_of_two_portals(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="an origin is of one portal"):
        settings_for(tmp_path, "production", portal_origins=f"brand={PORTAL},admin={PORTAL}")


def test_origins_are_listed_by_commas_and_a_portal_may_have_many(tmp_path: Path) -> None:
    pairs = f" brand={PORTAL} ,streamer={STREAMERS},brand=https://other.example,"
    found: Settings = settings_for(tmp_path, "production", portal_origins=pairs)
    assert found.portals == {
        PORTAL: Portal.BRAND, STREAMERS: Portal.STREAMER, "https://other.example": Portal.BRAND,
    }  # fmt: skip


class TestWhichPortal:
    SITES = PortalSites({PORTAL: Portal.BRAND, STREAMERS: Portal.STREAMER}, OWN)
    AT_HOME = PortalSites({PORTAL: Portal.BRAND}, OWN, in_development=True)

    @pytest.mark.parametrize("origin", [*STRANGERS.values(), OWN, None])
    @pytest.mark.parametrize("chosen", [None, "ADMIN"])
    def test_no_other_page_is_of_any(self, origin: str | None, chosen: str | None) -> None:
        headers = {"host": "gametriggers.example", **({"origin": origin} if origin is not None else {})}
        assert self.SITES.portal_of(headers, chosen) is None

    def test_a_listed_page_is_of_its_own_whatever_it_says(self) -> None:
        for sites in (self.SITES, self.AT_HOME):
            assert sites.portal_of({"origin": PORTAL, "host": "brands.example"}, "ADMIN") is Portal.BRAND

    def test_in_development_our_own_pages_say_which(self) -> None:
        for host in ("localhost:8000", "127.0.0.1:8000", "192.0.2.7"):
            headers = {"origin": f"http://{host}", "host": host}
            assert self.AT_HOME.portal_of(headers, "ADMIN") is Portal.ADMIN
            assert self.AT_HOME.portal_of(headers, "admin") is self.AT_HOME.portal_of(headers, None) is None
            assert self.SITES.portal_of(headers, "ADMIN") is None
            assert self.AT_HOME.welcome(headers)
            assert not self.SITES.welcome(headers)

    @pytest.mark.parametrize("headers", [{}, {"host": "localhost"}, {"origin": "null"}, {"origin": "", "host": ""}])
    def test_and_nobody_else(self, headers: dict[str, str]) -> None:
        assert self.AT_HOME.portal_of(headers, "ADMIN") is None
        assert self.AT_HOME.portal_of({"origin": "https://evil.example", **headers}, "ADMIN") is None
