"""Streams of server-sent events, read as a browser reads them: event, id and data, comments apart."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from domain.actor import Actor
from tests.gql.house import House
from tests.waiting import PATIENCE_S

STREAM = "text/event-stream"


@dataclass(frozen=True)
class Event:
    """One event."""

    kind: str
    data: str
    id: str | None = None

    @property
    def body(self) -> Any:
        return json.loads(self.data)


@dataclass
class Events:
    """A stream that is open."""

    raw: aiohttp.ClientResponse
    comments: list[str] = field(default_factory=list)
    retry_ms: int | None = None

    async def next(self, patience_s: float = PATIENCE_S) -> Event:
        """The next event; fails the test if the stream ends instead."""
        async with asyncio.timeout(patience_s):
            found = await self._event()
        assert found is not None, f"the stream ended: {self.comments}"
        return found

    async def data(self, patience_s: float = PATIENCE_S) -> Any:
        """The data of the next result."""
        event = await self.next(patience_s)
        assert event.kind == "next", event
        assert "errors" not in event.body, event
        return event.body["data"]

    async def completed(self) -> None:
        """It is complete, and over."""
        assert await self.next() == Event("complete", "")
        await self.ended()

    async def ended(self) -> None:
        """It is over without another event."""
        async with asyncio.timeout(PATIENCE_S):
            found = await self._event()
        assert found is None, found

    async def silence(self, times: int = 1) -> None:
        """Comments come while nothing happens."""
        async with asyncio.timeout(PATIENCE_S):
            before = len(self.comments)
            while len(self.comments) < before + times:
                self._note((await self.raw.content.readline()).decode().rstrip("\n"), {})

    async def _event(self) -> Event | None:
        fields: dict[str, str] = {}
        while line := await self.raw.content.readline():
            text = line.decode()
            assert text.endswith("\n")
            if text == "\n" and fields:
                assert "data" in fields, "an event without data is none to a browser"
                return Event(fields["event"], fields["data"], fields.get("id"))
            self._note(text.rstrip("\n"), fields)
        assert not fields, "the stream ended within an event"
        return None

    def _note(self, line: str, fields: dict[str, str]) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line and not name:
            self.comments.append(value)
        elif name == "retry":
            self.retry_ms = int(value)
        elif line:
            assert name in {"event", "data", "id"}, line
            assert name not in fields
            fields[name] = value


@asynccontextmanager
async def streaming(house: House, method: str = "POST", **options: Any) -> AsyncIterator[Events]:
    """A stream, or whatever else the answer is."""
    headers = {"Accept": STREAM, **options.pop("headers", {})}
    async with house.client.request(method, f"{house.url}/graphql", headers=headers, **options) as raw:
        yield Events(raw)


@asynccontextmanager
async def events(
    house: House, query: str, actor: Actor | None = None, *, last: str | None = None, **variables: object
) -> AsyncIterator[Events]:
    """A stream that was opened by POST."""
    resumed = {"Last-Event-ID": last} if last is not None else {}
    body = {"query": query, "variables": variables}
    async with streaming(house, json=body, headers={**house.headers(actor), **resumed}) as opened:
        assert opened.raw.status == 200, await opened.raw.text()
        assert opened.raw.headers["Content-Type"] == f"{STREAM}; charset=utf-8"
        yield opened
