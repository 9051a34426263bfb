"""Assets, read without locks: `domain.asset.ports.AssetReads`, one statement a question, however many it is about."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from asyncpg import Record

from adapters.postgres.asset.rows import ASSET, asset_of
from adapters.postgres.database import Database
from domain.asset.model import Asset
from domain.asset.ports import Clearing
from domain.asset.sending import FILE_NAME_FIELD
from domain.ids import AssetId, PersonId
from domain.vault import Sealed, Vault

_ASSETS = f"select {ASSET} from asset where id = any($1::uuid[])"  # noqa: S608  # a list of our columns
_AWAITED = f"select {ASSET} from asset where token = $1 and state = 'awaited'"  # noqa: S608  # a list of our columns
_TO_CLEAR = """
select id, state <> 'ready' as everything from asset
where not cleared and state <> 'awaited' and upload_until < $1 order by upload_until limit $2
"""


class PostgresAssetReads:
    """Reads of assets; names of files are opened by the vault, and are empty where the key was destroyed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def assets(self, ids: Sequence[AssetId]) -> Mapping[AssetId, Asset]:
        """Assets by id, those that there are."""
        rows: Sequence[Record] = await self._database.pool.fetch(_ASSETS, list(ids))
        return {asset.id: asset for asset in await self._opened(rows)}

    async def awaited(self, token: bytes) -> Asset | None:
        """The upload whose token has this digest, as long as it is not decided."""
        found = await self._database.pool.fetchrow(_AWAITED, token)
        return asset_of(found) if found else None

    async def to_clear(self, before: datetime, first: int) -> Sequence[Clearing]:
        """Decided uploads whose files were not looked after yet."""
        rows = await self._database.pool.fetch(_TO_CLEAR, before, first)
        return [Clearing(AssetId(row["id"]), row["everything"]) for row in rows]

    async def _opened(self, rows: Sequence[Record]) -> list[Asset]:
        named = [row for row in rows if row["file_name"] is not None]
        sealed = [Sealed(PersonId(row["uploader"]), FILE_NAME_FIELD, row["file_name"]) for row in named]
        names = await self._vault.open(sealed) if sealed else ()
        known = {row["id"]: name or "" for row, name in zip(named, names, strict=True)}
        return [asset_of(row, known.get(row["id"], "")) for row in rows]
