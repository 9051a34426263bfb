"""Where an export is fetched by the link of its letter: once, a piece at a time, by whoever has the link."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from domain.actor import Origin
from domain.identity.exports import fetch_export, pieces_of
from domain.identity.privacy_stores import PrivacyPorts
from domain.quotas import REQUESTS_OF_ADDRESS, neighbourhood

_ALWAYS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_GONE: Final = "This link has been used or is too old. Ask for a new export.\n"
_TOO_OFTEN: Final = "Too many requests. Wait a while.\n"


def routes(ports: Callable[[], PrivacyPorts]) -> list[Route]:
    """The route of exports."""

    async def fetch(request: Request) -> Response:
        """The file; what was used, is too old or was never ours answers the same."""
        if request.method == "HEAD":
            # Whoever only looks whether there is something must not use it up.
            return Response(None, 405, {**_ALWAYS, "Allow": "GET"})
        origin: Origin = request.state.origin
        taken = await ports().quotas.take(REQUESTS_OF_ADDRESS, neighbourhood(origin.address))
        if not taken.allowed:
            return PlainTextResponse(_TOO_OFTEN, 429, {**_ALWAYS, "Retry-After": str(taken.retry_after_s)})
        download = await fetch_export(ports(), request.path_params["token"], origin)
        if download is None:
            return PlainTextResponse(_GONE, 404, headers=_ALWAYS)
        told = {
            **_ALWAYS,
            "Content-Length": str(download.bytes),
            "Content-Disposition": 'attachment; filename="gametriggers-export.zip"',
        }
        return StreamingResponse(pieces_of(ports(), download), 200, told, "application/zip")

    return [Route("/exports/{token}", fetch, methods=["GET"])]
