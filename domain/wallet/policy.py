"""What may be topped up, by which gateway, how much of it, and what it costs us."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from fractions import Fraction

from domain.ledger.chart import Purpose
from domain.money import Currency, Money, Rounding, rounded
from domain.wallet.gateway import Method

JAKARTA = timezone(timedelta(hours=7))
"""The business day's zone; Indonesia's west keeps no summer time."""


@dataclass(frozen=True, slots=True)
class MethodTerms:
    """Bounds of one method, and the gateway's fee: `fee_flat` and so many thousandths of the amount."""

    minimum: Money
    maximum: Money
    fee_flat: Money
    fee_permille: int

    def fee(self, amount: Money) -> Money:
        """What the gateway keeps of an amount; never more than the amount."""
        share = rounded(Fraction(amount.minor * self.fee_permille, 1000), Rounding.HALF_UP)
        return min(amount, self.fee_flat + Money(share, amount.currency))


@dataclass(frozen=True, slots=True)
class GatewayTerms:
    """What a gateway may be used for."""

    purposes: frozenset[Purpose]
    currency: Currency
    methods: Mapping[Method, MethodTerms]


def _rupiah(units: int) -> Money:
    return Money.whole(units, Currency.IDR)


def _terms(maximum: int, fee_flat: int, fee_permille: int) -> MethodTerms:
    return MethodTerms(_rupiah(10_000), _rupiah(maximum), _rupiah(fee_flat), fee_permille)


MIDTRANS = GatewayTerms(
    purposes=frozenset({Purpose.HOSTING_CREDIT, Purpose.BRAND_PREPAID}),
    currency=Currency.IDR,
    methods={
        Method.BANK_TRANSFER: _terms(50_000_000, 4_000, 0),
        Method.CARD: _terms(50_000_000, 2_000, 29),
        Method.GOPAY: _terms(10_000_000, 0, 20),
        Method.SHOPEEPAY: _terms(10_000_000, 0, 20),
        Method.DANA: _terms(10_000_000, 0, 15),
        Method.OVO: _terms(10_000_000, 0, 15),
        Method.QRIS: _terms(10_000_000, 0, 7),
        Method.CONVENIENCE_STORE: _terms(5_000_000, 5_000, 0),
    },
)
"""Midtrans is not bound to games: its contract forbids them unless agreed otherwise."""


@dataclass(frozen=True, slots=True)
class TopUpPolicy:
    """The rules of top-ups."""

    gateways: Mapping[str, GatewayTerms] = field(default_factory=lambda: {"midtrans": MIDTRANS})
    wallets: frozenset[Purpose] = frozenset({Purpose.HOSTING_CREDIT, Purpose.PLAYER_CASH})
    """Which accounts people may open on request for themselves; a brand has its own, by its managers."""
    daily_cap: Money = field(default_factory=lambda: _rupiah(100_000_000))
    """What one person may start in a day, whosever wallets they fill, but for what ended unpaid."""
    most_pending: int = 3
    lifetime: timedelta = timedelta(hours=24)
    grace: timedelta = timedelta(minutes=15)
    """How long after its end a page is still asked about before it counts as expired."""
    same_request: timedelta = timedelta(minutes=4)
    """How long the gateway surely answers the same page to the same request."""
    asking: timedelta = timedelta(minutes=1)
    """How long one caller may take to ask for a page, while others wait for it."""
    watched: timedelta = timedelta(days=45)
    """How long after its page's end money that came in is still asked about daily: it may go back without a notice."""
    finish_url: str | None = None
    """Where the gateway's page sends the payer afterwards."""

    def day_of(self, moment: datetime) -> tuple[datetime, datetime]:
        """The business day that a moment belongs to: its beginning and the next one's."""
        start = moment.astimezone(JAKARTA).replace(hour=0, minute=0, second=0, microsecond=0)
        return start, start + timedelta(days=1)

    def terms(self, gateway: str, method: Method) -> MethodTerms | None:
        """A gateway's terms for a method; None where it has none (any more)."""
        found = self.gateways.get(gateway)
        return None if found is None else found.methods.get(method)
