"""Minutes read without locks: `domain.earning.ports.EarningReads`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import Record

from adapters.postgres.database import Database
from adapters.postgres.earning.rows import kept_of, parts_of, route_of, terms_of, totals_of
from domain.campaign.creatives import CreativeId
from domain.campaign.participation import ParticipationId, Side
from domain.campaign.spending import Rest, RestReason
from domain.earning.analytics import Asked, Dimension, Row, Whose
from domain.earning.arithmetic import Arithmetic
from domain.earning.dispute import Dispute, DisputeId
from domain.earning.disputing import REASON_FIELD
from domain.earning.model import Due, EarnedMinute, MinuteState
from domain.earning.ports import MinuteId, MinutePage, ReadDispute, Streamed
from domain.earning.rates import Rate, Rates, Totals
from domain.ids import PersonId
from domain.streamer.model import StreamerId
from domain.vault import Sealed, Vault

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
where earning_minute.state = '{state}'
    and (minute, earning_minute.participation) > (coalesce($1::timestamptz, '-infinity'), $2::uuid)
order by minute, earning_minute.participation limit $3
"""
ASKED = {
    state: _ASKED.format(state=state)
    for state in (MinuteState.DECIDING, MinuteState.RELEASING, MinuteState.REDUCING, MinuteState.RETURNING)
}
"""One for each state, so that an index of those states alone serves it."""
_MINUTES = """
select page.*, rate, pricing, currency, agreed.minutes as agreed, earning.take as take_rate,
    earning.withholding_tax as withholding_rate, earning.value_added_tax as added_rate, shares.shares
from ({page}) as page
join earning on earning.participation = page.participation
join participation as agreed on agreed.id = page.participation
left join lateral (
    select jsonb_object_agg(creative, jsonb_build_array(seconds, gross)) as shares
    from earning_share where (participation, minute) = (page.participation, page.minute)
) as shares on true
order by {order}
"""
_PAGES = """
    select asked.place, found.*
    from unnest($1::uuid[], $2::timestamptz[], $3::int[]) with ordinality as asked (participation, before, most, place)
    cross join lateral (
        select * from earning_minute
        where earning_minute.participation = asked.participation and minute < coalesce(asked.before, 'infinity')
        order by minute desc limit asked.most
    ) as found
"""
_TO_REVIEW = """
    select * from earning_minute
    where state = 'review' and (minute, participation) > (coalesce($1::timestamptz, '-infinity'), $2::uuid)
    order by minute, participation limit $3
"""
MINUTES = _MINUTES.format(page=_PAGES, order="page.place, page.minute desc")
TO_REVIEW = _MINUTES.format(page=_TO_REVIEW, order="page.minute, page.participation")
TO_DECIDE = """
select dispute.*, named.minutes from dispute
cross join lateral (
    select array_agg(minute order by minute) as minutes from dispute_minute where dispute = dispute.id
) as named
where ruling is null and ($1::uuid is null or dispute.id > $1) order by dispute.id limit $2
"""
_SEQ = "select seq from earning where participation = $1"
_ANALYTICS = """
select asked.place, found.*
from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::integer[]) with ordinality
    as asked (whose, since, until, after, most, place)
cross join lateral ({page}) as found
order by asked.place, found.key
"""
_SUMS = """
    select {by} as key, sum(seconds)::bigint as seconds, sum(impressions)::bigint as impressions,
        sum(viewer_minutes)::bigint as viewer_minutes, sum(gross)::bigint as gross, sum(cost)::bigint as cost,
        sum(returned)::bigint as returned, sum(earned)::bigint as earned, sum(forgone)::bigint as forgone
    from earning_hour where {whose} = asked.whose and hour >= asked.since and hour < asked.until group by 1
"""
_HOURS = f"{_SUMS} order by 1 limit asked.most"
# The fence keeps the rows from being sorted for the order in which their few sums are wanted.
_OTHERS = f"""
    select * from ({_SUMS} offset 0) as added where key > coalesce(asked.after, '00000000-0000-0000-0000-000000000000')
    order by key limit asked.most
"""  # noqa: S608  # the words are ours
ANALYTICS = {
    (by, whose): _ANALYTICS.format(page=(_HOURS if by is Dimension.HOUR else _OTHERS).format(by=by, whose=whose))
    for by in Dimension
    for whose in Whose
}
"""Pages of hours begin later, pages of anything else go over the same rows again."""
_MOMENT = timedelta(microseconds=1)


_FIRST = (None, UUID(int=0))


# What keeps one participation from being shown lasts longer than what keeps all of its campaign.
_RESTS = """
select participation.id, coalesce(earning.rest, campaign.rest) as rest,
    case when earning.rest is null then rests_until end as rests_until
from participation join campaign on campaign.id = participation.campaign
left join earning on earning.participation = participation.id
where participation.id = any($1::uuid[]) and participation.state = 'live'
    and coalesce(earning.rest, campaign.rest) is not null
"""


class PostgresEarningReads:
    """Reads of minutes."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    async def to_close(self, before: datetime, most: int) -> Sequence[Streamed]:
        """The earliest open minute of each participation, from before then."""
        rows = await self._database.pool.fetch(TO_CLOSE, before, most)
        return [Streamed(StreamerId(row["streamer"]), row["minute"]) for row in rows]

    async def asked(self, state: MinuteState, most: int, after: MinuteId | None) -> Sequence[Due]:
        """Minutes about which the ledger is being asked, earliest first; those behind one."""
        rows = await self._database.pool.fetch(ASKED[state], *(after or _FIRST), most)
        return [_due(row) for row in rows]

    async def analytics(self, asked: Sequence[Asked]) -> Mapping[Asked, Sequence[Row]]:
        """What was shown and spent, added up by what was asked for: a statement for each way of adding up."""
        found: dict[Asked, list[Row]] = {one: [] for one in asked}
        for by, whose in sorted({(one.by, one.whose) for one in asked}):
            alike = [one for one in asked if (one.by, one.whose) == (by, whose)]
            columns = zip(*map(_bounds, alike), strict=True)
            for row in await self._database.pool.fetch(ANALYTICS[by, whose], *map(list, columns)):
                found[alike[row["place"] - 1]].append(Row(*row[1:]))
        return found

    async def minutes(self, pages: Sequence[MinutePage]) -> Mapping[MinutePage, Sequence[EarnedMinute]]:
        """Pages of minutes, newest first."""
        asked = ([getattr(page, part) for page in pages] for part in ("participation", "before", "first"))
        found: dict[MinutePage, list[EarnedMinute]] = {page: [] for page in pages}
        for row in await self._database.pool.fetch(MINUTES, *asked):
            found[pages[row["place"] - 1]].append(_minute(row))
        return found

    async def minutes_to_review(self, first: int, after: MinuteId | None) -> Sequence[EarnedMinute]:
        """Minutes that wait for staff, oldest first."""
        return [_minute(row) for row in await self._database.pool.fetch(TO_REVIEW, *(after or _FIRST), first)]

    async def disputes_to_decide(self, first: int, after: DisputeId | None) -> Sequence[ReadDispute]:
        """Disputes that wait for staff, and why they were opened."""
        rows = await self._database.pool.fetch(TO_DECIDE, after, first)
        sealed = [Sealed(PersonId(row["person"]), REASON_FIELD, row["reason"]) for row in rows if row["reason"]]
        opened = iter(await self._vault.open(sealed))
        return [ReadDispute(_dispute(row), next(opened) if row["reason"] else None) for row in rows]

    async def rests_of(self, ids: Sequence[ParticipationId]) -> Mapping[ParticipationId, Rest]:
        """Why participations that are live rest, those that do, or whose campaign does."""
        rows = await self._database.pool.fetch(_RESTS, list(ids))
        return {ParticipationId(row["id"]): Rest(RestReason(row["rest"]), row["rests_until"]) for row in rows}

    async def seq_of(self, participation: ParticipationId) -> int:
        """How often minutes of a participation have changed so far."""
        return await self._database.pool.fetchval(_SEQ, participation) or 0


def _bounds(asked: Asked) -> tuple[UUID, datetime, datetime, UUID | None, int]:
    if isinstance(asked.after, datetime):
        return asked.of, max(asked.since, asked.after + _MOMENT), asked.until, None, asked.first
    return asked.of, asked.since, asked.until, asked.after, asked.first


def _dispute(row: Record) -> Dispute:
    return Dispute(
        DisputeId(row["id"]), ParticipationId(row["participation"]), Side(row["side"]), PersonId(row["person"]),
        row["reason"], row["opened_at"], tuple(row["minutes"]),
    )  # fmt: skip


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
