"""Everything behind pgbouncer in transaction mode: only what needs a session of its own goes past it."""

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from adapters.embedded import ports, processes
from adapters.embedded.processes import Command
from tests.journeys import asking
from tests.journeys.conftest import a_database
from tests.journeys.house import House, Journey, Person, visiting
from tests.programs import stay_home
from tests.servers import Addresses, new_valkey
from tests.waiting import eventually

PGBOUNCER = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
CONNECTIONS = 3
PAYERS = 12

MISSING = "pgbouncer is not installed (Debian: apt-get install pgbouncer)"


@contextmanager
def pooler(behind: str) -> Iterator[tuple[str, Command]]:
    """The address of a pooling proxy for a database address, and how to run it."""
    parts, port = urlsplit(behind), ports.any_free()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)  # it runs as somebody else where we are root
        (folder / "pgbouncer.ini").write_text(f"""
[databases]
* = host={parts.hostname} port={parts.port} user={parts.username} password={parts.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {CONNECTIONS}
server_reset_query =
{"max_prepared_statements = 0" if knows_prepared_statements() else ""}
""")
        arguments = [str(PGBOUNCER), str(folder / "pgbouncer.ini")]
        address = urlunsplit(parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}"))
        yield address, Command(arguments, folder, {}, user=processes.unprivileged_user())


def knows_prepared_statements() -> bool:
    """From 1.21 on they may stay prepared through the proxy; what works without that works with it."""
    told = subprocess.run([str(PGBOUNCER), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", told)
    return found is not None and (int(found[1]), int(found[2])) >= (1, 21)


@pytest.fixture
def pooled_house(servers: Addresses, tmp_path: Path) -> Iterator[House]:
    if PGBOUNCER is None:
        stay_home(MISSING)
    valkey = new_valkey(tmp_path / "valkey").start()
    with a_database(servers) as database, pooler(database.app_url) as (address, command):
        house = House(
            tmp_path / "house", database, valkey, times_faster=20,
            more={
                "DATABASE_URL": address, "KEYS_DATABASE_URL": address, "DATABASE_BEHIND_POOLER": "true",
                "DIRECT_DATABASE_URL": database.app_url,
            },
        )  # fmt: skip
        house.running["pooler"] = processes.start(command, house.folder / "pooler.log")
        try:
            house.until(lambda: ports.answers(urlsplit(address).port or 0))
            yield house.start()
        finally:
            house.stop()
            valkey.discard()


async def test_a_whole_journey_through_a_pooler(pooled_house: House) -> None:
    async with visiting(pooled_house) as journey:
        people = await asyncio.gather(*(journey.somebody() for _ in range(PAYERS)))
        await asyncio.gather(*(pays_and_watches(journey, person) for person in people))
        query = "select count(*) from pg_stat_activity where datname = current_database() and usename = $1"
        role = urlsplit(pooled_house.database.app_url).username
        named = f"{query} and application_name like 'gametriggers%'"
        direct = await journey.connection.fetchval(named, role)
        assert direct >= 3, "the relay, the sealer and the schedule have sessions of their own"
        assert await journey.connection.fetchval(query, role) - direct <= CONNECTIONS
        await asyncio.to_thread(pooled_house.kill, "pooler")
        assert (await journey.request("GET", "/readyz")).status == 503


async def pays_and_watches(journey: Journey, person: Person) -> None:
    async with journey.conversation(person) as socket:
        await socket.subscribe("1", asking.FOLLOW, id=person.wallet)
        assert (await socket.data("1"))["walletChanged"]["__typename"] == "WalletSnapshot"
        for number in (1, 2):
            top_up = await journey.start(person, 10_000)
            await journey.press(top_up["redirectUrl"])
            change = (await socket.data("1"))["walletChanged"]
            assert change["entry"]["sequence"] == number
            await eventually(partial(settled, journey, person, top_up["id"]))


async def settled(journey: Journey, person: Person, id_: str) -> bool:
    return bool((await journey.told(person, asking.TOP_UP, id=id_))["state"] == "SETTLED")
