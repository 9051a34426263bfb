"""Issuing invoices. Door: the schedule; many may run at once, and whoever was away for days begins where it stopped.

A month's invoices are issued once it has been over for a while. Each is a unit of work of its own: its sums, its number
and its line in the audit log stand or fall together, so that a number that is taken is an invoice's.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

from domain.audit_log import Deed
from domain.identity.letters import letter_to
from domain.identity.mail import InvoiceIssued
from domain.identity.mail_stores import QueuedLetter
from domain.ids import BrandId
from domain.invoice.model import Invoice, Line, Month, Party, first_month, month_after, year_of
from domain.invoice.ports import Addressee, InvoicePorts, InvoiceWork
from domain.money import Currency
from domain.work import Swept

_BATCH: Final = 100


async def issue_invoices(ports: InvoicePorts, now: datetime) -> Swept:
    """Issue every invoice of the months that are over, one for each brand and currency with an entry in the month."""
    swept = Swept()
    await _begin_months(ports, now)
    for month in await ports.reads.unfinished():
        failed = len(swept.failed)
        async for brand in _spenders(ports, month):
            try:
                swept.looked_at += await _bill(ports, brand, month, now)
            except Exception as error:  # noqa: BLE001  # one brand's trouble must not keep the others
                swept.failed.append((f"{brand} {month.first_day}", error))
        if len(swept.failed) == failed:
            async with ports.work() as work:
                await work.invoices.finish(month, now)
    return swept


async def _begin_months(ports: InvoicePorts, now: datetime) -> None:
    """Each month that is over for long enough follows the one before without a gap, however long we were away."""
    launched, zone = await ports.reads.first_launch(), ports.policy.time_zone
    if launched is None:
        return
    async with ports.work() as work:
        last = await work.invoices.last_month()
        month = month_after(last, zone) if last else first_month(launched, zone)
        while month.until + ports.policy.grace <= now:
            await work.invoices.begin(month)
            month = month_after(month, zone)


async def _spenders(ports: InvoicePorts, month: Month) -> AsyncIterator[BrandId]:
    after: BrandId | None = None
    while found := await ports.reads.spenders(month, after, _BATCH):
        for brand in found:
            yield brand
        after = found[-1]


async def _bill(ports: InvoicePorts, id_: BrandId, month: Month, now: datetime) -> int:
    """What a brand has no invoice for yet; how many were issued. Sums are made before anything is locked."""
    spent = await ports.reads.spent(id_, month)
    if not spent:
        return 0
    addressee = await ports.reads.addressee(id_)
    letter = await _letter(ports, id_, month, addressee) if addressee else None
    async with ports.work() as work:
        brand = await work.brands.lock(id_)
        if brand is None:
            return 0
        profile = brand.profile
        buyer = Party(profile.company.name, profile.billing.address, profile.billing.tax_id)
        due = sorted(set(spent) - await work.invoices.issued(id_, month))
        for currency in due:
            await issue(ports, work, id_, month, currency, buyer, spent[currency], now)
        if due and letter and addressee and addressee.person == brand.contact:
            await work.letters.add(letter)
    return len(due)


async def _letter(ports: InvoicePorts, id_: BrandId, month: Month, to: Addressee) -> QueuedLetter | None:
    """What tells a brand's contact; none where no address is surely theirs."""
    occasion = InvoiceIssued(to.brand_name, f"{month.first_day:%Y-%m}", ports.pages.brand(id_))
    return await letter_to(ports, to.person, occasion, proven=True)


async def issue(
    ports: InvoicePorts,
    work: InvoiceWork,
    brand: BrandId,
    month: Month,
    currency: Currency,
    buyer: Party,
    lines: Sequence[Line],
    now: datetime,
) -> None:
    """Number and keep one, within a unit of work. The audit log, which is sealed, keeps a digest of what it says."""
    serial = await work.invoices.next_serial(year_of(now, ports.policy.time_zone))
    invoice = Invoice(brand, month, currency, serial, now, ports.policy.seller, buyer, tuple(lines))
    await work.invoices.add(invoice)
    told = {
        "number": str(serial), "brand": str(brand), "month": month.first_day.isoformat(), "currency": currency.value,
        "total": invoice.total.minor, "sha256": invoice.digest,
    }  # fmt: skip
    await work.record(Deed("invoice.issued", f"invoice:{invoice.id}", after=told))
