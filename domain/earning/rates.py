"""Which parts of a minute's price go where, and what has counted so far."""

from dataclasses import dataclass
from typing import Final

WHOLE: Final = 10_000
"""Rates are in ten-thousandths: 2 000 is a fifth."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A part of an amount, in ten-thousandths. Raises ValueError for less than nothing and for more than all."""

    parts: int

    def __post_init__(self) -> None:
        if not 0 <= self.parts <= WHOLE:
            raise ValueError(f"{self.parts} is not from 0 to {WHOLE} ten-thousandths")

    def of(self, minor: int) -> int:
        """So much of an amount, rounded down to whole minor units."""
        return minor * self.parts // WHOLE


@dataclass(frozen=True, slots=True)
class Rates:
    """What is taken of a minute's price (the platform's part, tax withheld of the rest) and what comes on top."""

    take: Rate = Rate(0)
    withholding_tax: Rate = Rate(0)
    value_added_tax: Rate = Rate(0)


@dataclass(frozen=True, slots=True)
class Totals:
    """What was paid for in a participation so far: minutes, viewers of all of them added up, and their price."""

    minutes: int = 0
    viewers: int = 0
    gross: int = 0
    """In minor units, without value-added tax."""
    cost: int = 0
    """In minor units, with it."""
