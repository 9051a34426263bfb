"""Invoices on PostgreSQL: `domain.invoice.ports.Invoices` on the connection of one unit of work.

Locks go from a brand to its year's counter, which is held until the unit of work ends: numbers are given in the order
in which invoices are committed, and one that is rolled back gives its number back.
"""

from datetime import datetime

from asyncpg import Connection

from domain.ids import BrandId
from domain.invoice.model import Invoice, Month, Serial
from domain.money import Currency

_ALONE = "select pg_advisory_xact_lock(hashtextextended('invoice_month', 0))"
_LAST = "select first_day, since, until from invoice_month order by first_day desc limit 1"
_BEGIN = "insert into invoice_month (first_day, since, until) values ($1, $2, $3)"
_FINISH = "update invoice_month set finished_at = $2 where first_day = $1 and finished_at is null"
_ISSUED = "select currency from invoice where brand = $1 and month = $2"
_NEXT = """
insert into invoice_year as counted (year, last) values ($1, 1)
on conflict (year) do update set last = counted.last + 1 returning last
"""
_ADD = """
insert into invoice (id, year, number, brand, month, currency, issued_at, seller_name, seller_address, seller_tax_id,
    buyer_name, buyer_address, buyer_tax_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""
_ADD_LINE = """
insert into invoice_line (invoice, place, campaign, title, kind, minutes, net, tax)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""


class PostgresInvoices:
    """Invoices inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def last_month(self) -> Month | None:
        """The last month that was begun; nobody else begins one until the unit of work ends."""
        await self._connection.execute(_ALONE)
        found = await self._connection.fetchrow(_LAST)
        return Month(*found) if found else None

    async def begin(self, month: Month) -> None:
        """Note which instants are a month's, for ever."""
        await self._connection.execute(_BEGIN, *month)

    async def finish(self, month: Month, now: datetime) -> None:
        """Note that every invoice of a month is issued."""
        await self._connection.execute(_FINISH, month.first_day, now)

    async def issued(self, brand: BrandId, month: Month) -> frozenset[Currency]:
        """In which currencies a brand has its invoice."""
        rows = await self._connection.fetch(_ISSUED, brand, month.first_day)
        return frozenset(Currency(row["currency"]) for row in rows)

    async def next_serial(self, year: int) -> Serial:
        """The next number of a year."""
        return Serial(year, await self._connection.fetchval(_NEXT, year))

    async def add(self, invoice: Invoice) -> None:
        """Keep an invoice, for ever as it is."""
        parties = [part for each in (invoice.seller, invoice.buyer) for part in (each.name, each.address, each.tax_id)]
        await self._connection.execute(
            _ADD, invoice.id, *invoice.serial, invoice.brand, invoice.month.first_day, invoice.currency,
            invoice.issued_at, *parties,
        )  # fmt: skip
        lines = [
            (invoice.id, place, line.campaign, line.title, line.kind, line.minutes, line.net, line.tax)
            for place, line in enumerate(invoice.lines)
        ]
        await self._connection.executemany(_ADD_LINE, lines)
