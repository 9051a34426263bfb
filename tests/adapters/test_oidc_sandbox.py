"""The sandbox's providers by themselves: a browser, a client that does it wrong, and the operator."""

import base64
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from adapters.identity.telegram import TelegramProofs
from adapters.sandbox.identity import Client, RunningSandbox, SandboxSettings, running_sandbox
from adapters.sandbox.identity.people import Site
from domain.identity.provider import ProviderRefusedError
from tests.adapters.identity_sandbox import BOT_TOKEN, CLIENT_ID, CLIENT_SECRET, Hands

RETURN = "http://127.0.0.1:1/return"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ASKED = {
    "client_id": CLIENT_ID,
    "redirect_uri": RETURN,
    "response_type": "code",
    "scope": "openid profile",
    "state": "state",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()}
POSTED = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


@dataclass
class Visit:
    sandbox: RunningSandbox
    browser: httpx2.AsyncClient
    hands: Hands

    def page(self, site: Site = Site.GOOGLE, asked: dict[str, str] | None = None) -> str:
        return f"/{site}/authorize?{urlencode({**ASKED, **(asked or {})})}"

    async def code(self, site: Site = Site.GOOGLE, person: str = "ayu") -> str:
        answer = await self.browser.post(self.page(site), data={"person": person})
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]

    async def redeem(
        self, code: str, site: Site = Site.GOOGLE, headers: dict[str, str] | None = None, **form: str
    ) -> httpx2.Response:
        told = {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN, "code_verifier": VERIFIER}
        return await self.browser.post(f"/{site}/token", data={**told, **form}, headers=headers)

    async def operate(self, verb: str, path: str, wish: object = None) -> tuple[int, Any]:
        answer = await self.browser.request(verb, f"/control/{path}", json=wish)
        return answer.status_code, answer.json() if answer.content else None


@pytest.fixture
async def visit() -> AsyncIterator[Visit]:
    hands = Hands()
    settings = replace(SandboxSettings.of_one_client(CLIENT_ID, CLIENT_SECRET), bot_token=BOT_TOKEN)
    async with (
        running_sandbox(settings, clock=hands.clock) as sandbox,
        httpx2.AsyncClient(base_url=sandbox.url, trust_env=False) as browser,
    ):
        yield Visit(sandbox, browser, hands)


async def test_the_page_lists_people_and_a_way_out(visit: Visit) -> None:
    answer = await visit.browser.get(visit.page())
    assert answer.status_code == 200
    assert answer.text.count('name="person"') == 4
    assert "Budi<br><small>budi@example.com, not verified" in answer.text
    assert "Say no" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "asked",
    [
        {"client_id": "another"},
        {"redirect_uri": "javascript:alert(1)"},
        {"response_type": "token"},
        {"scope": "profile"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ],
)
async def test_who_asks_wrongly_is_not_sent_back(visit: Visit, asked: dict[str, str]) -> None:
    for answer in (
        await visit.browser.get(visit.page(asked=asked)),
        await visit.browser.post(visit.page(asked=asked), data={"person": "ayu"}),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers


async def test_only_registered_addresses_where_some_are() -> None:
    client = Client(CLIENT_ID, CLIENT_SECRET, frozenset({RETURN}))
    async with (
        running_sandbox(SandboxSettings({Site.GOOGLE: client})) as sandbox,
        httpx2.AsyncClient(base_url=sandbox.url, trust_env=False) as browser,
    ):
        here = f"/google/authorize?{urlencode(ASKED)}"
        there = f"/google/authorize?{urlencode({**ASKED, 'redirect_uri': RETURN + '/'})}"
        elsewhere = f"/twitch/authorize?{urlencode(ASKED)}"
        statuses = [(await browser.get(page)).status_code for page in (here, there, elsewhere, "/github/authorize")]
        assert statuses == [200, 400, 400, 400]
        assert (await browser.get("/github/keys")).status_code == 404


async def test_nobody_else_may_be_chosen(visit: Visit) -> None:
    assert (await visit.browser.post(visit.page(), data={"person": "nobody"})).status_code == 400


@pytest.mark.parametrize(
    ("site", "headers", "form", "status"),
    [
        (Site.GOOGLE, BASIC, {}, 200),
        (Site.GOOGLE, None, POSTED, 200),
        (Site.GOOGLE, None, {}, 401),
        (Site.GOOGLE, {"Authorization": "Basic !"}, {}, 401),
        (Site.GOOGLE, {"Authorization": "Basic " + base64.b64encode(b"x:y").decode()}, {}, 401),
        (Site.TWITCH, None, POSTED, 200),
        (Site.TWITCH, BASIC, {}, 403),
        (Site.TWITCH, None, {**POSTED, "client_secret": "x"}, 403),
        (Site.TELEGRAM, BASIC, {}, 200),
        (Site.TELEGRAM, None, POSTED, 401),
    ],
)
async def test_each_site_knows_its_client_in_its_own_way(
    visit: Visit, site: Site, headers: dict[str, str] | None, form: dict[str, str], status: int
) -> None:
    answer = await visit.redeem(await visit.code(site), site, headers, **form)
    assert answer.status_code == status
    assert ("error" in answer.json()) == (status == 401)


@pytest.mark.parametrize(
    "form",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": RETURN + "/"},
        {"code": "another"},
        {"grant_type": "password"},
    ],
)
async def test_a_code_is_given_for_what_it_was_asked_for(visit: Visit, form: dict[str, str]) -> None:
    code = await visit.code()
    answer = await visit.browser.post(
        "/google/token",
        headers=BASIC,
        data={
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": RETURN,
            "code_verifier": VERIFIER,
            **form,
        },
    )
    assert answer.status_code == 400


async def test_a_code_is_for_one_site_once(visit: Visit) -> None:
    code = await visit.code(Site.GOOGLE)
    assert (await visit.redeem(code, Site.TELEGRAM, BASIC)).status_code == 400
    code = await visit.code(Site.GOOGLE)
    assert [(await visit.redeem(code, headers=BASIC)).status_code for _ in range(2)] == [200, 400]


async def test_a_code_gets_old(visit: Visit) -> None:
    code = await visit.code()
    visit.hands.turn(timedelta(minutes=5))
    assert (await visit.redeem(code, headers=BASIC)).status_code == 400


async def test_the_operator_orders_lists_and_clears_faults(visit: Visit) -> None:
    status, fault = await visit.operate("POST", "faults", {"kind": "server_error", "site": "google", "call": "keys"})
    assert (status, fault["times"]) == (201, 1)
    assert (await visit.operate("GET", "faults"))[1] == [fault]
    assert (await visit.browser.get("/twitch/keys")).status_code == 200
    assert [(await visit.browser.get("/google/keys")).status_code for _ in range(2)] == [500, 200]
    assert (await visit.operate("GET", "calls"))[1] == {"google.keys": 2, "twitch.keys": 1}
    await visit.operate("DELETE", "calls")
    assert (await visit.operate("GET", "calls"))[1] == {}
    await visit.operate("POST", "faults", {"kind": "expired"})
    assert (await visit.operate("DELETE", "faults"))[0] == 204
    assert (await visit.operate("GET", "faults"))[1] == []


@pytest.mark.parametrize(
    "wish", [{}, [], {"kind": "odd"}, {"kind": "expired", "site": "odd"}, {"kind": "expired", "x": 1}]
)
async def test_an_order_that_makes_no_sense_is_refused(visit: Visit, wish: object) -> None:
    assert (await visit.operate("POST", "faults", wish))[0] == 400


async def test_the_operator_rotates_keys(visit: Visit) -> None:
    before = (await visit.browser.get("/google/keys")).json()["keys"]
    status, told = await visit.operate("POST", "keys/google")
    after = (await visit.browser.get("/google/keys")).json()["keys"]
    assert (status, [key["kid"] for key in after]) == (201, [told["kid"]])
    assert before != after
    assert not {"d", "p", "q"} & set(after[0])
    assert (await visit.operate("POST", "keys/odd"))[0] == 404


async def test_telegram_signs_when_the_operator_asks(visit: Visit) -> None:
    assert [person["key"] for person in (await visit.operate("GET", "people"))[1]] == ["ayu", "budi", "citra"]
    ours = TelegramProofs(BOT_TOKEN)
    _, fields = await visit.operate("POST", "telegram/widget", {"person": "citra"})
    assert ours.of_widget(fields, visit.hands.now).profile.name == "Citra Dewi 🎮"
    text = (await visit.browser.post("/control/telegram/mini-app", json={"person": "citra"})).text
    assert ours.of_mini_app(text, visit.hands.now).profile.subject == "710000003"
    _, old = await visit.operate("POST", "telegram/widget", {"person": "citra", "seconds_ago": 301})
    with pytest.raises(ProviderRefusedError):
        ours.of_widget(old, visit.hands.now)
    for path in ("telegram/widget", "telegram/mini-app"):
        assert (await visit.operate("POST", path, {"person": "nobody"}))[0] == 400


async def test_the_widget_sends_people_back_with_signed_fields(visit: Visit) -> None:
    page = f"/telegram/widget?{urlencode({'return_to': RETURN + '?via=widget'})}"
    assert (await visit.browser.get(page)).text.count('name="person"') == 4
    answer = await visit.browser.post(page, data={"person": "budi"})
    assert answer.status_code == 303
    told: dict[str, object] = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
    assert told.pop("via") == "widget"
    assert TelegramProofs(BOT_TOKEN).of_widget(told, visit.hands.now).profile.name == "Budi"
    refused = await visit.browser.post(page, data={"person": ""})
    assert refused.headers["location"] == RETURN + "?via=widget"


@pytest.mark.parametrize("target", ["", "javascript:alert(1)"])
async def test_the_widget_sends_nobody_to_what_is_no_page(visit: Visit, target: str) -> None:
    page = f"/telegram/widget?{urlencode({'return_to': target})}"
    for answer in (await visit.browser.get(page), await visit.browser.post(page, data={"person": "budi"})):
        assert answer.status_code == 400
