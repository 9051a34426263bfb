"""Who is calling. Every door makes one of these and hands it to the action; an action never trusts an id alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from domain.ids import BrandId, PersonId, SessionId
from domain.rights import BrandRole, Permission, StaffRole

_NO_BRANDS: Mapping[BrandId, BrandRole] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as far as the audit log is to know: never trusted, always kept."""

    address: str
    """The client's IP address, told by the last proxy that we trust."""
    request_id: str
    device: str = ""
    """What the client calls itself (`User-Agent`), cut to 200 characters."""


@dataclass(frozen=True, slots=True)
class Actor:
    """A person who proved who they are, and what they may do at this moment."""

    person: PersonId
    session: SessionId | None = None
    """None for a command or a job that acts for a person."""
    staff_role: StaffRole | None = None
    """Set only in a session that staff may use: second factor given, from an allowed network, not idle."""
    permissions: frozenset[Permission] = frozenset()
    brands: Mapping[BrandId, BrandRole] = field(default_factory=lambda: _NO_BRANDS, hash=False)
    is_streamer: bool = False
    also: frozenset[PersonId] = frozenset()
    """Earlier people who were found to be this one: what is in their names is this person's."""
    impersonator: PersonId | None = None
    """The staff member who looks through this person's eyes; such an actor moves no money and changes no secret."""
    is_unreachable: bool = False
    """We know no address that is surely theirs: they begin no payment."""
    stepped_up_until: datetime | None = None
    authenticated_at: datetime | None = None
    """When the person last proved who they are with a password, a provider or a passkey."""
    origin: Origin | None = field(default=None, compare=False)
    portal: str | None = field(default=None, compare=False)
    """Which of our sites the session is for: the value of a `domain.identity.model.Portal`."""

    @property
    def owner(self) -> str:
        """The owner name of the person's own accounts in the ledger."""
        return f"person:{self.person}"

    @property
    def people(self) -> tuple[PersonId, ...]:
        """The person under every id that they were ever known by."""
        return (self.person, *sorted(self.also))

    @property
    def owners(self) -> tuple[str, ...]:
        """Every owner name in the ledger that is the person's own."""
        return tuple(f"person:{person}" for person in self.people)

    def stands_for(self, owner: str, least: BrandRole = BrandRole.OWNER) -> bool:
        """Whether what belongs to `owner` is the actor's: themselves, or a brand in which they have at least a role."""
        if owner in self.owners:
            return True
        kind, _, name = owner.partition(":")
        if kind != "brand":
            return False
        role = next((role for brand, role in self.brands.items() if str(brand) == name), None)
        return role is not None and role.covers(least)

    def may(self, permission: Permission) -> bool:
        """Whether the actor is staff with a permission."""
        return permission in self.permissions

    def stepped_up(self, now: datetime) -> bool:
        """Whether the actor gave a fresh code a moment ago."""
        return self.stepped_up_until is not None and now < self.stepped_up_until
