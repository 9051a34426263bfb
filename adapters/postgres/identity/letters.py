"""Letters that wait: `domain.identity.mail_stores.LetterQueue` on the connection of one unit of work."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Connection, Record

from domain.identity.mail_stores import QueuedLetter
from domain.identity.model import Locale
from domain.ids import PersonId

_ADD = """
insert into letter (id, person, template, locale, body, created_at, next_at) values ($1, $2, $3, $4, $5, $6, $6)
on conflict (id) do nothing
"""
_CLAIM = """
with due as materialized (
    select id from letter where sent_at is null and failed_at is null and next_at <= $1 order by next_at limit $2
    for no key update skip locked
)
update letter
set attempts = attempts + 1, next_at = $1::timestamptz + ($3::interval[])[least(attempts + 1, cardinality($3))]
from due where letter.id = due.id
returning letter.*
"""
_SENT = "update letter set sent_at = $2, body = '' where id = $1"
_FAILED = "update letter set failed_at = $2, body = '' where id = $1 and sent_at is null"
_FORGET = "delete from letter where created_at < $1 and (sent_at is not null or failed_at is not null)"
_FORGET_TICKETS = "delete from ticket where expires_at < $1"


class PostgresLetters:
    """Letters inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, letter: QueuedLetter) -> None:
        """Let a letter be sent, as soon as this unit of work is committed."""
        await self._connection.execute(
            _ADD, letter.id, letter.person, letter.occasion, letter.locale, letter.body, letter.created_at
        )

    async def claim(self, now: datetime, limit: int, pauses: Sequence[timedelta]) -> Sequence[QueuedLetter]:
        """Letters that are due, each put off by the pause that follows this attempt; those in other hands are left."""
        return [_letter(found) for found in await self._connection.fetch(_CLAIM, now, limit, list(pauses))]

    async def sent(self, id_: UUID, now: datetime) -> None:
        """Note that a letter was sent, and forget what was in it."""
        await self._connection.execute(_SENT, id_, now)

    async def failed(self, id_: UUID, now: datetime) -> None:
        """Give a letter up, and forget what was in it."""
        await self._connection.execute(_FAILED, id_, now)

    async def forget_old(self, before: datetime) -> None:
        """Delete letters from before then that were sent or given up."""
        await self._connection.execute(_FORGET, before)

    async def forget_expired_tickets(self, before: datetime) -> None:
        """Delete tickets that expired before then."""
        await self._connection.execute(_FORGET_TICKETS, before)


def _letter(found: Record) -> QueuedLetter:
    return QueuedLetter(
        found["id"], PersonId(found["person"]), found["template"], Locale(found["locale"]), found["created_at"],
        found["body"], found["attempts"],
    )  # fmt: skip
