"""The chart of accounts and the one table of legal movements. What is not in `ALLOWED` cannot happen."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Purpose(StrEnum):
    """What the money in an account is for."""

    is_platform: bool
    """Whether it is the platform's own: without limits, and numbered by the sealer, not by the writer."""

    PLAYER_CASH = "player_cash"
    PLAYER_BONUS = "player_bonus"
    HOSTING_CREDIT = "hosting_credit"
    BRAND_PREPAID = "brand_prepaid"
    CAMPAIGN_ESCROW = "campaign_escrow"
    STREAMER_EARNED = "streamer_earned"
    REFERRAL = "referral"
    RECEIVABLE = "receivable"
    GATEWAY_CLEARING = "gateway_clearing", True
    PROVIDER_FLOAT = "provider_float", True
    BANK = "bank", True
    UNALLOCATED = "unallocated", True
    FEES = "fees", True
    TAX = "tax", True
    REVENUE = "revenue", True
    WRITE_OFF = "write_off", True
    OPENING = "opening", True

    def __new__(cls, value: str, is_platform: bool = False) -> Self:
        """A member is its text, with the mark beside it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.is_platform = is_platform
        return member

    @property
    def usual_limits(self) -> "Limits":
        """The limits that an account of this purpose is opened with."""
        if self.is_platform:
            return Limits(floor=None, ceiling=None)
        if self is Purpose.RECEIVABLE:
            return Limits(floor=None, ceiling=0)
        return Limits(floor=0, ceiling=None)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds in minor units: available never falls under the floor, posted never rises above the ceiling."""

    floor: int | None
    ceiling: int | None


class Kind(StrEnum):
    """Why money moves. Statements speak of it and `ALLOWED` is keyed by it."""

    TOP_UP = "top_up"
    MISFIT = "misfit"
    ALLOCATION = "allocation"
    GATEWAY_FEE = "gateway_fee"
    GATEWAY_SETTLEMENT = "gateway_settlement"
    GATEWAY_FUNDING = "gateway_funding"
    REFUND = "refund"
    CANCELLATION = "cancellation"
    CHARGEBACK = "chargeback"
    REPAYMENT = "repayment"
    WRITE_OFF = "write_off"
    TRANSFER = "transfer"
    ESCROW = "escrow"
    ESCROW_RETURN = "escrow_return"
    EARNING = "earning"
    TAKE_RATE = "take_rate"
    VALUE_ADDED_TAX = "value_added_tax"
    WITHHOLDING_TAX = "withholding_tax"
    TAX_PAYMENT = "tax_payment"
    WAGER = "wager"
    WIN = "win"
    GAME_DEPOSIT = "game_deposit"
    GAME_WITHDRAWAL = "game_withdrawal"
    PROVIDER_SETTLEMENT = "provider_settlement"
    BONUS_GRANT = "bonus_grant"
    BONUS_RELEASE = "bonus_release"
    BONUS_EXPIRY = "bonus_expiry"
    COMMISSION = "commission"
    CLAWBACK = "clawback"
    HOSTING_CHARGE = "hosting_charge"
    HOSTING_REFUND = "hosting_refund"
    PAYOUT = "payout"
    ADJUSTMENT = "adjustment"
    OPENING_BALANCE = "opening_balance"


Movement = tuple[Purpose, Purpose]

_P = Purpose
_TOPPED_UP = (_P.HOSTING_CREDIT, _P.BRAND_PREPAID, _P.PLAYER_CASH)
_OWNED = (*_TOPPED_UP, _P.PLAYER_BONUS, _P.CAMPAIGN_ESCROW, _P.STREAMER_EARNED, _P.REFERRAL)


def _each(sources: tuple[Purpose, ...], *targets: Purpose) -> frozenset[Movement]:
    return frozenset((source, target) for source in sources for target in targets)


_TAKEN_BACK = _each((*_TOPPED_UP, _P.RECEIVABLE, _P.UNALLOCATED), _P.GATEWAY_CLEARING)

ALLOWED: dict[Kind, frozenset[Movement]] = {
    Kind.TOP_UP: _each((_P.GATEWAY_CLEARING,), *_TOPPED_UP),
    Kind.MISFIT: _each((_P.GATEWAY_CLEARING,), _P.UNALLOCATED),
    Kind.ALLOCATION: _each((_P.UNALLOCATED,), *_TOPPED_UP),
    Kind.GATEWAY_FEE: _each((_P.FEES,), _P.GATEWAY_CLEARING) | _each((_P.GATEWAY_CLEARING,), _P.FEES),
    Kind.GATEWAY_SETTLEMENT: _each((_P.BANK,), _P.GATEWAY_CLEARING),
    Kind.GATEWAY_FUNDING: _each((_P.GATEWAY_CLEARING,), _P.BANK),
    Kind.REFUND: _TAKEN_BACK,
    Kind.CANCELLATION: _TAKEN_BACK,
    Kind.CHARGEBACK: _TAKEN_BACK,
    Kind.REPAYMENT: _each(_OWNED, _P.RECEIVABLE),
    Kind.WRITE_OFF: _each((_P.WRITE_OFF,), _P.RECEIVABLE),
    Kind.TRANSFER: _each((_P.REFERRAL,), _P.PLAYER_CASH, _P.HOSTING_CREDIT)
    | _each((_P.STREAMER_EARNED,), _P.HOSTING_CREDIT),
    Kind.ESCROW: _each((_P.BRAND_PREPAID,), _P.CAMPAIGN_ESCROW),
    Kind.ESCROW_RETURN: _each((_P.CAMPAIGN_ESCROW,), _P.BRAND_PREPAID),
    Kind.EARNING: _each((_P.CAMPAIGN_ESCROW,), _P.STREAMER_EARNED),
    Kind.TAKE_RATE: _each((_P.CAMPAIGN_ESCROW,), _P.FEES),
    Kind.VALUE_ADDED_TAX: _each((_P.BRAND_PREPAID, _P.CAMPAIGN_ESCROW), _P.TAX),
    Kind.WITHHOLDING_TAX: _each((_P.CAMPAIGN_ESCROW, _P.STREAMER_EARNED, _P.REFERRAL), _P.TAX),
    Kind.TAX_PAYMENT: _each((_P.TAX,), _P.BANK),
    Kind.WAGER: _each((_P.PLAYER_CASH, _P.PLAYER_BONUS), _P.PROVIDER_FLOAT),
    Kind.WIN: _each((_P.PROVIDER_FLOAT,), _P.PLAYER_CASH, _P.PLAYER_BONUS),
    Kind.GAME_DEPOSIT: _each((_P.PLAYER_CASH,), _P.PROVIDER_FLOAT),
    Kind.GAME_WITHDRAWAL: _each((_P.PROVIDER_FLOAT,), _P.PLAYER_CASH),
    Kind.PROVIDER_SETTLEMENT: _each((_P.BANK,), _P.PROVIDER_FLOAT) | _each((_P.PROVIDER_FLOAT,), _P.BANK),
    Kind.BONUS_GRANT: _each((_P.REVENUE,), _P.PLAYER_BONUS),
    Kind.BONUS_RELEASE: _each((_P.PLAYER_BONUS,), _P.PLAYER_CASH),
    Kind.BONUS_EXPIRY: _each((_P.PLAYER_BONUS,), _P.REVENUE),
    Kind.COMMISSION: _each((_P.REVENUE,), _P.REFERRAL),
    Kind.CLAWBACK: _each((_P.REFERRAL, _P.RECEIVABLE), _P.REVENUE),
    Kind.HOSTING_CHARGE: _each((_P.HOSTING_CREDIT,), _P.REVENUE),
    Kind.HOSTING_REFUND: _each((_P.REVENUE,), _P.HOSTING_CREDIT),
    Kind.PAYOUT: _each((_P.PLAYER_CASH, _P.STREAMER_EARNED, _P.REFERRAL), _P.GATEWAY_CLEARING, _P.BANK),
    Kind.ADJUSTMENT: _each((_P.REVENUE,), *_OWNED) | _each(_OWNED, _P.REVENUE),
    Kind.OPENING_BALANCE: _each((_P.OPENING,), *_P) - {(_P.OPENING, _P.OPENING)},
}
"""Every legal movement: kind → pairs of (source, target). Default deny."""

TAKES_BACK = frozenset({Kind.REFUND, Kind.CANCELLATION, Kind.CHARGEBACK, Kind.REPAYMENT, Kind.CLAWBACK})
"""Kinds that fetch what was never the owner's to keep: a frozen account does not stop them."""
