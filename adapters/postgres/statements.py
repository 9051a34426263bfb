"""The SQL of `books`: one shape for all accounts, and many requests in one statement.

An account's lines are numbered 1, 2, 3 and so on, and each is looked up by its number: a limited account's through two
partial unique indexes, by the side on which it stood, a platform account's through what its seals noted beside the
journal. No statistics can lead the planner to read more. Numbers never run against `recorded_at` within an account, so
that an instant is found by halving.
"""

from functools import cache

PATIENCE_S = 600

_ACCOUNTS = """
select id, owner, purpose, currency, floor, ceiling, status, held,
    coalesce(last.posted, account.posted) as posted, coalesce(last.seq, account.seq) as seq
from account left join lateral (
    select posted, seq from platform_entry
    where account.purpose = any($2::text[]) and platform_entry.account = account.id order by seq desc limit 1
) as last on true
"""
ACCOUNTS_BY_ID = f"{_ACCOUNTS} where id = any($1::bigint[])"
ACCOUNTS_OF = f"""{_ACCOUNTS}
where owner = any($1::text[]) and ($3::text[] = '{{}}' or purpose = any($3::text[])) order by owner, purpose, currency
"""
TRIAL_BALANCE = """
select owner, purpose, currency, coalesce(sum(moved.change), 0)::bigint as posted
from account left join (
    select side.account, side.change
    from journal cross join lateral (values (source, -amount), (target, amount)) as side (account, change)
    where refusal is null and operation in ('move', 'capture', 'reverse')
        and ($1::timestamptz is null or recorded_at <= $1)
) as moved on moved.account = account.id
group by account.id order by owner, purpose, currency
"""
EXPIRED_HOLDS = """
select transaction_id from hold where remaining > 0 and expires_at <= $1
group by transaction_id order by min(expires_at), transaction_id limit $2
"""


_MOVED = "case when operation in ('move', 'capture', 'reverse') then amount else 0 end"
_HELD = "case operation when 'hold' then amount when 'move' then 0 when 'reverse' then 0 else -amount end"
_LAST = """coalesce(
    (select max(entry.seq) from platform_entry as entry where entry.account = asked.account),
    (select seq from account where id = asked.account), 0)"""


def _line(seq: str) -> str:
    """The line with a number of the account that is asked for, and the figures after it."""
    columns = (
        "transaction_id, line, operation, kind, ref, recorded_at, coalesce(effective_at, recorded_at) as effective_at"
    )
    return f"""
    select {seq} as seq, source_posted as posted, source_held as held, -{_MOVED} as change, {_HELD} as held_change,
        target as counterpart, {columns}
    from journal where source = asked.account and source_seq = {seq}
    union all
    select {seq}, target_posted, target_held, {_MOVED}, 0, source, {columns}
    from journal where target = asked.account and target_seq = {seq}
    union all
    select {seq}, entry.posted, 0, case when source = asked.account then -amount else amount end, 0,
        case when source = asked.account then target else source end, {columns}
    from platform_entry as entry join journal using (position)
    where entry.account = asked.account and entry.seq = {seq}
    limit 1
    """  # noqa: S608  # the words are ours


def _seq_before(instant: str, compare: str = "<") -> str:
    """The last number of the account that is asked for that was recorded before an instant, found by halving."""
    return f"""(
        with recursive search (low, high) as (
            select 0::bigint, {_LAST}
            union all
            select case when recorded_at {compare} {instant} then half.seq else low end,
                case when recorded_at {compare} {instant} then high else half.seq - 1 end
            from (select low, high, (low + high + 1) / 2 as seq from search where low < high) as half
            cross join lateral ({_line("half.seq")}) as line_
        )
        select low from search where low = high
    )"""  # noqa: S608  # the words are ours


@cache
def statements(*, newest_first: bool) -> str:
    """Lines of accounts as rows of $1 ask for them (`place` tells whose line it is), each with its counterpart.

    The numbers are counted out one by one until the limit is full; a nested loop keeps their order, and nothing else
    can run what depends on each of them.
    """
    order, numbers = ("desc", "high - 1, low + 1, -1") if newest_first else ("asc", "low + 1, high - 1")
    return f"""
    select asked.place, account.owner, account.purpose, account.currency, line_.*
    from rows from (jsonb_to_recordset($1) as (place int, account bigint, after bigint, before bigint, most bigint,
        since timestamptz, until timestamptz, kinds text[], counterpart bigint, purposes text[])) as asked
    join account on account.id = asked.account
    cross join lateral (
        select
            case when since is null then after else greatest(after, {_seq_before("since")}) end as low,
            least(before, 1 + case when until is null then {_LAST} else {_seq_before("until")} end) as high
        offset 0
    ) as bounds
    cross join lateral (
        select line_.*, other.*
        from (select generate_series({numbers}) as seq) as number
        cross join lateral ({_line("number.seq")}) as line_
        cross join lateral (
            select owner as counterpart_owner, purpose as counterpart_purpose, currency as counterpart_currency
            from account where id = line_.counterpart offset 0
        ) as other
        where (kinds is null or kind::text = any(kinds))
            and (asked.counterpart is null or asked.counterpart = line_.counterpart)
            and (purposes is null or counterpart_purpose = any(purposes))
        limit most
    ) as line_
    order by asked.place, line_.seq {order}
    """  # noqa: S608  # the words are ours


def _balances(figures: str) -> str:
    return f"""
    select coalesce(posted, 0)::bigint as posted, coalesce(held, 0)::bigint as held, coalesce(seq, 0) as seq,
        coalesce((
            select status from account_change as change
            where change.account = asked.account and change.recorded_at <= asked.at
            order by change.position desc limit 1
        ), 'open') as status
    from unnest($1::bigint[], $2::timestamptz[]) with ordinality as asked (account, at, place)
    left join lateral ({figures}) as figures on true
    order by asked.place
    """  # noqa: S608  # the words are ours


BALANCES_BY_RECORD = _balances(f"""
    select posted, held, line_.seq
    from (select {_seq_before("asked.at", "<=")} as seq offset 0) as last
    cross join lateral ({_line("last.seq")}) as line_
""")  # noqa: S608  # the words are ours
"""For each account of $1 its figures after its last line that was recorded up to the instant beside it in $2."""

BALANCES_BY_EFFECT = _balances(f"""
    select sum(change) as posted, sum(held_change) as held, max(line_.seq) as seq
    from (select generate_series(1, {_LAST}) as seq) as number
    cross join lateral ({_line("number.seq")}) as line_
    where effective_at <= asked.at
""")  # noqa: S608  # the words are ours
"""For each account of $1 the sum of its lines that took effect up to the instant beside it in $2."""
