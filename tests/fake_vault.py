"""A vault in memory: sealed values are tickets, which the vault alone knows how to redeem."""

import hmac
import os
from collections.abc import Sequence

from adapters.vault.envelope import UnreadableError
from domain.errors import KeyDestroyedError
from domain.ids import PersonId
from domain.vault import PLATFORM, Sealed


class FakeVault:
    """Is a `domain.vault.Vault`; what was sealed is readable in `texts`, by person and field, for tests to look at."""

    def __init__(self) -> None:
        self.living: dict[PersonId, bool] = {PLATFORM: True}
        self._tickets: dict[bytes, tuple[PersonId, str, str]] = {}
        self._index_key = os.urandom(32)

    @property
    def texts(self) -> list[tuple[PersonId, str, str]]:
        """Everything that was sealed for persons who were not erased."""
        return [ticket for ticket in self._tickets.values() if self.living.get(ticket[0])]

    async def create_key(self, person: PersonId) -> None:
        self.living.setdefault(person, True)

    async def seal(self, person: PersonId, field: str, text: str) -> bytes:
        if not self.living.get(person):
            raise KeyDestroyedError(f"person {person} has no data key")
        text.encode()
        ticket = os.urandom(32)
        self._tickets[ticket] = (person, field, text)
        return ticket

    async def open(self, sealed: Sequence[Sealed]) -> Sequence[str | None]:
        return [self._redeemed(each) if self.living.get(each.person) else None for each in sealed]

    async def destroy_key(self, person: PersonId) -> None:
        self.living[person] = False

    async def forget_key(self, person: PersonId) -> None:
        if self.living.get(person):
            del self.living[person]

    def index(self, scope: str, text: str) -> bytes:
        return hmac.digest(self._index_key, repr((scope, text)).encode(), "sha256")

    def _redeemed(self, sealed: Sealed) -> str:
        person, field, text = self._tickets.get(sealed.content, (None, None, ""))
        if (person, field) != (sealed.person, sealed.field):
            raise UnreadableError(f"the {sealed.field} of person {sealed.person} does not open with the person's key")
        return text
