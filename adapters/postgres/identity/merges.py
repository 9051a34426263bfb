"""Joining two people: `domain.identity.ports.Merges` on the connection of one unit of work."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from asyncpg import Connection

from domain.identity.model import MergeRequest
from domain.ids import PersonId

_ADD = """
insert into merge_request (id, survivor, merged, reason, asked_by, asked_at) values ($1, $2, $3, $4, $5, $6)
on conflict (merged) where decided_at is null do nothing returning id
"""
_LOCK = """
select id, survivor, merged, reason, asked_by, asked_at, decided_by, decided_at, approved
from merge_request where id = $1 for no key update
"""
_DECIDE = "update merge_request set decided_by = $2, decided_at = $3, approved = $4 where id = $1"
# Two passwords cannot become one person's: the survivor's own stays.
_DROP_SECOND_ADDRESS = """
delete from sign_in_identity where person = $2 and provider = 'password'
    and exists (select from sign_in_identity where person = $1 and provider = 'password')
"""
_MOVE_IDENTITIES = """
update sign_in_identity set person = $1, subject = moved.subject
from unnest($3::uuid[], $4::bytea[]) as moved (id, subject)
where sign_in_identity.id = moved.id and sign_in_identity.person = $2
"""
_MOVE_HASH = """
insert into password (person, hash) select $1, hash from password where person = $2 on conflict (person) do nothing
"""
# Of two roles in one brand the higher stays.
_RAISE_ROLES = """
update membership as first set role = second.role
from membership as second
where first.person = $1 and second.person = $2 and first.kind = 'brand' and first.brand = second.brand
    and first.ended_at is null and second.ended_at is null
    and array_position(array['owner', 'manager', 'viewer'], second.role)
        < array_position(array['owner', 'manager', 'viewer'], first.role)
"""
_END_SECOND_MEMBERSHIPS = """
update membership as second set ended_at = clock_timestamp()
where person = $2 and ended_at is null and exists (
    select from membership as first where first.person = $1 and first.ended_at is null
        and first.kind = second.kind and first.brand is not distinct from second.brand
)
"""
_MOVE_MEMBERSHIPS = "update membership set person = $1 where person = $2 and ended_at is null"
# Of two profiles the survivor's stays, and what was linked to the other may be linked anew.
_DROP_SECOND_STREAMER = "delete from streamer where person = $2 and exists (select from streamer where person = $1)"
_MOVE_CONTACTS = "update brand set contact = $1 where contact = $2"
_MOVE_EARLIER = "update person set survivor = $1 where survivor = $2"
# The survivor's own will tell all of it; what was sent to the other's address opens nothing any more.
_EXPIRE_EXPORTS = "update personal_export set state = 'expired' where person = $1 and state in ('requested', 'ready')"
_FORGET = (
    "delete from password where person = $1",
    "delete from totp where person = $1",
    "delete from recovery_code where person = $1",
    "delete from passkey where person = $1",
)


class PostgresMerges:
    """Merges inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, request: MergeRequest) -> bool:
        """Store a request; False when there is an open one for the same merged person."""
        made = await self._connection.fetchval(
            _ADD, request.id, request.survivor, request.merged, request.reason, request.asked_by, request.asked_at
        )
        return made is not None

    async def lock(self, id_: UUID) -> MergeRequest | None:
        """A request, locked."""
        found = await self._connection.fetchrow(_LOCK, id_)
        return MergeRequest(*found) if found else None

    async def decide(self, id_: UUID, by: PersonId, now: datetime, *, approved: bool) -> None:
        """Note what was decided."""
        await self._connection.execute(_DECIDE, id_, by, now, approved)

    async def join(self, survivor: PersonId, merged: PersonId, subjects: Mapping[UUID, bytes]) -> None:
        """Give the survivor the merged person's identities, memberships and own merges; see the port."""
        both = survivor, merged
        await self._connection.execute(_DROP_SECOND_ADDRESS, *both)
        await self._connection.execute(_MOVE_IDENTITIES, *both, list(subjects), list(subjects.values()))
        if await self._connection.fetchval(
            "select exists (select from sign_in_identity where person = $1 and provider = 'password')", survivor
        ):
            await self._connection.execute(_MOVE_HASH, *both)
        await self._connection.execute(_RAISE_ROLES, *both)
        await self._connection.execute(_END_SECOND_MEMBERSHIPS, *both)
        await self._connection.execute(_MOVE_MEMBERSHIPS, *both)
        await self._connection.execute(_DROP_SECOND_STREAMER, *both)
        await self._connection.execute(_MOVE_CONTACTS, *both)
        await self._connection.execute(_MOVE_EARLIER, *both)
        await self._connection.execute(_EXPIRE_EXPORTS, merged)
        for statement in _FORGET:
            await self._connection.execute(statement, merged)
