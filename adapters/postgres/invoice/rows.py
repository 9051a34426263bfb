"""Invoices: what a row is to the domain, and which entries of the ledger are billed."""

from uuid import UUID

from asyncpg import Record

from domain.ids import BrandId
from domain.invoice.model import Invoice, Line, LineKind, Month, Party, Serial
from domain.money import Currency

INVOICE = """invoice.*, month.since, month.until, array(
        select row(campaign, title, kind, minutes, net, tax) from invoice_line where invoice = invoice.id order by place
    ) as lines"""
FROM = "invoice join invoice_month as month on month.first_day = invoice.month"

BILLED = """account.purpose = 'campaign_escrow' and journal.refusal is null and journal.amount > 0
    and journal.operation in ('hold', 'void', 'expire')
    and journal.kind in ('earning', 'take_rate', 'withholding_tax', 'value_added_tax')"""
"""Of the ledger's entries on an escrow those that say what minutes cost: set aside, and given back."""
SUMS = """case when journal.operation = 'hold' then 'spent' else 'given_back' end as line_kind,
    count(distinct journal.transaction_id)::integer as minutes,
    coalesce(sum(case when journal.operation = 'hold' then journal.amount else -journal.amount end)
        filter (where journal.kind <> 'value_added_tax'), 0)::bigint as net,
    coalesce(sum(case when journal.operation = 'hold' then journal.amount else -journal.amount end)
        filter (where journal.kind = 'value_added_tax'), 0)::bigint as tax"""


def invoice_of(row: Record) -> Invoice:
    """An invoice from a row that has `INVOICE`."""
    seller, buyer = (
        Party(*(row[f"{party}_{part}"] for part in ("name", "address", "tax_id"))) for party in ("seller", "buyer")
    )
    return Invoice(
        BrandId(row["brand"]), Month(row["month"], row["since"], row["until"]), Currency(row["currency"]),
        Serial(row["year"], row["number"]), row["issued_at"], seller, buyer, tuple(map(_line, row["lines"])),
    )  # fmt: skip


def _line(row: tuple[UUID, str, str, int, int, int]) -> Line:
    campaign, title, kind, *figures = row
    return Line(campaign, title, LineKind(kind), *figures)
