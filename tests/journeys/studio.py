"""A streamer's studio in a house of real processes: an overlay with its token, and a browser that shows its page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page, async_playwright, expect

from domain.actor import Actor
from domain.rights import StaffRole
from tests.adapters.passkey_browser import CHROMIUM
from tests.gql.house import PROTOCOL, Socket
from tests.identity_settings import IDENTITY
from tests.journeys.house import Journey
from tests.vaults import VaultKeys, open_vault
from tests.waiting import PATIENCE_S

REFUSED = "... on Refusal { code message }"
_PROFILE = {
    "displayName": "Ani Plays", "categories": ["GAMES"], "language": "id", "rating": "TEEN", "country": "ID",
    "timeZone": "Asia/Jakarta",
}  # fmt: skip
_BECOME = f"""mutation ($input: BecomeStreamerInput!) {{
  becomeStreamer(input: $input) {{ ... on Streamer {{ id }} {REFUSED} }}
}}"""
_ANSWERS = {
    "addOverlay": "... on OverlayWithToken { token path overlay { id } }",
    "rotateOverlayToken": "... on OverlayWithToken { token path }",
    "changeOverlay": "... on Overlay { name theme place goal { title reached target } }",
    "revokeOverlay": "... on OverlayGone { id }",
    "sendTestEvent": "... on Overlay { id }",
    "switchOverlays": "... on OverlaySwitches { stops { side } }",
    "switchStreamerOverlays": "... on OverlaySwitches { stops { side reason } }",
}
SCENE = """subscription ($after: Cursor) { overlayScene(after: $after) {
  __typename
  ... on OverlayScene { cursor now session { id nonce } theme place goal { title reached target }
    creatives { id participationId kind html path startsInS } }
  ... on OverlayAlert { cursor kind name message amount { amount currency } isTest }
} }"""
GOAL = {"title": "New microphone", "reached": 3, "target": 10}
expect.set_options(timeout=PATIENCE_S * 1000)


@dataclass
class Studio:
    """A streamer, and one overlay of theirs."""

    journey: Journey
    actor: Actor
    staff: Actor
    streamer: str
    overlay: str = ""
    token: str = ""
    complaints: list[str] = field(default_factory=list)

    async def do(self, verb: str, actor: Actor | None = None, /, **given: object) -> Any:
        """What a mutation comes to."""
        kind = f"{verb[0].upper()}{verb[1:]}Input"
        query = f"mutation ($input: {kind}!) {{ {verb}(input: $input) {{ __typename {_ANSWERS[verb]} {REFUSED} }} }}"
        return (await self.journey.ask(actor or self.actor, query, input=given)).data[verb]

    async def add(self, **settings: object) -> None:
        """An overlay."""
        made = await self.do("addOverlay", **{"name": "Main scene", "goal": GOAL, **settings})
        self.overlay, self.token = made["overlay"]["id"], made["token"]

    async def send(self, name: str, **more: object) -> None:
        """Something to look at."""
        assert (await self.do("sendTestEvent", overlayId=self.overlay, name=name, **more))["__typename"] == "Overlay"

    @asynccontextmanager
    async def socket(self, token: str | None = None) -> AsyncIterator[Socket]:
        """A socket with the overlay's token."""
        url = f"{self.journey.house.url}/graphql"
        async with self.journey.client.ws_connect(url, protocols=(PROTOCOL,)) as raw:
            socket = Socket(raw)
            await socket.send({"type": "connection_init", "payload": {"token": token or self.token}})
            yield socket

    @asynccontextmanager
    async def following(self, after: str | None = None) -> AsyncIterator[Socket]:
        """A socket that follows the scene."""
        async with self.socket() as socket:
            assert await socket.next() == {"type": "connection_ack"}
            await socket.subscribe("1", SCENE, after=after)
            yield socket

    @asynccontextmanager
    async def page(
        self, script: str = "", *, width: int = 1280, height: int = 720, clocked: bool = False
    ) -> AsyncIterator[Page]:
        """The overlay's page in a browser, opened, where `script` has run before it; `clocked`: by a test's time."""
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            try:
                page = await chromium.new_page(viewport={"width": width, "height": height})
                page.on("pageerror", lambda error: self.complaints.append(str(error)))
                page.on("console", self._hear)
                if clocked:
                    await page.clock.install()
                if script:
                    await page.add_init_script(script)
                await page.goto(f"{self.journey.house.url}/overlay/{self.token}")
                yield page
            finally:
                await chromium.close()

    def _hear(self, said: Any) -> None:
        """What breaks the page's rules, or was caught by it; that a connection was lost is no complaint."""
        if "Content Security Policy" in said.text or "could not be shown" in said.text:
            self.complaints.append(said.text)


async def message(socket: Socket) -> Any:
    """The next message of the scene."""
    return (await socket.data("1"))["overlayScene"]


async def line_is(page: Page, state: str) -> None:
    await expect(page.locator("body")).to_have_attribute("data-line", state)


async def shows(page: Page, text: str) -> None:
    """An alert with these words is on the picture."""
    await expect(page.locator("#alert.shown")).to_contain_text(text)


@asynccontextmanager
async def studio_of(journey: Journey) -> AsyncIterator[Studio]:
    """Somebody new who streams."""
    found, staff = await journey.enroll(), await journey.enroll(staff=StaffRole.MODERATOR)
    keys = VaultKeys(IDENTITY["VAULT_MASTER_KEYS"], bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
    async with open_vault(journey.house.database, keys) as vault:
        for enrolled in (found, staff):
            await vault.create_key(enrolled.person)
    await journey.connection.execute("update session set stepped_up_at = now() where id = $1", staff.session.id)
    made = (await journey.ask(found.actor, _BECOME, input=_PROFILE)).data["becomeStreamer"]
    studio = Studio(journey, found.actor, staff.actor, made["id"])
    await studio.add()
    yield studio
    assert studio.complaints == []
