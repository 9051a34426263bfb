"""Plans of the ledger's hot statements: locks in id order, and no more looked at than what is asked for."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import pytest

from adapters.embedded.database import make_database
from adapters.postgres.journal import ROWS
from adapters.postgres.ledger import (
    HOLDS,
    LOCK,
    LOCK_AND_LOOK,
    LOCK_FREE_AND_LOOK,
    LOOK,
    REVERSED,
    UPDATE,
    WRITE_LINE,
)
from tests.servers import PASSWORDS, Addresses, drop_database, run

FILL = """
insert into account (owner, purpose, currency, floor, posted, seq)
select 'person:' || n, 'hosting_credit', 'IDR', 0, 10, 1 from generate_series(1, ROWS) n;
insert into journal (transaction_id, line, operation, kind, source, target, amount, target_seq, target_posted,
    target_held, content)
select md5('move' || n)::uuid, 0, 'move', 'opening_balance', ROWS + 1, n, 10, 1, 10, 0, sha256('')
from generate_series(1, ROWS) n;
insert into journal (transaction_id, line, operation, kind, source, target, amount, ref, content)
select md5('reverse' || n)::uuid, 0, 'reverse', 'opening_balance', n, ROWS + 1, 10, md5('move' || n)::uuid,
    sha256('') from generate_series(1, ROWS / 10) n;
insert into hold (transaction_id, line, source, remaining, expires_at)
select md5('hold' || n)::uuid, 0, n, n % 2, now() from generate_series(1, ROWS) n;
"""

Plan = dict[str, Any]


@contextmanager
def filled(servers: Addresses, rows: int) -> Iterator[str]:
    """A database with so many rows in each table, as `analyze` saw them."""
    name = f"test_{secrets.token_hex(6)}"
    made = run(make_database(servers.superuser_url, name, PASSWORDS, template=servers.template))
    run(fill(made.superuser_url, FILL.replace("ROWS", str(rows))))
    yield made.app_url
    run(drop_database(servers.superuser_url, name))


@pytest.fixture(scope="module")
def full(servers: Addresses) -> Iterator[str]:
    with filled(servers, 100_000) as url:
        yield url


@pytest.fixture(scope="module")
def small(servers: Addresses) -> Iterator[str]:
    with filled(servers, 50) as url:
        yield url


async def fill(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statements)
        await connection.execute("analyze")
    finally:
        await connection.close()


async def plan_of(url: str, statement: str) -> list[Plan]:
    """The nodes of a statement's generic plan, from the top down."""
    connection = await asyncpg.connect(url, server_settings={"plan_cache_mode": "force_generic_plan", "jit": "off"})
    try:
        prepared = await connection.prepare(statement)
        arguments = ", ".join("null" for _ in prepared.get_parameters())
        await connection.execute(f"prepare asked as {statement}")
        explained = await connection.fetchval(f"explain (format json) execute asked ({arguments})")
    finally:
        await connection.close()
    return list(_nodes(json.loads(explained)[0]["Plan"]))


def _nodes(plan: Plan) -> Iterator[Plan]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def reads(nodes: list[Plan], table: str) -> set[str]:
    """How a table is read: by which index, or `whole`."""
    scans = [node for node in nodes if node.get("Relation Name") == table and "Scan" in node["Node Type"]]
    return {node.get("Index Name") or _index_under(node) for node in scans}


def _index_under(node: Plan) -> str:
    under = [child["Index Name"] for child in _nodes(node) if "Index Name" in child]
    return under[0] if under else "whole"


@pytest.mark.parametrize(
    "statement", [LOCK, LOCK_AND_LOOK, LOCK_FREE_AND_LOOK], ids=["lock", "lock and look", "lock free"]
)
@pytest.mark.parametrize("tables", ["full", "small"])
async def test_locks_are_taken_in_id_order(full: str, small: str, statement: str, tables: str) -> None:
    nodes = await plan_of(full if tables == "full" else small, statement)
    (place,) = (number for number, node in enumerate(nodes) if node["Node Type"] == "LockRows")
    under = nodes[place + 1]
    if under["Node Type"] == "Sort":
        assert [key.rpartition(".")[2] for key in under["Sort Key"]] == ["id"]
    else:
        assert (under["Node Type"], under["Index Name"], under["Scan Direction"]) == (
            "Index Scan", "account_pkey", "Forward",
        )  # fmt: skip
    assert sum(node["Node Type"] == "LockRows" for node in nodes) == 1


@pytest.mark.parametrize(
    ("statement", "table", "index"),
    [
        (LOCK, "account", "account_pkey"), (LOCK_AND_LOOK, "account", "account_pkey"),
        (LOCK_AND_LOOK, "journal", "journal_key"), (LOCK_FREE_AND_LOOK, "account", "account_pkey"),
        (LOCK_FREE_AND_LOOK, "journal", "journal_key"), (LOOK, "journal", "journal_key"),
        (ROWS, "journal", "journal_key"), (HOLDS, "hold", "hold_pkey"), (REVERSED, "journal", "journal_reversed_once"),
        (UPDATE, "account", "account_pkey"), (WRITE_LINE, "account", "account_pkey"),
    ],
)  # fmt: skip
async def test_what_is_asked_for_is_found_by_an_index(full: str, statement: str, table: str, index: str) -> None:
    nodes = await plan_of(full, statement)
    assert reads(nodes, table) == {index}
    assert not [node for node in nodes if node["Node Type"] in {"Hash Join", "Merge Join"}]
