"""What campaigns show, as their brands see it and as moderators do."""

from datetime import datetime
from typing import Self

import strawberry

from domain.campaign import creatives as creatives_model
from domain.campaign import model
from domain.campaign.creatives import CreativeId
from domain.ids import AssetId
from domain.rights import Permission
from gql.access import Right, field
from gql.asset.enums import RenditionName
from gql.asset.lookups import assets
from gql.asset.types import AssetFile, InSize
from gql.batching import Asked, batched
from gql.brand.types import uuid_from
from gql.campaign.enums import CreativeKind, CreativeState
from gql.context import Info
from gql.node import global_id, key_of
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor

CREATIVE = "Creative"
_TO_REVIEW = "creatives-to-review"


def creative_id(id_: str) -> CreativeId:
    """A creative by its global id. Raises `BadInputError`."""
    return CreativeId(uuid_from(key_of(CREATIVE, id_)))


@strawberry.type(name=CREATIVE, description="Something that a campaign shows. It is never edited, but replaced.")
class Creative:
    """A creative, as its brand sees it."""

    sent: strawberry.Private[AssetId | None]
    id: strawberry.ID = field(Right.PARENT, "The global id.")
    kind: CreativeKind = field(Right.PARENT, "What it is made of.")
    html: str = field(Right.PARENT, "The text as it is shown, without what is dangerous; empty otherwise.")
    state: CreativeState = field(Right.PARENT, "What a moderator found of it; only an approved one is shown.")
    replaces: strawberry.ID | None = field(Right.PARENT, "The one whose place it takes once it is approved.")
    reason: str = field(Right.PARENT, "Why it was rejected; empty otherwise.")
    created_at: datetime = field(Right.PARENT, "Since when it is here.")
    decided_at: datetime | None = field(Right.PARENT, "When a moderator decided.")

    @batched(Right.PARENT, "The image or the video; null for a text, and in a size that there is not.", load=assets)
    def file(self, size: InSize = RenditionName.WHOLE) -> Asked[AssetFile | None]:
        """The image or the video."""
        return Asked(self.sent, lambda found: AssetFile.of(found, size))

    @classmethod
    def of(cls, found: creatives_model.Creative) -> Self:
        """Show a creative."""
        return cls(
            sent=found.asset, id=global_id(CREATIVE, found.id), kind=found.kind, html=found.body, state=found.state,
            replaces=global_id(CREATIVE, found.replaces) if found.replaces else None, reason=found.reason,
            created_at=found.created_at, decided_at=found.decided_at,
        )  # fmt: skip


@strawberry.type(description="Something that a campaign would show, as moderators see it.")
class CreativeCase:
    """A creative under review."""

    creative: Creative = field(Right.PARENT, "The creative.")
    title: str = field(Right.PARENT, "What its campaign is called.")
    link: str = field(Right.PARENT, "Where viewers of its campaign are to go.")

    @classmethod
    def of(cls, found: creatives_model.Creative, campaign: model.Campaign) -> Self:
        """Show a creative to a moderator."""
        brief = campaign.plan.brief
        return cls(creative=Creative.of(found), title=brief.title, link=brief.link)


@strawberry.type
class CreativeStaffQuery:
    """What moderators look up about creatives."""

    @field(
        Right.STAFF,
        "Creatives that wait for a moderator, oldest first.",
        permission=Permission.MODERATE_CONTENT,
        list_size=PAGE,
    )
    async def creatives_to_review(
        self, info: Info, first: First = USUAL_PAGE, after: After = None
    ) -> Connection[CreativeCase]:
        """A page of creatives that wait for a moderator."""
        size = page_size(first)
        place = None if after is None else CreativeId(uuid_from(place_of(_TO_REVIEW, after)))
        found = await info.context.ports.campaign.reads.creatives_to_review(size + 1, place)

        def edge(each: tuple[creatives_model.Creative, model.Campaign]) -> tuple[Cursor, CreativeCase]:
            return cursor_of(_TO_REVIEW, each[0].id), CreativeCase.of(*each)

        return Connection.of(found, size, after, edge)
