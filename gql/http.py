"""GraphQL over HTTP, as the GraphQL Foundation's draft of that name has it.

A request that is refused as a whole has no `data` and a status of 4xx under `application/graphql-response+json`; under
the older `application/json` it is 200 unless it could not be read at all. One that was executed is 200 in both. One
that came too often is 429 in both, and all that are counted say in their headers what is left. Who prefers
`text/event-stream` gets a stream of events, and is refused as the others are before it begins.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.errors import UnavailableError
from gql.budget import Budget
from gql.caching import shared_answer
from gql.context import Context
from gql.errors import BadInputError, RateLimitedError, Told, UnauthenticatedError, told, told_of, told_unavailable
from gql.execution import Schema, answered
from gql.operations import EVERYTHING, QUERIES, QUERIES_AND_MUTATIONS, QUERIES_AND_SUBSCRIPTIONS, Operation
from gql.replies import Reply
from gql.requests import (
    JSON_TYPE,
    RESPONSE_TYPE,
    HttpRequest,
    RequestError,
    media_type_of,
    read_operation,
    refuse_other_methods,
    wants_page,
)
from gql.resuming import asked
from gql.sse import EVENT_STREAM, Door, EventStream
from gql.telemetry import OPERATIONS, REFUSED

_CHALLENGE = {"WWW-Authenticate": 'Bearer error="invalid_token"'}


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


class GraphQLOverHttp:
    """The endpoint. `page`, if there is one, is what a browser gets that asks for HTML."""

    def __init__(self, schema: Schema, reception: Reception, page: Callable[[Request], Any] | None = None) -> None:
        self._schema, self._reception, self._page = schema, reception, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = HttpRequest(scope, receive)
        is_page = self._page is not None and wants_page(request)
        answer: ASGIApp = await (self._page(request) if self._page and is_page else self._answered(request))
        await answer(scope, receive, send)

    async def _answered(self, request: Request) -> Response | Reply | EventStream:
        media_type, budget = RESPONSE_TYPE, None
        try:
            refuse_other_methods(request)
            wanted = media_type_of(request.headers.get("accept", ""))
            media_type = RESPONSE_TYPE if wanted == EVENT_STREAM else wanted
            try:
                context = await self._reception.open_context(request)
            except UnauthenticatedError:
                budget = self._reception.open_budget(request)
                await budget.take_request()
                raise
            budget = context.budget
            await budget.take_request()
            operation = await read_operation(request)
            if operation.document_id is not None:
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
        return await self._executed(request, operation, context, media_type)

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

    async def _executed(self, request: Request, operation: Operation, context: Context, kind: str) -> Response | Reply:
        OPERATIONS.count("http")
        answer = await answered(
            self._schema, operation, context, QUERIES_AND_MUTATIONS if request.method == "POST" else QUERIES
        )
        headers, cookies = context.budget.headers, context.cookies.written
        if answer.retry_after_s is not None:
            return Reply(answer.body, 429, kind, {**headers, "Retry-After": str(answer.retry_after_s)})
        if request.method != "POST":
            if not answer.allowed:
                return Reply(answer.body, 405, kind, {**headers, "Allow": "POST"})
            is_whole = answer.executed and not answer.errors
            if is_whole and self._schema.admission.is_for_everybody(operation):
                return shared_answer(request, orjson.dumps(answer.body), kind)
        return Reply(answer.body, 200 if answer.executed or kind == JSON_TYPE else 400, kind, headers, cookies)


def _refused(error: Told, status: int, media_type: str, budget: Budget | None, headers: Mapping[str, str]) -> Reply:
    REFUSED.labels(f"http_{status}").inc()
    left = budget.headers if budget else {}
    return Reply({"errors": [error]}, status, media_type, {**left, **headers})
