"""A zip of tables, as JSON and as CSV, written from front to back: only what was not taken away yet is in memory."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import IO, Final, Self
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from domain.identity.privacy_stores import Cell, Row

_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
"""With what a cell begins that a spreadsheet takes for something to compute; the wide forms, too."""
_FOR_SPREADSHEETS: Final = "\ufeff"
"""Without it some of them do not read UTF-8."""


class _Spout(io.RawIOBase):
    """Takes what a zip writes and lets it go; it has no way back."""

    def __init__(self) -> None:
        self.waiting = bytearray()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, piece: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]  # any buffer, here
        """Take a piece."""
        self.waiting += piece
        return len(piece)


class Archive:
    """A zip in the making: for each file `begin`, rows, and the next; then `close`. Between them `take` what is due.

    `with` lets go of one that was given up.
    """

    def __init__(self, at: datetime) -> None:
        self._spout, self._at = _Spout(), at
        self._zip = ZipFile(self._spout, "w", ZIP_DEFLATED)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, name: str) -> None:
        """Begin a file; the one before is at its end."""
        self._end()
        about = ZipInfo(name, self._at.timetuple()[:6])
        about.compress_type = ZIP_DEFLATED
        self._file = self._zip.open(about, "w", force_zip64=True)

    def write(self, text: str) -> None:
        """Go on with the file that was begun. Raises `ValueError` where there is none."""
        if self._file is None:
            raise ValueError("no file was begun")
        self._file.write(text.encode())

    def close(self) -> None:
        """End the zip; again, and nothing more is written."""
        self._end()
        self._zip.close()

    def take(self, size: int, *, rest: bool = False) -> Iterator[bytes]:
        """Pieces of this size, as far as they are there; with `rest` also what is left, however little."""
        waiting = self._spout.waiting
        while len(waiting) >= size or (rest and waiting):
            yield bytes(waiting[:size])
            del waiting[:size]

    def _end(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def json_lines(rows: Sequence[Row], *, first: bool) -> str:
    """Rows of a JSON array, all but its brackets. Amounts are texts, for a JSON number may lose digits."""
    texts = (json.dumps(dict(row), default=_shown, ensure_ascii=False) for row in rows)
    return "".join(("\n" if first and place == 0 else ",\n") + text for place, text in enumerate(texts))


def csv_lines(rows: Sequence[Row], *, first: bool) -> str:
    """Rows as CSV (RFC 4180), every cell in quotes; the first ones with a header."""
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    if first and rows:
        written.write(_FOR_SPREADSHEETS)
        writer.writerow(rows[0])
    writer.writerows([harmless(cell) for cell in row.values()] for row in rows)
    return written.getvalue()


def harmless(cell: Cell) -> str:
    """A cell that no spreadsheet computes: a text that could be a formula gets an apostrophe before it."""
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return _shown(cell) if isinstance(cell, Decimal) else str(cell).lower()
    text = cell.replace("\x00", "")
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def _shown(value: object) -> str:
    """Raises `TypeError` for what is no cell."""
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} does not belong into an export")
    return format(value, "f")
