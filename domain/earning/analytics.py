"""What a campaign, or a part in one, has brought: figures that add up to the minutes that they are of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId
from domain.money import Currency, Money, Rounding, rounded

_THOUSAND = 1_000


class Dimension(StrEnum):
    """By what figures are added up."""

    CREATIVE = "creative"
    PARTICIPATION = "participation"
    """By streamer: each takes part once."""
    HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Asked:
    """Figures of a campaign between two instants; of one participation where a streamer asks."""

    campaign: CampaignId
    by: Dimension
    since: datetime
    until: datetime
    participation: ParticipationId | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of all minutes that were set aside or paid for, of one creative, participation or hour."""

    key: UUID | datetime
    seconds: int
    """So long something was visible."""
    impressions: int
    """Viewers of each minute, counted for each creative that was visible for a second of it."""
    viewer_minutes: int
    """Viewers of each minute, shared by its creatives: what is paid by."""
    gross: int
    cost: int
    returned: int
    """Of the cost, what disputes gave back. Amounts are in minor units."""

    @property
    def spend(self) -> int:
        """What the brand paid, value-added tax included, in minor units."""
        return self.cost - self.returned

    def cpm(self, currency: Currency) -> Money | None:
        """What a thousand viewers of a minute cost, without value-added tax; None where nobody watched."""
        if not self.viewer_minutes:
            return None
        return Money(rounded(Fraction(self.gross * _THOUSAND, self.viewer_minutes), Rounding.HALF_UP), currency)


def total(rows: Sequence[Row], key: UUID) -> Row:
    """All rows as one, of whatever has this id."""
    names = ("seconds", "impressions", "viewer_minutes", "gross", "cost", "returned")
    return Row(key, *(sum(getattr(row, name) for row in rows) for name in names))
