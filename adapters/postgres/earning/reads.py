"""Minutes read without locks: `domain.earning.ports.EarningReads`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from adapters.postgres.database import Database
from adapters.postgres.earning.rows import kept_of, parts_of, route_of, terms_of, totals_of
from domain.campaign.creatives import CreativeId
from domain.campaign.participation import ParticipationId
from domain.earning.analytics import Asked, Dimension, Row
from domain.earning.arithmetic import Arithmetic
from domain.earning.model import Due, EarnedMinute, MinuteState
from domain.earning.ports import Streamed
from domain.earning.rates import Rate, Rates, Totals
from domain.streamer.model import StreamerId

TO_CLOSE = """
select streamer, minute from (
    select distinct on (participation) participation, streamer, minute from earning_minute
    where state = 'open' and minute < $1 order by participation, minute
) as earliest
where not exists (select from earning_minute as other
    where other.participation = earliest.participation and other.state = 'deciding')
order by minute limit $2
"""
_ASKED = """
select earning_minute.participation, minute, earning_minute.person, earned, earning_minute.take, withheld, added,
    kept_gross, participation.campaign, participation.currency
from earning_minute join participation on participation.id = earning_minute.participation
where earning_minute.state = '{state}' order by minute limit $1
"""
ASKED = {
    state: _ASKED.format(state=state)
    for state in (MinuteState.DECIDING, MinuteState.RELEASING, MinuteState.REDUCING, MinuteState.RETURNING)
}
"""One for each state, so that an index of those states alone serves it."""
MINUTES = """
select page.*, rate, pricing, currency, agreed.minutes as agreed, earning.take as take_rate,
    earning.withholding_tax as withholding_rate, earning.value_added_tax as added_rate, shares.shares
from (
    select * from earning_minute where participation = $1 and ($2::timestamptz is null or minute < $2)
    order by minute desc limit $3
) as page
join earning on earning.participation = page.participation
join participation as agreed on agreed.id = page.participation
left join lateral (
    select jsonb_object_agg(creative, jsonb_build_array(seconds, gross)) as shares
    from earning_share where (participation, minute) = (page.participation, page.minute)
) as shares on true
order by page.minute desc
"""


_ANALYTICS = """
select {by} as key, sum(seconds)::bigint as seconds, sum(impressions)::bigint as impressions,
    sum(viewer_minutes)::bigint as viewer_minutes, sum(gross)::bigint as gross, sum(cost)::bigint as cost,
    sum(returned)::bigint as returned
from earning_hour where campaign = $1 and hour >= $2 and hour < $3 and {which} group by 1 order by 1
"""
ANALYTICS = {
    (by, alone): _ANALYTICS.format(by=by, which="participation = $4" if alone else "$4::uuid is null")
    for by in Dimension
    for alone in (False, True)
}


class PostgresEarningReads:
    """Reads of minutes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def to_close(self, before: datetime, most: int) -> Sequence[Streamed]:
        """The earliest open minute of each participation, from before then."""
        rows = await self._database.pool.fetch(TO_CLOSE, before, most)
        return [Streamed(StreamerId(row["streamer"]), row["minute"]) for row in rows]

    async def asked(self, state: MinuteState, most: int) -> Sequence[Due]:
        """Minutes about which the ledger is being asked, earliest first."""
        rows = await self._database.pool.fetch(ASKED[state], most)
        return [_due(row) for row in rows]

    async def analytics(self, asked: Asked) -> Sequence[Row]:
        """What was shown and spent, added up by what was asked for."""
        statement = ANALYTICS[asked.by, asked.participation is not None]
        rows = await self._database.pool.fetch(statement, asked.campaign, asked.since, asked.until, asked.participation)
        return [Row(*row) for row in rows]

    async def minutes_of(
        self, participation: ParticipationId, first: int, before: datetime | None
    ) -> Sequence[EarnedMinute]:
        """A page of a participation's minutes, newest first; those before one."""
        return [_minute(row) for row in await self._database.pool.fetch(MINUTES, participation, before, first)]


def _due(row: Record) -> Due:
    parts = parts_of(row)
    return Due(ParticipationId(row["participation"]), row["minute"], route_of(row), parts, kept_of(row) or parts)


def _minute(row: Record) -> EarnedMinute:
    shares = {CreativeId(UUID(creative)): tuple(both) for creative, both in (row["shares"] or {}).items()}
    return EarnedMinute(
        ParticipationId(row["participation"]), row["minute"], MinuteState(row["state"]), row["reason"], row["viewers"],
        None if row["earned"] is None else _arithmetic(row), {creative: both[0] for creative, both in shares.items()},
        {creative: both[1] for creative, both in shares.items()}, row["closed_at"], row["released_at"],
        kept_of(row),
    )  # fmt: skip


def _arithmetic(row: Record) -> Arithmetic:
    before, parts = totals_of(row, "before_"), parts_of(row)
    after = Totals(
        before.minutes + 1, before.viewers + row["viewers"], before.gross + parts.gross, before.cost + parts.cost
    )
    rates = Rates(Rate(row["take_rate"]), Rate(row["withholding_rate"]), Rate(row["added_rate"]))
    return Arithmetic(terms_of(row), rates, before, after, parts)
