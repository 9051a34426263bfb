"""What happens to messages. Thin: ids only; whoever listens loads the rest with its own rights."""

from dataclasses import dataclass

from domain.campaign.participation import ParticipationId
from domain.events import Event


@dataclass(frozen=True, slots=True)
class MessagesChanged(Event):
    """A message was sent, read or hidden; `seq` counts such changes of a participation."""

    participation: ParticipationId
    seq: int

    @property
    def topic(self) -> str:
        """`messages:<participation>`."""
        return messages_topic(self.participation)


def messages_topic(participation: ParticipationId) -> str:
    """The topic of what the two sides of a participation write to each other."""
    return f"messages:{participation}"
