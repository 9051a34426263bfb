"""Erasures: `domain.identity.privacy_stores.Erasures` on the connection of one unit of work."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Connection, Record

from domain.identity.privacy import Erasure, RetentionReason
from domain.identity.privacy_stores import KeptRecord
from domain.ids import PersonId

_NOBODY = UUID(int=0)
_OPEN = """
select * from erasure where person = $1 and kept_at is null and done_at is null for no key update
"""
_ADD = "insert into erasure (id, person, asked_at, due_at) values ($1, $2, $3, $4)"
_KEEP = "update erasure set kept_at = $2 where id = $1"
_LOCK = "select * from erasure where id = $1 and kept_at is null and done_at is null for no key update"
_DUE = """
select * from erasure where kept_at is null and done_at is null and due_at <= $1 and id > $2
order by id limit $3
"""
_BEGIN = "update erasure set begun_at = $2, retained_until = $3 where id = $1"
_DONE = "update erasure set done_at = $2 where id = $1"
_MERGED = "select id from person where survivor = any($1::uuid[]) order by id"
_LETTER_WAITS = "select exists (select from letter where id = $1 and sent_at is null and failed_at is null)"
_RETAIN = """
insert into retained_record (person, custodian, body, reasons, until) values ($1, $2, $3, $4, $5)
on conflict (person) do nothing
"""
_RETAINED = "select * from retained_record where person = $1 and released_at is null"
_RELEASE = """
update retained_record set body = null, released_at = $1 where until <= $1 and released_at is null returning person
"""
_ERASED = "select person from erasure where done_at is not null and person > $1 order by person limit $2"
_RELEASED = """
select custodian from retained_record where released_at is not null and custodian > $1 order by custodian limit $2
"""

_FORGET = (
    # Of what somebody unknown asked for by their address only a digest of it is kept; it goes as well.
    """
    delete from mail_request where person = any($1::uuid[]) or (person is null and mail_index in (
        select mail_index from person where id = any($1::uuid[]) and mail_index is not null
        union all
        select subject_index from sign_in_identity where person = any($1::uuid[]) and provider = 'password'))
    """,
    "delete from letter where person = any($1::uuid[])",
    "delete from ticket where person = any($1::uuid[])",
    """
    update personal_export set state = 'expired' where person = any($1::uuid[]) and state in ('requested', 'ready')
    """,
    """
    delete from personal_export_piece
    where export in (select id from personal_export where person = any($1::uuid[]))
    """,
    "delete from refresh_token where session in (select id from session where person = any($1::uuid[]))",
    "update session set origin = null where person = any($1::uuid[]) and origin is not null",
    "delete from passkey where person = any($1::uuid[])",
    "delete from recovery_code where person = any($1::uuid[])",
    "delete from totp where person = any($1::uuid[])",
    "delete from password where person = any($1::uuid[])",
    "delete from sign_in_identity where person = any($1::uuid[])",
    # What was agreed and paid stays, and names nobody; what is under way ends, for nobody is there to go on with it.
    """
    update offer set state = 'closed' from participation
    where offer.state = 'open' and participation.id = offer.participation and person = any($1::uuid[])
    """,
    """
    update participation set state = 'withdrawn', ended_at = clock_timestamp(), seq = seq + 1
    where person = any($1::uuid[]) and state in ('applied', 'invited', 'accepted', 'live')
    """,
    "delete from streamer where person = any($1::uuid[])",
    # What was personal of files cannot be opened any more; the sweep deletes it. A brand's logo and creatives stay.
    """
    update asset set file_name = null,
        state = case when is_personal then 'gone' else state end,
        flaw = case when is_personal then null else flaw end,
        renditions = case when is_personal then '[]' else renditions end,
        decided_at = case when is_personal then coalesce(decided_at, clock_timestamp()) else decided_at end,
        cleared = cleared and not is_personal
    where uploader = any($1::uuid[]) and (file_name is not null or (is_personal and state <> 'gone'))
    """,
    "update membership set ended_at = clock_timestamp() where person = any($1::uuid[]) and ended_at is null",
    "update brand set contact = null where contact = any($1::uuid[])",
    # Who asked somebody in is gone, and with their key the address; who was asked in is forgotten by the address.
    """
    update brand_invitation set state = 'revoked', mail = null, mail_index = null
    where state = 'open' and (invited_by = any($1::uuid[]) or mail_index in (
        select mail_index from person where id = any($1::uuid[]) and mail_index is not null))
    """,
    "update dispute set reason = null where person = any($1::uuid[]) and reason is not null",
    "update message set text = null where person = any($1::uuid[]) and text is not null",
    "update message_report set reason = null where person = any($1::uuid[]) and reason is not null",
    "delete from message_mark where person = any($1::uuid[])",
    "update consent set origin = null where person = any($1::uuid[]) and origin is not null",
    """
    update merge_request set reason = null
    where reason is not null and (survivor = any($1::uuid[]) or merged = any($1::uuid[]))
    """,
    """
    update person set name = null, mail = null, mail_index = null, mail_verified_at = null, locale = 'id', reason = null
    where id = any($1::uuid[])
        and (coalesce(name, mail, mail_index, reason) is not null or mail_verified_at is not null or locale <> 'id')
    """,
)
"""Every table that has something personal; a test holds this list against all there are."""


class PostgresErasures:
    """Erasures inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def open(self, person: PersonId) -> Erasure | None:
        """A person's erasure that is scheduled or begun, locked."""
        return await self._one(_OPEN, person)

    async def add(self, erasure: Erasure) -> None:
        """Schedule."""
        await self._connection.execute(_ADD, erasure.id, erasure.person, erasure.asked_at, erasure.due_at)

    async def keep(self, id_: UUID, now: datetime) -> None:
        """Call it off."""
        await self._connection.execute(_KEEP, id_, now)

    async def lock(self, id_: UUID) -> Erasure | None:
        """An erasure that is neither called off nor done, locked."""
        return await self._one(_LOCK, id_)

    async def due(self, now: datetime, after: UUID | None, limit: int) -> Sequence[Erasure]:
        """Erasures whose time has come and that are not done, by their ids."""
        return [erasure_of(found) for found in await self._connection.fetch(_DUE, now, after or _NOBODY, limit)]

    async def begin(self, id_: UUID, now: datetime, retained_until: datetime | None) -> None:
        """Nobody can change their mind from now on."""
        await self._connection.execute(_BEGIN, id_, now, retained_until)

    async def done(self, id_: UUID, now: datetime) -> None:
        """Nothing can be read any more."""
        await self._connection.execute(_DONE, id_, now)

    async def merged_into(self, people: Sequence[PersonId]) -> Sequence[PersonId]:
        """Everybody who was found to be one of these people."""
        return await self._people(_MERGED, list(people))

    async def letter_waits(self, id_: UUID) -> bool:
        """Whether a letter is still to be sent."""
        return bool(await self._connection.fetchval(_LETTER_WAITS, id_))

    async def forget(self, people: Sequence[PersonId]) -> None:
        """Delete or empty everything personal of these people."""
        for statement in _FORGET:
            await self._connection.execute(statement, list(people))

    async def retain(
        self, person: PersonId, custodian: PersonId, body: bytes, reasons: Sequence[RetentionReason], until: datetime
    ) -> None:
        """Keep who somebody was as long as law asks."""
        await self._connection.execute(_RETAIN, person, custodian, body, list(reasons), until)

    async def retained(self, person: PersonId) -> KeptRecord | None:
        """What law keeps of a person, as long as it does."""
        found = await self._connection.fetchrow(_RETAINED, person)
        if found is None:
            return None
        reasons = tuple(map(RetentionReason, found["reasons"]))
        return KeptRecord(PersonId(found["custodian"]), found["body"], reasons, found["until"])

    async def release(self, now: datetime) -> Sequence[PersonId]:
        """Forget whom law keeps no longer; the people."""
        return await self._people(_RELEASE, now)

    async def erased(self, after: PersonId | None, limit: int) -> Sequence[PersonId]:
        """People whose erasure is done, by their ids."""
        return await self._people(_ERASED, after or _NOBODY, limit)

    async def released(self, after: PersonId | None, limit: int) -> Sequence[PersonId]:
        """Custodians whose time is over, by their ids."""
        return await self._people(_RELEASED, after or _NOBODY, limit)

    async def _one(self, statement: str, value: object) -> Erasure | None:
        found = await self._connection.fetchrow(statement, value)
        return erasure_of(found) if found else None

    async def _people(self, statement: str, *values: object) -> list[PersonId]:
        return [PersonId(found[0]) for found in await self._connection.fetch(statement, *values)]


def erasure_of(record: Record) -> Erasure:
    """A row as the domain knows it."""
    return Erasure(record["id"], PersonId(record["person"]), record["asked_at"], record["due_at"], record["begun_at"])
