"""Requests for mail: `domain.identity.mail_stores.MailRequests` on the connection of one unit of work."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Connection, Record

from domain.identity.mail_stores import MailRequest, MailWish
from domain.identity.model import Locale
from domain.ids import PersonId

_ADD = """
insert into mail_request (id, kind, mail_index, person, body, locale, created_at) values ($1, $2, $3, $4, $5, $6, $7)
"""
_WAITING = """
select * from mail_request where done_at is null and created_at > $1 and id <> all($3::uuid[])
order by created_at, id limit $2
"""
_LOCK = "select done_at is null from mail_request where id = $1 for no key update skip locked"
_DONE = "update mail_request set done_at = $2, body = null where id = $1"
_WITHDRAW_CHANGES = "delete from mail_request where person = $1 and kind = 'change_mail' and done_at is null"
_STALE_CANDIDATES = """
select person from ticket
where expires_at < $1 and purpose = 'confirm_sign_up' and tries > 0
    and not exists (select from person where person.id = ticket.person)
limit $2
"""
_FORGET_CANDIDATES = "delete from ticket where person = any($1::uuid[]) and purpose = 'confirm_sign_up'"
_FORGET = "delete from mail_request where created_at < $1"


class PostgresMailRequests:
    """Requests for mail inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, request: MailRequest) -> None:
        """Store a request."""
        await self._connection.execute(
            _ADD, request.id, request.wish, request.mail_index, request.person, request.body, request.locale,
            request.created_at,
        )  # fmt: skip

    async def waiting(self, after: datetime, limit: int, but: Sequence[UUID]) -> Sequence[MailRequest]:
        """Requests made after then that nobody has answered, oldest first, but for these."""
        return [_request(found) for found in await self._connection.fetch(_WAITING, after, limit, list(but))]

    async def lock(self, id_: UUID) -> bool:
        """Be alone with a request; False if it is answered, or in other hands."""
        return bool(await self._connection.fetchval(_LOCK, id_))

    async def done(self, id_: UUID, now: datetime) -> None:
        """Note that a request was answered, and forget its body."""
        await self._connection.execute(_DONE, id_, now)

    async def withdraw_changes(self, person: PersonId) -> None:
        """Delete the requests of a person for another address that nobody has answered."""
        await self._connection.execute(_WITHDRAW_CHANGES, person)

    async def stale_candidates(self, before: datetime, limit: int) -> Sequence[PersonId]:
        """Who followed a sign-up's link that expired before then, and never became a person."""
        return [PersonId(found["person"]) for found in await self._connection.fetch(_STALE_CANDIDATES, before, limit)]

    async def forget_candidates(self, candidates: Sequence[PersonId]) -> None:
        """Delete their links."""
        await self._connection.execute(_FORGET_CANDIDATES, list(candidates))

    async def forget_old(self, before: datetime) -> None:
        """Delete requests from before then."""
        await self._connection.execute(_FORGET, before)


def _request(found: Record) -> MailRequest:
    person = found["person"]
    return MailRequest(
        found["id"], MailWish(found["kind"]), found["mail_index"], Locale(found["locale"]), found["created_at"],
        PersonId(person) if person else None, found["body"],
    )  # fmt: skip
