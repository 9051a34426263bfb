"""Uploaded documents: stored for good, in an order that hides none, and judged by the schema before."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from joserfc.jwk import ECKey

from adapters.config import ROOT
from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.database import Database
from adapters.postgres.trusted_documents import PostgresTrustedDocuments
from domain.errors import UnavailableError
from gql.trusted import document_id
from tests.identity_settings import IDENTITY
from tests.waiting import eventually

HELLO = "query Hello { viewer { id } }"
NAMES = "query Names { viewer { name } }"


@pytest.fixture
async def pool(database: DatabaseAddresses) -> AsyncIterator[Database]:
    async with Database(database.app_url, size=3) as opened:
        yield opened


async def test_what_was_uploaded_is_read_in_order_and_once(pool: Database) -> None:
    documents = PostgresTrustedDocuments(pool)
    assert await documents.add("brand", [HELLO, NAMES], "ani") == 2
    assert await documents.add("brand", [NAMES, HELLO], "budi") == 0
    assert await documents.add("player", [HELLO], "budi") == 1
    first, *rest = await documents.after(0, 10)
    assert [(each.client, each.text) for each in (first, *rest)] == [
        ("brand", HELLO), ("brand", NAMES), ("player", HELLO)
    ]  # fmt: skip
    assert await documents.after(first.position, 1) == rest[:1]
    assert await documents.after(rest[-1].position, 10) == []
    assert [(each.by, each.id) for each in await documents.all()][2] == ("budi", document_id(HELLO))


async def test_a_later_upload_waits_for_an_earlier_one_so_that_none_appears_behind_a_reader(
    pool: Database, database: DatabaseAddresses
) -> None:
    documents = PostgresTrustedDocuments(pool)
    async with pool.transaction() as earlier:
        await earlier.execute("select pg_advisory_xact_lock($1)", 0x646F6373)
        later = asyncio.create_task(documents.add("brand", [HELLO], "ani"))
        waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"

        async def is_held_up() -> bool:
            return bool(await pool.pool.fetchval(waiting))

        await eventually(is_held_up)
        assert await documents.after(0, 10) == []
    assert await later == 1


async def test_nobody_changes_or_takes_away_a_document(pool: Database, database: DatabaseAddresses) -> None:
    await PostgresTrustedDocuments(pool).add("brand", [HELLO], "ani")
    owner = await asyncpg.connect(database.owner_url)
    try:
        for statement in (
            "update trusted_document set text = 'query Other { viewer { id } }'",
            "delete from trusted_document",
            "truncate trusted_document",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.pool.execute(statement)
            with pytest.raises(asyncpg.PostgresError):
                await owner.execute(statement)
    finally:
        await owner.close()
    for values in ("'brand', '\\x00', 'text', 'me'", "'nobody', sha256('text'), 'text', 'me'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await pool.pool.execute(
                f"insert into trusted_document (client, sha256, text, uploaded_by) values ({values})"
            )


async def test_a_database_that_is_away_is_told_as_such(pool: Database) -> None:
    pool.pool.terminate()
    with pytest.raises(UnavailableError):
        await PostgresTrustedDocuments(pool).after(0, 1)


class Uploader:
    """The command line."""

    def __init__(self, database: DatabaseAddresses, folder: Path) -> None:
        key_file = folder / "token-key.pem"
        key_file.write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
        self._environment = os.environ | {
            "ENVIRONMENT": "development", "DATABASE_URL": database.app_url, "REDIS_URL": "redis://127.0.0.1:1",
            "SEAL_KEY": "5e" * 32, "TOKEN_KEY_FILE": str(key_file), "MIDTRANS_SERVER_KEY": "made-up", **IDENTITY,
        }  # fmt: skip

    async def says(self, *arguments: str, status: int = 0) -> str:
        """What `gametriggers documents` prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "adapters.cli", "documents", *arguments, cwd=ROOT, env=self._environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, wrong = (text.decode() for text in await process.communicate())
        assert process.returncode == status, wrong
        return wrong if status else out


async def test_documents_are_judged_uploaded_listed_and_checked(
    database: DatabaseAddresses, tmp_path: Path, pool: Database
) -> None:
    uploader = Uploader(database, tmp_path)
    file, manifest, wrong = tmp_path / "hello.graphql", tmp_path / "manifest.json", tmp_path / "wrong.graphql"
    file.write_text(HELLO)
    manifest.write_text(json.dumps({document_id(NAMES): NAMES}))
    wrong.write_text("query Wrong {\n  viewer { nothing }\n}")
    told = await uploader.says("upload", "brand", str(file), str(manifest), "--by", "ani")
    assert told.splitlines()[0] == f"{document_id(HELLO)}  Hello"
    assert "2 of 2 documents are new" in told
    refused = await uploader.says("upload", "brand", str(file), str(wrong), status=1)
    assert refused == f"{wrong}:2: Cannot query field 'nothing' on type 'Viewer'.\n"
    listed = await uploader.says("list")
    assert f"brand  {document_id(NAMES)}  Names, by ani at " in listed
    assert "gql/documents/portals/wallets.graphql:1" in listed
    assert "2 documents are in order" in await uploader.says("check")
    await PostgresTrustedDocuments(pool).add("player", ["query Gone { viewer { gone } }"], "budi")
    assert "Cannot query field 'gone' on type 'Viewer'." in await uploader.says("check", status=1)
