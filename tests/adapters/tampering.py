"""How whoever rules the database tampers with it: another plausible value for each column of each sealed table."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg import Connection, Record

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.digest import SEALED_TABLES
from domain.ledger.audit import Finding
from tests.adapters.ledger_history import Bench, bench_of, live_through_everything

KEYS = {
    "journal": ("transaction_id", "line"),
    "account_change": ("position",),
    "deed": ("position",),
    "seal": ("number",),
    "platform_entry": ("account", "seq"),
}
SEALED = {table.name for table in SEALED_TABLES}
ELSEWHERE = "(select id from account where purpose = 'tax')"
OTHER = {
    "journal": {
        "position": "position + 1000000",
        "transaction_id": "gen_random_uuid()",
        "source": ELSEWHERE,
        "target": ELSEWHERE,
        "amount": "amount + 1",
        "source_seq": "coalesce(source_seq, 1) + 700",
        "target_seq": "coalesce(target_seq, 1) + 700",
        "source_posted": "coalesce(source_posted, 0) + 1",
        "target_posted": "coalesce(target_posted, 0) + 1",
        "source_held": "coalesce(source_held, 0) + 1",
        "target_held": "coalesce(target_held, 0) + 1",
        "recorded_at": "recorded_at + interval '1 microsecond'",
        "effective_at": "coalesce(effective_at, recorded_at) - interval '1 day'",
        "ref": "case when ref is null then gen_random_uuid() end",
        "operation": "case when operation = 'move' then 'hold' else 'move' end::ledger_operation",
        "kind": "case when kind = 'top_up' then 'refund' else 'top_up' end::ledger_kind",
        "refusal": "case when refusal is null then 'account_closed' end::ledger_refusal",
        "line": "line + 5",
        "content": "sha256(coalesce(content, ''))",
    },
    "account_change": {
        "position": "position + 1000000",
        "account": ELSEWHERE,
        "after_seq": "after_seq + 1",
        "owner": "owner || 's'",
        "purpose": "'player_bonus'",
        "currency": "'SGD'",
        "floor": "case when floor is null then 0 end",
        "ceiling": "case when ceiling is null then 900000000 end",
        "status": "case when status = 'open' then 'frozen' else 'open' end::account_status",
        "recorded_at": "recorded_at - interval '1 hour'",
    },
    "deed": {
        "position": "position + 1000000",
        "id": "gen_random_uuid()",
        "recorded_at": "recorded_at - interval '1 microsecond'",
        "actor": "case when actor is null then gen_random_uuid() end",
        "session": "case when session is null then gen_random_uuid() end",
        "impersonator": "case when impersonator is null then gen_random_uuid() end",
        "action": "action || '.'",
        "target": "'person:' || gen_random_uuid()",
        "about": "gen_random_uuid()",
        "request_id": "case when request_id is null then '' end",
        "detail": "case when detail is null then '' end",
        "encrypted_detail": "case when encrypted_detail is null then ''::bytea end",
        "encrypted_origin": "coalesce(encrypted_origin, '') || '\\x00'::bytea",
    },
    "seal": {
        "number": "number + 100",
        "first_position": "first_position + 1",
        "last_position": "last_position + 1",
        "marks": "set_byte(marks, length(marks) - 1, 255 - get_byte(marks, length(marks) - 1))",
        "previous": "sha256(previous)",
        "head": "sha256(head)",
        "sealed_at": "sealed_at + interval '1 second'",
    },
    "platform_entry": {
        "account": ELSEWHERE,
        "seq": "seq + 100",
        "position": "position + 1000000",
        "posted": "posted + 1",
    },
}
CASES = {(table, column) for table, columns in OTHER.items() for column in columns}
POSITIONED = {**dict.fromkeys((*SEALED, "platform_entry"), ("position",)), "seal": ()}
NOT_SEALED = {"top_up_posting", "consent", "trusted_document", "invoice", "invoice_line"}
"""Append-only by trigger alone: postings of top-ups point at transactions, and those are what money is counted by; of a
consent an erasure forgets where it came from, and no sealed row ever changes; a document is called by the digest of its
text, so that another text is another document; of an invoice the audit log, which is sealed, keeps a digest, and the
audit compares it."""


def key_of(table: str, row: Record) -> str:
    return "/".join(str(row[part]) for part in KEYS[table])


@asynccontextmanager
async def ruling(bench: Bench) -> AsyncIterator[Connection]:
    """A superuser whom no trigger, no unique index and no check stops."""
    connection = await asyncpg.connect(bench.addresses.superuser_url)
    try:
        await connection.execute("set session_replication_role = replica")
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def restored(ruler: Connection) -> AsyncIterator[None]:
    """Whatever is changed inside is put back afterwards."""
    tables = (*KEYS, "account", "hold")
    for table in tables:
        await ruler.execute(f"create temporary table old_{table} as table {table}")
    try:
        yield
    finally:
        for table in tables:
            await ruler.execute(f"delete from {table}")
            await ruler.execute(f"insert into {table} overriding system value table old_{table}")
            await ruler.execute(f"drop table old_{table}")


@asynccontextmanager
async def tamperable(database: DatabaseAddresses) -> AsyncIterator[Bench]:
    """A whole history in a database that only its rows themselves protect."""
    async with bench_of(database) as bench:
        await live_through_everything(bench)
        async with ruling(bench) as ruler:
            await give_up_constraints(ruler)
        yield bench


async def give_up_constraints(ruler: Connection) -> None:
    """The audit must not lean on what a ruler can drop."""
    found = await ruler.fetch(
        "select conrelid::regclass::text, conname from pg_constraint "
        "where contype in ('c', 'u') and conrelid::regclass::text = any($1)",
        [*KEYS, "account", "hold"],
    )
    for table, constraint in found:
        await ruler.execute(f"alter table {table} drop constraint {constraint}")
    for index in ("journal_source", "journal_target", "journal_reversed_once", "platform_entry_position"):
        await ruler.execute(f"drop index {index}")


def assert_names(first: Finding, table: str, row: Record, changed: Record) -> None:
    """The first finding names the row, by what it is now or, where that is missing, by what it was."""
    assert first.table == table, first
    positions = {row["position"], changed["position"]} if "position" in row else {None}
    if table in SEALED:
        assert first.position in positions, first
    else:
        assert first.key in {key_of(table, row), key_of(table, changed)}, first
