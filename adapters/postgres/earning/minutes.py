"""Minutes on PostgreSQL: `domain.earning.ports.Minutes` on the connection of one unit of work.

Locks go from a participation's totals to its minutes, then to campaigns and to their days, each in order of their keys.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from adapters.postgres.arrays import columns
from adapters.postgres.earning.rests import PostgresRests
from adapters.postgres.earning.rows import caps_of, kept_of, route_of, schedule_of, terms_of, totals_of
from domain.campaign.creatives import CreativeId
from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId
from domain.campaign.spending import Pacing
from domain.earning.model import Case, Closed, MinuteState
from domain.earning.ports import Day, Settled, Spendings, Streamed
from domain.earning.rates import Rate, Rates
from domain.earning.sharing import NONE, Claim, Seconds, belonging, union
from domain.money import Currency, Money
from domain.streamer.model import StreamerId

FREE = """
select participation from earning where participation in (
    select earning_minute.participation from unnest($1::uuid[], $2::timestamptz[]) as waiting (streamer, minute)
    join earning_minute on (earning_minute.streamer, earning_minute.minute) = (waiting.streamer, waiting.minute)
    where state = 'open')
order by participation for no key update skip locked
"""
# A statement of its own: what was decided while the one before waited is seen by this one.
EARLIEST = """
select earliest.participation, earliest.minute, earliest.streamer, earliest.approved, participation.person,
    participation.campaign, participation.pricing, participation.rate, participation.currency,
    participation.minutes as agreed, earning.take, earning.withholding_tax, earning.value_added_tax, earning.minutes,
    earning.viewers, earning.gross, earning.cost, version.daily_cap, version.streamer_cap, version.starts_on,
    version.ends_on, version.time_zone, version.budget, version.pacing
from unnest($1::uuid[]) as free (id)
cross join lateral (
    select * from earning_minute where participation = free.id and state = 'open'
        and (streamer, minute) in (select * from unnest($2::uuid[], $3::timestamptz[]))
        and not exists (select from earning_minute as other where participation = free.id and state = 'deciding')
    order by minute limit 1 for no key update
) as earliest
join earning on earning.participation = free.id
join participation on participation.id = free.id
join campaign on campaign.id = participation.campaign
join campaign_version as version on version.campaign = campaign.id and version.version = campaign.version
order by free.id
"""
_CLAIMS = """
select streamer, minute, participation, creative, bit_or(seconds) as seconds, min(since) as since
from unnest($1::uuid[], $2::timestamptz[]) as asked (streamer, minute)
join earning_minute using (streamer, minute) join evidence using (participation, minute)
group by streamer, minute, participation, creative
"""
_DAYS = """
insert into campaign_day (campaign, starts) select * from unnest($1::uuid[], $2::timestamptz[]) order by 1, 2
on conflict do nothing
"""
_LOCK_DAYS = """
select campaign, starts, cost from campaign_day
where (campaign, starts) in (select * from unnest($1::uuid[], $2::timestamptz[]))
order by campaign, starts for no key update
"""
# Whoever closes minutes of a campaign is alone with it: what was spent on other days counts for the pace, too.
_LOCK_CAMPAIGNS = "select from campaign where id = any($1::uuid[]) order by id for no key update"
_ALTOGETHER = """
select campaign, sum(cost)::bigint as cost from campaign_day where campaign = any($1::uuid[]) group by campaign
"""
_CLOSE = """
update earning_minute as kept set state = closed.state, reason = closed.reason, viewers = closed.viewers,
    person = closed.person, day = closed.day, earned = closed.earned, take = closed.take, withheld = closed.withheld,
    added = closed.added, before_minutes = case when closed.earned is not null then earning.minutes end,
    before_viewers = case when closed.earned is not null then earning.viewers end,
    before_gross = case when closed.earned is not null then earning.gross end,
    before_cost = case when closed.earned is not null then earning.cost end, closed_at = $12, seq = earning.seq + 1
from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::integer[], $6::uuid[], $7::timestamptz[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[])
    as closed (participation, minute, state, reason, viewers, person, day, earned, take, withheld, added)
join earning using (participation)
where (kept.participation, kept.minute) = (closed.participation, closed.minute)
"""
_SHARES = "insert into earning_share (participation, minute, creative, seconds, gross) values ($1, $2, $3, $4, $5)"
_SPEND = """
update campaign_day set cost = campaign_day.cost + spent.cost
from (select campaign, starts, sum(cost) as cost
    from unnest($1::uuid[], $2::timestamptz[], $3::bigint[]) as one (campaign, starts, cost)
    group by campaign, starts) as spent
where (campaign_day.campaign, campaign_day.starts) = (spent.campaign, spent.starts)
"""
_LOCK = "select from earning where participation = any($1::uuid[]) order by participation for no key update"
_SETTLE = """
update earning_minute as kept set state = said.state, reason = said.reason, seq = earning.seq + 1,
    released_at = case when said.state = 'paid' then $5::timestamptz end
from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[]) as said (participation, minute, state, reason)
join earning using (participation)
where (kept.participation, kept.minute) = (said.participation, said.minute)
    and (kept.state, said.state) in (('deciding', 'held'), ('deciding', 'unpaid'), ('releasing', 'paid'),
        ('reducing', 'returning'), ('returning', 'paid'), ('returning', 'returned'))
returning kept.*, earning.campaign
"""
_COUNT = """
update earning set seq = earning.seq + 1, minutes = earning.minutes + paid.minutes,
    viewers = earning.viewers + paid.viewers, gross = earning.gross + paid.gross, cost = earning.cost + paid.cost
from (select participation, sum(minutes) as minutes, sum(viewers) as viewers, sum(gross) as gross, sum(cost) as cost
    from unnest($1::uuid[], $2::integer[], $3::bigint[], $4::bigint[], $5::bigint[])
        as one (participation, minutes, viewers, gross, cost) group by participation) as paid
where earning.participation = paid.participation returning earning.participation, earning.seq
"""
_REVIEW = """
update earning_minute set state = $3, approved = $3 = 'open', reason = $4, seq = earning.seq + 1,
    closed_at = case when $3 = 'unpaid' then $5::timestamptz end
from earning where earning.participation = earning_minute.participation
    and earning_minute.participation = $1 and minute = $2 and state = 'review'
returning earning.participation
"""
RELEASE = """
update earning_minute set state = 'releasing' where (participation, minute) in (
    select participation, minute from earning_minute where state = 'held' and closed_at <= $1
    order by closed_at limit $2 for no key update skip locked)
"""
_Seen = Mapping[tuple[ParticipationId, datetime], Mapping[CreativeId, Seconds]]


# Each creative's part of an amount is the difference of two sums, as in `domain.earning.sharing.shared`.
_ADD_UP = """
insert into earning_hour as kept (participation, hour, creative, campaign, seconds, impressions, viewer_minutes, gross,
    cost, returned, earned, forgone)
select participation, hour, creative, campaign, sum(seconds * fresh), sum(viewers * fresh),
    sum((viewers::bigint * until / whole - viewers::bigint * since / whole) * fresh),
    sum((price * until / whole - price * since / whole) * fresh),
    sum((cost * until / whole - cost * since / whole) * fresh), sum(back * until / whole - back * since / whole),
    sum((earned * until / whole - earned * since / whole) * fresh),
    sum(forgone * until / whole - forgone * since / whole)
from (
    select participation, minute, date_bin('1 hour', minute, day) as hour, creative, campaign, seconds,
        minute.viewers, earned + minute.take + withheld as price, back, fresh, earned, forgone,
        earned + minute.take + withheld + added as cost,
        sum(seconds) over upto as until, sum(seconds) over upto - seconds as since,
        sum(seconds) over (partition by participation, minute) as whole
    from unnest($1::uuid[], $2::timestamptz[], $3::integer[], $4::bigint[], $5::bigint[])
        as moved (participation, minute, fresh, back, forgone)
    join earning_minute as minute using (participation, minute)
    join earning using (participation) join earning_share using (participation, minute)
    where seconds > 0
    window upto as (partition by participation, minute order by creative)
) as parts
group by participation, hour, creative, campaign order by participation, hour, creative
on conflict (participation, hour, creative) do update set seconds = kept.seconds + excluded.seconds,
    impressions = kept.impressions + excluded.impressions,
    viewer_minutes = kept.viewer_minutes + excluded.viewer_minutes, gross = kept.gross + excluded.gross,
    cost = kept.cost + excluded.cost, returned = kept.returned + excluded.returned,
    earned = kept.earned + excluded.earned, forgone = kept.forgone + excluded.forgone
"""


class PostgresMinutes(PostgresRests):
    """Minutes inside a unit of work."""

    async def claim(self, waiting: Sequence[Streamed]) -> Sequence[Case]:
        """Be alone with open minutes, the earliest of each participation."""
        asked = [[one.streamer for one in waiting], [one.minute for one in waiting]]
        free = [row["participation"] for row in await self._connection.fetch(FREE, *asked)]
        rows = await self._connection.fetch(EARLIEST, free, *asked)
        seen = await self._seen([Streamed(StreamerId(row["streamer"]), row["minute"]) for row in rows])
        return [_case(row, seen.get((row["participation"], row["minute"]), {})) for row in rows]

    async def _seen(self, minutes: Sequence[Streamed]) -> _Seen:
        """Which seconds each creative was seen in, those that are its participation's."""
        asked = sorted(set(minutes))
        claims = await self._connection.fetch(_CLAIMS, [one.streamer for one in asked], [one.minute for one in asked])
        found: dict[tuple[ParticipationId, datetime], dict[CreativeId, Seconds]] = {}
        by_minute: dict[Streamed, list[Record]] = {}
        for row in claims:
            by_minute.setdefault(Streamed(row["streamer"], row["minute"]), []).append(row)
        for (_, minute), rows in by_minute.items():
            owned = _owned(rows)
            for row in rows:
                own = Seconds(row["seconds"] & owned.get(row["participation"], NONE))
                found.setdefault((row["participation"], minute), {})[row["creative"]] = own
        return found

    async def spent_on(self, days: Sequence[Day]) -> Spendings:
        """What campaigns spent, on days and altogether; nobody else spends of them until the work ends."""
        asked = [[day.campaign for day in days], [day.starts for day in days]]
        await self._connection.execute(_LOCK_CAMPAIGNS, asked[0])
        await self._connection.execute(_DAYS, *asked)
        rows = await self._connection.fetch(_LOCK_DAYS, *asked)
        sums = await self._connection.fetch(_ALTOGETHER, asked[0])
        return Spendings(
            {Day(row["campaign"], row["starts"]): row["cost"] for row in rows},
            {CampaignId(row["campaign"]): row["cost"] for row in sums},
        )

    async def close(self, closed: Sequence[Closed], now: datetime) -> Mapping[ParticipationId, int]:
        """Keep what closing came to, and the days' spending; the seq of each participation after that."""
        await self._connection.execute(_CLOSE, *columns([_closed(one) for one in closed], 11), now)
        shares = [
            (one.case.participation, one.case.minute, creative, seconds, one.shares.get(creative, 0))
            for one in closed
            for creative, seconds in one.case.seconds.items()
            if one.state is not MinuteState.REVIEW
        ]
        await self._connection.executemany(_SHARES, shares)
        await self._spend(
            [(one.case.campaign, one.case.day, one.arithmetic.parts.cost) for one in closed if one.arithmetic]
        )
        return await self._count([(one.case.participation, 0, 0, 0, 0) for one in closed])

    async def settle(self, settled: Sequence[Settled], now: datetime) -> Mapping[ParticipationId, int]:
        """Keep what the ledger answered about minutes that it was asked about, once each; whose seq went on."""
        await self._connection.execute(_LOCK, [one.participation for one in settled])
        moved = await self._connection.fetch(_SETTLE, *columns([tuple(one) for one in settled], 4), now)
        refused = [row for row in moved if row["state"] == MinuteState.UNPAID]
        await self._spend(sorted((row["campaign"], row["day"], -_cost(row)) for row in refused))
        rolled = [moves for row in moved if any((moves := _rolled(row))[2:])]
        await self._connection.execute(_ADD_UP, *columns(rolled, 5))
        return await self._count([_counted(row) for row in moved])

    async def review(self, said: Settled, now: datetime) -> Mapping[ParticipationId, int]:
        """Keep what staff said of a minute that waits for that; empty where none does."""
        await self._connection.execute(_LOCK, [said.participation])
        found = await self._connection.fetchval(_REVIEW, *said, now)
        return {} if found is None else await self._count([(found, 0, 0, 0, 0)])

    async def claim_release(self, until: datetime, most: int) -> int:
        """Have so many minutes that are held since then be released; how many."""
        said = await self._connection.execute(RELEASE, until, most)
        return int(said.split()[-1])

    async def _spend(self, costs: Sequence[tuple[UUID, datetime, int]]) -> None:
        if costs:
            await self._connection.execute(_SPEND, *columns(costs, 3))

    async def _count(self, paid: Sequence[tuple[object, ...]]) -> Mapping[ParticipationId, int]:
        rows = await self._connection.fetch(_COUNT, *columns(paid, 5))
        return {ParticipationId(row["participation"]): row["seq"] for row in rows}


def _case(row: Record, seen: Mapping[CreativeId, Seconds]) -> Case:
    rates = Rates(Rate(row["take"]), Rate(row["withholding_tax"]), Rate(row["value_added_tax"]))
    seconds = {creative: own.bit_count() for creative, own in seen.items()}
    return Case(
        ParticipationId(row["participation"]), StreamerId(row["streamer"]), route_of(row), row["minute"],
        terms_of(row), rates, totals_of(row), Money(row["budget"], Currency(row["currency"])), caps_of(row),
        schedule_of(row), Pacing(row["pacing"]), seconds, row["approved"],
    )  # fmt: skip


def _owned(rows: Sequence[Record]) -> Mapping[UUID, Seconds]:
    claims: dict[UUID, list[Record]] = {}
    for row in rows:
        claims.setdefault(row["participation"], []).append(row)
    return belonging(
        [
            Claim(participation, min(row["since"] for row in own), union(Seconds(row["seconds"]) for row in own))
            for participation, own in claims.items()
        ]
    )


def _closed(one: Closed) -> tuple[object, ...]:
    case, parts = one.case, one.arithmetic.parts if one.arithmetic else None
    key = (case.participation, case.minute, one.state, one.reason, one.viewers)
    if parts is None:
        return (*key, *(None,) * 6)
    sums = (parts.earned, parts.take, parts.withholding_tax, parts.value_added_tax)
    return (*key, case.route.person, case.day, *sums)


def _cost(row: Record) -> int:
    return int(row["earned"] + row["take"] + row["withheld"] + row["added"])


def _counted(row: Record) -> tuple[object, ...]:
    """What a minute adds to its participation's totals: something, once it is set aside."""
    if row["state"] != MinuteState.HELD:
        return (row["participation"], 0, 0, 0, 0)
    return (row["participation"], 1, row["viewers"], _cost(row) - row["added"], _cost(row))


def _rolled(row: Record) -> tuple[object, ...]:
    """What a minute adds to its hour: itself once it is set aside, and what it gave back once that is done."""
    fresh = int(row["state"] == MinuteState.HELD)
    kept = kept_of(row)
    if kept is None or row["state"] not in {MinuteState.PAID, MinuteState.RETURNED}:
        return row["participation"], row["minute"], fresh, 0, 0
    return row["participation"], row["minute"], fresh, _cost(row) - kept.cost, row["earned"] - kept.earned
