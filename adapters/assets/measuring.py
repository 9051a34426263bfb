"""What is told of a file by reading it once, in a thread."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

from domain.asset.keeping import PIECE
from domain.asset.ports import Arrived
from domain.asset.signatures import HEAD, TAIL
from domain.errors import UnavailableError


async def measured(file: Path, most: int) -> Arrived | None:
    """A file that was sent; None where there is none. One of more than `most` bytes is not read."""
    return await asyncio.to_thread(_measured, file, most)


async def pieces_of(file: Path) -> AsyncIterator[bytes]:
    """A file in pieces. Raises `UnavailableError` where there is none."""
    try:
        opened = await asyncio.to_thread(file.open, "rb")
    except FileNotFoundError:
        raise UnavailableError(f"{file.name} is not there") from None
    with opened:
        while piece := await asyncio.to_thread(opened.read, PIECE):
            yield piece


def _measured(file: Path, most: int) -> Arrived | None:
    try:
        with file.open("rb") as opened:
            length = file.stat().st_size
            if length > most:
                return Arrived(file, length, b"", b"", b"")
            head = opened.read(HEAD)
            opened.seek(max(0, length - TAIL))
            tail = opened.read(TAIL)
            opened.seek(0)
            digest = sha256()
            while piece := opened.read(PIECE):
                digest.update(piece)
    except FileNotFoundError:
        return None
    return Arrived(file, length, digest.digest(), head, tail)
