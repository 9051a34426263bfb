"""Messages between the two sides of a participation: numbered, sealed with the key of who wrote them, never changed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple, NewType
from uuid import UUID

from domain.campaign.participation import ParticipationId, Side
from domain.ids import BrandId, PersonId

MessageId = NewType("MessageId", UUID)
ReportId = NewType("ReportId", UUID)

LONGEST_TEXT: Final = 2_000
LONGEST_REASON: Final = 500
OPEN_FOR: Final = timedelta(days=30)
"""So long after its participation has ended there may be something to say: its last minutes are held for a week and
appealed for another, and the invoice comes when the month has turned. Later nobody need hear from the other any more.
"""

TEXT_FIELD: Final = "message_text"
"""As what the vault seals messages."""
REASON_FIELD: Final = "message_report_reason"
"""As what the vault seals why a message is reported."""

_ALSO: Final = frozenset("\n\u00a0\u200c\u200d")
"""What Python does not call printable and people write: lines, spaces that hold words together, joined signs."""


def is_writable(text: str, longest: int) -> bool:
    """Whether a text says something that can be shown, and is not too long."""
    readable = all(sign.isprintable() or sign in _ALSO for sign in text)
    return 0 < len(text.strip()) <= len(text) <= longest and readable


class MessageState(StrEnum):
    """What there is to read of a message."""

    SENT = "sent"
    HIDDEN = "hidden"
    """Staff has hidden it from both sides."""
    ERASED = "erased"
    """Who wrote it is gone, and their words with them."""


class ReportRuling(StrEnum):
    """What staff made of a report."""

    HIDDEN = "hidden"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class Sides:
    """Whom a conversation is between, and until when."""

    participation: ParticipationId
    brand: BrandId
    person: PersonId
    """In whose name the streamer is."""
    ended_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Whether nothing is written any more."""
        return self.ended_at is not None and self.ended_at + OPEN_FOR <= now


@dataclass(frozen=True, slots=True)
class Message:
    """A message as its row has it."""

    id: MessageId
    participation: ParticipationId
    number: int
    """Counts the messages of a participation from 1."""
    side: Side
    person: PersonId
    """Who wrote it."""
    text: bytes | None
    """Sealed. None once it was erased."""
    sent_at: datetime
    hidden_at: datetime | None
    seq: int
    """Where it stands in the stream of what changes."""


class ReadMessage(NamedTuple):
    """A message with what can be read of it."""

    message: Message
    text: str | None
    """None where it was erased; of one that is hidden, too, unless staff looks."""
    is_read: bool = False
    """Whether somebody whom it was written to has read so far."""

    @property
    def state(self) -> MessageState:
        """What there is to read of it."""
        if self.message.hidden_at is not None:
            return MessageState.HIDDEN
        return MessageState.ERASED if self.text is None else MessageState.SENT


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says against a message."""

    id: ReportId
    message: MessageId
    person: PersonId
    reason: bytes | None
    """Sealed. None once it was erased."""
    reported_at: datetime


class ReadReport(NamedTuple):
    """A report that waits for staff, with the message that it is about, and why."""

    report: Report
    message: ReadMessage
    reason: str | None
