"""Requests as GraphQL over HTTP has them: what a client wants, who it says it is, and whether a page may ask at all."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope

from domain.identity.model import Portal
from gql.cookies import CookieJar
from gql.deadlines import TooLateError, within
from gql.errors import UnauthenticatedError
from gql.operations import MalformedError, Operation, operation_of
from gql.sse import EVENT_STREAM, LINE

LARGEST_BODY = 100 * 1024
"""Bytes."""

BODY_S = 10.0
"""So long we wait for a body, once the headers are here."""

RESPONSE_TYPE = "application/graphql-response+json"
JSON_TYPE = "application/json"

_METHODS = ("GET", "HEAD", "POST")
_RESERVED = "x-graphql-event-stream-token"

_HEADERS_THAT_ASK_FIRST = ("authorization", "x-requested-with", "graphql-require-preflight")
"""A browser sends these to another site only after that site agreed, and we agree with those alone that are listed."""


_REMEMBERED = 256
"""Of what clients may say that they accept: the same few come again and again."""


class RequestError(Exception):
    """A request that is not a GraphQL request, and the status that says why."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


class HttpRequest(Request):
    """A request whose headers are found at once: a dozen of them are looked for."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        super().__init__(scope, receive)
        self._headers = _Headers(scope["headers"])

    @property
    def headers(self) -> Headers:
        """Its headers."""
        return self._headers


class _Headers(Headers):
    """Starlette's, which goes through all of them each time."""

    def __init__(self, raw: Sequence[tuple[bytes, bytes]]) -> None:
        super().__init__(raw=list(raw))
        self._first = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(raw)}

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower()]

    def __contains__(self, key: object) -> bool:
        return str(key).lower() in self._first

    def get(self, key: str, default: Any = None) -> Any:
        """The first value of a header."""
        return self._first.get(key.lower(), default)


def wants_page(request: Request) -> bool:
    """Whether a browser asks for something to look at."""
    accepted = request.headers.get("accept", "")
    return request.method == "GET" and "text/html" in accepted and not {"query", "documentId"} & {*request.query_params}


def refuse_other_methods(request: Request) -> None:
    """Answer GET, HEAD and POST alone. Raises `RequestError`.

    PUT and DELETE are of graphql-sse's other mode, whose streams would be known to one process of many.
    """
    if request.method not in _METHODS:
        message = "GraphQL comes by POST or GET; streams of events are opened one for each operation."
        raise RequestError(405, message, Allow=", ".join(_METHODS))
    if _RESERVED in request.headers:
        raise RequestError(400, "Streams are not reserved: each operation has a connection of its own.")


async def read_operation(request: Request) -> Operation:
    """The operation that a request asks for. Raises `RequestError`."""
    if request.method != "POST":
        _refuse_other_sites(request)
        return _operation(_from_address(request))
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != JSON_TYPE:
        raise RequestError(415, f"Send a body of type {JSON_TYPE}.")
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise RequestError(415, "JSON is written in UTF-8.")
    body = _body_here(request)
    return _operation(_json(await _body(request) if body is None else body, "The body"))


def asks_first(request: Request) -> bool:
    """Whether a page of another site could not have made a browser send this unasked (CSRF)."""
    return any(header in request.headers for header in _HEADERS_THAT_ASK_FIRST)


def presented_cookies(request: Request, portal: Portal | None, domain: str | None) -> CookieJar:
    """The cookies of a request that a portal's page sends; nobody else's are looked at.

    Raises `RequestError` where another site's page may have made a browser send them.
    """
    taken = portal is not None and asks_first(request)
    cookies = CookieJar(portal, domain, taken, dict(request.cookies) if "cookie" in request.headers else {})
    if cookies.presented and not cookies.taken and (cookies.access or cookies.refresh):
        raise RequestError(403, "A request that comes with sign-in cookies must send GraphQL-Require-Preflight.")
    return cookies


def _refuse_other_sites(request: Request) -> None:
    """Another site's page can make a browser GET from here; it must have asked first (CSRF)."""
    if not asks_first(request) and request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise RequestError(403, "A page of another site must send the header GraphQL-Require-Preflight.")


def _from_address(request: Request) -> dict[str, object]:
    given: dict[str, object] = dict(request.query_params)
    for name in ("variables", "extensions"):
        if text := given.get(name):
            given[name] = _json(str(text).encode(), f"`{name}`")
        elif name in given:
            del given[name]
    return given


def _body_here(request: Request) -> bytes | None:
    """The body, if the server had it before anybody asked, and it is no longer than is allowed."""
    body: bytes | None = request.scope.get("extensions", {}).get(LINE, {}).get("body")
    return None if body is None or len(body) > LARGEST_BODY else body


async def _body(request: Request) -> bytes:
    """The body, read no further and waited for no longer than is allowed."""
    try:
        return await within(BODY_S, _whole_body(request))
    except TooLateError:
        raise RequestError(408, f"The body is not here after {BODY_S:g} s.", Connection="close") from None


async def _whole_body(request: Request) -> bytes:
    read, more = bytearray(), True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "The body ends before its end.")
        read += message.get("body", b"")
        more = message.get("more_body", False)
        if len(read) > LARGEST_BODY:
            raise RequestError(413, f"A request may have {LARGEST_BODY} bytes.", Connection="close")
    return bytes(read)


def _json(text: bytes, what: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RequestError(400, f"{what} is not JSON.") from None


def _operation(given: object) -> Operation:
    """The operation of a request's parameters. Raises `RequestError`."""
    try:
        operation = operation_of(given)
    except MalformedError as error:
        raise RequestError(400, f"{error}.") from None
    if operation.document_id is None and not operation.query.strip():
        raise RequestError(400, "`query` must not be empty.")
    return operation


@lru_cache(_REMEMBERED)
def media_type_of(accepted: str) -> str:
    """The answer's type: the first of ours that the client prefers, and the older one for who takes any.

    Raises `RequestError` where there is none.
    """
    best, best_quality = "", 0.0
    for part in accepted.split(",") if accepted.strip() else (JSON_TYPE,):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        found = JSON_TYPE if kind in {"*/*", "application/*"} else kind
        quality = _quality(parameters)
        if found in {RESPONSE_TYPE, JSON_TYPE, EVENT_STREAM} and quality > best_quality:
            best, best_quality = found, quality
    if not best:
        raise RequestError(406, f"Answers come as {RESPONSE_TYPE}, {JSON_TYPE} or {EVENT_STREAM}.")
    return best


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def bearer_of(header: str | None) -> str | None:
    """The token of an `Authorization` header; None without one. Raises `UnauthenticatedError` for another scheme."""
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("Authorization is `Bearer <token>`.")
    return token.strip()
