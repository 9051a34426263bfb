"""What the mutations of messages take."""

import strawberry

from domain.message.model import LONGEST_REASON, LONGEST_TEXT
from gql.brand.inputs import Keyed

_PARTICIPATION = "The global id of the participation."
_MESSAGE = "The global id of the message."


@strawberry.input(description="What to write to the other side.")
class SendMessageInput(Keyed):
    """What to write to the other side."""

    participation_id: strawberry.ID = strawberry.field(description=_PARTICIPATION)
    text: str = strawberry.field(
        description=f"The text: 1 to {LONGEST_TEXT} characters that can be shown; lines may be broken."
    )
    idempotency_key: str = strawberry.field(description="The same key again is the same message.")


@strawberry.input(description="How far you have read.")
class MarkMessagesReadInput:
    """How far somebody has read."""

    participation_id: strawberry.ID = strawberry.field(description=_PARTICIPATION)
    up_to: strawberry.ID = strawberry.field(description="The global id of the newest message that you have read.")


@strawberry.input(description="Which message to report, and why.")
class ReportMessageInput:
    """Which message to report."""

    message_id: strawberry.ID = strawberry.field(description=_MESSAGE)
    reason: str = strawberry.field(
        description=f"What is wrong with it, for staff alone: {LONGEST_REASON} characters at most."
    )


@strawberry.input(description="A message, and why staff decides so.")
class _Judged:
    """A message, and why."""

    message_id: strawberry.ID = strawberry.field(description=_MESSAGE)
    reason: str = strawberry.field(description="Why: it is written down.")


@strawberry.input(description="Which message to hide, and why.")
class HideMessageInput(_Judged):
    """Which message to hide."""


@strawberry.input(description="Which message to let stand that was reported, and why.")
class DismissMessageReportInput(_Judged):
    """Which message to let stand."""
