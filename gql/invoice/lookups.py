"""What batched fields of invoices look up with."""

from collections.abc import Mapping, Sequence

from domain.invoice.model import Invoice
from domain.invoice.ports import InvoicePage
from domain.ports import Ports


async def invoices(ports: Ports, pages: Sequence[InvoicePage]) -> Mapping[InvoicePage, Sequence[Invoice]]:
    """Pages of invoices."""
    return await ports.invoice.reads.invoices(pages)
