"""The worker as a process would run it: everything wired by settings, jobs on their schedule, an orderly end."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from joserfc.jwk import ECKey
from pydantic import SecretStr

from adapters.config import Settings
from adapters.embedded.database import DatabaseAddresses
from adapters.jobs import JOBS, Scheduled
from adapters.sandbox.midtrans import SandboxSettings, running_sandbox
from adapters.wiring import Adapters, connect, midtrans_keys
from adapters.worker import run_schedule, work
from domain.actor import Actor
from domain.ids import PersonId, uuid7
from domain.ledger.chart import Purpose
from domain.streamer.model import Platform
from domain.wallet.actions import open_wallet, start_top_up
from domain.wallet.gateway import Method
from domain.wallet.model import TopUp, TopUpState
from tests.adapters.midtrans_sandbox import KEY, NEW_KEY
from tests.builders import FIFTY, IDR
from tests.identity_settings import IN_SMALL
from tests.servers import Valkey
from tests.waiting import PATIENCE_S, eventually


@pytest.fixture
async def settings(database: DatabaseAddresses, valkey: Valkey, tmp_path: Path) -> AsyncIterator[Settings]:
    key_file = tmp_path / "token-key.pem"
    key_file.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    async with running_sandbox(SandboxSettings(server_keys=(KEY,))) as sandbox:
        yield Settings.model_validate({
            "environment": "development", "database_url": database.app_url, "redis_url": valkey.url,
            "seal_key": "5e" * 32, "token_key_file": key_file, "midtrans_server_key": KEY,
            "midtrans_previous_server_key": NEW_KEY, "midtrans_snap_url": sandbox.snap_url,
            "midtrans_core_url": sandbox.url, **IN_SMALL,
        })  # fmt: skip


async def test_a_worker_finds_a_payment_seals_it_and_stops_when_asked(settings: Settings) -> None:
    async with connect(settings) as ports:
        actor = Actor(PersonId(uuid7()))
        wallet = await open_wallet(ports, actor, Purpose.HOSTING_CREDIT, IDR)
        assert isinstance(wallet, int)
        top_up = await start_top_up(ports, actor, wallet, FIFTY, Method.QRIS, "key")
        assert isinstance(top_up, TopUp)
        await ports.database.pool.execute("update top_up_attempt set next_check_at = now()")
        await _pay(settings, f"{top_up.id}-1")
        worker = asyncio.create_task(work(settings))

        async def settled() -> bool:
            return (await ports.top_ups.top_ups_by_id([top_up.id]))[top_up.id].state is TopUpState.SETTLED

        await eventually(settled, timeout_s=30)
        await eventually(lambda: ports.database.pool.fetchval("select count(*) > 0 from seal"))
        await eventually(lambda: ports.database.pool.fetchval("select bool_and(number is not null) from event"))
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(worker, PATIENCE_S)
    for asked in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().remove_signal_handler(asked)


async def _pay(settings: Settings, order_id: str) -> None:
    import aiohttp

    url = f"{settings.midtrans_core_url}/control/payments/{order_id}/pay"
    async with aiohttp.ClientSession() as payer, payer.post(url, json={}) as answer:
        assert answer.status == 200


async def test_a_failing_job_is_tried_again_and_ends_nobody_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.worker.RETRY_PAUSES_S", (0.01, 0.01))
    failed, ran = [0], asyncio.Event()

    async def fails(_: Adapters) -> None:
        failed[0] += 1
        raise ValueError("on purpose")

    async def runs(_: Adapters) -> None:
        ran.set()

    jobs = {"fails": Scheduled("* * * * * *", fails), "runs": Scheduled("* * * * * *", runs)}
    stop = asyncio.Event()
    async with connect(settings) as ports, _running(run_schedule(stop, ports, jobs), stop):
        await eventually(lambda: failed[0] >= 4, timeout_s=20)
        await asyncio.wait_for(ran.wait(), PATIENCE_S)


async def test_a_job_that_stands_still_is_given_up_and_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.worker.RETRY_PAUSES_S", (0.01, 0.01))
    begun = [0]

    async def stands_still(_: Adapters) -> None:
        begun[0] += 1
        await asyncio.Event().wait()

    stop = asyncio.Event()
    jobs = {"stands_still": Scheduled("* * * * * *", stands_still, longest_s=0.05)}
    async with connect(settings) as ports, _running(run_schedule(stop, ports, jobs), stop):
        await eventually(lambda: begun[0] >= 4, timeout_s=20)


async def test_a_lost_connection_is_opened_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.worker._RECONNECT_S", 0.05)
    runs = [0]

    async def job(_: Adapters) -> None:
        runs[0] += 1

    stop = asyncio.Event()
    async with (
        connect(settings) as ports,
        _running(run_schedule(stop, ports, {"job": Scheduled("* * * * * *", job)}), stop),
    ):
        await eventually(lambda: runs[0] >= 1, timeout_s=20)
        before = runs[0]
        assert await ports.database.pool.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where application_name like '%schedule' and datname = current_database()"
        )

        async def runs_again() -> bool:
            """PgQueuer gives up what it lost in flight after 30 s without a sign of life: let them have passed."""
            await ports.database.pool.execute("update pgqueuer_schedules set heartbeat = now() - interval '31 seconds'")
            return runs[0] > before

        await eventually(runs_again, timeout_s=60)


@contextlib.asynccontextmanager
async def _running(loop: object, stop: asyncio.Event) -> AsyncIterator[None]:
    assert asyncio.iscoroutine(loop)
    task = asyncio.create_task(loop)
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, PATIENCE_S)


def test_every_job_has_a_time() -> None:
    assert set(JOBS) == {
        *("sweep_top_ups", "expire_holds", "sweep_inbox", "prune_inbox", "prune_events", "answer_mail_requests"),
        *("send_letters", "prune_mail", "make_exports", "expire_exports", "erase_due", "shred_again"),
        *("prune_invitations", "sweep_uploads", "look_after_grants", "sample_streams", "count_followers"),
        *("subscribe_all", "tidy_subscriptions", "renew_listing", "measure_listing", "complete_campaigns"),
        *("lapse_offers", "close_minutes", "release_minutes", "return_escrow", "wake_rested", "issue_invoices"),
        "prune_samples",
    }


async def test_both_keys_verify_notifications(settings: Settings) -> None:
    assert midtrans_keys(settings) == (KEY, NEW_KEY)


async def test_platforms_are_there_where_we_are_a_client(settings: Settings) -> None:
    known = {"google_client_id": "ours", "google_client_secret": SecretStr("secret")}
    youtube = settings.model_copy(update={**known, "youtube_api_key": SecretStr("key")})
    for given, expected in ((settings.model_copy(update=known), set()), (youtube, {Platform.YOUTUBE})):
        async with connect(given) as ports:
            assert set(ports.streamer.sites) == set(ports.streamer.broadcasts) == expected
