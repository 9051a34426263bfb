"""What staff looks up about people and about itself: reads without locks, many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.identity.addresses import mail_index
from domain.identity.model import MergeRequest
from domain.identity.provider import Provider
from domain.ids import BrandId, PersonId
from domain.rights import Permission, StaffRole
from domain.vault import Vault


class MembershipKind(StrEnum):
    """To what a person may belong."""

    PLAYER = "player"
    STREAMER = "streamer"
    BRAND = "brand"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Membership:
    """A person belongs to something, since then."""

    id: UUID
    person: PersonId
    kind: MembershipKind
    brand: BrandId | None
    role: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class StaffNetwork:
    """A network that staff may work from."""

    network: str
    note: str
    added_by: PersonId | None
    added_at: datetime


class Desk(Protocol):
    """Reads for staff."""

    async def people_by_index(self, index: bytes) -> Sequence[PersonId]:
        """Who has an address, verified or not, or signs in by it; by its digest."""
        ...

    async def person_by_identity(self, provider: Provider, index: bytes) -> PersonId | None:
        """Who signs in by a provider's subject; by its digest."""
        ...

    async def memberships_of(self, people: Sequence[PersonId]) -> Mapping[PersonId, Sequence[Membership]]:
        """What each belongs to now, oldest first."""
        ...

    async def merged_into(self, people: Sequence[PersonId]) -> Mapping[PersonId, Sequence[PersonId]]:
        """Who was found to be the same as each."""
        ...

    async def roles(self) -> Mapping[StaffRole, frozenset[Permission]]:
        """What each role may do."""
        ...

    async def holders_of(self, roles: Sequence[StaffRole]) -> Mapping[StaffRole, Sequence[PersonId]]:
        """Who has each role, longest first."""
        ...

    async def networks(self) -> Sequence[StaffNetwork]:
        """From where staff may work."""
        ...

    async def open_merges(self, first: int, after: UUID | None) -> Sequence[MergeRequest]:
        """Requests to merge that nobody has decided, newest first; `after`: older ones than that."""
        ...


async def people_by_mail(desk: Desk, vault: Vault, mail: str) -> Sequence[PersonId]:
    """Who has exactly this address, in whichever case it is written."""
    return await desk.people_by_index(mail_index(vault, mail))


async def person_by_subject(desk: Desk, vault: Vault, provider: Provider, subject: str) -> PersonId | None:
    """Who signs in by exactly this id of a provider's; for a password that is the address."""
    if provider is Provider.PASSWORD:
        return await desk.person_by_identity(provider, mail_index(vault, subject))
    return await desk.person_by_identity(provider, vault.index(f"identity/{provider}", subject))
