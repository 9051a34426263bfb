"""Digests of append-only rows, and the keyed marks and heads of the seals over them.

`SEALED_TABLES` lists what the one chain covers: whoever seals or audits goes by that list. A function in the database
named after each table computes the same digests, so that sealing need not fetch the rows; an audit fetches them and
computes here. A digest is the SHA-256 of the wire's own form of a row: how many columns, then for each its type, its
length and its value.
"""

import hmac
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from operator import attrgetter
from struct import Struct
from typing import Any, NamedTuple

GENESIS = bytes(32)
"""What stands as `previous` in the first seal."""

DIGEST_BYTES = 32
MARK_BYTES = 16
_BLOCK_BYTES = 64
_CODE_SHIFT = 56
_LAST_POSITION = (1 << _CODE_SHIFT) - 1
_POSITION = Struct(">q")
_SEALED = Struct(">qqq")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_Encoder = Callable[[Any], bytes]


def _of_type(oid: int, encode: _Encoder) -> _Encoder:
    """How a value of a built-in type stands in a row, after the type's number and the length; -1 is null."""
    absent = Struct(">ii").pack(oid, -1)
    lengths = [Struct(">ii").pack(oid, length) for length in range(64)]
    head = Struct(">ii")

    def encoded(value: Any) -> bytes:
        if value is None:
            return absent
        content = encode(value)
        length = len(content)
        return (lengths[length] if length < len(lengths) else head.pack(oid, length)) + content

    return encoded


_BIG = _of_type(20, Struct(">q").pack)
_SMALL = _of_type(21, Struct(">h").pack)
_TEXT = _of_type(25, str.encode)
_BYTES = _of_type(17, bytes)
_UUID = _of_type(2950, attrgetter("bytes"))
_TIME = _of_type(1184, bytes)


class SealedTable:
    """An append-only table that the chain covers: its columns in the order of their digest."""

    def __init__(self, name: str, code: int, columns: dict[str, _Encoder]) -> None:
        self.name, self.columns = name, tuple(columns)
        self.tag = code << _CODE_SHIFT
        """What a mark adds to the position, for it to say which table the row is in."""
        self.selected = ", ".join(
            f"timestamptz_send({column}) as {column}" if encoder is _TIME else column
            for column, encoder in columns.items()
        )
        """The columns as `digest` wants them. Times stay as on the wire: PostgreSQL knows some that Python does not."""
        self._head = Struct(">i").pack(len(columns))
        self._encoders = tuple(columns.values())

    def digest(self, row: Sequence[Any]) -> bytes:
        """The digest of a row, its values as `selected` gives them."""
        encoded = [encode(value) for encode, value in zip(self._encoders, row, strict=True)]
        return sha256(self._head + b"".join(encoded)).digest()

    def is_among(self, marks: bytes) -> bool:
        """Whether one of a seal's marks is of a row of this table."""
        return self.tag >> _CODE_SHIFT in marks[:: _POSITION.size + MARK_BYTES]


JOURNAL = SealedTable("journal", 0, {
    "position": _BIG, "transaction_id": _UUID, "source": _BIG, "target": _BIG, "amount": _BIG, "source_seq": _BIG,
    "target_seq": _BIG, "source_posted": _BIG, "target_posted": _BIG, "source_held": _BIG, "target_held": _BIG,
    "recorded_at": _TIME, "effective_at": _TIME, "ref": _UUID, "operation": _TEXT, "kind": _TEXT, "refusal": _TEXT,
    "line": _SMALL, "content": _BYTES,
})  # fmt: skip
ACCOUNT_CHANGE = SealedTable("account_change", 1, {
    "position": _BIG, "account": _BIG, "after_seq": _BIG, "owner": _TEXT, "purpose": _TEXT, "currency": _TEXT,
    "floor": _BIG, "ceiling": _BIG, "status": _TEXT, "recorded_at": _TIME,
})  # fmt: skip
DEED = SealedTable("deed", 2, {
    "position": _BIG, "id": _UUID, "recorded_at": _TIME, "actor": _UUID, "session": _UUID, "impersonator": _UUID,
    "action": _TEXT, "target": _TEXT, "about": _UUID, "request_id": _TEXT, "detail": _TEXT,
    "encrypted_detail": _BYTES, "encrypted_origin": _BYTES,
})  # fmt: skip

SEALED_TABLES = (JOURNAL, ACCOUNT_CHANGE, DEED)
"""Every table of the chain, each at the place of its code; they share one sequence of positions."""


def for_each_table(sql: str, between: str) -> str:
    """The same SQL for every sealed table, where {table} is its name and {tag} what its marks add to positions."""
    return between.join(sql.format(table=table.name, tag=table.tag) for table in SEALED_TABLES)


def wire_time(at: datetime) -> bytes:
    """An instant as it stands on the wire: microseconds since 2000."""
    return _POSITION.pack((at - _EPOCH) // _MICROSECOND)


class Place(NamedTuple):
    """Where a row is: in one number of a mark, the table's code stands above the position."""

    position: int
    table: SealedTable

    @property
    def packed(self) -> bytes:
        """As it stands in a mark. No position that the sequence gives is too long for it."""
        return _POSITION.pack(self.position & _LAST_POSITION | self.table.tag)


class Mark(NamedTuple):
    """What a seal keeps of one row."""

    place: Place
    value: bytes


def next_mark(key: bytes, before: bytes, place: Place, digest: bytes) -> bytes:
    """The mark of a row: bound to the key, to the mark before (or the previous head) and to the row's place."""
    return hmac.digest(key, before + place.packed + digest, "sha256")[:MARK_BYTES]


def chained(key: bytes, before: bytes, digests: bytes) -> bytes:
    """Marks for many rows at once: places and digests in, places and marks out, as they stand in `seal.marks`.

    The same HMAC as in `next_mark`, spelled out (RFC 2104) so that the key's two blocks are hashed once and not for
    each row: the sealer runs beside the ledger, and this halves its own part of the work.
    """
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in padded)).copy for pad in (0x36, 0x5C))
    size = _POSITION.size + DIGEST_BYTES
    marks = []
    for start in range(0, len(digests), size):
        row = digests[start : start + size]
        inside, outside = inner(), outer()
        inside.update(before + row)
        outside.update(inside.digest())
        before = outside.digest()[:MARK_BYTES]
        marks.append(row[: _POSITION.size] + before)
    return b"".join(marks)


def packed(marks: Sequence[Mark]) -> bytes:
    """Marks as they stand in `seal.marks`."""
    return b"".join(mark.place.packed + mark.value for mark in marks)


def unpacked(marks: bytes) -> list[Mark] | None:
    """The marks of a seal; None where these cannot be any: cut off, of no table, or not in order of position."""
    size = _POSITION.size + MARK_BYTES
    if not marks or len(marks) % size:
        return None
    found = []
    for start in range(0, len(marks), size):
        code, position = divmod(_POSITION.unpack_from(marks, start)[0], 1 << _CODE_SHIFT)
        if not 0 <= code < len(SEALED_TABLES):
            return None
        found.append(Mark(Place(position, SEALED_TABLES[code]), marks[start + _POSITION.size : start + size]))
    in_order = all(one.place.position < other.place.position for one, other in pairwise(found))
    return found if in_order else None


class Sealed(NamedTuple):
    """What a seal says beside its head."""

    number: int
    first_position: int
    last_position: int
    marks: bytes
    previous: bytes
    sealed_at: bytes
    """As on the wire."""


def head_of(key: bytes, seal: Sealed) -> bytes:
    """The head of a seal: bound to the key and to everything that the seal says."""
    figures = _SEALED.pack(seal.number, seal.first_position, seal.last_position)
    return hmac.digest(key, seal.previous + figures + seal.sealed_at + sha256(seal.marks).digest(), "sha256")
