"""Assets: what a file may be for, what it must be then, and how an upload goes from state to state."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.ids import AssetId, PersonId
from domain.rights import BrandRole

UPLOAD_LIFETIME: Final = timedelta(hours=1)
"""So long a file may be sent; then the upload is given up."""
ADDRESS_LIFETIME: Final = timedelta(minutes=15)
"""So long an address of a file is good at least."""
LONGEST_FILE_NAME: Final = 120
SHA256_BYTES: Final = 32
MEBIBYTE: Final = 1024 * 1024

_UNPRINTABLE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_NAMELESS: Final = "file"


class MediaType(StrEnum):
    """What a file is, by its contents."""

    PNG = "image/png"
    JPEG = "image/jpeg"
    WEBP = "image/webp"
    GIF = "image/gif"
    PDF = "application/pdf"
    MP4 = "video/mp4"
    WEBM = "video/webm"


class Purpose(StrEnum):
    """What a file is for."""

    BRAND_DOCUMENT = "brand_document"
    BRAND_LOGO = "brand_logo"
    STREAMER_AVATAR = "streamer_avatar"
    CREATIVE = "creative"


class RenditionName(StrEnum):
    """A size in which a file is kept."""

    WHOLE = "whole"
    OVERLAY = "overlay"
    THUMBNAIL = "thumbnail"


class State(StrEnum):
    """Where an upload stands."""

    AWAITED = "awaited"
    READY = "ready"
    REFUSED = "refused"
    EXPIRED = "expired"
    GONE = "gone"


class Step(StrEnum):
    """What may become of an upload. Besides, erasing who sent a personal file makes it `GONE`, in whichever state."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    EXPIRE = "expire"


NEXT: Final[Mapping[tuple[State, Step], State]] = {
    (State.AWAITED, Step.ACCEPT): State.READY,
    (State.AWAITED, Step.REFUSE): State.REFUSED,
    (State.AWAITED, Step.EXPIRE): State.EXPIRED,
}
"""What a step leads to; what is decided stays so."""


class Flaw(StrEnum):
    """Why a file that came is not taken."""

    SIZE = "size"
    HASH = "hash"
    TYPE = "type"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"


IMAGES: Final = frozenset({MediaType.PNG, MediaType.JPEG, MediaType.WEBP, MediaType.GIF})
_STILL: Final = IMAGES - {MediaType.GIF}
_VIDEOS: Final = frozenset({MediaType.MP4, MediaType.WEBM})


@dataclass(frozen=True, slots=True)
class Rule:
    """What a file for a purpose must be."""

    types: frozenset[MediaType]
    most_bytes: Mapping[MediaType, int] | int
    role: BrandRole | None
    """The role in the brand that it takes to send one and see it; None: it is a person's own."""
    is_personal: bool
    """It may tell of a person: it is kept sealed with the key of who sent it, and is lost with that."""

    def most(self, type_: MediaType) -> int:
        """How many bytes it may have."""
        return self.most_bytes if isinstance(self.most_bytes, int) else self.most_bytes[type_]


RULES: Final[Mapping[Purpose, Rule]] = {
    Purpose.BRAND_DOCUMENT: Rule(
        frozenset({MediaType.PDF, MediaType.PNG, MediaType.JPEG}), 10 * MEBIBYTE, BrandRole.MANAGER, is_personal=True
    ),
    Purpose.BRAND_LOGO: Rule(_STILL, 5 * MEBIBYTE, BrandRole.MANAGER, is_personal=False),
    Purpose.STREAMER_AVATAR: Rule(_STILL, 5 * MEBIBYTE, None, is_personal=True),
    Purpose.CREATIVE: Rule(
        IMAGES | _VIDEOS,
        {**dict.fromkeys(IMAGES, 10 * MEBIBYTE), **dict.fromkeys(_VIDEOS, 100 * MEBIBYTE)},
        BrandRole.MANAGER,
        is_personal=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Declared:
    """What somebody says of a file that they are going to send."""

    file_name: str
    media_type: MediaType
    length: int
    """Bytes."""
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Rendition:
    """A file that is kept of an asset."""

    name: RenditionName
    media_type: MediaType
    length: int
    """Bytes, once it is opened."""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that somebody gave us, or is about to."""

    id: AssetId
    owner: str
    """Whose it is, by the name in the ledger: `brand:<id>` or `person:<id>`."""
    purpose: Purpose
    uploader: PersonId
    declared: Declared
    created_at: datetime
    upload_until: datetime
    state: State = State.AWAITED
    flaw: Flaw | None = None
    decided_at: datetime | None = None
    renditions: tuple[Rendition, ...] = ()

    @property
    def rule(self) -> Rule:
        """What it must be."""
        return RULES[self.purpose]

    def rendition(self, name: RenditionName) -> Rendition | None:
        """The file of a size; None where it is not ready, or has no such size."""
        ready = self.renditions if self.state is State.READY else ()
        return next((each for each in ready if each.name is name), None)

    def decided(self, step: Step, now: datetime, flaw: Flaw | None, kept: tuple[Rendition, ...]) -> "Asset | None":
        """The asset after a step; None where it was decided before."""
        state = NEXT.get((self.state, step))
        return None if state is None else replace(self, state=state, flaw=flaw, decided_at=now, renditions=kept)


def clean_file_name(text: str) -> str:
    """The name of a file as it can be shown and offered for saving: no path, nothing unprintable, of a sane length.

    It names no file of ours: those go by ids.
    """
    shown = "".join(each for each in unicodedata.normalize("NFC", text) if unicodedata.category(each)[0] != "C")
    last = re.split(r"[/\\]", shown)[-1]
    return _UNPRINTABLE.sub("", last).strip(" .")[-LONGEST_FILE_NAME:].lstrip(" .") or _NAMELESS
