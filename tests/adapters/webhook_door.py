"""A stage whose webhook answers over real HTTP, with or without the sandbox notifying it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import uvicorn
from starlette.applications import Starlette

from adapters.embedded.database import DatabaseAddresses
from adapters.payments.midtrans import encoded
from adapters.sandbox.midtrans.bodies import notification_body
from adapters.webhooks import routes
from domain.wallet.model import TopUp
from tests.adapters.midtrans_sandbox import KEY
from tests.builders import Stage, order_of, staged
from tests.waiting import eventually


@dataclass
class Door:
    """A stage whose sandbox notifies a webhook of ours."""

    stage: Stage
    url: str

    async def post(self, body: bytes, **headers: str) -> int:
        async with aiohttp.ClientSession() as sender, sender.post(self.url, data=body, headers=headers) as answer:
            assert (await answer.json()).keys() == {"result"}
            return answer.status

    def letter(self, top_up: TopUp, key: str = KEY, **changes: object) -> bytes:
        """A notification about how the payment stands now, as Midtrans would send it."""
        payment = self.stage.sandbox.account.find(order_of(top_up))
        assert payment is not None
        return encoded(notification_body(payment, key) | changes)

    async def rows(self) -> list[Any]:
        found: list[Any] = await self.stage.ports.database.pool.fetch("select * from inbox order by id")
        return found


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: Starlette) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1, ws="none"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await eventually(lambda: server.started)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks/midtrans"
        finally:
            server.should_exit = True
            await task


@contextlib.asynccontextmanager
async def opened(database: DatabaseAddresses, *, notified: bool = False, keys: tuple[str, ...] = (KEY,)) -> Any:
    stages: list[Stage] = []
    app = Starlette(routes=routes(lambda: stages[0].ports, keys))
    async with serving(app) as url, staged(database, notify=url if notified else None) as stage:
        stages.append(stage)
        yield Door(stage, url)
