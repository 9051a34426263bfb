"""What messages need: themselves inside a unit of work, and reads without locks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from domain.brand.ports import BrandWork
from domain.campaign.participation import ParticipationId, Side
from domain.identity.ports import IdentityPorts
from domain.ids import PersonId
from domain.message.model import Message, MessageId, ReadMessage, ReadReport, Report, ReportId, ReportRuling, Sides


class MessagePage(NamedTuple):
    """So many messages of a participation, newest first; those before one, by its number."""

    participation: ParticipationId
    first: int
    before: int | None = None


class Unread(NamedTuple):
    """How many messages of the other side somebody has not read."""

    participation: ParticipationId
    side: Side
    people: tuple[PersonId, ...]
    """Them, under every id."""


class Messages(Protocol):
    """Messages inside a unit of work."""

    async def sides(self, participation: ParticipationId) -> Sides | None:
        """Whom a conversation is between."""
        ...

    async def lock(self, participation: ParticipationId) -> None:
        """Be alone with the messages of a participation."""
        ...

    async def find(self, id_: MessageId) -> Message | None:
        """A message, whosever it is."""
        ...

    async def send(self, message: Message) -> Message:
        """Keep a message, which is the next one; with its number and place. Its conversation is locked."""
        ...

    async def mark(self, message: Message, person: PersonId, side: Side) -> int | None:
        """Keep that somebody has read so far; the seq after that, None where they had. The conversation is locked."""
        ...

    async def hide(self, message: Message, now: datetime) -> Message:
        """Hide a message, which is not. Its conversation is locked."""
        ...

    async def report(self, report: Report) -> Report:
        """Keep what somebody says against a message, or find what was said before."""
        ...

    async def rule(self, message: MessageId, ruling: ReportRuling, now: datetime) -> bool:
        """Keep what staff made of the report of a message; False where none waits."""
        ...


class MessageWork(BrandWork, Protocol):
    """A unit of work with messages in it."""

    @property
    def messages(self) -> Messages:
        """Messages."""
        ...


class MessageReads(Protocol):
    """Messages, read without locks."""

    async def messages_by_id(self, ids: Sequence[MessageId]) -> Mapping[MessageId, ReadMessage]:
        """Messages, whosever they are, also what is hidden of them."""
        ...

    async def messages(self, pages: Sequence[MessagePage]) -> Mapping[MessagePage, Sequence[ReadMessage]]:
        """Pages of messages as the two sides see them."""
        ...

    async def all_of(self, page: MessagePage) -> Sequence[ReadMessage]:
        """A page of messages as staff sees them: also what is hidden."""
        ...

    async def unread(self, asked: Sequence[Unread]) -> Mapping[Unread, int]:
        """How many messages of the other side people have not read; what is hidden does not count."""
        ...

    async def seq_of(self, participation: ParticipationId) -> int:
        """How often anything about the messages of a participation has changed so far."""
        ...

    async def changed(self, participation: ParticipationId, after: int, most: int) -> Sequence[ReadMessage]:
        """Messages that were sent or hidden behind a place in the stream, in its order, as the two sides see them."""
        ...

    async def reports_to_decide(self, first: int, after: ReportId | None) -> Sequence[ReadReport]:
        """Reports that wait for staff, oldest first; those behind one."""
        ...


class MessagePorts(IdentityPorts, Protocol):
    """What the actions of messages are handed."""

    def work(self) -> AbstractAsyncContextManager[MessageWork]:
        """Open a unit of work."""
        ...

    @property
    def reads(self) -> MessageReads:
        """Messages, read without locks."""
        ...
