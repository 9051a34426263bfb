"""People with open sessions, for tests that do not sign in: rows written as sign-in would have."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from domain.actor import Actor
from domain.identity.model import ACCESS_LIFETIME, Portal, Session
from domain.ids import BrandId, PersonId, SessionId, uuid7
from domain.rights import BrandRole, StaffRole

_PERSON = "insert into person (id, mail_verified_at) values ($1, now()) on conflict do nothing"
_MEMBERSHIP = "insert into membership (id, person, kind, brand, role) values ($1, $2, $3, $4, $5)"
_BRAND = """
insert into brand (id, name, industry, size) values ($1, 'A brand', 'batteries', 'small') on conflict do nothing
"""
_SESSION = """
insert into session (id, person, portal, created_at, authenticated_at, second_factor_at, last_used_at, expires_at,
    impersonator, through)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
"""


class Executes(Protocol):
    """A connection, or a pool of them."""

    async def execute(self, query: str, *values: Any) -> str: ...


class Signs(Protocol):
    """Who signs tokens: `adapters.identity.tokens.Tokens`."""

    def issue(self, session: Session, now: datetime, lifetime: timedelta) -> Any: ...


@dataclass(frozen=True)
class Enrolled:
    """Somebody with a session."""

    session: Session

    @property
    def person(self) -> PersonId:
        return self.session.person

    @property
    def actor(self) -> Actor:
        """The person, as actions know one who has no roles."""
        return Actor(self.person)

    def token(self, tokens: Signs, lifetime: timedelta = ACCESS_LIFETIME) -> str:
        return str(tokens.issue(self.session, datetime.now(UTC), lifetime).text)


def session_of(
    person: PersonId, portal: Portal = Portal.PLAYER, *, impersonator: PersonId | None = None, **changes: Any
) -> Session:
    """A session that began just now; staff's has a second factor."""
    now = datetime.now(UTC)
    usual: dict[str, Any] = {
        "created_at": now, "authenticated_at": now, "last_used_at": now, "expires_at": now + timedelta(days=90),
        "second_factor_at": now if portal is Portal.ADMIN else None,
    }  # fmt: skip
    return Session(SessionId(uuid7()), person, portal, impersonator=impersonator, **{**usual, **changes})


async def enroll(
    database: Executes,
    person: PersonId | None = None,
    *,
    staff: StaffRole | None = None,
    brands: Mapping[BrandId, BrandRole] | None = None,
    streamer: bool = False,
    **changes: Any,
) -> Enrolled:
    """A new person with these memberships and a session; `changes` are made to the session."""
    person = person or PersonId(uuid7())
    await database.execute(_PERSON, person)
    memberships: list[tuple[str, BrandId | None, str | None]] = [("player", None, None)]
    if staff is not None:
        memberships.append(("staff", None, staff))
    if streamer:
        memberships.append(("streamer", None, None))
    memberships += [("brand", brand, role) for brand, role in (brands or {}).items()]
    for opened in brands or {}:
        await open_brand(database, opened)
    for kind, brand, role in memberships:
        await database.execute(f"{_MEMBERSHIP} on conflict do nothing", uuid7(), person, kind, brand, role)
    portal = changes.pop("portal", Portal.ADMIN if staff else Portal.PLAYER)
    return Enrolled(await open_session(database, person, portal, **changes))


async def open_brand(database: Executes, brand: BrandId) -> None:
    """A brand that nobody has looked at yet, if there is none."""
    await database.execute(_BRAND, brand)


async def open_session(database: Executes, person: PersonId, portal: Portal = Portal.PLAYER, **changes: Any) -> Session:
    """One more session of a person; who looks through their eyes began that in a session of their own."""
    looking: PersonId | None = changes.get("impersonator")
    if looking is not None and "through" not in changes:
        changes["through"] = (await open_session(database, looking, Portal.ADMIN)).id
    session = session_of(person, portal, **changes)
    await database.execute(
        _SESSION, session.id, session.person, session.portal, session.created_at, session.authenticated_at,
        session.second_factor_at, session.last_used_at, session.expires_at, session.impersonator, session.through,
    )  # fmt: skip
    return session
