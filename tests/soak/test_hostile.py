"""Who asks for their wallets hardly notices that others send what is meant to hurt: server, attackers and client are
processes of their own, calm and stormy minutes take turns, and the median of the rounds counts.

It stands for an installation as it should be, where nothing is read but what is trusted; HOSTILE_MODE=allow shows what
it is like where everything is. HOSTILE_ROUNDS and HOSTILE_RATE (documents a second) say how long and how hard.
"""

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median, quantiles

import pytest

from adapters.config import ROOT
from domain.identity.model import Portal
from gql.trusted import Client, document_id
from tests.gql.test_trusted import shipped
from tests.journeys.conftest import a_database
from tests.journeys.house import House, Journey, visiting
from tests.servers import Addresses, new_valkey

ROUNDS = int(os.environ.get("HOSTILE_ROUNDS", "5"))
RATE = float(os.environ.get("HOSTILE_RATE", "50"))
MODE = os.environ.get("HOSTILE_MODE", "refuse")
REQUESTS = 500
MOST = 2.0
WALLETS = {"documentId": document_id(shipped(Client.PLAYER, "Wallets"))}


@pytest.fixture
def strict_house(servers: Addresses, tmp_path: Path) -> Iterator[House]:
    valkey = new_valkey(tmp_path / "valkey").start()
    with a_database(servers) as database:
        house = House(tmp_path / "house", database, valkey, more={"UNTRUSTED_DOCUMENTS": MODE})
        try:
            yield house.start()
        finally:
            house.stop()
            valkey.discard()


async def p99_ms(journey: Journey, token: str) -> float:
    """What a client waits at most, but for one time in a hundred."""
    took = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        reply = await journey.request("POST", "/graphql", json=WALLETS, headers={"Authorization": f"Bearer {token}"})
        took.append(time.perf_counter() - began)
        assert reply.data["viewer"]["wallets"] == []
    return quantiles(took, n=100)[98] * 1000


@asynccontextmanager
async def stormy(house: House, token: str) -> AsyncIterator[None]:
    """While somebody sends the corpus; begins when they have been through it once."""
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.hostile_sender", f"{house.url}/graphql", str(RATE),
        cwd=ROOT, stdin=PIPE, stdout=PIPE,
    )  # fmt: skip
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        program.stdin.write(f"{token}\n".encode())
        assert await asyncio.wait_for(program.stdout.readline(), 120) == b"through\n"
        yield
        assert program.returncode is None, "it sent to the end"
    finally:
        program.terminate()
        await program.wait()


async def test_others_hardly_notice(strict_house: House) -> None:
    async with visiting(strict_house) as journey:
        me, them = [await journey.enroll(portal=Portal.PLAYER) for _ in range(2)]
        mine, theirs = journey.token(me.actor), journey.token(them.actor)
        await p99_ms(journey, mine)
        rounds = []
        for _ in range(ROUNDS):
            calm = await p99_ms(journey, mine)
            async with stormy(strict_house, theirs):
                rounds.append((calm, await p99_ms(journey, mine)))
    ratio = median(stormy_ms / calm for calm, stormy_ms in rounds)
    told = ", ".join(f"{calm:.1f} → {stormy_ms:.1f}" for calm, stormy_ms in rounds)
    print(f"hostile p99_ms={told} ratio={ratio:.2f}")
    assert ratio <= MOST, told
