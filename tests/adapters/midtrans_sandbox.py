"""What the Midtrans tests share: a clock to turn, somebody to notify, and a sandbox with a client at it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import aiohttp
import midtransclient
from aiohttp import web
from midtransclient.config import ApiConfig

from adapters.payments.midtrans_client import MidtransAccess, MidtransGateway
from adapters.sandbox.midtrans import RunningSandbox, SandboxSettings, running_sandbox
from domain.ids import uuid7
from domain.money import Currency, Money
from domain.wallet.gateway import Method, PaymentPage
from tests.waiting import PATIENCE_S

KEY = "SB-Mid-server-of-the-tests"
NEW_KEY = "SB-Mid-server-after-rotation"
FIFTY = Money.whole(50_000, Currency.IDR)


class TurnedClock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 3, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Inbox:
    """A webhook that keeps what it is sent and answers as told: 200 once the told answers are used up."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    location: str = ""
    gate: asyncio.Event | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        status = self.answers.pop(0) if self.answers else 200
        async with self._news:
            self.bodies.append(body)
            self._news.notify_all()
        if self.gate is not None:
            await self.gate.wait()
        return web.Response(status=status, headers={"Location": self.location} if self.location else None)

    async def holds(self, count: int) -> list[bytes]:
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: len(self.bodies) >= count)
        return self.bodies


@contextlib.asynccontextmanager
async def listening_inbox(answers: Iterable[int] = ()) -> AsyncIterator[Inbox]:
    inbox = Inbox(answers=list(answers))
    app = web.Application()
    app.router.add_post("/{tail:.*}", inbox.receive)
    async with _served(app) as url:
        inbox.url = f"{url}/webhooks/midtrans"
        yield inbox


@contextlib.asynccontextmanager
async def answering(status: int, body: bytes, content_type: str = "application/json") -> AsyncIterator[str]:
    """A server that always answers the same."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, body=body, content_type=content_type, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with _served(app) as url:
        yield url


@contextlib.asynccontextmanager
async def _served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        _, port = runner.addresses[0][:2]
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@dataclass
class Bench:
    """A sandbox, a client at it, the inbox that it notifies, the clock of both, and the waits that were asked for."""

    sandbox: RunningSandbox
    gateway: MidtransGateway
    inbox: Inbox
    clock: TurnedClock
    waits: list[float]

    async def page(
        self,
        order_id: str,
        method: Method = Method.BANK_TRANSFER,
        amount: Money = FIFTY,
        request_key: UUID | None = None,
        lifetime: timedelta = timedelta(hours=1),
    ) -> PaymentPage:
        return await self.gateway.open_page(
            order_id,
            amount,
            method,
            request_key=request_key or uuid7(),
            expires_at=self.clock() + lifetime,
            finish_url="http://127.0.0.1:1/done",
        )

    async def drive(self, order_id: str, deed: str, **details: object) -> None:
        status, answer = await self.operate("POST", f"/control/payments/{order_id}/{deed}", details)
        assert status == 200, answer

    async def operate(self, verb: str, path: str, wish: dict[str, object] | None = None) -> tuple[int, Any]:
        async with (
            aiohttp.ClientSession() as operator,
            operator.request(verb, self.sandbox.url + path, json=wish) as answer,
        ):
            return answer.status, await answer.json() if answer.status != 204 else None

    def fault(self, kind: str, **details: object) -> None:
        self.sandbox.account.faults.order({"kind": kind, **details})


@contextlib.asynccontextmanager
async def bench(
    *, timeout_s: float = 5.0, answers: Iterable[int] = (), server_keys: tuple[str, ...] = (KEY,)
) -> AsyncIterator[Bench]:
    clock, waits = TurnedClock(), list[float]()

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    async with listening_inbox(answers) as inbox:
        settings = SandboxSettings(server_keys=server_keys, notification_url=inbox.url, notification_timeout_s=2.0)
        async with running_sandbox(settings, clock=clock, sleep=wait) as sandbox:
            access = MidtransAccess(sandbox.url, sandbox.snap_url, server_keys[-1], timeout_s=timeout_s)
            async with MidtransGateway(access, clock=clock, sleep=wait) as gateway:
                yield Bench(sandbox, gateway, inbox, clock, waits)


class Official:
    """Midtrans' own Python client, pointed at our sandbox; it blocks, so it works in a thread."""

    def __init__(self, sandbox: RunningSandbox, key: str = KEY, headers: dict[str, str] | None = None) -> None:
        config = ApiConfig(server_key=key, custom_headers=headers or {})
        config.CORE_SANDBOX_BASE_URL, config.SNAP_SANDBOX_BASE_URL = sandbox.url, sandbox.snap_url
        self._snap, self._core = midtransclient.Snap(), midtransclient.CoreApi()
        self._snap.api_config = self._core.api_config = config

    async def create(self, order_id: str, **fields: object) -> dict[str, Any]:
        body = {"transaction_details": {"order_id": order_id, "gross_amount": 50_000}, **fields}
        return await self._blocking(self._snap.create_transaction, body)

    async def __call__(self, verb: str, order_id: object, *more: object) -> dict[str, Any]:
        return await self._blocking(getattr(self._core.transactions, verb), order_id, *more)

    async def _blocking(self, call: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
        return await asyncio.to_thread(call, *arguments)
