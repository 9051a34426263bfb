"""Sessions and refresh tokens: `domain.identity.ports.SessionStore` on the connection of one unit of work."""

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Connection, Record

from domain.identity.model import PersonStatus, Portal, Session, SessionEnd
from domain.identity.stores import KeptRefresh
from domain.ids import PersonId, SessionId

COLUMNS = """session.id, session.person, session.portal, session.created_at, session.authenticated_at,
    session.second_factor_at, session.stepped_up_at, session.last_used_at, session.expires_at, session.ended_at,
    session.end_reason, session.impersonator, session.through"""
_ADD = """
insert into session (id, person, portal, created_at, authenticated_at, second_factor_at, stepped_up_at, last_used_at,
    expires_at, impersonator, origin, through)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
_LOCK = f"select {COLUMNS} from session where id = $1 for no key update"  # noqa: S608  # a list of our columns
_MARK = """
update session set
    last_used_at = coalesce($2, last_used_at), second_factor_at = coalesce($3, second_factor_at),
    stepped_up_at = coalesce($4, stepped_up_at), authenticated_at = coalesce($5, authenticated_at)
where id = $1
"""
_END = """
update session set ended_at = $2, end_reason = $3
where (person = $1 or impersonator = $1) and ended_at is null and ($4::uuid is null or $4 in (id, through))
    and ($5::uuid is null or id <> $5)
returning id
"""
_ADD_REFRESH = """
insert into refresh_token (digest, session, issued_at, expires_at) values ($1, $2, $3, $4)
on conflict (digest) do nothing
"""
_LOCK_FAMILY = """
select id from session where id = (select session from refresh_token where digest = $1) for no key update
"""
# Read by a statement of its own, after the lock was waited for: it must see what the one before us did.
_FAMILY = f"""
select {COLUMNS}, person.status, token.issued_at, token.expires_at as token_expires_at, token.spent_at
from refresh_token as token join session on session.id = token.session join person on person.id = session.person
where token.digest = $1
"""  # noqa: S608  # a list of our columns
_FORGET_OLD = """
delete from session where least(ended_at, expires_at) < $1
    and not exists (select from refresh_token where refresh_token.session = session.id)
    and not exists (select from ticket where ticket.session = session.id)
    and not exists (select from session as other where other.through = session.id)
"""


class PostgresSessions:
    """Sessions inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, session: Session, origin: bytes | None) -> None:
        """Store a new session; its origin sealed."""
        await self._connection.execute(
            _ADD, session.id, session.person, session.portal, session.created_at, session.authenticated_at,
            session.second_factor_at, session.stepped_up_at, session.last_used_at, session.expires_at,
            session.impersonator, origin, session.through,
        )  # fmt: skip

    async def lock(self, session: SessionId) -> Session | None:
        """A session, locked."""
        found = await self._connection.fetchrow(_LOCK, session)
        return session_of(found) if found else None

    async def mark(
        self,
        session: SessionId,
        *,
        used_at: datetime | None = None,
        second_factor_at: datetime | None = None,
        stepped_up_at: datetime | None = None,
        authenticated_at: datetime | None = None,
    ) -> None:
        """Set what is given."""
        await self._connection.execute(_MARK, session, used_at, second_factor_at, stepped_up_at, authenticated_at)

    async def end(
        self,
        person: PersonId,
        now: datetime,
        reason: SessionEnd,
        *,
        only: SessionId | None = None,
        but: SessionId | None = None,
    ) -> Sequence[SessionId]:
        """End all living sessions of a person, and those in which they look through others' eyes; one, or all but."""
        found = await self._connection.fetch(_END, person, now, reason, only, but)
        return [SessionId(record["id"]) for record in found]

    async def add_token(self, digest: bytes, session: SessionId, issued_at: datetime, expires_at: datetime) -> None:
        """Store a refresh token; one that is there stays as it is."""
        await self._connection.execute(_ADD_REFRESH, digest, session, issued_at, expires_at)

    async def lock_by_token(self, digest: bytes) -> KeptRefresh | None:
        """A refresh token and its session, locked."""
        if await self._connection.fetchval(_LOCK_FAMILY, digest) is None:
            return None
        found = await self._connection.fetchrow(_FAMILY, digest)
        return KeptRefresh(
            session_of(found), found["issued_at"], found["token_expires_at"], found["spent_at"],
            PersonStatus(found["status"]),
        )  # fmt: skip

    async def spend(self, digest: bytes, now: datetime) -> None:
        """Note that a refresh token was used."""
        await self._connection.execute("update refresh_token set spent_at = $2 where digest = $1", digest, now)

    async def forget_expired_tokens(self, before: datetime) -> None:
        """Delete refresh tokens that expired before then."""
        await self._connection.execute("delete from refresh_token where expires_at < $1", before)

    async def forget_old(self, before: datetime) -> None:
        """Delete sessions that were over before then, and that no token and no other session refers to."""
        await self._connection.execute(_FORGET_OLD, before)


def session_of(record: Record) -> Session:
    """A session from a row that has `COLUMNS`."""
    end = record["end_reason"]
    impersonator, through = record["impersonator"], record["through"]
    return Session(
        SessionId(record["id"]), PersonId(record["person"]), Portal(record["portal"]),
        created_at=record["created_at"], authenticated_at=record["authenticated_at"],
        last_used_at=record["last_used_at"], expires_at=record["expires_at"],
        second_factor_at=record["second_factor_at"], stepped_up_at=record["stepped_up_at"],
        ended_at=record["ended_at"], end_reason=SessionEnd(end) if end else None,
        impersonator=PersonId(impersonator) if impersonator else None,
        through=SessionId(through) if through else None,
    )  # fmt: skip
