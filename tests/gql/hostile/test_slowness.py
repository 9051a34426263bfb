"""Clients that take their time: a body that never ends to come costs nobody else anything, and itself only so long."""

import asyncio
from urllib.parse import urlsplit

import pytest

from adapters.heads import LARGEST_HEAD
from gql.requests import LARGEST_BODY
from tests.fakes import somebody
from tests.gql.house import House
from tests.gql.test_deadlines import refusals
from tests.waiting import PATIENCE_S


async def opened(house: House, length: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a request has begun whose body is still to come."""
    place = urlsplit(house.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\nContent-Length: {length}"
    )
    writer.write(f"{head}\r\n\r\n{{".encode())
    await writer.drain()
    return reader, writer


async def test_a_body_comes_within_its_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gql.requests.BODY_S", 0.2)
    before = refusals("http_408")
    slow = [await opened(house, 100) for _ in range(50)]
    assert (await house.ask("{ viewer { id } }", somebody())).data
    for reader, writer in slow:
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"BAD_INPUT"' in answer
        writer.close()
    assert refusals("http_408") == before + len(slow)


async def test_what_is_too_much_is_not_waited_for(house: House) -> None:
    reader, writer = await opened(house, 100 * LARGEST_BODY)
    writer.write(b" " * LARGEST_BODY)
    assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.1 413 ")
    writer.close()


HELLO = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
HEADS = {
    "nothing": b"",
    "the beginning": b"GET /graphql HTTP/1.1\r\nX-",
    "a handshake": b"GET /graphql HTTP/1.1\r\nUpgrade: w",
}


@pytest.mark.parametrize("sent", HEADS.values(), ids=HEADS.keys())
@pytest.mark.parametrize("before", [b"", HELLO], ids=["at first", "after another"])
async def test_a_head_comes_within_its_time(
    house: House, monkeypatch: pytest.MonkeyPatch, before: bytes, sent: bytes
) -> None:
    monkeypatch.setattr("adapters.heads.HEAD_S", 0.2)
    place = urlsplit(house.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(before + sent)
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert answer.startswith(b"HTTP/1.1 200 " if before else b"HTTP/1.1 408 ")
    assert (b"HTTP/1.1 408 " in answer) is bool(sent or not before)
    writer.close()


async def test_a_head_has_a_length(house: House) -> None:
    place = urlsplit(house.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(b"GET /healthz HTTP/1.1\r\n")
    for number in range(LARGEST_HEAD // 1_000 + 1):
        writer.write(b"X-%d: %s\r\n" % (number, b"a" * 1_000))
    assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.1 431 ")
    writer.close()


async def test_a_body_is_no_part_of_a_head(house: House) -> None:
    body = b'{"query": "{ __typename }"}' + b" " * (LARGEST_HEAD + 10_000)
    for _ in range(3):
        reply = await house.request("POST", data=body, headers={"Content-Type": "application/json"})
        assert reply.status == 200
