"""What platforms granted us: `domain.streamer.ports.Grants` on the connection of one unit of work."""

from collections.abc import Sequence
from datetime import datetime

from asyncpg import Connection

from domain.streamer.grants import LEASE
from domain.streamer.model import LinkId, Platform
from domain.streamer.site import GrantId, KeptGrant

_ADD = """
insert into platform_grant (id, platform, account_index, tokens, granted_at, due_at) values ($1, $2, $3, $4, $5, $6)
"""
_ASSIGN = "update platform_grant set link = $2, due_at = $3 where id = $1"
_RELEASE = "update platform_grant set link = null, due_at = $2 where link = $1"
_CLAIM = """
with due as materialized (
    select id from platform_grant
    where due_at <= $2 and (leased_until is null or leased_until <= $2) and platform = any($1::text[])
    order by due_at limit $4 for no key update skip locked
)
update platform_grant set leased_until = $3 from due where platform_grant.id = due.id
returning platform_grant.id, platform, link, account_index, tokens
"""
_IS_OUTLIVED = """
select exists (select from platform_grant
    where platform = $1 and account_index = $2 and id <> $3 and (link is not null or id > $3))
"""
_HASTEN = "update platform_grant set due_at = $2 where link = $1"
_PUT_OFF = """
update platform_grant set due_at = case when link is null then due_at else $3 end, leased_until = null
where id = $1 and leased_until = $2
"""
_RENEW = """
update platform_grant set tokens = $3, due_at = case when link is null then due_at else $4 end, leased_until = null
where id = $1 and leased_until = $2 returning id
"""
_DROP = """
delete from platform_grant where id = $1 and leased_until = $2 and link is not distinct from $3 returning id
"""


class PostgresGrants:
    """Grants inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, id_: GrantId, platform: Platform, account: bytes | None, tokens: bytes, now: datetime) -> None:
        """Keep what was granted, for no link yet: if none comes, it goes back after a lease's time."""
        await self._connection.execute(_ADD, id_, platform, account, tokens, now, now + LEASE)

    async def assign(self, id_: GrantId, link: LinkId, due_at: datetime) -> None:
        """Have a grant be for a link, to be looked at then."""
        await self._connection.execute(_ASSIGN, id_, link, due_at)

    async def release(self, link: LinkId, now: datetime) -> None:
        """Have what was granted for a link be for none any more."""
        await self._connection.execute(_RELEASE, link, now)

    async def claim(
        self, platforms: Sequence[Platform], now: datetime, until: datetime, limit: int
    ) -> Sequence[KeptGrant]:
        """Take those whose time has come and that nobody has; who claims at the same time takes others."""
        rows = await self._connection.fetch(_CLAIM, list(platforms), now, until, limit)
        return [
            KeptGrant(
                GrantId(row["id"]), Platform(row["platform"]), LinkId(row["link"]) if row["link"] else None,
                row["account_index"], row["tokens"], until,
            )
            for row in rows
        ]  # fmt: skip

    async def is_outlived(self, grant: KeptGrant) -> bool:
        """Whether the same account granted us something that a link needs, or something later."""
        return bool(await self._connection.fetchval(_IS_OUTLIVED, grant.platform, grant.account, grant.id))

    async def hasten(self, link: LinkId, now: datetime) -> None:
        """Have what was granted for a link looked at now."""
        await self._connection.execute(_HASTEN, link, now)

    async def put_off(self, grant: KeptGrant, due_at: datetime) -> None:
        """It holds: look again then, or at once where it is for no link any more."""
        await self._connection.execute(_PUT_OFF, grant.id, grant.leased_until, due_at)

    async def renew(self, grant: KeptGrant, tokens: bytes, due_at: datetime) -> bool:
        """Keep other tokens; False where we have had it for too long, and somebody else has it."""
        return await self._connection.fetchval(_RENEW, grant.id, grant.leased_until, tokens, due_at) is not None

    async def drop(self, grant: KeptGrant) -> bool:
        """Forget it; False where it is for another link than it was, or we have had it for too long."""
        return await self._connection.fetchval(_DROP, grant.id, grant.leased_until, grant.link) is not None
