"""What happens to top-ups. Thin: ids only; whoever listens loads the rest with its own rights."""

from dataclasses import dataclass

from domain.events import Event
from domain.ids import AccountId
from domain.wallet.model import TopUpId


@dataclass(frozen=True, slots=True)
class TopUpEvent(Event):
    """Root of a top-up's events; they are told in order on the top-up's own topic."""

    top_up: TopUpId
    wallet: AccountId

    @property
    def topic(self) -> str:
        """`top_up:<id>`."""
        return f"top_up:{self.top_up}"


class TopUpStarted(TopUpEvent):
    """It was stored; the gateway is asked next."""


class TopUpOpened(TopUpEvent):
    """The gateway gave a page to pay on."""


class TopUpChallenged(TopUpEvent):
    """The gateway's fraud check holds the payment until somebody decides."""


class TopUpSettled(TopUpEvent):
    """Money came in by one of its attempts and is in the wallet."""


class TopUpTakenBack(TopUpEvent):
    """Money that had come in went back: refunded, cancelled or charged back, whole or in part."""


class TopUpEnded(TopUpEvent):
    """It expired, was cancelled or failed. A late payment still lands."""


class TopUpNeedsReview(TopUpEvent):
    """Something came in that does not fit; staff decide."""


class ReceivableOpened(TopUpEvent):
    """More was taken back than the wallet had: its owner owes us the rest. Staff should know."""
