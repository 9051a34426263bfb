"""A stage whose webhook answers over real HTTP, with or without the sandbox notifying it."""

import contextlib
from dataclasses import dataclass
from typing import Any

import aiohttp
from starlette.applications import Starlette

from adapters.embedded.database import DatabaseAddresses
from adapters.payments.midtrans import encoded
from adapters.sandbox.listening import listening
from adapters.sandbox.midtrans.bodies import notification_body
from adapters.webhooks import routes
from domain.wallet.model import TopUp
from tests.adapters.midtrans_sandbox import KEY
from tests.builders import Stage, order_of, staged


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


@contextlib.asynccontextmanager
async def opened(database: DatabaseAddresses, *, notified: bool = False, keys: tuple[str, ...] = (KEY,)) -> Any:
    stages: list[Stage] = []
    app = Starlette(routes=routes(lambda: stages[0].ports, keys))
    async with listening(app, lifespan="off") as site:
        url = f"{site}/webhooks/midtrans"
        async with staged(database, notify=url if notified else None) as stage:
            stages.append(stage)
            yield Door(stage, url)
