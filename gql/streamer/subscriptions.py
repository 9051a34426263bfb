"""When streamers go live and end, for themselves and for brands that have agreed with them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from domain.streamer.events import live_topic
from domain.streamer.live import Liveness
from domain.streamer.model import StreamerId
from gql.access import Right, field
from gql.brand.types import uuid_from
from gql.context import Context, Info
from gql.errors import BadInputError, ForbiddenError
from gql.node import key_of
from gql.paging import cursor_of, number_of
from gql.scalars import Cursor
from gql.streamer.lookups import streamers
from gql.streamer.types import Streamer


@strawberry.type(description="Whether a streamer is live now.")
class LiveChange:
    """A message of the stream."""

    shown: strawberry.Private[Streamer]
    follower: strawberry.Private[str]
    liveness: strawberry.Private[Liveness]

    @property
    def owner(self) -> str:
        """Whose it is: the streamer's, or a brand's that has agreed with them; whoever follows."""
        return self.follower

    @field(Right.OWNER, "Where the stream stands: begin `after` it next time.")
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(_scope(self.shown.key), self.liveness.seq)

    @field(Right.OWNER, "Whether they are live, on whatever platform they have confirmed.")
    def is_live(self) -> bool:
        """Whether they are live."""
        return self.liveness.is_live

    @field(Right.OWNER, "The streamer; `platforms` tells where, since when, and before how many.")
    def streamer(self) -> Streamer:
        """The streamer."""
        return self.shown


@strawberry.type
class StreamerSubscription:
    """The streams of streamers."""

    @field(
        Right.OWNER,
        "Whether a streamer is live, and again whenever they go live or end: for themselves, and for the members of a"
        " brand that has agreed with them on a participation that is not over. Every message shows it as it is by then."
        " Begin again `after` a cursor, and the first message comes once it is another.",
        is_subscription=True,
    )
    async def live_changed(
        self,
        info: Info,
        streamer_id_: Annotated[
            strawberry.ID, strawberry.argument(description="The streamer's id.", name="streamerId")
        ],
        after: Annotated[Cursor | None, strawberry.argument(description="Go on after this cursor.")] = None,
    ) -> AsyncGenerator[LiveChange, None]:
        """The stream of when a streamer is live."""
        id_ = StreamerId(uuid_from(key_of(Streamer.kind, streamer_id_)))
        async with aclosing(_changes(info.context, id_, after)) as changes:
            async for change in changes:
                yield change


async def _changes(context: Context, id_: StreamerId, after: Cursor | None) -> AsyncGenerator[LiveChange, None]:
    """Listen, then look, then follow. Who was never live is shown once, at the beginning."""
    found = await _found(context, id_)
    if found is None:
        raise ForbiddenError("There is no such streamer, or you have no participation with them.")
    told = -1 if after is None else number_of(_scope(id_), after)
    if told > found.liveness.seq:
        raise BadInputError(f"The cursor {after!r} is ahead of the streamer.")
    async with aclosing(context.ports.feed.listen(live_topic(id_))) as hints:
        async for _ in hints:
            context.renew()
            found = await _found(context, id_)
            if found is None:
                return
            if found.liveness.seq > told:
                told = found.liveness.seq
                yield found


async def _found(context: Context, id_: StreamerId) -> LiveChange | None:
    """Whether somebody is live, if that is for the caller to know."""
    streamer = await context.loaders.of(streamers).load(id_)
    if streamer is None or not streamer.is_active:
        return None
    if streamer.person in context.caller.people:
        follower = f"person:{streamer.person}"
    elif brand := await context.ports.campaign.reads.works_with(list(context.caller.brands), id_):
        follower = f"brand:{brand}"
    else:
        return None
    return LiveChange(
        shown=Streamer(found=streamer), follower=follower, liveness=await context.ports.streamer.live.liveness(id_)
    )


def _scope(id_: StreamerId) -> str:
    return f"live:{id_}"
