"""Files in a folder of ours, which all processes share. `domain.asset.ports.Files` where no object store is set up.

A file that is sent is written beside and then linked to its place, which works once: whoever is second finds it taken.
A file that is kept is written beside and then renamed, so that it is there whole or not at all. No name that anybody
outside chose is ever part of a path.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from adapters.assets.measuring import measured, pieces_of
from domain.asset.model import Declared, Rendition, RenditionName
from domain.asset.ports import Arrived, Destination
from domain.ids import AssetId

_BESIDE = "beside"


class LocalFiles:
    """Files below a folder, which is made when the first one comes."""

    def __init__(self, folder: Path, site: str) -> None:
        self._folder, self.site = folder, site

    def destination(self, id_: AssetId, declared: Declared, token: str) -> Destination:  # noqa: ARG002  # the token tells it all
        """Our own door."""
        return Destination(f"{self.site}/uploads/{token}", {})

    @asynccontextmanager
    async def arrived(self, id_: AssetId, most: int) -> AsyncGenerator[Arrived | None]:
        """What was sent, where it lies."""
        yield await measured(self._sent(id_), most)

    def pieces(self, file: Path) -> AsyncIterator[bytes]:
        """A file on this machine, in pieces."""
        return pieces_of(file)

    async def keep(self, id_: AssetId, name: RenditionName, pieces: AsyncIterator[bytes]) -> None:
        """Keep a file for good."""
        place = self._kept(id_, name)
        async with self._written() as beside:
            async for piece in pieces:
                await asyncio.to_thread(beside.write, piece)
            await asyncio.to_thread(_settle, beside)
            place.parent.mkdir(parents=True, exist_ok=True)
            await asyncio.to_thread(os.replace, beside.name, place)

    def kept(self, id_: AssetId, name: RenditionName) -> AsyncIterator[bytes]:
        """What is kept. Raises `UnavailableError` where it is not there."""
        return pieces_of(self._kept(id_, name))

    def lies_at(self, id_: AssetId, name: RenditionName) -> Path | None:
        """Where a kept file lies."""
        return self._kept(id_, name)

    def address(self, id_: AssetId, rendition: Rendition, file_name: str, now: datetime) -> None:
        """Nobody else hands files out."""

    async def discard(self, id_: AssetId, *, everything: bool) -> None:
        """Delete what was sent, or everything of an asset."""
        await asyncio.to_thread(self._sent(id_).unlink, missing_ok=True)
        if everything:
            await asyncio.to_thread(shutil.rmtree, self._of(id_), ignore_errors=True)

    def is_taken(self, id_: AssetId) -> bool:
        """Whether a file was sent for an asset."""
        return self._sent(id_).exists()

    @asynccontextmanager
    async def written(self) -> AsyncGenerator[IO[bytes]]:
        """A file to write what is being sent to; what is not taken over goes with the block."""
        async with self._written() as beside:
            yield beside

    async def take_over(self, id_: AssetId, written: IO[bytes]) -> bool:
        """Let a file be what was sent for an asset; False where one was sent before."""
        await asyncio.to_thread(_settle, written)
        place = self._sent(id_)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            await asyncio.to_thread(os.link, written.name, place)
        except FileExistsError:
            return False
        return True

    @asynccontextmanager
    async def _written(self) -> AsyncGenerator[IO[bytes]]:
        folder = self._folder / _BESIDE
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=folder, delete=False) as beside:
            try:
                yield beside
            finally:
                await asyncio.to_thread(Path(beside.name).unlink, missing_ok=True)

    def _sent(self, id_: AssetId) -> Path:
        return self._folder / "sent" / id_.hex

    def _of(self, id_: AssetId) -> Path:
        return self._folder / "kept" / id_.hex[-2:] / id_.hex

    def _kept(self, id_: AssetId, name: RenditionName) -> Path:
        return self._of(id_) / name


def _settle(file: IO[bytes]) -> None:
    """Write down to the disk, so that a lost machine does not leave an empty file under a good name."""
    file.flush()
    os.fsync(file.fileno())
