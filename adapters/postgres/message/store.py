"""Messages inside a unit of work: `domain.message.ports.Messages` on its connection.

A conversation's row is locked before any of its messages is written: it numbers them, and what happens to them.
"""

from dataclasses import replace
from datetime import datetime

from asyncpg import Connection

from adapters.postgres.message.rows import message_of, report_of
from domain.campaign.participation import ParticipationId, Side
from domain.ids import BrandId, PersonId
from domain.message.model import Message, MessageId, Report, ReportRuling, Sides

_SIDES = """
select campaign.brand, participation.person, participation.ended_at
from participation join campaign on campaign.id = participation.campaign where participation.id = $1
"""
_OPEN = "insert into conversation (participation) values ($1) on conflict do nothing"
_LOCK = "select from conversation where participation = $1 for no key update"
_FIND = "select * from message where id = $1"
_NEXT = """
update conversation set messages = messages + 1, seq = seq + 1 where participation = $1 returning messages, seq
"""
_STEP = "update conversation set seq = seq + 1 where participation = $1 returning seq"
_SEND = """
insert into message (id, participation, number, side, person, text, sent_at, seq)
values ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_MARK = """
insert into message_mark as kept (participation, person, side, number) values ($1, $2, $3, $4)
on conflict (participation, person) do update set number = excluded.number where kept.number < excluded.number
returning number
"""
_HIDE = "update message set hidden_at = $2, seq = $3 where id = $1"
_REPORT = """
insert into message_report (id, message, person, reason, reported_at) values ($1, $2, $3, $4, $5)
on conflict (message) do nothing
"""
_REPORTED = "select * from message_report where message = $1"
_RULE = """
update message_report set ruling = $2, decided_at = $3 where message = $1 and ruling is null returning id
"""


class PostgresMessages:
    """Messages inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def sides(self, participation: ParticipationId) -> Sides | None:
        """Whom a conversation is between."""
        row = await self._connection.fetchrow(_SIDES, participation)
        return Sides(participation, BrandId(row["brand"]), PersonId(row["person"]), row["ended_at"]) if row else None

    async def lock(self, participation: ParticipationId) -> None:
        """Be alone with the messages of a participation."""
        await self._connection.execute(_OPEN, participation)
        await self._connection.execute(_LOCK, participation)

    async def find(self, id_: MessageId) -> Message | None:
        """A message, whosever it is."""
        row = await self._connection.fetchrow(_FIND, id_)
        return message_of(row) if row else None

    async def send(self, message: Message) -> Message:
        """Keep a message, which is the next one; with its number and place. Its conversation is locked."""
        number, seq = await self._connection.fetchrow(_NEXT, message.participation)
        await self._connection.execute(
            _SEND, message.id, message.participation, number, message.side, message.person, message.text,
            message.sent_at, seq,
        )  # fmt: skip
        return replace(message, number=number, seq=seq)

    async def mark(self, message: Message, person: PersonId, side: Side) -> int | None:
        """Keep that somebody has read so far; the seq after that, None where they had. The conversation is locked."""
        moved = await self._connection.fetchval(_MARK, message.participation, person, side, message.number)
        return None if moved is None else await self._step(message.participation)

    async def hide(self, message: Message, now: datetime) -> Message:
        """Hide a message, which is not. Its conversation is locked."""
        seq = await self._step(message.participation)
        await self._connection.execute(_HIDE, message.id, now, seq)
        return replace(message, hidden_at=now, seq=seq)

    async def report(self, report: Report) -> Report:
        """Keep what somebody says against a message, or find what was said before."""
        await self._connection.execute(
            _REPORT, report.id, report.message, report.person, report.reason, report.reported_at
        )
        return report_of(await self._connection.fetchrow(_REPORTED, report.message))

    async def rule(self, message: MessageId, ruling: ReportRuling, now: datetime) -> bool:
        """Keep what staff made of the report of a message; False where none waits."""
        return await self._connection.fetchval(_RULE, message, ruling, now) is not None

    async def _step(self, participation: ParticipationId) -> int:
        seq: int = await self._connection.fetchval(_STEP, participation)
        return seq
