"""The journal's rows, to and from the domain's."""

from collections.abc import Sequence

from asyncpg import Connection, Record

from adapters.postgres.accounts import AccountIndex
from domain.ids import TransactionId
from domain.ledger.chart import Kind
from domain.ledger.model import Code, JournalRow, Operation, Posting, Side
from domain.money import Money

COLUMNS = (
    "transaction_id", "line", "operation", "kind", "refusal", "source", "target", "amount", "source_seq",
    "source_posted", "source_held", "target_seq", "target_posted", "target_held", "ref", "content", "effective_at",
)  # fmt: skip
ROWS = """
select transaction_id, line, operation, kind, refusal, source, target, amount, source_seq, target_seq,
    source_posted, target_posted, source_held, target_held, ref, content, effective_at
from journal where transaction_id = any($1::uuid[]) order by transaction_id, line
"""
_NO_FIGURES = (None, None, None)


async def read_rows(
    connection: Connection, index: AccountIndex, ids: Sequence[TransactionId]
) -> dict[TransactionId, tuple[JournalRow, ...]]:
    """What the journal says of transactions. A decided posting never changes, so that no lock is needed."""
    records = await connection.fetch(ROWS, ids)
    await index.resolve_ids(
        connection, [number for row in records for number in (row["source"], row["target"]) if number is not None]
    )
    found: dict[TransactionId, tuple[JournalRow, ...]] = {}
    for record in records:
        row = _row(record, index)
        found[row.transaction_id] = (*found.get(row.transaction_id, ()), row)
    return found


def _row(record: Record, index: AccountIndex) -> JournalRow:
    def side(name: str) -> Side | None:
        if record[name] is None:
            return None
        figures = (record[f"{name}_seq"], record[f"{name}_posted"], record[f"{name}_held"])
        return Side(index.key_of(record[name]), *figures)

    return JournalRow(
        record["transaction_id"], record["line"], Operation(record["operation"]),
        Kind(record["kind"]) if record["kind"] else None, Code(record["refusal"]) if record["refusal"] else None,
        side("source"), side("target"), record["amount"], record["ref"], record["content"], record["effective_at"],
    )  # fmt: skip


def records_of(rows: Sequence[JournalRow], index: AccountIndex) -> list[tuple[object, ...]]:
    """The rows as tuples of `COLUMNS`."""
    return [
        (
            transaction_id, line, operation, kind, refusal,
            index.id_of(source.account) if source else None, index.id_of(target.account) if target else None, amount,
            *(source[1:] if source else _NO_FIGURES), *(target[1:] if target else _NO_FIGURES), ref, content,
            effective_at,
        )
        for transaction_id, line, operation, kind, refusal, source, target, amount, ref, content, effective_at in rows
    ]  # fmt: skip


def posting_of(row: JournalRow) -> Posting:
    """The posting that a posted row carried out. Raises AssertionError for a refusal's row."""
    if row.kind is None or row.source is None or row.target is None:
        raise AssertionError(f"posted row {row.transaction_id}/{row.line} names no accounts")
    return Posting(row.kind, row.source.account, row.target.account, Money(row.amount, row.source.account.currency))
