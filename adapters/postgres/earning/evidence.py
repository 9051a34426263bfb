"""Reports on PostgreSQL: `domain.earning.ports.Evidence`, one statement for all that come in the same moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.postgres.database import Database
from adapters.postgres.gathering import Gathering
from domain.earning.model import Report, Source, Verdict
from domain.earning.rates import Rates

# A report that finds its minute open keeps it so until the batch is written: who closes it waits, and sees the report.
_ADD = """
with asked as materialized (
    select asked.*, known.campaign
    from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::bigint[], $5::uuid[], $6::uuid[], $7::timestamptz[],
        $8::integer[], $9::integer[], $10::integer[]) with ordinality
        as asked (participation, minute, creative, seconds, streamer, overlay, now, take, withheld, added, place)
    left join lateral (
        select campaign.id as campaign from participation
        join campaign on campaign.id = participation.campaign and campaign.state = 'active'
        join creative on creative.id = asked.creative and creative.campaign = campaign.id
            and creative.state = 'approved'
        where participation.id = asked.participation and participation.streamer = asked.streamer
            and participation.state = 'live'
    ) as known on true
), begun as (
    insert into earning (participation, campaign, take, withholding_tax, value_added_tax, begun_at)
    select distinct on (participation) participation, campaign, take, withheld, added, now from asked
    where campaign is not null order by participation, now on conflict (participation) do nothing
), opened as (
    insert into earning_minute as kept (participation, minute, streamer)
    select distinct participation, minute, streamer from asked where campaign is not null
    order by participation, minute
    on conflict (participation, minute) do update set state = kept.state where kept.state = 'open'
    returning participation, minute
), written as (
    insert into evidence as kept (participation, minute, creative, overlay, seconds, since)
    select participation, minute, creative, overlay, bit_or(seconds), min(now)
    from asked join opened using (participation, minute) where campaign is not null
    group by participation, minute, creative, overlay order by participation, minute, creative, overlay
    on conflict (participation, minute, creative, overlay) do update set seconds = kept.seconds | excluded.seconds
    where kept.seconds <> kept.seconds | excluded.seconds
)
select asked.campaign is not null as known, opened.minute is not null as open
from asked left join opened using (participation, minute) order by place
"""
_MOST_BATCHES = 100
"""Of one overlay each, in one statement."""


@dataclass(frozen=True, eq=False, slots=True)
class _Batch:
    """What one overlay tells at once; no two are the same, whatever they say."""

    source: Source
    reports: Sequence[Report]
    rates: Rates
    now: datetime


class PostgresEvidence:
    """Where reports go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batches = Gathering(self._written, _MOST_BATCHES)

    async def add(self, source: Source, reports: Sequence[Report], rates: Rates, now: datetime) -> Sequence[str | None]:
        """Count what is known and open, for each in turn: None, or by its value the verdict why it was not counted."""
        batch = _Batch(source, reports, rates, now)
        return (await self._batches.find([batch]))[batch]

    async def _written(self, batches: Sequence[_Batch]) -> Mapping[_Batch, Sequence[str | None]]:
        """All of them by one statement: overlays that report in the same moment share what it costs."""
        told = [_columns(batch, report) for batch in batches for report in batch.reports]
        rows = iter(await self._database.pool.fetch(_ADD, *map(list, zip(*told, strict=True))))
        verdicts = (Verdict.UNKNOWN if not row["known"] else None if row["open"] else Verdict.LATE for row in rows)
        return {batch: [next(verdicts) for _ in batch.reports] for batch in batches}


def _columns(batch: _Batch, report: Report) -> tuple[object, ...]:
    source, rates = batch.source, batch.rates
    return (
        report.participation, report.minute, report.creative, report.seen, source.streamer, source.overlay, batch.now,
        rates.take.parts, rates.withholding_tax.parts, rates.value_added_tax.parts,
    )  # fmt: skip
