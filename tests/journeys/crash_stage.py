"""A stage on which processes die: a database, a gateway that lives on, and a clock that the story puts forward.

Whoever pays, and the gateway, are the world outside: what they have done stays done. A client whose connection breaks
sends the same request again. A notification that found nobody is not sent again: the sweep must do without.
"""

import asyncio
import json
import os
import re
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
from joserfc.jwk import ECKey
from redis.asyncio import Redis

from adapters.embedded.database import DatabaseAddresses, make_database
from adapters.identity.tokens import Tokens
from adapters.postgres.audit import audit
from adapters.postgres.seal import Head, exported_heads
from adapters.postgres.work import PostgresWork
from adapters.sandbox.midtrans import RunningSandbox, SandboxSettings, running_sandbox
from adapters.sandbox.midtrans.payments import Payment
from domain.actor import Actor
from tests.fake_quotas import HIGH
from tests.identity_settings import IN_SMALL
from tests.journeys import asking
from tests.journeys.ledger_door import at_the_ledger
from tests.journeys.mortal import DIED
from tests.journeys.nursery import Doom, Life, Nursery, Point
from tests.people import Enrolled, enroll
from tests.servers import PASSWORDS, Addresses, drop_database
from tests.waiting import PATIENCE_S, eventually

EVERYWHERE = os.environ.get("CRASH_MATRIX") == "all"
SERVER_KEY = "SB-Mid-server-of-the-tests"
SEAL_KEY = "5e" * 32
_CONNECTION_LOST = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)
_PERSON = re.compile(r"person:[0-9a-f-]{36}")
_OF_OURS = re.compile(r"(brand|campaign|participation|earnings|dispute|streamer|screens):[0-9a-f-]{36}")

_JOURNAL = """
select operation::text, kind::text, refusal::text, line, amount,
    s.owner || ' ' || s.purpose as source, t.owner || ' ' || t.purpose as target,
    source_seq, source_posted, source_held, target_seq, target_posted, target_held
from journal left join account s on s.id = source left join account t on t.id = target order by journal.position
"""
_BALANCES = """
select owner || ' ' || purpose as account, currency, coalesce(sum(change), 0)::bigint as balance
from account left join (
    select source as id, -amount as change from journal
    where refusal is null and operation in ('move', 'capture', 'reverse')
    union all
    select target, amount from journal where refusal is null and operation in ('move', 'capture', 'reverse')
) as moved using (id) group by 1, 2 order by 1, 2
"""
_TOP_UPS = (
    "select id, state, amount, method, credited, taken_back, review is not null as review from top_up order by id"
)
_CAMPAIGNS = (
    "select state, version, seq, launched_at is not null, ended_at is not null, emptied_at is not null from campaign"
    " order by created_at"
)
_MINUTES = """
select state, reason, viewers, before_minutes, before_gross, earned, take, withheld, added, kept_gross
from earning_minute order by minute
"""
_HOURS = """
select sum(seconds)::bigint, sum(impressions)::bigint, sum(viewer_minutes)::bigint, sum(gross)::bigint,
    sum(cost)::bigint, sum(returned)::bigint from earning_hour
"""
_RECEIVED = """
select top_up, received, credited, fee, taken_back from top_up_attempt where received is not null order by order_id
"""
_EVENTS = "select topic, name from event order by topic, number, recorded_at, id"
_HOLDS = """
select remaining from hold
order by (select min(position) from journal where journal.transaction_id = hold.transaction_id), line
"""
_TOLD = """
select not exists (select from event where number is null or published_at is null)
    and (exists (select from relay_mark) or not exists (select from journal))
    and coalesce((select max(last_position) from seal), 0)
        = greatest((select max(position) from journal), (select max(position) from account_change), 0)
"""
_TOPICS = """
select topic, number from topic_head
union all select 'wallet:' || id, seq from account where seq > 0
"""


class Clock:
    """The time of everybody in a story, gateway included, shared by a file."""

    def __init__(self, file: Path) -> None:
        self._file, self.ahead = file, timedelta()
        self.turn(timedelta())

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def turn(self, by: timedelta) -> None:
        self.ahead += by
        self._file.write_text(str(self.ahead.total_seconds()))


@dataclass
class CrashStage:
    """One run of one story."""

    nursery: Nursery
    folder: Path
    database: DatabaseAddresses
    connection: asyncpg.Connection
    redis: Redis
    sandbox: RunningSandbox
    clock: Clock
    gateway_clock: Clock
    client: aiohttp.ClientSession
    settings: dict[str, object]
    doom: Doom | None
    enrolled: Enrolled
    lives: int = 0
    died: bool = False
    points: list[Point] = field(default_factory=list)
    _server: Life | None = None

    @property
    def me(self) -> Actor:
        """The client."""
        return self.enrolled.actor

    async def begin(self, role: str) -> Life:
        """A process in a role; it dies if this is the life to die in."""
        self.lives += 1
        doom = self.doom if self.doom and self.doom.point.life == self.lives else None
        return await self.nursery.beget(role, self.settings, self.folder, self._passed(self.lives), doom)

    def _passed(self, life: int) -> Path:
        return self.folder / f"passed-{life}"

    def _all_points(self) -> list[Point]:
        return [
            Point(life, *json.loads(line))
            for life in range(1, self.lives + 1)
            if self._passed(life).exists()
            for line in self._passed(life).read_text().splitlines()
        ]

    @asynccontextmanager
    async def armed(self) -> AsyncIterator[None]:
        """What happens in here is the story's own part, whose points are to die at; CRASH_MATRIX=all takes them all."""
        before = set() if EVERYWHERE else set(self._all_points())
        yield
        self.points += [point for point in self._all_points() if point not in before and point not in self.points]

    async def close_server(self) -> None:
        if self._server is not None and not self._server.ended.done():
            kill(await self._server.born)
            await self._server.ended
        self._server = None

    async def awake(self) -> None:
        """See to it that a server answers."""
        if self._server is None:
            self._server = await self.begin("serve")
        await eventually(self._answers)

    async def _answers(self) -> bool:
        assert self._server is not None
        if self._server.ended.done():
            self._note_death(self._server.ended.result())
            self._server = await self.begin("serve")
        try:
            async with self.client.get(f"{self.settings['public_url']}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientConnectionError:
            return False

    def _note_death(self, status: int) -> None:
        assert status == DIED, f"exit status {status}: {(self.folder / 'lives.log').read_text()[-4000:]}"
        assert not self.died, "one death was ordered"
        self.died = True

    async def _reap(self) -> None:
        """After a broken connection: the server must have died as ordered."""
        assert self._server is not None
        async with asyncio.timeout(PATIENCE_S):
            status = await self._server.ended
        self._note_death(status)
        self._server = None

    async def ask(self, query: str, by: Enrolled | None = None, **variables: object) -> dict[str, Any]:
        """A request of the client, or of somebody else; sent again, the same one, when the server has died under it."""
        tokens = Tokens.of_file(self.folder / "token-key.pem", str(self.settings["public_url"]))
        headers = {"Authorization": f"Bearer {(by or self.enrolled).token(tokens, timedelta(days=30))}"}
        for _ in range(3):
            await self.awake()
            try:
                async with self.client.post(
                    f"{self.settings['public_url']}/graphql",
                    json={"query": query, "variables": variables}, headers=headers,
                ) as answer:  # fmt: skip
                    found: dict[str, Any] = await answer.json()
                    return found
            except _CONNECTION_LOST:
                await self._reap()
        raise AssertionError("the server dies again and again")

    async def told(self, query: str, by: Enrolled | None = None, **variables: object) -> Any:
        """The only field of an answer without errors."""
        found = await self.ask(query, by, **variables)
        assert "errors" not in found, found
        (answer,) = found["data"].values()
        return answer

    async def wallet(self) -> str:
        given = {"purpose": "HOSTING_CREDIT", "currency": "IDR"}
        id_: str = (await self.told(asking.OPEN_WALLET, input=given))["id"]
        return id_

    async def start(self, wallet: str, units: int = 50_000) -> dict[str, Any]:
        """Start a top-up and get it its page, by the sweep if the client got none."""
        wish = asking.wanted(wallet, secrets.token_hex(8), units)
        found = await self.ask(asking.START, input=wish)
        for _ in range(4):
            if "errors" not in found and (top_up := found["data"]["startTopUp"]).get("state") != "REQUESTED":
                return dict(top_up)
            await self.sweep(timedelta(seconds=70))
            found = await self.ask(asking.START, input=wish)
        raise AssertionError(f"no page: {found}")

    def payment(self) -> Payment:
        """The newest payment at the gateway."""
        return list(self.sandbox.account)[-1]

    def add_a_payment_of_somebody_else(self) -> None:
        """The gateway will tell us of an order that is not ours."""
        url, now = f"{self.settings['public_url']}/webhooks/midtrans", self.gateway_clock()
        day = timedelta(days=1)
        theirs = Payment("somebody-elses-1", "a-token", 50_000, ["bca_va"], now, now + day, now + day, notify=[url])
        self.sandbox.account.add(theirs)

    async def pay(self) -> None:
        """The payer pays on the newest page; the notification finds the server, or nobody."""
        await self.awake()
        self.sandbox.account.pay(self.payment())
        await self.notified()

    async def notified(self) -> list[int | None]:
        """Wait until what the gateway has to tell was told; what it was answered."""
        notifier = self.sandbox.account.notifier
        await eventually(lambda: not notifier.busy)
        answers = [delivery.status for delivery in notifier.deliveries]
        if None in answers and not self.died:
            await self._reap()
        return answers

    async def sweep(self, by: timedelta) -> None:
        """Put the clock forward and run every job once; again if the process dies."""
        self.clock.turn(by)
        self.gateway_clock.turn(by)
        await self.once("sweep")

    async def once(self, role: str) -> None:
        """A role that ends by itself."""
        for _ in range(2):
            life = await self.begin(role)
            async with asyncio.timeout(PATIENCE_S):
                status = await life.ended
            if status == 0:
                return
            self._note_death(status)
        raise AssertionError("it died twice")

    async def tell(self) -> None:
        """Let a worker tell and seal until nothing is left."""
        life = await self.begin("tell")
        doomed = self.doom is not None and self.doom.point.life == self.lives

        async def done() -> bool:
            nonlocal life
            if life.ended.done():
                self._note_death(life.ended.result())
                life = await self.begin("tell")
            return await self._all_told() and (self.died or not doomed)

        await eventually(done)
        kill(await life.born)
        await life.ended

    async def _all_told(self) -> bool:
        if not await self.connection.fetchval(_TOLD):
            return False
        for topic, number in await self.connection.fetch(_TOPICS):
            last = await self.redis.xrevrange(topic, count=1)
            if not last or last[0][0] != f"{number}-0".encode():
                return False
        number = await self.connection.fetchval("select max(number) from seal")
        if number is None:
            return True
        is_exported = [head.number for head in self._exported()][-1:] == [number]
        return is_exported and any(point.place == "seal._append" for point in self._all_points())

    def _exported(self) -> list[Head]:
        """The heads in the exported file, which the sealer makes empty before it writes the first."""
        heads = self.folder / "heads"
        return exported_heads(heads) if heads.exists() else []

    def at_the_ledger(self) -> AbstractAsyncContextManager[PostgresWork]:
        """A unit of work of another part of the product, which nobody kills."""
        return at_the_ledger(self.database)

    async def outcome(self) -> dict[str, Any]:
        """Everything that must be the same whatever died: no ids, no times."""
        topics: dict[str, list[str]] = {}
        for topic, name in await self.connection.fetch(_EVENTS):
            topics.setdefault(topic, []).append(name)
        rows = await self.connection.fetch(_TOP_UPS)
        numbers = {row["id"]: number for number, row in enumerate(rows, 1)}
        received = [dict(row) for row in await self.connection.fetch(_RECEIVED)]
        return {
            "balances": [_anonymous(row) for row in await self.connection.fetch(_BALANCES)],
            "journal": [_anonymous(row) for row in await self.connection.fetch(_JOURNAL)],
            "holds": [tuple(row) for row in await self.connection.fetch(_HOLDS)],
            "top-ups": [tuple(row)[1:] for row in rows],
            "received": [(numbers[row.pop("top_up")], *row.values()) for row in received],
            "campaigns": [tuple(row) for row in await self.connection.fetch(_CAMPAIGNS)],
            "minutes": [tuple(row) for row in await self.connection.fetch(_MINUTES)],
            "hours": [tuple(row) for row in await self.connection.fetch(_HOURS)],
            "events": sorted(
                (str(numbers.get(_of(topic), _nameless(topic))), names) for topic, names in topics.items()
            ),
        }

    async def audited(self) -> list[str]:
        """What an audit finds wrong."""
        report = await audit(self.connection, bytes.fromhex(SEAL_KEY), self._exported())
        return [str(finding) for finding in report.findings]


def _of(topic: str) -> UUID:
    return UUID(topic.partition(":")[2])


def _anonymous(row: asyncpg.Record) -> tuple[object, ...]:
    return tuple(_nameless(value) if isinstance(value, str) else value for value in row)


def _nameless(text: str) -> str:
    return _OF_OURS.sub(r"\1", _PERSON.sub("me", text))


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def never(_: float) -> None:
    """The gateway does not try its notifications again while a story lasts."""
    await asyncio.Event().wait()


def _make(folder: Path) -> None:
    folder.mkdir()
    (folder / "token-key.pem").write_bytes(ECKey.generate_key("P-256").as_pem(private=True))


@asynccontextmanager
async def crash_stage(
    nursery: Nursery, servers: Addresses, valkey_url: str, folder: Path, doom: Doom | None, given: Mapping[str, object]
) -> AsyncIterator[CrashStage]:
    """A stage of one run's own."""
    _make(folder)
    clock, gateway_clock = Clock(folder / "clock"), Clock(folder / "gateway-clock")
    name = f"crash_{secrets.token_hex(6)}"
    database = await make_database(servers.superuser_url, name, PASSWORDS, template=servers.template)
    connection = await asyncpg.connect(database.superuser_url)
    kept_port = socket.socket()
    kept_port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    kept_port.bind(("127.0.0.1", 0))
    port = kept_port.getsockname()[1]
    async with (
        Redis.from_url(valkey_url) as redis,
        running_sandbox(SandboxSettings((SERVER_KEY,)), clock=gateway_clock, sleep=never) as sandbox,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as client,
    ):
        await redis.flushdb()
        settings: dict[str, object] = {
            "environment": "production", "database_url": database.app_url, "redis_url": valkey_url,
            "seal_key": SEAL_KEY, "seal_head_file": str(folder / "heads"),
            "token_key_file": str(folder / "token-key.pem"), "port": port, "public_url": f"http://127.0.0.1:{port}",
            "midtrans_server_key": SERVER_KEY, "midtrans_snap_url": sandbox.snap_url,
            "midtrans_core_url": sandbox.url, "keys_database_url": database.app_url, "quotas": HIGH,
            "untrusted_documents": "allow", **IN_SMALL, **given,
        }  # fmt: skip
        stage = CrashStage(
            nursery, folder, database, connection, redis, sandbox, clock, gateway_clock, client, settings, doom,
            await enroll(connection),
        )  # fmt: skip
        try:
            yield stage
        finally:
            await stage.close_server()
            kept_port.close()
            await connection.close()
            await drop_database(servers.superuser_url, name)
