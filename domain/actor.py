"""Who is calling. Every door makes one of these and hands it to the action; an action never trusts an id alone."""

from dataclasses import dataclass

from domain.ids import PersonId


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who proved who they are."""

    person: PersonId

    @property
    def owner(self) -> str:
        """The owner name of the person's own accounts in the ledger."""
        return f"person:{self.person}"
