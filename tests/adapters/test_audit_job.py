"""The audit on the worker's schedule: what it finds becomes an alarm, and it holds up nobody who wants to stop."""

import asyncio
import math
from pathlib import Path

import asyncpg
import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from adapters.commands import audit
from adapters.config import Settings
from adapters.embedded.database import DatabaseAddresses
from adapters.worker import jobs_of
from tests.builders import staged
from tests.identity_settings import IN_SMALL


@pytest.fixture
def settings(database: DatabaseAddresses, tmp_path: Path) -> Settings:
    return Settings.model_validate({
        "environment": "development", "database_url": database.app_url, "redis_url": "redis://127.0.0.1:1",
        "seal_key": "5e" * 32, "token_key_file": tmp_path / "unused.pem", "midtrans_server_key": "unused",
        **IN_SMALL,
    })  # fmt: skip


def findings() -> float:
    found = REGISTRY.get_sample_value("gametriggers_audit_findings")
    assert found is not None
    return found


def going_on() -> bool:
    return False


async def test_a_row_that_was_changed_is_an_alarm(settings: Settings, database: DatabaseAddresses) -> None:
    async with staged(database) as stage:
        await stage.settled(*await stage.somebody())
        with capture_logs() as lines:
            await jobs_of(settings, asyncio.Event())["audit"].job(stage.ports)
        assert [line["event"] for line in lines if line["log_level"] != "debug"] == ["audit_clean"]
        assert findings() == 0
        intruder = await asyncpg.connect(database.superuser_url)
        try:
            await intruder.execute("set session_replication_role = replica")
            await intruder.execute("update account set posted = posted + 1 where purpose = 'hosting_credit'")
        finally:
            await intruder.close()
        with capture_logs() as lines:
            await audit.watch(settings, going_on)
        (alarm,) = (line for line in lines if line["log_level"] == "error")
        assert alarm["event"] == "audit_found"
        assert "account" in alarm["first"]
        assert findings() >= 1


async def test_it_ends_when_the_worker_does_and_says_nothing(settings: Settings, database: DatabaseAddresses) -> None:
    audit.FINDINGS.set(float("nan"))
    async with staged(database) as stage:
        await stage.settled(*await stage.somebody())
        with capture_logs() as lines:
            await audit.watch(settings, lambda: True)
    assert [line for line in lines if line["log_level"] != "debug"] == []
    assert math.isnan(findings())


async def test_others_go_on_while_it_computes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    beside = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def computes(*_: object) -> None:
        """Stands still until somebody else has had a turn."""
        asyncio.run_coroutine_threadsafe(turn(), loop).result(10)
        raise ConnectionError("the database went away")

    async def turn() -> None:
        beside.set()

    monkeypatch.setattr(audit, "run", computes)
    with pytest.raises(ConnectionError):
        await audit.watch(settings, going_on)
    assert beside.is_set()
