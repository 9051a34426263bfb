"""Messages, as the two sides of a participation see them."""

from collections.abc import Collection
from datetime import datetime
from typing import ClassVar, Self

import strawberry

from domain.ids import PersonId
from domain.message import model
from gql.access import Right, field
from gql.campaign.enums import MessageState, Side
from gql.node import global_id


@strawberry.type(description="What one side of a participation wrote to the other.")
class Message:
    """A message."""

    kind: ClassVar[str] = "Message"

    id: strawberry.ID = field(Right.PARENT, "The global id.")
    side: Side = field(Right.PARENT, "Who of the two wrote it.")
    is_yours: bool = field(Right.PARENT, "Whether you wrote it: on the brand's side there are several.")
    state: MessageState = field(Right.PARENT, "What there is to read of it.")
    text: str | None = field(Right.PARENT, "The text, line breaks in it; null unless its state is `SENT`.")
    sent_at: datetime = field(Right.PARENT, "When it was sent.")
    is_read: bool = field(Right.PARENT, "Whether somebody on the side that it was written to has read so far.")

    @classmethod
    def of(cls, found: model.ReadMessage, people: Collection[PersonId]) -> Self:
        """Show a message to somebody on one of the two sides."""
        message = found.message
        return cls(
            id=global_id(cls.kind, message.id), side=message.side, is_yours=message.person in people,
            state=found.state, text=found.text if found.state is MessageState.SENT else None,
            sent_at=message.sent_at, is_read=found.is_read,
        )  # fmt: skip
