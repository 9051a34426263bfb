"""GraphQL over server-sent events: the protocol graphql-sse, a connection for each operation.

What is wrong with an operation is told by an event of its stream. A stream that breaks off for another reason (a token
has expired, somebody's rights have changed, the server ends) has no `complete`: its client is to come again, and goes
on after the last event that it saw.

A subscription outlives its request: where the server lets us, the connection is kept and everything else of the request
let go. One that others follow too is then a seat among theirs, and has no task of its own.
"""

import asyncio
import contextvars
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import partial
from secrets import randbelow

import structlog
from graphql import OperationType
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from domain.clock import Clock
from domain.quotas import neighbourhood
from gql.context import Context
from gql.doorkeeper import Guest, Leave, ScreenGuest
from gql.errors import RateLimitedError, Told, mask
from gql.execution import Admitted as Operation
from gql.execution import Schema, admit, answers_to
from gql.fanout.events import COMPLETE, EVENT_STREAM, SILENCE, event_of, head_of, with_id, without_id
from gql.fanout.group import Seat
from gql.fanout.groups import Fanout, Shareable
from gql.fanout.heartbeats import Heartbeats
from gql.fanout.outlet import Outlet
from gql.fanout.places import Places
from gql.fanout.waited import Connection, Line, Waited
from gql.operations import Answer
from gql.resuming import Asked, place_in
from gql.socket_host import Admitted
from gql.telemetry import OPERATIONS, STREAMS

__all__ = ["EVENT_STREAM", "Door", "EventStream"]

LINE = "gametriggers.line"
"""Under this name a server that can do so lets an answer at its `connection`: see `Connection`."""

KEEP_ALIVE_S = 12.0
_COME_AGAIN_MS = (1_000, 4_000)
"""After some time between these: clients that lost their streams together do not come again together."""

_TOO_MANY_S = 10
"""After so long who has too many streams may ask again."""

_NOBODY = contextvars.Context()
"""For timers of streams: each would keep all that is known of the request that it was begun by."""

_log = structlog.get_logger("gametriggers.access")


@dataclass(frozen=True, slots=True)
class Door:
    """How somebody comes in who stays for a stream."""

    stay: Callable[[Request, Context, Leave], Awaitable[Admitted | None]]
    """Lets the caller of a request stay, and puts into its context who that is by now; None for nobody.

    Raises `UnauthenticatedError`, or `UnavailableError` where nobody can say.
    """
    part: Callable[[Guest | ScreenGuest], None]
    """Is told that somebody has left."""
    clock: Clock
    fanout: Fanout
    places: Places
    """A stream takes a place as a socket does."""
    heartbeats: Heartbeats = field(default_factory=lambda: Heartbeats(lambda: KEEP_ALIVE_S))


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why a stream is over."""

    last: bytes = COMPLETE
    gone: bool = False
    """Nobody listens any more."""


class EventStream:
    """The answer to one request: an ASGI application of its own, and what is left of it when the request is over."""

    __slots__ = (
        "_allowed", "_asked", "_began", "_context", "_ending", "_fanout", "_guest", "_heartbeats", "_leaving", "_line",
        "_outlet", "_reopen", "_schema", "_seat", "_task",
    )  # fmt: skip

    def __init__(
        self,
        schema: Schema,
        asked: Asked,
        allowed: Collection[OperationType],
        context: Context,
        fanout: Fanout,
    ) -> None:
        self._schema, self._asked, self._allowed, self._fanout = schema, asked, allowed, fanout
        self._context: Context | None = context
        self._reopen = partial(
            Context,
            ports=context.ports,
            correlation_id=context.correlation_id,
            origin=context.origin,
            cookies=context.cookies,
        )
        self._began = time.perf_counter()
        self._leaving: list[Callable[[], object]] = []
        self._guest: Guest | ScreenGuest | None = None
        self._heartbeats: Heartbeats | None = None
        self._line: Line | None = None
        self._outlet: Outlet | None = None
        self._seat: Seat | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending: _Ending | None = None

    @property
    def operations(self) -> int:
        """How many operations are carried out."""
        return 1

    async def enter(self, request: Request, door: Door) -> None:
        """Let the caller stay while the stream lasts. Raises what `Door.stay` raises, or `RateLimitedError`."""
        context = self._known()
        self._heartbeats = door.heartbeats
        try:
            self._take_place(door.places, "sockets_of_address", neighbourhood(context.origin.address))
            admitted = await door.stay(request, context, self._leave)
            if admitted is not None:
                self._guest = admitted.guest
                self._leaving.append(partial(door.part, admitted.guest))
                self._take_place(door.places, "sockets_of_person", admitted.guest.subject)
                if (left := admitted.left_s(door.clock())) is not None:
                    later = asyncio.get_running_loop().call_later
                    timer = later(left, self._leave, "The token has expired", context=_NOBODY)
                    self._leaving.append(timer.cancel)
        except BaseException:
            self._part()
            raise

    def _take_place(self, places: Places, limit: str, subject: str) -> None:
        if not places.enter(limit, subject, self):
            raise RateLimitedError(_TOO_MANY_S)
        self._leaving.append(partial(places.leave, limit, subject, self))

    def _known(self) -> Context:
        """The context; that of the request is let go when others carry out the operation too."""
        if self._context is None:
            guest = self._guest
            self._context = self._reopen(actor=guest.actor, screen=guest.screen) if guest else self._reopen(actor=None)
        return self._context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begin the stream, and wait for its end where it cannot go on by itself."""
        OPERATIONS.count("sse")
        STREAMS.inc()
        self._leaving.append(STREAMS.dec)
        connection: Connection | None = scope.get("extensions", {}).get(LINE, {}).get("connection")
        keeps = connection is not None and self._asked.kind is OperationType.SUBSCRIPTION
        try:
            await send(head_of({"Connection": "close"} if keeps else {}, self._known().budget.headers))
            if connection is not None and keeps and (line := connection.keep(self)) is not None:
                self._leaving.append(self._note)
                self._begin(line)
                return
            waited = Waited(send, connection.abort if connection is not None else None)
            self._begin(waited)
            await waited.last(receive, self.gone)
        except BaseException:
            self._part()
            raise
        self._part()

    def _begin(self, line: Line) -> None:
        self._line, self._outlet = line, Outlet(line, self._let_go)
        shortest, longest = _COME_AGAIN_MS
        self._outlet.offer(b"retry: %d\n\n" % (shortest + randbelow(longest - shortest)))
        if self._ending is not None:
            line.begin(self._close(line, self._ending))
            return
        if self._heartbeats is not None:
            self._leaving.append(partial(self._heartbeats.leave, self, self._heartbeats.join(self)))
        self._task = line.begin(self._tell(self._outlet))

    def show_signs(self) -> None:
        """Show that we are there, and find out whether the client is."""
        if self._line is not None and self._outlet is not None:
            if self._outlet.waiting_bytes:
                self._line.begin(self._outlet.send(SILENCE))
            else:
                self._outlet.offer(SILENCE)

    async def _tell(self, outlet: Outlet) -> None:
        """Carry out the operation, or let it follow others that are carried out for many."""
        context = self._known()
        try:
            admitted = await admit(self._schema, self._asked.operation, context, self._allowed)
            if isinstance(admitted, Answer):
                await outlet.send(event_of(admitted.body))
            elif shareable := self._fanout.shareable(admitted, context):
                self._follow(shareable, outlet)
                return
            else:
                await self._answer(outlet, admitted, context)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told as an error of the operation
            await outlet.send(event_of({"errors": [mask(error, context.correlation_id)]}))
        self._end(_Ending())

    def _follow(self, shareable: Shareable, outlet: Outlet) -> None:
        """Take a seat among others, and let go of what nobody needs who only listens."""
        form, prefix = (with_id, b"with id") if self._asked.resumable else (without_id, b"without id")
        self._seat = seat = Seat(self, outlet, "", prefix, shareable.admitted, form)
        self._fanout.join(shareable, seat)
        self._asked = replace(self._asked, operation=seat.admitted.operation)
        self._context = self._task = None

    async def _answer(self, outlet: Outlet, admitted: Operation, context: Context) -> None:
        async with aclosing(answers_to(self._schema, admitted, context)) as results:
            async for answer in results:
                await outlet.send(event_of(answer.body, place_in(answer.data) if self._asked.resumable else None))
                await asyncio.sleep(0)  # who has much to catch up with takes turns with who has just come

    def ended(self, seat: Seat, errors: list[Told] | None) -> None:
        """What was followed is over, or broke off with errors."""
        if errors:
            seat.outlet.offer(event_of({"errors": errors}))
        self._end(_Ending())

    def alone(self, seat: Seat) -> None:
        """It cannot be shared: carry the operation out by itself."""
        if self._line is not None:
            self._task = self._line.begin(self._tell_alone(seat))

    async def _tell_alone(self, seat: Seat) -> None:
        context = self._known()
        try:
            await self._answer(seat.outlet, seat.admitted, context)
        except Exception as error:  # noqa: BLE001 - as above
            await seat.outlet.send(event_of({"errors": [mask(error, context.correlation_id)]}))
        self._end(_Ending())

    def gone(self) -> None:
        """The client has gone."""
        self._end(_Ending(gone=True))

    def _let_go(self) -> None:
        """The client is too slow."""
        if self._line is not None:
            self._line.abort()
        self.gone()

    def _leave(self, reason: str) -> None:
        """It is over for a reason, which is told to who can be told at once."""
        if self._line is not None and not self._line.has_room:
            self._let_go()
        self._end(_Ending(b": %b\n\n" % reason.encode()))

    def stop(self) -> None:
        """The server ends: what is followed is followed elsewhere."""
        self._leave("The server ends; come again")

    def _end(self, ending: _Ending) -> None:
        if self._ending is None:
            self._ending = ending
            if self._line is not None:
                self._line.begin(self._close(self._line, ending))

    async def _close(self, line: Line, ending: _Ending) -> None:
        """End the operation before letting go."""
        if self._seat is not None:
            self._seat.leave()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._outlet is not None and not ending.gone:
            await self._outlet.send(ending.last)
            await line.finish()
        else:
            line.abort()
        self._part()

    def _part(self) -> None:
        if self._outlet is not None:
            self._outlet.end()
        leaving, self._leaving = self._leaving, []
        for leave in reversed(leaving):
            leave()

    def _note(self) -> None:
        """The line of its request stands at its beginning."""
        lasted = round(time.perf_counter() - self._began, 1)
        _log.info("stream", request_id=self._reopen.keywords["correlation_id"], seconds=lasted)
