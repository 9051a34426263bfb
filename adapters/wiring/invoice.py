"""Everything that invoices need, plugged in."""

from dataclasses import dataclass, fields

from adapters.config import Settings
from adapters.postgres.database import Database
from adapters.postgres.invoice.reads import PostgresInvoiceReads
from adapters.wiring.identity import IdentityAdapters
from domain.invoice.model import InvoicePolicy, Party


@dataclass(frozen=True, slots=True)
class InvoiceAdapters(IdentityAdapters):
    """`domain.invoice.ports.InvoicePorts`, plugged in."""

    reads: PostgresInvoiceReads
    policy: InvoicePolicy


def invoices_of(identity: IdentityAdapters, database: Database, policy: InvoicePolicy) -> InvoiceAdapters:
    """What the actions of invoices are handed: all of identity, and invoices besides."""
    return InvoiceAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        reads=PostgresInvoiceReads(database),
        policy=policy,
    )


def invoice_policy(settings: Settings) -> InvoicePolicy:
    """The rules as the settings say."""
    address = settings.invoice_seller_address.replace("|", "\n")
    seller = Party(settings.invoice_seller_name, address, settings.invoice_seller_tax_id)
    return InvoicePolicy(seller, settings.invoice_time_zone, site=settings.public_url)
