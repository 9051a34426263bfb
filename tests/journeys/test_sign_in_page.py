"""A newcomer at a browser: signs up, follows the letter's link, and signs in by a site that stands in for Google."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from adapters.embedded.database import DatabaseAddresses
from adapters.identity.tokens import Tokens
from adapters.sandbox.identity.people import PEOPLE, Site
from domain.identity.pages import Pages
from domain.identity.provider import Provider
from domain.vault import PLATFORM
from tests.accounts_house import ANI, NEW, AccountPorts
from tests.accounts_stage import PASSWORD, AccountsStage, staged_accounts
from tests.adapters.identity_sandbox import bench
from tests.adapters.passkey_browser import CHROMIUM, stay_home_without_chromium
from tests.fakes import connected
from tests.gql.house import served, settings_for

AYU = PEOPLE[0]


class Newcomer:
    """A person at a browser, and what is behind the page."""

    def __init__(self, page: Page, stage: AccountsStage, url: str) -> None:
        self.page, self.stage, self.url = page, stage, url
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def visit(self, path: str) -> None:
        await self.page.goto(self.url + path)

    async def fill(self, form: str, **fields: str) -> None:
        for name, text in fields.items():
            await self.page.fill(f"#{form} input[name={name}]", text)
        await self.page.click(f"#{form} button")

    async def told(self, text: str) -> None:
        await expect(self.page.locator("#told")).to_contain_text(text)

    async def follow_link(self, subject: str) -> None:
        """Click the link of the newest letter."""
        await self.stage.post()
        letter = next(each for each in reversed(self.stage.mailer.letters) if each.subject == subject)
        await self.page.goto(letter.text)


@asynccontextmanager
async def at_a_browser(folder: Path, database: DatabaseAddresses) -> AsyncIterator[Newcomer]:
    async with staged_accounts(database) as stage, stage.standings.running(), bench() as sites:
        sites.hands.now = stage.clock()
        await stage.vault.create_key(PLATFORM)
        settings = settings_for(folder, "development")
        stage.access_tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
        stage.providers = {Provider.GOOGLE: sites.ours(Site.GOOGLE)}
        async with served(settings, partial(connected, AccountPorts(stage))) as url, async_playwright() as playwright:
            local = url.replace("127.0.0.1", "localhost")
            stage.pages = Pages(local)
            chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            try:
                yield Newcomer(await chromium.new_page(), stage, local)
            finally:
                await chromium.close()


@pytest.fixture
async def newcomer(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[Newcomer]:
    stay_home_without_chromium()
    async with at_a_browser(tmp_path, database) as opened:
        yield opened


async def test_one_signs_up_by_a_letter_and_gets_a_new_password(newcomer: Newcomer) -> None:
    page = newcomer.page
    await newcomer.visit("/sign-in")
    await newcomer.fill("join", name="Ani", mail=ANI, password=PASSWORD)
    await newcomer.told("on its way")
    await newcomer.follow_link("ConfirmSignUp")
    assert page.url == f"{newcomer.url}/confirm-sign-up"
    await newcomer.fill("confirm", password=PASSWORD)
    await newcomer.told(f"You are signed in: Ani, {ANI}")
    await page.click("#leave")
    await expect(page.locator("#enter")).to_be_visible()
    await newcomer.visit("/forgotten-password")
    await newcomer.fill("forgotten", mail=ANI)
    await newcomer.told("on its way")
    await newcomer.follow_link("ResetPassword")
    await newcomer.fill("reset", newPassword=NEW)
    await newcomer.told("You are signed in: Ani")
    await page.click("#leave")
    await expect(page.locator("#enter")).to_be_visible()
    await newcomer.fill("enter", mail=ANI, password=PASSWORD)
    await newcomer.told("That is not right")
    await newcomer.fill("enter", mail=ANI, password=NEW)
    await newcomer.told("You are signed in: Ani")
    cookies = {cookie.get("name"): cookie for cookie in await page.context.cookies()}
    assert all(cookie.get("httpOnly") and cookie.get("secure") for cookie in cookies.values())
    assert set(cookies) == {"__Host-gametriggers-access", "__Host-gametriggers-refresh"}
    assert newcomer.complaints == []


async def test_one_signs_in_by_another_site_and_may_say_no(newcomer: Newcomer) -> None:
    page = newcomer.page
    await newcomer.visit("/sign-in")
    await page.click("#sites button[value=GOOGLE]")
    await page.click("button.no")
    await newcomer.told("did not confirm who you are")
    await newcomer.visit("/sign-in")
    await page.click("#sites button[value=GOOGLE]")
    await page.click("button[value=ayu]")
    await newcomer.told(f"You are signed in: {AYU.name}, {AYU.mail}")
    assert page.url == f"{newcomer.url}/sign-in/google"
    await newcomer.visit("/sign-in/google?code=of-somebody-else&state=theirs")
    await newcomer.told("This browser has begun no such journey")
    assert newcomer.complaints == []
