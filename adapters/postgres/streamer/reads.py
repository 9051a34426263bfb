"""Streamers read without locks: `domain.streamer.ports.StreamerReads`; a list is one statement, opened at once."""

import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from asyncpg import Record

from adapters.postgres.database import Database
from domain.ids import AssetId, PersonId
from domain.streamer.checking import REASON_FIELD
from domain.streamer.linking import ACCOUNT_FIELD
from domain.streamer.model import (
    Category,
    LinkId,
    LinkState,
    Platform,
    PlatformLink,
    Profile,
    Rating,
    Slot,
    Streamer,
    StreamerId,
    Weekday,
)
from domain.streamer.profile import NAME_FIELD, SCHEDULE_FIELD
from domain.vault import Sealed, Vault

_FIRST = UUID(int=0)
# Who was found to be somebody else is as welcome as that person is.
_STREAMERS = """
select streamer.*, coalesce(survivor.status, person.status) = 'active' as is_active
from streamer join person on person.id = streamer.person left join person as survivor on survivor.id = person.survivor
where {which}
"""
_OF_PEOPLE = (
    _STREAMERS.format(which="streamer.person = any($1::uuid[])")
    + "order by array_position($1::uuid[], streamer.person) limit 1"
)
_BY_ID = _STREAMERS.format(which="streamer.id = any($1::uuid[])")
_LINKS = """
select link.*, streamer.person from streamer cross join lateral (
    select id, streamer, platform, account, state, code_expires_at, asked_at, placed_at, decided_at, reason
    from platform_link where platform_link.streamer = streamer.id and state <> 'unlinked'
    order by asked_at desc, id desc limit 20
) as link
where streamer.id = any($1::uuid[]) order by link.asked_at desc, link.id desc
"""
_LINK = """
select platform_link.id, streamer, person, platform, account, state, code_expires_at, asked_at, placed_at, decided_at,
    reason
from platform_link join streamer on streamer.id = platform_link.streamer where {which}
"""
_BY_LINK = _LINK.format(which="platform_link.id = any($1::uuid[])")
_TO_CHECK = _LINK.format(which="state = 'placed' and platform_link.id > $2 order by platform_link.id limit $1")


class PostgresStreamerReads:
    """Reads of streamers; personal texts are opened by the vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def streamer_of(self, people: Sequence[PersonId]) -> Streamer | None:
        """The streamer that people are who are one."""
        found = await self._streamers(await self._database.pool.fetch(_OF_PEOPLE, list(people)))
        return found[0] if found else None

    async def streamers(self, ids: Sequence[StreamerId]) -> Mapping[StreamerId, Streamer]:
        """Streamers by id, those that there are."""
        found = await self._streamers(await self._database.pool.fetch(_BY_ID, list(ids)))
        return {streamer.id: streamer for streamer in found}

    async def links_of(self, streamers: Sequence[StreamerId]) -> Mapping[StreamerId, Sequence[PlatformLink]]:
        """The newest links of each that are not unlinked, newest first."""
        found: dict[StreamerId, list[PlatformLink]] = {streamer: [] for streamer in streamers}
        for link in await self._links(await self._database.pool.fetch(_LINKS, list(streamers))):
            found[link.streamer].append(link)
        return found

    async def links(self, ids: Sequence[LinkId]) -> Mapping[LinkId, PlatformLink]:
        """Links by id, those that there are, in whichever state."""
        return {link.id: link for link in await self._links(await self._database.pool.fetch(_BY_LINK, list(ids)))}

    async def to_check(self, first: int, after: LinkId | None) -> Sequence[PlatformLink]:
        """Links that wait for staff, in the order in which their codes were asked for."""
        return await self._links(await self._database.pool.fetch(_TO_CHECK, first, after or _FIRST))

    async def _streamers(self, rows: Sequence[Record]) -> list[Streamer]:
        """Those of them whose keys are there: of others nothing is left that could be shown."""
        sealed = [
            Sealed(PersonId(row["person"]), field, row[column])
            for row in rows
            for field, column in ((NAME_FIELD, "display_name"), (SCHEDULE_FIELD, "schedule"))
        ]
        opened = iter(await self._vault.open(sealed) if sealed else ())
        texts = [(row, next(opened), next(opened)) for row in rows]
        return [_streamer(row, name, schedule) for row, name, schedule in texts if name is not None and schedule]

    async def _links(self, rows: Sequence[Record]) -> list[PlatformLink]:
        columns = ((ACCOUNT_FIELD, "account"), (REASON_FIELD, "reason"))
        places = [(row["id"], column) for row in rows for _, column in columns if row[column] is not None]
        sealed = [
            Sealed(PersonId(row["person"]), field, row[column])
            for row in rows
            for field, column in columns
            if row[column] is not None
        ]
        opened = dict(zip(places, await self._vault.open(sealed) if sealed else (), strict=True))
        return [
            PlatformLink(
                LinkId(row["id"]), StreamerId(row["streamer"]), PersonId(row["person"]), Platform(row["platform"]),
                opened.get((row["id"], "account")), LinkState(row["state"]), row["code_expires_at"], row["asked_at"],
                row["placed_at"], row["decided_at"], opened.get((row["id"], "reason")),
            )
            for row in rows
        ]  # fmt: skip


def _streamer(row: Record, name: str, schedule: str) -> Streamer:
    profile = Profile(
        name, tuple(map(Category, row["categories"])), row["language"], Rating(row["rating"]), row["country"],
        row["time_zone"], tuple(Slot(Weekday(day), starts, ends) for day, starts, ends in json.loads(schedule)),
    )  # fmt: skip
    return Streamer(
        StreamerId(row["id"]),
        PersonId(row["person"]),
        profile,
        row["created_at"],
        row["version"],
        row["is_active"],
        AssetId(row["avatar"]) if row["avatar"] else None,
    )
