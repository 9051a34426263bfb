"""A payment as Midtrans keeps it, and the table of what may become of it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import uuid4


class State(StrEnum):
    """Where a payment stands. NEW has a page but no method yet; CHALLENGE is a capture that a fraud check holds."""

    NEW = "new"
    PENDING = "pending"
    AUTHORIZE = "authorize"
    CHALLENGE = "challenge"
    CAPTURE = "capture"
    SETTLEMENT = "settlement"
    DENY = "deny"
    CANCEL = "cancel"
    EXPIRE = "expire"
    FAILURE = "failure"
    PARTIAL_REFUND = "partial_refund"
    REFUND = "refund"
    PARTIAL_CHARGEBACK = "partial_chargeback"
    CHARGEBACK = "chargeback"


class Act(StrEnum):
    """What payers, merchants, banks and fraud checks do to a payment."""

    CHOOSE = "choose"
    AUTHORIZE = "authorize"
    CHALLENGE = "challenge"
    APPROVE = "approve"
    CAPTURE = "capture"
    SETTLE = "settle"
    DENY = "deny"
    CANCEL = "cancel"
    EXPIRE = "expire"
    FAIL = "fail"
    REFUND_PART = "refund_part"
    REFUND_REST = "refund_rest"
    CHARGE_BACK_PART = "charge_back_part"
    CHARGE_BACK_REST = "charge_back_rest"


NEXT = {
    (State.NEW, Act.CHOOSE): State.PENDING,
    (State.PENDING, Act.AUTHORIZE): State.AUTHORIZE,
    (State.PENDING, Act.CHALLENGE): State.CHALLENGE,
    (State.PENDING, Act.CAPTURE): State.CAPTURE,
    (State.PENDING, Act.SETTLE): State.SETTLEMENT,
    (State.PENDING, Act.DENY): State.DENY,
    (State.PENDING, Act.CANCEL): State.CANCEL,
    (State.PENDING, Act.EXPIRE): State.EXPIRE,
    (State.PENDING, Act.FAIL): State.FAILURE,
    (State.AUTHORIZE, Act.CAPTURE): State.CAPTURE,
    (State.AUTHORIZE, Act.CANCEL): State.CANCEL,
    (State.CHALLENGE, Act.APPROVE): State.CAPTURE,
    (State.CHALLENGE, Act.DENY): State.DENY,
    (State.CHALLENGE, Act.CANCEL): State.CANCEL,
    (State.CAPTURE, Act.SETTLE): State.SETTLEMENT,
    (State.CAPTURE, Act.CANCEL): State.CANCEL,
    (State.CAPTURE, Act.DENY): State.DENY,  # the bank's second thoughts; no merchant can ask for it
    (State.SETTLEMENT, Act.DENY): State.DENY,  # rare, the same
    (State.SETTLEMENT, Act.REFUND_PART): State.PARTIAL_REFUND,
    (State.SETTLEMENT, Act.REFUND_REST): State.REFUND,
    (State.PARTIAL_REFUND, Act.REFUND_PART): State.PARTIAL_REFUND,
    (State.PARTIAL_REFUND, Act.REFUND_REST): State.REFUND,
    (State.SETTLEMENT, Act.CHARGE_BACK_PART): State.PARTIAL_CHARGEBACK,
    (State.SETTLEMENT, Act.CHARGE_BACK_REST): State.CHARGEBACK,
    (State.PARTIAL_CHARGEBACK, Act.CHARGE_BACK_PART): State.PARTIAL_CHARGEBACK,
    (State.PARTIAL_CHARGEBACK, Act.CHARGE_BACK_REST): State.CHARGEBACK,
}
"""An absent pair cannot happen at Midtrans."""

MERCHANT_MAY = {
    Act.APPROVE: {State.CHALLENGE},
    Act.DENY: {State.CHALLENGE},
    Act.CANCEL: {State.PENDING, State.AUTHORIZE, State.CHALLENGE, State.CAPTURE},
    Act.EXPIRE: {State.PENDING},
}
"""In which states the API takes a merchant's wish."""

CHANNELS = {
    "credit_card": "credit_card",
    "bca_va": "bank_transfer",
    "bni_va": "bank_transfer",
    "bri_va": "bank_transfer",
    "permata_va": "bank_transfer",
    "cimb_va": "bank_transfer",
    "danamon_va": "bank_transfer",
    "bsi_va": "bank_transfer",
    "seabank_va": "bank_transfer",
    "saqu_va": "bank_transfer",
    "other_va": "bank_transfer",
    "bank_transfer": "bank_transfer",
    "echannel": "echannel",
    "gopay": "gopay",
    "shopeepay": "shopeepay",
    "dana": "dana",
    "ovo": "ovo",
    "other_qris": "qris",
    "indomaret": "cstore",
    "alfamart": "cstore",
    "cstore": "cstore",
    "kredivo": "kredivo",
    "akulaku": "akulaku",
}
"""The payment_type that each channel of the page has on the wire."""


class ActRefusedError(Exception):
    """The payment's state, or its amounts, do not allow what was asked."""


@dataclass(slots=True)
class Back:
    """Money that went back, by refund or chargeback."""

    number: int
    uuid: str
    amount: int
    key: str
    reason: str
    made_at: datetime
    confirmed_at: datetime | None = None


@dataclass(slots=True)
class Payment:
    """One order. Amounts in whole rupiah, times aware."""

    order_id: str
    token: str
    asked: int
    channels: list[str]
    made_at: datetime
    page_closes_at: datetime
    expires_at: datetime | None = None
    finish_url: str | None = None
    notify: list[str] = field(default_factory=list)
    state: State = State.NEW
    channel: str = ""
    transaction_id: str = ""
    paid: int = 0
    currency: str = "IDR"
    """What answers and notifications call the currency."""
    chosen_at: datetime | None = None
    settled_at: datetime | None = None
    backs: list[Back] = field(default_factory=list)
    past: list[dict[str, object]] = field(default_factory=list)
    """The status answers that earlier states gave, oldest first: what a stale status tells."""

    @property
    def payment_type(self) -> str:
        """What the wire calls the chosen channel."""
        return CHANNELS.get(self.channel, "")

    @property
    def gone_back(self) -> int:
        """All refunds and chargebacks together."""
        return sum(back.amount for back in self.backs)

    def choose(self, channel: str, now: datetime) -> None:
        """The payer picks a channel that the page offers; from now on Midtrans' API knows the payment."""
        if channel not in self.channels:
            raise ActRefusedError(f"the page does not offer {channel}")
        self.turn(Act.CHOOSE, now)
        self.channel, self.transaction_id, self.chosen_at = channel, str(uuid4()), now
        self.paid = self.asked

    def turn(self, act: Act, now: datetime) -> None:
        """Go on to the next state; raises `ActRefusedError` where the table has none."""
        state = NEXT.get((self.state, act))
        if state is None:
            raise ActRefusedError(f"{act} cannot follow {self.state}")
        self.state = state
        if state is State.SETTLEMENT:
            self.settled_at = now

    def take_back(self, part: Act, rest: Act, back: Back) -> None:
        """Refund or charge back: `part` while something remains of the payment, `rest` when nothing does."""
        left = self.paid - self.gone_back - back.amount
        if back.amount <= 0 or left < 0:
            raise ActRefusedError(f"{back.amount} is not within what remains of the payment")
        self.turn(part if left else rest, back.made_at)
        self.backs.append(back)
