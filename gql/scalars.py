"""Our own scalars: each takes one spelling only, and says which."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType, TypeVar
from uuid import UUID

import strawberry
from graphql import GraphQLError, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

from gql.errors import BadInputError

Cursor = NewType("Cursor", str)
"""A place in a list or a stream. Its text is opaque to clients."""

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,4})?", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_LONGEST_CURSOR = 200
_LONGEST_SHOWN = 60

Parsed = TypeVar("Parsed")


def opaque(text: str) -> str:
    """A text in a form that invites nobody to read it or to build one: base64 for URLs, unpadded."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def plain(text: str) -> str:
    """The text that `opaque` hid. Raises `BadInputError` for anything else than what it writes."""
    try:
        found = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (Base64Error, ValueError):
        raise BadInputError("malformed") from None
    if opaque(found) != text:
        raise BadInputError("malformed")
    return found


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text):
        raise ValueError('it is a plain decimal number such as "50000.00": no exponent, sign +, blank or leading zero')
    return Decimal(text)


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError('it is an instant with its offset such as "2026-01-31T09:30:00Z" (RFC 3339)')
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("there is no such date or time") from None


def _day(text: str) -> date:
    if not _DAY.fullmatch(text):
        raise ValueError('it is a day such as "2026-01-31" (RFC 3339)')
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("there is no such day") from None


def _uuid(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise ValueError('it is a UUID such as "0192f0c8-5d2a-7c11-9d5e-6b6f3a3c2b10"')
    return UUID(text)


def _cursor(text: str) -> Cursor:
    if not 0 < len(text) <= _LONGEST_CURSOR:
        raise ValueError("it is a cursor that we gave out earlier")
    return Cursor(text)


def _show_decimal(value: Decimal) -> str:
    return format(value, "f")


def _show_instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise TypeError("an instant without a time zone says nothing")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _scalar(
    name: str,
    description: str,
    read: Callable[[str], Parsed],
    show: Callable[[Any], str],
    specified_by: str | None = None,
) -> ScalarDefinition:
    """A scalar whose values are strings in both directions, as a variable and as a literal."""

    def parse_value(value: object) -> Parsed:
        if not isinstance(value, str):
            raise GraphQLError(f"{name} cannot represent {_cut(value)}: it is written as a string.")
        try:
            return read(value)
        except ValueError as error:
            raise GraphQLError(f"{name} cannot represent {_cut(value)}: {error}.") from None

    def parse_literal(node: ValueNode, _: object = None) -> Parsed:
        return parse_value(node.value if isinstance(node, StringValueNode) else _Written(node))

    return strawberry.scalar(
        name=name,
        description=description,
        specified_by_url=specified_by,
        serialize=show,
        parse_value=parse_value,
        parse_literal=parse_literal,
    )


class _Written:
    """A literal that is no string, to be shown as it was written."""

    def __init__(self, node: ValueNode) -> None:
        self._node = node

    def __repr__(self) -> str:
        return str(getattr(self._node, "value", self._node.kind))


def _cut(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[: _LONGEST_SHOWN - 1]}…"


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: _scalar(
        "Decimal",
        'An exact decimal number in a string, such as "50000.00". Never a float, never an exponent.',
        _decimal,
        _show_decimal,
    ),
    datetime: _scalar(
        "DateTime",
        'An instant with its offset, such as "2026-01-31T09:30:00Z". Answers are in UTC.',
        _instant,
        _show_instant,
        "https://www.rfc-editor.org/rfc/rfc3339",
    ),
    date: _scalar(
        "Date",
        'A day of the calendar, such as "2026-01-31"; of which time zone, its place says.',
        _day,
        date.isoformat,
        "https://www.rfc-editor.org/rfc/rfc3339",
    ),
    UUID: _scalar(
        "UUID",
        'A UUID, such as "0192f0c8-5d2a-7c11-9d5e-6b6f3a3c2b10".',
        _uuid,
        str,
        "https://www.rfc-editor.org/rfc/rfc9562",
    ),
    Cursor: _scalar(
        "Cursor", "A place in a list or in a stream of changes: keep it and give it back, do not read it.", _cursor, str
    ),
}
"""Python's type → the scalar that stands for it in the schema."""
