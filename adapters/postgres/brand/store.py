"""Brands, teams and invitations inside a unit of work: `domain.brand.ports` on its connection."""

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Connection

from adapters.postgres.brand.rows import BRAND, INVITATION, MEMBER, brand_of, invitation_of, member_of, profile_values
from domain.brand.model import Brand, Invitation, InvitationId, InvitationState, Member, MemberId
from domain.ids import BrandId, PersonId
from domain.rights import BrandRole

_ADD_BRAND = """
insert into brand (id, created_at, name, industry, size, website, contact, billing_address, tax_id, currency, audience,
    categories, regions, budget_least, budget_most, budget_currency)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict (id) do nothing returning id
"""
_LOCK_BRAND = f"select {BRAND} from brand where id = $1 for no key update"  # noqa: S608  # a list of our columns
_SAVE_BRAND = """
update brand set verification = $2, reason = $3, decided_at = $4, revision = $5, name = $6, industry = $7, size = $8,
    website = $9, contact = $10, billing_address = $11, tax_id = $12, currency = $13, audience = $14, categories = $15,
    regions = $16, budget_least = $17, budget_most = $18, budget_currency = $19,
    logo = $20, documents = $21
where id = $1
"""
_MEMBER = f"select {MEMBER} from membership where kind = 'brand' and ended_at is null"  # noqa: S608  # our columns
_OF = f"""
{_MEMBER} and brand = $1 and person = any($2::uuid[])
order by array_position(array['owner', 'manager', 'viewer'], role) limit 1
"""
# Of merged people either id may still stand somewhere; all of them name the survivor.
_ACTS_FOR = """
select exists (
    select from membership join person as member on member.id = membership.person
    where kind = 'brand' and ended_at is null and brand = $1 and coalesce(member.survivor, member.id) =
        (select coalesce(survivor, id) from person where id = $2))
"""
_ADD_MEMBER = """
insert into membership (id, person, kind, brand, role, created_at) values ($1, $2, 'brand', $3, $4, $5)
"""
_LEAVES = """
update brand set contact = null from membership as gone
where gone.id = $1 and brand.id = gone.brand and brand.contact = gone.person
"""
_OWNERS_BESIDE = """
select count(*) from membership join person on person.id = membership.person
where brand = $1 and kind = 'brand' and role = 'owner' and ended_at is null and membership.id <> $2
    and person.status = 'active'
"""
_ADD_INVITATION = """
insert into brand_invitation (id, brand, role, invited_by, digest, mail, mail_index, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (brand, mail_index) where state = 'open' do nothing returning id
"""
_INVITATION = f"select {INVITATION} from brand_invitation as invitation"  # noqa: S608  # a list of our columns
_RENEW = "update brand_invitation set digest = $2, expires_at = $3 where id = $1"
_END = """
update brand_invitation set state = $2, accepted_by = $3, mail = null, mail_index = null where id = $1
"""
_WITHDRAW = """
update brand_invitation set state = 'revoked', mail = null, mail_index = null
where brand = $1 and invited_by = $2 and state = 'open'
"""
_FORGET = """
update brand_invitation set state = 'revoked', mail = null, mail_index = null
where state = 'open' and expires_at < $1 returning id
"""


class PostgresBrands:
    """Brands inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, brand: Brand) -> bool:
        """Keep a new brand; False where there is one of its id."""
        values = profile_values(brand)
        return await self._connection.fetchval(_ADD_BRAND, brand.id, brand.created_at, *values) is not None

    async def lock(self, id_: BrandId) -> Brand | None:
        """Be alone with a brand and its team until the unit of work ends."""
        found = await self._connection.fetchrow(_LOCK_BRAND, id_)
        return brand_of(found) if found else None

    async def save(self, brand: Brand) -> None:
        """Keep what has changed."""
        await self._connection.execute(
            _SAVE_BRAND, brand.id, brand.verification, brand.reason, brand.decided_at, brand.revision,
            *profile_values(brand), brand.logo, list(brand.documents),
        )  # fmt: skip


class PostgresTeams:
    """Members of brands inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def of(self, brand: BrandId, people: Sequence[PersonId]) -> Member | None:
        """The membership of people who are one, with their highest role."""
        found = await self._connection.fetchrow(_OF, brand, list(people))
        return member_of(found) if found else None

    async def acts_for(self, brand: BrandId, person: PersonId) -> bool:
        """Whether somebody is a member, by whatever id they were ever known."""
        found: bool = await self._connection.fetchval(_ACTS_FOR, brand, person)
        return found

    async def member(self, id_: MemberId) -> Member | None:
        """A member who has not left."""
        found = await self._connection.fetchrow(f"{_MEMBER} and id = $1", id_)
        return member_of(found) if found else None

    async def add(self, member: Member) -> None:
        """Somebody belongs to a brand from now on."""
        await self._connection.execute(_ADD_MEMBER, member.id, member.person, member.brand, member.role, member.since)

    async def set_role(self, id_: MemberId, role: BrandRole) -> None:
        """Give a member another role."""
        await self._connection.execute("update membership set role = $2 where id = $1", id_, role)

    async def end(self, id_: MemberId, now: datetime) -> None:
        """Somebody is no member any more, nor the brand's contact."""
        await self._connection.execute(_LEAVES, id_)
        await self._connection.execute("update membership set ended_at = $2 where id = $1", id_, now)

    async def owners_beside(self, member: Member) -> int:
        """How many others own the brand and can sign in."""
        count: int = await self._connection.fetchval(_OWNERS_BESIDE, member.brand, member.id)
        return count


class PostgresInvitations:
    """Invitations inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, invitation: Invitation, mail: bytes, digest: bytes) -> bool:
        """Keep an invitation, its address sealed; False where an open one went to the same address."""
        made = await self._connection.fetchval(
            _ADD_INVITATION, invitation.id, invitation.brand, invitation.role, invitation.invited_by, digest, mail,
            invitation.mail_index, invitation.created_at, invitation.expires_at,
        )  # fmt: skip
        return made is not None

    async def lock(self, id_: InvitationId) -> Invitation | None:
        """An invitation, locked."""
        found = await self._connection.fetchrow(f"{_INVITATION} where id = $1 for no key update", id_)
        return invitation_of(found) if found else None

    async def find(self, by: InvitationId | bytes) -> Invitation | None:
        """An invitation by its id or its token's digest, without a lock."""
        column = "digest" if isinstance(by, bytes) else "id"
        found = await self._connection.fetchrow(f"{_INVITATION} where {column} = $1", by)
        return invitation_of(found) if found else None

    async def renew(self, id_: InvitationId, digest: bytes, expires_at: datetime) -> None:
        """Let another link be good, and the one before no more."""
        await self._connection.execute(_RENEW, id_, digest, expires_at)

    async def end(self, id_: InvitationId, state: InvitationState, person: PersonId | None = None) -> None:
        """Note what became of it, and forget the address."""
        await self._connection.execute(_END, id_, state, person)

    async def withdraw(self, brand: BrandId, person: PersonId) -> None:
        """Take back all open ones of a brand that somebody sent."""
        await self._connection.execute(_WITHDRAW, brand, person)

    async def forget(self, before: datetime) -> int:
        """Take back what expired before then and nobody took up; how many."""
        return len(await self._connection.fetch(_FORGET, before))
