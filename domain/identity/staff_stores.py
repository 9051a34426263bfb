"""What is kept of who works here, inside a unit of work."""

from datetime import datetime
from typing import Protocol

from domain.ids import PersonId, SessionId
from domain.rights import Permission, StaffRole


class Members(Protocol):
    """Who belongs to what, inside a unit of work."""

    async def staff_role(self, person: PersonId) -> StaffRole | None:
        """A person's role of staff, if they are."""
        ...

    async def networks(self) -> tuple[str, ...]:
        """The networks that staff may work from."""
        ...

    async def lock_staff(self) -> None:
        """Be alone with roles of staff and their permissions until the unit of work ends."""
        ...

    async def works_as(self, person: PersonId, session: SessionId | None) -> StaffRole | None:
        """The role that somebody has at this moment in a session that has not ended; None for who is not active."""
        ...

    async def super_admins_beside(self, person: PersonId) -> int:
        """How many others are super admins and can sign in."""
        ...

    async def set_staff_role(self, person: PersonId, role: StaffRole | None, now: datetime) -> None:
        """Give a role of staff, or take it."""
        ...

    async def permissions_of(self, role: StaffRole) -> frozenset[Permission]:
        """What a role may do."""
        ...

    async def set_permissions(self, role: StaffRole, permissions: frozenset[Permission]) -> None:
        """Change what a role may do."""
        ...

    async def add_network(self, network: str, note: str, person: PersonId) -> None:
        """Let staff work from a network; one that is there stays."""
        ...

    async def remove_network(self, network: str) -> bool:
        """Take a network out; False if it was not in."""
        ...
