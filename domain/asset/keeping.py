"""Personal files at rest: pieces that only the key of who sent them opens, each bound to its place."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from typing import Final

from domain.asset.model import Asset, Rendition, RenditionName
from domain.asset.ports import AssetPorts
from domain.errors import UnavailableError
from domain.vault import Sealed, Vault

PIECE: Final = 192 * 1024
"""Bytes of a file in one piece; a third more when sealed."""
_LENGTH: Final = 4
"""Bytes that say how long the sealed piece behind them is."""


async def sealed_pieces(
    vault: Vault, asset: Asset, name: RenditionName, pieces: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """The same file sealed with the key of who sent it. Raises `KeyDestroyedError`."""
    number = 0
    async for piece in pieces:
        sealed = await vault.seal(asset.uploader, _field(asset, name, number), b64encode(piece).decode())
        yield len(sealed).to_bytes(_LENGTH, "big") + sealed
        number += 1


async def contents(ports: AssetPorts, asset: Asset, rendition: Rendition) -> AsyncIterator[bytes]:
    """A kept file, opened, piece by piece. Raises `UnavailableError` where it is not there, or not whole."""
    kept = ports.files.kept(asset.id, rendition.name)
    left = rendition.length
    async for piece in _opened(ports.vault, asset, rendition, kept) if asset.rule.is_personal else kept:
        left -= len(piece)
        yield piece
    if left:
        raise UnavailableError(f"the file of asset {asset.id} is not whole")


async def _opened(vault: Vault, asset: Asset, rendition: Rendition, kept: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    waiting, number = bytearray(), 0
    async for some in kept:
        waiting += some
        while len(waiting) >= _LENGTH:
            end = _LENGTH + int.from_bytes(waiting[:_LENGTH], "big")
            if len(waiting) < end:
                break
            field = _field(asset, rendition.name, number)
            (text,) = await vault.open([Sealed(asset.uploader, field, bytes(waiting[_LENGTH:end]))])
            if text is None:
                raise UnavailableError(f"the file of asset {asset.id} cannot be read any more")
            yield b64decode(text)
            del waiting[:end]
            number += 1


def _field(asset: Asset, name: RenditionName, number: int) -> str:
    return f"asset {asset.id} {name} {number}"
