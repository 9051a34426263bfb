"""Things that tests need, with defaults: a whole wallet on real servers, and paper ones for pure rules."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp

from adapters.breaker import Breaker
from adapters.embedded.database import DatabaseAddresses
from adapters.payments.midtrans_client import MidtransAccess, MidtransGateway
from adapters.postgres.database import Database
from adapters.redis.feed import Feed
from adapters.sandbox.midtrans import RunningSandbox, SandboxSettings, running_sandbox
from adapters.wiring import Adapters, plugged
from domain.actor import Actor
from domain.ids import AccountId, PersonId, uuid7
from domain.ledger.chart import Purpose
from domain.ledger.model import AccountKey
from domain.money import Currency, Money
from domain.wallet.actions import confirm_top_up, open_wallet, start_top_up
from domain.wallet.gateway import Gateway, Method, PaymentState, PaymentStatus, TakenBack
from domain.wallet.model import Attempt, TopUp, TopUpId, TopUpState
from domain.wallet.policy import TopUpPolicy
from tests.adapters.midtrans_sandbox import KEY, TurnedClock
from tests.fake_quotas import HIGH_QUOTAS, FakeQuotas
from tests.identity_parts import knowing_nobody

IDR = Currency.IDR
FIFTY = Money.whole(50_000, IDR)
CLEARING = AccountKey("gateway:midtrans", Purpose.GATEWAY_CLEARING, IDR)
FEES = AccountKey("platform", Purpose.FEES, IDR)
BANK = AccountKey("platform", Purpose.BANK, IDR)
UNALLOCATED = AccountKey("platform", Purpose.UNALLOCATED, IDR)


def rupiah(units: int) -> Money:
    return Money.whole(units, IDR)


def owner_of(actor: Actor, purpose: Purpose = Purpose.HOSTING_CREDIT) -> AccountKey:
    return AccountKey(actor.owner, purpose, IDR)


@dataclass
class Stage:
    """The wallet on a real database, with the sandbox as its gateway and one clock for all."""

    ports: Adapters
    sandbox: RunningSandbox
    gateway: MidtransGateway
    clock: TurnedClock

    async def somebody(self) -> tuple[Actor, AccountId]:
        """A new person with a wallet of hosting credit."""
        actor = Actor(PersonId(uuid7()))
        return actor, await self.wallet(actor)

    async def wallet(
        self, actor: Actor, purpose: Purpose = Purpose.HOSTING_CREDIT, currency: Currency = IDR
    ) -> AccountId:
        wallet = await open_wallet(self.ports, actor, purpose, currency)
        assert isinstance(wallet, int)
        return wallet

    async def started(
        self,
        actor: Actor,
        wallet: AccountId,
        amount: Money = FIFTY,
        method: Method = Method.BANK_TRANSFER,
        key: str | None = None,
    ) -> TopUp:
        found = await start_top_up(self.ports, actor, wallet, amount, method, key or str(uuid7()))
        assert isinstance(found, TopUp), found
        return found

    async def settled(self, actor: Actor, wallet: AccountId, amount: Money = FIFTY) -> TopUp:
        """A top-up that is paid and credited."""
        top_up = await self.started(actor, wallet, amount)
        await self.drive(top_up, "pay")
        return await self.confirmed(top_up)

    async def confirmed(self, top_up: TopUp, number: int = 1) -> TopUp:
        found = await confirm_top_up(self.ports, order_of(top_up, number))
        assert found is not None
        return found

    async def drive(self, top_up: TopUp, deed: str, number: int = 1, **details: object) -> None:
        """Let something happen to the payment at the gateway."""
        await self.operate("POST", f"/control/payments/{order_of(top_up, number)}/{deed}", details)

    async def operate(self, verb: str, path: str, wish: Mapping[str, object] | None = None) -> Any:
        async with (
            aiohttp.ClientSession() as operator,
            operator.request(verb, self.sandbox.url + path, json=wish) as answer,
        ):
            assert answer.status < 300, await answer.text()
            return await answer.json() if answer.status != 204 else None

    def fault(self, kind: str, **details: object) -> None:
        self.sandbox.account.faults.order({"kind": kind, **details})

    async def calls(self) -> Counter[str]:
        """How often each call of the gateway was made."""
        return Counter(await self.operate("GET", "/control/calls"))

    async def again(self, top_up: TopUp) -> TopUp:
        """The top-up as it is stored now."""
        return (await self.ports.top_ups.top_ups_by_id([top_up.id]))[top_up.id]

    async def balances(self) -> dict[AccountKey, int]:
        """Every account's balance from entries alone, in whole rupiah; their sum is nothing."""
        found = dict(await self.ports.books.trial_balance())
        totals = Counter[Currency]()
        for account, posted in found.items():
            totals[account.currency] += posted
        assert not any(totals.values()), totals
        return {account: posted // 100 if account.currency is IDR else posted for account, posted in found.items()}

    async def balance(self, account: AccountKey) -> int:
        return (await self.balances()).get(account, 0)

    async def events(self) -> list[str]:
        """Names of the events so far, oldest first."""
        rows = await self.ports.database.pool.fetch("select name from event order by recorded_at, id")
        return [row["name"] for row in rows]

    async def journal(self) -> int:
        """How many rows the journal has."""
        return int(await self.ports.database.pool.fetchval("select count(*) from journal"))

    async def marks(self) -> tuple[int, int, int, Counter[str]]:
        """What a refusal must leave alone: journal, events, top-ups, calls of the gateway."""
        count = "select (select count(*) from event), (select count(*) from top_up)"
        events, top_ups = await self.ports.database.pool.fetchrow(count)
        return await self.journal(), events, top_ups, await self.calls()

    def with_gateway(self, gateway: Gateway) -> Adapters:
        """The same ports with another gateway."""
        return replace(self.ports, gateways={"midtrans": gateway})


@asynccontextmanager
async def staged(
    addresses: DatabaseAddresses,
    *,
    policy: TopUpPolicy | None = None,
    server_keys: tuple[str, ...] = (KEY,),
    notify: str | None = None,
    timeout_s: float = 5.0,
) -> AsyncIterator[Stage]:
    clock = TurnedClock()

    async def at_once(_: float) -> None:
        """Nothing of the sandbox waits here: the clock stands still."""

    settings = SandboxSettings(server_keys=server_keys, notification_url=notify, notification_timeout_s=5.0)
    async with (
        running_sandbox(settings, clock=clock, sleep=at_once) as sandbox,
        MidtransGateway(
            MidtransAccess(sandbox.url, sandbox.snap_url, server_keys[-1], timeout_s=timeout_s),
            clock=clock,
            sleep=at_once,
            breaker=lambda: Breaker(failures=10_000),
        ) as gateway,
        Database(addresses.app_url) as database,
        plugged(
            database,
            Feed("redis://127.0.0.1:1"),
            {"midtrans": gateway},
            policy or TopUpPolicy(),
            clock,
            FakeQuotas(clock, HIGH_QUOTAS),
            knowing_nobody(),
        ) as ports,
    ):
        yield Stage(ports, sandbox, gateway, clock)


def order_of(top_up: TopUp, number: int = 1) -> str:
    return f"{top_up.id}-{number}"


def paper_top_up(amount: Money = FIFTY, state: TopUpState = TopUpState.PENDING) -> TopUp:
    now = TurnedClock()()
    person = PersonId(uuid7())
    return TopUp(
        id=TopUpId(uuid7()), person=person, wallet=AccountId(1),
        account=AccountKey(f"person:{person}", Purpose.HOSTING_CREDIT, amount.currency), amount=amount,
        method=Method.BANK_TRANSFER, gateway="midtrans", state=state, credited=Money.zero(amount.currency),
        taken_back=Money.zero(amount.currency), redirect_url="http://127.0.0.1/pay", created_at=now,
        expires_at=now + timedelta(hours=24), review=None,
    )  # fmt: skip


def paper_attempt(top_up: TopUp, number: int = 1) -> Attempt:
    return Attempt(
        order_of(top_up, number), top_up.id, number, uuid7(), Money.zero(top_up.amount.currency),
        asked_at=top_up.created_at, url="http://127.0.0.1/pay",
    )  # fmt: skip


def status(
    order_id: str,
    state: PaymentState,
    amount: Money | None = FIFTY,
    *backs: TakenBack,
    total: Money | None = None,
    transaction_id: str | None = "one",
) -> PaymentStatus:
    """A gateway's answer."""
    unknown = state is PaymentState.UNKNOWN
    summed = sum((back.amount for back in backs), Money.zero(amount.currency)) if backs and amount else None
    return PaymentStatus(
        order_id, None if unknown else transaction_id, state, None if unknown else amount,
        None if unknown else "bank_transfer", backs, total or summed, None, {},
    )  # fmt: skip
