"""Digests of append-only rows, and the keyed marks and heads of the seals over them.

`journal_digest` and `account_change_digest` in the database compute the same digests, so that sealing need not fetch
the rows; an audit fetches them and computes here. A digest is the SHA-256 of the wire's own form of a row: how many
columns, then for each its type, its length and its value.
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

JOURNAL: dict[str, _Encoder] = {
    "position": _BIG, "transaction_id": _UUID, "source": _BIG, "target": _BIG, "amount": _BIG, "source_seq": _BIG,
    "target_seq": _BIG, "source_posted": _BIG, "target_posted": _BIG, "source_held": _BIG, "target_held": _BIG,
    "recorded_at": _TIME, "effective_at": _TIME, "ref": _UUID, "operation": _TEXT, "kind": _TEXT, "refusal": _TEXT,
    "line": _SMALL, "content": _BYTES,
}  # fmt: skip
"""The journal's columns in the order of their digest."""

ACCOUNT_CHANGE: dict[str, _Encoder] = {
    "position": _BIG, "account": _BIG, "after_seq": _BIG, "owner": _TEXT, "purpose": _TEXT, "currency": _TEXT,
    "floor": _BIG, "ceiling": _BIG, "status": _TEXT, "recorded_at": _TIME,
}  # fmt: skip
"""The columns of a change of an account in the order of their digest."""


def selected(columns: dict[str, _Encoder]) -> str:
    """The columns as a digest wants them. Times stay as on the wire: PostgreSQL knows some that Python does not."""
    return ", ".join(
        f"timestamptz_send({name}) as {name}" if encoder is _TIME else name for name, encoder in columns.items()
    )


def wire_time(at: datetime) -> bytes:
    """An instant as it stands on the wire: microseconds since 2000."""
    return _POSITION.pack((at - _EPOCH) // _MICROSECOND)


def _digester(columns: dict[str, _Encoder]) -> Callable[[Sequence[Any]], bytes]:
    head = Struct(">i").pack(len(columns))
    encoders = tuple(columns.values())

    def digest(row: Sequence[Any]) -> bytes:
        encoded = [encode(value) for encode, value in zip(encoders, row, strict=True)]
        return sha256(head + b"".join(encoded)).digest()

    return digest


journal_digest = _digester(JOURNAL)
"""The digest of a journal row, its values as `selected(JOURNAL)` gives them."""

account_change_digest = _digester(ACCOUNT_CHANGE)
"""The digest of an account's change, its values as `selected(ACCOUNT_CHANGE)` gives them."""


class Mark(NamedTuple):
    """What a seal keeps of one row. The place is its position, and minus its position for a change of an account."""

    place: int
    value: bytes


def next_mark(key: bytes, before: bytes, place: int, digest: bytes) -> bytes:
    """The mark of a row: bound to the key, to the mark before (or the previous head) and to the row's place."""
    return hmac.digest(key, before + _POSITION.pack(place) + digest, "sha256")[:MARK_BYTES]


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
    return b"".join(_POSITION.pack(place) + value for place, value in marks)


def unpacked(marks: bytes) -> list[Mark] | None:
    """The marks of a seal; None where these cannot be any: cut off, or not in order of position."""
    size = _POSITION.size + MARK_BYTES
    if not marks or len(marks) % size:
        return None
    found = [
        Mark(_POSITION.unpack_from(marks, start)[0], marks[start + _POSITION.size : start + size])
        for start in range(0, len(marks), size)
    ]
    in_order = all(abs(one.place) < abs(other.place) for one, other in pairwise(found))
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
