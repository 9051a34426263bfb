"""What operators see of a request: an id, a line in the log, and figures for Prometheus. Never what was in it."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, generate_latest
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from domain.ids import uuid7_hex
from gql.tallies import Tally, Times

_REQUESTS = Tally("http_requests_total", "Requests answered.", ["method", "route", "status"])
_DURATIONS = Times("http_request_seconds", "How long answers took.", ["route"])
_SOCKETS = Gauge("websockets_open", "WebSockets that are open.")
STREAMS = Gauge("event_streams_open", "Streams of server-sent events that are open.")
OPERATIONS = Tally("graphql_operations_total", "GraphQL operations begun.", ["transport"])
REFUSED = Counter("graphql_refusals_total", "Operations refused or broken off, by what was amiss.", ["reason"])
REFUSALS = Counter("quota_refusals_total", "What was refused because it was done too often.", ["quota"])

_LINKS = ("/exports/", "/uploads/", "/assets/", "/invoices/", "/overlay/")
_SECRET = re.compile(r"^(/exports/|/uploads/|/assets/|/invoices/|/overlay/(?!assets/)).+", re.DOTALL)
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_log = structlog.get_logger("gametriggers.access")


class Observed:
    """Gives every request an id of ours, and writes one line when it is over.

    A caller's own id stands beside it in our logs, and nowhere else: the audit log must not say what a thief chose.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        kind = scope["type"]
        if kind not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        request_id = uuid7_hex()
        scope.setdefault("state", {})["request_id"] = request_id
        before = bind_contextvars(request_id=request_id, **_given_id(scope))
        try:
            if kind == "http":
                await self._http(scope, receive, send, request_id)
            else:
                with _counted_socket(scope):
                    await self._app(scope, receive, send)
        finally:
            reset_contextvars(**before)

    async def _http(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        status, streams, began = 500, False, time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status, streams
            if message["type"] == "http.response.start":
                status, streams = message["status"], _is_stream(message)
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - began
            route = _route(scope)
            method = scope["method"] if scope["method"] in _METHODS else "other"
            _REQUESTS.count(method, route, str(status))
            if not streams:
                _DURATIONS.observe(seconds, route)
            _log.info("request", method=method, path=_shown(scope), status=status, ms=round(seconds * 1000, 1))


def _is_stream(message: Message) -> bool:
    """Whether an answer lasts as long as somebody likes to listen, which says nothing of how fast we are."""
    for name, value in message.get("headers", ()):
        if name == b"content-type":
            return bool(value.startswith(b"text/event-stream"))
    return False


@contextmanager
def _counted_socket(scope: Scope) -> Iterator[None]:
    began = time.perf_counter()
    _SOCKETS.inc()
    try:
        yield
    finally:
        _SOCKETS.dec()
        _log.info("socket", path=_shown(scope), seconds=round(time.perf_counter() - began, 1))


def metrics() -> Response:
    """All figures, as Prometheus reads them."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _given_id(scope: Scope) -> dict[str, str]:
    """The id that the caller, or a proxy of ours, knows the request by."""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given = value.decode("latin-1")
            return {"given_request_id": given} if _GIVEN_ID.fullmatch(given) else {}
    return {}


def _shown(scope: Scope) -> str:
    """The address, but for what is a secret in it: whoever has the link has what it opens."""
    path: str = scope["path"]
    return _SECRET.sub(r"\1{token}", path) if path.startswith(_LINKS) else path


def _route(scope: Scope) -> str:
    """The route's pattern, not the address: figures must not grow with what callers make up."""
    if "endpoint" not in scope:
        return "none"
    path: str = scope["path"]
    if given := scope.get("path_params"):
        for name, value in given.items():
            path = path.replace(f"/{value}", f"/{{{name}}}")
    return path
