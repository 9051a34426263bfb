"""Runs what follows events, beside the relay and never in its way. Any number of processes may do it at once."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.postgres import reactions
from adapters.postgres.database import LOST, Database
from adapters.postgres.reactions import Claim

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a reaction is tried, and how long it may take."""

    attempts: int = 12
    first_pause_s: float = 1.0
    longest_pause_s: float = 600.0
    run_s: float = 25.0
    lease_s: float = 30.0
    at_once: int = 16
    idle_s: float = 1.0

    def pause_s(self, attempts: int) -> float:
        """How long to wait after so many failures."""
        return min(self.first_pause_s * 2.0 ** (attempts - 1), self.longest_pause_s)


USUAL = Patience()
"""A quarter of an hour of trying, about."""


class Reactor:
    """Takes due reactions and runs them. `ports` is handed to each; a slow or failing one holds up nobody else."""

    def __init__(self, database: Database, ports: Any, patience: Patience = USUAL) -> None:
        self._database, self._ports, self._patience = database, ports, patience
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        """Something may be due now."""
        self._wake.set()

    async def run(self) -> None:
        """For ever. A run that is cancelled with it is taken up again when its lease ends."""
        try:
            while True:
                self._wake.clear()
                if not await self._take():
                    with suppress(TimeoutError):
                        async with asyncio.timeout(self._patience.idle_s):
                            await self._wake.wait()
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _take(self) -> bool:
        """Begin as many as there is room for; False when nothing was due or there is no room."""
        room = self._patience.at_once - len(self._running)
        if not room:
            return False
        try:
            async with self._database.pool.acquire() as connection:
                claimed = await reactions.claim(connection, room, self._patience.lease_s)
        except LOST as error:
            _log.warning("reactions_wait_for_the_database", error=repr(error))
            return False
        for one in claimed:
            task = asyncio.create_task(self._run(one))
            self._running.add(task)
            task.add_done_callback(self._ended)
        return bool(claimed)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _run(self, claimed: Claim) -> None:
        error = await self._attempt(claimed)
        try:
            await self._record(claimed, error)
        except LOST as lost:
            _log.warning("reaction_runs_again", reaction=claimed.name, event=claimed.event_id, error=repr(lost))

    async def _attempt(self, claimed: Claim) -> str | None:
        """Run it; answers what went wrong."""
        if claimed.event is None:
            return "the event cannot be read by this release"
        if claimed.attempts > self._patience.attempts:
            return "the process ended amid every attempt"
        try:
            async with asyncio.timeout(self._patience.run_s):
                await claimed.reaction(self._ports, claimed.event)
        except Exception as error:  # noqa: BLE001 - whatever a reaction raises, the others go on
            return repr(error)
        return None

    async def _record(self, claimed: Claim, error: str | None) -> None:
        async with self._database.pool.acquire() as connection:
            if error is None:
                await reactions.finish(connection, claimed)
            elif claimed.attempts >= self._patience.attempts:
                _log.error("reaction_given_up", reaction=claimed.name, event_id=str(claimed.event_id), error=error)
                await reactions.bury(connection, claimed, error)
            else:
                _log.warning("reaction_failed", reaction=claimed.name, event_id=str(claimed.event_id), error=error)
                await reactions.postpone(connection, claimed, self._patience.pause_s(claimed.attempts), error)
