"""Holds what minutes say of money against what the ledger did under their ids, and totals against their minutes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from uuid import UUID

from asyncpg import Record

from adapters.postgres.earning.rows import kept_of, parts_of
from domain.earning.arithmetic import Parts
from domain.earning.model import MinuteState
from domain.earning.postings import minute_id
from domain.ledger.audit import Finding
from domain.ledger.chart import Kind

Fetch = Callable[..., Awaitable[list[Record]]]

_PAGE = 5_000
_MOST = 100
_NOBODY, _LONG_AGO = UUID(int=0), datetime(2000, 1, 1, tzinfo=UTC)

_MINUTES = """
select participation, minute, state, earned, take, withheld, added, kept_gross from earning_minute
where (participation, minute) > ($1, $2) and earned is not null order by participation, minute limit $3
"""
_POSTINGS = """
select transaction_id, operation, kind, refusal, amount from journal where transaction_id = any($1::uuid[])
"""
_TOTALS = """
select earning.participation,
    (earning.minutes, earning.viewers, earning.gross, earning.cost)::text as said,
    (count(paid), coalesce(sum(paid.viewers), 0), coalesce(sum(earned + paid.take + withheld), 0),
        coalesce(sum(earned + paid.take + withheld + added), 0))::text as found
from earning left join earning_minute as paid on paid.participation = earning.participation
    and paid.state in ('held', 'releasing', 'frozen', 'reducing', 'returning', 'paid', 'returned')
group by earning.participation
having (earning.minutes, earning.viewers, earning.gross, earning.cost) is distinct from
    (count(paid), coalesce(sum(paid.viewers), 0), coalesce(sum(earned + paid.take + withheld), 0),
        coalesce(sum(earned + paid.take + withheld + added), 0))
order by 1 limit $1
"""
_DAYS = """
select campaign_day.campaign, campaign_day.starts, campaign_day.cost, coalesce(sum(spent.cost), 0)::bigint as found
from campaign_day left join (
    select campaign, day as starts, earned + earning_minute.take + withheld + added as cost
    from earning_minute join earning using (participation)
    where earned is not null and state <> 'unpaid'
) as spent using (campaign, starts)
group by campaign_day.campaign, campaign_day.starts having campaign_day.cost <> coalesce(sum(spent.cost), 0)
order by 1, 2 limit $1
"""
_SHARES = """
select participation, minute, earned + take + withheld as gross, sum(earning_share.gross)::bigint as found
from earning_minute left join earning_share using (participation, minute) where earned is not null
group by participation, minute having earned + take + withheld is distinct from sum(earning_share.gross)
order by 1, 2 limit $1
"""
_HOURS = """
select participation, hour, hours.figures::text as said, minutes.figures::text as found
from (
    select participation, hour,
        (sum(viewer_minutes), sum(gross), sum(cost), sum(returned), sum(earned), sum(forgone)) as figures
    from earning_hour group by participation, hour
) as hours
full join (
    select participation, date_bin('1 hour', minute, day) as hour, (sum(viewers)::numeric, sum(gross),
        sum(gross + added), sum(case when lowered then gross + added - kept_gross - added * kept_gross / gross
            else 0 end), sum(earned), sum(case when lowered then earned - earned * kept_gross / gross else 0 end)
        ) as figures
    from (
        select *, state in ('paid', 'returned') and kept_gross < gross as lowered
        from (select *, earned + take + withheld as gross from earning_minute) as priced
    ) as minute
    where state in ('held', 'releasing', 'frozen', 'reducing', 'returning', 'paid', 'returned') group by 1, 2
) as minutes using (participation, hour)
where hours.figures is distinct from minutes.figures order by 1, 2 limit $1
"""
_CREATIVES = """
select participation, hour, creative, hours.figures::text as said, shown.figures::text as found
from (
    select participation, hour, creative, (seconds::numeric, impressions::numeric, gross::numeric) as figures
    from earning_hour
) as hours
full join (
    select participation, date_bin('1 hour', minute, day) as hour, creative,
        (sum(seconds)::numeric, sum(viewers)::numeric, sum(gross)::numeric) as figures
    from earning_minute join earning_share using (participation, minute)
    where seconds > 0
        and state in ('held', 'releasing', 'frozen', 'reducing', 'returning', 'paid', 'returned') group by 1, 2, 3
) as shown using (participation, hour, creative)
where hours.figures is distinct from shown.figures order by 1, 2, 3 limit $1
"""
_UNKNOWN = """
select transaction_id from journal where operation = 'hold' and kind = 'earning' and refusal is null
    and source in (select account.id from account join campaign on owner = 'campaign:' || campaign.id)
group by transaction_id
"""
_Did = Mapping[UUID, Mapping[str, int]]
"""What the ledger did under each id: amounts by kind."""


async def against_earnings(fetch: Fetch) -> AsyncIterator[Iterable[Finding]]:
    """Everything in which minutes and ledger differ. What the ledger is being asked about may be either way."""
    holds: set[UUID] = set()
    after: tuple[UUID, datetime] = (_NOBODY, _LONG_AGO)
    while rows := await fetch(_MINUTES, *after, _PAGE):
        ids = {(row["participation"], row["minute"]): _ids(row) for row in rows}
        did = _did(await fetch(_POSTINGS, [id_ for three in ids.values() for id_ in three]))
        for row in rows:
            hold, *others = ids[row["participation"], row["minute"]]
            holds.add(hold)
            yield _compared(row, did, hold, *others)
        after = (rows[-1]["participation"], rows[-1]["minute"])
    for row in await fetch(_UNKNOWN):
        if row["transaction_id"] not in holds:
            yield [Finding("journal", str(row["transaction_id"]), None, "no minute knows of what is set aside here")]
    for row in await fetch(_TOTALS, _MOST):
        what = "its totals are not those of its minutes (minutes, viewers, gross, cost)"
        yield [Finding("earning", str(row["participation"]), None, what, row["found"], row["said"])]
    for row in await fetch(_DAYS, _MOST):
        key, what = f"{row['campaign']} {row['starts']}", "what was spent on it is not what its minutes cost"
        yield [Finding("campaign_day", key, None, what, str(row["found"]), str(row["cost"]))]
    for row in await fetch(_HOURS, _MOST):
        key, what = f"{row['participation']} {row['hour']}", "it is not what its minutes come to"
        yield [Finding("earning_hour", key, None, what, row["found"], row["said"])]
    for row in await fetch(_CREATIVES, _MOST):
        key, what = (
            f"{row['participation']} {row['hour']} {row['creative']}",
            "it is not what was shown of the creative",
        )
        yield [Finding("earning_hour", key, None, what, row["found"], row["said"])]
    for row in await fetch(_SHARES, _MOST):
        what = "the shares of creatives do not sum to its price"
        yield [Finding("earning_share", _key(row), None, what, str(row["gross"]), str(row["found"]))]


def _ids(row: Record) -> tuple[UUID, UUID, UUID]:
    hold, payment, back = (
        minute_id(row["participation"], row["minute"], step) for step in ("hold", "payment", "return")
    )
    return hold, payment, back


def _did(rows: Iterable[Record]) -> _Did:
    found: dict[UUID, dict[str, int]] = {}
    for row in rows:
        if row["refusal"] is None and row["amount"]:
            found.setdefault(row["transaction_id"], {})[row["kind"]] = row["amount"]
    return found


def _compared(row: Record, did: _Did, hold: UUID, payment: UUID, back: UUID) -> Iterator[Finding]:
    """A minute against its three transactions, by where it says that it stands."""
    state, parts = MinuteState(row["state"]), parts_of(row)
    kept = kept_of(row) or parts
    returned = _minus(parts, kept)
    held, paid, gone = (did.get(id_, {}) for id_ in (hold, payment, back))
    nothing: Mapping[str, int] = {}
    expected = {
        MinuteState.UNPAID: ([nothing], [nothing], [nothing]),
        MinuteState.DECIDING: ([_amounts(parts), nothing], [nothing], [nothing]),
        MinuteState.HELD: ([_amounts(parts)], [nothing], [nothing]),
        MinuteState.FROZEN: ([_amounts(parts)], [nothing], [nothing]),
        MinuteState.RELEASING: ([_amounts(parts)], [_amounts(kept), nothing], [nothing]),
        MinuteState.REDUCING: ([_amounts(parts)], [_amounts(kept), nothing], [nothing]),
        MinuteState.RETURNING: ([_amounts(parts)], [_amounts(kept)], [_amounts(returned), nothing]),
        MinuteState.PAID: ([_amounts(parts)], [_amounts(kept)], [_amounts(returned)]),
        MinuteState.RETURNED: ([_amounts(parts)], [nothing], [_amounts(returned)]),
    }.get(state, ([nothing], [nothing], [nothing]))
    for what, found, legal in zip(("set aside", "paid", "given back"), (held, paid, gone), expected, strict=True):
        if found not in legal:
            said = (str(dict(legal[0])), str(dict(found)))
            yield Finding("earning_minute", _key(row), None, f"{state}, but {what} was", *said)


def _amounts(parts: Parts) -> Mapping[str, int]:
    amounts = {
        Kind.EARNING: parts.earned, Kind.TAKE_RATE: parts.take, Kind.WITHHOLDING_TAX: parts.withholding_tax,
        Kind.VALUE_ADDED_TAX: parts.value_added_tax,
    }  # fmt: skip
    return {str(kind): amount for kind, amount in amounts.items() if amount}


def _minus(whole: Parts, kept: Parts) -> Parts:
    return Parts(
        whole.earned - kept.earned, whole.take - kept.take, whole.withholding_tax - kept.withholding_tax,
        whole.value_added_tax - kept.value_added_tax,
    )  # fmt: skip


def _key(row: Record) -> str:
    return f"{row['participation']} {row['minute']}"
