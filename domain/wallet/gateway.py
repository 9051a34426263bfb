"""What a wallet needs of a payment gateway: open a page to pay on, ask how a payment stands, undo it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.errors import DomainError, UnavailableError
from domain.money import Money


class Method(StrEnum):
    """How a payer may choose to pay."""

    BANK_TRANSFER = "bank_transfer"
    CARD = "card"
    GOPAY = "gopay"
    SHOPEEPAY = "shopeepay"
    DANA = "dana"
    OVO = "ovo"
    QRIS = "qris"
    CONVENIENCE_STORE = "convenience_store"


class PaymentState(StrEnum):
    """How a payment stands at its gateway. Only PAID is money that has arrived and not gone back."""

    UNKNOWN = "unknown"
    """The gateway knows no such payment: nobody has chosen a method on its page yet."""
    PENDING = "pending"
    CHALLENGED = "challenged"
    """Taken, but held until somebody approves or denies it."""
    AUTHORIZED = "authorized"
    PAID = "paid"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"
    REFUNDED = "refunded"
    PARTIALLY_REFUNDED = "partially_refunded"
    CHARGED_BACK = "charged_back"
    PARTIALLY_CHARGED_BACK = "partially_charged_back"


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """Where the payer goes to pay."""

    token: str
    url: str


@dataclass(frozen=True, slots=True)
class TakenBack:
    """One refund or chargeback of a payment."""

    reference: str
    """The gateway's own id of it: the same every time it is told."""
    amount: Money
    """Where the gateway does not list each one, this holds the earlier ones too: never post beyond the total."""
    final: bool
    """The bank has confirmed it; until then it may still come to nothing."""


@dataclass(frozen=True, slots=True)
class PaymentStatus:
    """The gateway's authenticated answer about one payment, not yet compared with what we asked for."""

    order_id: str
    transaction_id: str | None
    state: PaymentState
    amount: Money | None
    """As the gateway states it, in the currency it states; None while UNKNOWN, and where that is `unread`."""
    payment_type: str | None
    taken_back: tuple[TakenBack, ...]
    taken_back_total: Money | None
    """All refunds and chargebacks so far, cumulative: what is new is this less what was posted before."""
    occurred_at: datetime | None
    """When the payer paid or, before that, chose how to pay; in UTC."""
    raw: Mapping[str, object]
    """Everything that was answered, fields that we do not know among them."""
    unread: str | None = None
    """The gateway's own words of an amount in a currency that we do not know."""


class GatewayUnavailableError(UnavailableError):
    """The gateway did not answer, or could not: refused connection, time-out, overload, open circuit."""

    def __init__(self, message: str, *, uncertain: bool) -> None:
        super().__init__(message)
        self.uncertain = uncertain
        """The request may have been carried out all the same."""


class GatewayAnswerError(UnavailableError):
    """The gateway answered what we cannot read: whatever was asked may have been carried out or not."""


class GatewayRefusedError(DomainError):
    """The gateway understood the request and declined it; asking again will not help."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Gateway(Protocol):
    """A payment gateway. Every verb may raise the three errors above; none may be called inside a unit of work."""

    @property
    def name(self) -> str:
        """The gateway's short name, as its clearing account and its intents bear it."""

    async def open_page(
        self,
        order_id: str,
        amount: Money,
        method: Method,
        *,
        request_key: UUID,
        expires_at: datetime,
        finish_url: str | None,
    ) -> PaymentPage:
        """Make a page to pay `amount` on; the same `request_key` soon after answers the same page."""

    async def status(self, order_id: str, *, transaction_id: str | None = None) -> PaymentStatus:
        """How the payment stands; some methods can be asked about by the gateway's `transaction_id` only."""

    async def cancel(self, order_id: str) -> PaymentStatus:
        """Void a payment that has not settled; UNKNOWN when there is nothing to void yet."""

    async def expire(self, order_id: str) -> PaymentStatus:
        """End a payment that is still pending; UNKNOWN when there is nothing to end yet."""

    async def refund(self, order_id: str, amount: Money, *, key: str, reason: str) -> PaymentStatus:
        """Give `amount` back to the payer; the same `key` never gives it back twice."""

    async def approve(self, order_id: str) -> PaymentStatus:
        """Accept a challenged payment."""

    async def deny(self, order_id: str) -> PaymentStatus:
        """Decline a challenged payment."""
