"""What an overlay shows of campaigns: approved creatives of those that run, in participations that are live."""

from datetime import datetime
from math import ceil
from typing import Self

import strawberry

from domain.campaign.creatives import CreativeKind, OnScreen
from gql.access import Right, field
from gql.node import global_id

CREATIVE, PARTICIPATION = "Creative", "Participation"
"""Of which kind ids are."""


@strawberry.type(description="Something that a campaign shows on this overlay, in turn with all others.")
class OverlayCreative:
    """A creative, as an overlay's page has to know it."""

    id: strawberry.ID = field(Right.PARENT, "The creative's global id. What has the same id is the same for ever.")
    participation_id: strawberry.ID = field(Right.PARENT, "The participation that it is shown in.")
    kind: CreativeKind = field(Right.PARENT, "What it is made of.")
    html: str = field(Right.PARENT, "The text of html, without what is dangerous; empty otherwise.")
    path: str | None = field(
        Right.PARENT,
        "Where the image or the video is fetched at our own address, by this overlay alone and as long as it shows it;"
        " null for html.",
    )
    starts_in_s: int = field(Right.PARENT, "So many seconds after the scene's `now` it may be shown; 0: at once.")

    @classmethod
    def of(cls, found: OnScreen, address: str, now: datetime) -> Self:
        """Show a creative to an overlay's page."""
        return cls(
            id=global_id(CREATIVE, found.creative),
            participation_id=global_id(PARTICIPATION, found.participation),
            kind=found.kind,
            html=found.body,
            path=f"/overlay/media/{address}" if found.asset else None,
            starts_in_s=max(0, ceil((found.opens_at - now).total_seconds())),
        )
