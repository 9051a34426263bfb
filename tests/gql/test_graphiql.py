"""GraphiQL: there for developers, with tabs that work; nowhere in production."""

import json
import re
from typing import Any

from adapters.demo import DEMO, demo_session
from domain.actor import Actor
from gql.node import global_id
from tests.gql.house import House

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ME = Actor(demo_session(DEMO).person)


async def tabs_of(house: House) -> list[dict[str, Any]]:
    house.ports.standings.begin(demo_session(DEMO))
    reply = await house.request("GET", headers=BROWSER)
    assert reply.status == 200
    found = re.search(r'<script id="tabs" type="application/json">(.*?)</script>', reply.text, re.DOTALL)
    assert found
    tabs: list[dict[str, Any]] = json.loads(found[1])
    return tabs


async def asked(house: House, tab: dict[str, Any]) -> Any:
    variables = json.loads(tab["variables"] or "{}")
    reply = await house.request(
        "POST", json={"query": tab["query"], "variables": variables}, headers=json.loads(tab["headers"])
    )
    return reply.data


async def test_the_tabs_work_as_they_are(workshop: House) -> None:
    wallet = await workshop.ports.wallet(ME)
    await workshop.ports.credit(wallet, 25_000)
    look, top_up, watch = await tabs_of(workshop)
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
    assert len(tabs) == 4
    opened = (await asked(workshop, tabs[0]))["openWallet"]
    assert opened["__typename"] == "Wallet"
    tabs = await tabs_of(workshop)
    assert len(tabs) == 3
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
