"""Many pay at once, and the gateway tells everything three times, in any order; some of what comes is not true."""

import os

from tests.journeys.house import Journey
from tests.journeys.storm import brew


async def test_every_credit_lands_once_and_none_that_is_wrong(journey: Journey) -> None:
    await brew(journey, intents=int(os.environ.get("STORM_INTENTS", "500")))
