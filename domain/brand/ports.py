"""What brands need: their rows inside a unit of work, and reads without locks, many at once."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.asset.ports import ReadyAssets
from domain.brand.model import (
    Brand,
    Invitation,
    InvitationId,
    InvitationState,
    InvitationView,
    Member,
    MemberId,
    Verification,
)
from domain.identity.ports import IdentityPorts
from domain.identity.stores import IdentityWork
from domain.ids import BrandId, PersonId
from domain.rights import BrandRole


class Brands(Protocol):
    """Brands, inside a unit of work."""

    async def add(self, brand: Brand) -> bool:
        """Keep a new brand; False where there is one of its id."""
        ...

    async def lock(self, id_: BrandId) -> Brand | None:
        """Be alone with a brand and its team until the unit of work ends. Who locks people, too, does that before."""
        ...

    async def save(self, brand: Brand) -> None:
        """Keep what has changed."""
        ...


class Teams(Protocol):
    """Members of brands, inside a unit of work. Whoever changes one has locked the person, then the brand."""

    async def of(self, brand: BrandId, people: Sequence[PersonId]) -> Member | None:
        """The membership of people who are one, with their highest role."""
        ...

    async def acts_for(self, brand: BrandId, person: PersonId) -> bool:
        """Whether somebody is a member, by whatever id they were ever known."""
        ...

    async def member(self, id_: MemberId) -> Member | None:
        """A member who has not left."""
        ...

    async def add(self, member: Member) -> None:
        """Somebody belongs to a brand from now on."""
        ...

    async def set_role(self, id_: MemberId, role: BrandRole) -> None:
        """Give a member another role."""
        ...

    async def end(self, id_: MemberId, now: datetime) -> None:
        """Somebody is no member any more, nor the brand's contact."""
        ...

    async def owners_beside(self, member: Member) -> int:
        """How many others own the brand and can sign in."""
        ...


class Invitations(Protocol):
    """Invitations, inside a unit of work."""

    async def add(self, invitation: Invitation, mail: bytes, digest: bytes) -> bool:
        """Keep an invitation, its address sealed; False where an open one went to the same address."""
        ...

    async def lock(self, id_: InvitationId) -> Invitation | None:
        """An invitation, locked; its brand is locked before."""
        ...

    async def find(self, by: InvitationId | bytes) -> Invitation | None:
        """An invitation by its id or its token's digest, without a lock."""
        ...

    async def renew(self, id_: InvitationId, digest: bytes, expires_at: datetime) -> None:
        """Let another link be good, and the one before no more."""
        ...

    async def end(self, id_: InvitationId, state: InvitationState, person: PersonId | None = None) -> None:
        """Note what became of it, and forget the address."""
        ...

    async def withdraw(self, brand: BrandId, person: PersonId) -> None:
        """Take back all open ones of a brand that somebody sent."""
        ...

    async def forget(self, before: datetime) -> int:
        """Take back what expired before then and nobody took up; how many."""
        ...


class BrandWork(IdentityWork, Protocol):
    """A unit of work as brands need it."""

    @property
    def brands(self) -> Brands:
        """Brands."""
        ...

    @property
    def teams(self) -> Teams:
        """Who belongs to them."""
        ...

    @property
    def invitations(self) -> Invitations:
        """Who is asked to."""
        ...

    @property
    def assets(self) -> ReadyAssets:
        """Files that were sent for them."""
        ...


@dataclass(frozen=True, slots=True)
class TeamPage:
    """So many members or invitations of a brand, by their ids, behind one."""

    brand: BrandId
    first: int
    after: MemberId | InvitationId | None = None


class BrandReads(Protocol):
    """Brands, read without locks."""

    async def brands_by_id(self, ids: Sequence[BrandId]) -> Mapping[BrandId, Brand]:
        """Brands, whosever they are."""
        ...

    async def brands_by_state(self, state: Verification, first: int, after: BrandId | None) -> Sequence[Brand]:
        """Brands that stand so, oldest first; those behind one, however that one stands by now."""
        ...

    async def members(self, pages: Sequence[TeamPage]) -> Mapping[TeamPage, Sequence[Member]]:
        """Pages of members."""
        ...

    async def invitations(self, pages: Sequence[TeamPage]) -> Mapping[TeamPage, Sequence[InvitationView]]:
        """Pages of open invitations, expired ones among them, with their addresses."""
        ...

    async def invitations_by_id(self, ids: Sequence[InvitationId]) -> Mapping[InvitationId, InvitationView]:
        """Open invitations, whosever they are, with their addresses."""
        ...

    async def invitations_to(self, person: PersonId, now: datetime, most: int) -> Sequence[InvitationView]:
        """Invitations to a person's verified address that they may take up, newest first."""
        ...


class BrandPorts(IdentityPorts, Protocol):
    """What brands' actions are handed."""

    def work(self) -> AbstractAsyncContextManager[BrandWork]:
        """Open a unit of work."""
        ...

    @property
    def reads(self) -> BrandReads:
        """Brands, read without locks."""
        ...
