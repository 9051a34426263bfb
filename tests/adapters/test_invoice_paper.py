"""Invoices on paper: the same bytes each time, whatever stands in them."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

from pypdf import PdfReader

from adapters.invoices.paper import written
from domain.ids import BrandId, uuid7
from domain.invoice.model import Invoice, Line, LineKind, Party, Serial, first_month
from domain.money import Currency
from tests.invoice_stage import SELLER

ZONE = "Asia/Jakarta"
LINE = Line(uuid7(), "Main lebih lama", LineKind.SPENT, 1_234, 40_000_00, 4_400_00)
INVOICE = Invoice(
    BrandId(uuid7()), first_month(datetime(2026, 11, 5, tzinfo=UTC), ZONE), Currency.IDR, Serial(2026, 42),
    datetime(2026, 11, 30, 18, tzinfo=UTC), SELLER,
    Party("PT Đặng & Søn", "Jl. Sudirman 1\nJakarta", "01.234"), (LINE,),
)  # fmt: skip


def text_of(paper: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(paper)).pages)


def test_it_says_all_and_is_the_same_each_time() -> None:
    paper = written(INVOICE, ZONE)
    text = text_of(paper)
    for said in ("Invoice INV-2026-000042", "Issued 2026-12-01 for 2026-11", SELLER.tax_id, "PT Đặng & Søn", "01.234",
                 "Main lebih lama", "1,234", "Total: IDR 44,400.00"):  # fmt: skip
        assert said in text
    assert written(INVOICE, ZONE) == paper


def test_more_given_back_than_spent_is_a_credit_note() -> None:
    back = replace(LINE, kind=LineKind.GIVEN_BACK, net=-10, tax=-1)
    text = text_of(written(replace(INVOICE, lines=(back,), currency=Currency.JPY), ZONE))
    assert "Credit note INV-2026-000042" in text
    assert "Total: JPY -11" in text


def test_many_lines_and_letters_that_there_are_none_for() -> None:
    lines = tuple(replace(LINE, title=f"№ {number} 電池 {'x' * 100}") for number in range(60))
    pages = PdfReader(BytesIO(written(replace(INVOICE, lines=lines), ZONE))).pages
    assert len(pages) > 2
    assert f"1 / {len(pages)}" in pages[0].extract_text()
