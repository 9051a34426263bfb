"""A day of an overlay's page in a browser, told by a clock that runs ahead: what it shows leaves nothing behind."""

import os
from statistics import median

from playwright.async_api import CDPSession, Page

from tests.adapters.passkey_browser import stay_home_without_chromium
from tests.journeys.broadcast import Broadcast, on_air
from tests.journeys.conftest import house, journey
from tests.journeys.house import Journey
from tests.journeys.studio import line_is

__all__ = ["house", "journey"]

HOURS = int(os.environ.get("OVERLAY_HOURS", "24"))
STEP_S = 4
"""The clock stands still for as long as a message takes after so much of its time, for messages come by ours."""
ALERTS = 60
"""Each hour; every tenth minute a creative goes and another comes."""
GROWTH = 1.15
"""Of what the last hours use over the first, at most: nothing grows by the hour."""


async def test_a_day_of_events_leaves_nothing_behind(journey: Journey) -> None:
    stay_home_without_chromium()
    used: list[dict[str, float]] = []
    async with on_air(journey) as air, air.studio.page(clocked=True) as page:
        watch = await page.context.new_cdp_session(page)
        await line_is(page, "live")
        for hour in range(HOURS):
            await an_hour(air, page)
            used.append(await uses(watch))
            print(f"hour {hour + 1} of {HOURS}: {used[-1]}", flush=True)
        await line_is(page, "live")
        for what in used[0]:
            early, late = ([each[what] for each in part] for part in (used[: len(used) // 3], used[-len(used) // 3 :]))
            assert median(late) <= median(early) * GROWTH, (what, early, late)


async def an_hour(air: Broadcast, page: Page) -> None:
    """Alerts, changes of what is shown, and the time that passes between them."""
    for minute in range(ALERTS):
        await air.studio.send(f"Viewer {minute}", message="Semangat!")
        if minute % 10 == 0:
            new = await air.added(html=f"<p>Play longer, and for the {minute}th time</p>")
            await air.decided(air.text, approve=False)
            air.text = new
        for _ in range(60 // STEP_S):
            await page.clock.run_for(STEP_S * 1_000)


async def uses(watch: CDPSession) -> dict[str, float]:
    """What the page holds: bytes of its heap, elements, listeners."""
    for _ in range(2):
        await watch.send("HeapProfiler.collectGarbage")
    heap = await watch.send("Runtime.getHeapUsage")
    counts = await watch.send("Memory.getDOMCounters")
    return {"bytes": heap["usedSize"], "elements": counts["nodes"], "listeners": counts["jsEventListeners"]}
