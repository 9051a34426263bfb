"""Pictures by Pillow, in threads: read within limits, turned upright, and written anew without anything beside pixels.

Sizes are looked at before a pixel is decoded, and only the decoder of the type that was sniffed is ever tried.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from PIL import Image, ImageOps, ImageSequence

from domain.asset.model import Flaw, MediaType, Rendition, RenditionName
from domain.asset.ports import Made

MOST_PIXELS: Final = 40_000_000
MOST_SIDE: Final = 12_000
MOST_FRAMES: Final = 300
MOST_MOVING_PIXELS: Final = 60_000_000
"""Of all frames together: they are in memory at once."""
_USUAL_FRAME_MS: Final = 100

_FORMATS: Final = {MediaType.PNG: "PNG", MediaType.JPEG: "JPEG", MediaType.WEBP: "WEBP", MediaType.GIF: "GIF"}
_SIZES: Final = {RenditionName.OVERLAY: (1280, 720), RenditionName.THUMBNAIL: (256, 256)}
_AT_ONCE: Final = 2
"""Pictures in work in one process: each may take some hundred MiB."""
_WRONG: Final = (OSError, ValueError, SyntaxError, EOFError, KeyError, IndexError, TypeError, OverflowError)
"""What Pillow raises for files that are not as they should be; it has no error of its own for them all."""

# The limits here are stricter than Pillow's own, which warns where they refuse.
Image.MAX_IMAGE_PIXELS = None


class _UnfitError(Exception):
    """A picture that we do not take."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw = flaw


class PillowPictures:
    """Is a `domain.asset.ports.Pictures`."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def renditions(self, file: Path, type_: MediaType, *, sizes: bool) -> AsyncGenerator[Sequence[Made] | Flaw]:
        """A picture written anew, and smaller ones; or why not."""
        with TemporaryDirectory(prefix="picture-") as folder:
            async with self._turns:
                made = await asyncio.to_thread(_made, file, type_, Path(folder), sizes=sizes)
            yield made


def _made(file: Path, type_: MediaType, folder: Path, *, sizes: bool) -> list[Made] | Flaw:
    try:
        with Image.open(file, formats=[_FORMATS[type_]]) as picture:
            _measure(picture)
            made = [_whole(picture, type_, folder)]
            if sizes:
                picture.seek(0)
                made += _smaller(picture, folder)
    except _UnfitError as error:
        return error.flaw
    except MemoryError:
        return Flaw.TOO_LARGE
    except _WRONG:
        return Flaw.UNREADABLE
    return made


def _measure(picture: Image.Image) -> None:
    """Look at what the header says before anything is decoded. Raises `_UnfitError`."""
    width, height = picture.size
    if not (1 <= width <= MOST_SIDE and 1 <= height <= MOST_SIDE) or width * height > MOST_PIXELS:
        raise _UnfitError(Flaw.TOO_LARGE)
    frames = getattr(picture, "n_frames", 1)
    if frames > MOST_FRAMES or frames * width * height > MOST_MOVING_PIXELS:
        raise _UnfitError(Flaw.TOO_LARGE)


def _whole(picture: Image.Image, type_: MediaType, folder: Path) -> Made:
    """The picture as it is, in its own format; a moving one keeps moving."""
    if getattr(picture, "n_frames", 1) > 1:
        loop = {"loop": picture.info["loop"]} if "loop" in picture.info else {}
        lasts = list[int]()
        frames = list[Image.Image]()
        for frame in ImageSequence.Iterator(picture):
            lasts.append(int(frame.info.get("duration", _USUAL_FRAME_MS)))
            frames.append(_bare(frame, type_))
        more = {"save_all": True, "append_images": frames[1:], "duration": lasts, **loop}
        return _saved(frames[0], RenditionName.WHOLE, type_, folder, **more)
    options = {"quality": 90} if type_ in {MediaType.JPEG, MediaType.WEBP} else {}
    return _saved(_bare(picture, type_), RenditionName.WHOLE, type_, folder, **options)


def _bare(picture: Image.Image, type_: MediaType) -> Image.Image:
    """Nothing but pixels, turned as the camera was held."""
    upright = ImageOps.exif_transpose(picture)
    mode = "RGB" if type_ is MediaType.JPEG or not upright.has_transparency_data else "RGBA"
    bare = upright.convert(mode)
    bare.info = {}
    return bare


def _smaller(picture: Image.Image, folder: Path) -> list[Made]:
    found = []
    for name, size in _SIZES.items():
        small = _bare(picture, MediaType.WEBP)
        small.thumbnail(size, Image.Resampling.LANCZOS)
        found.append(_saved(small, name, MediaType.WEBP, folder, quality=80))
    return found


def _saved(picture: Image.Image, name: RenditionName, type_: MediaType, folder: Path, **options: Any) -> Made:
    file = folder / name
    picture.save(file, format=_FORMATS[type_], exif=b"", **options)
    return Made(Rendition(name, type_, file.stat().st_size, *picture.size), file)
