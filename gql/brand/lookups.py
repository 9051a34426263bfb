"""What batched fields of brands look up with."""

from collections.abc import Mapping, Sequence

from domain.brand.model import InvitationView, Member
from domain.brand.ports import TeamPage
from domain.ports import Ports


async def members(ports: Ports, pages: Sequence[TeamPage]) -> Mapping[TeamPage, Sequence[Member]]:
    """Pages of members."""
    return await ports.brand.reads.members(pages)


async def invitations(ports: Ports, pages: Sequence[TeamPage]) -> Mapping[TeamPage, Sequence[InvitationView]]:
    """Pages of open invitations."""
    return await ports.brand.reads.invitations(pages)
