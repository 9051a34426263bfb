"""GraphiQL: there for developers, with tabs that work; nowhere in production."""

import json
import re
from functools import partial
from http.cookies import SimpleCookie
from inspect import isfunction, signature
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import WSMsgType

from adapters.demo import DEMO, demo_password, demo_session, mail_of
from adapters.embedded.database import DatabaseAddresses
from adapters.identity.tokens import Tokens
from domain.actor import Actor
from domain.identity.pages import Pages
from domain.identity.provider import Provider
from domain.ids import BrandId, uuid7
from gql.node import global_id
from gql.portal import PATHS
from tests.accounts_house import AccountPorts
from tests.accounts_stage import staged_accounts
from tests.fakes import connected
from tests.gql.house import PROTOCOL, House, Reply, served, settings_for

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ME = Actor(demo_session(DEMO).person)


async def tabs_of(house: House) -> list[dict[str, Any]]:
    house.ports.standings.begin(demo_session(DEMO))
    return read_tabs(await house.request("GET", headers=BROWSER))


def read_tabs(reply: Reply) -> list[dict[str, Any]]:
    assert reply.status == 200
    found = re.search(r'<script id="tabs" type="application/json">(.*?)</script>', reply.text, re.DOTALL)
    assert found
    tabs: list[dict[str, Any]] = json.loads(found[1])
    return tabs


async def asked(house: House, tab: dict[str, Any]) -> Any:
    return (await posted(house, tab)).data


async def posted(house: House, tab: dict[str, Any], more: dict[str, str] | None = None) -> Reply:
    body = {"query": tab["query"], "variables": json.loads(tab["variables"] or "{}")}
    return await house.request("POST", json=body, headers={**json.loads(tab["headers"]), **(more or {})})


async def test_the_tabs_work_as_they_are(workshop: House) -> None:
    wallet = await workshop.ports.wallet(ME)
    await workshop.ports.credit(wallet, 25_000)
    look, top_up, watch, *_ = await tabs_of(workshop)
    assert (await asked(workshop, look))["viewer"]["wallets"][0]["balance"]["total"]["amount"] == "25000.00"
    assert (await asked(workshop, top_up))["startTopUp"]["__typename"] == "TopUp"
    async with workshop.socket() as socket:
        await socket.send({"type": "connection_init", "payload": json.loads(watch["headers"])})
        assert await socket.next() == {"type": "connection_ack"}
        await socket.subscribe("1", watch["query"], **json.loads(watch["variables"]))
        assert (await socket.data("1"))["walletChanged"]["__typename"] == "WalletSnapshot"
        await workshop.ports.credit(wallet, 1)
        assert (await socket.data("1"))["walletChanged"]["entry"]["balanceAfter"]["amount"] == "25001.00"


async def test_without_a_wallet_the_first_tab_opens_one(workshop: House) -> None:
    tabs = await tabs_of(workshop)
    assert len(tabs) == 6
    opened = (await asked(workshop, tabs[0]))["openWallet"]
    assert opened["__typename"] == "Wallet"
    tabs = await tabs_of(workshop)
    assert len(tabs) == 5
    assert json.loads(tabs[2]["variables"])["walletId"] == opened["id"] == global_id("Wallet", 1)


async def test_every_visit_brings_a_new_key(workshop: House) -> None:
    await workshop.ports.wallet(ME)
    keys = {json.loads((await tabs_of(workshop))[1]["variables"])["input"]["idempotencyKey"] for _ in range(3)}
    assert len(keys) == 3


async def test_all_that_the_page_loads_comes_from_here(workshop: House) -> None:
    reply = await workshop.request("GET", headers=BROWSER)
    sources = re.findall(r'(?:src|href)="([^"]+)"', reply.text)
    assert len(sources) == 6
    for source in sources:
        if source != "data:,":
            assert source.startswith("/graphql/assets/")
            assert (await workshop.request("GET", source)).status == 200
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]


async def test_only_the_pages_own_files_are_given_out(workshop: House) -> None:
    for name in ("../__init__.py", "..%2f__init__.py", "graphiql.html", "fetch.umd.js"):
        assert (await workshop.request("GET", f"/graphql/assets/{name}")).status == 404


async def test_production_has_none_of_it(house: House) -> None:
    reply = await house.request("GET", headers=BROWSER)
    assert (reply.status, reply.codes) == (400, ["BAD_INPUT"])
    assert (await house.request("GET", "/graphql/assets/graphiql.min.js")).status == 404
    for path in PATHS:
        assert (
            await house.request("GET", path.format(provider="google", brand="one", platform="twitch"))
        ).status == 404


def pages_named() -> list[str]:
    """The path of every page that a letter or another site may name."""
    pages = Pages("")
    links = [pages.provider_return(Provider.GOOGLE), pages.brand(BrandId(uuid7()))]
    for name, member in vars(Pages).items():
        if isinstance(member, property):
            links.append(getattr(pages, name))
        elif isfunction(member) and list(signature(member).parameters) == ["self", "token"]:
            links.append(getattr(pages, name)("a-token"))
    return [link.partition("#")[0] for link in links]


async def test_every_page_that_a_letter_names_is_there(workshop: House) -> None:
    named = pages_named()
    assert len(named) >= 10
    for path in named:
        reply = await workshop.request("GET", path)
        assert reply.status == 200, path
        assert path.startswith(("/sign-in/", "/brands/")) or f'"{path}":' in reply.text


async def test_the_portals_page_runs_its_own_script_alone(workshop: House) -> None:
    for path in PATHS:
        reply = await workshop.request("GET", path.format(provider="google", brand="one", platform="twitch"))
        policy = reply.headers["Content-Security-Policy"]
        (nonce,) = set(re.findall(r"'nonce-([^']+)'", policy))
        assert "unsafe" not in policy
        assert set(re.findall(r'<(?:script|style) nonce="([^"]+)">', reply.text)) == {nonce}
        assert (reply.headers["Referrer-Policy"], reply.headers["Cache-Control"]) == ("no-referrer", "no-store")
        assert (
            reply.text
            != (await workshop.request("GET", path.format(provider="google", brand="one", platform="twitch"))).text
        )


async def test_one_tab_signs_in_and_the_next_one_goes_by_the_cookies(
    tmp_path: Path, database: DatabaseAddresses
) -> None:
    settings = settings_for(tmp_path, "development")
    async with staged_accounts(database) as stage, stage.standings.running():
        tokens = stage.access_tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
        await stage.member(mail_of(DEMO), demo_password(settings.identity_key_bytes))
        ports = AccountPorts(stage, tmp_path / "files")
        async with served(settings, partial(connected, ports)) as url, aiohttp.ClientSession() as client:
            house = House(ports, tokens, url, client)
            *_, sign_in, me = read_tabs(await house.request("GET", headers=BROWSER))
            page = {"Origin": url}
            reply = await posted(house, sign_in, page)
            assert reply.data["signIn"]["__typename"] == "SignedIn"
            kept = SimpleCookie("; ".join(reply.headers.getall("Set-Cookie")))  # type: ignore[attr-defined] # aiohttp's headers have it
            cookies = {"Cookie": "; ".join(f"{name}={each.value}" for name, each in kept.items())}
            viewer = (await posted(house, me, {**cookies, **page})).data["viewer"]
            assert (viewer["mail"], viewer["identities"][0]["provider"]) == (mail_of(DEMO), "PASSWORD")
            for other in (page, cookies, {**cookies, "Origin": "http://localhost"}):
                assert (await posted(house, me, other)).codes == ["UNAUTHENTICATED"]
            for portal, let_in in (("PLAYER", "connection_ack"), ("ADMIN", None)):
                told = {**cookies, **page}
                async with client.ws_connect(f"{url}/graphql", protocols=[PROTOCOL], headers=told) as socket:
                    payload = {**json.loads(me["headers"]), "Gametriggers-Portal": portal}
                    await socket.send_json({"type": "connection_init", "payload": payload})
                    answer = await socket.receive()
                    assert (json.loads(answer.data)["type"] if answer.type is WSMsgType.TEXT else None) == let_in
