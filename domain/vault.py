"""Personal data: readable only with a person's own key, which lies apart; without the key it is noise for ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.ids import PersonId

PLATFORM = PersonId(UUID(int=0))
"""Nobody: whose key seals what is secret for a few minutes and no person's own."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """Encrypted personal data of one person: what a table or the audit log holds of it."""

    person: PersonId
    field: str
    """Which field it is, for example `mail`: a value does not open as another field's."""
    content: bytes


class Vault(Protocol):
    """Keeps one data key for each person. Nothing here takes part in a unit of work."""

    async def create_key(self, person: PersonId) -> None:
        """Make a person's key, before the person; a key that is there stays. A key without a person harms nobody."""
        ...

    async def seal(self, person: PersonId, field: str, text: str) -> bytes:
        """Encrypt a text. Raises `KeyDestroyedError` for a person who was erased, or never had a key."""
        ...

    async def open(self, sealed: Sequence[Sealed]) -> Sequence[str | None]:
        """Decrypt many at once, in their order: None where the key was destroyed."""
        ...

    async def destroy_key(self, person: PersonId) -> None:
        """Make everything that was sealed for a person unreadable, everywhere, for ever. Safe to repeat."""
        ...

    async def forget_key(self, person: PersonId) -> None:
        """Delete the key of who never became a person, as if none had been made. A destroyed one stays destroyed."""
        ...

    def index(self, scope: str, text: str) -> bytes:
        """A keyed digest by which an exact value is found without being stored (an address, a provider's subject)."""
        ...
