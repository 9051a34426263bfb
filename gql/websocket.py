"""GraphQL over WebSocket: the sub-protocol graphql-transport-ws, and no other.

A token comes with `connection_init`, or in a cookie of the portal whose page opens the socket, and the socket lives no
longer than it. What is wrong with one operation is told
to that operation and ends nothing else; only what breaks the protocol closes the socket, with the protocol's own code.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
import structlog
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from domain.actor import Actor, Origin
from domain.clock import Clock
from domain.errors import UnavailableError
from gql.context import Context
from gql.doorkeeper import Guest, Leave
from gql.errors import BadInputError, RateLimitedError, UnauthenticatedError, mask, told, told_of
from gql.execution import Schema, answers
from gql.operations import EVERYTHING, MalformedError, Operation, operation_of

PROTOCOL = "graphql-transport-ws"
LARGEST_MESSAGE = 100 * 1024
"""Characters."""

MOST_OPERATIONS = 50
"""At a time on one socket."""

INIT_S = 10.0
SEND_S = 30.0
"""A client that takes nothing for so long is let go; it may come back and resume by cursor."""

_BAD_MESSAGE, _UNAUTHORIZED, _FORBIDDEN, _NO_PROTOCOL = 4400, 4401, 4403, 4406
_INIT_TIMEOUT, _ID_TAKEN, _INIT_AGAIN = 4408, 4409, 4429
_TOO_BIG, _TRY_AGAIN_LATER = 1009, 1013
_LONGEST_REASON = 120
_LONGEST_ID = 200

_log = structlog.get_logger("gametriggers.websocket")


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who sits at the other end, and until when."""

    guest: Guest
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a socket is to be closed, and with which code."""

    code: int
    reason: str


class BrokenProtocolError(Exception):
    """A message that the protocol does not allow."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.ending = Ending(code, reason)


@dataclass(frozen=True, slots=True)
class Host:
    """What every socket is served with."""

    schema: Schema
    admit: Callable[[HTTPConnection, Mapping[str, Any], Leave], Awaitable[Admitted]]
    """Judges a handshake and the payload of `connection_init`. Raises `UnauthenticatedError`, or `UnavailableError`."""
    part: Callable[[Guest], None]
    """Is told that somebody has left."""
    open_context: Callable[[Actor, Origin], Context]
    """Makes the context of one operation."""
    welcomes: Callable[[Mapping[str, str]], bool]
    """Whether a handshake with these headers comes from a page that we know, or from no page."""
    clock: Clock


class GraphQLOverWebSocket:
    """The endpoint."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it closes. A page of a site that we do not know gets none: 403."""
        if not self._host.welcomes(websocket.headers):
            await websocket.close()
            return
        if PROTOCOL not in websocket.scope.get("subprotocols", ()):
            await websocket.accept()
            await websocket.close(_NO_PROTOCOL, "Subprotocol not acceptable")
            return
        await websocket.accept(PROTOCOL)
        await _Conversation(websocket, self._host).hold()


class _Conversation:
    """One socket. It is over when its future says so: by whom or by what, and whether it is to be closed."""

    def __init__(self, websocket: WebSocket, host: Host) -> None:
        loop = asyncio.get_running_loop()
        self._websocket, self._host = websocket, host
        self._admitted: Admitted | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._ending = set[asyncio.Task[None]]()
        self._sending = asyncio.Lock()
        self._over: asyncio.Future[Ending | None] = loop.create_future()
        self._timer = loop.call_later(INIT_S, self._end, Ending(_INIT_TIMEOUT, "Connection initialisation timeout"))

    async def hold(self) -> None:
        """Listen until somebody ends it, then end every operation before letting go."""
        listener = asyncio.create_task(self._listen())
        try:
            ending = await self._over
            if ending is not None:
                self._cancel_all()
                with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
                    async with asyncio.timeout(SEND_S):
                        await self._websocket.close(ending.code, ending.reason[:_LONGEST_REASON])
        finally:
            self._timer.cancel()
            listener.cancel()
            self._cancel_all()
            await asyncio.gather(listener, *self._ending, return_exceptions=True)
            if self._admitted is not None:
                self._host.part(self._admitted.guest)

    def _end(self, ending: Ending | None) -> None:
        if not self._over.done():
            self._over.set_result(ending)

    def _cancel_all(self) -> None:
        for id_ in list(self._operations):
            self._cancel(id_)

    def _cancel(self, id_: str) -> None:
        """End an operation; its id is free at once, and `hold` waits for what it still has to tidy up."""
        task = self._operations.pop(id_, None)
        if task is not None:
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
            task.cancel()

    async def _listen(self) -> None:
        try:
            while True:
                message = await self._websocket.receive()
                if message["type"] == "websocket.disconnect":
                    return self._end(None)
                await self._take(_read(message.get("text")))
        except BrokenProtocolError as broken:
            self._end(broken.ending)
        except WebSocketDisconnect:
            self._end(None)
        except Exception:  # noqa: BLE001 - whatever it is, the other sockets go on
            _log.exception("websocket_failed")
            self._end(Ending(1011, "Something went wrong on our side"))

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._initialise(_mapping(message, "payload"))
            case "ping":
                payload = _mapping(message, "payload")
                await self._send({"type": "pong", "payload": payload} if "payload" in message else {"type": "pong"})
            case "pong":
                _mapping(message, "payload")
            case "subscribe":
                await self._subscribe(_id(message), message.get("payload"))
            case "complete":
                self._cancel(_id(message))
            case unknown:
                raise BrokenProtocolError(_BAD_MESSAGE, f"Unknown message type {str(unknown)[:40]!r}")

    async def _initialise(self, payload: Mapping[str, Any] | None) -> None:
        if self._admitted is not None:
            raise BrokenProtocolError(_INIT_AGAIN, "Too many initialisation requests")
        try:
            admitted = await self._host.admit(self._websocket, payload or {}, self._leave)
        except UnauthenticatedError as error:
            _log.info("websocket_refused", reason=str(error))
            raise BrokenProtocolError(_FORBIDDEN, "Forbidden") from None
        except UnavailableError as error:
            _log.warning("websocket_unavailable", error=repr(error))
            raise BrokenProtocolError(_TRY_AGAIN_LATER, "Try again later") from None
        self._admitted = admitted
        self._timer.cancel()
        left = (admitted.expires_at - self._host.clock()).total_seconds()
        self._timer = asyncio.get_running_loop().call_later(
            max(left, 0.0), self._end, Ending(_FORBIDDEN, "Forbidden: the token has expired")
        )
        await self._send({"type": "connection_ack"})

    def _leave(self, reason: str) -> None:
        self._end(Ending(_FORBIDDEN, reason))

    async def _subscribe(self, id_: str, payload: object) -> None:
        if self._admitted is None:
            raise BrokenProtocolError(_UNAUTHORIZED, "Unauthorized")
        if id_ in self._operations:
            raise BrokenProtocolError(_ID_TAKEN, f"Subscriber for {id_[:60]} already exists")
        try:
            operation = operation_of(payload)
        except MalformedError as error:
            raise BrokenProtocolError(_BAD_MESSAGE, str(error)) from None
        if len(self._operations) + len(self._ending) >= MOST_OPERATIONS:
            refusal = told(f"{MOST_OPERATIONS} operations at a time are the most on one socket.", BadInputError.code)
            await self._send({"id": id_, "type": "error", "payload": [refusal]})
            return
        context = self._host.open_context(self._admitted.guest.actor, self._websocket.state.origin)
        self._operations[id_] = asyncio.create_task(self._run(id_, operation, context))

    async def _run(self, id_: str, operation: Operation, context: Context) -> None:
        """Carry out one operation. Its id is free again before its last message says so."""
        last: dict[str, Any] = {"id": id_, "type": "complete"}
        try:
            await context.budget.take_request()
            async with aclosing(answers(self._host.schema, operation, context, EVERYTHING)) as results:
                async for answer in results:
                    if not answer.executed:
                        last = {"id": id_, "type": "error", "payload": answer.errors}
                        break
                    await self._send({"id": id_, "type": "next", "payload": answer.body})
        except RateLimitedError as error:
            last = {"id": id_, "type": "error", "payload": [told_of(error)]}
        except Exception as error:  # noqa: BLE001 - whatever it is, the other operations go on
            last = {"id": id_, "type": "error", "payload": [mask(error, context.correlation_id)]}
        self._operations.pop(id_, None)
        await self._send(last)

    async def _send(self, message: Mapping[str, Any]) -> None:
        """Send one message, or end the socket: a client that is gone or takes nothing holds nobody up."""
        text = orjson.dumps(message).decode()
        try:
            async with self._sending, asyncio.timeout(SEND_S):
                await self._websocket.send_text(text)
        except TimeoutError:
            self._end(Ending(_TRY_AGAIN_LATER, "Too slow"))
        except (WebSocketDisconnect, RuntimeError):
            self._end(None)


def _read(text: str | None) -> dict[str, Any]:
    """A message of the protocol, as far as all have the same form."""
    if text is None:
        raise BrokenProtocolError(_BAD_MESSAGE, "Messages are text")
    if len(text) > LARGEST_MESSAGE:
        raise BrokenProtocolError(_TOO_BIG, "Message too big")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BrokenProtocolError(_BAD_MESSAGE, "Messages are JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise BrokenProtocolError(_BAD_MESSAGE, "Messages are objects with a type")
    return message


def _mapping(message: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    found = message.get(name)
    if not isinstance(found, dict | None):
        raise BrokenProtocolError(_BAD_MESSAGE, f"`{name}` must be an object or null")
    return found


def _id(message: Mapping[str, Any]) -> str:
    found = message.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= _LONGEST_ID:
        raise BrokenProtocolError(_BAD_MESSAGE, f"`id` must be a text of 1 to {_LONGEST_ID} characters")
    return found
