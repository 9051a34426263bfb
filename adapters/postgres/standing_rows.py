"""What decides what sessions may do, read for any number of sessions in one statement."""

from collections.abc import Collection, Mapping
from datetime import datetime

from asyncpg import Record

from adapters.postgres.database import Database
from adapters.postgres.identity.sessions import COLUMNS, session_of
from domain.identity.model import PersonStatus, Standing
from domain.ids import BrandId, PersonId, SessionId
from domain.rights import BrandRole, Permission, StaffRole

# A session in which staff look through another's eyes stands as long as they may begin one, and as the one they began
# it in, which must be there, be theirs, and not have ended.
_READ = f"""
select {COLUMNS}, person.status, person.mail_verified_at is null as is_unreachable,
    staff.role as staff_role, staff_role.permissions, member.streamer,
    member.brands, member.brand_roles,
    array(select earlier.id from person as earlier where earlier.survivor = person.id) as also,
    case when staff.role is null and session.impersonator is null then '{{}}'
        else array(select network::text from staff_network order by network) end as networks
from session
join person on person.id = session.person
left join membership as staff on staff.person = person.id and staff.kind = 'staff' and staff.ended_at is null
left join staff_role on staff_role.role = staff.role
cross join lateral (
    select coalesce(bool_or(kind = 'streamer'), false) as streamer,
        array_agg(brand) filter (where kind = 'brand') as brands,
        array_agg(role) filter (where kind = 'brand') as brand_roles
    from membership where membership.person = person.id and ended_at is null
) as member
where session.id = any($1::uuid[])
    and (session.impersonator is null or exists (
        select from person as looking join membership on membership.person = looking.id
        join staff_role as held on held.role = membership.role
        where looking.id = session.impersonator and looking.status = 'active'
            and membership.kind = 'staff' and membership.ended_at is null
            and (held.role = 'super_admin' or 'manage_users' = any(held.permissions))))
    and (session.impersonator is null or (
        select began.person = session.impersonator and began.ended_at is null
        from session as began where began.id = session.through))
"""  # noqa: S608  # a list of our columns

# What somebody else has locked is passed over: who locks a session uses or ends it, and writes that down.
_USED = """
with noted as (
    select session.id, given.at
    from unnest($1::uuid[], $2::timestamptz[]) as given (id, at) join session on session.id = given.id
    where session.last_used_at < given.at
    for no key update of session skip locked
)
update session set last_used_at = noted.at from noted where session.id = noted.id
"""


async def read_standings(
    database: Database, sessions: Collection[SessionId], timeout_s: float
) -> dict[SessionId, Standing]:
    """The standings of those sessions that there are. Raises what the driver does."""
    rows = await database.pool.fetch(_READ, list(sessions), timeout=timeout_s)
    return {SessionId(row["id"]): _standing_of(row) for row in rows}


async def write_used(database: Database, used: Mapping[SessionId, datetime]) -> None:
    """Note when sessions were used last; no later note is overwritten."""
    await database.pool.execute(_USED, list(used), list(used.values()))


def _standing_of(row: Record) -> Standing:
    role = StaffRole(row["staff_role"]) if row["staff_role"] else None
    brands = zip(row["brands"] or (), row["brand_roles"] or (), strict=True)
    return Standing(
        session_of(row),
        PersonStatus(row["status"]),
        role,
        _permissions(role, row["permissions"] or ()),
        tuple(row["networks"]),
        {BrandId(brand): BrandRole(held) for brand, held in brands},
        row["streamer"],
        frozenset(PersonId(earlier) for earlier in row["also"]),
        row["is_unreachable"],
    )


def _permissions(role: StaffRole | None, given: Collection[str]) -> frozenset[Permission]:
    """A role's permissions. A super admin has all, and what an earlier release called one permits nothing."""
    if role is StaffRole.SUPER_ADMIN:
        return frozenset(Permission)
    return frozenset(permission for permission in Permission if permission in given)
