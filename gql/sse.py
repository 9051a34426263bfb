"""GraphQL over server-sent events: the protocol graphql-sse, a connection for each operation.

What is wrong with an operation is told by an event of its stream. A stream that breaks off for another reason (a token
has expired, somebody's rights have changed, the server ends) has no `complete`: its client is to come again, and goes
on after the last event that it saw.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
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
from gql.errors import RateLimitedError, Told, mask
from gql.execution import Admitted as Operation
from gql.execution import Schema, admit, answers_to
from gql.fanout.group import Seat, Written
from gql.fanout.groups import Fanout
from gql.fanout.outlet import Outlet, Writer
from gql.fanout.places import Places
from gql.fanout.texts import Texts
from gql.operations import Answer
from gql.resuming import Asked, place_in
from gql.socket_host import Admitted
from gql.telemetry import OPERATIONS, STREAMS

EVENT_STREAM = "text/event-stream"
LINE = "gametriggers.line"
"""Under this name a server that can do so lets an answer at its `connection`: see `Line`."""

KEEP_ALIVE_S = 12.0
_COME_AGAIN_MS = (1_000, 4_000)
"""After some time between these: clients that lost their streams together do not come again together."""

_TOO_MANY_S = 10
"""After so long who has too many streams may ask again."""

_SILENCE = b":\n\n"
_COMPLETE = b"event: complete\ndata:\n\n"


class Line(Writer, Protocol):
    """The connection that an answer goes out by, which takes pieces of it without being waited for."""

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
    fanout: Fanout
    places: Places
    """A stream takes a place as a socket does."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why a stream is over."""

    last: bytes = _COMPLETE
    gone: bool = False
    """Nobody listens any more."""


class EventStream:
    """The answer to one request: an ASGI application of its own. It is over when its future says so."""

    def __init__(
        self,
        schema: Schema,
        asked: Asked,
        allowed: Collection[OperationType],
        context: Context,
        fanout: Fanout,
    ) -> None:
        self._schema, self._asked, self._allowed, self._context = schema, asked, allowed, context
        self._fanout = fanout
        self._over: asyncio.Future[_Ending] = asyncio.get_running_loop().create_future()
        self._line: Line | None = None
        self._tasks = set[asyncio.Task[None]]()
        self._signs: asyncio.TimerHandle | None = None
        self._seat: Seat | None = None
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
        texts: Texts | None = None
        if self._line is not None:
            outlet = Outlet(self._line, self._let_go)
        else:
            texts = Texts(lambda chunk: send(_piece(chunk)))
            outlet = Outlet(texts, self._let_go)
        STREAMS.inc()
        try:
            await self._begin(send, outlet)
            self._begin_task(self._notice(receive))
            self._begin_task(self._tell(outlet))
            self._signs = asyncio.get_running_loop().call_later(KEEP_ALIVE_S, self._show_signs, outlet)
            ending = await self._over
            if not ending.gone:
                await outlet.send(ending.last)
                if texts is not None:
                    await texts.sent()
                await send(_piece(b"", more=False))
        finally:
            await self._tidy_up()
            outlet.end()
            if texts is not None:
                texts.end()
            self._afterwards.close()
            STREAMS.dec()

    async def _begin(self, send: Send, outlet: Outlet) -> None:
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
        outlet.offer(b"retry: %d\n\n" % (shortest + randbelow(longest - shortest)))

    def _show_signs(self, outlet: Outlet) -> None:
        """Show now and then that we are there, and find out whether the client is."""
        self._signs = asyncio.get_running_loop().call_later(KEEP_ALIVE_S, self._show_signs, outlet)
        if outlet.waiting_bytes:
            self._begin_task(outlet.send(_SILENCE))
        else:
            outlet.offer(_SILENCE)

    def _begin_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tidy_up(self) -> None:
        if self._line is not None:
            self._line.when_stopping(None)
        if self._signs is not None:
            self._signs.cancel()
        if self._seat is not None:
            self._seat.leave()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tell(self, outlet: Outlet) -> None:
        """Carry out the operation, or let it follow others that are carried out for many."""
        context = self._context
        try:
            admitted = await admit(self._schema, self._asked.operation, context, self._allowed)
            if isinstance(admitted, Answer):
                await outlet.send(event_of(admitted.body))
            elif shareable := self._fanout.shareable(admitted, context):
                form, prefix = (_with_id, b"with id") if self._asked.resumable else (_without_id, b"without id")
                self._seat = Seat(self, outlet, "", prefix, admitted, form)
                self._fanout.join(shareable, self._seat)
                return
            else:
                await self._answer(outlet, admitted)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told as an error of the operation
            await outlet.send(event_of({"errors": [mask(error, context.correlation_id)]}))
        self._end(_Ending())

    async def _answer(self, outlet: Outlet, admitted: Operation) -> None:
        async with aclosing(answers_to(self._schema, admitted, self._context)) as results:
            async for answer in results:
                await outlet.send(event_of(answer.body, place_in(answer.data) if self._asked.resumable else None))

    def ended(self, seat: Seat, errors: list[Told] | None) -> None:
        """What was followed is over, or broke off with errors."""
        if errors:
            seat.outlet.offer(event_of({"errors": errors}))
        self._end(_Ending())

    def alone(self, seat: Seat) -> None:
        """It cannot be shared: carry the operation out by itself."""
        self._begin_task(self._tell_alone(seat))

    async def _tell_alone(self, seat: Seat) -> None:
        try:
            await self._answer(seat.outlet, seat.admitted)
        except Exception as error:  # noqa: BLE001 - as above
            await seat.outlet.send(event_of({"errors": [mask(error, self._context.correlation_id)]}))
        self._end(_Ending())

    async def _notice(self, receive: Receive) -> None:
        """Wait until the client is gone."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._end(_Ending(gone=True))

    def _let_go(self) -> None:
        """The client is too slow."""
        if self._line is not None:
            self._line.abort()
        self._end(_Ending(gone=True))

    def _leave(self, reason: str) -> None:
        """It is over for a reason, which is told to who can be told at once."""
        if self._line is not None and not self._line.has_room:
            self._let_go()
        self._end(_Ending(b": %b\n\n" % reason.encode()))

    def _stop(self) -> None:
        """The server ends: what is followed is followed elsewhere, what is being done is done to its end."""
        if self._asked.kind is OperationType.SUBSCRIPTION:
            self._leave("The server ends; come again")

    def _end(self, ending: _Ending) -> None:
        if not self._over.done():
            self._over.set_result(ending)


def event_of(body: Mapping[str, Any], place: str | None = None) -> bytes:
    """The event that brings a result; `place` becomes its id."""
    return _with_id(b"", Written(orjson.dumps(body), place))


def _with_id(_: bytes, written: Written) -> bytes:
    named = b"id: %b\n" % written.place.encode() if written.place else b""
    return b"event: next\n%bdata: %b\n\n" % (named, written.text)


def _without_id(prefix: bytes, written: Written) -> bytes:
    return _with_id(prefix, Written(written.text, None))


def _piece(chunk: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}
