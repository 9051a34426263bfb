"""The form that a file is sent in, read as it comes: a file of known length is written away, nothing is gathered."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import IO, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

_MOST_BESIDE: Final = 16 * 1024
"""Bytes of everything in the form but the file."""
_ENOUGH: Final = 256 * 1024
"""Bytes that are written at once."""
_FILE: Final = b"file"


class FormError(Exception):
    """What was sent is no form with a file of the expected length as `file`."""


class TooLongError(FormError):
    """The file, or what stands beside it, is longer than it may be."""


class _Reading:
    """What the parser tells."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._header = bytearray()
        self._value = bytearray()
        self._in_file = False
        self.waiting = bytearray()
        self.seen = self.files = self.beside = 0
        self.ended = False

    def on_part_begin(self) -> None:
        """A part begins."""
        self._in_file = False

    def on_header_begin(self) -> None:
        """A header of a part begins."""
        self._header.clear()
        self._value.clear()

    def on_header_field(self, text: bytes, start: int, end: int) -> None:
        """Some of a header's name."""
        self._header += text[start:end]

    def on_header_value(self, text: bytes, start: int, end: int) -> None:
        """Some of a header's value."""
        self._value += text[start:end]

    def on_header_end(self) -> None:
        """A header is there as a whole; the one that counts tells which part it is."""
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(bytes(self._value))
            self._in_file = options.get(b"name") == _FILE
            self.files += self._in_file

    def some_of_a_part(self, text: bytes, start: int, end: int) -> None:
        """Some of a part. Raises `TooLongError`."""
        if not self._in_file:
            self.beside += end - start
            if self.beside > _MOST_BESIDE:
                raise TooLongError
            return
        self.seen += end - start
        if self.seen > self._length:
            raise TooLongError
        self.waiting += text[start:end]

    def on_end(self) -> None:
        """The form is at its end."""
        self.ended = True


async def write_file(headers: Mapping[str, str], stream: AsyncIterator[bytes], length: int, into: IO[bytes]) -> None:
    """Write the one file of a form away. Raises `FormError`, `TooLongError` as soon as it is longer than expected."""
    reading = _Reading(length)
    parser = _parser(headers, reading)
    came = 0
    async for chunk in stream:
        came += len(chunk)
        if came > length + 2 * _MOST_BESIDE:
            raise TooLongError
        try:
            parser.write(chunk)
        except FormParserError:
            raise FormError from None
        if len(reading.waiting) >= _ENOUGH:
            await _write(into, reading)
    await _write(into, reading)
    if not reading.ended or reading.files != 1 or reading.seen != length:
        raise FormError


def _parser(headers: Mapping[str, str], reading: _Reading) -> MultipartParser:
    kind, options = parse_options_header(headers.get("content-type", ""))
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise FormError
    try:
        return MultipartParser(
            boundary,
            {
                "on_part_begin": reading.on_part_begin,
                "on_header_begin": reading.on_header_begin,
                "on_header_field": reading.on_header_field,
                "on_header_value": reading.on_header_value,
                "on_header_end": reading.on_header_end,
                "on_part_data": reading.some_of_a_part,
                "on_end": reading.on_end,
            },
        )
    except FormParserError:
        raise FormError from None


async def _write(into: IO[bytes], reading: _Reading) -> None:
    await asyncio.to_thread(into.write, bytes(reading.waiting))
    reading.waiting.clear()
