"""Schemathesis asks the whole schema, on real servers, what none of us would think of; afterwards the books are right.

SCHEMATHESIS_EXAMPLES says how many documents it writes for each field of a root: a few with every run of the tests,
many in `make soak`.
"""

import asyncio
import copy
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any

import pytest
from graphql import build_schema, parse

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.audit import audit
from tests.gql.hostile.fitting import fitted
from tests.gql.rights.cast import CALLERS
from tests.gql.rights.sweep import Sweep, running
from tests.servers import Valkey

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))
ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "schema.graphql"
WHO = ["play", "supr", "bown", "supp", "eyes", "anon"]
OF_EACH = 3 + EXAMPLES // 10
"""So many ask of each kind, for some sign out, or ask to be forgotten."""


ASKED = "{ viewer { id mailVerified sessions { id } } node(id: 1) { ... on Wallet { purpose } ... on Session { id } } }"
FITTING: dict[str, Any] = {
    "viewer": {"id": "a", "mailVerified": True, "sessions": [{"id": "b"}]}, "node": {"purpose": "TAX"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["viewer", "id"], None),
        (["viewer", "mailVerified"], "yes"),
        (["viewer", "sessions"], {"id": "b"}),
        (["viewer"], {"id": "a"}),
        (["node"], {"currency": "IDR"}),
        (["node", "purpose"], "NONE"),
    ],
)
def test_what_does_not_fit_is_found(path: list[str], value: object) -> None:
    schema, document = build_schema(SCHEMA.read_text()), parse(ASKED)
    assert fitted(schema, document, FITTING) == FITTING
    assert fitted(schema, document, {**FITTING, "node": None}) == {**FITTING, "node": None}
    wrong = copy.deepcopy(FITTING)
    inner = wrong[path[0]] if path[1:] else wrong
    inner[path[-1]] = value
    with pytest.raises(AssertionError):
        fitted(schema, document, wrong)


async def test_schemathesis_finds_no_mistake_of_ours(
    tmp_path: Path, database: DatabaseAddresses, valkey: Valkey
) -> None:
    async with running(tmp_path, database, valkey.url) as house:
        await ask(house, tmp_path)
        counted = json.loads((tmp_path / "counted.json").read_text())
        async with house.pool.acquire() as connection:
            report = await audit(connection, bytes(32))
    assert counted["answered"] > 2 * EXAMPLES
    assert counted["answered"] + counted["refused"] > 20 * EXAMPLES
    assert (report.findings, report.rows > 0) == ([], True)


async def ask(house: Sweep, folder: Path) -> None:
    """Let schemathesis ask; what it finds fails the test."""
    casts = [await house.casting.cast(caller) for _ in range(OF_EACH) for caller in CALLERS if caller.mark in WHO]
    given = {
        "schema": str(SCHEMA),
        "headers": [dict(cast.headers) for cast in casts],
        "ids": sorted({id_ for cast in casts for side in (cast.own, cast.other) for id_ in side.ids.values()}),
        "counted": str(folder / "counted.json"),
    }
    file = folder / "given.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", str(SCHEMA), "--url", f"{house.url}/graphql",
        "--checks", "nothing_of_ours_is_wrong", "--phases", "fuzzing", "--mode", "positive",
        "--max-examples", str(EXAMPLES), "--generation-database", "none", "--no-color", "--warnings", "off",
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCHEMATHESIS_GIVEN": str(file),
             "SCHEMATHESIS_HOOKS": "tests.gql.hostile.schemathesis_checks"},
        cwd=folder, stdout=PIPE, stderr=STDOUT,
    )  # fmt: skip
    out, _ = await program.communicate()
    assert program.returncode == 0, out.decode()
