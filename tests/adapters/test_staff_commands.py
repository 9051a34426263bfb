"""What staff can do from a terminal: through the command line, on a real database, with the sandbox as the gateway."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from joserfc.jwk import ECKey

from adapters.config import ROOT
from adapters.embedded.database import DatabaseAddresses
from domain.ids import uuid7
from tests.adapters.midtrans_sandbox import KEY, NEW_KEY
from tests.adapters.webhook_door import Door, opened
from tests.builders import FIFTY, order_of
from tests.identity_settings import IDENTITY


class Desk:
    """The command line beside a running house."""

    def __init__(self, door: Door, database: DatabaseAddresses, folder: Path) -> None:
        self.door, self.stage = door, door.stage
        key_file = folder / "token-key.pem"
        key_file.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
        self._environment = os.environ | {
            "ENVIRONMENT": "development", "DATABASE_URL": database.app_url, "REDIS_URL": "redis://127.0.0.1:1",
            "SEAL_KEY": "5e" * 32, "TOKEN_KEY_FILE": str(key_file), "MIDTRANS_SERVER_KEY": KEY,
            "MIDTRANS_SNAP_URL": door.stage.sandbox.snap_url, "MIDTRANS_CORE_URL": door.stage.sandbox.url,
            **IDENTITY,
        }  # fmt: skip

    async def says(self, *arguments: str, status: int = 0, **more: str) -> str:
        """What `gametriggers staff` prints: its answer, or at another exit status what is wrong."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "adapters.cli", "staff", *arguments, cwd=ROOT, env=self._environment | more,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, wrong = (text.decode() for text in await process.communicate())
        assert process.returncode == status, wrong
        return wrong if status else out


@pytest.fixture
async def desk(database: DatabaseAddresses, tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(database) as door:
        yield Desk(door, database, tmp_path)


async def test_help_names_every_command(desk: Desk) -> None:
    shown = await desk.says("--help")
    for name in ("review", "inbox", "replay", "dead-letters", "revive"):
        assert name in shown


async def test_a_top_up_in_review_is_listed_with_its_reason(desk: Desk) -> None:
    assert await desk.says("review") == "No top-up is in review.\n"
    actor, wallet = await desk.stage.somebody()
    top_up = await desk.stage.started(actor, wallet)
    await desk.stage.drive(top_up, "pay", amount=49_000)
    await desk.stage.confirmed(top_up)
    heads, row = (await desk.says("review")).splitlines()
    assert heads.split()[0] == "TOP-UP"
    for told in (str(top_up.id), actor.owner, "50000.00 IDR", "in_review", "49000.00 IDR came in instead"):
        assert told in row


async def test_a_message_that_waits_is_listed_and_replayed(desk: Desk) -> None:
    assert await desk.says("inbox") == "Every genuine message is handled.\n"
    top_up = await desk.stage.started(*await desk.stage.somebody())
    await desk.stage.drive(top_up, "pay")
    desk.stage.fault("server_error", call="core.status")
    assert await desk.door.post(desk.door.letter(top_up)) == 503
    _, row = (await desk.says("inbox")).splitlines()
    number, *_, order, verdict, attempts = row.split()
    assert (order, verdict, attempts) == (order_of(top_up), "unavailable", "1")
    assert await desk.says("replay", number) == f"Message {number}: settled\n"
    assert (await desk.stage.again(top_up)).credited == FIFTY
    assert await desk.says("inbox") == "Every genuine message is handled.\n"
    assert "no message 77" in await desk.says("replay", "77", status=1)


async def test_what_was_refused_is_listed_apart_and_replayed_once_its_key_is_known(desk: Desk) -> None:
    top_up = await desk.stage.started(*await desk.stage.somebody())
    await desk.stage.drive(top_up, "pay")
    await desk.door.post(desk.door.letter(top_up, key=NEW_KEY))
    assert await desk.door.post(b'{"order_id": "\\u001b[2J", "status_code": "", "gross_amount": ""}') in {400, 403}
    assert await desk.says("inbox") == "Every genuine message is handled.\n"
    shown = await desk.says("inbox", "--refused")
    assert "\x1b" not in shown
    number = next(line.split()[0] for line in shown.splitlines() if order_of(top_up) in line)
    assert await desk.says("replay", number) == f"Message {number}: not_signed\n"
    told = await desk.says("replay", number, MIDTRANS_PREVIOUS_SERVER_KEY=NEW_KEY)
    assert told == f"Message {number}: settled\n"


async def test_a_dead_letter_is_listed_and_revived(desk: Desk, database: DatabaseAddresses) -> None:
    assert await desk.says("dead-letters") == "No dead letters.\n"
    event = uuid7()
    owner = await asyncpg.connect(database.superuser_url)
    try:
        await owner.execute("insert into event (id, topic, name, body) values ($1, 'kettle', 'Boiled', '{}')", event)
        await owner.execute(
            "insert into reaction (event_id, name, attempts, dead_at, error) values ($1, 'pour', 12, now(), 'no cup')",
            event,
        )
    finally:
        await owner.close()
    _, row = (await desk.says("dead-letters")).splitlines()
    for told in (str(event), "pour", "Boiled", "kettle", "12", "no cup"):
        assert told in row
    assert await desk.says("revive", str(event), "pour") == f"pour of event {event} is tried again.\n"
    assert await desk.says("dead-letters") == "No dead letters.\n"
    assert "no dead letter pour" in await desk.says("revive", str(event), "pour", status=1)


async def test_without_a_database_it_says_so_in_a_sentence(desk: Desk) -> None:
    told = await desk.says("review", status=1, DATABASE_URL="postgresql://nobody:x@127.0.0.1:1/none")
    assert "DATABASE_URL cannot be reached" in told
    assert "Traceback" not in told
