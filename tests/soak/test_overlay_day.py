"""A day of an overlay's page: an event each minute, shown once and in order, and no more memory at its end."""

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page

from tests.adapters.passkey_browser import stay_home_without_chromium
from tests.journeys.conftest import house, journey
from tests.journeys.house import Journey
from tests.journeys.studio import Studio, line_is, studio_of

__all__ = ["house", "journey"]

MINUTES = int(os.environ.get("OVERLAY_MINUTES", "1440"))
FIRST_LOOK = 120
"""By this minute all that is needed once is there."""
GROWTH = 1.15
ROOM_BYTES = 512 * 1024

# What is shown is counted where it is shown, so that the count itself does not grow.
COUNT = """() => {
  window.shown = 0;
  window.wrong = [];
  new MutationObserver(() => {
    const found = document.getElementById("who").textContent;
    if (found === `Fan ${window.shown} is following now`) return;
    if (found === `Fan ${window.shown + 1} is following now`) window.shown++;
    else if (window.wrong.length < 10) window.wrong.push(found);
  }).observe(document.getElementById("who"), { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture
async def studio(journey: Journey) -> AsyncIterator[Studio]:
    async with studio_of(journey) as opened:
        yield opened


async def heap_of(page: Page) -> int:
    """Bytes that the page cannot let go."""
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("HeapProfiler.collectGarbage")
    found: Any = await devtools.send("Runtime.getHeapUsage")
    await devtools.detach()
    return int(found["usedSize"])


async def test_a_day_of_events_leaves_no_trace(studio: Studio) -> None:
    stay_home_without_chromium()
    async with studio.page() as page:
        await page.clock.install()
        await page.reload()
        await line_is(page, "live")
        await page.evaluate(COUNT)
        early = 0
        for minute in range(1, MINUTES + 1):
            await studio.send(f"Fan {minute}", kind="FOLLOW")
            await page.wait_for_function(f"window.shown >= {minute}", polling=20, timeout=120_000)
            await page.clock.run_for(60_000)
            if minute == FIRST_LOOK:
                early = await heap_of(page)
        late = await heap_of(page)
        assert await page.evaluate("window.wrong") == []
        assert late < early * GROWTH + ROOM_BYTES, (early, late)
    studio.complaints.clear()
