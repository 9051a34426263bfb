"""The product as a process that dies where it is told: `python -m tests.journeys.mortal` begets a life for each order.

Nothing in the product knows. Here its wiring gets connections that look at each statement, a client of the gateway that
looks at each request, and a stream that looks at each publication; at the point that an order names, the process is
gone by `os._exit`, before the step or right after it. A point is the place in our code that commits, sends or writes,
with how often it was passed: it is found by looking at the stack, so that a new one is a point by itself.

The first process imports, builds and plans once what is the same for every life, and forks, so that a life begins in
hundredths of a second.
"""

import asyncio
import gc
import json
import os
import re
import select
import signal
import socket
import sys
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch
from weakref import WeakKeyDictionary

import asyncpg
import uvicorn
import uvloop

from adapters import relay, wiring
from adapters.config import ROOT, Settings
from adapters.jobs import JOBS
from adapters.logs import configure_logging
from adapters.payments.midtrans_client import MidtransGateway
from adapters.postgres import seal
from adapters.postgres.seal import seal_for_ever
from adapters.redis import streams
from adapters.relay import Relay
from adapters.serving import OPTIONS
from adapters.wiring import Adapters, connect
from domain.money import Currency, Money
from domain.wallet.actions import record_settlement
from gql import app, document_files
from gql.app import create_app

DIED = 77
"""Exit status of a life that ended where it was told to."""

_ORPHANED_S = 0.2
_WRITES = re.compile(r"\b(insert\s+into|update|delete\s+from)\b", re.IGNORECASE)
_ENDS = re.compile(r"\s*(commit|end)\b", re.IGNORECASE)
_OF_NO_PLACE = {"adapters/postgres/database.py", "adapters/postgres/work.py", "adapters/postgres/compiled.py"}


@dataclass
class Fate:
    """What one life has passed, and where it ends."""

    passed: Path
    doom: tuple[str, int, str] | None
    counts: Counter[str]

    def begin(self, place: str) -> int:
        """A step begins, unless it is the one to die at; answers how often it was begun."""
        self.counts[place] += 1
        if self.doom == (place, self.counts[place], "before"):
            os._exit(DIED)
        return self.counts[place]

    def end(self, place: str, number: int, *, had_effect: bool) -> None:
        """A step is done, and noted as a point if anything came of it, unless it is the one to die after."""
        if self.doom == (place, number, "after"):
            os._exit(DIED)
        if had_effect:
            with self.passed.open("a") as out:
                out.write(json.dumps([place, number, _thread_of_work()]) + "\n")

    async def step(self, place: str, work: Callable[[], Awaitable[Any]], has_effect: Callable[[Any], bool]) -> Any:
        """Do a step."""
        number = self.begin(place)
        found = await work()
        self.end(place, number, had_effect=has_effect(found))
        return found


_NUMBERS = count(1)
_TASKS: WeakKeyDictionary[asyncio.Task[Any], int] = WeakKeyDictionary()


def _thread_of_work() -> int:
    """A number for the task that is at work, one for each request; 0 in a thread beside the event loop."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return 0
    return 0 if task is None else _TASKS.setdefault(task, next(_NUMBERS))


FATE = Fate(Path(os.devnull), None, Counter())


class MortalConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection on which every commit, and every statement that commits by itself, is a step."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> Any:  # noqa: ASYNC109  # asyncpg's own name for it
        """A statement."""
        work = partial(super().execute, query, *args, timeout=timeout)
        if args:
            return await work()  # comes by `_execute`
        if not self.is_in_transaction():
            return await (FATE.step(_place(), work, _always) if _WRITES.search(query) else work())
        if _ENDS.match(query) and await super().fetchval("select pg_current_xact_id_if_assigned() is not null"):
            return await FATE.step(_place(), work, _always)
        return await work()

    async def _execute(self, query: Any, *args: Any, **options: Any) -> Any:
        work = partial(super()._execute, query, *args, **options)
        if not self.is_in_transaction() and isinstance(query, str) and _WRITES.search(query):
            return await FATE.step(_place(), work, _changed)
        return await work()


def _always(_: object) -> bool:
    return True


def _changed(answer: Any) -> bool:
    """Whether a statement answered rows or counted some."""
    if not isinstance(answer, tuple):
        return bool(answer)
    rows, status = answer[0], answer[1]
    return bool(rows) or (bool(status) and not status.endswith(b" 0"))


def _place() -> str:
    """Who in our code commits: the innermost function of the domain, or else of the adapters, that is under way."""
    frame, found = sys._getframe(1), ""
    while frame is not None:
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(ROOT):
            inside = file.relative_to(ROOT)
            if inside.parts[0] == "domain":
                return _spelled(inside, frame.f_code.co_qualname)
            if inside.parts[0] == "adapters" and inside.as_posix() not in _OF_NO_PLACE and not found:
                found = _spelled(inside, frame.f_code.co_qualname)
        frame = frame.f_back  # type: ignore[assignment]  # the loop ends at None
    return found or "elsewhere"


def _spelled(file: Path, function: str) -> str:
    return f"{file.stem}.{function.rpartition('.')[2]}"


class MortalGateway(MidtransGateway):
    """A client of which every request is a step: before it is sent, and after its answer."""

    async def _exchange(self, call: str, *details: Any) -> tuple[int, bytes]:
        found: tuple[int, bytes] = await FATE.step(
            f"gateway {call}", partial(super()._exchange, call, *details), _always
        )
        return found


async def _publish(original: Callable[..., Coroutine[Any, Any, int]], *arguments: Any) -> int:
    told: int = await FATE.step("relay.publish", partial(original, *arguments), bool)
    return told


def _append(original: Callable[..., None], *arguments: Any) -> None:
    """The export of the sealed chain's head."""
    number = FATE.begin("seal._append")
    original(*arguments)
    FATE.end("seal._append", number, had_effect=True)


class TurnedClock:
    """The system's clock, put forward by as many seconds as a file says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text()))


async def _serve(settings: Settings, clock: TurnedClock) -> None:
    config = uvicorn.Config(create_app(settings, clock=clock), **OPTIONS)
    # The stage holds the port too, so that nobody else gets it while no server lives.
    with socket.create_server((settings.host, settings.port), reuse_port=True) as listening:
        await uvicorn.Server(config).serve(sockets=[listening])


async def _sweep(settings: Settings, _: TurnedClock) -> None:
    """Every job of the schedule once."""
    async with connect(settings) as ports:
        for scheduled in JOBS.values():
            await scheduled.job(ports)


async def _tell(settings: Settings, _: TurnedClock) -> None:
    """What a worker does all the time: number, publish, seal. Until it is killed."""
    async with connect(settings) as ports, asyncio.TaskGroup() as tasks:
        tasks.create_task(Relay(ports.database, settings.redis_url.get_secret_value(), ports).run())
        tasks.create_task(seal_for_ever(ports.database, settings.seal_key_bytes, head_file=settings.seal_head_file))


async def _settle(settings: Settings, _: TurnedClock) -> None:
    async with connect(settings) as ports:
        await _settlement(ports)


async def _settlement(ports: Adapters) -> None:
    await record_settlement(ports, "midtrans", Money.whole(46_000, Currency.IDR), "a reference of the bank")


IMPORTED_LATE = (
    "encodings.idna", "uvicorn.lifespan.on", "adapters.lines", "adapters.frames",
    "uvicorn.protocols.websockets.websockets_sansio_impl", "valkey.asyncio", "zxcvbn",
    "cryptography.hazmat.backends.openssl.backend",
)  # fmt: skip
"""What a life would import when it needs it; imported once, before the first is born."""

ROLES: Mapping[str, Callable[[Settings, TurnedClock], Coroutine[Any, Any, None]]] = {
    "serve": _serve, "sweep": _sweep, "tell": _tell, "settle": _settle,
}  # fmt: skip


async def _live(role: str, settings: Settings, clock: TurnedClock) -> None:
    parent, loop = os.getppid(), asyncio.get_running_loop()

    def look_for_the_parent() -> None:
        if os.getppid() != parent:
            os._exit(1)
        loop.call_later(_ORPHANED_S, look_for_the_parent)

    look_for_the_parent()
    await ROLES[role](settings, clock)


def _be_born(order: Mapping[str, Any]) -> None:
    """One life, in a process of its own; never returns."""
    status = 1
    try:
        folder = Path(order["folder"])
        log = os.open(folder / "lives.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        FATE.passed, FATE.counts = Path(order["passed"]), Counter()
        FATE.doom = (order["doom"][0], order["doom"][1], order["doom"][2]) if order["doom"] else None
        settings, clock = Settings.model_validate(order["settings"]), TurnedClock(folder / "clock")
        configure_logging(settings)
        with ExitStack() as stack:
            for target, name, instead in (
                (asyncpg, "connect", partial(asyncpg.connect, connection_class=MortalConnection)),
                (asyncpg, "create_pool", partial(asyncpg.create_pool, connection_class=MortalConnection)),
                (wiring, "MidtransGateway", MortalGateway),
                (wiring, "system_clock", clock),
                (relay, "publish", partial(_publish, streams.publish)),
                (seal, "_append", partial(_append, seal._append)),
            ):
                stack.enter_context(patch.object(target, name, instead))
            uvloop.run(_live(order["role"], settings, clock))
        status = 0
    except BaseException:  # noqa: BLE001  # a fork must not go on as if it were its parent
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _work_out_once(settings: Settings) -> None:
    """What every life would work out alike: the schema, and the plans of the documents that the program ships."""
    for name in IMPORTED_LATE:
        import_module(name)
    for room, name in ((app, "build_schema"), (document_files, "shipped")):
        patch.object(room, name, cache(getattr(room, name))).start()
    create_app(settings)
    gc.collect()
    gc.freeze()


def beget() -> None:
    """Read orders, a line each, and tell of births and deaths, a line each, until there are no more orders."""
    deaths, bell = socket.socketpair()
    for end in (deaths, bell):
        end.setblocking(False)  # noqa: FBT003  # it takes no name
    signal.set_wakeup_fd(bell.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    lives: dict[int, int] = {}
    left, reading, is_ready = b"", True, False
    while reading:
        found, _, _ = select.select([0, deaths.fileno()], [], [])
        if 0 in found:
            read = os.read(0, 1 << 16)
            reading = bool(read)
            *lines, left = (left + read).split(b"\n")
            for order in map(json.loads, lines):
                if not is_ready:
                    _work_out_once(Settings.model_validate(order["settings"]))
                    is_ready = True
                lives[pid := _begotten(order)] = order["life"]
                _tell_parent({"life": order["life"], "pid": pid})
        with suppress(BlockingIOError):
            deaths.recv(1 << 16)
        for pid in list(lives):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                _tell_parent({"life": lives.pop(pid), "status": os.waitstatus_to_exitcode(status)})
    for pid in lives:
        os.kill(pid, signal.SIGKILL)


def _begotten(order: Mapping[str, Any]) -> int:
    """The process of a new life."""
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _be_born(order)
    return pid


def _tell_parent(news: Mapping[str, int]) -> None:
    os.write(1, json.dumps(news).encode() + b"\n")


if __name__ == "__main__":
    beget()
