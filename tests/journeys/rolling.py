"""Two servers that are restarted one after the other, under many who follow a wallet: nobody misses an entry."""

import asyncio
import json
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle

import aiohttp
from aiohttp import WSMsgType

from adapters.config import ROOT
from adapters.embedded import ports, processes
from adapters.embedded.processes import Command
from domain.ids import TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from domain.ports import Ports
from tests.gql.house import PROTOCOL, settings_for
from tests.gql.test_on_real_servers import CLEARING, connect
from tests.journeys import asking
from tests.journeys.house import House, Journey
from tests.waiting import PATIENCE_S, eventually

HINT = re.compile(r"Restarting: come back in (\d+\.\d) s")
SHORTEST_PAUSE_S = 0.2
DELIVERIES_A_SECOND = 500
"""A delivery of a private stream costs a server a quarter of a millisecond: this is an eighth of what one core can do,
for the story is of who misses something, and the one server that is left must be able to go on on a busy machine."""
IMPATIENT = 4.0
"""So many times sooner than they are told do these clients come back."""


def wishes(sockets: int) -> dict[str, str]:
    """Settings that let one person have so many sockets."""
    names = ("SOCKETS_OF_ADDRESS", "SOCKETS_OF_PERSON", "OPERATIONS_OF_PERSON")
    return dict.fromkeys(names, str(2 * sockets + 10))


class Pair:
    """Two servers of a house, each on a port of its own."""

    def __init__(self, house: House) -> None:
        self._house, self.ports = house, [house.port, ports.any_free()]

    def start(self, place: int) -> None:
        """Start one of them, and wait until it answers."""
        environment = {**self._house.environment, "PORT": str(self.ports[place])}
        command = Command([sys.executable, "-m", "adapters.cli", "serve"], ROOT, environment)
        name = self._name(place)
        self._house.running[name] = processes.start(command, self._house.folder / f"{name}.log")
        self._house.until(lambda: ports.answers(self.ports[place]))

    def restart(self, place: int) -> int:
        """End one of them as a deployment does, and start it again; the status it ended with."""
        process = self._house.running.pop(self._name(place))
        processes.end(process, signal.SIGTERM, PATIENCE_S)
        self.start(place)
        return process.returncode

    def _name(self, place: int) -> str:
        return ("server", "second_server")[place]


@dataclass
class Subscriber:
    """Somebody who follows a wallet, and comes back whenever a socket closes."""

    first: int
    cursor: str | None = None
    numbers: list[int] = field(default_factory=list)
    snapshots: int = 0
    endings: list[tuple[int | None, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """What kept them from following for a while."""

    async def follow(self, client: aiohttp.ClientSession, token: str, wallet: str, addresses: list[int]) -> None:
        """Follow for ever."""
        for place in cycle((self.first, 1 - self.first)):
            with suppress(aiohttp.ClientError, OSError):
                url = f"http://127.0.0.1:{addresses[place]}/graphql"
                async with client.ws_connect(url, protocols=(PROTOCOL,)) as raw:
                    await self._listen(raw, token, wallet)
            found = HINT.fullmatch(self.endings[-1][1]) if self.endings else None
            await asyncio.sleep(float(found[1]) / IMPATIENT if found else 0.1)

    async def _listen(self, raw: aiohttp.ClientWebSocketResponse, token: str, wallet: str) -> None:
        await raw.send_json({"type": "connection_init", "payload": {"token": token}})
        variables = {"id": wallet, "after": self.cursor}
        payload = {"query": asking.FOLLOW, "variables": variables}
        await raw.receive()
        await raw.send_json({"type": "subscribe", "id": "1", "payload": payload})
        while (message := await raw.receive()).type is WSMsgType.TEXT:
            told = json.loads(message.data)
            if told["type"] == "error":
                self.errors += [error["extensions"]["code"] for error in told["payload"]]
                return
            self._take(told["payload"]["data"]["walletChanged"])
        self.endings.append((raw.close_code, str(message.extra or "")))

    def _take(self, change: dict[str, object]) -> None:
        self.cursor = str(change["cursor"])
        entry = change.get("entry")
        if isinstance(entry, dict):
            self.numbers.append(entry["sequence"])
        else:
            self.snapshots += 1


@asynccontextmanager
async def crediting(ports_: Ports, owner: str, followers: int) -> AsyncIterator[list[int]]:
    """Credit somebody's wallet again and again while the block lasts; the numbers of the entries."""
    pause_s = max(SHORTEST_PAUSE_S, followers / DELIVERIES_A_SECOND)
    done: list[int] = []

    async def go_on() -> None:
        target = AccountKey(owner, Purpose.HOSTING_CREDIT, Currency.IDR)
        while True:
            async with ports_.work() as work:
                await work.ledger.open(CLEARING)
                posting = Posting(Kind.TOP_UP, CLEARING, target, Money.whole(1, Currency.IDR))
                assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))).posted
            done.append(len(done) + 1)
            await asyncio.sleep(pause_s)

    task = asyncio.create_task(go_on())
    try:
        yield done
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until_all_heard(people: Sequence[Subscriber], count: int) -> None:
    """Wait until everybody has heard of so many entries; says in few words who has not."""

    def behind() -> list[int]:
        return [len(each.numbers) for each in people if len(each.numbers) < count]

    try:
        await eventually(lambda: not behind(), PATIENCE_S)
    except AssertionError as error:
        kept = Counter(code for each in people for code in each.errors)
        ended = Counter(code for each in people for code, _ in each.endings)
        late = behind()
        error.add_note(f"{len(late)} of {len(people)} heard of {late[:20]} entries, not {count}; {kept}, {ended}")
        raise


async def roll(journey: Journey, count: int) -> None:
    """The story: everybody follows, both servers are restarted, and everybody has heard of everything once."""
    house, pair = journey.house, Pair(journey.house)
    await asyncio.to_thread(pair.start, 1)
    person = await journey.somebody()
    people = [Subscriber(number % 2) for number in range(count)]
    settings = settings_for(house.folder, "production", database_url=house.database.app_url, redis_url=house.valkey.url)
    client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
    token = journey.token(person.actor)
    following = [asyncio.create_task(each.follow(client, token, person.wallet, pair.ports)) for each in people]
    try:
        async with connect([], settings) as real:
            await eventually(lambda: all(each.snapshots for each in people), PATIENCE_S)
            async with crediting(real, person.account, count) as credited:
                for place in (0, 1):
                    wanted = len(credited) + 5
                    assert await asyncio.to_thread(pair.restart, place) in {0, -signal.SIGTERM}
                    await _until_all_heard(people, wanted)
            everything = list(range(1, len(credited) + 1))
            await _until_all_heard(people, len(everything))
    finally:
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        await client.close()
    for each in people:
        assert each.numbers == everything
        assert each.snapshots == 1
        assert each.endings
        assert set(each.errors) <= {"UNAVAILABLE"}
    endings = [ending for each in people for ending in each.endings]
    assert {code for code, _ in endings} == {1012}
    assert len({reason for _, reason in endings}) > 1
    assert all(HINT.fullmatch(reason) for _, reason in endings)
    assert all("Traceback" not in house.log(name) for name in ("server", "second_server"))
