"""One house for each module of journeys, and an audit after each journey."""

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.embedded.database import DatabaseAddresses, make_database
from tests.journeys.house import House, Journey, visiting
from tests.servers import PASSWORDS, Addresses, drop_database, new_valkey
from tests.servers import run as run_to_end


@contextmanager
def a_database(servers: Addresses) -> Iterator[DatabaseAddresses]:
    """Like the fixture `database`, for longer than one test."""
    name = f"journey_{secrets.token_hex(6)}"
    yield run_to_end(make_database(servers.superuser_url, name, PASSWORDS, template=servers.template))
    run_to_end(drop_database(servers.superuser_url, name))


@pytest.fixture(scope="module")
def house(servers: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house of the module's own, with a Valkey of its own that may be killed."""
    folder: Path = tmp_path_factory.mktemp("house")
    valkey = new_valkey(folder / "valkey").start()
    try:
        with a_database(servers) as database:
            house = House(folder, database, valkey, times_faster=20)
            try:
                yield house.start()
            finally:
                house.stop()
    finally:
        valkey.discard()


@pytest.fixture
async def journey(house: House) -> AsyncIterator[Journey]:
    """A visit to the module's house."""
    async with visiting(house) as visit:
        yield visit
