"""An invoice's nouns and rules: months of the site's zone, lines that are sums of ledger entries, and its number.

A month is that of the site's time zone, whatever zones a brand's campaigns run in: numbers rise with time, and one
clock says when a month turns. What a minute costs is billed in the month in which the ledger set it aside, and what a
dispute gave back is credited in the month in which the ledger did so: an invoice is never opened again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final, NamedTuple, NewType
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.ids import BrandId, derived
from domain.money import Currency, Money

InvoiceId = NewType("InvoiceId", UUID)

ADDRESS_LIFETIME: Final = timedelta(minutes=15)
"""So long the document can be fetched by an address."""


class Month(NamedTuple):
    """A month as it is billed: its first day, and the instants from which and up to which entries are its own."""

    first_day: date
    since: datetime
    until: datetime


class Serial(NamedTuple):
    """The place of an invoice among all of a year, from 1 and without a gap."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"INV-{self.year}-{self.number:06d}"


class LineKind(StrEnum):
    """What a line sums up."""

    SPENT = "spent"
    """What was set aside for minutes."""
    GIVEN_BACK = "given_back"
    """What rulings on disputes gave back, of whatever month the minutes were."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a campaign came to in a month, in minor units; below zero for what was given back."""

    campaign: UUID
    title: str
    """As the campaign was called when the invoice was issued."""
    kind: LineKind
    minutes: int
    net: int
    tax: int
    """Value-added tax, as it was posted."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who bills, or is billed."""

    name: str
    address: str = ""
    tax_id: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as it was issued. Both parties stand in it as they were then."""

    brand: BrandId
    month: Month
    currency: Currency
    serial: Serial
    issued_at: datetime
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]

    @property
    def id(self) -> InvoiceId:
        """Whoever issues it again means the same one."""
        return invoice_id(self.brand, self.month.first_day, self.currency)

    @property
    def net(self) -> Money:
        """All without tax."""
        return Money(sum(line.net for line in self.lines), self.currency)

    @property
    def tax(self) -> Money:
        """The tax of all."""
        return Money(sum(line.tax for line in self.lines), self.currency)

    @property
    def total(self) -> Money:
        """What left the brand's budgets in all; below zero where more came back: it is a credit note then."""
        return Money(self.net.minor + self.tax.minor, self.currency)

    @property
    def digest(self) -> str:
        """A digest of all that it says, which the audit log keeps."""
        return sha256(json.dumps(self._said(), ensure_ascii=False, sort_keys=True).encode()).hexdigest()

    def _said(self) -> Mapping[str, object]:
        return {
            "brand": str(self.brand), "currency": self.currency.value, "number": str(self.serial),
            "month": self.month.first_day.isoformat(), "issued_at": _instant(self.issued_at),
            "span": [_instant(self.month.since), _instant(self.month.until)],
            "parties": [[each.name, each.address, each.tax_id] for each in (self.seller, self.buyer)],
            "lines": [
                [str(line.campaign), line.title, line.kind.value, line.minutes, line.net, line.tax]
                for line in self.lines
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class InvoicePolicy:
    """Who bills, by which clock, and where documents are fetched."""

    seller: Party = field(default_factory=lambda: Party("Gametriggers"))
    time_zone: str = "Asia/Jakarta"
    grace: timedelta = timedelta(hours=1)
    """So long after a month's turn every entry of it is committed: no unit of work lasts as long."""
    site: str = ""


def invoice_id(brand: BrandId, month: date, currency: Currency) -> InvoiceId:
    """A brand has one invoice a month and currency."""
    return InvoiceId(derived(f"invoice:{brand}", f"{month.isoformat()} {currency}"))


def first_month(moment: datetime, time_zone: str) -> Month:
    """The whole month that an instant lies in."""
    first = moment.astimezone(ZoneInfo(time_zone)).date().replace(day=1)
    return Month(first, _midnight(first, time_zone), _midnight(_following(first), time_zone))


def month_after(month: Month, time_zone: str) -> Month:
    """The next one: it begins where that one ended, also where the site has moved to another zone since."""
    first = _following(month.first_day)
    return Month(first, month.until, _midnight(_following(first), time_zone))


def year_of(moment: datetime, time_zone: str) -> int:
    """The year whose numbers an instant belongs to."""
    return moment.astimezone(ZoneInfo(time_zone)).year


def _following(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


def _midnight(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
