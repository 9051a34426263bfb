"""Sessions: begun by every way of signing in, kept alive by refresh tokens that follow one another, and ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.actor import Actor, Origin
from domain.audit_log import Deed
from domain.identity.arrivals import Arrival
from domain.identity.model import (
    REFRESH_GRACE,
    REFRESH_LIFETIME,
    STAFF_LIFETIME,
    PersonStatus,
    Portal,
    Session,
    SessionEnd,
    SignedOutError,
)
from domain.identity.networks import within
from domain.identity.ports import AccessToken, IdentityPorts, StandingPorts
from domain.identity.refusals import NotWhileImpersonating, SessionEnded
from domain.identity.stores import IdentityWork, KeptRefresh
from domain.ids import PersonId, SessionId, uuid7

_LONGEST: Final = timedelta(days=90)
"""After so long even a session that is refreshed every day asks for a new sign-in."""


class Means(StrEnum):
    """How somebody proved who they are."""

    PASSWORD = "password"  # noqa: S105  # a means, not a secret
    LINK = "link"
    PROVIDER = "provider"
    PASSKEY = "passkey"
    SECOND_FACTOR = "second_factor"
    IMPERSONATION = "impersonation"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with the tokens to use it."""

    session: Session
    access: AccessToken
    refresh: str | None
    """None where a session is not to be prolonged."""


async def begin_session(
    ports: IdentityPorts,
    work: IdentityWork,
    person: PersonId,
    portal: Portal,
    means: Means,
    *,
    second_factor: bool = False,
    come: Arrival,
) -> SignedIn:
    """Begin a session inside the unit of work that found out who it is, who is `come` from somewhere."""
    now = ports.clock()
    lifetime = STAFF_LIFETIME if portal is Portal.ADMIN else _LONGEST
    session = Session(
        SessionId(uuid7()), person, portal, created_at=now, authenticated_at=now, last_used_at=now,
        expires_at=now + lifetime, second_factor_at=now if second_factor else None,
    )  # fmt: skip
    await work.sessions.add(session, come.sealed)
    if come.letter is not None:
        await work.letters.add(come.letter)
    actor = Actor(person, session.id, origin=come.origin)
    await work.record(Deed("session.begun", f"session:{session.id}", actor, after={"means": means, "portal": portal}))
    return await _signed_in(ports, work, session, ports.opaque_tokens.new(), now)


async def refresh_session(ports: IdentityPorts, token: str, origin: Origin | None) -> SignedIn | SessionEnded:
    """Answer the next tokens for a refresh token. Its doors: the mutation `refreshSession`.

    A token is spent once. Within `REFRESH_GRACE` of that it answers the last of its successors again, which helps two
    tabs and a client that never got its answer, and forks nothing: whoever comes later than that with a spent token
    ends the session for everybody.
    """
    digest = ports.opaque_tokens.digest(token)
    async with ports.work() as work:
        now = ports.clock()
        kept = await work.sessions.lock_by_token(digest)
        if kept is None or not _refreshable(kept, now) or not await _allowed_here(work, kept.session, origin):
            return SessionEnded()
        if kept.spent_at is not None and now - kept.spent_at > REFRESH_GRACE:
            session = kept.session
            await work.sessions.end(session.person, now, SessionEnd.TOKEN_REUSED, only=session.id)
            thief = Deed("session.token_reused", f"session:{session.id}", about=session.person, origin=origin)
            await work.record(thief)
            return SessionEnded()
        if kept.spent_at is None:
            await work.sessions.spend(digest, now)
            if kept.session.portal is not Portal.ADMIN:
                # A page of staff refreshes by itself: it is requests that tell whether somebody sits before it.
                await work.sessions.mark(kept.session.id, used_at=now)
        return await _signed_in(ports, work, kept.session, await _unspent(ports, work, token), now)


async def end_session(ports: IdentityPorts, actor: Actor, session: SessionId) -> bool | NotWhileImpersonating:
    """End one of the actor's own sessions, the present one included; False if they have no such that lives."""
    if actor.impersonator is not None and session != actor.session:
        return NotWhileImpersonating()
    reason = SessionEnd.SIGNED_OUT if session == actor.session else SessionEnd.REVOKED
    return bool(await _end(ports, actor, actor.person, reason, only=session))


async def end_other_sessions(ports: IdentityPorts, actor: Actor) -> int | NotWhileImpersonating:
    """End all sessions of the actor but the present one; how many that were."""
    if actor.impersonator is not None:
        return NotWhileImpersonating()
    return len(await _end(ports, actor, actor.person, SessionEnd.REVOKED, but=actor.session))


async def sign_out_by_token(ports: IdentityPorts, token: str, origin: Origin | None) -> None:
    """End the session of a refresh token, whatever state it is in: what a browser does whose access token is gone."""
    async with ports.work() as work:
        kept = await work.sessions.lock_by_token(ports.opaque_tokens.digest(token))
        if kept is None:
            return
        session = kept.session
        actor = Actor(session.person, session.id, origin=origin)
        for ended in await work.sessions.end(session.person, ports.clock(), SessionEnd.SIGNED_OUT, only=session.id):
            await work.record(Deed("session.signed_out", f"session:{ended}", actor))


async def actor_of(ports: StandingPorts, session: SessionId, origin: Origin | None) -> Actor:
    """Who calls with an access token of a session. Raises `SignedOutError`. Costs no statement for a known session."""
    standing = await ports.standings.of(session)
    if standing is None:
        raise SignedOutError("Your session has ended; sign in again.")
    now = ports.clock()
    actor = standing.actor(now, origin)
    ports.standings.used(session, now)
    return actor


async def actor_by_now(ports: StandingPorts, session: SessionId, origin: Origin | None) -> Actor:
    """Who calls, after something that this very request may have changed of it: read, not remembered. As `actor_of`."""
    standing = (await ports.standings.of_all([session])).get(session)
    if standing is None:
        raise SignedOutError("Your session has ended; sign in again.")
    return standing.actor(ports.clock(), origin)


async def _end(
    ports: IdentityPorts,
    actor: Actor,
    person: PersonId,
    reason: SessionEnd,
    *,
    only: SessionId | None = None,
    but: SessionId | None = None,
) -> Sequence[SessionId]:
    async with ports.work() as work:
        ended = await work.sessions.end(person, ports.clock(), reason, only=only, but=but)
        for session in ended:
            await work.record(Deed(f"session.{reason}", f"session:{session}", actor))
    return ended


def _refreshable(kept: KeptRefresh, now: datetime) -> bool:
    return kept.status is PersonStatus.ACTIVE and kept.session.living(now) and now < kept.expires_at


async def _allowed_here(work: IdentityWork, session: Session, origin: Origin | None) -> bool:
    """Whether a session may go on at a place: staff's only where staff may work."""
    if session.portal is not Portal.ADMIN or origin is None:
        return True
    return within(await work.members.networks(), origin.address)


async def _unspent(ports: IdentityPorts, work: IdentityWork, token: str) -> str:
    """The last of a spent token's successors. One before it is spent as well, and would end the session in a while."""
    while True:
        token = ports.opaque_tokens.successor(token)
        kept = await work.sessions.lock_by_token(ports.opaque_tokens.digest(token))
        if kept is None or kept.spent_at is None:
            return token


async def _signed_in(
    ports: IdentityPorts, work: IdentityWork, session: Session, refresh: str, now: datetime
) -> SignedIn:
    expires_at = min(now + REFRESH_LIFETIME, session.expires_at)
    await work.sessions.add_token(ports.opaque_tokens.digest(refresh), session.id, now, expires_at)
    return SignedIn(session, ports.access_tokens.issue(session, now), refresh)
