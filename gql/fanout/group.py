"""Those who are told the same: one stream, each of whose events is carried out and written down once."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import orjson
import structlog

from gql.admission import RefusedError
from gql.errors import ForbiddenError, Told, UnauthenticatedError, mask, tell
from gql.execution import Admitted, Schema, answer_of, answered_event, begun, broken_off
from gql.fanout.nobody import SharedContext
from gql.fanout.outlet import Outlet, head_of
from gql.fanout.sharing import Flow, Sharing
from gql.operations import Answer
from gql.resuming import place_in

MOST_KEYS = 256
"""Of the last messages of as many keys a group keeps one each."""

_AT_A_TIME = 500
"""So many are sent to before others have a turn."""

_AGAIN = "Subscribe again after the last cursor."
_PERSONAL = {UnauthenticatedError.code, ForbiddenError.code}
_log = structlog.get_logger("gametriggers.fanout")


class Written(NamedTuple):
    """An answer, written once for all."""

    text: bytes
    place: str | None
    """The cursor in it, where there is one."""


def framed(prefix: bytes, written: Written) -> bytes:
    """The message of a WebSocket."""
    text = written.text
    return b"%b%b%b}" % (head_of(len(prefix) + len(text) + 1), prefix, text)


Form = Callable[[bytes, Written], bytes]
"""What clients are sent who have the same prefix."""


class Holder(Protocol):
    """Whose seats they are: a socket, or a stream of events."""

    def ended(self, seat: "Seat", errors: list[Told] | None) -> None:
        """The stream is over, or broke off with errors."""
        ...

    def alone(self, seat: "Seat") -> None:
        """It cannot be shared: the operation is to be carried out by itself."""
        ...


@dataclass(eq=False, slots=True)
class Seat:
    """One operation of one socket that follows a group."""

    holder: Holder
    outlet: Outlet
    id: str
    """What the client calls the operation."""
    prefix: bytes
    """The text of a message up to its payload."""
    admitted: Admitted
    form: Form = framed
    group: "Group | None" = None
    place: int = -1
    """What the client was told already."""

    def leave(self) -> None:
        """Follow no more."""
        if self.group is not None:
            self.group.leave(self)


class Registry(Protocol):
    """Who knows all groups."""

    def main_of(self, group: "Group") -> "Group":
        """The group that everybody is to join who has caught up with it; it may be the same."""
        ...

    def over(self, group: "Group") -> None:
        """Nobody follows it any more."""
        ...


class Group:
    """A stream and who follows it."""

    def __init__(self, schema: Schema, admitted: Admitted, sharing: Sharing, registry: Registry) -> None:
        self._schema, self.admitted, self._sharing, self._registry = schema, admitted, sharing, registry
        self._seats: dict[Seat, None] = {}
        self._last = OrderedDict[Hashable, Written]()
        self._task: asyncio.Task[None] | None = None
        self.place: int | None = None
        """Where the stream stands; None before its first event."""
        self.is_personal = False
        """It turned out to depend on who is calling."""

    @property
    def size(self) -> int:
        """How many follow."""
        return len(self._seats)

    def begin(self, task: asyncio.Task[None]) -> None:
        """The task that runs `follow`."""
        self._task = task

    def take(self, seat: Seat) -> None:
        """One more follows, and is told at once what the last messages were that still hold."""
        seat.group = self
        self._seats[seat] = None
        for key, written in self._last.items():
            seat.outlet.offer(seat.form(seat.prefix, written), self._sharing.flow, (seat, key))

    def leave(self, seat: Seat) -> None:
        """One less follows."""
        self._seats.pop(seat, None)
        seat.group = None
        if not self._seats:
            self._registry.over(self)
            if self._task is not None and self._task is not asyncio.current_task():
                self._task.cancel()

    async def follow(self, context: SharedContext) -> None:
        """Hand out event after event until nobody listens or nothing comes any more."""
        errors: list[Told] | None = None
        try:
            _, stream = await begun(self._schema, self.admitted, context)
            async with aclosing(stream) as events:
                async for event in events:
                    if not await self._tell(event, context):
                        return
        except RefusedError as refused:
            errors = tell(refused.errors, context.correlation_id, self._schema.manner)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other groups go on
            errors = self._broken_off(error, context)
        if context.was_asked_for_somebody:
            self._each_alone()
        else:
            self._part(lambda seat: seat.holder.ended(seat, errors))

    def _broken_off(self, error: Exception, context: SharedContext) -> list[Told]:
        try:
            return tell(broken_off(error).errors, context.correlation_id, self._schema.manner)
        except Exception as another:  # noqa: BLE001 - even telling may fail
            return [mask(another, context.correlation_id)]

    async def _tell(self, event: object, context: SharedContext) -> bool:
        """Carry out an event and hand out what it came to; False if nobody is there to be told of more."""
        context.renew()
        run = self.admitted.found.run(context, self.admitted.variables)
        if run is None:
            self._each_alone()
            return False
        done = await answered_event(self._schema, self.admitted, run, event)
        answer = answer_of(done, context.correlation_id, self._schema.manner)
        if context.was_asked_for_somebody or _is_personal(answer):
            self._each_alone()
            return False
        written = Written(orjson.dumps(answer.body), place_in(answer.data))
        key = self._remember(event, written)
        await self._hand_out(written, key)
        return self._go_on()

    def _remember(self, event: object, written: Written) -> Hashable:
        if self._sharing.place is not None:
            self.place = self._sharing.place(event)
        if self._sharing.flow is not Flow.LATEST:
            return None
        key: Any = self._sharing.key(event)
        self._last[key] = written
        self._last.move_to_end(key)
        if len(self._last) > MOST_KEYS:
            self._last.popitem(last=False)
        return key  # type: ignore[no-any-return] # hashable, or the line before had failed

    async def _hand_out(self, written: Written, key: Hashable) -> None:
        flow, place, is_latest = self._sharing.flow, self.place, self._sharing.flow is Flow.LATEST
        prefix, frame = None, b""
        for number, seat in enumerate(list(self._seats), 1):
            if seat.group is self and (place is None or seat.place < place):
                # Those who call it alike are sent the same bytes. Others' are not kept until all have theirs: the
                # memory of a thousand frames is slower than to write them.
                if seat.prefix != prefix:
                    prefix, frame = seat.prefix, seat.form(seat.prefix, written)
                seat.outlet.offer(frame, flow, (seat, key) if is_latest else None)
                if place is not None:
                    seat.place = place
            if not number % _AT_A_TIME:
                await asyncio.sleep(0)

    def _go_on(self) -> bool:
        """Join the main group if we have caught up with it. Nothing else happens meanwhile, so nothing is missed."""
        main = self._registry.main_of(self)
        if main is not self and main.place is not None and self.place is not None and self.place >= main.place:
            self._part(main.take)
        return bool(self._seats)

    def _each_alone(self) -> None:
        """Whoever was told something that must be followed without a gap begins again after their cursor."""
        _log.info("subscription_not_shared", operation=self.admitted.operation.name, seats=self.size)
        self.is_personal = True
        again = [{"message": _AGAIN, "extensions": {"code": "UNAVAILABLE", "retryable": True}}]
        self._part(lambda seat: seat.holder.alone(seat) if seat.place < 0 else seat.holder.ended(seat, list(again)))

    def _part(self, then: Callable[[Seat], None]) -> None:
        """Nobody follows any more; each goes on some other way."""
        seats, self._seats = self._seats, {}
        self._registry.over(self)
        for seat in seats:
            seat.group = None
            then(seat)


def _is_personal(answer: Answer) -> bool:
    return any(error["extensions"]["code"] in _PERSONAL for error in answer.errors)
