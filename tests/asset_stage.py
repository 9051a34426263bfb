"""Files on a real database with a real vault, in a folder of the test's own: people who send some."""

import io
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from pathlib import Path

from PIL import Image

from adapters.assets.local import LocalFiles
from adapters.assets.pictures import PillowPictures
from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.asset.reads import PostgresAssetReads
from domain.actor import Actor
from domain.asset.addresses import address_of, shown
from domain.asset.finishing import finish_upload
from domain.asset.keeping import contents
from domain.asset.model import Asset, Declared, MediaType, Purpose, Rendition, RenditionName, Step
from domain.asset.ports import Destination, Files
from domain.asset.sending import FILE_NAME_FIELD, start_upload
from domain.ids import AssetId, BrandId, PersonId, uuid7
from domain.ports import Ports
from domain.quotas import Quotas
from domain.refusal import Refusal
from domain.rights import BrandRole
from tests.accounts_stage import AccountsStage, staged_accounts
from tests.vaults import open_vault

PDF = b"%PDF-1.7\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(200)
WEBM = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm\x42\x87\x81\x04" + bytes(200)


def picture(type_: str = "PNG", size: tuple[int, int] = (640, 480), **options: object) -> bytes:
    """A picture with a gradient, so that it is no single colour."""
    made = Image.linear_gradient("L").resize(size).convert("RGB")
    written = io.BytesIO()
    made.save(written, format=type_, **options)
    return written.getvalue()


def declared(content: bytes, type_: MediaType, name: str = "a file") -> Declared:
    return Declared(name, type_, len(content), sha256(content).digest())


@dataclass(kw_only=True)
class AssetStage(AccountsStage):
    """`domain.asset.ports.AssetPorts`, with the means to look behind it."""

    reads: PostgresAssetReads
    files: Files
    pictures: PillowPictures = field(default_factory=PillowPictures)

    async def owner(self, mail: str = "ani@mail.example") -> tuple[Actor, BrandId]:
        """Somebody who owns a brand, as far as their standing says."""
        brand = BrandId(uuid7())
        return replace(await self.member(mail), brands={brand: BrandRole.OWNER}), brand

    async def started(
        self, actor: Actor, content: bytes, type_: MediaType, purpose: Purpose, brand: BrandId | None = None
    ) -> tuple[Asset, Destination]:
        """An upload that has begun."""
        made = await start_upload(self, actor, purpose, brand, declared(content, type_))
        assert not isinstance(made, Refusal), made
        return made

    async def put(self, asset: Asset, content: bytes) -> bool:
        """The file comes, as it does by our own door."""
        assert isinstance(self.files, LocalFiles)
        async with self.files.written() as beside:
            beside.write(content)
            return await self.files.take_over(asset.id, beside)

    async def sent(
        self, actor: Actor, content: bytes, type_: MediaType, purpose: Purpose, brand: BrandId | None = None
    ) -> Asset | Refusal:
        """A whole upload; what came of it."""
        asset, _ = await self.started(actor, content, type_, purpose, brand)
        assert await self.put(asset, content)
        return await finish_upload(self, actor, asset.id)

    async def ready(
        self, actor: Actor, content: bytes, type_: MediaType, purpose: Purpose, brand: BrandId | None = None
    ) -> Asset:
        """A file that is ready."""
        made = await self.sent(actor, content, type_, purpose, brand)
        assert isinstance(made, Asset), made
        return made

    async def read(self, asset: Asset, name: RenditionName = RenditionName.WHOLE) -> bytes:
        """What is fetched by a file's address."""
        address = address_of(self, asset, name)
        assert address is not None
        found = await shown(self, address.rpartition("/")[2])
        assert found is not None
        return b"".join([piece async for piece in contents(self, found.asset, found.rendition)])

    @property
    def folder(self) -> Path:
        assert isinstance(self.files, LocalFiles)
        return self.files._folder

    def lying(self) -> list[Path]:
        """Every file that there is."""
        return sorted(each for each in self.folder.rglob("*") if each.is_file())


def assets_on(stage: AccountsStage, folder: Path) -> AssetStage:
    """The same stage, with files in a folder."""
    given = {part.name: getattr(stage, part.name) for part in fields(AccountsStage)}
    files = LocalFiles(folder, "https://us.example")
    return AssetStage(**given, reads=PostgresAssetReads(stage.database, stage.vault), files=files)


@asynccontextmanager
async def staged_assets(addresses: DatabaseAddresses, quotas: Quotas | None = None) -> AsyncIterator[AssetStage]:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            open_vault(addresses) as vault,
            staged_accounts(addresses, vault=vault, quotas=quotas) as accounts,
        ):
            yield assets_on(accounts, Path(folder))


async def kept_asset(
    ports: Ports, person: PersonId, owner: str, purpose: Purpose, type_: MediaType, sizes: int = 1
) -> AssetId:
    """A file that is ready as far as its row says: for tests that never fetch it."""
    id_, now = AssetId(uuid7()), ports.clock()
    asset = Asset(id_, owner, purpose, person, Declared("a file", type_, 5, bytes(32)), now, now)
    kept = tuple(Rendition(name, type_, 5) for name in [*RenditionName][:sizes])
    ready = asset.decided(Step.ACCEPT, now, None, kept)
    assert ready is not None
    name = await ports.identity.vault.seal(person, FILE_NAME_FIELD, "a file")
    async with ports.asset.work() as work:
        await work.assets.add(asset, name, id_.bytes)
        await work.assets.save(ready)
    return id_
