"""The storm of the journeys, ten times as long."""

import os

from tests.journeys.conftest import house, journey
from tests.journeys.house import Journey
from tests.journeys.storm import brew

__all__ = ["house", "journey"]


async def test_a_long_storm(journey: Journey) -> None:  # fixtures are asked for by name
    await brew(journey, intents=int(os.environ.get("STORM_INTENTS", "5000")))
