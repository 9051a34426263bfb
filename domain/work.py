"""What every unit of work offers, whatever the context: the ledger, and ways to tell what happened and who did it."""

from dataclasses import dataclass, field
from typing import Protocol

from domain.audit_log import Deed
from domain.events import Event
from domain.ledger.ports import AccountRegister, Ledger


@dataclass(slots=True)
class Swept:
    """What a job did: how many it dealt with, and which it could not finish, with the reason. Those come again."""

    looked_at: int = 0
    failed: list[tuple[str, Exception]] = field(default_factory=list)


class Work(Protocol):
    """One unit of work: everything done through it becomes durable together, or not at all."""

    @property
    def ledger(self) -> Ledger:
        """The ledger within this unit of work."""
        ...

    @property
    def register(self) -> AccountRegister:
        """Limits and status of accounts: each change is kept, and in force with this unit of work."""
        ...

    async def emit(self, *events: Event) -> None:
        """Record that something happened, in this order; reactions and subscribers learn of it after the commit."""
        ...

    async def record(self, deed: Deed) -> None:
        """Write a line of the audit log; the same deed again is the same line."""
        ...
