"""An invoice, as the people see it who may see the brand's money, and staff who may see everybody's."""

from datetime import date, datetime
from typing import Self

import strawberry

from domain.ids import BrandId
from domain.invoice import model
from domain.invoice.addresses import address_of
from domain.invoice.model import Serial
from domain.invoice.ports import InvoicePage
from domain.money import Currency
from gql.access import Right, field
from gql.batching import Asked
from gql.context import Info
from gql.enums import describe
from gql.errors import BadInputError
from gql.money import Money
from gql.node import global_id
from gql.paging import Connection, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.weights import at_most

INVOICE, BRAND, CAMPAIGN = "Invoice", "Brand", "Campaign"
USUAL_LINES = 20
_LARGEST = 2**31 - 1

describe(
    model.LineKind, "InvoiceLineKind", "What a line of an invoice sums up.",
    {
        model.LineKind.SPENT: "What was set aside for minutes in the month.",
        model.LineKind.GIVEN_BACK: "What rulings on disputes gave back in the month, also of earlier minutes.",
    },
)  # fmt: skip


@strawberry.type(description="Who bills, or is billed, as it was when the invoice was issued.")
class InvoiceParty:
    """Who bills, or is billed."""

    name: str = field(Right.PARENT, "The name.")
    address: str = field(Right.PARENT, "The postal address; empty if none was given.")
    tax_id: str = field(Right.PARENT, "The tax id; empty if none was given.")

    @classmethod
    def of(cls, found: model.Party) -> Self:
        """Show a party."""
        return cls(name=found.name, address=found.address, tax_id=found.tax_id)


@strawberry.type(description="What a campaign came to in the month. Below zero for what was given back.")
class InvoiceLine:
    """A line of an invoice."""

    campaign_id: strawberry.ID = field(Right.PARENT, "The campaign's global id.")
    title: str = field(Right.PARENT, "What it was called when the invoice was issued.")
    kind: model.LineKind = field(Right.PARENT, "What the line sums up.")
    minutes: int = field(Right.PARENT, "How many minutes.")
    net: Money = field(Right.PARENT, "Without tax.")
    tax: Money = field(Right.PARENT, "Value-added tax, as it was posted.")

    @classmethod
    def of(cls, found: model.Line, currency: Currency) -> Self:
        """Show a line."""
        return cls(
            campaign_id=global_id(CAMPAIGN, found.campaign), title=found.title, kind=found.kind, minutes=found.minutes,
            net=Money.of_minor(found.net, currency), tax=Money.of_minor(found.tax, currency),
        )  # fmt: skip


@strawberry.type(description="An invoice on paper.")
class InvoiceDocument:
    """An invoice on paper."""

    url: str = field(
        Right.PARENT,
        "Where the PDF is fetched for the next quarter of an hour, by whoever holds this address. Keep it to yourself.",
    )


@strawberry.type(name=INVOICE, description="What a brand spent in a month. Nothing of it changes once it is issued.")
class Invoice:
    """An invoice."""

    found: strawberry.Private[model.Invoice]
    id: strawberry.ID = field(Right.PARENT, "The global id.")
    number: str = field(Right.PARENT, "Its number: those of a year follow one another without a gap.")
    brand_id: strawberry.ID = field(Right.PARENT, "The global id of the brand.")
    month: date = field(Right.PARENT, "The first day of the month, which is that of the site's time zone.")
    issued_at: datetime = field(Right.PARENT, "When it was issued.")
    seller: InvoiceParty = field(Right.PARENT, "Who bills.")
    buyer: InvoiceParty = field(Right.PARENT, "Who is billed.")
    lines: list[InvoiceLine] = field(Right.PARENT, "What each campaign came to.", list_size=at_most(USUAL_LINES))
    net: Money = field(Right.PARENT, "All without tax.")
    tax: Money = field(Right.PARENT, "The tax of all.")
    total: Money = field(
        Right.PARENT, "All; below zero where more was given back than spent: then it is a credit note."
    )

    @field(Right.PARENT, "The invoice on paper.")
    def document(self, info: Info) -> InvoiceDocument:
        """The invoice on paper."""
        return InvoiceDocument(url=address_of(info.context.ports.invoice, self.found.id))

    @classmethod
    def of(cls, found: model.Invoice) -> Self:
        """Show an invoice."""
        return cls(
            found=found, id=global_id(INVOICE, found.id), number=str(found.serial),
            brand_id=global_id(BRAND, found.brand), month=found.month.first_day, issued_at=found.issued_at,
            seller=InvoiceParty.of(found.seller), buyer=InvoiceParty.of(found.buyer),
            lines=[InvoiceLine.of(line, found.currency) for line in found.lines], net=Money.of(found.net),
            tax=Money.of(found.tax), total=Money.of(found.total),
        )  # fmt: skip


def page_of(brand: BrandId | None, first: int, after: Cursor | None) -> Asked[Connection[Invoice]]:
    """A page of a brand's invoices, or of everybody's. Raises `BadInputError`."""
    size, scope = page_size(first), f"invoices:{brand or 'all'}"
    before = None if after is None else _serial(place_of(scope, after))

    def edge(found: model.Invoice) -> tuple[Cursor, Invoice]:
        return cursor_of(scope, f"{found.serial.year}.{found.serial.number}"), Invoice.of(found)

    return Asked(InvoicePage(brand, size + 1, before), lambda found: Connection.of(found, size, after, edge))


def _serial(place: str) -> Serial:
    parts = place.split(".")
    if len(parts) != len(Serial._fields) or not all(part.isascii() and part.isdigit() for part in parts):
        raise BadInputError("This is not a cursor of ours: give one back as you got it.")
    return Serial(*(min(int(part[:10]), _LARGEST) for part in parts))
