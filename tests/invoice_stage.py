"""Invoices on a real database, of minutes that a real ledger set aside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

import asyncpg

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.invoice.reads import PostgresInvoiceReads
from domain.earning.dispute import Dispute, Ruling
from domain.earning.disputing import decide_dispute
from domain.earning.releasing import release_minutes
from domain.ids import BrandId
from domain.invoice.issuing import issue_invoices
from domain.invoice.model import Invoice, InvoicePolicy, Party
from domain.invoice.ports import InvoicePage
from domain.work import Swept
from tests.accounts_stage import AccountsStage
from tests.earning_stage import Campaign, EarningStage, Part, staged_earnings
from tests.staff_stage import WHY, staffer

SELLER = Party("Gametriggers", "Jl. Thamrin 1\nJakarta", "02.000.000.0-000.000")
_BILLING = "update brand set name = $2, billing_address = $3, tax_id = $4 where id = $1"


@dataclass(kw_only=True)
class InvoiceStage(AccountsStage):
    """`domain.invoice.ports.InvoicePorts`, with the means to look behind it."""

    reads: PostgresInvoiceReads
    policy: InvoicePolicy = field(default_factory=lambda: InvoicePolicy(SELLER, site="http://testserver"))

    async def issue(self, now: datetime | None = None) -> Swept:
        """The job; by default when this month has turned."""
        swept = await issue_invoices(self, now or self.clock() + timedelta(days=32))
        assert [repr(error) for _, error in swept.failed] == []
        return swept

    async def invoices(self, brand: BrandId | None = None) -> list[Invoice]:
        """All of a brand's, or of everybody's, oldest first."""
        page = InvoicePage(brand, 1_000)
        return list(reversed((await self.reads.invoices([page]))[page]))

    async def brand_of(self, campaign: Campaign) -> BrandId:
        """Who pays for a campaign, with billing data."""
        found = BrandId(await self.database.pool.fetchval("select brand from campaign where id = $1", campaign.id))
        await self.database.pool.execute(_BILLING, found, "PT Baterai", "Jl. Sudirman 1\nJakarta", "01.234.567.8")
        return found


def invoices_on(stage: AccountsStage) -> InvoiceStage:
    """The same stage, with invoices."""
    given = {part.name: getattr(stage, part.name) for part in fields(AccountsStage)}
    return InvoiceStage(**given, reads=PostgresInvoiceReads(stage.database))


@dataclass
class Books:
    """Minutes and invoices of one database, and a hand that no trigger stops."""

    earnings: EarningStage
    invoices: InvoiceStage
    ruler: asyncpg.Connection
    began: datetime

    async def shown(self, part: Part, minutes: int = 1) -> None:
        """So many minutes, set aside in the ledger."""
        for _ in range(minutes):
            await self.earnings.report(part, part.seen(self.earnings.minute))
            self.earnings.turn(minutes=1)
        await self.earnings.close()

    async def ruled(self, dispute: Dispute, ruling: Ruling, thousandths: int = 0) -> None:
        """Staff rules, before their session is too old, and the ledger carries it out."""
        stage, now = self.earnings, self.earnings.clock.now
        stage.clock.now = self.began
        assert await decide_dispute(stage, await staffer(stage), dispute.id, ruling, WHY, thousandths) is ruling
        stage.clock.now = now
        assert (await release_minutes(stage, now)).failed == []

    async def date_back(self, statement: str, *values: object) -> None:
        """Let what happened have happened at another time, as if the test had waited."""
        await self.ruler.execute("set session_replication_role = replica")
        await self.ruler.execute(statement, *values)
        await self.ruler.execute("set session_replication_role = origin")


@asynccontextmanager
async def kept_books(addresses: DatabaseAddresses) -> AsyncIterator[Books]:
    async with staged_earnings(addresses) as earnings:
        ruler = await asyncpg.connect(addresses.superuser_url)
        try:
            yield Books(earnings, invoices_on(earnings), ruler, earnings.clock.now)
        finally:
            await ruler.close()
