"""Server-sent events: who gets a stream, what is in it, what ends it, and how it goes on after that."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any

import aiohttp
import pytest

from adapters.lines import KeptLine
from domain.actor import Actor
from domain.identity.model import PersonStatus
from domain.ids import AccountId
from domain.ledger.ports import wallet_topic
from domain.quotas import changed_quotas
from gql import sse
from gql.admission import Admission
from gql.doorkeeper import CHANGED, ENDED
from gql.fanout import outlet
from gql.node import global_id
from gql.paging import cursor_of
from gql.resuming import place_in
from gql.wallet.types import wallet_scope
from tests.fakes import somebody
from tests.gql.events import STREAM, Event, Events, events, streaming
from tests.gql.house import House, running_house
from tests.gql.test_http import NO_REQUEST
from tests.gql.test_live import FOLLOW
from tests.people import session_of
from tests.waiting import eventually

HELLO = "{ __typename }"
OPEN = "mutation { openWallet(input: {purpose: HOSTING_CREDIT, currency: IDR}) { __typename } }"
PORTAL = "https://brands.example"
ASKED = {"GraphQL-Require-Preflight": "1"}
SMALL = "subscription ($id: ID!) { walletChanged(walletId: $id) { __typename } }"
ENDLESS_S = 120.0


async def a_wallet(house: House, *credits_: int) -> tuple[Actor, AccountId, str]:
    me = somebody()
    wallet = await house.ports.wallet(me)
    await house.ports.credit(wallet, *credits_)
    return me, wallet, global_id("Wallet", wallet)


def place(wallet: AccountId, sequence: int) -> str:
    return cursor_of(wallet_scope(wallet), sequence)


async def sequences(stream: Events, count: int) -> list[tuple[int, str | None]]:
    """The numbers of entries, and the ids of their events."""
    found = [await stream.next() for _ in range(count)]
    return [(event.body["data"]["walletChanged"]["entry"]["sequence"], event.id) for event in found]


async def snapshot(stream: Events) -> None:
    assert (await stream.data())["walletChanged"]["__typename"] == "WalletSnapshot"


class TestOperations:
    async def test_a_query_is_answered_and_completed(self, house: House) -> None:
        async with events(house, HELLO) as stream:
            assert await stream.next() == Event("next", '{"data":{"__typename":"Query"}}')
            await stream.completed()
            headers = stream.raw.headers
            assert (headers["Cache-Control"], headers["X-Accel-Buffering"]) == ("no-store", "no")
            assert "RateLimit" in headers
            assert stream.retry_ms is not None
            assert 1_000 <= stream.retry_ms <= 4_000

    async def test_by_get_too(self, house: House) -> None:
        parameters = {"query": "query ($a: Boolean!) { __typename @include(if: $a) }", "variables": '{"a": false}'}
        async with streaming(house, "GET", params=parameters) as stream:
            assert await stream.data() == {}
            await stream.completed()

    async def test_a_mutation_is_carried_out(self, house: House) -> None:
        async with events(house, OPEN, somebody()) as stream:
            assert await stream.data() == {"openWallet": {"__typename": "Wallet"}}
            await stream.completed()

    @pytest.mark.parametrize("query", [OPEN, f"query A {HELLO} {OPEN.replace('mutation', 'mutation B')}"])
    async def test_but_not_by_get(self, house: House, query: str) -> None:
        me = somebody()
        before = house.ports.marks
        parameters = {"query": query, "operationName": "B" if " B " in query else ""}
        reply = await house.request("GET", params=parameters, headers={"Accept": STREAM, **house.headers(me)})
        assert (reply.status, reply.headers["Allow"], list(reply.body)) == (405, "POST", ["errors"])
        assert house.ports.marks == before

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_a_subscription_is_followed(self, house: House, method: str) -> None:
        me, wallet, id_ = await a_wallet(house, 10)
        asked: Any = {"json": {"query": FOLLOW, "variables": {"id": id_}}}
        if method == "GET":
            asked = {"params": {"query": FOLLOW, "variables": json.dumps({"id": id_})}}
        async with streaming(house, method, headers=house.headers(me), **asked) as stream:
            first = await stream.next()
            assert first.body["data"]["walletChanged"]["wallet"]["balance"]["total"]["amount"] == "10.00"
            assert first.id == place(wallet, 1)
            await house.ports.credit(wallet, 5, 6)
            assert await sequences(stream, 2) == [(2, place(wallet, 2)), (3, place(wallet, 3))]
            house.ports.feed.tell(wallet_topic(wallet), None)
            await stream.completed()

    async def test_without_that_type_a_subscription_stays_an_error(self, house: House) -> None:
        me, _, id_ = await a_wallet(house)
        for accept in ("*/*", "application/json", f"{STREAM};q=0, */*"):
            reply = await house.ask(FOLLOW, me, accept=accept, id=id_)
            assert (reply.codes, list(reply.body)) == (["BAD_INPUT"], ["errors"])

    @pytest.mark.parametrize(
        "accept", [STREAM, f"{STREAM}, */*;q=0.1", f"application/json;q=0.2, {STREAM}", STREAM.upper()]
    )
    async def test_a_stream_is_for_who_prefers_one(self, house: House, accept: str) -> None:
        async with streaming(house, json={"query": HELLO}, headers={"Accept": accept}) as stream:
            assert stream.raw.content_type == STREAM
            await stream.data()
        async with streaming(house, json={"query": HELLO}, headers={"Accept": f"application/json, {accept}"}) as other:
            assert other.raw.content_type == "application/json"

    async def test_what_is_open_is_counted(self, house: House) -> None:
        async def figure(name: str) -> float:
            lines = (await house.request("GET", "/metrics")).text.splitlines()
            return next((float(line.rpartition(" ")[2]) for line in lines if line.startswith(name)), 0.0)

        me, _, id_ = await a_wallet(house)
        before = await figure('graphql_operations_total{transport="sse"}')
        async with events(house, FOLLOW, me, id=id_) as stream:
            await snapshot(stream)
            assert await figure("event_streams_open") == 1
        while await figure("event_streams_open"):
            pass
        assert await figure('graphql_operations_total{transport="sse"}') == before + 1


WITHOUT_VARIABLE = FOLLOW.replace("$after)", '"x")').replace(", $after: Cursor", "")
ASKED_FOR: dict[str, tuple[str, dict[str, object]]] = {
    "by a variable": (FOLLOW, {}),
    "by a variable that is older": (FOLLOW, {"after": "older"}),
    "not at all": (WITHOUT_VARIABLE.replace(', after: "x"', ""), {}),
    "by what stands there": (WITHOUT_VARIABLE, {}),
    "with a variable of our name": (
        WITHOUT_VARIABLE.replace("$id: ID!", "$id: ID!, $lastEventId: Boolean!").replace(
            "__typename", "__typename @include(if: $lastEventId)", 1
        ),
        {"lastEventId": True},
    ),
    "under another name": (FOLLOW.replace("walletChanged", "changed: walletChanged"), {}),
}


class TestResuming:
    @pytest.mark.parametrize(("query", "variables"), ASKED_FOR.values(), ids=ASKED_FOR.keys())
    async def test_the_last_id_is_where_it_goes_on(
        self, house: House, query: str, variables: dict[str, object]
    ) -> None:
        me, wallet, id_ = await a_wallet(house, 1, 2, 3)
        given = {name: place(wallet, 1) if value == "older" else value for name, value in variables.items()}
        async with events(house, query, me, last=place(wallet, 2), id=id_, **given) as stream:
            (first,) = (await stream.data()).values()
            assert first["entry"]["sequence"] == 3
            await house.ports.credit(wallet, 4)
            event = await stream.next()
            assert event.id == place(wallet, 4)

    async def test_a_stream_that_breaks_off_again_and_again_loses_nothing(self, house: House) -> None:
        me, wallet, id_ = await a_wallet(house)
        seen: list[int] = []
        async with events(house, FOLLOW, me, id=id_) as stream:
            last = (await stream.next()).id
        for round_ in range(5):
            await house.ports.credit(wallet, 1, 1)
            asked: Any = {"params": {"query": FOLLOW, "variables": json.dumps({"id": id_})}}
            headers = {**house.headers(me), "Last-Event-ID": str(last)}
            async with streaming(house, "GET", headers=headers, **asked) as stream:
                await house.ports.credit(wallet, 1)
                for sequence, id__ in await sequences(stream, 1 + round_ % 3):
                    seen.append(sequence)
                    last = id__
        assert seen == list(range(1, len(seen) + 1))

    async def test_without_an_id_it_begins_where_the_client_says(self, house: House) -> None:
        me, wallet, id_ = await a_wallet(house, 1, 2)
        for last in (None, ""):
            async with events(house, FOLLOW, me, last=last, id=id_, after=place(wallet, 1)) as stream:
                assert (await stream.data())["walletChanged"]["entry"]["sequence"] == 2

    async def test_events_have_no_id_where_nothing_could_begin_after_it(self, house: House) -> None:
        me, _, id_ = await a_wallet(house, 1)
        inside = f"subscription ($id: ID!) {{ ...A }} fragment A on Subscription {FOLLOW[FOLLOW.index('{') :]}"
        for query in (SMALL, inside.replace(", after: $after", "")):
            async with events(house, query, me, id=id_) as stream:
                assert (await stream.next()).id is None

    async def test_where_only_trusted_documents_are_carried_out_none_is_written_anew(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Admission, "takes_any", property(lambda _: False))
        me, wallet, id_ = await a_wallet(house, 1, 2)
        async with events(house, ASKED_FOR["not at all"][0], me, last=place(wallet, 1), id=id_) as stream:
            await snapshot(stream)
            await house.ports.credit(wallet, 1)
            assert (await stream.next()).id is None
        async with events(house, FOLLOW, me, last=place(wallet, 1), id=id_) as stream:
            assert await sequences(stream, 2) == [(2, place(wallet, 2)), (3, place(wallet, 3))]

    @pytest.mark.parametrize("last", ["nonsense", "x" * 4_000, "{}", "\xff"])
    async def test_an_id_that_we_never_gave_is_told(self, house: House, last: str) -> None:
        me, _, id_ = await a_wallet(house)
        async with events(house, FOLLOW, me, last=last, id=id_) as stream:
            event = await stream.next()
            assert event.body["errors"][0]["extensions"]["code"] == "BAD_INPUT"
            await stream.completed()

    async def test_other_operations_do_not_care(self, house: House) -> None:
        for query in (HELLO, "{", "query A { __typename } query B { __typename }"):
            async with events(house, query, last="nonsense") as stream:
                await stream.next()
                await stream.completed()


@pytest.mark.parametrize("written", ["a\ndata: {}", "a\r", "a\0", "a b", "", "x" * 501, "\u2028", 1, None, ["a"], {}])
def test_an_id_stands_on_one_line(written: object) -> None:
    assert place_in({"walletChanged": {"cursor": written}}) is None
    assert place_in({"walletChanged": {"cursor": "abc="}}) == "abc="


@pytest.mark.parametrize("message", [None, {}, {"a": None}, {"a": "cursor"}, {"a": [{"cursor": "x"}]}])
def test_a_message_without_a_cursor_has_no_id(message: dict[str, Any] | None) -> None:
    assert place_in(message) is None


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "syntax": ({"query": "{"}, "BAD_INPUT"),
    "unknown field": ({"query": "{ nonsense }"}, "BAD_INPUT"),
    "unknown operation": ({"query": "query A { __typename }", "operationName": "B"}, "BAD_INPUT"),
    "two without a name": ({"query": "query A { __typename } query B { __typename }"}, "BAD_INPUT"),
    "a variable that does not fit": ({"query": SMALL, "variables": {"id": {}}}, "BAD_INPUT"),
    "a missing variable": ({"query": SMALL}, "BAD_INPUT"),
    "an id that we never gave": ({"query": SMALL, "variables": {"id": "nonsense"}}, "BAD_INPUT"),
    "a wallet that is not there": ({"query": SMALL, "variables": {"id": global_id("Wallet", 9)}}, "FORBIDDEN"),
    "too deep": ({"query": "{" + "a {" * 500 + "a" + "}" * 501}, "BAD_INPUT"),
    "deeper": ({"query": "{" + "a{" * 990 + "a" + "}" * 991}, "BAD_INPUT"),
    "a subscription too deep": ({"query": "subscription {" + "a{" * 900 + "a" + "}" * 901}, "BAD_INPUT"),
    "a list too deep": ({"query": "subscription { walletChanged(after: " + "[" * 900 + "]" * 900 + ") }"}, "BAD_INPUT"),
    "too long": ({"query": "{" + "a " * 3_000 + "}"}, "BAD_INPUT"),
    "half a character": ({"query": '{ wallet(id: "\\uD83D") { id } }'}, "BAD_INPUT"),
    "nothing of it": ({"query": "subscription { nonsense }"}, "BAD_INPUT"),
}


@pytest.mark.parametrize(("body", "code"), WRONG.values(), ids=WRONG.keys())
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_wrong_with_an_operation_is_told_in_its_stream(
    house: House, method: str, body: dict[str, Any], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    written = {**body, "variables": json.dumps(body.get("variables", {}))}
    asked: Any = {"json": body} if method == "POST" else {"params": written}
    with caplog.at_level(logging.WARNING):
        async with streaming(house, method, headers=house.headers(somebody()), **asked) as stream:
            event = await stream.next()
            assert {error["extensions"]["code"] for error in event.body["errors"]} == {code}
            await stream.completed()
    assert not caplog.records


@pytest.mark.parametrize("body", NO_REQUEST.values(), ids=NO_REQUEST.keys())
async def test_what_is_no_request_gets_no_stream(
    house: House, body: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Accept": STREAM, "Content-Type": "application/json", "Last-Event-ID": "x"}
    with caplog.at_level(logging.WARNING):
        reply = await house.request("POST", data=sent, headers=headers)
    assert (reply.status, list(reply.body), reply.codes) == (400, ["errors"], ["BAD_INPUT"])
    assert reply.headers["Content-Type"].startswith("application/graphql-response+json")
    assert not caplog.records
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_an_error_of_ours_is_masked(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ValueError("the secret is hunter2")

    monkeypatch.setattr(house.ports.books, "accounts_of", broken)
    async with events(house, "{ viewer { wallets { id } } }", somebody()) as stream:
        event = await stream.next()
        assert event.body["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "hunter2" not in event.data
        await stream.completed()
    monkeypatch.setattr(sse, "admit", broken)
    async with events(house, HELLO) as stream:
        event = await stream.next()
        assert event.body["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "hunter2" not in event.data
        await stream.completed()


class TestTheOtherMode:
    """A single connection for all operations would be known to one process of many."""

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    async def test_nothing_is_reserved(self, house: House, method: str) -> None:
        reply = await house.request(method, params={"operationId": "1"})
        assert (reply.status, reply.codes, reply.headers["Allow"]) == (405, ["BAD_INPUT"], "GET, HEAD, POST")
        assert "one for each operation" in reply.text

    async def test_nothing_is_taken_up(self, house: House) -> None:
        headers = {"Accept": STREAM, "X-GraphQL-Event-Stream-Token": "x"}
        for method in ("GET", "POST"):
            reply = await house.request(method, json={"query": HELLO}, headers=headers)
            assert (reply.status, reply.codes) == (400, ["BAD_INPUT"])
            assert "not reserved" in reply.text

    async def test_a_stream_without_events_is_none(self, house: House) -> None:
        reply = await house.request("HEAD", params={"query": HELLO}, headers={"Accept": STREAM})
        assert reply.status == 405


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[House]:
    async with running_house(tmp_path, portal_origins=f"brand={PORTAL}") as running:
        yield running


def cookies(house: House, actor: Actor) -> dict[str, str]:
    return {"Cookie": f"__Host-gametriggers-brand-access={house.token(actor)}", "Origin": PORTAL}


class TestWhoIsLetIn:
    @pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer", "Basic YTpi", ""])
    async def test_a_bad_token_is_refused_before_anything_begins(self, house: House, header: str) -> None:
        headers = {"Accept": STREAM, "Authorization": header}
        reply = await house.request("POST", json={"query": HELLO}, headers=headers)
        assert (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")

    async def test_nobody_is_told_so(self, house: House) -> None:
        _, _, id_ = await a_wallet(house)
        async with events(house, FOLLOW, id=id_) as stream:
            assert (await stream.next()).body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
            await stream.completed()

    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_a_page_of_a_portal_that_asked_first_comes_with_its_cookie(self, portal: House, method: str) -> None:
        me, _, id_ = await a_wallet(portal)
        asked: Any = {"json": {"query": FOLLOW, "variables": {"id": id_}}}
        if method == "GET":
            asked = {"params": {"query": FOLLOW, "variables": json.dumps({"id": id_})}}
        headers = {**cookies(portal, me), **ASKED, "Sec-Fetch-Site": "same-site"}
        async with streaming(portal, method, headers=headers, **asked) as stream:
            assert stream.raw.headers["Access-Control-Allow-Origin"] == PORTAL
            await snapshot(stream)
            portal.ports.standings.change(portal.session(me), status=PersonStatus.BANNED)
            await stream.ended()
            assert stream.comments == [ENDED]

    async def test_one_that_did_not_ask_is_refused_with_its_cookies(self, portal: House) -> None:
        headers = {"Accept": STREAM, **cookies(portal, somebody())}
        for reply in (
            await portal.request("GET", params={"query": HELLO}, headers=headers),
            await portal.request("POST", json={"query": HELLO}, headers=headers),
        ):
            assert (reply.status, reply.codes) == (403, ["BAD_INPUT"])

    async def test_so_is_another_site_that_did_not_ask(self, house: House) -> None:
        headers = {"Accept": STREAM, "Sec-Fetch-Site": "cross-site"}
        assert (await house.request("GET", params={"query": HELLO}, headers=headers)).status == 403

    async def test_a_portals_page_may_say_where_it_was(self, portal: House) -> None:
        wish = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "last-event-id"}
        assert (await portal.request("OPTIONS", headers={"Origin": PORTAL, **wish})).status == 200

    async def test_where_nobody_can_say_it_may_be_tried_again(self, house: House) -> None:
        headers = {"Accept": STREAM, **house.headers(somebody())}
        house.ports.standings.away = True
        reply = await house.request("POST", json={"query": HELLO}, headers=headers)
        assert (reply.status, reply.codes) == (503, ["UNAVAILABLE"])

    async def test_streams_are_counted_as_requests(self, house: House) -> None:
        house.ports.counts.changed.update(changed_quotas("requests_of_address=1/60"))
        async with events(house, HELLO) as stream:
            await stream.data()
        reply = await house.request("POST", json={"query": HELLO}, headers={"Accept": STREAM})
        assert (reply.status, reply.codes) == (429, ["RATE_LIMITED"])
        assert "Retry-After" in reply.headers

    @pytest.mark.parametrize("limit", ["sockets_of_person", "sockets_of_address"])
    async def test_nobody_has_more_streams_than_they_may(self, tmp_path: Path, limit: str) -> None:
        few: dict[str, Any] = {limit: 1}
        async with running_house(tmp_path, **few) as house:
            me, _, id_ = await a_wallet(house)
            asked: Any = {"json": {"query": HELLO}, "headers": {"Accept": STREAM, **house.headers(me)}}
            async with events(house, FOLLOW, me, id=id_) as stream:
                await snapshot(stream)
                reply = await house.request("POST", **asked)
                assert (reply.status, reply.codes, reply.headers["Retry-After"]) == (429, ["RATE_LIMITED"], "10")

            async def is_let_in() -> bool:
                return (await house.request("POST", **asked)).status == 200

            await eventually(is_let_in)

    async def test_what_changes_while_they_come_in_counts(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second look, by which they stay, finds them gone."""
        me = somebody()
        headers = {"Accept": STREAM, **house.headers(me)}
        take = house.ports.quotas.take

        async def slow(*arguments: Any, **options: Any) -> Any:
            house.ports.standings.change(house.session(me), status=PersonStatus.BANNED)
            return await take(*arguments, **options)

        monkeypatch.setattr(house.ports.quotas, "take", slow)
        reply = await house.request("POST", json={"query": HELLO}, headers=headers)
        assert (reply.status, reply.codes) == (401, ["UNAUTHENTICATED"])


_MUCH = " ".join(f"{'a' * 2_000}{number}: transactionId" for number in range(14))
LONG = SMALL.replace("__typename", f"... on WalletEntry {{ entry {{ {_MUCH} }} }}")


def stall(stream: Events) -> None:
    """The client takes nothing any more."""
    connection = stream.raw.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.pause_reading()
    connection.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)


class TestEnds:
    async def test_a_session_that_ends_ends_its_streams_and_no_others(self, house: House) -> None:
        (me, _, mine), (other, wallet, others) = await a_wallet(house), await a_wallet(house)
        async with events(house, FOLLOW, me, id=mine) as stream, events(house, FOLLOW, other, id=others) as stays:
            await snapshot(stream)
            await snapshot(stays)
            house.ports.standings.change(house.session(me), status=PersonStatus.BANNED)
            await stream.ended()
            assert stream.comments == [ENDED]
            await house.ports.credit(wallet, 1)
            assert await sequences(stays, 1) == [(1, place(wallet, 1))]

    async def test_other_rights_are_a_reason_to_come_again(self, house: House) -> None:
        me, _, id_ = await a_wallet(house)
        async with events(house, FOLLOW, me, id=id_) as stream:
            await snapshot(stream)
            session = session_of(me.person)
            house.ports.standings.change(house.session(me), is_streamer=True, session=session)
            await stream.ended()
            assert stream.comments in ([CHANGED], [ENDED])

    async def test_a_token_that_expires(self, house: House) -> None:
        me, wallet, id_ = await a_wallet(house)
        headers = {"Authorization": f"Bearer {house.token(me, timedelta(seconds=1.5))}"}
        asked = {"query": FOLLOW, "variables": {"id": id_}}
        async with streaming(house, json=asked, headers=headers) as stream:
            await snapshot(stream)
            await stream.ended()
            assert stream.comments == ["The token has expired"]
        await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)

    async def test_a_client_that_leaves_takes_its_operation_with_it(
        self, house: House, caplog: pytest.LogCaptureFixture
    ) -> None:
        me, wallet, id_ = await a_wallet(house)

        async def visit() -> None:
            async with events(house, FOLLOW, me, id=id_) as stream:
                await snapshot(stream)
                connection = stream.raw.connection
                assert connection is not None
                assert connection.transport is not None
                connection.transport.abort()

        with caplog.at_level(logging.WARNING):
            await asyncio.gather(*(visit() for _ in range(20)))
            await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)
        assert not caplog.records

    async def test_a_query_ends_with_its_client_too(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        begun, cancelled = asyncio.Event(), asyncio.Event()

        async def endless(*_: Any) -> Any:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        monkeypatch.setattr(house.ports.books, "accounts_of", endless)
        async with events(house, "{ viewer { wallets { id } } }", somebody()):
            await begun.wait()
        async with asyncio.timeout(ENDLESS_S):
            await cancelled.wait()

    async def test_silence_is_broken_now_and_then(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.02)
        me, wallet, id_ = await a_wallet(house)
        async with events(house, FOLLOW, me, id=id_) as stream:
            await snapshot(stream)
            await stream.silence(3)
            assert set(stream.comments) == {""}
            await house.ports.credit(wallet, 1)
            assert await sequences(stream, 1) == [(1, place(wallet, 1))]

    async def test_a_client_that_takes_nothing_is_let_go_and_holds_nobody_up(
        self, house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setattr(outlet, "SEND_S", 0.5)
        me, wallet, id_ = await a_wallet(house)
        topic = wallet_topic(wallet)
        with caplog.at_level(logging.WARNING):
            async with events(house, LONG, me, id=id_) as stalled, events(house, FOLLOW, me, id=id_) as other:
                await snapshot(other)
                stall(stalled)
                await eventually(lambda: house.ports.feed.listeners(topic) == 2)
                for _ in range(4):
                    await house.ports.credit(wallet, *[1] * 100)
                found = await sequences(other, 400)
                assert [sequence for sequence, _ in found] == list(range(1, 401))
                await eventually(lambda: house.ports.feed.listeners(topic) == 1, ENDLESS_S)
        assert not caplog.records

    async def test_a_session_that_ends_waits_for_no_client(
        self, house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        waiting, pause = asyncio.Event(), KeptLine.pause_writing

        def noticed(line: KeptLine) -> None:
            pause(line)
            waiting.set()

        monkeypatch.setattr(KeptLine, "pause_writing", noticed)
        me, wallet, id_ = await a_wallet(house)
        with caplog.at_level(logging.WARNING):
            async with events(house, LONG, me, id=id_) as stalled:
                stall(stalled)
                await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 1)
                for _ in range(4):
                    await house.ports.credit(wallet, *[1] * 100)
                async with asyncio.timeout(ENDLESS_S):
                    await waiting.wait()
                house.ports.standings.change(house.session(me), status=PersonStatus.BANNED)
                await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)
        assert not caplog.records

    async def test_a_server_that_ends_sends_its_clients_elsewhere(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.WARNING):
            async with AsyncExitStack() as stack:
                house = await stack.enter_async_context(running_house(tmp_path))
                me, wallet, id_ = await a_wallet(house)
                async with aiohttp.ClientSession() as client:
                    house.client, own = client, house.client
                    async with events(house, FOLLOW, me, id=id_) as stream:
                        await snapshot(stream)
                        house.client = own
                        ending = asyncio.create_task(stack.aclose())
                        await stream.ended()
                        assert stream.comments == ["The server ends; come again"]
                await ending
        assert house.ports.feed.listeners(wallet_topic(wallet)) == 0
        assert not caplog.records
