"""The wallet's nouns: a top-up, the attempts to have it paid, the table of its states, and every way to say no."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple, NewType
from uuid import UUID

from domain.ids import AccountId, PersonId
from domain.ledger.model import AccountKey
from domain.money import Money
from domain.refusal import Refusal
from domain.wallet.gateway import Method, PaymentState

TopUpId = NewType("TopUpId", UUID)

LONGEST_KEY = 200
"""Characters that an idempotency key may have."""


class TopUpState(StrEnum):
    """Where a top-up stands. Money may still come after each of them: late success always lands."""

    REQUESTED = "requested"
    """Stored; the gateway has not given a page yet."""
    PENDING = "pending"
    CHALLENGED = "challenged"
    """Paid, but held by the gateway's fraud check until it is approved or denied."""
    SETTLED = "settled"
    IN_REVIEW = "in_review"
    """Something came in that does not fit: staff decide."""
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Turn(StrEnum):
    """What can happen to a top-up."""

    OPENED = "opened"
    REFUSED = "refused"
    ABANDONED = "abandoned"
    CHALLENGED = "challenged"
    LANDED = "landed"
    STRAYED = "strayed"
    EXPIRED = "expired"
    VOIDED = "voided"
    DENIED = "denied"


_S, _T = TopUpState, Turn
_LIVING = (_S.REQUESTED, _S.PENDING, _S.CHALLENGED)
_ENDED = (_S.EXPIRED, _S.CANCELLED, _S.FAILED)

NEXT: dict[tuple[TopUpState, Turn], TopUpState] = (
    {(_S.REQUESTED, _T.OPENED): _S.PENDING, (_S.REQUESTED, _T.REFUSED): _S.FAILED}
    | {(state, _T.ABANDONED): _S.CANCELLED for state in _LIVING}
    | {(state, _T.CHALLENGED): _S.CHALLENGED for state in (_S.REQUESTED, _S.PENDING, *_ENDED)}
    | {(state, _T.LANDED): _S.SETTLED for state in (*_LIVING, *_ENDED)}
    | {(state, _T.STRAYED): _S.IN_REVIEW for state in (*_LIVING, *_ENDED, _S.SETTLED)}
    | {(state, _T.EXPIRED): _S.EXPIRED for state in (*_LIVING, _S.SETTLED)}
    | {(state, _T.VOIDED): _S.CANCELLED for state in (*_LIVING, _S.SETTLED)}
    | {(state, _T.DENIED): _S.FAILED for state in (*_LIVING, _S.SETTLED)}
)
"""An absent pair changes nothing; where a person asked for it, it is refused."""

COUNTED_AS_PENDING = frozenset(_LIVING)
ENDED = frozenset(_ENDED)


@dataclass(frozen=True, slots=True)
class TopUp:
    """A wish to put money into a wallet, and what became of it."""

    id: TopUpId
    person: PersonId
    wallet: AccountId
    account: AccountKey
    amount: Money
    method: Method
    gateway: str
    state: TopUpState
    credited: Money
    """What has reached the wallet, gross, by all attempts together."""
    taken_back: Money
    """How much of that was refunded, cancelled or charged back."""
    redirect_url: str | None
    """The page to pay on; None until the gateway has given one."""
    created_at: datetime
    expires_at: datetime
    review: str | None
    """What staff should look at, in a sentence."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One order at the gateway. A top-up may have several, and each stays creditable for ever."""

    order_id: str
    top_up: TopUpId
    number: int
    request_key: UUID
    """The gateway answers the same page to the same key, for a few minutes."""
    taken_back: Money
    asked_at: datetime | None = None
    """When the gateway was first asked for the page; None while it certainly knows nothing of it."""
    asking_until: datetime | None = None
    """Somebody is asking for the page until then at the latest."""
    opened_at: datetime | None = None
    token: str | None = None
    url: str | None = None
    seen: PaymentState = PaymentState.UNKNOWN
    """The gateway's last word."""
    transaction_id: str | None = None
    payment_type: str | None = None
    received: Money | None = None
    """What came in by it, whether it fitted or not."""
    credited: bool = False
    """It fitted, and went to the wallet."""
    fee: Money | None = None
    """What the gateway kept of it by the terms of that day, as it was posted; None where it had no terms."""
    version: int = 0
    """Counts what answers have changed: an answer asked for before the last change may be old."""
    checks: int = 0
    next_check_at: datetime | None = None


class Order(NamedTuple):
    """An attempt with its top-up."""

    top_up: TopUp
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class BelowMinimum(Refusal):
    """Less than the least that may be topped up."""

    code: ClassVar[str] = "AMOUNT_BELOW_MINIMUM"
    minimum: Money


@dataclass(frozen=True, slots=True)
class AboveMaximum(Refusal):
    """More than the method takes at once."""

    code: ClassVar[str] = "AMOUNT_ABOVE_MAXIMUM"
    maximum: Money


@dataclass(frozen=True, slots=True)
class DailyCapReached(Refusal):
    """The day's top-ups would come to more than is allowed."""

    code: ClassVar[str] = "DAILY_CAP_REACHED"
    left: Money


@dataclass(frozen=True, slots=True)
class TooManyTopUps(Refusal):
    """So many top-ups are not begun within the time; wait."""

    code: ClassVar[str] = "RATE_LIMITED"
    retry_after_s: int


class MailNotVerified(Refusal):
    """The first money takes an e-mail address that is surely theirs."""

    code: ClassVar[str] = "MAIL_NOT_VERIFIED"


@dataclass(frozen=True, slots=True)
class TooManyPending(Refusal):
    """Earlier top-ups must be paid, cancelled or expire first."""

    code: ClassVar[str] = "TOO_MANY_PENDING"
    most: int


class MethodNotOffered(Refusal):
    """No gateway of ours takes this method."""

    code: ClassVar[str] = "METHOD_NOT_OFFERED"


class GatewayNotBound(Refusal):
    """Gateways are bound to purposes, and none is bound to this wallet's."""

    code: ClassVar[str] = "GATEWAY_NOT_BOUND"


class WalletNotOffered(Refusal):
    """Accounts of this purpose are not opened on request."""

    code: ClassVar[str] = "WALLET_NOT_OFFERED"


class WalletNotFound(Refusal):
    """There is no such wallet, or it is another's."""

    code: ClassVar[str] = "WALLET_NOT_FOUND"


class WalletFrozen(Refusal):
    """The wallet is frozen or closed."""

    code: ClassVar[str] = "ACCOUNT_FROZEN"


class TopUpNotFound(Refusal):
    """There is no such top-up, or it is another's."""

    code: ClassVar[str] = "TOP_UP_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class NotCancellable(Refusal):
    """The top-up has come too far."""

    code: ClassVar[str] = "NOT_CANCELLABLE"
    state: TopUpState


class IdReused(Refusal):
    """The same key came before with other content."""

    code: ClassVar[str] = "ID_REUSED"


class AmountNotRepresentable(Refusal):
    """The gateway takes whole units only."""

    code: ClassVar[str] = "AMOUNT_NOT_REPRESENTABLE"


class CurrencyNotSupported(Refusal):
    """The wallet or the gateway takes another currency."""

    code: ClassVar[str] = "CURRENCY_NOT_SUPPORTED"


class GatewayRefused(Refusal):
    """The gateway declined to open a page; asking again will not help."""

    code: ClassVar[str] = "GATEWAY_REFUSED"
