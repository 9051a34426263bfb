"""Types for each client are generated from the schema and its documents without a warning, and are of use."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from adapters.config import ROOT
from domain.identity.model import Portal
from gql.document_files import Rules, read
from gql.limits import Limits
from gql.node import global_id
from gql.trusted import Client
from tests.clients.workshop import running, workshop
from tests.fakes import somebody
from tests.gql.house import one_schema_for_all, running_house
from tests.people import session_of

HERE = Path(__file__).parent
PATIENCE_S = 240.0
STRICTLY = (
    "--strict", "--noUnusedLocals", "--target", "ES2022", "--module", "ESNext", "--moduleResolution", "bundler",
    "--skipLibCheck", "--types", "", "--lib", "ES2023,DOM,DOM.Iterable",
)  # fmt: skip


@pytest.fixture(scope="session")
def folder() -> Path:
    return workshop(HERE / "package.json")


async def program(folder: Path, name: str, *arguments: str) -> str:
    """What a program of the workshop prints; it must succeed."""
    process = await asyncio.create_subprocess_exec(
        folder / "node_modules" / ".bin" / name, *arguments, cwd=folder,
        env=os.environ | {"ROOT": str(ROOT), "PYTHON": sys.executable, "NO_COLOR": "1", "CI": "1"},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()


async def test_typed_operations_are_generated_without_a_warning_and_used(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "generated", ignore_errors=True)
    printed = await program(folder, "graphql-codegen", "--config", "codegen.mjs")
    assert "warn" not in printed.lower(), printed
    assert {each.name for each in (folder / "generated").iterdir()} == {
        "brand",
        "streamer",
        "player",
        "admin",
        "overlay",
    }
    rules = Rules(one_schema_for_all().core, Limits())
    for client in Client:
        manifest = folder / "generated" / client / "persisted-documents.json"
        assert len(read(rules, client, [manifest])) == len(json.loads(manifest.read_text())) > 0
    shutil.copy(HERE / "use.ts", folder / "use.ts")
    every = sorted(str(file.relative_to(folder)) for file in (folder / "generated").rglob("*.ts"))
    await program(folder, "tsc", *STRICTLY, "--noEmit", *every)
    await program(folder, "tsc", *STRICTLY, "--outDir", "built", "use.ts")
    async with running_house(tmp_path, untrusted_documents="refuse") as house:
        me = somebody()
        house.ports.standings.begin(session_of(me.person, Portal.PLAYER))
        wallet = await house.ports.wallet(me)
        told = {"url": f"{house.url}/graphql", "token": house.token(me), "wallet": global_id("Wallet", wallet)}
        async with asyncio.timeout(PATIENCE_S), running(folder, "built/use.js", json.dumps(told)) as process:
            out, wrong = await process.communicate()
    assert process.returncode == 0, wrong.decode()
    found = json.loads(out)
    assert found == {"purposes": ["HOSTING_CREDIT"] * 3, "paid": "50000.00", "errors": []}
