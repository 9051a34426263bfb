"""graphql-transport-ws to the letter: who is let in, what closes a socket and with which code, and what does not."""

import asyncio
import json
import logging
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from socket import SO_RCVBUF, SOL_SOCKET
from typing import Any

import aiohttp
import pytest

from domain.ledger.ports import wallet_topic
from gql import conversation
from gql.fanout import outlet
from gql.fanout.places import Places
from gql.node import global_id
from tests.fakes import somebody
from tests.gql.house import PROTOCOL, House, Socket, running_house
from tests.waiting import eventually

HELLO = "{ __typename }"
ENDLESS_S = 120.0
"""For what is much work, on machines that are busy."""
FOLLOW = "subscription ($id: ID!) { walletChanged(walletId: $id) { __typename } }"


async def hello(socket: Socket, id_: str = "hello") -> None:
    """The socket works."""
    await socket.subscribe(id_, HELLO)
    assert await socket.data(id_) == {"__typename": "Query"}
    assert await socket.next() == {"id": id_, "type": "complete"}


NO_ENTRY: Any = {
    "no payload": {},
    "null": {"payload": None},
    "empty": {"payload": {}},
    "nonsense": {"payload": {"token": "nonsense"}},
    "a number": {"payload": {"token": 1}},
    "another scheme": {"payload": {"Authorization": "Basic abc"}},
    "no scheme": {"payload": {"Authorization": "abc"}},
    "a list": {"payload": {"Authorization": ["Bearer"]}},
    "empty token": {"payload": {"token": ""}},
}


class TestAdmission:
    @pytest.mark.parametrize("name", ["Authorization", "authorization"])
    async def test_a_token_may_come_as_a_header_would(self, house: House, name: str) -> None:
        async with house.socket() as socket:
            await socket.send({"type": "connection_init", "payload": {name: f"Bearer {house.token(somebody())}"}})
            assert await socket.next() == {"type": "connection_ack"}
            await hello(socket)

    async def test_or_alone(self, house: House) -> None:
        async with house.socket() as socket:
            await socket.send({"type": "connection_init", "payload": {"token": house.token(somebody())}})
            assert await socket.next() == {"type": "connection_ack"}

    @pytest.mark.parametrize("message", NO_ENTRY.values(), ids=NO_ENTRY.keys())
    async def test_without_a_good_token_nobody_comes_in(self, house: House, message: dict[str, Any]) -> None:
        async with house.socket() as socket:
            await socket.send({"type": "connection_init", **message})
            assert await socket.closing() == (4403, "Forbidden")

    async def test_an_expired_token_is_no_good(self, house: House) -> None:
        async with house.socket() as socket:
            token = house.token(somebody(), timedelta(seconds=-1))
            await socket.send({"type": "connection_init", "payload": {"token": token}})
            assert await socket.closing() == (4403, "Forbidden")

    async def test_nothing_is_done_for_somebody_who_is_not_in(self, house: House) -> None:
        async with house.socket() as socket:
            await socket.subscribe("1", HELLO)
            assert await socket.closing() == (4401, "Unauthorized")

    async def test_who_says_nothing_is_shown_out(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(conversation, "INIT_S", 0.05)
        async with house.socket() as socket:
            assert await socket.closing() == (4408, "Connection initialisation timeout")

    async def test_one_introduction_is_enough(self, house: House) -> None:
        me = somebody()
        async with house.conversation(me) as socket:
            await socket.send({"type": "connection_init", "payload": {"token": house.token(me)}})
            assert await socket.closing() == (4429, "Too many initialisation requests")

    @pytest.mark.parametrize("protocols", [("graphql-ws",), ("chat", "other")])
    async def test_only_one_protocol_is_spoken(self, house: House, protocols: tuple[str, ...]) -> None:
        async with house.socket(*protocols) as socket:
            assert await socket.closing() == (4406, "Subprotocol not acceptable")

    async def test_it_is_found_among_others(self, house: House) -> None:
        async with house.socket("graphql-ws", PROTOCOL) as socket:
            assert socket.raw.protocol == PROTOCOL


BROKEN: dict[str, Any] = {
    "no JSON": "{",
    "empty": "",
    "an array": "[]",
    "a text": '"connection_init"',
    "a number": "1",
    "null": "null",
    "no type": "{}",
    "a type that is a number": '{"type": 1}',
    "an unknown type": '{"type": "start"}',
    "not a number": '{"type": NaN}',
    "no id": '{"type": "subscribe", "payload": {"query": "{ __typename }"}}',
    "a numeric id": '{"id": 1, "type": "subscribe", "payload": {"query": "{ __typename }"}}',
    "an empty id": '{"id": "", "type": "subscribe", "payload": {"query": "{ __typename }"}}',
    "an endless id": json.dumps({"id": "x" * 201, "type": "subscribe", "payload": {"query": HELLO}}),
    "no payload": '{"id": "1", "type": "subscribe"}',
    "a payload that is a list": '{"id": "1", "type": "subscribe", "payload": []}',
    "no query": '{"id": "1", "type": "subscribe", "payload": {}}',
    "a numeric query": '{"id": "1", "type": "subscribe", "payload": {"query": 1}}',
    "variables in a text": '{"id": "1", "type": "subscribe", "payload": {"query": "{a}", "variables": "{}"}}',
    "variables in a list": '{"id": "1", "type": "subscribe", "payload": {"query": "{a}", "variables": []}}',
    "a numeric operation name": '{"id": "1", "type": "subscribe", "payload": {"query": "{a}", "operationName": 1}}',
    "extensions in a text": '{"id": "1", "type": "subscribe", "payload": {"query": "{a}", "extensions": ""}}',
    "a complete without id": '{"type": "complete"}',
    "a complete with a numeric id": '{"id": 1, "type": "complete"}',
    "a ping with a text": '{"type": "ping", "payload": "x"}',
    "a pong with a list": '{"type": "pong", "payload": []}',
    "an introduction in a list": '{"type": "connection_init", "payload": []}',
    "nested without end": "[" * 5_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
async def test_a_broken_message_closes_its_own_socket_and_says_why(
    house: House, text: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    me = somebody()
    with caplog.at_level(logging.WARNING):
        async with house.conversation(me) as other, house.conversation(me) as socket:
            await socket.raw.send_str(text)
            code, reason = await socket.closing()
            assert code == 4400
            assert reason
            await hello(other)
    assert not caplog.records
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_a_binary_message_closes_too(house: House) -> None:
    async with house.conversation(somebody()) as socket:
        await socket.raw.send_bytes(b"{}")
        assert (await socket.closing())[0] == 4400


@pytest.mark.parametrize("size", [101 * 1024, 300 * 1024], ids=["ours", "the server's"])
async def test_a_message_has_a_limit(house: House, size: int) -> None:
    async with house.conversation(somebody()) as socket:
        await socket.raw.send_str(" " * size)
        assert (await socket.closing())[0] == 1009


async def test_broken_messages_break_before_the_introduction_too(house: House) -> None:
    async with house.socket() as socket:
        await socket.raw.send_str("[]")
        assert (await socket.closing())[0] == 4400


class TestPings:
    async def test_a_ping_is_answered_before_and_after_the_introduction(self, house: House) -> None:
        async with house.socket() as socket:
            await socket.send({"type": "ping"})
            assert await socket.next() == {"type": "pong"}
        async with house.conversation(somebody()) as socket:
            await socket.send({"type": "ping", "payload": {"sent": 1}})
            assert await socket.next() == {"type": "pong", "payload": {"sent": 1}}
            await socket.send({"type": "ping", "payload": None})
            assert await socket.next() == {"type": "pong", "payload": None}

    async def test_a_pong_is_taken_in_silence(self, house: House) -> None:
        async with house.conversation(somebody()) as socket:
            await socket.send({"type": "pong", "payload": {}})
            await hello(socket)


FAILING: dict[str, tuple[dict[str, Any], str]] = {
    "syntax": ({"query": "{"}, "BAD_INPUT"),
    "empty": ({"query": ""}, "BAD_INPUT"),
    "unknown field": ({"query": "{ nonsense }"}, "BAD_INPUT"),
    "unknown operation": ({"query": "query A { __typename }", "operationName": "B"}, "BAD_INPUT"),
    "two without a name": ({"query": "query A { __typename } query B { __typename }"}, "BAD_INPUT"),
    "a variable that does not fit": ({"query": FOLLOW, "variables": {"id": {}}}, "BAD_INPUT"),
    "a missing variable": ({"query": FOLLOW}, "BAD_INPUT"),
    "an id that we never gave": ({"query": FOLLOW, "variables": {"id": "nonsense"}}, "BAD_INPUT"),
    "a wallet that is not there": ({"query": FOLLOW, "variables": {"id": global_id("Wallet", 9)}}, "FORBIDDEN"),
    "two subscriptions": (
        {
            "query": "subscription ($id: ID!) { a: walletChanged(walletId: $id) { __typename }"
            " b: walletChanged(walletId: $id) { __typename } }",
            "variables": {"id": "x"},
        },
        "BAD_INPUT",
    ),
    "too deep": ({"query": "{" + "a {" * 500 + "a" + "}" * 501}, "BAD_INPUT"),
}


@pytest.mark.parametrize(("payload", "code"), FAILING.values(), ids=FAILING.keys())
async def test_what_is_wrong_with_one_operation_is_told_to_it_alone(
    house: House, payload: dict[str, Any], code: str
) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)
    async with house.conversation(me) as socket:
        await socket.subscribe("sibling", FOLLOW, id=global_id("Wallet", wallet))
        await socket.data("sibling")
        await socket.send({"id": "1", "type": "subscribe", "payload": payload})
        message = await socket.next()
        assert (message["id"], message["type"]) == ("1", "error")
        assert {error["extensions"]["code"] for error in message["payload"]} == {code}
        await house.ports.credit(wallet, 1)
        assert await socket.data("sibling") == {"walletChanged": {"__typename": "WalletEntry"}}
        await hello(socket, "1")


async def test_queries_and_mutations_are_answered_and_completed(house: House) -> None:
    async with house.conversation(somebody()) as socket:
        await hello(socket)
        query = "mutation { openWallet(input: {purpose: HOSTING_CREDIT, currency: IDR}) { __typename } }"
        await socket.subscribe("1", query)
        assert await socket.data("1") == {"openWallet": {"__typename": "Wallet"}}
        assert await socket.next() == {"id": "1", "type": "complete"}


async def test_errors_of_fields_come_with_the_data(house: House) -> None:
    async with house.conversation(somebody()) as socket:
        await socket.subscribe("1", '{ __typename wallet(id: "nonsense") { id } }')
        message = await socket.next()
        assert message["type"] == "next"
        assert message["payload"]["data"] == {"__typename": "Query", "wallet": None}
        assert message["payload"]["errors"][0]["path"] == ["wallet"]
        assert await socket.next() == {"id": "1", "type": "complete"}


async def test_an_id_that_is_in_use_closes_the_socket(house: House) -> None:
    me = somebody()
    wallet = global_id("Wallet", await house.ports.wallet(me))
    async with house.conversation(me) as socket:
        await socket.subscribe("1", FOLLOW, id=wallet)
        await socket.data("1")
        await socket.subscribe("1", FOLLOW, id=wallet)
        assert await socket.closing() == (4409, "Subscriber for 1 already exists")


async def test_completing_what_is_not_there_is_nothing(house: House) -> None:
    async with house.conversation(somebody()) as socket:
        await socket.send({"id": "nothing", "type": "complete"})
        await hello(socket)


async def test_operations_are_limited_and_room_comes_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Places, "has_room_for_operation", lambda *given: given[2].operations < 2)
    me = somebody()
    wallet = await house.ports.wallet(me)
    async with house.conversation(me) as socket:
        for id_ in ("1", "2"):
            await socket.subscribe(id_, FOLLOW, id=global_id("Wallet", wallet))
            await socket.data(id_)
        await socket.subscribe("3", HELLO)
        message = await socket.next()
        assert (message["id"], message["type"]) == ("3", "error")
        await socket.send({"id": "1", "type": "complete"})
        await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 1)
        await hello(socket)


async def test_a_client_that_takes_nothing_holds_nobody_up_and_is_let_go(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlet, "SEND_S", 0.5)
    me = somebody()
    wallet = await house.ports.wallet(me)
    topic = wallet_topic(wallet)
    long = " ".join(f"{'a' * 2_000}{number}: transactionId" for number in range(14))
    query = FOLLOW.replace("__typename", f"... on WalletEntry {{ entry {{ {long} }} }}")
    async with house.conversation(me) as stalled, house.conversation(me) as other:
        connection = stalled.raw._response.connection
        assert connection is not None
        assert connection.transport is not None
        for id_ in range(40):
            await stalled.subscribe(str(id_), query, id=global_id("Wallet", wallet))
        await other.subscribe("1", FOLLOW, id=global_id("Wallet", wallet))
        await other.data("1")
        await eventually(lambda: house.ports.feed.listeners(topic) == 41)
        connection.transport.pause_reading()
        connection.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
        for _ in range(3):
            await house.ports.credit(wallet, *[1] * 50)
        for _ in range(150):
            await other.data("1", ENDLESS_S)
        await eventually(lambda: house.ports.feed.listeners(topic) == 1, ENDLESS_S)


async def test_an_error_of_ours_is_masked_and_ends_one_operation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    me = somebody()

    def broken(*_: Any) -> Any:
        raise ValueError("the secret is hunter2")

    monkeypatch.setattr(house.ports.books, "accounts_of", broken)
    async with house.conversation(me) as socket:
        await socket.subscribe("1", "{ viewer { wallets { id } } }")
        message = await socket.next()
        assert message["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "hunter2" not in str(message)
        assert await socket.next() == {"id": "1", "type": "complete"}
        await hello(socket)


async def test_many_who_leave_at_once_leave_nothing_behind(house: House) -> None:
    me = somebody()
    wallet = await house.ports.wallet(me)

    async def visit() -> None:
        async with house.conversation(me) as socket:
            await socket.subscribe("1", FOLLOW, id=global_id("Wallet", wallet))
            await socket.data("1")
            connection = socket.raw._response.connection
            assert connection is not None
            assert connection.transport is not None
            connection.transport.abort()

    await asyncio.gather(*(visit() for _ in range(20)))
    await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)
    async with house.conversation(me) as socket:
        await hello(socket)


async def test_a_server_that_ends_says_so_to_its_sockets(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(running_house(tmp_path))
        me = somebody()
        wallet = await house.ports.wallet(me)
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(f"{house.url}/graphql", protocols=[PROTOCOL]) as raw,
        ):
            socket = Socket(raw)
            await socket.send({"type": "connection_init", "payload": {"token": house.token(me)}})
            assert await socket.next() == {"type": "connection_ack"}
            await socket.subscribe("1", FOLLOW, id=global_id("Wallet", wallet))
            await socket.data("1")
            ending = asyncio.create_task(stack.aclose())
            assert (await socket.closing())[0] == 1012
        await ending
    assert house.ports.feed.listeners(wallet_topic(wallet)) == 0
