"""Overlays: `domain.overlay.ports.Overlays` on the connection of one unit of work."""

from datetime import datetime

from asyncpg import Connection

from domain.ids import PersonId
from domain.overlay.model import ALERT_LIFETIME, KeptOverlay, OverlayId, Side, Stop
from domain.overlay.ports import SealedSettings
from domain.streamer.model import StreamerId

_ADD = """
insert into overlay (id, streamer, digest, created_at, changed_at, renewed_at, words, goal_reached, goal_target, width,
    height, place, theme, safe_area)
values ($1, $2, $3, $4, $4, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_COUNT = "select count(*) from overlay where streamer = $1 and revoked_at is null"
_LOCK = """
select overlay.streamer, overlay.version, streamer.person
from overlay join streamer on streamer.id = overlay.streamer
where overlay.id = $1 and revoked_at is null for no key update of overlay
"""
_CHANGE = """
update overlay set changed_at = $2, words = $3, goal_reached = $4, goal_target = $5, width = $6, height = $7,
    place = $8, theme = $9, safe_area = $10, version = version + 1
where id = $1
"""
_RENEW = "update overlay set digest = $2, renewed_at = $3 where id = $1"
_REVOKE = "update overlay set revoked_at = $2 where id = $1"
_FORGET_ALERTS = "delete from overlay_alert where overlay = $1 and raised_at <= $2"
_NUMBER = "update overlay set sequence = sequence + 1 where id = $1 returning sequence"
_RAISE = "insert into overlay_alert (overlay, sequence, body, is_test, raised_at) values ($1, $2, $3, $4, $5)"
_OWNER = "select person from streamer where id = $1 for no key update"
_OFF = """
insert into overlay_stop (streamer, side, since, reason) values ($1, $2, $3, $4)
on conflict (streamer, side) do nothing returning streamer
"""
_ON = "delete from overlay_stop where streamer = $1 and side = $2 returning streamer"


class PostgresOverlays:
    """Overlays inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(
        self, id_: OverlayId, streamer: StreamerId, sealed: SealedSettings, digest: bytes, now: datetime
    ) -> None:
        """Store a new overlay."""
        await self._connection.execute(_ADD, id_, streamer, digest, now, *_columns(sealed))

    async def count(self, streamer: StreamerId) -> int:
        """How many a streamer has."""
        return int(await self._connection.fetchval(_COUNT, streamer))

    async def lock(self, id_: OverlayId) -> KeptOverlay | None:
        """An overlay that is not revoked, locked."""
        row = await self._connection.fetchrow(_LOCK, id_)
        if row is None:
            return None
        return KeptOverlay(id_, StreamerId(row["streamer"]), PersonId(row["person"]), row["version"])

    async def change(self, id_: OverlayId, sealed: SealedSettings, now: datetime) -> None:
        """Keep other settings."""
        await self._connection.execute(_CHANGE, id_, now, *_columns(sealed))

    async def renew(self, id_: OverlayId, digest: bytes, now: datetime) -> None:
        """Keep another token's digest."""
        await self._connection.execute(_RENEW, id_, digest, now)

    async def revoke(self, id_: OverlayId, now: datetime) -> None:
        """End an overlay, and forget what was raised on it."""
        await self._connection.execute(_REVOKE, id_, now)
        await self._connection.execute(_FORGET_ALERTS, id_, now)

    async def raise_alert(self, id_: OverlayId, body: bytes, now: datetime, *, is_test: bool) -> int:
        """Keep an alert; its sequence."""
        await self._connection.execute(_FORGET_ALERTS, id_, now - ALERT_LIFETIME)
        sequence = int(await self._connection.fetchval(_NUMBER, id_))
        await self._connection.execute(_RAISE, id_, sequence, body, is_test, now)
        return sequence

    async def owner_of(self, streamer: StreamerId) -> PersonId | None:
        """In whose name a streamer is, who is locked; None where there is no such."""
        found = await self._connection.fetchval(_OWNER, streamer)
        return PersonId(found) if found else None

    async def switch_off(self, streamer: StreamerId, stop: Stop, reason: bytes | None) -> bool:
        """Switch a streamer's overlays off; False where that side has done so before."""
        made = await self._connection.fetchval(_OFF, streamer, stop.side, stop.since, reason)
        return made is not None

    async def switch_on(self, streamer: StreamerId, side: Side) -> bool:
        """Take a side's stop away; False where there is none."""
        return await self._connection.fetchval(_ON, streamer, side) is not None


def _columns(sealed: SealedSettings) -> tuple[object, ...]:
    look = sealed.look
    return (
        sealed.words, sealed.reached, sealed.target, look.width, look.height, look.place, look.theme, look.safe_area,
    )  # fmt: skip
