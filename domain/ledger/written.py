"""Rows as they were read back, taken on trust by nobody: what an audit holds against each other."""

from typing import NamedTuple
from uuid import UUID

from domain.ledger.audit import Finding

Figures = tuple[int | None, int | None, int | None]
"""Seq, posted and held of a side."""


class WrittenRow(NamedTuple):
    """A journal row, with the numbers of its accounts."""

    position: int
    transaction_id: UUID
    source: int | None
    target: int | None
    amount: int
    source_seq: int | None
    target_seq: int | None
    source_posted: int | None
    target_posted: int | None
    source_held: int | None
    target_held: int | None
    ref: UUID | None
    operation: str
    kind: str | None
    refusal: str | None
    line: int
    content: bytes | None

    @property
    def key(self) -> str:
        """What names it in its table."""
        return f"{self.transaction_id}/{self.line}"

    @property
    def meaning(self) -> tuple[str | None, int | None, int | None]:
        """Why, from where and to where."""
        return self.kind, self.source, self.target

    def side(self, name: str) -> tuple[int | None, Figures]:
        """The account's number and figures of its `source` or `target`."""
        if name == "source":
            return self.source, (self.source_seq, self.source_posted, self.source_held)
        return self.target, (self.target_seq, self.target_posted, self.target_held)

    def finding(self, what: str, expected: object = None, found: object = None) -> Finding:
        """Something is wrong with this row."""
        return Finding("journal", self.key, self.position, what, _said(expected), _said(found))


class WrittenChange(NamedTuple):
    """A row of an account's history."""

    position: int
    account: int
    after_seq: int
    owner: str
    purpose: str
    currency: str
    floor: int | None
    ceiling: int | None
    status: str

    @property
    def key(self) -> str:
        """What names it in its table."""
        return str(self.position)

    def finding(self, what: str, expected: object = None, found: object = None) -> Finding:
        """Something is wrong with this row."""
        return Finding("account_change", self.key, self.position, what, _said(expected), _said(found))


def _said(value: object) -> str | None:
    return None if value is None else str(value)
