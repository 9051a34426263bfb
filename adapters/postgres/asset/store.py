"""Assets inside a unit of work: `domain.asset.ports.Assets` on its connection."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from asyncpg import Connection

from adapters.postgres.asset.rows import ASSET, asset_of, written_renditions
from domain.asset.model import Asset, Purpose
from domain.ids import AssetId

_ADD = """
insert into asset (id, owner, purpose, uploader, is_personal, file_name, token, media_type, length, sha256, created_at,
    upload_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_LOCK = f"select {ASSET} from asset where id = $1 for no key update"  # noqa: S608  # a list of our columns
_SAVE = "update asset set state = $2, flaw = $3, decided_at = $4, renditions = $5 where id = $1"
_OVERDUE = """
select id from asset where state = 'awaited' and upload_until <= $1 order by upload_until limit $2
"""
_CLEARED = "update asset set cleared = true where id = $1"
# Shared, so that others may use them, too, and an erasure waits.
_READY = f"""
select {ASSET} from asset
where id = any($1::uuid[]) and state = 'ready' and owner = any($2::text[]) and purpose = $3
order by id for share
"""  # noqa: S608  # a list of our columns


class PostgresAssets:
    """Assets inside a unit of work. The names of files stay sealed here."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, asset: Asset, file_name: bytes, token: bytes) -> None:
        """Keep an upload that begins."""
        declared = asset.declared
        await self._connection.execute(
            _ADD, asset.id, asset.owner, asset.purpose, asset.uploader, asset.rule.is_personal, file_name, token,
            declared.media_type, declared.length, declared.sha256, asset.created_at, asset.upload_until,
        )  # fmt: skip

    async def lock(self, id_: AssetId) -> Asset | None:
        """An asset, locked."""
        found = await self._connection.fetchrow(_LOCK, id_)
        return asset_of(found) if found else None

    async def save(self, asset: Asset) -> None:
        """Keep what it was decided to be."""
        await self._connection.execute(
            _SAVE, asset.id, asset.state, asset.flaw, asset.decided_at, written_renditions(asset.renditions)
        )

    async def overdue(self, now: datetime, first: int) -> Sequence[AssetId]:
        """Uploads whose time is over and that nobody has finished."""
        return [AssetId(row["id"]) for row in await self._connection.fetch(_OVERDUE, now, first)]

    async def cleared(self, id_: AssetId) -> None:
        """Note that what was not to be kept of its files is deleted."""
        await self._connection.execute(_CLEARED, id_)

    async def ready(
        self, ids: Collection[AssetId], owners: Collection[str], purpose: Purpose
    ) -> Mapping[AssetId, Asset]:
        """Those of them that are ready, of a purpose and of one of these owners."""
        found = map(asset_of, await self._connection.fetch(_READY, list(ids), list(owners), purpose))
        return {asset.id: asset for asset in found}
