"""What an overlay shows of campaigns: whose turn it is, what goes and when, and what is told of it and counted."""

import asyncio
import gzip
import io
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from playwright.async_api import Error, Page, Route, expect

from adapters.config import ROOT
from domain.ids import uuid7
from gql.node import global_id
from gql.scalars import plain
from tests.adapters.passkey_browser import stay_home_without_chromium
from tests.asset_stage import picture
from tests.gql.house import Socket
from tests.journeys.broadcast import Broadcast, on_air
from tests.journeys.house import Journey
from tests.journeys.studio import line_is, message, studio_of
from tests.journeys.test_campaign_journey import takes
from tests.journeys.test_overlay_journey import MARGIN_S, OBS_TELLS, PAINTED, WITHIN_S
from tests.waiting import eventually

HASTY = "const real = window.setTimeout; window.setTimeout = (act, ms) => real(act, ms / 5);"
"""Turns of three seconds, and reports every two or three."""
TO_REVIEW = "{ creativesToReview(first: 100) { edges { node { creative { id kind file { mediaType width } } } } } }"
KEPT = "private, max-age=86400, immutable"
RECORD = """async () => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
  const paint = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: "video/webm" });
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  recorder.start();
  for (let frame = 0; frame < 50; frame++) {
    paint.fillStyle = `hsl(${frame * 7} 80% 50%)`;
    paint.fillRect(0, 0, 320, 180);
    await new Promise((next) => setTimeout(next, 40));
  }
  await new Promise((done) => { recorder.onstop = done; recorder.stop(); });
  return [...new Uint8Array(await new Blob(parts).arrayBuffer())];
}"""
"""A video of two seconds, made by the browser itself."""
HIDDEN_S = 8.0
LOADED_S = 4.0
"""So long before a test begins a page may have been there."""
LARGEST_PAGE = 30 * 1024
_SEEN = "select coalesce(sum(bit_count(seconds::bit(64))), 0) from evidence where creative = $1"


@pytest.fixture
async def broadcast(journey: Journey) -> AsyncIterator[Broadcast]:
    async with on_air(journey) as opened:
        yield opened


@pytest.fixture
async def browsed(broadcast: Broadcast) -> AsyncIterator[Page]:
    """The page, live in a browser that is in a hurry, in OBS."""
    stay_home_without_chromium()
    async with broadcast.studio.page(f"window.obsstudio = {{}}; {HASTY}") as page:
        await line_is(page, "live")
        yield page


async def shown(socket: Socket, *ids: str) -> Any:
    """The next scenes come to show these creatives and no others."""
    while True:
        scene = await message(socket)
        if [each["id"] for each in scene["creatives"]] == list(ids):
            return scene


async def document_of(broadcast: Broadcast) -> str:
    """A file of the brand that is for something else."""
    return await broadcast.uploaded(picture(), "PNG", "BRAND_LOGO")


async def seconds_of(journey: Journey, creative: str) -> int:
    """So many seconds of a creative are kept as evidence."""
    found: int = await journey.connection.fetchval(_SEEN, key_of(creative))
    return found


def key_of(id_: str) -> UUID:
    return UUID(plain(id_).partition(":")[2])


def on_picture(page: Page, text: str) -> Awaitable[None]:
    """A creative with these words can be seen."""
    return expect(page.locator("#creative.shown")).to_contain_text(text)


def off_picture(page: Page) -> Awaitable[None]:
    return expect(page.locator("#creative.shown")).to_have_count(0)


ENDINGS: Mapping[str, Callable[[Broadcast], Awaitable[object]]] = {
    "the campaign pauses": lambda all_: all_.steps("pause"),
    "the campaign is completed": lambda all_: all_.steps("complete"),
    "the campaign is cancelled": lambda all_: all_.steps("cancel"),
    "a moderator thinks again": lambda all_: all_.decided(all_.text, approve=False),
    "its brand retires it": lambda all_: takes(all_.journey, all_.manager, "retireCreative", creativeId=all_.text),
    "the streamer leaves": lambda all_: all_.ends("withdrawParticipation", all_.studio.actor),
    "the brand ends it": lambda all_: all_.ends("completeParticipation", all_.manager),
}


class TestProtocol:
    async def test_the_scene_has_what_was_approved_and_is_live_and_nothing_else(self, broadcast: Broadcast) -> None:
        journey, studio = broadcast.journey, broadcast.studio
        wish = {"campaignId": broadcast.campaign, "html": "<p>Draft</p>", "idempotencyKey": "draft"}
        draft = await takes(journey, broadcast.manager, "addCreative", **wish)
        async with studio.following() as socket:
            scene = await message(socket)
            assert scene["creatives"] == [{
                "id": broadcast.text, "participationId": broadcast.participation, "kind": "HTML",
                "html": "<p>Play</p>", "path": None, "startsInS": 0,
            }]  # fmt: skip
            await broadcast.decided(draft["id"], approve=True)
            await shown(socket, broadcast.text, draft["id"])
            await broadcast.steps("pause")
            await shown(socket)
            await broadcast.steps("resume")
            await shown(socket, broadcast.text, draft["id"])
        async with studio_of(journey) as other, other.following() as socket:
            assert (await message(socket))["creatives"] == []

    async def test_an_image_is_fetched_by_the_overlay_that_shows_it_as_long_as_it_does(
        self, broadcast: Broadcast
    ) -> None:
        journey, studio = broadcast.journey, broadcast.studio
        file = await broadcast.uploaded(picture(size=(1920, 1080)), "PNG")
        wish = {"campaignId": broadcast.campaign, "assetId": file, "idempotencyKey": "image"}
        made = await takes(journey, broadcast.manager, "addCreative", **wish)
        shown_to_staff = (await journey.ask(broadcast.moderator, TO_REVIEW)).data["creativesToReview"]["edges"]
        (case,) = [edge["node"]["creative"] for edge in shown_to_staff if edge["node"]["creative"]["id"] == made["id"]]
        assert (case["kind"], case["file"]["mediaType"], case["file"]["width"]) == ("IMAGE", "PNG", 1920)
        async with studio.following() as socket:
            await shown(socket, broadcast.text)
            await broadcast.decided(made["id"], approve=True)
            image = (await shown(socket, broadcast.text, made["id"]))["creatives"][1]
            path = image["path"]
            got = await journey.client.get(journey.house.url + path)
            assert (got.status, got.content_type, got.headers["Cache-Control"]) == (200, "image/webp", KEPT)
            assert "Secret" not in str(got.headers)
            with Image.open(io.BytesIO(await got.read())) as opened:
                assert opened.size == (1280, 720)
            assert path.partition("-")[0].rpartition("/")[2] not in journey.house.log("server")
            for wrong in (path[:-1] + ("A" if path[-1] != "A" else "B"), path + "0", "/overlay/media/none"):
                assert (await journey.request("GET", wrong)).status == 404
            await broadcast.steps("pause")
            assert (await journey.request("GET", path)).status == 404
            await broadcast.steps("resume")
            await studio.do("rotateOverlayToken", overlayId=studio.overlay)
            assert (await journey.request("GET", path)).status == 404

    async def test_a_file_of_another_brand_or_purpose_is_none(self, broadcast: Broadcast) -> None:
        journey = broadcast.journey
        wish = {"campaignId": broadcast.campaign, "idempotencyKey": "file"}
        for file in (global_id("Asset", uuid7()), await document_of(broadcast)):
            refused = await takes(journey, broadcast.manager, "addCreative", **wish, assetId=file)
            assert refused["code"] == "ASSET_NOT_READY"

    async def test_what_has_not_begun_is_told_with_its_time(self, broadcast: Broadcast) -> None:
        await broadcast.journey.connection.execute(
            "alter table campaign_version disable trigger user; "
            "update campaign_version set starts_on = current_date + 3, ends_on = current_date + 9; "
            "alter table campaign_version enable trigger user"
        )
        async with broadcast.studio.following() as socket:
            (early,) = (await message(socket))["creatives"]
            assert 86_400 < early["startsInS"] < 4 * 86_400

    def test_all_of_the_page_is_small(self) -> None:
        parts = [file.read_bytes() for file in (ROOT / "gql" / "overlay_page").iterdir()]
        assert sum(len(gzip.compress(part)) for part in parts) < LARGEST_PAGE / 2

    @pytest.mark.parametrize("ending", ENDINGS)
    async def test_what_is_over_is_gone_within_two_seconds(self, broadcast: Broadcast, ending: str) -> None:
        async with broadcast.studio.following() as socket:
            await shown(socket, broadcast.text)
            await ENDINGS[ending](broadcast)
            began = time.monotonic()
            await shown(socket)
            assert time.monotonic() - began < WITHIN_S + MARGIN_S


class TestPage:
    async def test_it_shows_in_turn_what_there_is_and_hides_what_is_gone(
        self, broadcast: Broadcast, browsed: Page
    ) -> None:
        await on_picture(browsed, "Play")
        await broadcast.added(html="<p>Play <b>longer</b></p>")
        await expect(browsed.locator("#creative.shown b")).to_have_text("longer")
        await expect(browsed.locator("#creative.shown p")).to_have_text("Play")
        await broadcast.steps("pause")
        await off_picture(browsed)
        await expect(browsed.locator("#goal")).to_be_visible()
        await broadcast.steps("resume")
        await on_picture(browsed, "Play")
        await broadcast.studio.do("switchOverlays", on=False)
        await off_picture(browsed)
        await line_is(browsed, "shut")
        await broadcast.studio.do("switchOverlays", on=True)
        await on_picture(browsed, "Play")

    async def test_it_shows_images_and_videos_and_passes_over_what_is_broken(self, broadcast: Broadcast) -> None:
        stay_home_without_chromium()
        journey, studio = broadcast.journey, broadcast.studio
        async with studio.page() as page:
            video = bytes(await page.evaluate(RECORD))
        image = await broadcast.added(assetId=await broadcast.uploaded(picture("JPEG"), "JPEG"))
        film = await broadcast.added(assetId=await broadcast.uploaded(video, "WEBM"))
        broken = await broadcast.added(assetId=await broadcast.uploaded(picture("GIF"), "GIF"))
        asset = await journey.connection.fetchval("select asset from creative where id = $1", key_of(broken))
        for file in (journey.house.folder / "assets").rglob(f"*{asset.hex}*/*"):
            file.write_bytes(b"GIF89a")
        async with studio.page(HASTY) as page:
            for kind in ("IMAGE", "VIDEO", "HTML", "IMAGE", "VIDEO"):
                await expect(page.locator(f"#creative.shown[data-kind={kind}]")).to_be_visible()
                if kind == "VIDEO":
                    assert await page.locator("#creative video").evaluate("video => video.videoWidth") == 320
                if kind == "IMAGE":
                    assert await page.locator("#creative img").evaluate("image => image.naturalWidth") == 640
            for creative in (image, film, broadcast.text):
                await eventually(partial(seconds_of, journey, creative))
            assert await seconds_of(journey, broken) == 0
        assert studio.complaints
        studio.complaints.clear()

    async def test_what_could_be_seen_is_counted_by_the_second_and_nothing_else(
        self, broadcast: Broadcast, browsed: Page
    ) -> None:
        journey, text, began = broadcast.journey, broadcast.text, time.monotonic()

        async def counted(more: int) -> None:
            wanted = await seconds_of(journey, text) + more

            async def is_counted() -> bool:
                return await seconds_of(journey, text) >= wanted

            await eventually(is_counted)

        async def active(said: str) -> None:
            await browsed.evaluate(OBS_TELLS.format("Active", "active: {}").format(said))
            await expect(browsed.locator("body")).to_have_attribute("data-seen", said)

        await counted(1)
        await browsed.evaluate("() => { const now = Date.now(); Date.now = () => now + 86_400_000 * 400; }")
        await counted(5)
        await active("false")
        hidden = time.monotonic()
        await eventually(lambda: time.monotonic() - hidden > HIDDEN_S)
        away = time.monotonic() - hidden
        await active("true")
        await counted(3)
        assert await seconds_of(journey, text) <= time.monotonic() - began - away + LOADED_S

    async def test_answers_that_are_lost_lose_no_second_and_make_none(
        self, broadcast: Broadcast, browsed: Page
    ) -> None:
        journey, text, lost, began = broadcast.journey, broadcast.text, 0, time.monotonic()

        async def lose(route: Route) -> None:
            nonlocal lost
            lost += 1
            await route.fetch()
            with suppress(Error):  # whoever asked has given up meanwhile
                await route.abort()

        await browsed.route("**/graphql", lose)
        await on_picture(browsed, "Play")
        await eventually(lambda: lost >= 2)
        before = await seconds_of(journey, text)
        assert before > 0
        await browsed.unroute("**/graphql")

        async def grows() -> bool:
            return await seconds_of(journey, text) > before

        await eventually(grows)
        assert await seconds_of(journey, text) <= time.monotonic() - began + LOADED_S

    async def test_seconds_outlive_a_server_that_is_killed(self, broadcast: Broadcast, browsed: Page) -> None:
        journey, text = broadcast.journey, broadcast.text
        await on_picture(browsed, "Play")
        await eventually(lambda: seconds_of(journey, text))
        house = journey.house
        house.kill("server")
        killed = time.monotonic()
        before = await seconds_of(journey, text)
        await line_is(browsed, "away")
        await asyncio.to_thread(house.start_server)
        away = int(time.monotonic() - killed)
        await on_picture(browsed, "Play")

        async def caught_up() -> bool:
            return await seconds_of(journey, text) >= before + away

        await eventually(caught_up)


async def test_pictures_of_a_creative(broadcast: Broadcast, tmp_path: Path) -> None:
    """`make screenshots` keeps it."""
    stay_home_without_chromium()
    folder, words = Path(os.environ.get("SCREENSHOTS", tmp_path)), "<h2>Baterai</h2><p>Play <b>longer</b> tonight.</p>"
    await broadcast.added(html=words)
    await broadcast.decided(broadcast.text, approve=False)
    async with broadcast.studio.page(HASTY, width=640, height=360) as page:
        await on_picture(page, "tonight")
        await page.evaluate(PAINTED)
        await expect(page.locator("#creative")).to_have_css("opacity", "1")
        await page.screenshot(path=folder / "overlay-creative.png")
