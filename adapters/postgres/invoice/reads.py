"""Invoices read without locks: `domain.invoice.ports.InvoiceReads`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from adapters.postgres.database import Database
from adapters.postgres.invoice.rows import BILLED, FROM, INVOICE, SUMS, invoice_of
from domain.ids import BrandId, PersonId
from domain.invoice.model import Invoice, InvoiceId, Line, LineKind, Month
from domain.invoice.ports import Addressee, InvoicePage
from domain.money import Currency

_FIRST = "select min(launched_at) from campaign"
_UNFINISHED = "select first_day, since, until from invoice_month where finished_at is null order by first_day"
_SPENDERS = """
select distinct brand from campaign
where launched_at < $1 and (emptied_at is null or emptied_at >= $2) and ($3::uuid is null or brand > $3)
order by brand limit $4
"""
SPENT = f"""
select campaign.id, plan.title, account.currency, {SUMS}
from campaign join campaign_version as plan on (plan.campaign, plan.version) = (campaign.id, campaign.version)
join account on account.owner = 'campaign:' || campaign.id
join journal on journal.source = account.id and journal.source_seq is not null
where campaign.brand = $1 and journal.recorded_at >= $2 and journal.recorded_at < $3 and {BILLED}
group by campaign.id, plan.title, account.currency, line_kind
order by campaign.id, line_kind desc
"""  # noqa: S608  # the words are ours
_ADDRESSEE = "select contact, name from brand where id = $1 and contact is not null"
_PATIENCE_S = 600
"""A campaign's whole history is gone through, once a month."""
_PAGES = f"""
select asked.place, found.* from unnest($1::uuid[], $2::int[], $3::int[], $4::int[]) with ordinality
    as asked (brand, year, number, most, place)
cross join lateral (
    select {INVOICE} from {FROM}
    where invoice.brand = asked.brand and (invoice.year, invoice.number) < (asked.year, asked.number)
    order by invoice.year desc, invoice.number desc limit asked.most
) as found order by asked.place, found.year desc, found.number desc
"""  # noqa: S608  # a list of our columns
_ALL = f"""
select {INVOICE} from {FROM} where (invoice.year, invoice.number) < ($1, $2)
order by invoice.year desc, invoice.number desc limit $3
"""  # noqa: S608  # a list of our columns
_ONE = f"select {INVOICE} from {FROM} where invoice.id = $1"  # noqa: S608  # a list of our columns
_SLACK = timedelta(days=1)
"""What campaigns say of their times is by another clock than the ledger's."""
_END = (2**31 - 1, 2**31 - 1)


class PostgresInvoiceReads:
    """Reads of invoices."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def first_launch(self) -> datetime | None:
        """When anybody spent for the first time, at the earliest."""
        found: datetime | None = await self._database.pool.fetchval(_FIRST)
        return found

    async def unfinished(self) -> Sequence[Month]:
        """Months that were begun and are not finished, in order."""
        return [Month(*row) for row in await self._database.pool.fetch(_UNFINISHED)]

    async def spenders(self, month: Month, after: BrandId | None, most: int) -> Sequence[BrandId]:
        """Brands whose campaigns ran in a month, or had something in escrow still."""
        rows = await self._database.pool.fetch(_SPENDERS, month.until + _SLACK, month.since - _SLACK, after, most)
        return [BrandId(row["brand"]) for row in rows]

    async def addressee(self, brand: BrandId) -> Addressee | None:
        """Who is written to about a brand; None where nobody is."""
        row = await self._database.pool.fetchrow(_ADDRESSEE, brand)
        return Addressee(PersonId(row["contact"]), row["name"]) if row else None

    async def spent(self, brand: BrandId, month: Month) -> Mapping[Currency, Sequence[Line]]:
        """What a brand's campaigns came to in a month by the ledger's entries."""
        found: dict[Currency, list[Line]] = {}
        asked = (brand, month.since, month.until)
        for id_, title, currency, *sums in await self._database.pool.fetch(SPENT, *asked, timeout=_PATIENCE_S):
            kind, minutes, net, tax = sums
            found.setdefault(Currency(currency), []).append(Line(id_, title, LineKind(kind), minutes, net, tax))
        return found

    async def invoices(self, pages: Sequence[InvoicePage]) -> Mapping[InvoicePage, Sequence[Invoice]]:
        """Pages of invoices, newest first; a statement for those of brands, and one for each of all."""
        found: dict[InvoicePage, list[Invoice]] = {page: [] for page in pages}
        of_brands = [page for page in pages if page.brand is not None]
        if of_brands:
            before = [page.before or _END for page in of_brands]
            columns = [page.brand for page in of_brands], [each[0] for each in before], [each[1] for each in before]
            for row in await self._database.pool.fetch(_PAGES, *columns, [page.first for page in of_brands]):
                found[of_brands[row["place"] - 1]].append(invoice_of(row))
        for page in pages:
            if page.brand is None:
                rows = await self._database.pool.fetch(_ALL, *(page.before or _END), page.first)
                found[page] = [invoice_of(row) for row in rows]
        return found

    async def invoice(self, id_: InvoiceId) -> Invoice | None:
        """One of them."""
        row = await self._database.pool.fetchrow(_ONE, id_)
        return invoice_of(row) if row else None
