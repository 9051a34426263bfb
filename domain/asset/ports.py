"""What assets need: their rows, a place for files, and somebody who understands pictures."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from domain.asset.model import Asset, Declared, Flaw, MediaType, Purpose, Rendition, RenditionName
from domain.identity.ports import IdentityPorts
from domain.identity.stores import IdentityWork
from domain.ids import AssetId


class ReadyAssets(Protocol):
    """What other contexts ask of assets inside their own unit of work."""

    async def ready(
        self, ids: Collection[AssetId], owners: Collection[str], purpose: Purpose
    ) -> Mapping[AssetId, Asset]:
        """Those of them that are ready, of a purpose and of one of these owners. They stay so while the unit lasts."""
        ...


class Assets(ReadyAssets, Protocol):
    """Assets inside a unit of work."""

    async def add(self, asset: Asset, file_name: bytes, token: bytes) -> None:
        """Keep an upload that begins: the file's name sealed, and a digest of the token that it is sent with."""
        ...

    async def lock(self, id_: AssetId) -> Asset | None:
        """An asset, locked."""
        ...

    async def save(self, asset: Asset) -> None:
        """Keep what it was decided to be."""
        ...

    async def overdue(self, now: datetime, first: int) -> Sequence[AssetId]:
        """Uploads whose time is over and that nobody has finished, longest first."""
        ...

    async def cleared(self, id_: AssetId) -> None:
        """Note that what was not to be kept of its files is deleted."""
        ...


class AssetWork(IdentityWork, Protocol):
    """A unit of work with assets in it."""

    @property
    def assets(self) -> Assets:
        """Assets."""
        ...


@dataclass(frozen=True, slots=True)
class Clearing:
    """An asset of whose files some are to be deleted: what was sent, and where it is not ready, all of them."""

    id: AssetId
    everything: bool


class AssetReads(Protocol):
    """Assets, read without locks; names of files are opened, and are empty where the key is gone."""

    async def assets(self, ids: Sequence[AssetId]) -> Mapping[AssetId, Asset]:
        """Assets by id, those that there are, whosever they are."""
        ...

    async def awaited(self, token: bytes) -> Asset | None:
        """The upload whose token has this digest, as long as it is not decided."""
        ...

    async def to_clear(self, before: datetime, first: int) -> Sequence[Clearing]:
        """Decided uploads whose time was over before then and whose files were not looked after yet."""
        ...


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a client POSTs a file as `multipart/form-data`: these fields first, then the file as `file`."""

    url: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Arrived:
    """A file that was sent, as it lies on this machine."""

    file: Path
    length: int
    """Bytes."""
    sha256: bytes
    head: bytes
    tail: bytes


class Files(Protocol):
    """Where files lie: those that were sent, by their asset, and those that are kept, by asset and size."""

    @property
    def site(self) -> str:
        """The address at which browsers reach our own doors of files, without a slash at its end."""
        ...

    def destination(self, id_: AssetId, declared: Declared, token: str) -> Destination:
        """Where a client sends it, from now on for `UPLOAD_LIFETIME`."""
        ...

    def arrived(self, id_: AssetId, most: int) -> AbstractAsyncContextManager[Arrived | None]:
        """What was sent, for as long as it is looked at; None where nothing has come whole.

        More than `most` bytes are not read: of a longer file the length alone is right.
        """
        ...

    def pieces(self, file: Path) -> AsyncIterator[bytes]:
        """A file on this machine, in pieces of `PIECE` bytes, the last one shorter."""
        ...

    async def keep(self, id_: AssetId, name: RenditionName, pieces: AsyncIterator[bytes]) -> None:
        """Keep a file for good, all of it or nothing; it takes the place of one that is there."""
        ...

    def kept(self, id_: AssetId, name: RenditionName) -> AsyncIterator[bytes]:
        """What is kept. Raises `UnavailableError` where it is not there."""
        ...

    def lies_at(self, id_: AssetId, name: RenditionName) -> Path | None:
        """Where a kept file lies on this machine, if it does."""
        ...

    def address(self, id_: AssetId, rendition: Rendition, file_name: str, now: datetime) -> str | None:
        """Where others than we hand out a kept file for a short while; None where we do it ourselves."""
        ...

    async def discard(self, id_: AssetId, *, everything: bool) -> None:
        """Delete what was sent, or everything of an asset. Safe to repeat."""
        ...


@dataclass(frozen=True, slots=True)
class Made:
    """A file made of a picture, on this machine."""

    rendition: Rendition
    file: Path


class Pictures(Protocol):
    """Reads pictures and writes them anew, so that nothing but the picture is left in them."""

    def renditions(
        self, file: Path, type_: MediaType, *, sizes: bool
    ) -> AbstractAsyncContextManager[Sequence[Made] | Flaw]:
        """A picture written anew, with smaller `sizes` if wished, for as long as they are looked at; or why not."""
        ...


class AssetPorts(IdentityPorts, Protocol):
    """What the actions of assets are handed."""

    def work(self) -> AbstractAsyncContextManager[AssetWork]:
        """Open a unit of work."""
        ...

    @property
    def reads(self) -> AssetReads:
        """Assets, read without locks."""
        ...

    @property
    def files(self) -> Files:
        """Where files lie."""
        ...

    @property
    def pictures(self) -> Pictures:
        """Who understands pictures."""
        ...
