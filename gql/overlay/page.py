"""The page of an overlay: one for all, whatever the token, which it reads from its own address and we never look at.

Nothing is written into the page itself but the ids of the documents that it asks by, so that no script or style is
allowed that is not ours. It sets no cookie and sends no referrer; the log hides the address (`gql.telemetry`).
"""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from gql.trusted import Client, TrustedDocument, document_id

_FOLDER: Final = Path(__file__).resolve().parent.parent / "overlay_page"
_KINDS: Final = {".js": "text/javascript", ".css": "text/css"}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
_DOCUMENTS: Final = {"scene": "OverlayScene", "reports": "ReportImpressions"}
"""What the page asks by: the name of each document."""


def routes(shipped: Iterable[TrustedDocument]) -> list[Route]:
    """Where the page is, and its parts; nowhere, unless the documents that it asks by are among those shipped."""
    known = {each.name: document_id(each.text) for each in shipped if Client.OVERLAY in each.clients}
    if not known.keys() >= set(_DOCUMENTS.values()):
        return []
    ids = {place: known[name] for place, name in _DOCUMENTS.items()}
    page = Template((_FOLDER / "page.html").read_text(encoding="utf-8")).substitute(ids)
    parts = {file.name: file.read_bytes() for file in _FOLDER.iterdir() if file.suffix in _KINDS}

    async def show(_: Request) -> Response:
        return HTMLResponse(page, headers={**_HEADERS, "Cache-Control": "no-store"})

    async def part(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in parts:
            return PlainTextResponse("There is no such part.\n", 404)
        tag = f'"{sha256(parts[name]).hexdigest()[:16]}"'
        headers = {**_HEADERS, "Cache-Control": "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(parts[name], media_type=_KINDS[Path(name).suffix], headers=headers)

    return [
        Route("/overlay/assets/{name}", part, methods=["GET"]),
        Route("/overlay/{token}", show, methods=["GET"]),
    ]
