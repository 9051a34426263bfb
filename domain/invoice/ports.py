"""What invoices need: their rows inside a unit of work, and reads without locks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.brand.ports import BrandWork
from domain.identity.ports import IdentityPorts
from domain.ids import BrandId, PersonId
from domain.invoice.model import Invoice, InvoiceId, InvoicePolicy, Line, Month, Serial
from domain.money import Currency


class Invoices(Protocol):
    """Invoices and the months that they are of, inside a unit of work."""

    async def last_month(self) -> Month | None:
        """The last month that was begun; nobody else begins one until the unit of work ends."""
        ...

    async def begin(self, month: Month) -> None:
        """Note which instants are a month's, for ever."""
        ...

    async def finish(self, month: Month, now: datetime) -> None:
        """Note that every invoice of a month is issued."""
        ...

    async def issued(self, brand: BrandId, month: Month) -> frozenset[Currency]:
        """In which currencies a brand has its invoice."""
        ...

    async def next_serial(self, year: int) -> Serial:
        """The next number of a year. Nobody else takes one until the unit of work ends, and without it none is gone."""
        ...

    async def add(self, invoice: Invoice) -> None:
        """Keep an invoice, for ever as it is."""
        ...


class InvoiceWork(BrandWork, Protocol):
    """A unit of work with invoices in it."""

    @property
    def invoices(self) -> Invoices:
        """Invoices."""
        ...


class InvoicePage(NamedTuple):
    """So many invoices of a brand, or of all, newest first; those before one."""

    brand: BrandId | None
    first: int
    before: Serial | None = None


class Addressee(NamedTuple):
    """Who is written to about a brand, and what it calls itself."""

    person: PersonId
    brand_name: str


class InvoiceReads(Protocol):
    """Invoices, read without locks."""

    async def first_launch(self) -> datetime | None:
        """When anybody spent for the first time, at the earliest."""
        ...

    async def unfinished(self) -> Sequence[Month]:
        """Months that were begun and are not finished, in order."""
        ...

    async def spenders(self, month: Month, after: BrandId | None, most: int) -> Sequence[BrandId]:
        """Brands that may have spent in a month, in the order of their ids; those behind one."""
        ...

    async def addressee(self, brand: BrandId) -> Addressee | None:
        """Who is written to about a brand; None where nobody is."""
        ...

    async def spent(self, brand: BrandId, month: Month) -> Mapping[Currency, Sequence[Line]]:
        """What a brand's campaigns came to by the ledger's entries of a month that is over for long enough."""
        ...

    async def invoices(self, pages: Sequence[InvoicePage]) -> Mapping[InvoicePage, Sequence[Invoice]]:
        """Pages of invoices."""
        ...

    async def invoice(self, id_: InvoiceId) -> Invoice | None:
        """One of them."""
        ...


class InvoicePorts(IdentityPorts, Protocol):
    """What the actions of invoices are handed."""

    def work(self) -> AbstractAsyncContextManager[InvoiceWork]:
        """Open a unit of work."""
        ...

    @property
    def reads(self) -> InvoiceReads:
        """Invoices, read without locks."""
        ...

    @property
    def policy(self) -> InvoicePolicy:
        """Who bills, and when."""
        ...
