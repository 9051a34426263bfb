"""A wallet followed as it changes: a snapshot, then every entry once, whatever the feed says."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.actor import Actor
from domain.ids import AccountId
from domain.ledger.ports import wallet_topic
from gql.node import global_id
from gql.paging import cursor_of
from gql.wallet.types import wallet_scope
from tests.fakes import somebody
from tests.gql.house import House, Socket
from tests.waiting import eventually

FOLLOW = """
subscription ($id: ID!, $after: Cursor) {
  walletChanged(walletId: $id, after: $after) {
    __typename
    ... on WalletSnapshot { cursor wallet { balance { total { amount } } } }
    ... on WalletEntry { cursor entry { sequence balanceAfter { amount } } wallet { balance { total { amount } } } }
  }
}
"""


async def a_wallet(house: House, *credits_: int) -> tuple[Actor, AccountId, str]:
    me = somebody()
    wallet = await house.ports.wallet(me)
    await house.ports.credit(wallet, *credits_)
    return me, wallet, global_id("Wallet", wallet)


async def following(house: House, socket: Socket, wallet: AccountId, id_: str = "1", **variables: Any) -> None:
    before = house.ports.feed.listeners(wallet_topic(wallet))
    await socket.subscribe(id_, FOLLOW, id=global_id("Wallet", wallet), **variables)
    await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) > before)


async def change(socket: Socket, id_: str = "1") -> Any:
    return (await socket.data(id_))["walletChanged"]


async def sequences(socket: Socket, count: int) -> list[int]:
    return [(await change(socket))["entry"]["sequence"] for _ in range(count)]


async def test_a_snapshot_comes_first_and_then_each_entry(house: House) -> None:
    me, wallet, _ = await a_wallet(house, 10)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet)
        snapshot = await change(socket)
        assert snapshot["__typename"] == "WalletSnapshot"
        assert snapshot["wallet"]["balance"]["total"]["amount"] == "10.00"
        await house.ports.credit(wallet, 5)
        entry = await change(socket)
        assert entry["entry"] == {"sequence": 2, "balanceAfter": {"amount": "15.00"}}
        assert entry["wallet"]["balance"]["total"]["amount"] == "15.00"
        await house.ports.credit(wallet, 5)
        assert (await change(socket))["wallet"]["balance"]["total"]["amount"] == "20.00"


async def test_a_burst_is_one_read_and_arrives_whole(house: House) -> None:
    me, wallet, _ = await a_wallet(house)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet)
        await change(socket)
        reads = house.ports.calls["statements"]
        await house.ports.credit(wallet, *range(1, 31))
        assert await sequences(socket, 30) == list(range(1, 31))
        await house.ports.credit(wallet, 1)
        assert await sequences(socket, 1) == [31]
        assert house.ports.calls["statements"] - reads == 2


async def test_more_than_a_page_arrives_whole_too(house: House) -> None:
    me, wallet, _ = await a_wallet(house, *[1] * 250)
    async with house.conversation(me) as socket:
        start = cursor_of(wallet_scope(wallet), 0)
        await following(house, socket, wallet, after=start)
        assert await sequences(socket, 250) == list(range(1, 251))


async def test_every_message_has_a_cursor_that_resumes_right_after_it(house: House) -> None:
    me, wallet, _ = await a_wallet(house, 1, 1)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet)
        cursor = (await change(socket))["cursor"]
        await house.ports.credit(wallet, 1, 1)
        seen = (await change(socket))["cursor"]
    async with house.conversation(me) as socket:
        await following(house, socket, wallet, "1", after=cursor)
        assert await sequences(socket, 2) == [3, 4]
        await following(house, socket, wallet, "2", after=seen)
        assert (await change(socket, "2"))["entry"]["sequence"] == 4
        await house.ports.credit(wallet, 1)
        got = [await socket.next() for _ in range(2)]
        assert sorted((m["id"], m["payload"]["data"]["walletChanged"]["entry"]["sequence"]) for m in got) == [
            ("1", 5),
            ("2", 5),
        ]


async def test_an_entrys_own_cursor_resumes_too(house: House) -> None:
    me, wallet, id_ = await a_wallet(house, 1, 1, 1)
    statement = await house.ask(
        "query ($id: ID!) { wallet(id: $id) { statement(first: 3) { edges { node { cursor } } } } }", me, id=id_
    )
    cursor = statement.data["wallet"]["statement"]["edges"][1]["node"]["cursor"]
    async with house.conversation(me) as socket:
        await following(house, socket, wallet, after=cursor)
        assert await sequences(socket, 1) == [3]


async def test_what_happens_between_listening_and_looking_is_told_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, wallet, _ = await a_wallet(house, 1)
    look = house.ports.books.accounts_by_id
    looks = 0

    async def slow_look(ids: Any) -> Any:
        nonlocal looks
        found = await look(ids)
        looks += 1
        if looks == 2:
            await house.ports.credit(wallet, 1)
        return found

    monkeypatch.setattr(house.ports.books, "accounts_by_id", slow_look)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet)
        assert (await change(socket))["wallet"]["balance"]["total"]["amount"] == "1.00"
        assert await sequences(socket, 1) == [2]
        await house.ports.credit(wallet, 1)
        assert await sequences(socket, 1) == [3]


async def test_a_feed_that_repeats_skips_and_lies_changes_nothing(house: House) -> None:
    me, wallet, _ = await a_wallet(house)
    topic = wallet_topic(wallet)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet)
        await change(socket)
        feed = house.ports.feed
        told, feed.tell = feed.tell, lambda *_: None  # type: ignore[method-assign]  # the feed loses what it should tell
        await house.ports.credit(wallet, 1, 1, 1)
        for hint in (2, 2, 1, 0, 99, 0):
            told(topic, hint)
        assert await sequences(socket, 3) == [1, 2, 3]
        await house.ports.credit(wallet, 1)
        told(topic, 4)
        assert await sequences(socket, 1) == [4]


BAD_CURSORS = {
    "malformed": "!!!",
    "made up": "bm9uc2Vuc2U",
    "of another wallet": cursor_of("wallet:999999", 1),
    "of another list": cursor_of("top-ups", 1),
    "no number": cursor_of("wallet:1", "x"),
    "negative": cursor_of("wallet:1", -1),
    "ahead": cursor_of("wallet:1", 5),
    "far ahead": cursor_of("wallet:1", 10**18),
    "beyond": cursor_of("wallet:1", 10**40),
    "empty": "",
}


@pytest.mark.parametrize("cursor", BAD_CURSORS.values(), ids=BAD_CURSORS.keys())
async def test_a_cursor_that_cannot_be_is_said_to_be_so(house: House, cursor: str) -> None:
    me, wallet, id_ = await a_wallet(house, 1)
    assert wallet == 1
    async with house.conversation(me) as socket:
        await socket.subscribe("1", FOLLOW, id=id_, after=cursor)
        message = await socket.next()
        assert (message["type"], message["id"]) == ("error", "1")
        assert [error["extensions"]["code"] for error in message["payload"]] == ["BAD_INPUT"]
        await socket.subscribe("1", FOLLOW, id=id_)
        assert (await change(socket))["__typename"] == "WalletSnapshot"
    await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)


async def test_somebody_elses_wallet_is_denied_as_one_that_is_not_there(house: House) -> None:
    _, _, theirs = await a_wallet(house, 1)
    async with house.conversation(somebody()) as socket:
        answers = []
        for id_ in (theirs, global_id("Wallet", 999_999)):
            await socket.subscribe("1", FOLLOW, id=id_)
            answers.append(await socket.next())
    assert answers[0] == answers[1]
    assert answers[0]["payload"][0]["extensions"] == {"code": "FORBIDDEN"}


async def test_two_people_see_their_own(house: House) -> None:
    (me, mine, _), (other, theirs, _) = await a_wallet(house), await a_wallet(house)
    async with house.conversation(me) as one, house.conversation(other) as two:
        await following(house, one, mine)
        await following(house, two, theirs)
        await change(one)
        await change(two)
        await house.ports.credit(theirs, 7)
        await house.ports.credit(mine, 3)
        assert (await change(one))["entry"]["balanceAfter"]["amount"] == "3.00"
        assert (await change(two))["entry"]["balanceAfter"]["amount"] == "7.00"


async def test_completing_ends_the_listening_and_frees_the_id(house: House) -> None:
    me, wallet, _ = await a_wallet(house)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet)
        await change(socket)
        await socket.send({"id": "1", "type": "complete"})
        await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)
        await following(house, socket, wallet)
        assert (await change(socket))["__typename"] == "WalletSnapshot"


async def test_closing_ends_the_listening(house: House) -> None:
    me, wallet, _ = await a_wallet(house)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet)
        await change(socket)
    await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)


async def test_a_feed_that_ends_completes_the_stream(house: House) -> None:
    me, wallet, _ = await a_wallet(house)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet)
        await change(socket)
        house.ports.feed.tell(wallet_topic(wallet), None)
        assert await socket.next() == {"id": "1", "type": "complete"}


async def test_books_that_fail_end_one_stream_and_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    me, wallet, _ = await a_wallet(house)
    async with house.conversation(me) as socket:
        await following(house, socket, wallet, "1")
        await change(socket)

        async def broken(*_: Any, **__: Any) -> Any:
            raise ConnectionRefusedError("10.0.0.7 refused")

        with monkeypatch.context() as patch:
            patch.setattr(house.ports.books, "statements", broken)
            await house.ports.credit(wallet, 1)
            message = await socket.next()
        assert (message["type"], message["id"]) == ("error", "1")
        assert message["payload"][0]["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
        assert "10.0.0.7" not in str(message)
        await following(house, socket, wallet, "2")
        assert (await change(socket, "2"))["wallet"]["balance"]["total"]["amount"] == "1.00"


async def test_the_socket_closes_when_the_token_expires(house: House) -> None:
    me, wallet, _ = await a_wallet(house)
    began = asyncio.get_running_loop().time()
    async with house.conversation(me, timedelta(seconds=2)) as socket:
        await following(house, socket, wallet)
        await change(socket)
        code, reason = await socket.closing()
    assert (code, reason) == (4403, "Forbidden: the token has expired")
    assert 0.5 < asyncio.get_running_loop().time() - began < 3
    await eventually(lambda: house.ports.feed.listeners(wallet_topic(wallet)) == 0)
