"""GraphQL over server-sent events: the protocol graphql-sse, a connection for each operation.

What is wrong with an operation is told by an event of its stream. A stream that breaks off for another reason (a token
has expired, somebody's rights have changed, the server ends) has no `complete`: its client is to come again, and goes
on after the last event that it saw.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from secrets import randbelow
from typing import Any, Protocol

import orjson
from graphql import OperationType
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from domain.clock import Clock
from domain.quotas import neighbourhood
from gql.context import Context
from gql.doorkeeper import Guest, Leave
from gql.errors import RateLimitedError, mask
from gql.execution import Schema, answers
from gql.fanout.places import Places
from gql.resuming import Asked, place_in
from gql.socket_host import Admitted
from gql.telemetry import OPERATIONS, STREAMS

EVENT_STREAM = "text/event-stream"
LINE = "gametriggers.line"
"""Under this name a server that can do so lets an answer at its `connection`: see `Line`."""

KEEP_ALIVE_S = 12.0
SEND_S = 30.0
"""A client that takes nothing for so long is let go; it may come back and resume."""

_COME_AGAIN_MS = (1_000, 4_000)
"""After some time between these: clients that lost their streams together do not come again together."""

_TOO_MANY_S = 10
"""After so long who has too many streams may ask again."""

_SILENCE = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


class Line(Protocol):
    """The connection that a response goes out by."""

    def when_stopping(self, tell: Callable[[], None] | None) -> None:
        """Have somebody told when the server ends, or nobody any more."""
        ...

    def abort(self) -> None:
        """Break the connection, whatever is still to be sent."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """How somebody comes in who stays for a stream."""

    stay: Callable[[Request, Context, Leave], Awaitable[Admitted | None]]
    """Lets the caller of a request stay, and puts into its context who that is by now; None for nobody.

    Raises `UnauthenticatedError`, or `UnavailableError` where nobody can say.
    """
    part: Callable[[Guest], None]
    """Is told that somebody has left."""
    clock: Clock
    places: Places
    """A stream takes a place as a socket does."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why a stream is over."""

    reason: str = ""
    """Empty where all was said."""
    gone: bool = False
    """Nobody listens any more."""


class EventStream:
    """The answer to one request: an ASGI application of its own. It is over when its future says so."""

    def __init__(self, schema: Schema, asked: Asked, allowed: Collection[OperationType], context: Context) -> None:
        self._schema, self._asked, self._allowed, self._context = schema, asked, allowed, context
        self._sending = asyncio.Lock()
        self._over: asyncio.Future[_Ending] = asyncio.get_running_loop().create_future()
        self._line: Line | None = None
        self._afterwards = ExitStack()

    @property
    def operations(self) -> int:
        """How many operations are carried out."""
        return 1

    async def enter(self, request: Request, door: Door) -> None:
        """Let the caller stay while the stream lasts. Raises what `Door.stay` raises, or `RateLimitedError`."""
        with ExitStack() as leaving:
            self._take_place(door.places, "sockets_of_address", neighbourhood(self._context.origin.address), leaving)
            admitted = await door.stay(request, self._context, self._leave)
            if admitted is not None:
                leaving.callback(door.part, admitted.guest)
                self._take_place(door.places, "sockets_of_person", str(admitted.guest.actor.person), leaving)
                left = (admitted.expires_at - door.clock()).total_seconds()
                timer = asyncio.get_running_loop().call_later(max(left, 0.0), self._leave, "The token has expired")
                leaving.callback(timer.cancel)
            self._afterwards = leaving.pop_all()

    def _take_place(self, places: Places, limit: str, subject: str, leaving: ExitStack) -> None:
        if not places.enter(limit, subject, self):
            raise RateLimitedError(_TOO_MANY_S)
        leaving.callback(places.leave, limit, subject, self)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream until it is over, and end the operation before letting go."""
        OPERATIONS.labels("sse").inc()
        self._line = scope.get("extensions", {}).get(LINE, {}).get("connection")
        tasks = []
        try:
            with STREAMS.track_inprogress():
                await self._begin(send)
                tasks = [asyncio.create_task(self._notice(receive)), asyncio.create_task(self._tell(send))]
                await self._hold(send)
        finally:
            if self._line is not None:
                self._line.when_stopping(None)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._afterwards.close()

    async def _begin(self, send: Send) -> None:
        """Say that it begins, through all proxies that would rather wait for more."""
        if self._line is not None:
            self._line.when_stopping(self._stop)
        headers = {
            "Content-Type": f"{EVENT_STREAM}; charset=utf-8",
            "Cache-Control": "no-store",
            "Vary": "Accept, Authorization, Cookie",
            "X-Accel-Buffering": "no",
            **self._context.budget.headers,
        }
        await send({"type": "http.response.start", "status": 200, "headers": Headers(headers).raw})
        shortest, longest = _COME_AGAIN_MS
        await self._send(send, b"retry: %d\n\n" % (shortest + randbelow(longest - shortest)))

    async def _hold(self, send: Send) -> None:
        """Show now and then that we are there, until it is over; say why to who still listens."""
        while not self._over.done():
            await asyncio.wait({self._over}, timeout=KEEP_ALIVE_S)
            if not self._over.done():
                await self._send(send, _SILENCE)
        ending = self._over.result()
        if not ending.gone:
            await self._send(send, f": {ending.reason}\n\n".encode() if ending.reason else b"", more=False)

    async def _tell(self, send: Send) -> None:
        """Carry out the operation and send what it comes to."""
        asked, context = self._asked, self._context
        try:
            async with aclosing(answers(self._schema, asked.operation, context, self._allowed)) as results:
                async for answer in results:
                    await self._send(send, event_of(answer.body, place_in(answer.data) if asked.resumable else None))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told as an error of the operation
            await self._send(send, event_of({"errors": [mask(error, context.correlation_id)]}))
        await self._send(send, _COMPLETE)
        self._end(_Ending())

    async def _notice(self, receive: Receive) -> None:
        """Wait until the client is gone."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._end(_Ending(gone=True))

    async def _send(self, send: Send, chunk: bytes, *, more: bool = True) -> None:
        """Send one piece, or end the stream: a client that is gone or takes nothing holds nobody up."""
        try:
            async with self._sending, asyncio.timeout(SEND_S):
                await send({"type": "http.response.body", "body": chunk, "more_body": more})
        except TimeoutError:
            if self._line is not None:
                self._line.abort()
            self._end(_Ending(gone=True))
        except OSError:
            self._end(_Ending(gone=True))

    def _leave(self, reason: str) -> None:
        self._end(_Ending(reason))

    def _stop(self) -> None:
        """The server ends: what is followed is followed elsewhere, what is being done is done to its end."""
        if self._asked.kind is OperationType.SUBSCRIPTION:
            self._leave("The server ends; come again")

    def _end(self, ending: _Ending) -> None:
        if not self._over.done():
            self._over.set_result(ending)


def event_of(body: Mapping[str, Any], place: str | None = None) -> bytes:
    """The event that brings a result, the same bytes for all who get it; `place` becomes its id."""
    named = b"id: %s\n" % place.encode() if place else b""
    return b"event: next\n%sdata: %s\n\n" % (named, orjson.dumps(body))
