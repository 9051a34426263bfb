"""A whole Gametriggers as real processes: server, worker and the gateway's other side, on ports of this machine."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import aiohttp
import asyncpg
from joserfc.jwk import ECKey

from adapters.config import ROOT
from adapters.embedded import ports, processes
from adapters.embedded.database import DatabaseAddresses
from adapters.embedded.processes import Command
from adapters.embedded.valkey import EmbeddedValkey
from adapters.identity.tokens import Tokens
from adapters.postgres.audit import audit
from adapters.postgres.seal import exported_heads
from domain.actor import Actor
from domain.ids import PersonId
from gql.scalars import plain
from tests.fake_quotas import HIGH
from tests.gql.house import PROTOCOL, RESPONSE, Reply, Socket
from tests.identity_settings import IDENTITY
from tests.journeys import asking
from tests.people import Enrolled, enroll

SERVER_KEY = "SB-Mid-server-of-the-tests"
SEAL_KEY = "5e" * 32
_READY_S = 60.0
_OURS = {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}


@dataclass
class House:
    """The processes and where they are. Its verbs return when what they start is ready."""

    folder: Path
    database: DatabaseAddresses
    valkey: EmbeddedValkey
    more: Mapping[str, str] = field(default_factory=dict)
    times_faster: float = 1.0
    port: int = field(default_factory=ports.any_free)
    sandbox_port: int = field(default_factory=ports.any_free)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "token-key.pem").write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
        self.tokens = Tokens.of_file(self.folder / "token-key.pem", self.url)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name in _OURS} | {
            "ENVIRONMENT": "production", "DATABASE_URL": self.database.app_url, "REDIS_URL": self.valkey.url,
            "SEAL_KEY": SEAL_KEY, "SEAL_HEAD_FILE": str(self.folder / "heads"),
            "TOKEN_KEY_FILE": str(self.folder / "token-key.pem"), "PORT": str(self.port), "PUBLIC_URL": self.url,
            "ASSET_FOLDER": str(self.folder / "assets"),
            "MIDTRANS_SERVER_KEY": SERVER_KEY, "MIDTRANS_SNAP_URL": f"{self.sandbox_url}/snap/v1",
            "MIDTRANS_CORE_URL": self.sandbox_url, "QUOTAS": HIGH, "KEYS_DATABASE_URL": self.database.app_url,
            "UNTRUSTED_DOCUMENTS": "allow", **IDENTITY, **self.more,
        }  # fmt: skip

    def start(self) -> "House":
        """Everything at once, for each takes a second or two to begin."""
        far_side = ["-m", "tests.journeys.far_side", str(self.sandbox_port), SERVER_KEY, str(self.times_faster)]
        self.run("sandbox", *far_side)
        self.run("worker", "-m", "adapters.cli", "work")
        self.start_server()
        self.until(lambda: ports.answers(self.sandbox_port))
        self.until(lambda: "worker_runs" in self.log("worker"))
        return self

    def start_server(self) -> None:
        self.run("server", "-m", "adapters.cli", "serve")
        self.until(self.serves)

    def start_worker(self, name: str) -> None:
        """One more worker."""
        self.run(name, "-m", "adapters.cli", "work")
        self.until(lambda: "worker_runs" in self.log(name))

    def run(self, name: str, *arguments: str) -> None:
        """Start a process under a name."""
        command = Command([sys.executable, *arguments], ROOT, self.environment)
        self.running[name] = processes.start(command, self.folder / f"{name}.log")

    def kill(self, name: str) -> None:
        """As a crash would."""
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End what still runs, all at once."""
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            processes.end(process, signal.SIGTERM)

    def log(self, name: str) -> str:
        """What a process has written so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def serves(self) -> bool:
        try:
            with urlopen(f"{self.url}/readyz", timeout=2) as answer:  # noqa: S310  # our own server
                return bool(answer.status == 200)
        except OSError:
            return False

    def until(self, ready: Any) -> None:
        """Wait for a condition, and tell whose log to read if a process ended instead."""

        def ended() -> list[str]:
            return [name for name, process in self.running.items() if process.poll() is not None]

        assert processes.wait_until(lambda: bool(ended()) or ready(), _READY_S), "not ready in time"
        assert not ended(), "\n".join(self.log(name)[-3000:] for name in ended())


@dataclass(frozen=True)
class Person:
    """Somebody with a wallet of hosting credit."""

    actor: Actor
    wallet: str

    @property
    def account(self) -> str:
        return self.actor.owner


def order_of(top_up: Mapping[str, Any], number: int = 1) -> str:
    """What the gateway calls a top-up that a client sees."""
    return f"{plain(top_up['id']).partition(':')[2]}-{number}"


@dataclass
class Journey:
    """A visit to the house: what clients, payers and auditors do."""

    house: House
    client: aiohttp.ClientSession
    connection: asyncpg.Connection
    enrolled: dict[PersonId, Enrolled] = field(default_factory=dict)
    enrolling: asyncio.Lock = field(default_factory=asyncio.Lock)

    def token(self, actor: Actor, lifetime: timedelta = timedelta(minutes=15)) -> str:
        return self.enrolled[actor.person].token(self.house.tokens, lifetime)

    async def enroll(self, **wishes: Any) -> Enrolled:
        """Somebody new who is signed in. Journeys do this at once, and a connection does one thing at a time."""
        async with (
            self.enrolling,
            asyncpg.create_pool(self.house.database.superuser_url, min_size=1, max_size=1) as own,
        ):
            found = await enroll(own, **wishes)
        self.enrolled[found.person] = found
        return found

    async def ask(self, actor: Actor | None, query: str, **variables: object) -> Reply:
        headers = {"Accept": RESPONSE}
        if actor is not None:
            if actor.person not in self.enrolled:
                await self.enroll(person=actor.person)
            headers["Authorization"] = f"Bearer {self.token(actor)}"
        return await self.request("POST", "/graphql", json={"query": query, "variables": variables}, headers=headers)

    async def request(self, method: str, path: str, **options: Any) -> Reply:
        async with self.client.request(method, self.house.url + path, **options) as answer:
            return Reply(answer.status, answer.headers, await answer.text())

    async def told(self, person: Person, query: str, **variables: object) -> Any:
        """The only field of an answer without errors."""
        (found,) = (await self.ask(person.actor, query, **variables)).data.values()
        return found

    async def somebody(self) -> Person:
        actor = (await self.enroll()).actor
        given = {"purpose": "HOSTING_CREDIT", "currency": "IDR"}
        made = await self.ask(actor, asking.OPEN_WALLET, input=given)
        return Person(actor, made.data["openWallet"]["id"])

    async def start(self, person: Person, units: int = 50_000, key: str | None = None, **changes: Any) -> Any:
        wish = asking.wanted(person.wallet, key or secrets.token_hex(8), units) | changes
        return await self.told(person, asking.START, input=wish)

    async def press(self, page: str, button: str = "pay") -> str:
        """A payer looks at the page and presses a button; what the page then says."""
        async with self.client.get(page) as shown:
            assert shown.status == 200
            assert button in await shown.text()
        async with self.client.post(page, data={"button": button}) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.text()

    async def operate(self, verb: str, path: str, wish: Mapping[str, object] | None = None) -> Any:
        """The operator's side of the gateway."""
        async with self.client.request(verb, f"{self.house.sandbox_url}/control{path}", json=wish) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json() if answer.status != 204 else None

    @asynccontextmanager
    async def conversation(self, person: Person, lifetime: timedelta = timedelta(minutes=15)) -> AsyncIterator[Socket]:
        """A socket that has been let in."""
        async with self.client.ws_connect(self.house.url + "/graphql", protocols=(PROTOCOL,)) as raw:
            socket = Socket(raw)
            payload = {"Authorization": f"Bearer {self.token(person.actor, lifetime)}"}
            await socket.send({"type": "connection_init", "payload": payload})
            assert await socket.next() == {"type": "connection_ack"}
            yield socket

    async def marks(self, person: Person) -> tuple[object, ...]:
        """What a refusal must leave alone: a person's entries, events and top-ups, and all calls that open a page."""
        query = """
select (select count(*) from journal where source = any(mine) or target = any(mine)),
    (select count(*) from top_up where person = $2), (select count(*) from top_up_attempt where top_up = any(theirs)),
    (select count(*) from event where (body->>'top_up')::uuid = any(theirs))
from (select array(select id from account where owner = $1) as mine,
    array(select id from top_up where person = $2) as theirs) as of
"""
        found = await self.connection.fetchrow(query, person.actor.owner, person.actor.person)
        calls = await self.operate("GET", "/calls")
        return (*found, calls.get("snap.create", 0), calls.get("core.cancel", 0))

    async def all_marks(self) -> tuple[object, ...]:
        """What nothing may change that is refused: everybody's rows, and every call of the gateway."""
        query = """
select (select count(*) from journal), (select count(*) from account), (select count(*) from event),
    (select count(*) from top_up), (select sum(version) from top_up_attempt)
"""
        return (*await self.connection.fetchrow(query), await self.operate("GET", "/calls"))

    async def audited(self) -> None:
        """Fails with the first wrong row of the ledger, if there is one."""
        heads = self.house.folder / "heads"
        report = await audit(self.connection, bytes.fromhex(SEAL_KEY), exported_heads(heads) if heads.exists() else [])
        assert report.clean, report.findings


@asynccontextmanager
async def visiting(house: House) -> AsyncIterator[Journey]:
    """A visit; the ledger is audited when it is over."""
    connection = await asyncpg.connect(house.database.superuser_url)
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as client:
            journey = Journey(house, client, connection)
            yield journey
            await journey.audited()
    finally:
        await connection.close()
