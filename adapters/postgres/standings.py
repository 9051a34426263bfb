"""What sessions may do, in the memory of every process, and forgotten as soon as anything that decides it has changed.

The database tells of each change by NOTIFY, whichever way it was made. Memory is believed only as long as the
connection that hears of changes has proved within seconds that it lives; otherwise every look reads the database.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from asyncpg import Connection
from prometheus_client import Gauge

from adapters.postgres.database import LOST, Database
from adapters.postgres.standing_memory import StandingMemory
from adapters.postgres.standing_rows import read_standings, write_used
from domain.clock import Clock, system_clock
from domain.errors import UnavailableError
from domain.identity.model import Standing
from domain.ids import PersonId, SessionId

CHANNEL = "standing"
LISTENER = "gametriggers-standing"
"""How the listening connection is called in the server's list."""

HEARS = Gauge("gametriggers_standing_hears", "1 while this process hears of changes to what sessions may do")

Watcher = Callable[[PersonId | None], None]
"""Told whose standing may have changed; None: anybody's."""

_log = structlog.get_logger(__name__)


class StandingUnknownError(UnavailableError):
    """The database did not say what a session may do; the same request may be tried again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is looked, in seconds. `believed_s` and `deaf_s` together are what a change takes at most."""

    beat_s: float = 1.0
    believed_s: float = 2.0
    """So long after its last sign of life memory is believed."""
    deaf_s: float = 2.5
    """So often watchers look for themselves while no changes are heard of."""
    retry_s: float = 0.5
    read_s: float = 5.0
    note_s: float = 30.0


class PostgresStandings:
    """`domain.identity.ports.Standings`. Use it within `async with standings.running()`; outside it just reads."""

    def __init__(self, database: Database, clock: Clock = system_clock, pace: Pace | None = None) -> None:
        self._database, self._clock, self._pace = database, clock, pace or Pace()
        self._memory = StandingMemory()
        self._heard_at = float("-inf")
        self._watchers: list[Watcher] = []
        self._used: dict[SessionId, datetime] = {}
        self._asked: dict[SessionId, asyncio.Future[Standing | None]] = {}
        self._under_way: dict[SessionId, asyncio.Future[Standing | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator["PostgresStandings"]:
        """Hear of changes and write down uses while the block lasts; what is still to be written is, at its end."""
        tasks = [asyncio.create_task(work()) for work in (self._hear_on, self._tell_the_deaf, self._note_on)]
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._fall_silent()
            if self._reading is not None:
                await asyncio.gather(self._reading, return_exceptions=True)
            with suppress(UnavailableError, *LOST):
                await self._note()

    async def of(self, session: SessionId) -> Standing | None:
        """The standing of a session; None if there is no such. Raises `StandingUnknownError`."""
        if self._hears():
            found = self._memory.get(session)
            if found is not None and not self._seems_idle(found):
                return found
            under_way = self._under_way.get(session)
            if under_way is not None:
                return await asyncio.shield(under_way)
        return await asyncio.shield(self._ask(session))

    async def of_all(self, sessions: Collection[SessionId]) -> Mapping[SessionId, Standing]:
        """The standings of those sessions that there are, read now, in one statement. Raises as `of` does."""
        asked = [self._ask(session) for session in sessions]
        found = await asyncio.gather(*map(asyncio.shield, asked))
        return {session: standing for session, standing in zip(sessions, found, strict=True) if standing is not None}

    def used(self, session: SessionId, now: datetime) -> None:
        """Note that a session was used; written down within half a minute, for all sessions at once."""
        self._used[session] = now

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Have somebody told of changes, and of moments in which they may go unheard; the answer ends it."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def _hears(self) -> bool:
        return time.monotonic() - self._heard_at < self._pace.believed_s

    def _seems_idle(self, standing: Standing) -> bool:
        """Whether memory takes it for unused, which another process may know better."""
        now, session = self._clock(), standing.session
        return session.ended_at is None and now < session.expires_at and not session.living(now)

    def _ask(self, session: SessionId) -> asyncio.Future[Standing | None]:
        """Have a session read by the next statement: one for all who ask while another is under way."""
        future = self._asked.get(session)
        if future is None:
            future = self._asked[session] = asyncio.get_running_loop().create_future()
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read_on())
        return future

    async def _read_on(self) -> None:
        while self._asked:
            asked, self._asked = self._asked, {}
            self._under_way = asked
            try:
                found = await read_standings(self._database, asked, self._pace.read_s)
            except Exception as error:  # noqa: BLE001  # whatever it is, those who wait must hear of it
                _fail(asked, error)
                continue
            is_fresh = self._under_way is asked and self._hears()
            for session, future in asked.items():
                standing = self._with_use(found[session]) if session in found else None
                if standing is not None and is_fresh:
                    self._memory.put(standing)
                future.set_result(standing)
        self._under_way = {}

    def _with_use(self, standing: Standing) -> Standing:
        """With a use that is not written down yet."""
        session = standing.session
        used = self._used.get(session.id, session.last_used_at)
        return replace(standing, session=replace(session, last_used_at=max(used, session.last_used_at)))

    async def _hear_on(self) -> None:
        """Listen for ever, on a connection that bypasses any proxy."""
        while True:
            try:
                async with (
                    asyncio.timeout(self._pace.read_s) as limit,
                    self._database.direct(application_name=LISTENER) as connection,
                ):
                    await self._hear(connection, limit)
            except LOST as error:
                _log.warning("standing_unheard", error=repr(error))
            finally:
                self._fall_silent()
            await asyncio.sleep(self._pace.retry_s)

    async def _hear(self, connection: Connection, limit: asyncio.Timeout) -> None:
        """Listen until the connection is lost or gives no sign of life; `limit` holds for the beginning."""
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        await connection.add_listener(CHANNEL, self._heard)
        limit.reschedule(None)
        self._forget(None)
        _log.info("standing_heard")
        while not lost.is_set():
            asked_at = time.monotonic()
            await connection.fetchval("select 1", timeout=self._pace.beat_s)
            self._heard_at = asked_at
            HEARS.set(1)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.beat_s):
                    await lost.wait()

    def _heard(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        try:
            self._forget(PersonId(UUID(str(payload))))
        except ValueError:
            self._forget(None)

    def _fall_silent(self) -> None:
        """From here on nothing is believed from memory."""
        was_heard, self._heard_at = self._heard_at > 0, float("-inf")
        HEARS.set(0)
        if was_heard:
            self._forget(None)

    def _forget(self, person: PersonId | None) -> None:
        """Forget what is known of a person or of everybody; what is being read may be older than the change."""
        self._under_way = {}
        self._memory.forget(person)
        for watcher in list(self._watchers):
            watcher(person)

    async def _tell_the_deaf(self) -> None:
        """While nothing is heard, watchers look for themselves again and again."""
        while True:
            await asyncio.sleep(self._pace.deaf_s)
            if not self._hears():
                self._forget(None)

    async def _note_on(self) -> None:
        while True:
            await asyncio.sleep(self._pace.note_s)
            try:
                await self._note()
            except (UnavailableError, *LOST) as error:
                _log.warning("session_uses_unwritten", error=repr(error))

    async def _note(self) -> None:
        """Write down all uses in one statement; what could not be written waits for the next time."""
        used, self._used = self._used, {}
        try:
            if used:
                await write_used(self._database, used)
        except BaseException:
            self._used = {**used, **self._used}
            raise


def _fail(asked: Mapping[SessionId, asyncio.Future[Standing | None]], error: Exception) -> None:
    told = StandingUnknownError(repr(error)) if isinstance(error, LOST) else error
    for future in asked.values():
        future.set_exception(told)
        future.exception()  # nobody may be left to hear of it
