"""Events are thin: they say what happened and to which id; whoever listens loads the state with its own rights."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self, get_type_hints
from uuid import UUID

Scalar = str | int
"""What an id looks like when an event is written down."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Each context subclasses it with the ids that it concerns.

    `id` is the idempotency key of every reaction; make it from the cause (`domain.ids.derived`) where one cause makes
    one event, so that a repeat of the cause is the same event. Other fields are UUIDs, whole numbers, texts or
    text enumerations, and none of them is optional.
    """

    id: UUID

    @property
    def name(self) -> str:
        """What it is written down under. Renaming a class orphans the events that are still waiting."""
        return type(self).__name__

    @property
    def topic(self) -> str:
        """Where it is published and numbered; a context narrows it to what a subscriber asks for (`top_up:<id>`)."""
        return self.name

    @property
    def body(self) -> dict[str, Scalar]:
        """All fields but the id, as JSON takes them."""
        return {field.name: _written(getattr(self, field.name)) for field in fields(self) if field.name != "id"}

    @classmethod
    def read(cls, id_: UUID, body: Mapping[str, Scalar]) -> Self:
        """The event that `body` was taken from. Raises KeyError, ValueError or TypeError for any other."""
        kinds = get_type_hints(cls)
        names = [field.name for field in fields(cls) if field.name != "id"]
        return cls(id_, *(_underlying(kinds[name])(body[name]) for name in names))


def _written(value: object) -> Scalar:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str | int):
        return value
    raise TypeError(f"an event carries ids, not a {type(value).__name__}")


def _underlying(kind: type) -> type:
    """The type that a `NewType` stands for."""
    return getattr(kind, "__supertype__", kind)
