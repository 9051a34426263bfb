"""What may be looked up about streamers."""

from typing import Annotated

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
from gql.streamer.types import Streamer, StreamerLink, uuid_in

_TO_CHECK = "platform-links"


async def fetch_streamer(context: Context, key: str) -> Streamer | None:
    """A streamer; None if there is no such, or they are not for the caller to see. Raises `BadInputError`."""
    id_ = uuid_in(key)
    if id_ is None:
        raise BadInputError("This is not an id of ours: give one back as you got it.")
    found = await context.loaders.of(streamers).load(StreamerId(id_))
    return Streamer(found=found) if found is not None and may_see(context.caller, found) else None


async def own_streamer(context: Context) -> Streamer | None:
    """The streamer that the caller is."""
    reads, people = context.ports.streamer.reads, context.caller.people
    found = await context.loaders.once("streamer", lambda: reads.streamer_of(people))
    return Streamer(found=found) if found else None


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
        place = None if after is None else uuid_in(place_of(_TO_CHECK, after))
        if after is not None and place is None:
            raise BadInputError("This is not a cursor of ours: give one back as you got it.")
        found = await context.ports.streamer.reads.to_check(size + 1, LinkId(place) if place else None)
        await context.loaders.staff.looked_at.load_many([link.person for link in found[:size]])
        return Connection.of(found, size, after, _edge)
