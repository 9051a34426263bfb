"""An audit of a history that nobody touched, and of figures that no seal covers yet."""

from adapters.embedded.database import DatabaseAddresses
from tests.adapters.ledger_history import bench_of, live_through_everything


async def test_a_history_that_nobody_touched_is_clean(database: DatabaseAddresses) -> None:
    async with bench_of(database) as bench:
        await live_through_everything(bench)
        report = await bench.audit(await bench.head())
        assert report.clean, "\n".join(map(str, report.findings))
        assert report.seals >= 4
        assert report.unsealed == 0
