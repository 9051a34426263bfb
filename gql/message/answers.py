"""What the mutations of messages answer."""

from datetime import datetime

import strawberry

from domain.brand import refusals as brand
from domain.campaign import refusals as campaign
from domain.identity import refusals as identity
from domain.message import refusals
from gql.access import Right, field
from gql.campaign.messages import Message
from gql.campaign.participations import Participation
from gql.message.staff import MessageCase
from gql.refusals import result


@strawberry.type(description="A message that its readers' side has reported.")
class MessageReport:
    """A message that was reported."""

    message_id: strawberry.ID = field(Right.PARENT, "The message's global id.")
    reported_at: datetime = field(Right.PARENT, "When it was reported.")


_STAFF = (identity.StepUpRequired, identity.ReasonRequired, identity.FourEyesRequired, refusals.UnknownMessage)

SendMessageResult = result(
    "SendMessageResult",
    Message,
    campaign.UnknownParticipation,
    brand.RoleTooLow,
    refusals.MessageRefused,
    refusals.ConversationOver,
    identity.TooManyTries,
    description="The message, or why it was not sent.",
)
MarkMessagesReadResult = result(
    "MarkMessagesReadResult",
    Participation,
    campaign.UnknownParticipation,
    refusals.UnknownMessage,
    description="The participation, or why nothing has changed.",
)
ReportMessageResult = result(
    "ReportMessageResult",
    MessageReport,
    refusals.UnknownMessage,
    brand.RoleTooLow,
    identity.ReasonRequired,
    refusals.MessageNotReportable,
    identity.TooManyTries,
    description="The report, or why there is none.",
)
HideMessageResult = result(
    "HideMessageResult", MessageCase, *_STAFF, description="The message, hidden, or why it is not."
)
DismissMessageReportResult = result(
    "DismissMessageReportResult",
    MessageCase,
    *_STAFF,
    refusals.MessageNotReported,
    description="The message, which stays as it is, or why nothing was decided.",
)
