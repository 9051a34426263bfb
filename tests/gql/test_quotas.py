"""How often one may call: counted by person, by address and by cost, told in headers, and open when Valkey is gone."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.embedded.valkey import EmbeddedValkey
from adapters.redis.quotas import RedisQuotas
from domain.quotas import USUAL, Taken, changed_quotas
from gql import errors
from gql.budget import hold
from gql.errors import ApiError, RateLimitedError
from tests.fakes import somebody
from tests.gql.house import RESPONSE, House, Reply, running_house
from tests.gql.test_wallets import OPEN
from tests.servers import Valkey
from tests.waiting import eventually

HELLO = "{ __typename }"
JSON = "application/json"


def limit(house: House, text: str) -> None:
    house.ports.counts.changed.update(changed_quotas(text))


@asynccontextmanager
async def counting_in(url: str, folder: Path, text: str) -> AsyncIterator[House]:
    """A house whose quotas are counted in a Valkey."""
    async with (
        RedisQuotas(url, b"a key", changed_quotas(text), {}).running() as quotas,
        running_house(folder) as house,
    ):
        house.ports.quotas = quotas
        yield house


def refused(reply: Reply) -> int:
    """The seconds after which it may be tried again, as told in three places."""
    assert (reply.status, reply.codes, list(reply.body)) == (429, ["RATE_LIMITED"], ["errors"]), reply.text
    after = reply.body["errors"][0]["extensions"]["retryAfter"]
    assert isinstance(after, int)
    assert reply.headers["Retry-After"] == str(after)
    assert reply.headers["RateLimit"].endswith(f";r=0;t={after}")
    return after


class TestOverHttp:
    async def test_who_is_not_signed_in_is_counted_by_address(self, house: House) -> None:
        limit(house, "requests_of_address=3/60")
        for left in (2, 1, 0):
            reply = await house.ask(HELLO)
            assert reply.headers["RateLimit-Policy"] == '"requests_of_address";q=3;w=60'
            assert reply.headers["RateLimit"] == f'"requests_of_address";r={left}'
            assert "Retry-After" not in reply.headers
        assert 55 < refused(await house.ask(HELLO)) <= 60
        assert (await house.ask(HELLO, somebody())).status == 200

    async def test_who_is_signed_in_is_counted_as_a_person(self, house: House) -> None:
        limit(house, "requests_of_person=2/60,requests_of_address=1/60,cost_of_person=100/60")
        me = somebody()
        for left in (1, 0):
            reply = await house.ask(HELLO, me)
            assert reply.headers["RateLimit-Policy"] == '"requests_of_person";q=2;w=60, "cost_of_person";q=100;w=60'
            assert reply.headers["RateLimit"] == f'"requests_of_person";r={left}, "cost_of_person";r={98 + left}'
        refused(await house.ask(HELLO, me))
        assert (await house.ask(HELLO, somebody())).status == 200

    async def test_cost_is_counted_before_anything_runs(self, house: House) -> None:
        limit(house, "cost_of_person=5/60")
        me = somebody()
        before = house.ports.marks
        two = "{ a: viewer { id } }"
        assert (await house.ask(two, me)).headers["RateLimit"].endswith('"cost_of_person";r=3')
        assert (await house.ask(two, me)).headers["RateLimit"].endswith('"cost_of_person";r=1')
        house.ports.calls.clear()
        reply = await house.ask(OPEN, me, input={"purpose": "HOSTING_CREDIT", "currency": "IDR"})
        assert (reply.status, reply.codes, list(reply.body)) == (429, ["RATE_LIMITED"], ["errors"])
        assert reply.headers["Retry-After"] == str(reply.body["errors"][0]["extensions"]["retryAfter"])
        assert re.search(r'"cost_of_person";r=1;t=[0-9]+$', reply.headers["RateLimit"])
        assert (house.ports.marks, dict(house.ports.calls)) == (before, {})

    async def test_of_several_changes_at_once_each_is_a_request(self, house: House) -> None:
        limit(house, "requests_of_address=4/60,requests_of_person=3/60")
        one = "openWallet(input: {purpose: HOSTING_CREDIT, currency: IDR}) { __typename }"
        three = f"mutation {{ a: {one} ...More }} fragment More on Mutation {{ b: {one} c: {one} }}"
        reply = await house.ask(three)
        assert reply.codes == ["UNAUTHENTICATED"]
        assert reply.headers["RateLimit"] == '"requests_of_address";r=1'
        refused(await house.ask(three))
        me = somebody()
        assert (await house.ask(three, me)).headers["RateLimit"].startswith('"requests_of_person";r=0,')

    async def test_only_the_operation_that_is_named_is_paid(self, house: House) -> None:
        limit(house, "cost_of_person=100/60")
        document = "query Cheap { __typename } query Dear { viewer { wallets { id purpose currency } } }"
        headers = house.headers(somebody())
        body = {"query": document, "operationName": "Cheap"}
        cheap = await house.request("POST", json=body, headers=headers)
        assert cheap.headers["RateLimit"].endswith('"cost_of_person";r=99')
        dear = await house.request("POST", json=body | {"operationName": "Dear"}, headers=headers)
        assert int(dear.headers["RateLimit"].rpartition("=")[2]) < 98

    @pytest.mark.parametrize(
        "options",
        [
            {"data": "{", "headers": {"Content-Type": JSON}},
            {"data": "x", "headers": {"Content-Type": "text/plain"}},
            {"json": {"query": "{ nonsense }"}},
            {"json": {"query": "{"}},
            {"json": []},
        ],
        ids=["no JSON", "another type", "not valid", "no syntax", "a batch"],
    )
    async def test_what_is_no_good_is_counted_too(self, house: House, options: dict[str, Any]) -> None:
        limit(house, "requests_of_address=2/60")
        for left in (1, 0):
            reply = await house.request("POST", **options)
            assert reply.status < 429
            assert reply.headers["RateLimit"] == f'"requests_of_address";r={left}'
        refused(await house.request("POST", **options))

    async def test_guessing_tokens_is_counted_by_address(self, house: House) -> None:
        limit(house, "requests_of_address=2/60")
        for _ in range(2):
            reply = await house.request("POST", json={"query": HELLO}, headers={"Authorization": "Bearer made.up"})
            assert (reply.status, "RateLimit" in reply.headers) == (401, True)
        for guess in ("Bearer made.up", "Basic x"):
            refused(await house.request("POST", json={"query": HELLO}, headers={"Authorization": guess}))

    async def test_gets_and_both_media_types_are_refused_alike(self, house: House) -> None:
        limit(house, "requests_of_address=1/60")
        assert (await house.request("GET", f"/graphql?query={HELLO}")).status == 200
        for accept in (JSON, RESPONSE):
            refused(await house.request("GET", f"/graphql?query={HELLO}", headers={"Accept": accept}))
            refused(await house.ask(HELLO, accept=accept))

    async def test_other_doors_have_budgets_of_their_own(self, house: House) -> None:
        limit(house, "requests_of_address=1/60")
        for _ in range(3):
            await house.ask(HELLO)
            assert (await house.request("POST", "/webhooks/midtrans", data=b"{")).status == 400
            assert (await house.request("GET", "/healthz")).status == 200

    async def test_refusals_are_counted_for_operators(self, house: House) -> None:
        limit(house, "requests_of_address=1/60")
        for _ in range(3):
            await house.ask(HELLO)
        figures = (await house.request("GET", "/metrics")).text
        found = re.search(r'^quota_refusals_total\{quota="requests_of_address"\} ([0-9.]+)$', figures, re.MULTILINE)
        assert found is not None
        assert float(found[1]) >= 2


class TestOnSockets:
    async def test_each_operation_is_a_request(self, house: House) -> None:
        limit(house, "requests_of_person=2/60")
        async with house.conversation(somebody()) as socket:
            for id_ in ("1", "2"):
                await socket.subscribe(id_, HELLO)
                assert (await socket.data(id_)) == {"__typename": "Query"}
                assert await socket.next() == {"id": id_, "type": "complete"}
            await socket.subscribe("3", HELLO)
            told = await socket.next()
            assert (told["id"], told["type"]) == ("3", "error")
            (error,) = told["payload"]
            assert error["extensions"]["code"] == "RATE_LIMITED"
            assert 55 < error["extensions"]["retryAfter"] <= 60
            await socket.send({"type": "ping"})
            assert await socket.next() == {"type": "pong"}

    async def test_and_pays_for_its_cost(self, house: House) -> None:
        limit(house, "cost_of_person=3/60")
        async with house.conversation(somebody()) as socket:
            await socket.subscribe("1", "{ viewer { id } }")
            assert "viewer" in await socket.data("1")
            assert (await socket.next())["type"] == "complete"
            await socket.subscribe("2", "{ viewer { id } }")
            told = await socket.next()
            assert told["type"] == "error"
            assert [error["extensions"]["code"] for error in told["payload"]] == ["RATE_LIMITED"]

    async def test_a_person_is_one_over_both(self, house: House) -> None:
        limit(house, "requests_of_person=1/60")
        me = somebody()
        async with house.conversation(me) as socket:
            await socket.subscribe("1", HELLO)
            await socket.data("1")
        refused(await house.ask(HELLO, me))


class TestOnValkey:
    async def test_of_fifty_at_once_exactly_so_many_pass(self, tmp_path: Path, valkey: Valkey) -> None:
        async with counting_in(valkey.url, tmp_path, "requests_of_person=20/60") as house:
            me = somebody()
            replies = await asyncio.gather(*(house.ask(HELLO, me) for _ in range(50)))
            assert sorted(reply.status for reply in replies) == [200] * 20 + [429] * 30
            passed = [reply.headers["RateLimit"].partition(",")[0] for reply in replies if reply.status == 200]
            assert '"requests_of_person";r=0' in passed

    @pytest.mark.parametrize("text", ["requests_of_address=20/60", "requests_of_address=80/60"], ids=["few", "many"])
    async def test_nor_do_two_processes_let_more_pass(self, tmp_path: Path, valkey: Valkey, text: str) -> None:
        times = changed_quotas(text)["requests_of_address"].times
        async with (
            counting_in(valkey.url, tmp_path, text) as one,
            counting_in(valkey.url, tmp_path, text) as other,
        ):
            asked = [house.ask(HELLO) for _ in range(50) for house in (one, other)]
            replies = await asyncio.gather(*asked)
            assert sum(reply.status == 200 for reply in replies) == times
            assert sum(reply.status == 429 for reply in replies) == 100 - times

    async def test_a_valkey_that_dies_amid_requests_stops_nobody(
        self, tmp_path: Path, own_valkey: EmbeddedValkey
    ) -> None:
        async with counting_in(own_valkey.url, tmp_path, "requests_of_address=10/60") as house:
            for _ in range(10):
                assert (await house.ask(HELLO)).status == 200
            refused(await house.ask(HELLO))
            going = [asyncio.create_task(house.ask(HELLO)) for _ in range(100)]
            own_valkey.kill()
            assert {reply.status for reply in await asyncio.gather(*going)} <= {200, 429}
            assert {(await house.ask(HELLO)).status for _ in range(20)} == {200}
            await asyncio.to_thread(own_valkey.restart)

            async def counts_again() -> bool:
                return (await house.ask(HELLO)).status == 429

            await eventually(counts_again)


def test_the_kinds_of_error_that_are_told_are_those_that_are_documented() -> None:
    codes = {kind.code for kind in ApiError.__subclasses__()} | {"UNAVAILABLE", "INTERNAL"}
    assert codes == {"UNAUTHENTICATED", "FORBIDDEN", "BAD_INPUT", "RATE_LIMITED", "UNAVAILABLE", "INTERNAL"}
    assert errors.__doc__ is not None
    assert set(re.findall(r"\b[A-Z]{3,}_?[A-Z]+\b", errors.__doc__)) == codes


def test_a_taken_quota_is_held_by_whoever_asks() -> None:
    quota = USUAL["sign_in"]
    hold(Taken(allowed=True, quota=quota, remaining=0, retry_after_s=0))
    with pytest.raises(RateLimitedError) as refused:
        hold(Taken(allowed=False, quota=quota, remaining=0, retry_after_s=7))
    assert refused.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 7}
