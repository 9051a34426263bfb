"""What of brands is personal: exports tell it, an erasure forgets it, a merge hands it on, and nothing lies open."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, fields

import pytest

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.brand.reads import PostgresBrandReads
from domain.actor import Actor
from domain.brand.invitations import accept_invitation
from domain.brand.model import Brand, Member
from domain.brand.ports import TeamPage
from domain.brand.teams import leave_brand
from domain.identity.erasure import ErasureOutlook, erase_me, erasure_outlook
from domain.identity.privacy import Obstacle
from domain.identity.shredding import erase_due
from domain.rights import BrandRole
from tests.accounts_stage import AccountsStage
from tests.brand_stage import BrandStage
from tests.privacy_stage import PrivacyStage, all_that_is_written, staged_privacy, table

ANI, BUDI = "ani@mail.example", "budi@mail.example"


@dataclass
class Both:
    """People's privacy, and their brands."""

    privacy: PrivacyStage
    brands: BrandStage

    async def owners(self) -> tuple[Actor, Actor, Brand]:
        """Ani made a brand, and Budi owns it with her."""
        ani = await self.brands.member(ANI)
        brand = await self.brands.brand(ani)
        return ani, await self.brands.joined(ani, brand, BUDI, BrandRole.OWNER), brand

    async def read(self, brand: Brand) -> Brand:
        return (await self.brands.reads.brands_by_id([brand.id]))[brand.id]

    async def erased(self, who: Actor) -> None:
        """Somebody is erased to the end."""
        assert isinstance(await erase_me(self.privacy, who), ErasureOutlook)
        await self.privacy.post()
        self.privacy.turn(days=14)
        for _ in range(2):
            assert (await erase_due(self.privacy, self.privacy.clock())).failed == []
            await self.privacy.post()


@pytest.fixture
async def both(database: DatabaseAddresses) -> AsyncIterator[Both]:
    async with staged_privacy(database) as privacy:
        given = {part.name: getattr(privacy, part.name) for part in fields(AccountsStage)}
        yield Both(privacy, BrandStage(**given, reads=PostgresBrandReads(privacy.database, privacy.vault)))


async def test_an_erasure_forgets_who_was_asked_and_who_is_to_be_written_to(both: Both) -> None:
    ani, budi, brand = await both.owners()
    token = await both.brands.invited(ani, brand, "citra@mail.example")
    await both.erased(ani)
    kept = await both.read(brand)
    assert (kept.profile, kept.contact) == (brand.profile, None)
    assert await both.brands.team(brand) == {str(budi.person): BrandRole.OWNER}
    assert await both.privacy.count("brand_invitation", "state = 'revoked' and mail is null") == 1
    citra = await both.brands.member("citra@mail.example")
    assert not isinstance(await accept_invitation(both.brands, citra, token), Member)


async def test_an_erasure_forgets_where_somebody_was_asked_to(both: Both) -> None:
    ani, budi, brand = await both.owners()
    citra = await both.brands.member("citra@mail.example")
    await both.brands.invited(budi, brand, "citra@mail.example")
    await both.erased(citra)
    page = TeamPage(brand.id, 5)
    assert (await both.brands.reads.invitations([page]))[page] == []
    assert await both.privacy.count("brand_invitation", "mail_index is not null") == 0
    assert str(ani.person) in await both.brands.team(brand)


async def test_the_last_owner_is_not_erased_and_a_brand_is_not_left_alone(both: Both) -> None:
    ani, budi, brand = await both.owners()
    assert isinstance(await erase_me(both.privacy, ani), ErasureOutlook)
    assert isinstance(await leave_brand(both.brands, budi, brand.id), Member)
    both.privacy.turn(days=14)
    await erase_due(both.privacy, both.privacy.clock())
    assert await both.brands.team(brand) == {str(ani.person): BrandRole.OWNER}
    outlook = await erasure_outlook(both.privacy, ani)
    assert outlook is not None
    assert outlook.obstacles == (Obstacle.SOLE_OWNER,)
    assert await both.privacy.value("select status from person where id = $1", ani.person) == "active"


async def test_of_two_owners_one_is_erased_while_the_other_leaves_and_one_stays(both: Both) -> None:
    ani, budi, brand = await both.owners()
    assert isinstance(await erase_me(both.privacy, ani), ErasureOutlook)
    both.privacy.turn(days=14)
    await asyncio.gather(
        erase_due(both.privacy, both.privacy.clock()), leave_brand(both.brands, budi, brand.id), return_exceptions=True
    )
    assert len(await both.brands.team(brand)) >= 1


async def test_an_export_tells_whom_one_asked_and_that_one_was_asked(both: Both) -> None:
    ani, budi, brand = await both.owners()
    await both.brands.invited(budi, brand, "citra@mail.example", BrandRole.MANAGER)
    hers, his = await both.privacy.exported(ani), await both.privacy.exported(budi)
    (contact,) = table(hers, "brand_contacts")
    assert (contact["brand"], contact["name"]) == (str(brand.id), brand.profile.company.name)
    assert table(his, "brand_contacts") == []
    sent = {row["state"]: row for row in table(his, "brand_invitations")}
    assert (sent["open"]["direction"], sent["open"]["mail"]) == ("sent", "citra@mail.example")
    assert (sent["accepted"]["direction"], sent["accepted"]["mail"]) == ("received", None)
    assert str(ani.person) not in str(sent)
    assert [row["role"] for row in table(his, "memberships") if row["kind"] == "brand"] == ["owner"]


async def test_a_merge_hands_on_membership_and_contact(both: Both) -> None:
    ani, budi, brand = await both.owners()
    await both.privacy.merged(budi.person, ani.person)
    assert (await both.read(brand)).contact == budi.person
    assert await both.brands.team(brand) == {str(budi.person): BrandRole.OWNER}


async def test_no_address_lies_open_anywhere(both: Both, database: DatabaseAddresses) -> None:
    ani, _, brand = await both.owners()
    token = await both.brands.invited(ani, brand, "citra@mail.example")
    written = await all_that_is_written(database)
    assert brand.profile.company.name in written
    assert not any(secret in written for secret in ("citra", token))
