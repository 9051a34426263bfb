"""Brands, read without locks: `domain.brand.ports.BrandReads`, one statement a question, however many it is about."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from adapters.postgres.brand.rows import BRAND, INVITATION, MEMBER, brand_of, invitation_of, member_of
from adapters.postgres.database import Database
from domain.brand.invitations import MAIL_FIELD
from domain.brand.model import Brand, InvitationId, InvitationView, Member, Verification
from domain.brand.ports import TeamPage
from domain.ids import BrandId, PersonId
from domain.vault import Sealed, Vault

_NOBODY = UUID(int=0)
_BRANDS = f"select {BRAND} from brand where id = any($1::uuid[])"  # noqa: S608  # a list of our columns
_BY_STATE = f"""
select {BRAND} from brand
where verification = $1
    and ($2::uuid is null or (created_at, id) > (select met.created_at, met.id from brand as met where met.id = $2))
order by created_at, id limit $3
"""  # noqa: S608  # a list of our columns
_ASKED = "unnest($1::uuid[], $2::uuid[], $3::int[]) with ordinality as asked (brand, after, most, place)"
_MEMBERS = f"""
select asked.place, found.* from {_ASKED} cross join lateral (
    select {MEMBER} from membership
    where membership.brand = asked.brand and kind = 'brand' and ended_at is null and membership.id > asked.after
    order by membership.id limit asked.most
) as found order by asked.place, found.id
"""  # noqa: S608  # a list of our columns
_VIEW = f"""
select {INVITATION}, mail, brand.name as brand_name
from brand_invitation as invitation join brand on brand.id = invitation.brand
where state = 'open'
"""  # noqa: S608  # a list of our columns
_INVITATIONS = f"""
select asked.place, found.* from {_ASKED} cross join lateral (
    {_VIEW} and invitation.brand = asked.brand and invitation.id > asked.after order by invitation.id limit asked.most
) as found order by asked.place, found.id
"""  # noqa: S608  # a list of our columns
_INVITED = f"""
{_VIEW} and expires_at > $2 and mail_index = (
    select mail_index from person where id = $1 and mail_verified_at is not null)
order by invitation.id desc limit $3
"""  # noqa: S608  # a list of our columns


class PostgresBrandReads:
    """Reads of brands; addresses are opened by the vault, and None where the key was destroyed."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def brands_by_id(self, ids: Sequence[BrandId]) -> Mapping[BrandId, Brand]:
        """Brands, whosever they are."""
        found = map(brand_of, await self._database.pool.fetch(_BRANDS, list(ids)))
        return {brand.id: brand for brand in found}

    async def brands_by_state(self, state: Verification, first: int, after: BrandId | None) -> Sequence[Brand]:
        """Brands that stand so, oldest first."""
        return [brand_of(row) for row in await self._database.pool.fetch(_BY_STATE, state, after, first)]

    async def members(self, pages: Sequence[TeamPage]) -> Mapping[TeamPage, Sequence[Member]]:
        """Pages of members."""
        found: dict[TeamPage, list[Member]] = {page: [] for page in pages}
        for row in await self._pages(_MEMBERS, pages):
            found[pages[row["place"] - 1]].append(member_of(row))
        return found

    async def invitations(self, pages: Sequence[TeamPage]) -> Mapping[TeamPage, Sequence[InvitationView]]:
        """Pages of open invitations, with their addresses."""
        found: dict[TeamPage, list[InvitationView]] = {page: [] for page in pages}
        rows = await self._pages(_INVITATIONS, pages)
        for row, view in zip(rows, await self._views(rows), strict=True):
            found[pages[row["place"] - 1]].append(view)
        return found

    async def invitations_by_id(self, ids: Sequence[InvitationId]) -> Mapping[InvitationId, InvitationView]:
        """Open invitations, whosever they are, with their addresses."""
        rows = await self._database.pool.fetch(f"{_VIEW} and invitation.id = any($1::uuid[])", list(ids))
        return {view.invitation.id: view for view in await self._views(rows)}

    async def invitations_to(self, person: PersonId, now: datetime, most: int) -> Sequence[InvitationView]:
        """Invitations to a person's verified address that they may take up, newest first."""
        return await self._views(await self._database.pool.fetch(_INVITED, person, now, most))

    async def _pages(self, statement: str, pages: Sequence[TeamPage]) -> Sequence[Record]:
        brands, after = [page.brand for page in pages], [page.after or _NOBODY for page in pages]
        rows: Sequence[Record] = await self._database.pool.fetch(
            statement, brands, after, [page.first for page in pages]
        )
        return rows

    async def _views(self, rows: Sequence[Record]) -> Sequence[InvitationView]:
        sealed = [Sealed(PersonId(row["invited_by"]), MAIL_FIELD, row["mail"]) for row in rows]
        mails = await self._vault.open(sealed) if sealed else ()
        return [
            InvitationView(invitation_of(row), mail, row["brand_name"]) for row, mail in zip(rows, mails, strict=True)
        ]
