"""`gametriggers audit`: the audit with words around it; and the same on the worker's schedule, with an alarm."""

import asyncio
import threading
from collections.abc import Callable

import structlog
from prometheus_client import Gauge

from adapters.config import Settings
from adapters.postgres.audit import Progress, audit
from adapters.postgres.database import Database
from adapters.postgres.seal import Head, exported_heads
from domain.ledger.audit import Report

FINDINGS = Gauge("gametriggers_audit_findings", "Rows that the last audit found wrong or missing; NaN before it")
FINDINGS.set(float("nan"))

_log = structlog.get_logger(__name__)


class _StoppedError(Exception):
    """The audit was told to end before its end."""


async def run(settings: Settings, say: Callable[[str], None], progress: Progress | None = None) -> Report:
    """Audit the database of the settings and say what was found, the first wrong row first."""
    heads = _heads(settings, say)
    async with (
        Database(settings.database_url.get_secret_value(), settings.direct_database_url.get_secret_value()) as database,
        database.direct(application_name="gametriggers audit") as connection,
    ):
        report = await audit(connection, settings.seal_key_bytes, heads, progress=progress or _progress(say))
    say(
        f"{report.rows} rows, {report.changes} account changes and {report.deeds} lines of the audit log "
        f"in {report.seals} seals, {report.unsealed} unsealed."
    )
    if report.clean:
        say("audit ok: every row is where and what it was, and every currency sums to zero")
    for number, finding in enumerate(report.findings):
        say(f"{'FIRST WRONG ROW' if number == 0 else 'also'}: {finding}")
    if report.found > len(report.findings):
        say(f"... and {report.found - len(report.findings)} more")
    return report


async def watch(settings: Settings, stopping: Callable[[], bool]) -> None:
    """Audit, and raise the alarm if a row is wrong or missing: an error in the log, and the gauge above zero.

    It computes for as long as the ledger is long, so it does so in a thread: the relay and the sealer beside it would
    stand still. It ends early, without a word, once `stopping` says so or whoever waits for it is cancelled.
    """
    left = threading.Event()

    def go_on(_reached: int, _last: int) -> None:
        if left.is_set() or stopping():
            raise _StoppedError

    def say(text: str) -> None:
        _log.debug("audit", says=text)

    try:
        report = await asyncio.to_thread(lambda: asyncio.run(run(settings, say, go_on)))
    except _StoppedError:
        return
    finally:
        left.set()
    FINDINGS.set(report.found)
    if report.clean:
        _log.info("audit_clean", rows=report.rows, seals=report.seals)
    else:
        _log.error("audit_found", findings=report.found, first=str(report.first))


def _heads(settings: Settings, say: Callable[[str], None]) -> list[Head]:
    file = settings.seal_head_file
    if file is None or not file.exists():
        say("No exported heads (SEAL_HEAD_FILE): an end of the chain that was cut off would not be seen.")
        return []
    return exported_heads(file)


def _progress(say: Callable[[str], None]) -> Callable[[int, int], None]:
    """Says each tenth of the way once, where the way is long."""
    told = [0]

    def tell(reached: int, last: int) -> None:
        tenth = reached * 10 // max(last, 1)
        if last > 100_000 and tenth > told[0]:  # noqa: PLR2004  # shorter ones are over before anybody wonders
            told[0] = tenth
            say(f"{tenth * 10} %")

    return tell
