"""Disputes: what one side says against minutes, and what staff's verdict makes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId, Side
from domain.earning.model import MinuteState
from domain.ids import BrandId, PersonId

DisputeId = NewType("DisputeId", UUID)

MOST_NAMED: Final = 1_440
"""Minutes that one dispute may name: a day of them."""
LONGEST_REASON: Final = 1_000
WHOLE_PRICE: Final = 1_000
"""Reductions are in thousandths."""


class Ruling(StrEnum):
    """What staff finds of a dispute."""

    UPHELD = "upheld"
    REDUCED = "reduced"
    """The brand is right in part: the minutes are paid at a lower price."""
    REJECTED = "rejected"


DISPUTABLE: Final[Mapping[Side, MinuteState]] = {
    Side.BRAND: MinuteState.HELD,
    Side.STREAMER: MinuteState.UNPAID,
}
"""Which minutes a side may name; of those that are not paid a streamer names the ones whose evidence was rejected."""

AMID: Final[Mapping[Side, MinuteState]] = {
    Side.BRAND: MinuteState.FROZEN,
    Side.STREAMER: MinuteState.APPEALED,
}
"""Where they stand until staff decides."""

RULED: Final[Mapping[tuple[Side, Ruling], MinuteState]] = {
    (Side.BRAND, Ruling.UPHELD): MinuteState.RETURNING,
    (Side.BRAND, Ruling.REDUCED): MinuteState.REDUCING,
    (Side.BRAND, Ruling.REJECTED): MinuteState.HELD,
    (Side.STREAMER, Ruling.UPHELD): MinuteState.OPEN,
    (Side.STREAMER, Ruling.REJECTED): MinuteState.UNPAID,
}
"""Where a ruling leads them. An absent pair is refused: what was never set aside cannot be reduced."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Who may dispute the minutes of a participation."""

    participation: ParticipationId
    campaign: CampaignId
    brand: BrandId
    person: PersonId
    """In whose name the streamer is."""


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute as its row has it."""

    id: DisputeId
    participation: ParticipationId
    side: Side
    opened_by: PersonId
    reason: bytes | None
    """Sealed: it is somebody's own words. None once they were erased."""
    opened_at: datetime
    minutes: tuple[datetime, ...] = ()
    ruling: Ruling | None = None
    decided_at: datetime | None = None
