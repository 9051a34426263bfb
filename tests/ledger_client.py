"""A process of the application under load, for tests that kill it or set it against another.

`python -m tests.ledger_client URL SCOPE SEED FIRST COUNT CLIENTS SHUFFLE` carries out the transactions FIRST to
FIRST + COUNT of a story that everybody with the same scope and seed tells alike, through both doors, and writes a line
`number code` for each answer, once it has it. What fails for want of a database is tried again until it is answered.
"""

import asyncio
import logging
import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Self

import asyncpg
import structlog

from adapters.config import ROOT
from domain.errors import UnavailableError
from domain.ledger.model import KEPT_REFUSALS, Code, Outcome, Transaction
from tests.ledger_on_postgres import PostgresHouse, house
from tests.ledger_recipes import Kitchen, random_recipe
from tests.ledger_stories import Hands, World
from tests.waiting import eventually

KEPT = KEPT_REFUSALS | {Code.POSTED}
PASSING = (UnavailableError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
REST_S = 0.02


@dataclass
class Tale:
    """Transactions that depend on nothing but a scope, a seed and how many there are."""

    scope: str
    seed: int

    def __post_init__(self) -> None:
        self.kitchen, self._dice = Kitchen(World(self.scope, Hands())), random.Random(self.seed)
        self.kitchen.begin()

    def transactions(self, count: int) -> list[Transaction]:
        """The first so many transactions."""
        while len(self.kitchen.made) < count:
            self.kitchen.make(random_recipe(self._dice))
        return self.kitchen.made[:count]


async def open_accounts(opened: PostgresHouse, tale: Tale) -> None:
    """One account a unit of work: whoever opens them too waits for no more than one."""
    for account, limits in tale.kitchen.accounts.items():
        await opened.open(account, limits)


async def answered(opened: PostgresHouse, transaction: Transaction, dice: random.Random) -> Outcome:
    """An answer, however often it takes to get one."""
    while True:
        try:
            return await opened.do(transaction, "submit" if dice.random() < 0.6 else "post")
        except PASSING:
            await asyncio.sleep(REST_S)


async def carry_out(url: str, tale: Tale, numbers: Iterable[int], clients: int) -> None:
    queue = iter(list(numbers))
    transactions = tale.transactions(max((*numbers, 0)) + 1)

    async def client(opened: PostgresHouse, dice: random.Random) -> None:
        for number in queue:
            outcome = await answered(opened, transactions[number], dice)
            os.write(1, f"{number} {outcome.code}\n".encode())

    async with house(url, tale.kitchen.world.hands, size=clients // 2 + 2) as opened:
        await open_accounts(opened, tale)
        await asyncio.gather(*(client(opened, random.Random(number)) for number in range(clients)))


def main(url: str, scope: str, *figures: str) -> None:
    seed, first, count, clients, shuffle = map(int, figures)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable()
    numbers = list(range(first, first + count))
    if shuffle:
        dice = random.Random(shuffle)
        for start in range(0, count, 100):
            window = numbers[start : start + 100]
            dice.shuffle(window)
            numbers[start : start + 100] = window
    asyncio.run(carry_out(url, Tale(scope, seed), numbers, clients))


class Client:
    """The process, started and listened to. What it told before it was killed, it told."""

    def __init__(self, url: str, tale: Tale, first: int, count: int, *, clients: int = 24, shuffle: int = 0) -> None:
        figures = map(str, (tale.seed, first, count, clients, shuffle))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.ledger_client", url, tale.scope, *figures], cwd=ROOT, stdout=subprocess.PIPE
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        self._said = b""

    def told(self) -> list[tuple[int, Code]]:
        """Every answer that it has told so far: number and code."""
        assert self.process.stdout is not None
        self._said += self.process.stdout.read() or b""
        whole, _, _ = self._said.rpartition(b"\n")
        return [(int(number), Code(code.decode())) for number, code in map(bytes.split, whole.splitlines())]

    async def until(self, answers: int, timeout_s: float = 60) -> None:
        """Wait until it has told so many answers."""
        await eventually(lambda: len(self.told()) >= answers or self.process.poll() is not None, timeout_s)
        assert len(self.told()) >= answers, f"it ended with {self.process.poll()} after {len(self.told())} answers"

    async def end(self, timeout_s: float = 120) -> list[tuple[int, Code]]:
        """Wait for its end, which must be a good one."""
        await eventually(lambda: self.told() is not None and self.process.poll() is not None, timeout_s)
        assert self.process.returncode == 0
        return self.told()

    def kill(self) -> list[tuple[int, Code]]:
        """End it at once."""
        self.process.kill()
        self.process.wait()
        return self.told()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        assert self.process.stdout is not None
        self.process.stdout.close()


async def lost(connection: asyncpg.Connection, tale: Tale, told: Iterable[tuple[int, Code]]) -> list[int]:
    """Numbers of answers that were told and are not in the journal as they were told."""
    kept = {number: code for number, code in told if code in KEPT}
    transactions = tale.transactions(max((*kept, 0)) + 1)
    found: dict[object, str | None] = {}
    for some in batched(kept, 5_000):
        rows = await connection.fetch(
            "select transaction_id, refusal from journal where line = 0 and transaction_id = any($1::uuid[])",
            [transactions[number].id for number in some],
        )
        found.update((row["transaction_id"], row["refusal"]) for row in rows)
    return [
        number
        for number, code in kept.items()
        if found.get(transactions[number].id, "nothing") != (None if code is Code.POSTED else str(code))
    ]


def batched(numbers: Iterable[int], size: int) -> Iterator[list[int]]:
    queue = iter(numbers)
    while some := list(islice(queue, size)):
        yield some


if __name__ == "__main__":
    main(*sys.argv[1:])
