"""Where files come in and go out over HTTP, where no object store does that for us.

A token or an address is all it takes: it names one file, for a short while, and there are no cookies here. What goes
out was checked when it came, and is handed out as what it was found to be, in a sandbox, to be sniffed by nobody.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from adapters.assets.form import FormError, TooLongError, write_file
from adapters.assets.local import LocalFiles
from adapters.assets.names import disposition
from domain.asset.addresses import Shown, shown
from domain.asset.keeping import contents
from domain.asset.model import MediaType, RenditionName
from domain.asset.ports import AssetPorts
from domain.asset.receiving import awaited_by
from domain.errors import UnavailableError
from domain.overlay.media import asked_by
from domain.ports import Ports
from domain.quotas import REQUESTS_OF_ADDRESS, neighbourhood

LONGEST_UPLOAD_S: Final = 900.0
"""So long a file may take to come in."""

_ALWAYS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_NEVER_KEPT: Final = {**_ALWAYS, "Cache-Control": "no-store"}
_KEPT_A_WHILE: Final = {**_ALWAYS, "Cache-Control": "private, max-age=600"}
_KEPT_A_DAY: Final = {**_ALWAYS, "Cache-Control": "private, max-age=86400, immutable"}
"""What an overlay shows is the same for ever; whether it is shown the scene says."""
_STILL: Final = frozenset({MediaType.PNG, MediaType.JPEG})
"""Of these overlays are given a smaller picture; others may move, and are given whole."""
_GONE: Final = "There is nothing here, or not any more.\n"


def routes(ports: Callable[[], Ports]) -> list[Route]:
    """The doors of files, and of what overlays show."""

    async def upload(request: Request) -> Response:
        if refused := await _too_often(ports().asset, request):
            return refused
        return await receive(ports().asset, request)

    async def fetch(request: Request) -> Response:
        if refused := await _too_often(ports().asset, request):
            return refused
        found = await shown(ports().asset, request.path_params["address"])
        if found is None:
            return _said(404, _GONE)
        named = {"Content-Disposition": disposition(found.rendition, found.asset.declared.file_name)}
        return await _file(ports().asset, found, _KEPT_A_WHILE | named)

    async def fetch_for_overlay(request: Request) -> Response:
        if refused := await _too_often(ports().asset, request):
            return refused
        found = await _on_screen(ports(), request.path_params["address"])
        return _said(404, _GONE) if found is None else await _file(ports().asset, found, _KEPT_A_DAY)

    return [
        Route("/uploads/{token}", upload, methods=["POST"]),
        Route("/assets/{address}", fetch, methods=["GET", "HEAD"]),
        Route("/overlay/media/{address}", fetch_for_overlay, methods=["GET", "HEAD"]),
    ]


async def _on_screen(ports: Ports, address: str) -> Shown | None:
    """What is at an overlay's address, as long as that overlay shows it."""
    asked = await asked_by(ports.overlay, address)
    if asked is None:
        return None
    screen, creative = asked
    programme = await ports.campaign.reads.programme(screen.streamer, ports.campaign.clock())
    kept = next((each.asset for each in programme.shown if each.creative == creative), None)
    asset = (await ports.asset.reads.assets([kept])).get(kept) if kept else None
    if asset is None:
        return None
    size = RenditionName.OVERLAY if asset.declared.media_type in _STILL else RenditionName.WHOLE
    rendition = asset.rendition(size)
    return Shown(asset, rendition) if rendition else None


async def receive(ports: AssetPorts, request: Request) -> Response:
    """Take a file in, by a token that is good once.

    204 it is here, 400 no form with a file as long as was said, 404 no such token (any more), 408 too slow, 409 a file
    is here already, 413 too long.
    """
    asset = await awaited_by(ports, request.path_params["token"])
    files = ports.files
    if asset is None or not isinstance(files, LocalFiles):
        return _said(404, _GONE)
    if files.is_taken(asset.id):
        return _said(409, "A file was sent here already.\n")
    try:
        async with files.written() as beside, asyncio.timeout(LONGEST_UPLOAD_S):
            await write_file(request.headers, request.stream(), asset.declared.length, beside)
            taken = await files.take_over(asset.id, beside)
    except TooLongError:
        return _said(413, "The file is longer than was said.\n")
    except (FormError, ClientDisconnect):
        return _said(400, "Send multipart/form-data with the whole file as `file`.\n")
    except TimeoutError:
        return _said(408, "The file took too long.\n")
    return Response(None, 204, _NEVER_KEPT) if taken else _said(409, "A file was sent here already.\n")


async def _file(ports: AssetPorts, found: Shown, headers: Mapping[str, str]) -> Response:
    """The file, as what it was found to be; parts of it where it lies open on this machine."""
    asset, rendition, told = found.asset, found.rendition, dict(headers)
    place = None if asset.rule.is_personal else ports.files.lies_at(asset.id, rendition.name)
    if place is not None and await asyncio.to_thread(place.is_file):
        return FileResponse(place, 200, told, rendition.media_type)
    pieces = contents(ports, asset, rendition)
    try:
        first = await anext(pieces)
    except UnavailableError:
        return _said(404, _GONE)
    told["Content-Length"] = str(rendition.length)
    return StreamingResponse(_on_from(first, pieces), 200, told, rendition.media_type)


async def _on_from(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


async def _too_often(ports: AssetPorts, request: Request) -> Response | None:
    taken = await ports.quotas.take(REQUESTS_OF_ADDRESS, neighbourhood(request.state.origin.address))
    if taken.allowed:
        return None
    told = {**_NEVER_KEPT, "Retry-After": str(taken.retry_after_s)}
    return PlainTextResponse("Too many requests. Wait a while.\n", 429, told)


def _said(status: int, text: str) -> Response:
    return PlainTextResponse(text, status, _NEVER_KEPT)
