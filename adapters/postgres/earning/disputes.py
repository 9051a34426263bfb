"""Disputes on PostgreSQL: `domain.earning.ports.Disputes` on the connection of one unit of work."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from asyncpg import Connection

from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId, Side
from domain.earning.dispute import AMID, DISPUTABLE, RULED, WHOLE_PRICE, Dispute, DisputeId, Parties, Ruling
from domain.earning.model import Unpaid
from domain.ids import BrandId, PersonId

_PARTIES = """
select participation.campaign, campaign.brand, participation.person
from participation join campaign on campaign.id = participation.campaign where participation.id = $1
"""
_LOCK = "select * from dispute where id = $1 for no key update"
_NAMED = "select minute from dispute_minute where dispute = $1 order by minute"
_ALONE = "select seq from earning where participation = $1 for no key update"
_DISPUTABLE = """
select closed_at from earning_minute where participation = $1 and minute = any($2::timestamptz[]) and state = $3
    and ($3 <> 'unpaid' or reason = $4) order by minute for no key update
"""
# The last of all locks, as who closes minutes takes it: whoever returns the escrow has done so, or waits.
_NOTHING_RETURNS = "select from campaign where id = (select campaign from earning where participation = $1) for share"
_ADD = """
insert into dispute (id, participation, side, person, reason, opened_at) values ($1, $2, $3, $4, $5, $6)
"""
_NAME = "insert into dispute_minute (dispute, participation, minute) select $1, $2, unnest($3::timestamptz[])"
_STOP = """
update earning_minute set state = $3, seq = $4 where participation = $1 and minute = any($2::timestamptz[])
"""
_RULE = "update dispute set ruling = $2, decided_at = $3 where id = $1"
_SEND = """
update earning_minute set state = $3, seq = $4, approved = approved or $3 = 'open',
    closed_at = case when $3 <> 'open' then closed_at end,
    kept_gross = case when $3 in ('reducing', 'returning') then (earned + take + withheld) * $5 / $6 end
where participation = $1 and minute = any($2::timestamptz[])
"""
_COUNT = "update earning set seq = $2 where participation = $1"


class PostgresDisputes:
    """Disputes inside a unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def parties(self, participation: ParticipationId) -> Parties | None:
        """Who the two sides of a participation are."""
        row = await self._connection.fetchrow(_PARTIES, participation)
        if row is None:
            return None
        return Parties(participation, CampaignId(row["campaign"]), BrandId(row["brand"]), PersonId(row["person"]))

    async def lock(self, id_: DisputeId) -> Dispute | None:
        """Be alone with a dispute."""
        row = await self._connection.fetchrow(_LOCK, id_)
        if row is None:
            return None
        named = tuple(one["minute"] for one in await self._connection.fetch(_NAMED, id_))
        return Dispute(
            id_, ParticipationId(row["participation"]), Side(row["side"]), PersonId(row["person"]), row["reason"],
            row["opened_at"], named, Ruling(row["ruling"]) if row["ruling"] else None, row["decided_at"],
        )  # fmt: skip

    async def disputable(
        self, participation: ParticipationId, minutes: Sequence[datetime], side: Side
    ) -> Sequence[datetime] | None:
        """Be alone with minutes, and have nothing of their campaign return; when each was closed."""
        await self._connection.execute(_ALONE, participation)
        state, rejected = DISPUTABLE[side], Unpaid.EVIDENCE_REJECTED
        there = await self._connection.fetch(_DISPUTABLE, participation, list(minutes), state, rejected)
        await self._connection.execute(_NOTHING_RETURNS, participation)
        return [row["closed_at"] for row in there] if len(there) == len(minutes) else None

    async def open(self, dispute: Dispute) -> Mapping[ParticipationId, int]:
        """Keep a dispute and stop the minutes that it names, which are disputable."""
        participation, named = dispute.participation, list(dispute.minutes)
        seq = await self._connection.fetchval(_ALONE, participation)
        await self._connection.execute(
            _ADD, dispute.id, participation, dispute.side, dispute.opened_by, dispute.reason, dispute.opened_at
        )
        await self._connection.execute(_NAME, dispute.id, participation, named)
        await self._connection.execute(_STOP, participation, named, AMID[dispute.side], seq + 1)
        return await self._counted(participation, seq + 1)

    async def rule(
        self, dispute: Dispute, ruling: Ruling, thousandths: int, now: datetime
    ) -> Mapping[ParticipationId, int]:
        """Keep a ruling, and send the minutes where it leads."""
        participation, state = dispute.participation, RULED[dispute.side, ruling]
        seq = await self._connection.fetchval(_ALONE, participation) + 1
        await self._connection.execute(_RULE, dispute.id, ruling, now)
        await self._connection.execute(
            _SEND, participation, list(dispute.minutes), state, seq, thousandths, WHOLE_PRICE
        )
        return await self._counted(participation, seq)

    async def _counted(self, participation: ParticipationId, seq: int) -> Mapping[ParticipationId, int]:
        await self._connection.execute(_COUNT, participation, seq)
        return {participation: seq}
