"""An overlay from its token to its end: what it may do, what it is told, and how its page bears whatever happens."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from gql.doorkeeper import SHUT
from tests.adapters.passkey_browser import stay_home_without_chromium
from tests.journeys.house import Journey
from tests.journeys.studio import GOAL, SCENE, Studio, line_is, message, shows, studio_of
from tests.waiting import eventually

WITHIN_S = 2.0
"""So long an overlay that is switched off stays at most."""
MARGIN_S = 8.0
"""So much later a busy machine may find out."""
NO_SOCKETS = """window.WebSocket = class {
  static OPEN = 1;
  constructor() { setTimeout(() => this.onclose({ code: 1006 })); }
  close() {}
};"""
IN_OBS = "window.obsstudio = {};"
PAINTED = "document.documentElement.style.background = '#3d5a80'"
OBS_TELLS = "dispatchEvent(new CustomEvent('obsSource{}Changed', {{{{ detail: {{{{ {} }}}} }}}}))"


@pytest.fixture
async def studio(journey: Journey) -> AsyncIterator[Studio]:
    async with studio_of(journey) as opened:
        yield opened


@pytest.fixture
async def browsed(studio: Studio) -> AsyncIterator[Page]:
    """The page, live in a browser."""
    stay_home_without_chromium()
    async with studio.page() as page:
        await line_is(page, "live")
        yield page


class TestProtocol:
    async def test_the_scene_comes_first_and_what_is_raised_is_told_once(self, studio: Studio) -> None:
        async with studio.following() as socket:
            scene = await message(socket)
            assert (scene["__typename"], scene["goal"], scene["theme"]) == ("OverlayScene", GOAL, "MIDNIGHT")
            await studio.send("Ayu", message="Semangat!")
            alert = await message(socket)
            told = {name: alert[name] for name in ("kind", "name", "message", "isTest")}
            assert told == {"kind": "TIP", "name": "Ayu", "message": "Semangat!", "isTest": True}
            assert alert["amount"] == {"amount": "50000.00", "currency": "IDR"}
            await studio.do("changeOverlay", overlayId=studio.overlay, name="Other", theme="NEON", place="TOP")
            changed = await message(socket)
            assert (changed["theme"], changed["place"], changed["goal"]) == ("NEON", "TOP", None)
            assert (changed["cursor"], changed["session"]) == (alert["cursor"], scene["session"])
        for name in ("Budi", "Cici"):
            await studio.send(name, kind="FOLLOW")
        async with studio.following(after=alert["cursor"]) as socket:
            again = await message(socket)
            assert again["cursor"] == alert["cursor"]
            assert again["session"]["id"] != scene["session"]["id"]
            assert [(await message(socket))["name"] for _ in range(2)] == ["Budi", "Cici"]
        async with studio.following() as socket:
            assert (await message(socket))["__typename"] == "OverlayScene"
            await studio.send("Dewi")
            assert (await message(socket))["name"] == "Dewi"

    async def test_an_overlay_may_do_nothing_else_and_nobody_else_is_one(self, studio: Studio) -> None:
        headers = {"Authorization": f"Bearer {studio.token}"}
        asked = ("{ viewer { id } }", '{ node(id: "x") { id } }', "mutation { signOut(input: {}) { __typename } }")
        for query in asked:
            reply = await studio.journey.request("POST", "/graphql", json={"query": query}, headers=headers)
            assert reply.codes == ["FORBIDDEN"], query
        async with studio.following() as socket:
            await message(socket)
            await socket.subscribe("2", asked[0])
            told = await socket.next()
            assert told["payload"]["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        events = {"Accept": "text/event-stream"}
        for token, code in ((None, "UNAUTHENTICATED"), (studio.journey.token(studio.actor), "FORBIDDEN")):
            more = {"Authorization": f"Bearer {token}"} if token else {}
            reply = await studio.journey.request("POST", "/graphql", json={"query": SCENE}, headers=events | more)
            assert code in reply.text
        made_up = {"Authorization": f"Bearer gto_{'x' * 43}"}
        assert (await studio.journey.request("POST", "/graphql", json={"query": SCENE}, headers=made_up)).status == 401

    @pytest.mark.parametrize("ending", ["rotate", "revoke", "own switch", "staff's switch"])
    async def test_who_may_not_stay_has_to_leave_within_two_seconds(self, studio: Studio, ending: str) -> None:
        endings: dict[str, Any] = {
            "rotate": lambda: studio.do("rotateOverlayToken", overlayId=studio.overlay),
            "revoke": lambda: studio.do("revokeOverlay", overlayId=studio.overlay),
            "own switch": lambda: studio.do("switchOverlays", on=False),
            "staff's switch": lambda: studio.do(
                "switchStreamerOverlays", studio.staff, streamerId=studio.streamer, on=False, reason="Shows too much."
            ),
        }  # fmt: skip
        async with studio.following() as socket:
            await message(socket)
            made = await endings[ending]()
            began = time.monotonic()
            assert await socket.closing() == (4403, SHUT)
            assert time.monotonic() - began < WITHIN_S + MARGIN_S
        async with studio.socket() as socket:
            assert await socket.closing() == (4403, "Forbidden")
        if ending == "rotate":
            async with studio.socket(made["token"]) as socket:
                assert await socket.next() == {"type": "connection_ack"}
        if ending == "own switch":
            assert (await studio.do("switchOverlays", on=True))["stops"] == []
            async with studio.following() as socket:
                assert (await message(socket))["__typename"] == "OverlayScene"

    async def test_the_page_is_the_same_for_all_and_its_address_stands_nowhere(self, studio: Studio) -> None:
        journey = studio.journey
        page, other = [await journey.request("GET", f"/overlay/{token}") for token in (studio.token, "gto_none")]
        assert page.text == other.text
        assert studio.token not in page.text
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in page.headers
        for path in (f"/overlay/{studio.token}/", f"/overlay/{studio.token}/more", f"/overlay//{studio.token}"):
            await journey.request("GET", path, allow_redirects=False)
        await journey.request("POST", f"/overlay/{studio.token}")
        assert (await journey.request("GET", "/overlay/assets/nothing.js")).status == 404
        async with studio.following() as socket:
            await message(socket)
        part = await journey.request("GET", "/overlay/assets/line.js")
        again = await journey.request("GET", "/overlay/assets/line.js", headers={"If-None-Match": part.headers["ETag"]})
        assert (part.status, again.status) == (200, 304)
        figures = (await journey.request("GET", "/metrics")).text
        await eventually(lambda: "/metrics" in journey.house.log("server"))
        log = journey.house.log("server")
        assert 'route="/overlay/{token}"' in figures
        assert "/overlay/{token}" in log
        for text in (figures, log):
            assert studio.token not in text


class TestPage:
    async def test_it_draws_the_scene_and_shows_one_after_the_other(self, studio: Studio, browsed: Page) -> None:
        await expect(browsed.locator("#goal")).to_contain_text("New microphone")
        await expect(browsed.locator("#count")).to_have_text("3 / 10")
        for name in ("Ayu", "<b>Budi</b>"):
            await studio.send(name, message="Semangat!")
        await shows(browsed, "Ayu gave Rp")
        await expect(browsed.locator("#test")).to_be_visible()
        await shows(browsed, "<b>Budi</b> gave")
        goal = {"title": "Camera", "reached": 10, "target": 10}
        await studio.do(
            "changeOverlay", overlayId=studio.overlay, name="Main", theme="NEON", place="TOP_LEFT", goal=goal
        )
        await expect(browsed.locator("#goal")).to_contain_text("Camera")
        await expect(browsed.locator("body")).to_have_attribute("data-theme", "NEON")
        box = await browsed.locator("#goal").bounding_box()
        assert box is not None
        assert box["x"] < 640
        assert box["y"] < 360
        assert await browsed.context.cookies() == []

    async def test_a_clock_that_jumps_and_a_message_that_is_wrong_stop_nothing(
        self, studio: Studio, browsed: Page
    ) -> None:
        await browsed.evaluate("() => { const now = Date.now(); Date.now = () => now - 86_400_000 * 400; }")
        await browsed.evaluate("() => { Intl.NumberFormat = () => { throw new Error('broken for once'); }; }")
        await studio.send("Ayu")
        await studio.send("Budi", kind="FOLLOW")
        await shows(browsed, "Budi is following now")
        await line_is(browsed, "live")
        assert len(studio.complaints) == 1
        assert "could not be shown" in studio.complaints.pop()

    async def test_without_sockets_it_follows_events(self, studio: Studio) -> None:
        stay_home_without_chromium()
        async with studio.page(NO_SOCKETS) as page:
            await line_is(page, "live")
            await studio.send("Ayu")
            await shows(page, "Ayu gave")
            await studio.do("switchOverlays", on=False)
            await line_is(page, "shut")
            await expect(page.locator("#goal")).to_be_hidden()

    async def test_in_obs_what_nobody_sees_waits(self, studio: Studio) -> None:
        stay_home_without_chromium()
        visible, active = (OBS_TELLS.format(name, f"{name.lower()}: {{}}") for name in ("Visible", "Active"))
        async with studio.page(IN_OBS) as page:
            await line_is(page, "live")
            for script in (visible, active):
                for seen in ("false", "true"):
                    await page.evaluate(script.format(seen))
                    await expect(page.locator("body")).to_have_attribute("data-seen", seen)
            await page.evaluate(visible.format("false"))
            await studio.send("Ayu")
            async with studio.following() as socket:
                await message(socket)
                await studio.send("Budi")
                assert (await message(socket))["name"] == "Budi"
            await expect(page.locator("#alert.shown")).to_have_count(0)
            await page.evaluate(visible.format("true"))
            await shows(page, "Ayu gave")
            await shows(page, "Budi gave")

    async def test_it_is_dark_while_it_is_off_and_comes_back(self, studio: Studio, browsed: Page) -> None:
        await studio.do("switchOverlays", on=False)
        await line_is(browsed, "shut")
        await expect(browsed.locator("#goal")).to_be_hidden()
        await studio.do("switchOverlays", on=True)
        await line_is(browsed, "live")
        await expect(browsed.locator("#goal")).to_be_visible()
        await studio.do("rotateOverlayToken", overlayId=studio.overlay)
        await line_is(browsed, "shut")

    async def test_the_feed_may_go_and_come_back(self, studio: Studio, browsed: Page) -> None:
        valkey = studio.journey.house.valkey
        await asyncio.to_thread(valkey.kill)
        try:
            await studio.send("Ayu")
            await shows(browsed, "Ayu gave")
        finally:
            await asyncio.to_thread(valkey.restart)
        await studio.send("Budi")
        await shows(browsed, "Budi gave")

    async def test_a_server_that_is_killed_is_come_back_to_and_nothing_is_lost(
        self, studio: Studio, browsed: Page
    ) -> None:
        house = studio.journey.house
        house.kill("server")
        await line_is(browsed, "away")
        await expect(browsed.locator("#goal")).to_be_visible()
        await asyncio.to_thread(house.start_server)
        await studio.send("Ayu")
        await line_is(browsed, "live")
        await shows(browsed, "Ayu gave")

    async def test_a_line_that_says_nothing_is_found_dead_within_twenty_seconds(
        self, studio: Studio, browsed: Page
    ) -> None:
        server = studio.journey.house.running["server"]
        server.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            await line_is(browsed, "away")
            assert time.monotonic() - began < 20 + MARGIN_S
            await asyncio.sleep(float(os.environ.get("NETWORK_AWAY_S", "0")))
        finally:
            server.send_signal(signal.SIGCONT)
        await studio.send("Ayu")
        await line_is(browsed, "live")
        await shows(browsed, "Ayu gave")


async def test_pictures_of_its_states(studio: Studio, tmp_path: Path) -> None:
    """`make screenshots` keeps them."""
    stay_home_without_chromium()
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    async with studio.page(width=640, height=360) as page:
        for theme, place in (("MIDNIGHT", "BOTTOM_RIGHT"), ("DAYLIGHT", "TOP_LEFT"), ("NEON", "BOTTOM")):
            wanted = {"name": "Main", "theme": theme, "place": place, "goal": GOAL}
            await studio.do("changeOverlay", overlayId=studio.overlay, **wanted)
            await expect(page.locator("body")).to_have_attribute("data-theme", theme)
            await studio.send("Ayu", message=f"It looks well in {theme.lower()}.")
            await shows(page, theme.lower())
            await page.evaluate(PAINTED)
            await expect(page.locator("#alert")).to_have_css("opacity", "1")
            await page.screenshot(path=folder / f"overlay-{theme.lower()}.png")
        await studio.do("switchOverlays", on=False)
        await line_is(page, "shut")
        await page.screenshot(path=folder / "overlay-off.png")
