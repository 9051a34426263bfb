"""How much may be spent at most, beside the budget: that one is kept by the ledger, which never goes under it."""

from dataclasses import dataclass
from enum import StrEnum

from domain.campaign.model import Caps
from domain.money import Money


class Unpaid(StrEnum):
    """Why a minute that counted is not paid."""

    MINUTES_USED = "minutes_used"
    """All agreed minutes were shown before."""
    DAILY_CAP = "daily_cap"
    STREAMER_CAP = "streamer_cap"
    BUDGET_SPENT = "budget_spent"
    SHOWN_ELSEWHERE = "shown_elsewhere"
    """Every second of it belongs to another participation of the streamer, which showed first."""
    EVIDENCE_REJECTED = "evidence_rejected"
    """Staff looked at it."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a campaign spent, value-added tax included."""

    on_day: Money
    """By everybody, on the minute's day in the campaign's zone."""
    on_streamer: Money
    """In the participation, altogether."""


def reached(caps: Caps, spent: Spent, cost: Money) -> Unpaid | None:
    """The cap that a minute would go over, None where it goes over none. A minute is paid whole or not at all."""
    if caps.daily is not None and caps.daily < spent.on_day + cost:
        return Unpaid.DAILY_CAP
    if caps.per_streamer is not None and caps.per_streamer < spent.on_streamer + cost:
        return Unpaid.STREAMER_CAP
    return None
