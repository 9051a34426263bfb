"""Answers that are the same for everybody: a browser, or a cache on the way, may keep them for a moment."""

from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response

MAX_AGE_S = 10


def shared_answer(request: Request, body: bytes, media_type: str) -> Response:
    """An answer to a query that needs nobody signed in; 304 for who has it already."""
    tag = f'"{blake2b(media_type.encode() + body, digest_size=16).hexdigest()}"'
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_S}", "ETag": tag, "Vary": "Accept"}
    if tag in _known(request.headers.get("if-none-match", "")) or request.headers.get("if-none-match") == "*":
        return Response(None, 304, headers)
    return Response(body, 200, headers, f"{media_type}; charset=utf-8")


def _known(header: str) -> set[str]:
    """The tags of what a client has. A weak one is as good: our bytes are the same or they are not."""
    return {part.strip().removeprefix("W/") for part in header.split(",")}
