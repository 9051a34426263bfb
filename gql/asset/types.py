"""Files as clients see them."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from domain.ids import AssetId
from gql.access import Right, field
from gql.asset.enums import Flaw, MediaType, Purpose, RenditionName, State
from gql.asset.lookups import Located
from gql.node import global_id
from gql.staff.types import uuid_of
from gql.weights import at_most

ASSET = "Asset"

InSize = Annotated[RenditionName, strawberry.argument(description="In which size.")]


def asset_id(id_: str) -> AssetId:
    """A file by its global id. Raises `BadInputError`."""
    return AssetId(uuid_of(ASSET, id_))


@strawberry.type(description="A file that can be fetched, in one size.")
class AssetFile:
    """A file in one size."""

    size: RenditionName = field(Right.PARENT, "Which size.")
    media_type: MediaType = field(Right.PARENT, "What it is.")
    length: int = field(Right.PARENT, "How many bytes it has.")
    width: int | None = field(Right.PARENT, "Of pictures, in pixels.")
    height: int | None = field(Right.PARENT, "Of pictures, in pixels.")
    url: str = field(
        Right.PARENT,
        "Where it is fetched for the next quarter of an hour, by whoever holds this address. Keep it to yourself.",
    )

    @classmethod
    def of(cls, found: Located | None, size: RenditionName) -> Self | None:
        """Show a file in a size; None where there is none."""
        address = found.addresses.get(size) if found else None
        rendition = found.asset.rendition(size) if found else None
        if address is None or rendition is None:
            return None
        return cls(
            size=size, media_type=rendition.media_type, length=rendition.length, width=rendition.width,
            height=rendition.height, url=address,
        )  # fmt: skip


@strawberry.type(name=ASSET, description="A file that somebody sent or is about to, as whoever may send it sees it.")
class Asset:
    """A file, to whoever may send such."""

    found: strawberry.Private[Located]
    id: strawberry.ID = field(Right.PARENT, "The global id.")
    purpose: Purpose = field(Right.PARENT, "What it is for.")
    file_name: str = field(Right.PARENT, "What it was called; empty where whoever sent it is erased.")
    media_type: MediaType = field(Right.PARENT, "What it is said to be; of a file that is ready, what it is.")
    length: int = field(Right.PARENT, "How many bytes it is said to have.")
    state: State = field(Right.PARENT, "Where the upload stands.")
    flaw: Flaw | None = field(Right.PARENT, "Why it is not taken, where it is not.")
    created_at: datetime = field(Right.PARENT, "When the upload began.")
    upload_until: datetime = field(Right.PARENT, "Until when the file may be sent and the upload be finished.")

    @field(Right.PARENT, "The sizes in which it can be fetched; none while it is not ready.", list_size=at_most(3))
    def files(self) -> list[AssetFile]:
        """The sizes in which it can be fetched."""
        shown = (AssetFile.of(self.found, each.name) for each in self.found.asset.renditions)
        return [each for each in shown if each is not None]

    @classmethod
    def of(cls, found: Located) -> Self:
        """Show a file."""
        asset = found.asset
        return cls(
            found=found, id=global_id(ASSET, asset.id), purpose=asset.purpose, file_name=asset.declared.file_name,
            media_type=asset.declared.media_type, length=asset.declared.length, state=asset.state, flaw=asset.flaw,
            created_at=asset.created_at, upload_until=asset.upload_until,
        )  # fmt: skip
