"""The SQL of `books`: two shapes of each, because a platform account's lines are numbered beside the journal.

A limited account's lines are found through two partial unique indexes, by the side on which it stood; PostgreSQL merges
them in order and stops at the limit. Numbers never run against `recorded_at` within an account, so that an instant is
found by halving.
"""

from functools import cache

PATIENCE_S = 600

KEY = "select owner, purpose, currency from account where id = $1"
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
STATUS_AT = """
select status from account_change where account = $1 and recorded_at <= $2 order by position desc limit 1
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

_WITH = """
        and ($5::text[] is null or kind::text = any($5::text[])) and ($6::bigint is null or $6 = {other})
        and ($7::text[] is null or exists (select from account where id = {other} and purpose = any($7::text[])))
"""
_MOVED = "case when operation in ('move', 'capture', 'reverse') then amount else 0 end"
_COLUMNS = (
    "transaction_id, line, operation, kind, ref, recorded_at, coalesce(effective_at, recorded_at) as effective_at"
)


def _side(side: str, other: str, sign: str) -> str:
    return f"""
    select {side}_seq as seq, {side}_posted as posted, {side}_held as held, {sign}{_MOVED} as change,
        {other} as counterpart, {_COLUMNS}
    from journal
    where {side} = $1 and {side}_seq is not null and {side}_seq > $2 and {side}_seq < $3 {_WITH.format(other=other)}
    """  # noqa: S608  # the words are ours


_OF_LIMITED = f"{_side('source', 'target', '-')} union all {_side('target', 'source', '')}"
_OTHER = "case when source = $1 then target else source end"
_OF_PLATFORM = f"""
    select entry.seq, entry.posted, 0::bigint as held, case when source = $1 then -amount else amount end as change,
        {_OTHER} as counterpart, {_COLUMNS}
    from platform_entry as entry join journal using (position)
    where entry.account = $1 and entry.seq > $2 and entry.seq < $3 {_WITH.format(other=_OTHER)}
"""  # noqa: S608  # the words are ours


@cache
def statement(*, platform: bool, newest_first: bool) -> str:
    """Lines of account $1 between seq $2 and $3, at most $4, of kinds $5, with counterpart $6 or one of purposes $7."""
    lines, order = _OF_PLATFORM if platform else _OF_LIMITED, "desc" if newest_first else "asc"
    return f"""
    select line_.*, owner as counterpart_owner, purpose as counterpart_purpose, currency as counterpart_currency
    from (select * from ({lines}) as both_sides order by seq {order} limit $4) as line_
    join account on account.id = counterpart order by seq {order}
    """  # noqa: S608  # the words are ours


@cache
def seq_before(*, platform: bool) -> str:
    """The last seq of account $1 that was recorded before instant $2, found by halving."""
    last = "select max(seq) from platform_entry where account = $1" if platform else (
        "select seq from account where id = $1"
    )  # fmt: skip
    line = """
        select recorded_at from platform_entry join journal using (position)
        where account = $1 and platform_entry.seq = half.seq
    """ if platform else """
        select recorded_at from journal where source = $1 and source_seq = half.seq
        union all
        select recorded_at from journal where target = $1 and target_seq = half.seq
    """  # fmt: skip
    return f"""
    with recursive search (low, high) as (
        select 0::bigint, coalesce(({last}), 0)
        union all
        select case when recorded_at < $2 then half.seq else low end,
            case when recorded_at < $2 then high else half.seq - 1 end
        from (select low, high, (low + high + 1) / 2 as seq from search where low < high) as half
        cross join lateral ({line}) as line_
    )
    select low from search where low = high
    """  # noqa: S608  # the words are ours


@cache
def balance_after(*, platform: bool) -> str:
    """Posted, held and seq of account $1 after its line $2."""
    if platform:
        return "select posted, 0::bigint, seq from platform_entry where account = $1 and seq = $2"
    return """
    select source_posted, source_held, source_seq from journal where source = $1 and source_seq = $2
    union all
    select target_posted, target_held, target_seq from journal where target = $1 and target_seq = $2
    """


@cache
def balance_by_effect(*, platform: bool) -> str:
    """Posted, held and seq of account $1 from the lines that took effect up to instant $2."""
    if platform:
        return """
        select coalesce(sum(case when source = $1 then -amount else amount end), 0)::bigint, 0::bigint,
            coalesce(max(entry.seq), 0)
        from platform_entry as entry join journal using (position)
        where account = $1 and coalesce(effective_at, recorded_at) <= $2
        """
    return f"""
    select coalesce(sum(posted), 0)::bigint, coalesce(sum(held), 0)::bigint, coalesce(max(seq), 0)
    from (
        select source_seq as seq, -{_MOVED} as posted,
            case operation when 'hold' then amount when 'capture' then -amount when 'void' then -amount
                when 'expire' then -amount else 0 end as held
        from journal
        where source = $1 and source_seq is not null and coalesce(effective_at, recorded_at) <= $2
        union all
        select target_seq, {_MOVED}, 0
        from journal
        where target = $1 and target_seq is not null and coalesce(effective_at, recorded_at) <= $2
    ) as both_sides
    """  # noqa: S608  # the words are ours
