"""Creatives: what is shown of a campaign. None is edited: another takes its place once that is approved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId
from domain.ids import AssetId

CreativeId = NewType("CreativeId", UUID)

LONGEST_HTML: Final = 5_000
"""Characters, as a brand writes them."""
MOST_CREATIVES: Final = 20
"""Of one campaign that are pending or approved."""
MOST_ON_SCREEN: Final = 60
"""That a streamer's overlays show in turn; of more the campaigns that went live first are shown."""


class CreativeKind(StrEnum):
    """What a creative is made of."""

    HTML = "html"
    """Text with a little mark-up, which has gone through the sanitiser."""
    IMAGE = "image"
    VIDEO = "video"


class CreativeState(StrEnum):
    """What a moderator found of a creative; only an approved one is shown."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETIRED = "retired"
    """Taken away by its brand, or another has taken its place."""


class CreativeStep(StrEnum):
    """What moves a creative."""

    APPROVE = "approve"
    REJECT = "reject"
    RETIRE = "retire"


CREATIVE_NEXT: Final[Mapping[tuple[CreativeState, CreativeStep], CreativeState]] = {
    (CreativeState.PENDING, CreativeStep.APPROVE): CreativeState.APPROVED,
    (CreativeState.PENDING, CreativeStep.REJECT): CreativeState.REJECTED,
    (CreativeState.PENDING, CreativeStep.RETIRE): CreativeState.RETIRED,
    (CreativeState.APPROVED, CreativeStep.REJECT): CreativeState.REJECTED,
    (CreativeState.APPROVED, CreativeStep.RETIRE): CreativeState.RETIRED,
}
"""Every step there is; an absent one is refused."""


@dataclass(frozen=True, slots=True)
class Creative:
    """Something to show."""

    id: CreativeId
    campaign: CampaignId
    kind: CreativeKind
    body: str
    """The sanitised text of html; empty for an image and a video."""
    asset: AssetId | None
    """The image or the video."""
    created_at: datetime
    state: CreativeState = CreativeState.PENDING
    replaces: CreativeId | None = None
    """The one whose place it takes once it is approved."""
    reason: str = ""
    """Why it was rejected."""
    decided_at: datetime | None = None

    def decided(self, step: CreativeStep, now: datetime, reason: str = "") -> "Creative | None":
        """The creative after a step; None for a step that it cannot take."""
        state = CREATIVE_NEXT.get((self.state, step))
        if state is None:
            return None
        if step is CreativeStep.RETIRE:
            return replace(self, state=state)
        return replace(self, state=state, reason=reason, decided_at=now)


@dataclass(frozen=True, slots=True)
class OnScreen:
    """An approved creative of a campaign that runs, in a participation that is live: what an overlay shows."""

    creative: CreativeId
    participation: ParticipationId
    kind: CreativeKind
    body: str
    asset: AssetId | None
    opens_at: datetime
    """When the campaign's first day begins: it is not shown before."""


@dataclass(frozen=True, slots=True)
class Programme:
    """What a streamer's overlays show, and what may change it."""

    campaigns: frozenset[CampaignId] = frozenset()
    """Those that the streamer is live in, also while they stand still."""
    shown: tuple[OnScreen, ...] = ()
