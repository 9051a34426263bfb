"""Assets: what a row is to the domain, and back."""

from collections.abc import Sequence

from asyncpg import Record

from domain.asset.model import Asset, Declared, Flaw, MediaType, Purpose, Rendition, RenditionName, State
from domain.ids import AssetId, PersonId

ASSET = """asset.id, owner, purpose, uploader, file_name, media_type, length, sha256, asset.created_at, upload_until,
    asset.state, flaw, asset.decided_at, renditions"""


def asset_of(row: Record, file_name: str = "") -> Asset:
    """An asset from a row that has `ASSET`, its file's name opened or left empty."""
    return Asset(
        AssetId(row["id"]), row["owner"], Purpose(row["purpose"]), PersonId(row["uploader"]),
        Declared(file_name, MediaType(row["media_type"]), row["length"], row["sha256"]), row["created_at"],
        row["upload_until"], State(row["state"]), Flaw(row["flaw"]) if row["flaw"] else None, row["decided_at"],
        tuple(_rendition(each) for each in row["renditions"]),
    )  # fmt: skip


def written_renditions(renditions: Sequence[Rendition]) -> list[list[object]]:
    """The files of an asset as its row has them."""
    return [[each.name, each.media_type, each.length, each.width, each.height] for each in renditions]


def _rendition(written: list[object]) -> Rendition:
    name, type_, length, width, height = written
    sizes = (size if isinstance(size, int) else None for size in (width, height))
    return Rendition(RenditionName(str(name)), MediaType(str(type_)), int(str(length)), *sizes)
