"""Brands on a real database with a real vault: people who made some, and what they asked of others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.brand.reads import PostgresBrandReads
from domain.actor import Actor
from domain.brand.invitations import accept_invitation, invite
from domain.brand.model import Brand, Company, InvitationView, Member, MemberId, Profile, Size
from domain.brand.ports import TeamPage
from domain.brand.profiles import create_brand
from domain.quotas import Quotas
from domain.rights import BrandRole
from tests.accounts_stage import AccountsStage, staged_accounts
from tests.vaults import open_vault

COMPANY = Company("Baterai Jaya", "batteries", Size.SMALL, "https://baterai.example")


@dataclass(kw_only=True)
class BrandStage(AccountsStage):
    """`domain.brand.ports.BrandPorts`, with the means to look behind it."""

    reads: PostgresBrandReads

    async def brand(self, owner: Actor, name: str = COMPANY.name) -> Brand:
        """A new brand of somebody's."""
        made = await create_brand(self, owner, Profile(replace(COMPANY, name=name)), name)
        assert isinstance(made, Brand), made
        return made

    async def invited(self, owner: Actor, brand: Brand, mail: str, role: BrandRole = BrandRole.VIEWER) -> str:
        """Somebody is asked in; the token of the letter."""
        made = await invite(self, owner, brand.id, mail, role)
        assert isinstance(made, InvitationView), made
        await self.post()
        return self.token("BrandInvitation")

    async def joined(self, owner: Actor, brand: Brand, mail: str, role: BrandRole = BrandRole.VIEWER) -> Actor:
        """Somebody who signed up and took an invitation up."""
        me = await self.member(mail)
        made = await accept_invitation(self, me, await self.invited(owner, brand, mail, role))
        assert isinstance(made, Member), made
        return me

    async def team(self, brand: Brand) -> dict[str, BrandRole]:
        """Who acts for a brand, by their ids."""
        page = TeamPage(brand.id, 100)
        return {str(each.person): each.role for each in (await self.reads.members([page]))[page]}

    async def member_id(self, brand: Brand, actor: Actor) -> MemberId:
        """The membership of somebody."""
        page = TeamPage(brand.id, 100)
        (found,) = (each.id for each in (await self.reads.members([page]))[page] if each.person == actor.person)
        return found


@asynccontextmanager
async def staged_brands(addresses: DatabaseAddresses, quotas: Quotas | None = None) -> AsyncIterator[BrandStage]:
    async with (
        open_vault(addresses) as vault,
        staged_accounts(addresses, vault=vault, quotas=quotas) as accounts,
    ):
        given = {part.name: getattr(accounts, part.name) for part in fields(AccountsStage)}
        yield BrandStage(**given, reads=PostgresBrandReads(accounts.database, vault))
