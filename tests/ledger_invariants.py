"""What must be true of the ledger's tables at any time, asked in SQL that shares nothing with what wrote them."""

from asyncpg import Connection

_DERIVED = """
with entries as (
    select position, transaction_id, line, recorded_at, source as account, source_seq as seq, source_posted as posted,
        source_held as held, case when operation in ('move', 'capture', 'reverse') then -amount else 0 end as change,
        case operation when 'hold' then amount when 'move' then 0 when 'reverse' then 0 else -amount end as held_change
    from journal where source_seq is not null
    union all
    select position, transaction_id, line, recorded_at, target, target_seq, target_posted, target_held, amount, 0
    from journal where target_seq is not null
), steps as (
    select *, lag(seq, 1, 0::bigint) over each as seq_before, lag(posted, 1, 0::bigint) over each as posted_before,
        lag(held, 1, 0::bigint) over each as held_before, lag(recorded_at) over each as recorded_before,
        lag(position, 1, 0::bigint) over each as position_before
    from entries window each as (partition by account order by seq)
), taken as (
    select ref, line, sum(amount) as amount from journal
    where operation in ('capture', 'void', 'expire') and refusal is null group by ref, line
)
"""
RULES = {
    "an account's entries are numbered without a gap": """
        select account, seq from steps where seq <> seq_before + 1""",
    "figures after an entry follow from those before it": """
        select account, seq from steps
        where posted <> posted_before + change or held <> held_before + held_change""",
    "time and position never run against an account's numbers": """
        select account, seq from steps
        where recorded_at < recorded_before or position <= position_before""",
    "an account shows what its last entry shows": """
        select a.id, a.seq from account a
        left join (select distinct on (account) * from entries order by account, seq desc) last on last.account = a.id
        where (a.posted, a.held, a.seq)
            is distinct from (coalesce(last.posted, 0), coalesce(last.held, 0), coalesce(last.seq, 0))""",
    "what is left of a hold is what was not taken from it": """
        select h.transaction_id, h.line from hold h
        join journal placed using (transaction_id, line)
        left join taken on (taken.ref, taken.line) = (h.transaction_id, h.line)
        where h.remaining <> placed.amount - coalesce(taken.amount, 0)""",
    "every hold that was placed has its lines": """
        select transaction_id, line from journal j where operation = 'hold' and refusal is null
        and not exists (select from hold h where (h.transaction_id, h.line) = (j.transaction_id, j.line))""",
    "what an account holds is what is left of its holds": """
        select id from account a
        where held <> (select coalesce(sum(remaining), 0) from hold where source = a.id)""",
    "a transaction has one operation, lines without a gap, and stands or falls whole": """
        select transaction_id from journal group by transaction_id
        having count(distinct operation) > 1 or max(line) <> count(*) - 1 or count(distinct refusal is null) > 1
            or (bool_or(refusal is not null) and count(*) > 1) or count(content) > 1""",
    "a capture, void or expiry has a line for each of its hold's": """
        select t.transaction_id from (
            select transaction_id, ref, count(*) as lines from journal
            where operation in ('capture', 'void', 'expire') and refusal is null group by transaction_id, ref
        ) t where t.lines <> (select count(*) from hold h where h.transaction_id = t.ref)""",
    "a reversal mirrors all of what it reverses": """
        select r.transaction_id from (
            select transaction_id, ref, count(*) as lines, sum(amount) as amount from journal
            where operation = 'reverse' and refusal is null group by transaction_id, ref
        ) r left join (
            select transaction_id, count(*) as lines, sum(amount) as amount from journal
            where operation in ('move', 'capture') and refusal is null and amount > 0 group by transaction_id
        ) o on o.transaction_id = r.ref
        where (r.lines, r.amount) is distinct from (o.lines, o.amount)""",
    "nothing is reversed twice": """
        select ref from journal where operation = 'reverse' and refusal is null and line = 0
        group by ref having count(*) > 1""",
    "an account stays within its limits": """
        select id from account where posted - held < floor or posted > ceiling""",
    "every posting is between accounts of one currency": """
        select transaction_id from journal j join account s on s.id = j.source join account t on t.id = j.target
        where s.currency <> t.currency""",
    "entries sum up to nothing in each currency": """
        select currency from (
            select source as account, -amount as change from journal where operation in ('move', 'capture', 'reverse')
                and refusal is null
            union all
            select target, amount from journal where operation in ('move', 'capture', 'reverse') and refusal is null
        ) sides join account on account.id = sides.account group by currency having sum(change) <> 0""",
    "an account's balance is the sum of what moved": """
        select a.id from account a join (
            select account, sum(change) as posted from (
                select source as account, -amount as change from journal
                where operation in ('move', 'capture', 'reverse') and refusal is null
                union all
                select target, amount from journal where operation in ('move', 'capture', 'reverse') and refusal is null
            ) sides group by account
        ) moved on moved.account = a.id
        where a.posted <> moved.posted and (a.floor is not null or a.ceiling is not null)""",
    "every account has its opening in its history": """
        select id from account a where not exists (select from account_change c where c.account = a.id)""",
}


async def broken(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """The rules that do not hold, each with the first rows that break it."""
    found = {}
    for rule, query in RULES.items():
        if rows := await connection.fetch(f"{_DERIVED}\n{query}\nlimit 3"):
            found[rule] = [tuple(row) for row in rows]
    return found
