"""What uploads say no to. What is another's is refused as what does not exist."""

from dataclasses import dataclass
from typing import ClassVar

from domain.asset.model import Flaw
from domain.refusal import Refusal


@dataclass(frozen=True, slots=True)
class UnknownAssetOwner(Refusal):
    """There is no such brand, or your role in it does not cover files of this purpose."""

    code: ClassVar[str] = "UNKNOWN_ASSET_OWNER"
    message: str = "You send no files of this purpose for this brand."


@dataclass(frozen=True, slots=True)
class UnknownAsset(Refusal):
    """There is no such file of yours."""

    code: ClassVar[str] = "UNKNOWN_ASSET"
    message: str = "There is no such file of yours."


@dataclass(frozen=True, slots=True)
class UploadNotPossible(Refusal):
    """What you say of the file is not what a file of this purpose may be."""

    code: ClassVar[str] = "UPLOAD_NOT_POSSIBLE"
    message: str
    field: str


@dataclass(frozen=True, slots=True)
class UploadMissing(Refusal):
    """The file has not come yet: send it, then finish the upload."""

    code: ClassVar[str] = "UPLOAD_MISSING"
    message: str = "The file has not come yet: send it first."


@dataclass(frozen=True, slots=True)
class UploadExpired(Refusal):
    """The file did not come in time: begin another upload."""

    code: ClassVar[str] = "UPLOAD_EXPIRED"
    message: str = "The file did not come in time: begin anew."


@dataclass(frozen=True, slots=True)
class UploadRefused(Refusal):
    """The file came and is not taken; the same file never will be."""

    code: ClassVar[str] = "UPLOAD_REFUSED"
    message: str
    reason: Flaw


@dataclass(frozen=True, slots=True)
class AssetNotReady(Refusal):
    """A file that is not there, not ready, of another purpose, or not yours to use here."""

    code: ClassVar[str] = "ASSET_NOT_READY"
    message: str = "This takes files of yours that are ready, and were sent for this purpose."
