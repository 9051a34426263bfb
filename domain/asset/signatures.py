"""What a file is, by how it begins and ends, whatever anybody calls it. Pure: no IO."""

from typing import Final

from domain.asset.model import MediaType

HEAD: Final = 64
TAIL: Final = 1024
"""How many bytes of a file's beginning and end are looked at."""

_GIFS: Final = (b"GIF87a", b"GIF89a")
_MP4_BRANDS: Final = frozenset(
    {b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"MSNV"}
)
_BOX: Final = 8
"""Bytes of a box's length and kind, with which MP4 begins."""
_EBML: Final = b"\x1a\x45\xdf\xa3"
_WEBM: Final = b"\x42\x82\x84webm"
"""The element `DocType`, four bytes long."""


def sniff(head: bytes, tail: bytes) -> MediaType | None:
    """The type that a file's first and last bytes tell; None where it is none that we take."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return MediaType.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return MediaType.JPEG
    if head.startswith(_GIFS):
        return MediaType.GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return MediaType.WEBP
    if head.startswith((b"%PDF-1.", b"%PDF-2.")):
        return MediaType.PDF if b"%%EOF" in tail else None
    return _video(head)


def _video(head: bytes) -> MediaType | None:
    if head[4:8] == b"ftyp" and head[8:12] in _MP4_BRANDS and int.from_bytes(head[:4], "big") >= 2 * _BOX:
        return MediaType.MP4
    return MediaType.WEBM if head.startswith(_EBML) and _WEBM in head else None
