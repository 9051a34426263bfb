"""The whole application on a port of this machine, spoken to as clients speak: over HTTP and WebSocket."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType
from joserfc.jwk import ECKey

from adapters.config import Settings
from adapters.identity.tokens import Tokens
from adapters.sandbox.listening import listening
from adapters.serving import OPTIONS
from domain.actor import Actor
from domain.identity.model import Session
from domain.ids import uuid7
from gql import document_files
from gql.app import Connect, create_app
from gql.document_files import shipped
from gql.schema import build_schema
from tests.fake_quotas import HIGH
from tests.fakes import FakePorts, connected
from tests.identity_settings import IN_SMALL
from tests.waiting import PATIENCE_S

PROTOCOL = "graphql-transport-ws"
RESPONSE = "application/graphql-response+json"


@dataclass
class Reply:
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.text
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", ())]


@dataclass
class Socket:
    """A WebSocket, spoken to in messages."""

    raw: ClientWebSocketResponse

    async def send(self, message: object) -> None:
        await self.raw.send_str(json.dumps(message))

    async def next(self, patience_s: float = PATIENCE_S) -> Any:
        """The next message; fails the test if the socket closes instead."""
        async with asyncio.timeout(patience_s):
            found = await self.raw.receive()
        assert found.type is WSMsgType.TEXT, f"closed with {self.raw.close_code} {found.extra}"
        return json.loads(found.data)

    async def closing(self) -> tuple[int | None, str]:
        """The code and the reason of the close; messages before it are passed over."""
        async with asyncio.timeout(PATIENCE_S):
            while (found := await self.raw.receive()).type is WSMsgType.TEXT:
                pass
        return self.raw.close_code, found.extra or ""

    async def subscribe(self, id_: str, query: str, **variables: object) -> None:
        await self.send({"id": id_, "type": "subscribe", "payload": {"query": query, "variables": variables}})

    async def data(self, id_: str, patience_s: float = PATIENCE_S) -> Any:
        """The data of the next message of an operation."""
        message = await self.next(patience_s)
        assert (message["type"], message["id"]) == ("next", id_), message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]


@dataclass
class House:
    """A running application."""

    ports: FakePorts
    tokens: Tokens
    url: str
    client: aiohttp.ClientSession = field(repr=False)

    def session(self, actor: Actor) -> Session:
        """The session of somebody."""
        return self.ports.standings.session(actor)

    def token(self, actor: Actor, lifetime: timedelta = timedelta(minutes=15)) -> str:
        return self.tokens.issue(self.session(actor), datetime.now(UTC), lifetime).text

    def headers(self, actor: Actor | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(actor)}"} if actor else {}

    async def request(self, method: str, path: str = "/graphql", **options: Any) -> Reply:
        async with self.client.request(method, self.url + path, **options) as answer:
            return Reply(answer.status, answer.headers, await answer.text())

    async def ask(
        self, query: str, actor: Actor | None = None, *, accept: str = RESPONSE, **variables: object
    ) -> Reply:
        body = {"query": query, "variables": variables}
        return await self.request("POST", json=body, headers={"Accept": accept, **self.headers(actor)})

    @asynccontextmanager
    async def socket(self, *protocols: str) -> AsyncIterator[Socket]:
        """A socket that has said nothing yet."""
        async with self.client.ws_connect(self.url + "/graphql", protocols=protocols or (PROTOCOL,)) as raw:
            yield Socket(raw)

    @asynccontextmanager
    async def conversation(self, actor: Actor, lifetime: timedelta = timedelta(minutes=15)) -> AsyncIterator[Socket]:
        """A socket that has been let in."""
        async with self.socket() as opened:
            payload = {"Authorization": f"Bearer {self.token(actor, lifetime)}"}
            await opened.send({"type": "connection_init", "payload": payload})
            assert await opened.next() == {"type": "connection_ack"}
            yield opened


def settings_for(folder: Path, environment: str, **more: object) -> Settings:
    file = folder / "token-key.pem"
    if not file.exists():
        file.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    nowhere = "postgresql://nobody:nothing@127.0.0.1:1/none"
    given = {
        "environment": environment,
        "database_url": nowhere,
        "redis_url": "redis://127.0.0.1:1/0",
        "seal_key": "00" * 32,
        "token_key_file": file,
        "public_url": "http://gametriggers.example",
        "midtrans_server_key": "SB-Mid-server-made-up",
        "quotas": HIGH,
        "untrusted_documents": "allow",
        "keys_database_url": more.get("database_url", nowhere),
        **IN_SMALL,
    }
    return Settings.model_validate({**given, **more})


one_schema_for_all = cache(build_schema)
"""To build it takes longer than most tests do, and nobody changes it."""

documents_for_all = cache(shipped)
"""The same is true of judging documents."""


@asynccontextmanager
async def served(settings: Settings, connect: Connect) -> AsyncIterator[str]:
    """The address of the application, served by the web server with its own options."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gql.app.build_schema", one_schema_for_all)
        if document_files.shipped is shipped:
            patch.setattr(document_files, "shipped", documents_for_all)
        application = create_app(settings, connect)
    async with listening(application, **OPTIONS) as url:
        yield url


@asynccontextmanager
async def running_house(folder: Path, environment: str = "production", **more: object) -> AsyncIterator[House]:
    """The application over ports in memory, with more settings than all have."""
    settings, ports = settings_for(folder, environment, **more), FakePorts()
    tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
    async with served(settings, partial(connected, ports)) as url, aiohttp.ClientSession() as client:
        yield House(ports, tokens, url, client)


def key() -> str:
    """An idempotency key."""
    return str(uuid7())
