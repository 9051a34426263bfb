"""What of minutes waits for staff."""

import strawberry

from domain.campaign.participation import ParticipationId
from domain.earning import model
from domain.earning.dispute import DisputeId
from domain.earning.ports import MinuteId, ReadDispute
from domain.rights import Permission
from gql.access import Right, field
from gql.brand.types import uuid_from
from gql.campaign.minutes import EarnedMinute, moment_from
from gql.campaign.participations import Participation
from gql.context import Info
from gql.earning.answers import Dispute
from gql.node import global_id
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor

_DISPUTES, _MINUTES = "disputes-to-decide", "minutes-to-review"


@strawberry.type(description="A dispute that waits for staff.")
class DisputeCase:
    """A dispute that waits for staff."""

    dispute: Dispute = field(Right.PARENT, "The dispute.")
    reason: str | None = field(Right.PARENT, "What is wrong with the minutes, as it was said; null once erased.")


@strawberry.type(description="A minute that waits for staff.")
class MinuteCase:
    """A minute that waits for staff."""

    participation_id: strawberry.ID = field(Right.PARENT, "The participation that it belongs to.")
    minute: EarnedMinute = field(Right.PARENT, "The minute.")


@strawberry.type
class EarningStaffQuery:
    """What of minutes waits for staff."""

    @field(Right.STAFF, "Disputes that wait for staff.", permission=Permission.MANAGE_DISPUTES, list_size=PAGE)
    async def disputes_to_decide(
        self, info: Info, first: First = USUAL_PAGE, after: After = None
    ) -> Connection[DisputeCase]:
        """A page of disputes that wait for staff."""
        size = page_size(first)
        place = None if after is None else DisputeId(uuid_from(place_of(_DISPUTES, after)))
        found = await info.context.ports.earning.reads.disputes_to_decide(size + 1, place)

        def edge(each: ReadDispute) -> tuple[Cursor, DisputeCase]:
            shown = DisputeCase(dispute=Dispute.of(each.dispute), reason=each.reason)
            return cursor_of(_DISPUTES, each.dispute.id), shown

        return Connection.of(found, size, after, edge)

    @field(
        Right.STAFF,
        "Minutes whose evidence is odd, oldest first.",
        permission=Permission.MANAGE_DISPUTES,
        list_size=PAGE,
    )
    async def minutes_to_review(
        self, info: Info, first: First = USUAL_PAGE, after: After = None
    ) -> Connection[MinuteCase]:
        """A page of minutes whose evidence is odd."""
        size = page_size(first)
        found = await info.context.ports.earning.reads.minutes_to_review(size + 1, _place(after))

        def edge(each: model.EarnedMinute) -> tuple[Cursor, MinuteCase]:
            id_ = global_id(Participation.kind, each.participation)
            place = f"{each.minute.isoformat()} {each.participation}"
            return cursor_of(_MINUTES, place), MinuteCase(participation_id=id_, minute=EarnedMinute.of(each))

        return Connection.of(found, size, after, edge)


def _place(after: Cursor | None) -> MinuteId | None:
    """The minute that a page follows. Raises `BadInputError`."""
    if after is None:
        return None
    minute, _, participation = place_of(_MINUTES, after).partition(" ")
    return MinuteId(moment_from(minute), ParticipationId(uuid_from(participation)))
