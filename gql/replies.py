"""Answers as they go out over HTTP: a status, headers and a body, put together once."""

from collections.abc import Mapping, Sequence
from functools import cache

import orjson
from starlette.types import Receive, Scope, Send

from gql.requests import JSON_TYPE, RESPONSE_TYPE
from gql.sites import VARY
from gql.sse import LINE

_VARY = VARY.encode()
_TYPES = {kind: f"{kind}; charset=utf-8".encode() for kind in (RESPONSE_TYPE, JSON_TYPE)}


class Reply:
    """An answer of GraphQL's that is the asker's alone: an ASGI application of its own."""

    def __init__(
        self, body: object, status: int, media_type: str, headers: Mapping[str, str], cookies: Sequence[str] = ()
    ) -> None:
        self.status, self.body = status, orjson.dumps(body)
        self.headers = [
            (b"content-type", _TYPES[media_type]),
            (b"content-length", b"%d" % len(self.body)),
            (b"cache-control", b"no-store"),
            (b"vary", _VARY),
            *[(_name_of(name), value.encode("latin-1")) for name, value in headers.items()],
            *[(b"set-cookie", written.encode("latin-1")) for written in cookies],
        ]

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Send it; to a server that can take it, all at once."""
        if LINE in scope.get("extensions", ()):
            await send(
                {"type": "http.response.start", "status": self.status, "headers": self.headers, "body": self.body}
            )
            return
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


@cache
def _name_of(header: str) -> bytes:
    """A header's name, of which we have a dozen, as it is sent."""
    return header.lower().encode("latin-1")
