"""What a participation earns, as it changes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from domain.campaign.participation import ParticipationId
from domain.earning.events import earnings_topic
from gql.access import Right, field
from gql.campaign.participations import Participation, fetch_participation, participation_id
from gql.context import Context, Info
from gql.errors import BadInputError, ForbiddenError
from gql.paging import cursor_of, number_of
from gql.scalars import Cursor


@strawberry.type(description="A participation whose minutes have changed.")
class EarningsChange:
    """A message of the stream."""

    shown: strawberry.Private[Participation]
    seq: strawberry.Private[int]

    @property
    def owner(self) -> str:
        """Whose it is: of the two sides, whoever follows."""
        return self.shown.owner

    @field(Right.OWNER, "Where the stream stands: begin `after` it next time.")
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(_scope(self.shown.found.id), self.seq)

    @field(Right.OWNER, "The participation, with its minutes as they are now.")
    def participation(self) -> Participation:
        """The participation."""
        return self.shown


@strawberry.type
class EarningSubscription:
    """The streams of earnings."""

    @field(
        Right.OWNER,
        "A participation of yours, on either side, and again whenever minutes of it were closed, paid, disputed or"
        " decided on. Every message shows them as they are by then. Begin again `after` a cursor, and the first message"
        " comes once something is another.",
        is_subscription=True,
    )
    async def earnings_changed(
        self,
        info: Info,
        participation_id_: Annotated[
            strawberry.ID, strawberry.argument(description="The participation's id.", name="participationId")
        ],
        after: Annotated[Cursor | None, strawberry.argument(description="Go on after this cursor.")] = None,
    ) -> AsyncGenerator[EarningsChange, None]:
        """The stream of what a participation earns."""
        async with aclosing(_changes(info.context, participation_id(participation_id_), after)) as changes:
            async for change in changes:
                yield change


async def _changes(
    context: Context, id_: ParticipationId, after: Cursor | None
) -> AsyncGenerator[EarningsChange, None]:
    """Listen, then look, then follow. Whose minutes have never changed is shown once, at the beginning."""
    reads = context.ports.earning.reads
    if await fetch_participation(context, str(id_)) is None:
        raise ForbiddenError("There is no such participation, or it is not yours.")
    told = -1 if after is None else number_of(_scope(id_), after)
    if told > await reads.seq_of(id_):
        raise BadInputError(f"The cursor {after!r} is ahead of the participation.")
    async with aclosing(context.ports.feed.listen(earnings_topic(id_))) as hints:
        async for _ in hints:
            context.renew()
            shown, seq = await fetch_participation(context, str(id_)), await reads.seq_of(id_)
            if shown is None:
                return
            if seq > told:
                told = seq
                yield EarningsChange(shown=shown, seq=seq)


def _scope(id_: object) -> str:
    return f"earnings:{id_}"
