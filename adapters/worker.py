"""The worker: scheduled jobs by PgQueuer, and the loops that tell and seal what is committed. Any number may run."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping

import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.sm import SchedulerManager
from pgqueuer.domain.models import Schedule

from adapters.commands.audit import watch
from adapters.config import Settings
from adapters.jobs import JOBS, Scheduled
from adapters.postgres.database import LOST, Database
from adapters.postgres.seal import seal_for_ever
from adapters.relay import Relay
from adapters.wiring import Adapters, connect

RETRY_PAUSES_S = (1.0, 5.0)
PATIENCE_S = 20.0
"""How long jobs that run may still take once we are asked to stop."""

_RECONNECT_S = 2.0

_log = structlog.get_logger(__name__)


def jobs_of(settings: Settings, stop: asyncio.Event) -> Mapping[str, Scheduled]:
    """All jobs, also those that need the settings themselves."""

    async def audit(_: Adapters) -> None:
        await watch(settings, stop.is_set)

    return {**JOBS, "audit": Scheduled("41 * * * *", audit, longest_s=6 * 3600)}


async def work(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then let running jobs finish. Raises what ended a loop that should have gone on."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for asked in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(asked, stop.set)
    async with connect(settings) as ports:
        await run_until(stop, ports, settings)


async def run_until(stop: asyncio.Event, ports: Adapters, settings: Settings) -> None:
    """All loops of a worker, until `stop` is set."""
    relay = Relay(ports.database, settings.redis_url.get_secret_value(), ports)
    sealing = seal_for_ever(ports.database, settings.seal_key_bytes, head_file=settings.seal_head_file)
    loops = [asyncio.create_task(relay.run()), asyncio.create_task(sealing)]
    jobs = jobs_of(settings, stop)
    schedule = asyncio.create_task(run_schedule(stop, ports, jobs))
    stopping = asyncio.create_task(stop.wait())
    _log.info("worker_runs", jobs=list(jobs))
    try:
        await asyncio.wait({*loops, schedule, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        await asyncio.wait({schedule}, timeout=PATIENCE_S)
    finally:
        tasks = [*loops, schedule, stopping]
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end
    _log.info("worker_stopped")


async def run_schedule(stop: asyncio.Event, ports: Adapters, jobs: Mapping[str, Scheduled]) -> None:
    """Run jobs when they are due until `stop` is set, whatever happens to the connection meanwhile."""
    while not stop.is_set():
        try:
            await _run_connected(stop, ports, ports.database, jobs)
        except LOST as error:
            _log.warning("schedule_lost_the_database", error=repr(error))
            await _pause(stop, _RECONNECT_S)


async def _run_connected(
    stop: asyncio.Event, ports: Adapters, database: Database, jobs: Mapping[str, Scheduled]
) -> None:
    async with database.direct(application_name="gametriggers schedule") as connection:
        manager = SchedulerManager(Queries(AsyncpgDriver(connection)))
        manager.shutdown = stop
        for name, scheduled in jobs.items():
            manager.schedule(name, scheduled.when, accepts_context=False)(_tried(name, scheduled, ports, stop))
        await manager.run()


def _tried(
    name: str, scheduled: Scheduled, ports: Adapters, stop: asyncio.Event
) -> Callable[[Schedule], Awaitable[None]]:
    """The job, tried again soon a few times when it fails; after that its next time comes anyway."""

    async def run(_: Schedule) -> None:
        for pause_s in (*RETRY_PAUSES_S, None):
            try:
                async with asyncio.timeout(scheduled.longest_s):
                    await scheduled.job(ports)
            except Exception as error:  # noqa: BLE001  # a job that fails must not end the others
                if pause_s is None:
                    _log.exception("job_failed", job=name)
                    return
                _log.warning("job_tried_again", job=name, error=repr(error))
                await _pause(stop, pause_s)
            else:
                return

    return run


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
