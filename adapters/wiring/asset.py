"""Everything that files take, plugged in."""

from dataclasses import dataclass, fields

from adapters.assets.pictures import PillowPictures
from adapters.postgres.asset.reads import PostgresAssetReads
from adapters.postgres.database import Database
from adapters.wiring.identity import IdentityAdapters
from domain.asset.ports import Files


@dataclass(frozen=True, slots=True)
class AssetAdapters(IdentityAdapters):
    """`domain.asset.ports.AssetPorts`, plugged in."""

    reads: PostgresAssetReads
    files: Files
    pictures: PillowPictures


def assets_of(identity: IdentityAdapters, database: Database, files: Files) -> AssetAdapters:
    """What the actions of assets are handed: all of identity, and what files take besides."""
    return AssetAdapters(
        **{part.name: getattr(identity, part.name) for part in fields(IdentityAdapters)},
        reads=PostgresAssetReads(database, identity.vault),
        files=files,
        pictures=PillowPictures(),
    )
