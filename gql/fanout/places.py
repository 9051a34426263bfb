"""How many sockets and operations somebody may have at a time, in one process."""

from dataclasses import dataclass
from typing import Protocol

from prometheus_client import Counter

REFUSED = Counter("subscription_refusals_total", "Sockets and operations refused, by the limit they met.", ["limit"])


@dataclass(frozen=True, slots=True)
class Room:
    """The limits."""

    sockets_of_address: int = 500
    """Of one address, or one customer's network: many people may sit behind it."""
    sockets_of_person: int = 50
    operations_of_person: int = 500
    operations_of_socket: int = 50


class Visitor(Protocol):
    """A socket."""

    @property
    def operations(self) -> int:
        """How many operations it carries out."""
        ...


class Places:
    """Who is here, by subject: an address or a person."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._visitors: dict[tuple[str, str], set[Visitor]] = {}

    def enter(self, limit: str, subject: str, visitor: Visitor) -> bool:
        """Give a socket a place, or refuse it. `limit` names a number of `Room`."""
        visitors = self._visitors.get((limit, subject), set())
        if len(visitors) >= getattr(self.room, limit):
            REFUSED.labels(limit).inc()
            return False
        self._visitors.setdefault((limit, subject), visitors).add(visitor)
        return True

    def leave(self, limit: str, subject: str, visitor: Visitor) -> None:
        """A socket has gone, if it was there."""
        visitors = self._visitors.get((limit, subject), set())
        visitors.discard(visitor)
        if not visitors:
            self._visitors.pop((limit, subject), None)

    def has_room_for_operation(self, person: str, visitor: Visitor) -> bool:
        """Whether a person's socket may begin one more operation."""
        if visitor.operations >= self.room.operations_of_socket:
            REFUSED.labels("operations_of_socket").inc()
            return False
        others = self._visitors.get(("sockets_of_person", person), ())
        if len(others) * self.room.operations_of_socket <= self.room.operations_of_person:
            return True  # whatever each of them does
        if sum(each.operations for each in others) >= self.room.operations_of_person:
            REFUSED.labels("operations_of_person").inc()
            return False
        return True
