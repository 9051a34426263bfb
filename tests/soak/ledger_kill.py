"""`python -m tests.soak.ledger_kill --minutes 5`: kill PostgreSQL or the application under load, again and again.

Everything that was told must be durable after every kill, every row sound, and repeating everything must answer what
was told. The last line gives figures; exit status 1 at the first breach.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

import asyncpg

from adapters.embedded.database import DatabaseAddresses, make_database
from adapters.embedded.postgres import EmbeddedPostgres
from domain.ledger.model import Code
from tests.ledger_client import KEPT, Client, Tale, lost
from tests.ledger_on_postgres import breaches, house
from tests.servers import PASSWORDS, make_template, new_postgres

ROUND = 6_000
KILLS_IN_A_ROUND = 4


class BreachError(Exception):
    """A promise was broken."""


class Soak:
    """One PostgreSQL, one database, rounds of load with kills in them."""

    def __init__(self, server: EmbeddedPostgres, addresses: DatabaseAddresses, dice: random.Random) -> None:
        self._server, self._addresses, self._dice = server, addresses, dice
        self.figures: Counter[str] = Counter(lost=0, broken=0, wrong=0)

    async def round(self) -> None:
        """Load from one tale, with some kills, then every check there is."""
        tale = Tale(uuid4().hex, self._dice.randrange(2**32))
        told: dict[int, Code] = {}
        first = 0
        for kill in range(KILLS_IN_A_ROUND + 1):
            with Client(self._addresses.app_url, tale, first, ROUND - first, clients=32) as client:
                if kill == KILLS_IN_A_ROUND:
                    told |= dict(await client.end(300))
                    break
                await client.until(self._dice.randint(50, 900))
                if self._dice.random() < 0.5:
                    self._kill_postgres()
                told |= dict(client.kill())
                self.figures["kills of the application"] += 1
            await self._check(tale, told)
            first = max(max(told, default=0) - 40, 0)
        await self._check(tale, told)
        await self._repeat(tale, told)
        self.figures["acknowledged"] += sum(code in KEPT for code in told.values())
        if found := await breaches(self._addresses.superuser_url):
            self.figures["broken"] += len(found)
            raise BreachError(f"broken: {found}")

    def _kill_postgres(self) -> None:
        self._server.kill()
        self._server.restart()
        self.figures["kills of PostgreSQL"] += 1

    async def _check(self, tale: Tale, told: dict[int, Code]) -> None:
        connection = await asyncpg.connect(self._addresses.superuser_url)
        try:
            if gone := await lost(connection, tale, told.items()):
                self.figures["lost"] += len(gone)
                raise BreachError(f"told and gone: {gone[:10]} of {tale}")
        finally:
            await connection.close()

    async def _repeat(self, tale: Tale, told: dict[int, Code]) -> None:
        async with house(self._addresses.app_url, tale.kitchen.world.hands) as opened:
            transactions = tale.transactions(ROUND)
            outcomes = await asyncio.gather(*map(opened.batcher.submit, transactions))
        for number, outcome in enumerate(outcomes):
            first = told.get(number)
            if first in KEPT and (outcome.code, outcome.replayed) != (first, True):
                self.figures["wrong"] += 1
                raise BreachError(f"{number} of {tale} was {first}, and is {outcome.code} when it comes again")
            self.figures["resolved"] += first is None


async def soak(minutes: float, seed: int) -> int:
    """Answers the exit status."""
    logging.disable()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        server = new_postgres(Path(folder) / "postgres", durable=True).start()
        try:
            await make_template(server.superuser_url, "soak")
            addresses = await make_database(server.superuser_url, "soak", PASSWORDS)
            run = Soak(server, addresses, random.Random(seed))
            status = 0
            try:
                while time.monotonic() - began < minutes * 60:
                    await run.round()
                    print(f"ledger kill {time.monotonic() - began:.0f} s: {dict(run.figures)}", flush=True)
            except (BreachError, AssertionError) as breach:
                print(f"ledger kill BREACH with seed {seed}: {breach}")
                status = 1
            print(f"ledger kill {'failed' if status else 'ok'} seed={seed} {dict(run.figures)}")
            return status
        finally:
            server.discard()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    given = parser.parse_args()
    sys.exit(asyncio.run(soak(given.minutes, given.seed)))
