"""What the two sides do with messages, and what staff makes of what was reported."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry

from domain.actor import Actor
from domain.message import model
from domain.message.model import MessageId
from domain.message.moderating import dismiss_message_report, hide_message
from domain.message.ports import MessagePorts
from domain.message.writing import mark_messages_read, report_message, send_message
from domain.refusal import Refusal
from domain.rights import Permission
from gql.access import Right, field
from gql.campaign.messages import Message
from gql.campaign.participations import fetch_participation, participation_id
from gql.context import Context, Info
from gql.message import answers, inputs
from gql.message.staff import MessageCase
from gql.refusals import show
from gql.staff.types import uuid_of

Wanted = strawberry.argument(name="input", description="What is wanted.")
Verdict = Callable[[MessagePorts, Actor, MessageId, str], Awaitable[model.Message | Refusal]]


@strawberry.type
class MessageMutation:
    """What the two sides do with messages."""

    @field(
        Right.OWNER,
        "Write to the other side of a participation. On the brand's side it takes a manager. Nothing is written any"
        " more 30 days after it has ended.",
        graphql_type=answers.SendMessageResult,
    )
    async def send_message(self, info: Info, wanted: Annotated[inputs.SendMessageInput, Wanted]) -> object:
        """Write to the other side."""
        context, id_ = info.context, participation_id(wanted.participation_id)
        made = await send_message(context.ports.message, context.caller, id_, wanted.text, wanted.key)
        if isinstance(made, Refusal):
            return show(made)
        return Message.of(await _read(context, made), context.caller.people)

    @field(
        Right.OWNER,
        "Say up to which message you have read. It is yours alone, and never goes back; the other side sees of its"
        " messages whether anybody on yours has read so far.",
        graphql_type=answers.MarkMessagesReadResult,
    )
    async def mark_messages_read(self, info: Info, wanted: Annotated[inputs.MarkMessagesReadInput, Wanted]) -> object:
        """Say up to which message somebody has read."""
        context, id_ = info.context, participation_id(wanted.participation_id)
        made = await mark_messages_read(context.ports.message, context.caller, id_, _message_id(wanted.up_to))
        return show(made) if isinstance(made, Refusal) else await fetch_participation(context, str(id_))

    @field(
        Right.OWNER,
        "Report a message of the other side to staff. On the brand's side it takes a manager. There is one report of a"
        " message: again, it is the same.",
        graphql_type=answers.ReportMessageResult,
    )
    async def report_message(self, info: Info, wanted: Annotated[inputs.ReportMessageInput, Wanted]) -> object:
        """Report a message."""
        context, id_ = info.context, _message_id(wanted.message_id)
        made = await report_message(context.ports.message, context.caller, id_, wanted.reason)
        if isinstance(made, Refusal):
            return show(made)
        return answers.MessageReport(message_id=wanted.message_id, reported_at=made.reported_at)


@strawberry.type
class MessageStaffMutation:
    """What staff makes of messages."""

    @field(
        Right.STAFF,
        "Hide a message from both sides, reported or not. It takes a fresh code (`stepUp`), and nobody decides about"
        " what they wrote, or what was written to them.",
        permission=Permission.MODERATE_CONTENT,
        graphql_type=answers.HideMessageResult,
    )
    async def hide_message(self, info: Info, wanted: Annotated[inputs.HideMessageInput, Wanted]) -> object:
        """Hide a message."""
        return await _judged(info.context, hide_message, wanted.message_id, wanted.reason)

    @field(
        Right.STAFF,
        "Let a message stand that was reported. It takes a fresh code (`stepUp`), and nobody decides about what they"
        " wrote, or what was written to them.",
        permission=Permission.MODERATE_CONTENT,
        graphql_type=answers.DismissMessageReportResult,
    )
    async def dismiss_message_report(
        self, info: Info, wanted: Annotated[inputs.DismissMessageReportInput, Wanted]
    ) -> object:
        """Let a message stand."""
        return await _judged(info.context, dismiss_message_report, wanted.message_id, wanted.reason)


def _message_id(id_: str) -> MessageId:
    """A message by its global id. Raises `BadInputError`."""
    return MessageId(uuid_of(Message.kind, id_))


async def _judged(context: Context, act: Verdict, id_: str, reason: str) -> object:
    made = await act(context.ports.message, context.caller, _message_id(id_), reason)
    return show(made) if isinstance(made, Refusal) else MessageCase.of(await _read(context, made))


async def _read(context: Context, message: model.Message) -> model.ReadMessage:
    return (await context.ports.message.reads.messages_by_id([message.id]))[message.id]
