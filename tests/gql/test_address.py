"""By which address a caller is counted, over real connections and behind no, one and two proxies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from adapters.readiness import Readiness
from domain.actor import Origin
from domain.clock import system_clock
from domain.quotas import changed_quotas
from gql.app import Application
from gql.budget import Budget
from tests.fakes import somebody
from tests.gql.house import House, running_house, settings_for
from tests.waiting import eventually

HELLO = "{ __typename }"


@asynccontextmanager
async def proxy_before(url: str, caller: str | None = None) -> AsyncIterator[str]:
    """A proxy as one should be: it adds whom it was called by (or whom the test says) to what it was given."""

    async def forward(request: web.Request) -> web.Response:
        told = [
            *request.headers.getall("X-Forwarded-For", []),
            caller or request.headers.get("X-Caller") or "127.0.0.1",
        ]
        headers = {"Content-Type": "application/json", "X-Forwarded-For": ", ".join(told)}
        async with (
            aiohttp.ClientSession() as client,
            client.post(url + request.path, data=await request.read(), headers=headers) as answer,
        ):
            left = {"RateLimit": answer.headers["RateLimit"]}
            return web.Response(status=answer.status, body=await answer.read(), headers=left)

    application = web.Application()
    application.router.add_post("/graphql", forward)
    async with TestServer(application) as server:
        yield str(server.make_url("")).rstrip("/")


@asynccontextmanager
async def behind(folder: Path, proxies: int) -> AsyncIterator[House]:
    """A house that is reached through so many proxies. The outermost takes `X-Caller` for who called it."""
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(running_house(folder, trusted_proxies=proxies))
        house.ports.counts.changed.update(changed_quotas("requests_of_address=2/60"))
        for number in range(proxies):
            outermost = number == proxies - 1
            house.url = await stack.enter_async_context(proxy_before(house.url, None if outermost else "10.0.0.9"))
        yield house


async def left(house: House, **headers: str) -> int | None:
    """How many requests are left to who sends such headers; None when refused."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = await house.request("POST", json={"query": HELLO}, headers=names)
    return int(reply.headers["RateLimit"].rpartition("r=")[2]) if reply.status == 200 else None


async def test_without_proxies_a_header_changes_nothing(tmp_path: Path) -> None:
    async with behind(tmp_path, 0) as house:
        assert [await left(house, X_Forwarded_For=f"203.0.113.{last}") for last in range(3)] == [1, 0, None]
        assert await left(house, Forwarded="for=203.0.113.9", X_Real_Ip="203.0.113.9") is None


@pytest.mark.parametrize("proxies", [1, 2])
async def test_behind_proxies_each_client_counts_and_none_can_forge(tmp_path: Path, proxies: int) -> None:
    async with behind(tmp_path, proxies) as house:
        assert [await left(house, X_Caller="203.0.113.7") for _ in range(3)] == [1, 0, None]
        assert await left(house, X_Caller="203.0.113.8") == 1
        for forged in ("203.0.113.99", "203.0.113.99, 203.0.113.98", "", "nonsense", ",,,"):
            assert await left(house, X_Caller="203.0.113.7", X_Forwarded_For=forged) is None


async def test_a_network_of_ipv6_is_one_caller(tmp_path: Path) -> None:
    async with behind(tmp_path, 1) as house:
        callers = ["2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:db8:1:2::3", "2001:db8:1:3::1"]
        assert [await left(house, X_Caller=caller) for caller in callers] == [1, 0, None, 1]
        assert [await left(house, X_Caller=same) for same in ("::ffff:203.0.113.7", "203.0.113.7")] == [1, 0]


async def test_every_operation_knows_where_it_came_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Origin] = []
    begin = Budget.take_request

    async def noting(budget: Budget) -> None:
        seen.append(budget._origin)
        await begin(budget)

    monkeypatch.setattr(Budget, "take_request", noting)
    async with running_house(tmp_path, trusted_proxies=1) as house:
        given = {"User-Agent": "Browser/1.0 " + "x" * 300, "X-Request-Id": "12345678", "X-Forwarded-For": "203.0.113.7"}
        await house.request("POST", json={"query": HELLO}, headers=given)
        me = somebody()
        async with house.client.ws_connect(
            house.url + "/graphql", protocols=("graphql-transport-ws",), headers=given
        ) as raw:
            await raw.send_json({"type": "connection_init", "payload": {"token": house.token(me)}})
            await raw.receive_json()
            for id_ in ("1", "2"):
                await raw.send_json({"type": "subscribe", "id": id_, "payload": {"query": HELLO}})
                await raw.receive_json()
                await raw.receive_json()
    assert {origin.address for origin in seen} == {"203.0.113.7"}
    assert {origin.device for origin in seen} == {given["User-Agent"][:200]}
    assert given["X-Request-Id"] not in {origin.request_id for origin in seen}
    assert len({origin.request_id for origin in seen}) == len(seen) == 4


async def test_doors_that_nobody_signs_in_at_count_who_comes(tmp_path: Path) -> None:
    async with running_house(tmp_path) as house:
        house.ports.counts.changed.update(changed_quotas("requests_of_address=2/60"))
        async with house.socket():
            assert await left(house) == 0
        reply = await house.request("GET", "/exports/a-token-that-is-none")
        assert (reply.status, int(reply.headers["Retry-After"]) > 0) == (429, True)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with house.socket():
                pytest.fail("it opened")
        assert refused.value.status == 429
        assert (await house.request("GET", "/healthz")).status == 200


async def test_all_who_ask_at_once_whether_it_is_ready_share_one_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, go_on = list[int](), asyncio.Event()

    async def look(_: Application) -> Readiness:
        looks.append(1)
        await go_on.wait()
        return Readiness("ok", "ok", "ok")

    monkeypatch.setattr(Application, "_look", look)
    application = Application(settings_for(tmp_path, "production"), Mock(), system_clock)
    asked = [asyncio.create_task(application.readiness()) for _ in range(50)]
    await eventually(lambda: looks)
    asked[0].cancel()
    go_on.set()
    assert {found.ready for found in await asyncio.gather(*asked[1:])} == {True}
    assert len(looks) == 1
    await application.readiness()
    assert len(looks) == 2
