"""Holds invoices against the ledger's entries of their months, and against what the audit log kept of each."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from asyncpg import Record

from adapters.postgres.invoice.rows import BILLED, FROM, INVOICE, SUMS, invoice_of
from domain.ledger.audit import Finding

Fetch = Callable[..., Awaitable[list[Record]]]

_MOST = 100
_PAGE = 1_000
_ENTRIES = f"""
with billed as (
    select campaign.brand, month.first_day as month, account.currency, campaign.id as campaign, {SUMS}
    from journal join account on account.id = journal.source
    join campaign on account.owner = 'campaign:' || campaign.id
    join invoice_month as month on journal.recorded_at >= month.since and journal.recorded_at < month.until
    where month.finished_at is not null and {BILLED}
    group by 1, 2, 3, 4, line_kind
), said as (
    select brand, month, currency, campaign, kind as line_kind, minutes, net, tax from invoice_line
    join invoice on invoice.id = invoice_line.invoice join invoice_month on first_day = month
    where finished_at is not null
)
select brand, month, currency, campaign, line_kind as kind, row(said.minutes, said.net, said.tax)::text as said,
    row(billed.minutes, billed.net, billed.tax)::text as found
from billed full join said using (brand, month, currency, campaign, line_kind)
where (billed.minutes, billed.net, billed.tax) is distinct from (said.minutes, said.net, said.tax)
order by 1, 2, 3, 4, 5 limit $1
"""  # noqa: S608  # the words are ours
_NUMBERS = """
select year, coalesce(last, 0) as said, (count(number), min(number), max(number))::text as found
from invoice_year full join invoice using (year) group by year, last
having (count(number), min(number), max(number)) is distinct from (last::bigint, 1, last) order by 1 limit $1
"""
_MONTHS = """
select first_day, since, before from (
    select first_day, since, lag(until) over (order by first_day) as before from invoice_month
) as months
where since <> before order by 1 limit $1
"""
_INVOICES = f"""
select {INVOICE}, (select array_agg(detail) from deed
    where action = 'invoice.issued' and target = 'invoice:' || invoice.id) as deeds
from {FROM} where (invoice.year, invoice.number) > ($1, $2) order by invoice.year, invoice.number limit $3
"""  # noqa: S608  # a list of our columns


async def against_invoices(fetch: Fetch) -> AsyncIterator[Iterable[Finding]]:
    """Everything in which invoices differ from what they are of."""
    for row in await fetch(_ENTRIES, _MOST):
        key = f"{row['brand']} {row['month']} {row['currency']} {row['campaign']} {row['kind']}"
        what = "the entries of its month come to something else (minutes, net, tax)"
        yield [Finding("invoice_line", key, None, what, row["found"], row["said"])]
    for row in await fetch(_NUMBERS, _MOST):
        what = "its numbers do not run from 1 to the last without a gap (how many, first, last)"
        yield [Finding("invoice_year", str(row["year"]), None, what, str(row["said"]), row["found"])]
    for row in await fetch(_MONTHS, _MOST):
        what = "it does not begin where the month before ended"
        yield [Finding("invoice_month", str(row["first_day"]), None, what, str(row["before"]), str(row["since"]))]
    after = (0, 0)
    while rows := await fetch(_INVOICES, *after, _PAGE):
        yield [finding for row in rows if (finding := _against_deed(row))]
        after = (rows[-1]["year"], rows[-1]["number"])


def _against_deed(row: Record) -> Finding | None:
    """What the audit log, which is sealed, kept of an invoice when it was issued."""
    invoice = invoice_of(row)
    kept = [json.loads(detail)[1]["sha256"] for detail in row["deeds"] or ()]
    if kept == [invoice.digest]:
        return None
    what = "it is not what was issued, by the audit log"
    return Finding("invoice", str(invoice.serial), None, what, str(kept), invoice.digest)
