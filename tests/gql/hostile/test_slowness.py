"""Clients that take their time: a body that never ends to come costs nobody else anything, and itself only so long."""

import asyncio
from urllib.parse import urlsplit

import pytest

from gql.http import LARGEST_BODY
from tests.fakes import somebody
from tests.gql.house import House

PATIENCE_S = 10.0


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
    monkeypatch.setattr("gql.http.BODY_S", 0.2)
    slow = [await opened(house, 100) for _ in range(50)]
    assert (await house.ask("{ viewer { id } }", somebody())).data
    for reader, writer in slow:
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code":"BAD_INPUT"' in answer
        writer.close()


async def test_what_is_too_much_is_not_waited_for(house: House) -> None:
    reader, writer = await opened(house, 100 * LARGEST_BODY)
    writer.write(b" " * LARGEST_BODY)
    assert (await asyncio.wait_for(reader.readline(), PATIENCE_S)).startswith(b"HTTP/1.1 413 ")
    writer.close()


@pytest.mark.parametrize("size", [70_000, 200_000])
async def test_headers_have_a_length(house: House, size: int) -> None:
    place = urlsplit(house.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(f"POST /graphql HTTP/1.1\r\nHost: {place.netloc}\r\nX-Long: {'a' * size}\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    assert answer.startswith(b"HTTP/1.1 4")
    writer.close()
