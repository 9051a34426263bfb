"""What people may look up about themselves and their sessions."""

from uuid import UUID

from domain.identity.ports import SessionView
from domain.ids import SessionId
from gql.context import Context
from gql.errors import BadInputError
from gql.identity.types import MOST_SESSIONS, Session


def session_id(key: str) -> SessionId:
    """The id of a session from the key in its global id. Raises `BadInputError`."""
    try:
        found = UUID(key)
    except ValueError:
        found = None
    if found is None or str(found) != key:
        raise BadInputError("This is not an id of ours: give one back as you got it.")
    return SessionId(found)


async def fetch_session(context: Context, key: str) -> Session | None:
    """A living session of the caller's own; None if there is no such."""
    wanted = session_id(key)
    found = await context.loaders.sessions_by_person.load(context.person)
    return next((_shown(context, view) for view in found if view.session.id == wanted), None)


async def sessions_of(context: Context) -> list[Session]:
    """Where the caller is signed in, last used first."""
    found = await context.loaders.sessions_by_person.load(context.person)
    return [_shown(context, view) for view in found[:MOST_SESSIONS]]


def _shown(context: Context, view: SessionView) -> Session:
    return Session(view=view, present=context.caller.session)
