"""Who follows what together: sockets that ask the same of a shared subscription are one group.

The same is the same document with the same variables. Whoever follows has every right that the document needs, so that
all of a group are one audience; an answer depends on nothing else of theirs, for an execution has nothing else to go
by.
"""

import asyncio
import contextvars
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakSet

import orjson
from prometheus_client import Gauge

from gql.context import Context
from gql.engine.documents import Operation as Found
from gql.execution import Admitted, Schema
from gql.fanout.group import Group, Seat
from gql.fanout.nobody import SharedContext
from gql.fanout.sharing import Sharing, resumed_by, sharing_of

_Key = tuple[Found, bytes]


GROUPS = Gauge("subscription_groups", "Streams that many may follow together.")


@dataclass(frozen=True, slots=True)
class Shareable:
    """An operation that may be shared, and whom with."""

    admitted: Admitted
    sharing: Sharing
    key: _Key
    start: _Key
    """With the cursor after which it goes on: those who start alike are served alike from the beginning."""


class Fanout:
    """All groups of a process."""

    def __init__(self, schema: Schema, open_context: Callable[[], SharedContext]) -> None:
        self._schema, self._open_context = schema, open_context
        self._groups: dict[_Key, Group] = {}
        self._starting: dict[_Key, Group] = {}
        self._known: dict[Group, Shareable] = {}
        self._personal = WeakSet[Found]()
        self._following = set[asyncio.Task[None]]()

    def shareable(self, admitted: Admitted, context: Context) -> Shareable | None:
        """How an operation of this caller may be shared; None if it is to be carried out by itself.

        Here the caller is judged. What depends on objects that somebody owns is never shared, and whose rights change
        has to leave altogether.
        """
        found = admitted.found
        run = found.run(context, admitted.variables) if self._schema.planned and found not in self._personal else None
        sharing = sharing_of(run.plan) if run is not None else None
        if run is None or sharing is None or not run.is_permitted:
            return None
        given = dict(admitted.operation.variables or {})
        declared = (each.variable.name.value for each in found.definition.variable_definitions or ())
        wanted = {name: given[name] for name in declared if name in given}
        start = _canonical(wanted)
        if sharing.place is not None:
            wanted.pop(resumed_by(run.plan) or "", None)
        return Shareable(admitted, sharing, (found, _canonical(wanted)), (found, start))

    def join(self, shareable: Shareable, seat: Seat) -> None:
        """Let an operation follow.

        Who must not miss anything begins a stream of their own, and joins the others when it has caught up with them.
        """
        groups, key = self._groups, shareable.key
        if shareable.sharing.place is not None:
            groups, key = self._starting, shareable.start
        group = groups.get(key)
        if group is None:
            group = groups[key] = self._begun(shareable)
        seat.admitted = group.admitted  # the same: one text of it is enough
        group.take(seat)

    def main_of(self, group: Group) -> Group:
        """The group that is to be joined; who has begun to be told something is no start for others any more."""
        known = self._known[group]
        if self._starting.get(known.start) is group:
            del self._starting[known.start]
        return self._groups.setdefault(known.key, group)

    def over(self, group: Group) -> None:
        """Nobody follows a group any more."""
        known = self._known.pop(group)
        GROUPS.dec()
        if group.is_personal:
            self._personal.add(known.admitted.found)
        for groups, key in ((self._groups, known.key), (self._starting, known.start)):
            if groups.get(key) is group:
                del groups[key]

    async def end(self) -> None:
        """End all groups."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)

    def _begun(self, shareable: Shareable) -> Group:
        group = Group(self._schema, shareable.admitted, shareable.sharing, self)
        self._known[group] = shareable
        # Nothing of whoever came first may be found by what runs for all: not even what the log would note of them.
        nothing = contextvars.Context()
        task = asyncio.get_running_loop().create_task(group.follow(self._open_context()), context=nothing)
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        group.begin(task)
        GROUPS.inc()
        return group


def _canonical(variables: dict[str, object]) -> bytes:
    return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)
