"""What the two sides of a participation write to each other, as it comes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Final

import strawberry

from domain.campaign.participation import ParticipationId
from domain.message.events import messages_topic
from gql.access import Right, field
from gql.campaign.messages import Message
from gql.campaign.participations import Participation, fetch_participation, participation_id
from gql.context import Context, Info
from gql.errors import BadInputError, ForbiddenError
from gql.paging import cursor_of, number_of
from gql.scalars import Cursor
from gql.weights import at_most

_MOST: Final = 100
"""Messages told of at a time."""
_USUALLY: Final = 10


@strawberry.type(description="What has changed about the messages of a participation.")
class MessagesChange:
    """A message of the stream."""

    shown: strawberry.Private[Participation]
    seq: strawberry.Private[int]
    found: strawberry.Private[list[Message]]

    @property
    def owner(self) -> str:
        """Whose it is: of the two sides, whoever follows."""
        return self.shown.owner

    @field(Right.OWNER, "Where the stream stands: begin `after` it next time.")
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(_scope(self.shown.found.id), self.seq)

    @field(
        Right.OWNER,
        "Messages that were sent or hidden since the last cursor, each as it is by now, in the order in which that"
        " happened. Empty at the beginning, and where either side has only read.",
        list_size=at_most(_USUALLY),
    )
    def messages(self) -> list[Message]:
        """What was sent or hidden."""
        return self.found

    @field(Right.OWNER, "The participation, with what it has of messages by now.")
    def participation(self) -> Participation:
        """The participation."""
        return self.shown


@strawberry.type
class MessageSubscription:
    """The streams of messages."""

    @field(
        Right.OWNER,
        "A participation of yours, on either side, and whatever is written there, hidden or read from then on. Begin"
        " again `after` a cursor, and you miss nothing of what came meanwhile.",
        is_subscription=True,
    )
    async def messages(
        self,
        info: Info,
        participation_id_: Annotated[
            strawberry.ID, strawberry.argument(description="The participation's id.", name="participationId")
        ],
        after: Annotated[Cursor | None, strawberry.argument(description="Go on after this cursor.")] = None,
    ) -> AsyncGenerator[MessagesChange, None]:
        """The stream of what both sides write."""
        async with aclosing(_changes(info.context, participation_id(participation_id_), after)) as changes:
            async for change in changes:
                yield change


async def _changes(
    context: Context, id_: ParticipationId, after: Cursor | None
) -> AsyncGenerator[MessagesChange, None]:
    """Listen, then look, then follow. What is told is read after its place in the stream is: nothing is passed over."""
    reads = context.ports.message.reads
    asked = await fetch_participation(context, str(id_))
    if asked is None or not asked.readers:
        raise ForbiddenError("There is no such participation, or it is not yours.")
    told = None if after is None else number_of(_scope(id_), after)
    if told is not None and told > await reads.seq_of(id_):
        raise BadInputError(f"The cursor {after!r} is ahead of the participation.")
    async with aclosing(context.ports.feed.listen(messages_topic(id_))) as hints:
        async for _ in hints:
            while told is None or told < await reads.seq_of(id_):
                context.renew()
                change = await _change(context, id_, told)
                if change is None:
                    return
                told = change.seq
                yield change


async def _change(context: Context, id_: ParticipationId, told: int | None) -> MessagesChange | None:
    """What has changed behind a place, so many messages at most; None for who is on neither side any more."""
    reads = context.ports.message.reads
    shown, seq = await fetch_participation(context, str(id_)), await reads.seq_of(id_)
    if shown is None:
        return None
    found = [] if told is None else await reads.changed(id_, told, _MOST)
    if found:
        last = found[-1].message.seq
        seq = last if len(found) == _MOST else max(seq, last)
    return MessagesChange(shown=shown, seq=seq, found=[Message.of(each, shown.readers) for each in found])


def _scope(id_: object) -> str:
    return f"messages:{id_}"
