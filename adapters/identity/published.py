"""Where others find the keys by which they can check our tokens (RFC 7517)."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.identity.keys import KEPT_BY_OTHERS_S


def key_routes(published: Callable[[], dict[str, Any]]) -> list[Route]:
    """The route; `published` answers the key set of now."""

    async def answer(request: Request) -> Response:
        """The key set, or that it is still the one that the client has."""
        body = orjson.dumps(published())
        tag = f'"{sha256(body).hexdigest()[:32]}"'
        headers = {"Cache-Control": f"public, max-age={KEPT_BY_OTHERS_S}", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(None, 304, headers)
        return Response(body, 200, headers, "application/jwk-set+json")

    return [Route("/.well-known/jwks.json", answer)]
