"""Exports and their pieces: `domain.identity.privacy_stores.Exports` on the connection of one unit of work.

Whoever writes a piece holds the export's row: an erasure that comes between waits for the piece and then deletes it.
"""

from datetime import datetime
from uuid import UUID

from asyncpg import Connection, Record

from domain.identity.privacy import Export, ExportState
from domain.ids import PersonId

_ADD = """
insert into personal_export (id, person, state, asked_at) values ($1, $2, 'requested', $3)
on conflict (person) where state in ('requested', 'ready') do nothing returning id
"""
_CLAIM = """
update personal_export set run = run + 1, claimed_until = $2
where id = (
    select id from personal_export
    where state = 'requested' and (claimed_until is null or claimed_until <= $1)
    order by asked_at limit 1 for no key update skip locked
)
returning *
"""
_HOLD = """
update personal_export set claimed_until = $3 where id = $1 and run = $2 and state = 'requested' returning id
"""
_ADD_PIECE = "insert into personal_export_piece (export, run, number, content) values ($1, $2, $3, $4)"
_READY = """
update personal_export set state = 'ready', ready_at = $3, expires_at = $4, pieces = $5, bytes = $6
where id = $1 and run = $2 and state = 'requested' returning id
"""
_DROP_OTHER_RUNS = "delete from personal_export_piece where export = $1 and run <> $2"
_FAILED = "update personal_export set state = 'failed' where id = $1 and run = $2 and state = 'requested' returning id"
_LOCK_READY = "select * from personal_export where id = $1 and state = 'ready' for no key update"
_FETCHED = "update personal_export set state = 'fetched', fetched_at = $2 where id = $1"
_PIECE = "select content from personal_export_piece where export = $1 and run = $2 and number = $3"
_FORGET = "delete from personal_export_piece where export = $1"
_EXPIRE = """
update personal_export set state = 'expired' where state = 'ready' and expires_at <= $1 returning id
"""
# Whoever makes one is overtaken by its next run, which reads the address anew.
_WITHDRAW = """
update personal_export set
    state = case state when 'ready' then 'expired' else state end,
    run = run + case state when 'requested' then 1 else 0 end, claimed_until = null
where person = $1 and state in ('requested', 'ready')
"""
_FORGET_OVER = """
delete from personal_export_piece where export in (
    select distinct piece.export from personal_export_piece as piece join personal_export as whole on whole.id = export
    where whole.state in ('expired', 'failed') or (whole.state = 'fetched' and whole.fetched_at <= $1)
)
"""


class PostgresExports:
    """Exports inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, export: Export) -> bool:
        """Keep a wish; False where the person has an open one."""
        return await self._connection.fetchval(_ADD, export.id, export.person, export.asked_at) is not None

    async def claim(self, now: datetime, until: datetime) -> Export | None:
        """The oldest wish that nobody deals with, for this caller until then; what others had made of it is dropped."""
        found = await self._connection.fetchrow(_CLAIM, now, until)
        if found is None:
            return None
        await self._connection.execute(_DROP_OTHER_RUNS, found["id"], found["run"])
        return export_of(found)

    async def add_piece(self, export: Export, number: int, content: bytes, until: datetime) -> bool:
        """Keep a sealed piece and the claim until then; False where another has taken over, or it is over."""
        if await self._connection.fetchval(_HOLD, export.id, export.run, until) is None:
            return False
        await self._connection.execute(_ADD_PIECE, export.id, export.run, number, content)
        return True

    async def ready(self, export: Export) -> bool:
        """Keep that it can be fetched; False where another has taken over, or it is over."""
        made = await self._connection.fetchval(
            _READY, export.id, export.run, export.ready_at, export.expires_at, export.pieces, export.bytes
        )
        if made is None:
            return False
        await self._connection.execute(_DROP_OTHER_RUNS, export.id, export.run)
        return True

    async def failed(self, export: Export) -> None:
        """Give it up."""
        if await self._connection.fetchval(_FAILED, export.id, export.run) is not None:
            await self.forget_pieces(export.id)

    async def lock_ready(self, id_: UUID) -> Export | None:
        """An export that can be fetched, locked."""
        found = await self._connection.fetchrow(_LOCK_READY, id_)
        return export_of(found) if found else None

    async def fetched(self, id_: UUID, now: datetime) -> None:
        """Note that somebody begins to fetch it."""
        await self._connection.execute(_FETCHED, id_, now)

    async def piece(self, export: Export, number: int) -> bytes | None:
        """A sealed piece; None if it is gone."""
        found: bytes | None = await self._connection.fetchval(_PIECE, export.id, export.run, number)
        return found

    async def forget_pieces(self, id_: UUID) -> None:
        """Delete what was to be fetched."""
        await self._connection.execute(_FORGET, id_)

    async def withdraw(self, person: PersonId) -> None:
        """Let nobody fetch what is ready, and whoever makes one begin anew."""
        await self._connection.execute(_WITHDRAW, person)

    async def expire(self, now: datetime, fetched_before: datetime) -> int:
        """Let go of what was not fetched in time, and delete the pieces of all that is over; how many expired."""
        expired = await self._connection.fetch(_EXPIRE, now)
        await self._connection.execute(_FORGET_OVER, fetched_before)
        return len(expired)


def export_of(record: Record) -> Export:
    """A row as the domain knows it."""
    return Export(
        record["id"], PersonId(record["person"]), ExportState(record["state"]), record["asked_at"], record["run"],
        record["ready_at"], record["expires_at"], record["pieces"] or 0, record["bytes"] or 0,
    )  # fmt: skip
