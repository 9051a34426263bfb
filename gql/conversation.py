"""One WebSocket: who sits at its other end, what they asked for, and how it ends."""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import orjson
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect

from domain.errors import UnavailableError
from gql import execution
from gql.context import Context
from gql.errors import ApiError, BadInputError, Told, UnauthenticatedError, mask, told, told_of
from gql.execution import admit, answers_to
from gql.fanout.group import Seat
from gql.fanout.line import Line
from gql.fanout.outlet import frame_of
from gql.operations import EVERYTHING, Answer, MalformedError, Operation, operation_of
from gql.socket_host import Admitted, Host
from gql.socket_messages import (
    BAD_MESSAGE,
    FORBIDDEN,
    ID_TAKEN,
    INIT_AGAIN,
    INIT_TIMEOUT,
    OUR_FAULT,
    RESTARTING,
    TRY_AGAIN_LATER,
    UNAUTHORIZED,
    BrokenProtocolError,
    Ending,
    id_in,
    last_of,
    mapping,
    pong_to,
    prefix_of,
    read,
)

INIT_S = 10.0
STOP_S = 6.0
"""So long a server that stops waits for queries and mutations to finish."""

_BACK_MS = (500, 4_000)
"""Clients of a server that stops are to come back within this span, and not all at once."""

_log = structlog.get_logger("gametriggers.websocket")


class Conversation:
    """One socket. It is over when its future says so: by whom or by what, and whether it is to be closed."""

    def __init__(self, websocket: WebSocket, host: Host) -> None:
        self._websocket, self._host = websocket, host
        self._admitted: Admitted | None = None
        self._operations: dict[str, asyncio.Task[None] | Seat] = {}
        self._streams = set[str]()
        self._ending = set[asyncio.Task[None]]()
        self._line = Line(websocket, self._let_go)
        self._stopping: asyncio.Task[None] | None = None
        self._over: asyncio.Future[Ending | None] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def operations(self) -> int:
        """How many operations are carried out, or have to be tidied up."""
        return len(self._operations) + len(self._ending)

    async def hold(self) -> None:
        """Listen until somebody ends it, then end every operation before letting go."""
        self._end_after(INIT_S, Ending(INIT_TIMEOUT, "Connection initialisation timeout"))
        listener = asyncio.create_task(self._listen())
        self._line.heed_stop(self._stop)
        try:
            ending = await self._over
            self._cancel_all()
            if ending is not None:
                await self._line.close(ending.code, ending.reason)
        finally:
            self._end_after(None)
            listener.cancel()
            self._cancel_all()
            self._line.end()
            await asyncio.gather(listener, *self._ending, return_exceptions=True)
            if self._admitted is not None:
                self._host.places.leave("sockets_of_person", self._person, self)
                self._host.part(self._admitted.guest)

    @property
    def _person(self) -> str:
        return self._admitted.guest.subject if self._admitted is not None else ""

    def _end(self, ending: Ending | None) -> None:
        if not self._over.done():
            self._over.set_result(ending)

    def _end_after(self, seconds: float | None, ending: Ending | None = None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._end, ending) if seconds is not None else None

    def _let_go(self) -> None:
        self._end(Ending(TRY_AGAIN_LATER, "Too slow"))

    def _leave(self, reason: str) -> None:
        self._end(Ending(FORBIDDEN, reason))

    def _stop(self) -> None:
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._finish())

    async def _finish(self) -> None:
        """The server stops: let changes come to their end, begin nothing new, and say when to come back."""
        finishing = [task for id_, task in self._operations.items() if id_ not in self._streams]
        tasks = [task for task in finishing if isinstance(task, asyncio.Task)]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)
        first, last = _BACK_MS
        seconds = (first + secrets.randbelow(last - first)) / 1000
        self._end(Ending(RESTARTING, f"Restarting: come back in {seconds:.1f} s"))

    def _cancel_all(self) -> None:
        for id_ in list(self._operations):
            self._cancel(id_)

    def _cancel(self, id_: str) -> None:
        """End an operation; its id is free at once, and `hold` waits for what it still has to tidy up."""
        operation = self._free(id_)
        if isinstance(operation, Seat):
            operation.leave()
        elif operation is not None:
            self._ending.add(operation)
            operation.add_done_callback(self._ending.discard)
            operation.cancel()

    def _free(self, id_: str) -> asyncio.Task[None] | Seat | None:
        self._streams.discard(id_)
        return self._operations.pop(id_, None)

    async def _listen(self) -> None:
        try:
            while True:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return self._end(None)
                await self._take(read(message.get("text")))
        except BrokenProtocolError as broken:
            self._end(broken.ending)
        except WebSocketDisconnect:
            self._end(None)
        except Exception:  # noqa: BLE001 - whatever it is, the other sockets go on
            _log.exception("websocket_failed")
            self._end(Ending(OUR_FAULT, "Something went wrong on our side"))

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._initialise(mapping(message, "payload"))
            case "ping":
                await self._line.outlet.send(frame_of(pong_to(message)))
            case "pong":
                mapping(message, "payload")
            case "subscribe":
                await self._subscribe(id_in(message), message.get("payload"))
            case "complete":
                self._cancel(id_in(message))
            case unknown:
                raise BrokenProtocolError(BAD_MESSAGE, f"Unknown message type {str(unknown)[:40]!r}")

    async def _initialise(self, payload: Mapping[str, Any] | None) -> None:
        if self._admitted is not None:
            raise BrokenProtocolError(INIT_AGAIN, "Too many initialisation requests")
        try:
            admitted = await self._host.admit(self._websocket, payload or {}, self._leave)
        except UnauthenticatedError as error:
            _log.info("websocket_refused", reason=str(error))
            raise BrokenProtocolError(FORBIDDEN, "Forbidden") from None
        except UnavailableError as error:
            _log.warning("websocket_unavailable", error=repr(error))
            raise BrokenProtocolError(TRY_AGAIN_LATER, "Try again later") from None
        self._admitted = admitted
        if not self._host.places.enter("sockets_of_person", self._person, self):
            raise BrokenProtocolError(TRY_AGAIN_LATER, "Try again later: you have too many sockets")
        self._end_after(admitted.left_s(self._host.clock()), Ending(FORBIDDEN, "Forbidden: the token has expired"))
        await self._line.send({"type": "connection_ack"})

    async def _subscribe(self, id_: str, payload: object) -> None:
        if self._admitted is None:
            raise BrokenProtocolError(UNAUTHORIZED, "Unauthorized")
        if id_ in self._operations:
            raise BrokenProtocolError(ID_TAKEN, f"Subscriber for {id_[:60]} already exists")
        try:
            operation = operation_of(payload)
        except MalformedError as error:
            raise BrokenProtocolError(BAD_MESSAGE, str(error)) from None
        if self._stopping is not None:
            return
        if not self._host.places.has_room_for_operation(self._person, self):
            refusal = told("You have as many operations at a time as you may have.", BadInputError.code)
            await self._line.send(last_of(id_, [refusal]))
            return
        self._operations[id_] = asyncio.create_task(self._run(id_, operation, self._context()))

    def _context(self) -> Context:
        if self._admitted is None:
            raise UnauthenticatedError
        return self._host.open_context(self._admitted.guest, self._websocket.state.origin)

    async def _run(self, id_: str, operation: Operation, context: Context) -> None:
        """Carry out one operation, or let it follow others that are carried out for many."""
        try:
            await context.budget.take_request()
            admitted = await admit(self._host.schema, operation, context, EVERYTHING)
            if isinstance(admitted, Answer):
                await self._last(id_, admitted.errors)
                return
            if admitted.streams:
                if self._stopping is not None:
                    self._free(id_)  # nobody is to wait for what has no end; the client begins it elsewhere
                    return
                self._streams.add(id_)
            shareable = self._host.fanout.shareable(admitted, context)
            if shareable is not None:
                self._operations[id_] = seat = Seat(self, self._line.outlet, id_, prefix_of(id_), admitted)
                self._host.fanout.join(shareable, seat)
                return
        except ApiError as error:
            await self._last(id_, [told_of(error)])
        except Exception as error:  # noqa: BLE001 - whatever it is, the other operations go on
            await self._last(id_, [mask(error, context.correlation_id)])
        else:
            await self._answer(id_, admitted, context)

    async def _answer(self, id_: str, admitted: execution.Admitted, context: Context) -> None:
        errors: list[Told] | None = None
        prefix = prefix_of(id_)
        try:
            async with aclosing(answers_to(self._host.schema, admitted, context)) as results:
                async for answer in results:
                    if not answer.executed:
                        errors = answer.errors
                        break
                    await self._line.outlet.send(frame_of(prefix + orjson.dumps(answer.body) + b"}"))
                    await asyncio.sleep(0)  # who has much to catch up with takes turns with who has just come
        except Exception as error:  # noqa: BLE001 - whatever it is, the other operations go on
            errors = [mask(error, context.correlation_id)]
        await self._last(id_, errors)

    async def _last(self, id_: str, errors: list[Told] | None) -> None:
        """An operation's last message. Its id is free again before that says so."""
        self._free(id_)
        await self._line.send(last_of(id_, errors))

    def ended(self, seat: Seat, errors: list[Told] | None) -> None:
        """What was followed is over, or broke off with errors."""
        self._free(seat.id)
        self._line.offer(last_of(seat.id, errors))

    def alone(self, seat: Seat) -> None:
        """It cannot be shared: carry the operation out by itself."""
        self._operations[seat.id] = asyncio.create_task(self._answer(seat.id, seat.admitted, self._context()))
