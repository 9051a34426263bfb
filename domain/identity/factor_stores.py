"""What is kept of second factors, inside a unit of work."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from domain.identity.model import SecondFactor
from domain.ids import PersonId


@dataclass(frozen=True, slots=True)
class KeptTotp:
    """An authenticator app as it is kept."""

    secret: bytes | None
    """The sealed secret that is in use; None before the first was confirmed."""
    offered: bytes | None
    """A sealed secret that waits to be confirmed."""
    last_step: int


@dataclass(frozen=True, slots=True)
class KeptPasskey:
    """A passkey as it is kept. Its name is sealed."""

    credential: bytes
    person: PersonId
    public_key: bytes
    sign_count: int
    name: bytes
    created_at: datetime
    last_used_at: datetime | None = None


class SecondFactors(Protocol):
    """What a person set up to prove themselves with, inside a unit of work."""

    async def enrolled(self, person: PersonId) -> frozenset[SecondFactor]:
        """What is set up and may be asked for; recovery codes only beside another."""
        ...

    async def lock_totp(self, person: PersonId) -> KeptTotp | None:
        """A person's authenticator app, confirmed or only offered; locked."""
        ...

    async def offer_totp(self, person: PersonId, secret: bytes) -> None:
        """Keep a new secret beside the one in use, until it is confirmed."""
        ...

    async def confirm_totp(self, person: PersonId, step: int, now: datetime) -> None:
        """Use the offered secret from now on; the step of its first code counts as taken."""
        ...

    async def take_step(self, person: PersonId, step: int) -> None:
        """No code of this step or an earlier one is good any more."""
        ...

    async def remove_totp(self, person: PersonId) -> bool:
        """Forget a person's authenticator app, and one that was only offered; False if none was in use."""
        ...

    async def put_recovery_codes(self, person: PersonId, digests: Sequence[bytes]) -> None:
        """Keep new recovery codes instead of all earlier ones; none where there are none."""
        ...

    async def use_recovery_code(self, person: PersonId, digest: bytes, now: datetime) -> bool:
        """Use one up; False if it is none, or was used."""
        ...

    async def count_try(self, person: PersonId, now: datetime, within: timedelta) -> tuple[int, datetime]:
        """Count a code that is tried: how many there were, and since when. They begin anew after that time."""
        ...

    async def forget_tries(self, person: PersonId) -> None:
        """Begin to count anew."""
        ...

    async def passkeys(self, person: PersonId) -> Sequence[KeptPasskey]:
        """A person's passkeys, oldest first; locked."""
        ...

    async def owner_of_passkey(self, credential: bytes) -> PersonId | None:
        """Whose passkey it is, without a lock: the person is locked before what is theirs."""
        ...

    async def find_passkey(self, credential: bytes) -> KeptPasskey | None:
        """A passkey by its id, locked."""
        ...

    async def add_passkey(self, passkey: KeptPasskey) -> bool:
        """Keep a passkey; False if its id is somebody's."""
        ...

    async def use_passkey(self, credential: bytes, sign_count: int, now: datetime) -> None:
        """Note that a passkey was used."""
        ...

    async def remove_passkey(self, person: PersonId, credential: bytes) -> bool:
        """Forget a passkey; False if the person has no such."""
        ...
