"""Overlays read without locks: `domain.overlay.ports.OverlayReads`; a list is one statement, opened at once."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from asyncpg import Record

from adapters.postgres.database import Database
from adapters.postgres.gathering import Gathering
from domain.ids import PersonId
from domain.overlay.actions import WORDS_FIELD
from domain.overlay.alerts import ALERT_FIELD, read
from domain.overlay.model import (
    Alert,
    Goal,
    Look,
    Overlay,
    OverlayId,
    Place,
    Screen,
    Settings,
    Side,
    Stop,
    Theme,
)
from domain.overlay.switches import REASON_FIELD
from domain.streamer.model import StreamerId
from domain.vault import Sealed, Vault

_SCREENS = """
select overlay.id, overlay.streamer, overlay.digest, streamer.person, coalesce(person.survivor, person.id) as survivor,
    revoked_at is null and coalesce(survivor.status, person.status) = 'active'
        and not exists (select from overlay_stop where overlay_stop.streamer = overlay.streamer) as is_on
from overlay join streamer on streamer.id = overlay.streamer join person on person.id = streamer.person
left join person as survivor on survivor.id = person.survivor
where {which}
"""
_BY_DIGEST = _SCREENS.format(which="overlay.digest = any($1::bytea[])")
_BY_ID = _SCREENS.format(which="overlay.id = any($1::uuid[])")
_MOST_SCREENS = 500
_OVERLAYS = """
select overlay.*, streamer.person from overlay join streamer on streamer.id = overlay.streamer
where {which} and revoked_at is null order by overlay.id
"""
_OVERLAYS_BY_ID = _OVERLAYS.format(which="overlay.id = any($1::uuid[])")
_OVERLAYS_OF = _OVERLAYS.format(which="overlay.streamer = any($1::uuid[])")
_STOPS = """
select overlay_stop.*, streamer.person from overlay_stop join streamer on streamer.id = overlay_stop.streamer
where streamer = any($1::uuid[]) order by since, side desc
"""
_ALERTS = """
select overlay_alert.*, streamer.person from overlay_alert join overlay on overlay.id = overlay_alert.overlay
join streamer on streamer.id = overlay.streamer
where overlay_alert.overlay = $1 and overlay_alert.sequence > $2 and raised_at > $3
order by overlay_alert.sequence limit $4
"""


class PostgresOverlayReads:
    """Reads of overlays; what a streamer wrote is opened by the vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault
        self._screens = Gathering(self._screens_by_digest, _MOST_SCREENS)

    async def screen_of(self, digest: bytes) -> Screen | None:
        """The overlay whose token has this digest."""
        return (await self._screens.find([digest])).get(digest)

    async def _screens_by_digest(self, digests: Sequence[bytes]) -> Mapping[bytes, Screen]:
        """Overlays that call in the same moment are looked up together."""
        found = map(_screen, await self._database.pool.fetch(_BY_DIGEST, list(digests)))
        return {screen.digest: screen for screen in found}

    async def screens(self, ids: Collection[OverlayId]) -> Mapping[OverlayId, Screen]:
        """Overlays as they are now, by id."""
        found = map(_screen, await self._database.pool.fetch(_BY_ID, list(ids)))
        return {screen.overlay: screen for screen in found}

    async def overlays(self, ids: Sequence[OverlayId]) -> Mapping[OverlayId, Overlay]:
        """Overlays by id, those that there are."""
        return {found.id: found for found in await self._read(_OVERLAYS_BY_ID, ids)}

    async def overlays_of(self, streamers: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[Overlay]]:
        """The overlays of each, oldest first."""
        found: dict[StreamerId, list[Overlay]] = {streamer: [] for streamer in streamers}
        for overlay in await self._read(_OVERLAYS_OF, streamers):
            found[overlay.streamer].append(overlay)
        return found

    async def stops_of(self, streamers: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[Stop]]:
        """Who has switched off the overlays of each."""
        rows = await self._database.pool.fetch(_STOPS, list(streamers))
        with_reason = [row for row in rows if row["reason"] is not None]
        reasons = dict(zip(with_reason, await self._open(with_reason, REASON_FIELD, "reason"), strict=True))
        found: dict[StreamerId, list[Stop]] = {streamer: [] for streamer in streamers}
        for row in rows:
            found[StreamerId(row["streamer"])].append(Stop(Side(row["side"]), row["since"], reasons.get(row)))
        return found

    async def alerts(self, overlay: OverlayId, after: int, since: datetime, most: int) -> Sequence[Alert]:
        """So many alerts after a sequence, raised since then, in order."""
        rows = await self._database.pool.fetch(_ALERTS, overlay, after, since, most)
        opened = await self._open(rows, ALERT_FIELD, "body")
        return [
            Alert(overlay, row["sequence"], read(text), row["is_test"], row["raised_at"])
            for row, text in zip(rows, opened, strict=True)
            if text is not None
        ]

    async def _read(self, query: str, ids: Sequence[object]) -> list[Overlay]:
        rows = await self._database.pool.fetch(query, list(ids))
        opened = await self._open(rows, WORDS_FIELD, "words")
        return [_overlay(row, text) for row, text in zip(rows, opened, strict=True) if text is not None]

    async def _open(self, rows: Sequence[Record], field: str, column: str) -> Sequence[str | None]:
        sealed = [Sealed(PersonId(row["person"]), field, row[column]) for row in rows]
        return await self._vault.open(sealed) if sealed else ()


def _screen(row: Record) -> Screen:
    people = frozenset({PersonId(row["person"]), PersonId(row["survivor"])})
    return Screen(OverlayId(row["id"]), StreamerId(row["streamer"]), people, row["digest"], row["is_on"])


def _overlay(row: Record, text: str) -> Overlay:
    words = json.loads(text)
    goal = Goal(words["goal"], row["goal_reached"], row["goal_target"]) if words["goal"] else None
    look = Look(row["width"], row["height"], Place(row["place"]), Theme(row["theme"]), row["safe_area"])
    return Overlay(
        OverlayId(row["id"]), StreamerId(row["streamer"]), PersonId(row["person"]), Settings(words["name"], look, goal),
        row["created_at"], row["renewed_at"], row["version"], row["sequence"],
    )  # fmt: skip
