"""Messages as staff reads them, who is written down for it."""

from datetime import datetime
from typing import Annotated, Self

import strawberry

from domain.message import model
from domain.message.model import ReportId
from domain.message.moderating import read_messages, read_reports
from domain.message.ports import MessagePage
from domain.rights import Permission
from gql.access import Right, field
from gql.brand.types import uuid_from
from gql.campaign.enums import MessageState, Side
from gql.campaign.messages import Message
from gql.campaign.participations import Participation, participation_id
from gql.context import Info
from gql.node import global_id
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, number_of, page_size, place_of
from gql.scalars import Cursor

_REPORTS = "reported-messages"


@strawberry.type(description="A message, as staff reads it: also what is hidden.")
class MessageCase:
    """A message as staff reads it."""

    id: strawberry.ID = field(Right.PARENT, "The message's global id.")
    participation_id: strawberry.ID = field(Right.PARENT, "The participation that it belongs to.")
    side: Side = field(Right.PARENT, "Who of the two wrote it.")
    state: MessageState = field(Right.PARENT, "What the two sides can read of it.")
    text: str | None = field(Right.PARENT, "The text; null once who wrote it is gone.")
    sent_at: datetime = field(Right.PARENT, "When it was sent.")

    @classmethod
    def of(cls, found: model.ReadMessage) -> Self:
        """Show a message to staff."""
        message = found.message
        return cls(
            id=global_id(Message.kind, message.id), side=message.side, state=found.state, text=found.text,
            participation_id=global_id(Participation.kind, message.participation), sent_at=message.sent_at,
        )  # fmt: skip


@strawberry.type(description="A message that was reported, and waits for staff.")
class ReportedMessage:
    """A message that was reported."""

    message: MessageCase = field(Right.PARENT, "The message, which the other side reported.")
    reason: str | None = field(Right.PARENT, "What is wrong with it, as it was said; null once erased.")
    reported_at: datetime = field(Right.PARENT, "When it was reported.")


@strawberry.type
class MessageStaffQuery:
    """What staff reads of messages."""

    @field(
        Right.STAFF,
        "Messages that were reported and wait for staff, oldest report first. That you looked stands in the audit log.",
        permission=Permission.MODERATE_CONTENT,
        list_size=PAGE,
    )
    async def reported_messages(
        self, info: Info, first: First = USUAL_PAGE, after: After = None
    ) -> Connection[ReportedMessage]:
        """A page of messages that were reported."""
        context, size = info.context, page_size(first)
        place = None if after is None else ReportId(uuid_from(place_of(_REPORTS, after)))
        found = await read_reports(context.ports.message, context.caller, size + 1, place)

        def edge(each: model.ReadReport) -> tuple[Cursor, ReportedMessage]:
            shown = ReportedMessage(
                message=MessageCase.of(each.message), reason=each.reason, reported_at=each.report.reported_at
            )
            return cursor_of(_REPORTS, each.report.id), shown

        return Connection.of(found, size, after, edge)

    @field(
        Right.STAFF,
        "What the two sides of a participation wrote, newest first. That you looked stands in the audit log.",
        permission=Permission.MODERATE_CONTENT,
        list_size=PAGE,
    )
    async def participation_messages(
        self,
        info: Info,
        participation_id_: Annotated[
            strawberry.ID, strawberry.argument(description="The participation's id.", name="participationId")
        ],
        first: First = USUAL_PAGE,
        after: After = None,
    ) -> Connection[MessageCase]:
        """A page of what was written in a participation."""
        context, id_, size = info.context, participation_id(participation_id_), page_size(first)
        scope = f"participation-messages:{id_}"
        page = MessagePage(id_, size + 1, None if after is None else number_of(scope, after))
        found = await read_messages(context.ports.message, context.caller, page)

        def edge(each: model.ReadMessage) -> tuple[Cursor, MessageCase]:
            return cursor_of(scope, each.message.number), MessageCase.of(each)

        return Connection.of(found, size, after, edge)
