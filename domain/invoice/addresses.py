"""Addresses of invoices' documents: good for a short while, for whoever holds them, and nobody can make one up."""

import hmac
import re
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from domain.invoice.model import ADDRESS_LIFETIME, Invoice, InvoiceId
from domain.invoice.ports import InvoicePorts
from domain.vault import Vault

_FORM: Final = re.compile(r"([0-9a-f]{32})-([0-9]{1,12})-([A-Za-z0-9_-]{43})", re.ASCII)


def address_of(ports: InvoicePorts, id_: InvoiceId) -> str:
    """Where a document is fetched for the next quarter of an hour."""
    until = int((ports.clock() + ADDRESS_LIFETIME).timestamp())
    return f"{ports.policy.site}/invoices/{id_.hex}-{until}-{_proof(ports.vault, id_, until)}"


async def invoice_at(ports: InvoicePorts, address: str) -> Invoice | None:
    """The invoice of an address, by its last part; None for one that is too old or not ours."""
    read = _FORM.fullmatch(address)
    if read is None:
        return None
    id_, until = InvoiceId(UUID(hex=read[1])), int(read[2])
    if not hmac.compare_digest(_proof(ports.vault, id_, until), read[3]):
        return None
    return await ports.reads.invoice(id_) if ports.clock() < datetime.fromtimestamp(until, UTC) else None


def _proof(vault: Vault, id_: InvoiceId, until: int) -> str:
    return urlsafe_b64encode(vault.index("invoice_address", f"{id_} {until}")).decode().rstrip("=")
