"""Reports on PostgreSQL: `domain.earning.ports.Evidence`, one statement for a batch."""

from collections.abc import Sequence
from datetime import datetime

from adapters.postgres.database import Database
from domain.earning.model import Report, Source, Verdict
from domain.earning.rates import Rates

# A report that finds its minute open keeps it so until the batch is written: who closes it waits, and sees the report.
_ADD = """
with asked as materialized (
    select asked.*, known.campaign from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::bigint[])
        with ordinality as asked (participation, minute, creative, seconds, place)
    left join lateral (
        select campaign.id as campaign from participation
        join campaign on campaign.id = participation.campaign and campaign.state = 'active'
        join creative on creative.id = asked.creative and creative.campaign = campaign.id
            and creative.state = 'approved'
        where participation.id = asked.participation and participation.streamer = $5 and participation.state = 'live'
    ) as known on true
), begun as (
    insert into earning (participation, campaign, take, withholding_tax, value_added_tax, begun_at)
    select distinct participation, campaign, $8::integer, $9::integer, $10::integer, $7::timestamptz from asked
    where campaign is not null order by participation on conflict (participation) do nothing
), opened as (
    insert into earning_minute as kept (participation, minute, streamer)
    select distinct participation, minute, $5::uuid from asked where campaign is not null
    order by participation, minute
    on conflict (participation, minute) do update set state = kept.state where kept.state = 'open'
    returning participation, minute
), written as (
    insert into evidence as kept (participation, minute, creative, overlay, seconds, since)
    select participation, minute, creative, $6::uuid, bit_or(seconds), $7::timestamptz
    from asked join opened using (participation, minute) where campaign is not null
    group by participation, minute, creative order by participation, minute, creative
    on conflict (participation, minute, creative, overlay) do update set seconds = kept.seconds | excluded.seconds
    where kept.seconds <> kept.seconds | excluded.seconds
)
select asked.campaign is not null as known, opened.minute is not null as open
from asked left join opened using (participation, minute) order by place
"""


class PostgresEvidence:
    """Where reports go."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, source: Source, reports: Sequence[Report], rates: Rates, now: datetime) -> Sequence[str | None]:
        """Count what is known and open, for each in turn: None, or by its value the verdict why it was not counted."""
        rows = await self._database.pool.fetch(
            _ADD, *([getattr(report, name) for report in reports] for name in _COLUMNS), source.streamer,
            source.overlay, now, rates.take.parts, rates.withholding_tax.parts, rates.value_added_tax.parts,
        )  # fmt: skip
        return [Verdict.UNKNOWN if not row["known"] else None if row["open"] else Verdict.LATE for row in rows]


_COLUMNS = ("participation", "minute", "creative", "seen")
