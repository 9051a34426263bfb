"""Money: whole minor units of one currency. Never a float; mixing currencies raises."""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Self

from domain.errors import InvalidMoneyError

LARGEST_MINOR = 2**63 - 1
"""Amounts are stored as signed 64-bit integers."""


class Currency(StrEnum):
    """ISO 4217 codes of the currencies that accounts may be opened in."""

    IDR = "IDR"
    USD = "USD"
    EUR = "EUR"
    SGD = "SGD"
    MYR = "MYR"
    THB = "THB"
    PHP = "PHP"
    JPY = "JPY"
    VND = "VND"
    KRW = "KRW"

    @property
    def scale(self) -> int:
        """How many decimal places one unit has (ISO 4217)."""
        return _SCALE.get(self, 2)


_SCALE = {Currency.JPY: 0, Currency.VND: 0, Currency.KRW: 0}
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,18})(?:\.([0-9]{1,4}))?", re.ASCII)


class Rounding(StrEnum):
    """The direction in which a fraction of a minor unit goes."""

    DOWN = "down"
    UP = "up"
    HALF_UP = "half_up"


def rounded(amount: Fraction, direction: Rounding) -> int:
    """A whole number of minor units, rounded the named way (toward zero, away from it, or half away from it)."""
    whole, rest = divmod(abs(amount.numerator), amount.denominator)
    up = rest > 0 if direction is Rounding.UP else 2 * rest >= amount.denominator
    if direction is not Rounding.DOWN and up:
        whole += 1
    return whole if amount >= 0 else -whole


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole minor units (sen, cents) of a currency. May be negative: a balance can be."""

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if abs(self.minor) > LARGEST_MINOR:
            raise InvalidMoneyError(f"{self.minor} minor units do not fit in 64 bits")

    @classmethod
    def zero(cls, currency: Currency) -> Self:
        """Nothing, in a currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: Currency) -> Self:
        """Read `50000`, `50000.00` or `-3.5`; refuses exponents, plus signs, blanks and decimals beyond the scale."""
        found = _DECIMAL.fullmatch(text)
        if found is None:
            raise InvalidMoneyError(f"{text[:40]!r} is not a plain decimal number")
        decimals = found[2] or ""
        if len(decimals) > currency.scale:
            raise InvalidMoneyError(
                f"{currency} has {currency.scale} decimal places, {text[:40]!r} has {len(decimals)}"
            )
        minor = int(found[1]) * 10**currency.scale + int(decimals.ljust(currency.scale, "0") or "0")
        return cls(-minor if text.startswith("-") else minor, currency)

    @classmethod
    def whole(cls, units: int, currency: Currency) -> Self:
        """So many whole units (rupiah, dollars)."""
        return cls(units * 10**currency.scale, currency)

    @property
    def decimal(self) -> Decimal:
        """The exact amount at full scale: `Decimal("50000.00")`."""
        return Decimal(self.minor).scaleb(-self.currency.scale)

    @property
    def whole_units(self) -> int:
        """The amount in whole units; raises where it has a fraction (Midtrans takes whole rupiah only)."""
        units, rest = divmod(self.minor, int(10**self.currency.scale))
        if rest:
            raise InvalidMoneyError(f"{self} is not a whole number of {self.currency}")
        return units

    def __str__(self) -> str:
        sign, digits = "-" * (self.minor < 0), str(abs(self.minor)).rjust(self.currency.scale + 1, "0")
        cut = len(digits) - self.currency.scale
        return f"{sign}{digits[:cut]}.{digits[cut:]}" if self.currency.scale else sign + digits

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: "Money") -> int:
        if other.currency is not self.currency:
            raise InvalidMoneyError(f"{self.currency} and {other.currency} do not mix")
        return other.minor
