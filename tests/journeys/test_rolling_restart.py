"""A deployment under load: both servers are replaced, and those who follow notice by the close alone."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.journeys.conftest import a_database
from tests.journeys.house import House, Journey, visiting
from tests.journeys.rolling import roll, wishes
from tests.servers import Addresses, new_valkey

SUBSCRIBERS = 40


@pytest.fixture
def pair_house(servers: Addresses, tmp_path: Path, subscribers: int) -> Iterator[House]:
    """A house that lets one person have as many sockets as it takes."""
    valkey = new_valkey(tmp_path / "valkey").start()
    with a_database(servers) as database:
        house = House(tmp_path / "house", database, valkey, more=wishes(subscribers))
        try:
            yield house.start()
        finally:
            house.stop()
            valkey.discard()


@pytest.fixture
async def rolling(pair_house: House) -> AsyncIterator[Journey]:
    """A visit to that house."""
    async with visiting(pair_house) as visit:
        yield visit


@pytest.fixture
def subscribers() -> int:
    """How many follow."""
    return SUBSCRIBERS


async def test_nobody_misses_anything(rolling: Journey, subscribers: int) -> None:
    await roll(rolling, subscribers)
