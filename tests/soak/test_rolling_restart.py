"""The rolling restart of the journeys, under five hundred who follow."""

import os

import pytest

from tests.journeys.house import Journey
from tests.journeys.rolling import roll
from tests.journeys.test_rolling_restart import pair_house, rolling

__all__ = ["pair_house", "rolling"]


@pytest.fixture
def subscribers() -> int:
    """How many follow."""
    return int(os.environ.get("SUBSCRIBERS", "500"))


async def test_nobody_of_many_misses_anything(rolling: Journey, subscribers: int) -> None:
    await roll(rolling, subscribers)
