"""What messages say no to. What is between others is refused as what does not exist."""

from dataclasses import dataclass
from typing import ClassVar

from domain.message.model import LONGEST_TEXT, OPEN_FOR
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class MessageRefused(Refusal):
    """A message says something that can be shown."""

    code: ClassVar[str] = "MESSAGE_REFUSED"
    message: str = f"Write 1 to {LONGEST_TEXT} characters that can be shown; lines may be broken."


@dataclass(frozen=True, slots=True)
class ConversationOver(Refusal):
    """The participation has ended for so long that neither side writes any more."""

    code: ClassVar[str] = "CONVERSATION_OVER"
    message: str = f"Nothing is written any more {OPEN_FOR.days} days after a participation has ended."


@dataclass(frozen=True, slots=True)
class UnknownMessage(Refusal):
    """There is no such message, or it is between others."""

    code: ClassVar[str] = "UNKNOWN_MESSAGE"
    message: str = "There is no such message of yours."


@dataclass(frozen=True, slots=True)
class MessageNotReportable(Refusal):
    """One's own side's messages are not reported, nor is what nobody can read any more."""

    code: ClassVar[str] = "MESSAGE_NOT_REPORTABLE"
    message: str = "Report what the other side wrote, while it can be read."


@dataclass(frozen=True, slots=True)
class MessageNotReported(Refusal):
    """There is no report of that message that waits for staff."""

    code: ClassVar[str] = "MESSAGE_NOT_REPORTED"
    message: str = "There is no report of that message that waits for staff."
