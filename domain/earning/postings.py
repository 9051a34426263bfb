"""Which postings carry a minute's price from a campaign's escrow to a streamer, by way of a week in which it waits.

A minute that was closed is a hold on the escrow, so that the budget can never be spent twice; released, it is captured
whole; after a dispute in part, and what is left is free again. All of a minute moves together or not at all. Tax is
withheld at the source: what reaches the streamer is theirs.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.earning.arithmetic import Parts
from domain.ids import PersonId, TransactionId, derived
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money

_HOUSE: Final = "platform"
_NEVER: Final = timedelta(days=36_500)
"""A minute's hold ends because somebody decides so, never by itself."""


@dataclass(frozen=True, slots=True)
class Route:
    """From whose escrow, to whom, in which currency."""

    campaign: UUID
    person: PersonId
    currency: Currency

    @property
    def escrow(self) -> AccountKey:
        """What is left of the campaign's budget."""
        return AccountKey(f"campaign:{self.campaign}", Purpose.CAMPAIGN_ESCROW, self.currency)

    @property
    def earned(self) -> AccountKey:
        """What the streamer may have paid out."""
        return AccountKey(f"person:{self.person}", Purpose.STREAMER_EARNED, self.currency)

    @property
    def fees(self) -> AccountKey:
        """The platform's part."""
        return AccountKey(_HOUSE, Purpose.FEES, self.currency)

    @property
    def tax(self) -> AccountKey:
        """What we owe the state."""
        return AccountKey(_HOUSE, Purpose.TAX, self.currency)

    @property
    def accounts(self) -> tuple[AccountKey, ...]:
        """All that a minute touches."""
        return self.escrow, self.earned, self.fees, self.tax


def minute_id(participation: UUID, minute: datetime, step: str) -> TransactionId:
    """The id of a step in the life of a minute: whoever comes to it again meets the same one."""
    return TransactionId(derived(f"minute:{step}", f"{participation}:{minute.isoformat()}"))


def set_aside(route: Route, participation: UUID, minute: datetime, parts: Parts) -> Transaction | None:
    """The transaction that sets a minute's cost aside in the escrow; None for a minute that costs nothing."""
    postings = tuple(_postings(route, parts))
    if not postings:
        return None
    hold = minute_id(participation, minute, "hold")
    return Transaction.hold(hold, *postings, expires_at=minute + _NEVER)


def pay(route: Route, participation: UUID, minute: datetime, held: Parts, due: Parts) -> Transaction:
    """The transaction that pays a minute out of what was set aside: all of it, or less after a dispute."""
    amounts = tuple(Money(part, route.currency) for part, whole in zip(_each(due), _each(held), strict=True) if whole)
    hold = minute_id(participation, minute, "hold")
    return Transaction.capture(minute_id(participation, minute, "payment"), hold, *amounts)


def give_back(participation: UUID, minute: datetime) -> Transaction:
    """The transaction that frees what is left of a minute's hold: it is the campaign's again."""
    return Transaction.void(minute_id(participation, minute, "return"), minute_id(participation, minute, "hold"))


def _postings(route: Route, parts: Parts) -> Iterator[Posting]:
    ways = (
        (Kind.EARNING, route.earned),
        (Kind.TAKE_RATE, route.fees),
        (Kind.WITHHOLDING_TAX, route.tax),
        (Kind.VALUE_ADDED_TAX, route.tax),
    )
    for (kind, target), minor in zip(ways, _each(parts), strict=True):
        if minor:
            yield Posting(kind, route.escrow, target, Money(minor, route.currency))


def _each(parts: Parts) -> tuple[int, ...]:
    return parts.earned, parts.take, parts.withholding_tax, parts.value_added_tax
