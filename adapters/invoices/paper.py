"""An invoice as PDF, by fpdf2: from what was kept of it alone, so that it comes out the same however often it is asked.

Letters are Noto Sans': Latin, Greek and Cyrillic of any language. What it has no letter for is shown as a box.
"""

from decimal import Decimal
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import fontpkg
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import FontFace

from domain.invoice.model import Invoice, Line, LineKind, Party
from domain.money import Money

_FONT: Final = "noto"
_KINDS: Final = {LineKind.SPENT: "Minutes shown", LineKind.GIVEN_BACK: "Given back by rulings on disputes"}
_SIDES: Final = ("LEFT", *["RIGHT"] * 4)
_WIDTHS: Final = (76, 20, 32, 28, 34)
_HEADINGS: Final = FontFace(emphasis="", fill_color=235)


class _Paper(FPDF):
    """A4 with the number of each page below."""

    def footer(self) -> None:
        """Which page of how many."""
        self.set_y(-15)
        self.set_font(_FONT, size=8)
        self.cell(0, 10, f"{self.page_no()} / {{nb}}", align="C")


def written(invoice: Invoice, time_zone: str) -> bytes:
    """The document; days are those of a time zone. Takes half a second of a processor: call it in a thread."""
    paper = _Paper(format="A4")
    paper.set_creation_date(invoice.issued_at)
    paper.add_font(_FONT, "", Path(fontpkg.path("Noto Sans")))
    title = f"{'Credit note' if invoice.total.minor < 0 else 'Invoice'} {invoice.serial}"
    paper.set_title(title)
    paper.add_page()
    _text(paper, title, size=18)
    issued = invoice.issued_at.astimezone(ZoneInfo(time_zone)).date()
    _text(paper, f"Issued {issued.isoformat()} for {invoice.month.first_day:%Y-%m}, in {invoice.currency}")
    _party(paper, "From", invoice.seller)
    _party(paper, "To", invoice.buyer)
    _lines(paper, invoice)
    for name, amount in (("Net", invoice.net), ("Value-added tax", invoice.tax), ("Total", invoice.total)):
        _text(paper, f"{name}: {invoice.currency} {_shown(amount)}", size=12 if name == "Total" else 10, align="R")
    return bytes(paper.output() or b"")


def _party(paper: FPDF, role: str, party: Party) -> None:
    paper.ln(4)
    _text(paper, role, size=8)
    _text(paper, party.name, size=12)
    if party.address:
        _text(paper, party.address)
    if party.tax_id:
        _text(paper, f"Tax id: {party.tax_id}")


def _lines(paper: FPDF, invoice: Invoice) -> None:
    paper.ln(6)
    paper.set_font(_FONT, size=9)
    with paper.table(col_widths=_WIDTHS, text_align=_SIDES, padding=1, headings_style=_HEADINGS) as table:
        table.row(("Campaign", "Minutes", "Net", "Tax", "Total"))
        for line in invoice.lines:
            amounts = (line.net, line.tax, line.net + line.tax)
            shown = [_shown(Money(minor, invoice.currency)) for minor in amounts]
            table.row((_named(line), f"{line.minutes:,}", *shown))
    paper.ln(4)


def _named(line: Line) -> str:
    return f"{line.title}\n{_KINDS[line.kind]}"


def _text(paper: FPDF, text: str, *, size: int = 10, align: str = "L") -> None:
    paper.set_font(_FONT, size=size)
    paper.multi_cell(0, size * 0.55, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _shown(amount: Money) -> str:
    value: Decimal = amount.decimal
    return f"{value:,.{amount.currency.scale}f}"
