"""Files in an object store that speaks S3: `domain.asset.ports.Files`, by botocore in threads.

Clients send to the store itself, by a form that botocore signs (POST policy, SigV4): one key, one type, one length, one
hour. That a store holds to a policy is not relied upon: what came is fetched and looked into like anything else, and
what is kept lies under other keys, to which no form was ever signed.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any, Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import get_session

from adapters.assets.measuring import measured, pieces_of
from adapters.assets.names import disposition
from domain.asset.keeping import PIECE
from domain.asset.model import ADDRESS_LIFETIME, UPLOAD_LIFETIME, Declared, Rendition, RenditionName
from domain.asset.ports import Arrived, Destination
from domain.errors import UnavailableError
from domain.ids import AssetId

_MISSING: Final = frozenset({"404", "NoSuchKey", "NotFound"})
_SIZES: Final = tuple(RenditionName)


@dataclass(frozen=True, slots=True)
class S3Access:
    """Where the store is and who we are there."""

    bucket: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)
    endpoint: str | None = None
    """None: Amazon's own."""


class S3Files:
    """Files in one bucket, which must be private."""

    def __init__(self, access: S3Access, site: str) -> None:
        self._bucket, self.site = access.bucket, site
        self._client: Any = get_session().create_client(
            "s3",
            region_name=access.region,
            endpoint_url=access.endpoint,
            aws_access_key_id=access.access_key,
            aws_secret_access_key=access.secret_key,
            config=Config(
                signature_version="s3v4",
                connect_timeout=5,
                read_timeout=30,
                retries={"total_max_attempts": 3, "mode": "standard"},
                s3={"addressing_style": "path" if access.endpoint else "virtual"},
            ),
        )

    def destination(self, id_: AssetId, declared: Declared, token: str) -> Destination:  # noqa: ARG002  # a signature stands for it
        """A form for the store, good for this file alone."""
        pinned = {"Content-Type": str(declared.media_type), "success_action_status": "204"}
        made = self._client.generate_presigned_post(
            Bucket=self._bucket,
            Key=_sent(id_),
            Fields=dict(pinned),
            Conditions=[
                *({name: value} for name, value in pinned.items()),
                ["content-length-range", declared.length, declared.length],
            ],
            ExpiresIn=int(UPLOAD_LIFETIME.total_seconds()),
        )
        return Destination(made["url"], made["fields"])

    @asynccontextmanager
    async def arrived(self, id_: AssetId, most: int) -> AsyncGenerator[Arrived | None]:
        """What was sent, fetched to this machine."""
        with TemporaryDirectory(prefix="arrived-") as folder:
            place = Path(folder) / "file"
            length = await self._asked(lambda: self._fetch(_sent(id_), place, most), None)
            if length is None:
                yield None
            elif length > most:
                yield Arrived(place, length, b"", b"", b"")
            else:
                yield await measured(place, most)

    def pieces(self, file: Path) -> AsyncIterator[bytes]:
        """A file on this machine, in pieces."""
        return pieces_of(file)

    async def keep(self, id_: AssetId, name: RenditionName, pieces: AsyncIterator[bytes]) -> None:
        """Keep a file for good."""
        with TemporaryFile() as whole:
            async for piece in pieces:
                await asyncio.to_thread(whole.write, piece)
            await self._asked(lambda: self._put(_kept(id_, name), whole))

    async def kept(self, id_: AssetId, name: RenditionName) -> AsyncIterator[bytes]:
        """What is kept. Raises `UnavailableError` where it is not there."""
        body = await self._asked(lambda: self._client.get_object(Bucket=self._bucket, Key=_kept(id_, name))["Body"])
        try:
            while piece := await self._asked(lambda: body.read(PIECE)):
                yield piece
        finally:
            body.close()

    def lies_at(self, id_: AssetId, name: RenditionName) -> None:
        """Nothing lies on this machine."""

    def address(self, id_: AssetId, rendition: Rendition, file_name: str, now: datetime) -> str:  # noqa: ARG002  # the store has a clock of its own
        """A signed address of the store, which hands the file out as what it was found to be."""
        url: str = self._client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": _kept(id_, rendition.name),
                "ResponseContentType": str(rendition.media_type),
                "ResponseContentDisposition": disposition(rendition, file_name),
            },
            ExpiresIn=int(ADDRESS_LIFETIME.total_seconds()),
        )
        return url

    async def discard(self, id_: AssetId, *, everything: bool) -> None:
        """Delete what was sent, or everything of an asset."""
        for key in [_sent(id_), *([_kept(id_, name) for name in _SIZES] if everything else [])]:
            await self._asked(partial(self._client.delete_object, Bucket=self._bucket, Key=key))

    def _fetch(self, key: str, place: Path, most: int) -> int:
        """Write an object to a file, unless it is too long; its length."""
        found = self._client.get_object(Bucket=self._bucket, Key=key)
        body, length = found["Body"], int(found["ContentLength"])
        try:
            if length <= most:
                with place.open("wb") as file:
                    while piece := body.read(PIECE):
                        file.write(piece)
        finally:
            body.close()
        return length

    def _put(self, key: str, whole: IO[bytes]) -> None:
        whole.seek(0)
        self._client.put_object(Bucket=self._bucket, Key=key, Body=whole)

    async def _asked(self, ask: Callable[[], Any], *missing: Any) -> Any:
        """What the store answers, asked in a thread; `missing` for what is not there.

        Raises `UnavailableError` where it does not answer as it should.
        """
        try:
            return await asyncio.to_thread(ask)
        except ClientError as error:
            if missing and error.response["Error"]["Code"] in _MISSING:
                return missing[0]
            raise UnavailableError(f"the object store refused: {error.response['Error']['Code']}") from error
        except (BotoCoreError, OSError) as error:
            raise UnavailableError("the object store does not answer") from error


def _sent(id_: AssetId) -> str:
    return f"sent/{id_.hex}"


def _kept(id_: AssetId, name: RenditionName) -> str:
    return f"kept/{id_.hex}/{name}"
