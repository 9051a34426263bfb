"""`gametriggers audit`: the audit with words around it."""

from collections.abc import Callable

from adapters.config import Settings
from adapters.postgres.audit import audit
from adapters.postgres.database import Database
from adapters.postgres.seal import Head, exported_heads
from domain.ledger.audit import Report


async def run(settings: Settings, say: Callable[[str], None]) -> Report:
    """Audit the database of the settings and say what was found, the first wrong row first."""
    heads = _heads(settings, say)
    async with (
        Database(settings.database_url.get_secret_value(), settings.direct_database_url.get_secret_value()) as database,
        database.direct(application_name="gametriggers audit") as connection,
    ):
        report = await audit(connection, settings.seal_key_bytes, heads, progress=_progress(say))
    say(f"{report.rows} rows and {report.changes} account changes in {report.seals} seals, {report.unsealed} unsealed.")
    if report.clean:
        say("audit ok: every row is where and what it was, and every currency sums to zero")
    for number, finding in enumerate(report.findings):
        say(f"{'FIRST WRONG ROW' if number == 0 else 'also'}: {finding}")
    if report.found > len(report.findings):
        say(f"... and {report.found - len(report.findings)} more")
    return report


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
