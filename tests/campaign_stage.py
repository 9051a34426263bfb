"""Campaigns on a real database with a real ledger: brands that paid in, and what they plan."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

from adapters.embedded.database import DatabaseAddresses
from adapters.markup import Nh3Markup
from adapters.postgres.brand.reads import PostgresBrandReads
from adapters.postgres.campaign.reads import PostgresCampaignReads
from domain.actor import Actor
from domain.brand.model import Brand
from domain.campaign.editing import create_campaign, decide_campaign, submit_campaign
from domain.campaign.model import Brief, Campaign, Plan, Pricing, Terms
from domain.campaign.running import launch_campaign
from domain.campaign.spending import Schedule
from domain.ids import TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from domain.quotas import Quotas
from domain.rights import StaffRole
from tests.accounts_stage import AccountsStage, staged_accounts
from tests.brand_stage import BrandStage
from tests.staff_stage import staffer
from tests.vaults import open_vault

WHY = "Nothing is wrong with it."
BUDGET = Money.whole(1_000_000, Currency.IDR)
TERMS = Terms(Pricing.CPM, Money.whole(20_000, Currency.IDR), 600)
SCHEDULE = Schedule(date(2026, 1, 1), date(2026, 12, 31), "Asia/Jakarta")
PLAN = Plan(Brief("Play longer", "Batteries that last.", "https://baterai.example/play"), TERMS, BUDGET, SCHEDULE)
_CLEARING = AccountKey("gateway:midtrans", Purpose.GATEWAY_CLEARING, Currency.IDR)
_VERIFY = "update brand set verification = 'verified', decided_at = now() where id = $1"


def plan_of_now(now: datetime) -> Plan:
    """The plan, for this year and the next."""
    return replace(PLAN, schedule=Schedule(now.date(), date(now.year + 1, 1, 1), "Asia/Jakarta"))


@dataclass(kw_only=True)
class CampaignStage(AccountsStage):
    """`domain.campaign.ports.CampaignPorts`, with the means to look behind it."""

    reads: PostgresCampaignReads
    brands: BrandStage
    markup: Nh3Markup = field(default_factory=Nh3Markup)

    @property
    def plan(self) -> Plan:
        """A plan that runs by the stage's clock."""
        return plan_of_now(self.clock())

    async def verified(self, owner: Actor, name: str = "Baterai Jaya", paid_in: Money = BUDGET) -> Brand:
        """A brand of somebody's that staff has verified and that has paid in."""
        brand = await self.brands.brand(owner, name)
        await self.database.pool.execute(_VERIFY, brand.id)
        if paid_in:
            await self.pay_in(brand, paid_in)
        return brand

    async def pay_in(self, brand: Brand, amount: Money) -> None:
        prepaid = AccountKey(brand.owner, Purpose.BRAND_PREPAID, amount.currency)
        await self.move(Kind.TOP_UP, replace_currency(_CLEARING, amount), prepaid, amount)

    async def move(self, kind: Kind, source: AccountKey, target: AccountKey, amount: Money) -> None:
        """Something that another part of the product posts."""
        async with self.work() as work:
            for account in (source, target):
                await work.ledger.open(account)
            posting = Posting(kind, source, target, amount)
            assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))).posted

    async def draft(self, owner: Actor, brand: Brand, key: str = "first", plan: Plan | None = None) -> Campaign:
        made = await create_campaign(self, owner, brand.id, plan or self.plan, key)
        assert isinstance(made, Campaign), made
        return made

    async def approved(self, owner: Actor, brand: Brand, key: str = "first", plan: Plan | None = None) -> Campaign:
        """A campaign that may be launched."""
        made = await self.draft(owner, brand, key, plan)
        assert isinstance(await submit_campaign(self, owner, made.id), Campaign)
        decided = await decide_campaign(
            self, await staffer(self, StaffRole.ADMIN), made.id, made.version, WHY, approve=True
        )
        assert isinstance(decided, Campaign), decided
        return decided

    async def running(self, owner: Actor, brand: Brand, key: str = "first", plan: Plan | None = None) -> Campaign:
        """A campaign whose budget lies in escrow."""
        launched = await launch_campaign(self, owner, (await self.approved(owner, brand, key, plan)).id)
        assert isinstance(launched, Campaign), launched
        return launched

    async def read(self, campaign: Campaign) -> Campaign:
        return (await self.reads.campaigns_by_id([campaign.id]))[campaign.id]

    async def balances(self, brand: Brand, campaign: Campaign) -> tuple[int, int]:
        """What the brand has, and what lies in escrow, in whole units."""
        found = []
        for owner in (brand.owner, campaign.escrow_owner):
            asked = "select posted from account where owner = $1 and purpose in ('brand_prepaid', 'campaign_escrow')"
            found.append(int(str(await self.value(asked, owner) or 0)) // 100)
        return found[0], found[1]


def replace_currency(account: AccountKey, amount: Money) -> AccountKey:
    return account._replace(currency=amount.currency)


def campaigns_on(stage: AccountsStage) -> CampaignStage:
    """The same stage, with campaigns."""
    given = {part.name: getattr(stage, part.name) for part in fields(AccountsStage)}
    brands = BrandStage(**given, reads=PostgresBrandReads(stage.database, stage.vault))
    return CampaignStage(**given, reads=PostgresCampaignReads(stage.database), brands=brands)


@asynccontextmanager
async def staged_campaigns(addresses: DatabaseAddresses, quotas: Quotas | None = None) -> AsyncIterator[CampaignStage]:
    async with (
        open_vault(addresses) as vault,
        staged_accounts(addresses, vault=vault, quotas=quotas) as accounts,
    ):
        yield campaigns_on(accounts)


async def at_once(*actions: Any) -> list[Any]:
    """What actions answer that begin together."""
    return await asyncio.gather(*actions)
