"""Links to platforms: `domain.streamer.ports.PlatformLinks` on the connection of one unit of work."""

from datetime import datetime

from asyncpg import Connection

from adapters.postgres.streamer.listing import list_anew
from domain.ids import PersonId
from domain.streamer.model import KeptLink, LinkId, LinkState, Platform, StreamerId

_WITHDRAW = """
update platform_link set state = 'unlinked', ended_at = $3
where streamer = $1 and platform = $2 and state = 'offered'
"""
_ADD = """
insert into platform_link (id, streamer, platform, account, account_index, code_digest, code_expires_at, state,
    asked_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (streamer, platform) where state in ('offered', 'placed', 'confirmed') do nothing returning id
"""
_HOLD = """
insert into platform_link (id, streamer, platform, account, account_index, state, asked_at, decided_at)
values ($1, $2, $3, $4, $5, 'confirmed', $6, $6)
"""
_HOLDERS = """
select id from platform_link
where platform = $1 and state = 'confirmed' and (account_index = $2 or streamer = $3)
order by account_index = $2 desc
"""
_LOCK = """
select platform_link.*, streamer.person from platform_link join streamer on streamer.id = platform_link.streamer
where platform_link.id = $1 for no key update of platform_link
"""
_HELD = """
select exists (select from platform_link
    where platform = $1 and account_index = $2 and state = 'confirmed' and streamer <> $3)
"""
_ALONE_WITH_ACCOUNT = """
select pg_advisory_xact_lock(hashtextextended('platform_account ' || platform || encode(account_index, 'hex'), 0))
from platform_link where id = $1
"""
_ALONE_WITH_NEW_ACCOUNT = """
select pg_advisory_xact_lock(hashtextextended('platform_account ' || $1::text || encode($2::bytea, 'hex'), 0))
"""
_MOVE = """
update platform_link set state = $2, reason = $4,
    placed_at = case when $2 = 'placed' then $3 else placed_at end,
    decided_at = case when $2 in ('confirmed', 'rejected') then $3 else decided_at end,
    ended_at = case when $2 in ('unlinked', 'withdrawn') then $3 else ended_at end
where id = $1 and ($2 <> 'confirmed' or not exists (
    select from platform_link as other
    where other.platform = platform_link.platform and other.account_index = platform_link.account_index
        and other.state = 'confirmed'))
returning streamer
"""


class PostgresPlatformLinks:
    """Links inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, link: KeptLink) -> bool:
        """Store a new link in place of one that is only offered; False while a placed or confirmed one is there."""
        await self._connection.execute(_WITHDRAW, link.streamer, link.platform, link.asked_at)
        made = await self._connection.fetchval(
            _ADD, link.id, link.streamer, link.platform, link.account, link.account_index, link.code_digest,
            link.code_expires_at, link.state, link.asked_at,
        )  # fmt: skip
        return made is not None

    async def hold(self, link: KeptLink) -> KeptLink | None:
        """Store a link that is confirmed from the beginning, or answer that which its streamer has on the platform.

        None where the account is another streamer's. Who links the same account at the same time waits; of one
        streamer's changes each is alone by the streamer's own row.
        """
        await self._connection.execute(_ALONE_WITH_NEW_ACCOUNT, link.platform, link.account_index)
        while held := await self._connection.fetchval(_HOLDERS, link.platform, link.account_index, link.streamer):
            found = await self.lock(held)
            if found is not None and found.state is LinkState.CONFIRMED:
                return found if found.streamer == link.streamer else None
        await self._connection.execute(
            _HOLD, link.id, link.streamer, link.platform, link.account, link.account_index, link.asked_at
        )
        await list_anew(self._connection, link.streamer)
        return link

    async def lock(self, id_: LinkId) -> KeptLink | None:
        """A link, locked."""
        row = await self._connection.fetchrow(_LOCK, id_)
        if row is None:
            return None
        return KeptLink(
            id_, StreamerId(row["streamer"]), PersonId(row["person"]), Platform(row["platform"]), row["account"],
            row["account_index"], row["code_digest"], row["code_expires_at"], LinkState(row["state"]), row["asked_at"],
        )  # fmt: skip

    async def is_held(self, platform: Platform, account_index: bytes, beside: StreamerId) -> bool:
        """Whether another streamer's link to an account is confirmed."""
        return bool(await self._connection.fetchval(_HELD, platform, account_index, beside))

    async def move(self, id_: LinkId, state: LinkState, now: datetime, reason: bytes | None = None) -> bool:
        """Keep a link's new state; False where it would be confirmed, and the account is held by another link.

        Who confirms waits for whoever confirms another's claim to the account at the same time; a unique index stands
        behind it.
        """
        if state is LinkState.CONFIRMED:
            await self._connection.execute(_ALONE_WITH_ACCOUNT, id_)
        streamer = await self._connection.fetchval(_MOVE, id_, state, now, reason)
        if streamer is None:
            return False
        await list_anew(self._connection, streamer)
        return True
