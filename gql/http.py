"""GraphQL over HTTP, as the GraphQL Foundation's draft of that name has it.

A request that is refused as a whole has no `data` and a status of 4xx under `application/graphql-response+json`; under
the older `application/json` it is 200 unless it could not be read at all. One that was executed is 200 in both. One
that came too often is 429 in both, and all that are counted say in their headers what is left. Who prefers
`text/event-stream` gets a stream of events, and is refused as the others are before it begins.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from domain.errors import UnavailableError
from domain.identity.model import Portal
from gql.budget import Budget
from gql.caching import shared_answer
from gql.context import Context
from gql.cookies import CookieJar
from gql.errors import BadInputError, RateLimitedError, Told, UnauthenticatedError, told, told_of, told_unavailable
from gql.execution import Schema, answers
from gql.operations import (
    EVERYTHING,
    QUERIES,
    QUERIES_AND_MUTATIONS,
    QUERIES_AND_SUBSCRIPTIONS,
    MalformedError,
    Operation,
    operation_of,
)
from gql.resuming import asked
from gql.sse import EVENT_STREAM, Door, EventStream
from gql.telemetry import OPERATIONS, REFUSED

LARGEST_BODY = 100 * 1024
"""Bytes."""

BODY_S = 10.0
"""So long we wait for a body, once the headers are here."""

RESPONSE_TYPE = "application/graphql-response+json"
JSON_TYPE = "application/json"

_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}

ANY_METHOD = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The endpoint is asked by all, and refuses in its own words what it does not answer."""
_METHODS = ("GET", "HEAD", "POST")
_RESERVED = "x-graphql-event-stream-token"

_HEADERS_THAT_ASK_FIRST = ("authorization", "x-requested-with", "graphql-require-preflight")
"""A browser sends these to another site only after that site agreed, and we agree with those alone that are listed."""


@dataclass(frozen=True, slots=True)
class Reception:
    """What every request is received with."""

    open_context: Callable[[Request], Awaitable[Context]]
    """Makes the context of a request. Raises `UnauthenticatedError` for a token that is no good, and `UnavailableError`
    where nobody can say."""
    open_budget: Callable[[Request], Budget]
    """What is counted when nobody knows who is asking."""
    door: Door
    """How they stay whom a stream answers."""


class RequestError(Exception):
    """A request that is not a GraphQL request, and the status that says why."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


class GraphQLOverHttp:
    """The endpoint. `page`, if there is one, is what a browser gets that asks for HTML."""

    def __init__(self, schema: Schema, reception: Reception, page: Callable[[Request], Any] | None = None) -> None:
        self._schema, self._reception, self._page = schema, reception, page

    async def answer(self, request: Request) -> Response | EventStream:
        """Answer one request."""
        if self._page is not None and _wants_page(request):
            page: Response = await self._page(request)
            return page
        return await self._answered(request)

    async def _answered(self, request: Request) -> Response | EventStream:
        media_type, budget = RESPONSE_TYPE, None
        try:
            _refuse_other_methods(request)
            wanted = _media_type(request.headers.get("accept", ""))
            media_type = RESPONSE_TYPE if wanted == EVENT_STREAM else wanted
            try:
                context = await self._reception.open_context(request)
            except UnauthenticatedError:
                budget = self._reception.open_budget(request)
                await budget.take_request()
                raise
            budget = context.budget
            await budget.take_request()
            operation = await _read(request)
            operation = await self._schema.admission.spelt_out(operation, context)
            if wanted == EVENT_STREAM:
                return await self._streamed(request, operation, context)
        except RequestError as error:
            return _refused(told(str(error), BadInputError.code), error.status, media_type, budget, error.headers)
        except UnauthenticatedError as error:
            return _refused(told_of(error), 401, media_type, budget, _CHALLENGE)
        except RateLimitedError as error:
            return _refused(told_of(error), 429, media_type, budget, {"Retry-After": str(error.retry_after_s)})
        except UnavailableError as error:
            return _refused(told_unavailable(error, request.state.request_id), 503, media_type, budget, {})
        response = await self._executed(request, operation, context, media_type)
        for written in context.cookies.written:
            response.headers.append("Set-Cookie", written)
        return response

    async def _streamed(self, request: Request, operation: Operation, context: Context) -> EventStream:
        """A stream of what an operation comes to. Its headers are gone before it can set a cookie."""
        if request.method == "HEAD":
            raise RequestError(405, "There is no stream without its events.", Allow="GET, POST")
        last_id = request.headers.get("last-event-id")
        wish = asked(self._schema.core, operation, last_id, rewriting=self._schema.admission.takes_any)
        if request.method != "POST" and wish.kind is OperationType.MUTATION:
            raise RequestError(405, "A mutation does not come this way.", Allow="POST")
        context.cookies.taken = False
        allowed = EVERYTHING if request.method == "POST" else QUERIES_AND_SUBSCRIPTIONS
        door = self._reception.door
        stream = EventStream(self._schema, wish, allowed, context, door.fanout)
        await stream.enter(request, door)
        return stream

    async def _executed(self, request: Request, operation: Operation, context: Context, kind: str) -> Response:
        OPERATIONS.labels("http").inc()
        allowed = QUERIES_AND_MUTATIONS if request.method == "POST" else QUERIES
        async with aclosing(answers(self._schema, operation, context, allowed)) as results:
            answer = await anext(results)
        headers = context.budget.headers
        if answer.retry_after_s is not None:
            return _shown(answer.body, 429, kind, {**headers, "Retry-After": str(answer.retry_after_s)})
        is_whole = request.method == "GET" and answer.executed and not answer.errors
        if is_whole and self._schema.admission.is_for_everybody(operation):
            return shared_answer(request, orjson.dumps(answer.body), kind)
        if not answer.allowed and request.method != "POST":
            return _shown(answer.body, 405, kind, {**headers, "Allow": "POST"})
        return _shown(answer.body, 200 if answer.executed or kind == JSON_TYPE else 400, kind, headers)


def _wants_page(request: Request) -> bool:
    accepted = request.headers.get("accept", "")
    return request.method == "GET" and "text/html" in accepted and not {"query", "documentId"} & {*request.query_params}


def _refuse_other_methods(request: Request) -> None:
    """PUT and DELETE are of graphql-sse's other mode, whose streams would be known to one process of many."""
    if request.method not in _METHODS:
        message = "GraphQL comes by POST or GET; streams of events are opened one for each operation."
        raise RequestError(405, message, Allow=", ".join(_METHODS))
    if _RESERVED in request.headers:
        raise RequestError(400, "Streams are not reserved: each operation has a connection of its own.")


async def _read(request: Request) -> Operation:
    """The operation that a request asks for."""
    if request.method != "POST":
        _refuse_other_sites(request)
        return _operation(_from_address(request))
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() != JSON_TYPE:
        raise RequestError(415, f"Send a body of type {JSON_TYPE}.")
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise RequestError(415, "JSON is written in UTF-8.")
    return _operation(_json(await _body(request), "The body"))


def asks_first(request: Request) -> bool:
    """Whether a page of another site could not have made a browser send this unasked (CSRF)."""
    return any(header in request.headers for header in _HEADERS_THAT_ASK_FIRST)


def presented_cookies(request: Request, portal: Portal | None, domain: str | None) -> CookieJar:
    """The cookies of a request that a portal's page sends; nobody else's are looked at.

    Raises `RequestError` where another site's page may have made a browser send them.
    """
    taken = portal is not None and asks_first(request)
    cookies = CookieJar(portal, domain, taken, dict(request.cookies))
    if not cookies.taken and (cookies.access or cookies.refresh):
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


async def _body(request: Request) -> bytes:
    """The body, read no further and waited for no longer than is allowed."""
    read = bytearray()
    chunks: AsyncIterator[bytes] = request.stream()
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in chunks:
                read += chunk
                if len(read) > LARGEST_BODY:
                    raise RequestError(413, f"A request may have {LARGEST_BODY} bytes.", Connection="close")
    except TimeoutError:
        raise RequestError(408, f"The body is not here after {BODY_S:g} s.", Connection="close") from None
    except ClientDisconnect:
        raise RequestError(400, "The body ends before its end.") from None
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


def _media_type(accepted: str) -> str:
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


def _refused(error: Told, status: int, media_type: str, budget: Budget | None, headers: Mapping[str, str]) -> Response:
    REFUSED.labels(f"http_{status}").inc()
    left = budget.headers if budget else {}
    return _shown({"errors": [error]}, status, media_type, {**left, **headers})


def _shown(body: object, status: int, media_type: str, headers: Mapping[str, str]) -> Response:
    told_headers = {"Cache-Control": "no-store", "Vary": "Accept, Authorization, Cookie", **headers}
    return Response(orjson.dumps(body), status, told_headers, f"{media_type}; charset=utf-8")


def bearer_of(header: str | None) -> str | None:
    """The token of an `Authorization` header; None without one. Raises `UnauthenticatedError` for another scheme."""
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("Authorization is `Bearer <token>`.")
    return token.strip()
