"""What may be looked up about streamers."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.rights import Permission
from domain.streamer.model import LinkId, PlatformLink, StreamerId
from domain.streamer.profile import may_see
from gql.access import Right, field
from gql.context import Context, Info
from gql.errors import BadInputError
from gql.node import key_of
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.streamer.lookups import streamers
from gql.streamer.types import Streamer, StreamerLink

_TO_CHECK = "platform-links"


async def fetch_streamer(context: Context, key: str) -> Streamer | None:
    """A streamer; None if there is no such, or they are not for the caller to see. Raises `BadInputError`.

    That staff looks stands in the audit log.
    """
    id_, caller = _uuid_in(key), context.caller
    if id_ is None:
        raise BadInputError("This is not an id of ours: give one back as you got it.")
    found = await context.loaders.of(streamers).load(StreamerId(id_))
    if found is None or not may_see(caller, found):
        return None
    if caller.may(Permission.VERIFY_STREAMERS) and found.person not in caller.people:
        await context.loaders.staff.looked_at.load(found.person)
    return Streamer(found=found)


async def own_streamer(context: Context) -> Streamer | None:
    """The streamer that the caller is."""
    reads, people = context.ports.streamer.reads, context.caller.people
    found = await context.loaders.once("streamer", lambda: reads.streamer_of(people))
    return Streamer(found=found) if found else None


def _uuid_in(key: str) -> UUID | None:
    """The UUID that a key of ours is; None for what is none."""
    try:
        found = UUID(key)
    except ValueError:
        return None
    return found if str(found) == key else None


def _edge(found: PlatformLink) -> tuple[Cursor, StreamerLink]:
    return cursor_of(_TO_CHECK, found.id), StreamerLink(found=found)


@strawberry.type
class StreamerQuery:
    """The fields of the root about streamers."""

    @field(
        Right.SIGNED_IN,
        "A streamer by their id, for themselves and for whoever belongs to a brand; null if there is no such, or they"
        " are not for you to see.",
    )
    async def streamer(
        self,
        info: Info,
        id_: Annotated[strawberry.ID, strawberry.argument(description="The streamer's id.", name="id")],
    ) -> Streamer | None:
        """A streamer by their id."""
        return await fetch_streamer(info.context, key_of(Streamer.kind, id_))

    @field(
        Right.STAFF,
        "Accounts whose streamers say that the code stands in the public profile, first asked first. That somebody"
        " looked at them stands in the audit log.",
        permission=Permission.VERIFY_STREAMERS,
        list_size=PAGE,
    )
    async def platform_links_to_check(
        self, info: Info, first: First = USUAL_PAGE, after: After = None
    ) -> Connection[StreamerLink]:
        """A page of links that wait for staff."""
        context, size = info.context, page_size(first)
        place = None if after is None else _uuid_in(place_of(_TO_CHECK, after))
        if after is not None and place is None:
            raise BadInputError("This is not a cursor of ours: give one back as you got it.")
        found = await context.ports.streamer.reads.to_check(size + 1, LinkId(place) if place else None)
        await context.loaders.staff.looked_at.load_many([link.person for link in found[:size]])
        return Connection.of(found, size, after, _edge)
