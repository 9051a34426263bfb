"""A real browser with a virtual authenticator, on a page of two origins that share the domain localhost."""

import contextlib
import json
import os
import shutil
from collections.abc import AsyncIterator
from typing import Any, cast

from aiohttp import web
from playwright.async_api import CDPSession, Page, async_playwright

from domain.identity.secrets import Ceremony
from tests.programs import stay_home

CHROMIUM = shutil.which("chromium", path="/usr/bin:/usr/local/bin:/snap/bin") or shutil.which("chromium-browser")
MISSING = "Chromium is not installed (Debian: apt-get install chromium)"

_CREATE = """async (options) => JSON.stringify((await navigator.credentials.create(
    {publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options)})).toJSON())"""
_GET = """async (options) => JSON.stringify((await navigator.credentials.get(
    {publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)})).toJSON())"""


def stay_home_without_chromium() -> None:
    if CHROMIUM is None:
        stay_home(MISSING)


class Browser:
    """A person at a browser. `ours` and `other` are the origins; the authenticator is the person's own."""

    def __init__(self, page: Page, cdp: CDPSession, origins: list[str]) -> None:
        self._page, self._cdp = page, cdp
        self.ours, self.other = origins
        self._authenticator = ""

    async def start(self) -> None:
        await self.visit(self.ours)
        await self._cdp.send("WebAuthn.enable")
        await self.take_new_authenticator()

    async def visit(self, origin: str) -> None:
        await self._page.goto(f"{origin}/")

    async def take_new_authenticator(self, *, resident: bool = True) -> None:
        if self._authenticator:
            await self._cdp.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self._authenticator})
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": resident,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = await self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self._authenticator = str(made["authenticatorId"])

    async def verify_user(self, *, verified: bool) -> None:
        """Whether the authenticator recognises its person from now on."""
        await self._cdp.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self._authenticator, "isUserVerified": verified}
        )

    async def credentials(self) -> list[dict[str, Any]]:
        found = await self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._authenticator})
        return cast("list[dict[str, Any]]", found["credentials"])

    async def put_back(self, credential: dict[str, Any]) -> None:
        """Replace a credential by an earlier copy of it."""
        place = {"authenticatorId": self._authenticator}
        await self._cdp.send("WebAuthn.removeCredential", {**place, "credentialId": credential["credentialId"]})
        await self._cdp.send("WebAuthn.addCredential", {**place, "credential": credential})

    async def create(self, ceremony: Ceremony, **changes: object) -> str:
        return await self._asked(_CREATE, ceremony, changes)

    async def get(self, ceremony: Ceremony, **changes: object) -> str:
        return await self._asked(_GET, ceremony, changes)

    async def _asked(self, script: str, ceremony: Ceremony, changes: dict[str, object]) -> str:
        """What the browser answers; `changes` are those of somebody who tampers with the options on the way."""
        answer = await self._page.evaluate(script, {**json.loads(ceremony.options), **changes})
        return str(answer)


@contextlib.asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with _served() as ours, _served() as other, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            page = await chromium.new_page()
            browser = Browser(page, await page.context.new_cdp_session(page), [ours, other])
            await browser.start()
            yield browser
        finally:
            await chromium.close()


@contextlib.asynccontextmanager
async def _served() -> AsyncIterator[str]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>Sign in</title>", content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
