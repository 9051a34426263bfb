"""Events are thin: they say what happened and to which id; whoever listens loads the state with its own rights."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Each context subclasses it with the ids that it concerns.

    `id` is the idempotency key of every reaction; make it from the cause (`domain.ids.derived`) where one cause makes
    one event, so that a repeat of the cause is the same event.
    """

    id: UUID
