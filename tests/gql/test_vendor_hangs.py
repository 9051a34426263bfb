"""The gateway hangs: who wants to pay is told so in time, and soon at once; afterwards the same request goes on."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from adapters.breaker import Breaker
from adapters.config import Settings
from adapters.embedded.database import DatabaseAddresses
from adapters.payments.midtrans_client import MidtransAccess, MidtransGateway
from adapters.postgres.database import Database
from adapters.redis.feed import Feed
from adapters.sandbox.midtrans import RunningSandbox, SandboxSettings, running_sandbox
from adapters.wiring import Adapters, plugged, quotas_of
from domain.actor import Actor
from domain.clock import system_clock
from gql.node import global_id
from tests.adapters.midtrans_sandbox import KEY
from tests.gql.house import Reply, key, served, settings_for
from tests.gql.test_on_real_servers import GENEROUS, RealHouse, wallet_of
from tests.identity_parts import knowing_nobody
from tests.servers import Valkey

PATIENCE_S, FAILURES, COOL_DOWN_S = 0.3, 4, 60.0
BUDGET_S = 2 * PATIENCE_S
"""A page whose answer is lost is asked for once more."""
SLACK_S = 2.0
"""For a machine that has other things to do."""
PAY = """
mutation ($input: StartTopUpInput!) {
  startTopUp(input: $input) { __typename ... on TopUp { id state redirectUrl } ... on Refusal { code } }
}
"""


@dataclass
class Vendor:
    """The gateway's sandbox, and the watch of our breaker."""

    sandbox: RunningSandbox
    seconds: float = 0.0
    adapters: list[Adapters] = field(default_factory=list)

    @property
    def pages_asked_for(self) -> int:
        return self.sandbox.account.calls["snap.create"]

    @asynccontextmanager
    async def connect(self, settings: Settings) -> AsyncIterator[Adapters]:
        access = MidtransAccess(self.sandbox.url, self.sandbox.snap_url, KEY, timeout_s=PATIENCE_S)
        breaker = partial(Breaker, failures=FAILURES, cool_down_s=COOL_DOWN_S, clock=lambda: self.seconds)
        async with (
            Database(settings.database_url.get_secret_value()) as database,
            Feed(settings.redis_url.get_secret_value()).running() as feed,
            quotas_of(settings, database).running() as quotas,
            MidtransGateway(access, breaker=breaker) as gateway,
            plugged(
                database, feed, {"midtrans": gateway}, GENEROUS, system_clock, quotas, knowing_nobody()
            ) as ports,
            ports.standings.running(),
        ):  # fmt: skip
            self.adapters.append(ports)
            yield ports


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    async with running_sandbox(SandboxSettings(server_keys=(KEY,))) as sandbox:
        yield Vendor(sandbox)


async def test_while_the_vendor_hangs_everybody_is_answered_in_time(
    tmp_path: Path, database: DatabaseAddresses, valkey: Valkey, vendor: Vendor
) -> None:
    settings = settings_for(tmp_path, "production", database_url=database.app_url, redis_url=valkey.url)
    async with served(settings, vendor.connect) as url, aiohttp.ClientSession() as client:
        house = RealHouse(settings, url, client, vendor.adapters[0])
        me = await house.enroll()
        wallet = global_id("Wallet", await wallet_of(house, me))
        vendor.sandbox.account.faults.order(
            {"kind": "time_out", "call": "snap.create", "times": 1_000, "seconds": 3600}
        )
        first, took, answers = key(), list[float](), list[Reply]()
        for _ in range(FAILURES // 2):
            began = time.perf_counter()
            answers.append(await pay(house, me, wallet, first if not answers else key()))
            took.append(time.perf_counter() - began)
        assert [answer.codes for answer in answers] == [["UNAVAILABLE"]] * len(answers)
        assert vendor.pages_asked_for == FAILURES, "each was asked for twice"
        assert min(took) >= PATIENCE_S
        assert max(took) < BUDGET_S + SLACK_S

        began = time.perf_counter()
        spared = await asyncio.gather(*(pay(house, me, wallet, key()) for _ in range(20)))
        assert [answer.codes for answer in spared] == [["UNAVAILABLE"]] * len(spared)
        assert vendor.pages_asked_for == FAILURES, "nobody was asked"
        assert (time.perf_counter() - began) < 20 * PATIENCE_S
        assert (await house.ask("{ viewer { wallets { id } } }", me)).data == {"viewer": {"wallets": [{"id": wallet}]}}

        vendor.sandbox.account.faults.clear()
        vendor.seconds += COOL_DOWN_S
        found = (await pay(house, me, wallet, first)).data["startTopUp"]
        assert (found["__typename"], found["state"]) == ("TopUp", "PENDING")
        assert found["redirectUrl"].startswith(vendor.sandbox.url)
        assert (await pay(house, me, wallet, first)).data["startTopUp"] == found


async def pay(house: RealHouse, me: Actor, wallet: str, idempotency_key: str) -> Reply:
    """What who wants to pay is told."""
    given = {"walletId": wallet, "amount": {"amount": "50000", "currency": "IDR"}, "method": "QRIS",
             "idempotencyKey": idempotency_key}  # fmt: skip
    return await house.ask(PAY, me, input=given)
