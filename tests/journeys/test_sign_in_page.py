"""A newcomer at a browser: signs up, signs in by a site that stands in for Google, and follows every letter's link."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from adapters.embedded.database import DatabaseAddresses
from adapters.identity.tokens import Tokens
from adapters.postgres.brand.reads import PostgresBrandReads
from adapters.sandbox.identity.people import PEOPLE, Site
from domain.actor import Actor
from domain.identity.erasure import erase_me
from domain.identity.exports import make_exports
from domain.identity.pages import Pages
from domain.identity.provider import Provider
from tests.accounts_house import ANI, NEW, AccountPorts
from tests.accounts_stage import PASSWORD, AccountsStage, origin
from tests.adapters.identity_sandbox import bench
from tests.adapters.passkey_browser import CHROMIUM, stay_home_without_chromium
from tests.brand_stage import BrandStage
from tests.factor_stage import enrolled
from tests.fakes import connected
from tests.gql.house import served, settings_for
from tests.privacy_stage import PrivacyStage, staged_privacy

AYU = PEOPLE[0]


class Newcomer:
    """A person at a browser, and what is behind the page."""

    def __init__(self, page: Page, stage: PrivacyStage, url: str) -> None:
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

    async def lines(self, list_: str, *texts: str) -> None:
        """A list has a line with each of these texts, in whichever order, and no others."""
        found = self.page.locator(f"#{list_} li")
        await expect(found).to_have_count(len(texts))
        for text in texts:
            await expect(found.filter(has_text=text).first).to_be_visible()

    async def choose(self, portal: str) -> None:
        await self.page.select_option("#portal", portal)

    async def actor(self) -> Actor:
        """Who the newest session is of."""
        found = await self.stage.database.pool.fetchrow("select person, id from session order by id desc")
        assert found is not None
        return Actor(found["person"], found["id"], authenticated_at=self.stage.clock(), origin=origin())

    async def told(self, text: str) -> None:
        await expect(self.page.locator("#told")).to_contain_text(text)

    async def follow_link(self, subject: str) -> None:
        """Click the link of the newest letter."""
        await self.stage.post()
        letter = next(each for each in reversed(self.stage.mailer.letters) if each.subject == subject)
        await self.page.goto(letter.text)


@asynccontextmanager
async def at_a_browser(folder: Path, database: DatabaseAddresses) -> AsyncIterator[Newcomer]:
    async with staged_privacy(database) as stage, stage.standings.running(), bench() as sites:
        sites.hands.now = stage.clock()
        settings = settings_for(folder, "development")
        stage.access_tokens = Tokens.of_file(settings.token_key_file, settings.public_url)
        stage.providers = {Provider.GOOGLE: sites.ours(Site.GOOGLE)}
        ports = AccountPorts(stage, folder / "files")
        ports.privacy = stage
        async with served(settings, partial(connected, ports)) as url, async_playwright() as playwright:
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
    assert set(cookies) == {"__Host-gametriggers-player-access", "__Host-gametriggers-player-refresh"}
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


async def test_two_portals_are_two_sessions_and_each_may_be_ended(newcomer: Newcomer) -> None:
    page = newcomer.page
    await newcomer.stage.member()
    await newcomer.visit("/settings/sessions")
    await newcomer.told("Sign in to see your settings")
    await newcomer.fill("enter", mail=ANI, password=PASSWORD)
    await newcomer.lines("sessions", "PLAYER, this one", "PLAYER: a browser at 203.0.113.7")
    await newcomer.choose("STREAMER")
    await newcomer.told("Sign in to see your settings")
    await newcomer.fill("enter", mail=ANI, password=PASSWORD)
    await newcomer.lines("sessions", "STREAMER, this one", "PLAYER: a browser", "PLAYER: Mozilla")
    assert len(await page.context.cookies()) == 4
    await newcomer.choose("PLAYER")
    await newcomer.lines("sessions", "PLAYER, this one", "STREAMER: ", "PLAYER: a browser")
    for left in (2, 1):
        await page.locator("#sessions button").first.click()
        await expect(page.locator("#sessions li")).to_have_count(left)
    await newcomer.lines("sessions", "PLAYER, this one")
    await newcomer.lines("identities", f"PASSWORD {ANI}")
    await page.click("#identities button")
    await newcomer.told("your only way to sign in")
    await page.reload()
    await newcomer.lines("sessions", "PLAYER, this one")
    await newcomer.choose("STREAMER")
    await newcomer.told("Sign in to see your settings")
    assert newcomer.complaints == []


async def test_one_answers_a_brand_and_leaves_it_again(newcomer: Newcomer) -> None:
    page, stage = newcomer.page, newcomer.stage
    given = {part.name: getattr(stage, part.name) for part in fields(AccountsStage)}
    brands = BrandStage(**given, reads=PostgresBrandReads(stage.database, stage.vault))
    owner = await stage.member("owner@mail.example")
    brand = await brands.brand(owner)
    await stage.member()
    await brands.invited(owner, brand, "somebody.else@mail.example")
    await newcomer.follow_link("BrandInvitation")
    await newcomer.told("Sign in to answer")
    await newcomer.fill("enter", mail=ANI, password=PASSWORD)
    await newcomer.told("You are signed in")
    await page.click("#invited button:text('Take')")
    await newcomer.told("You act for Baterai Jaya now")
    await page.click("#decline")
    await newcomer.told("no good any more")
    await newcomer.visit(f"/brands/{brand.id}")
    await newcomer.lines("brands", "Baterai Jaya: VIEWER, PENDING")
    await page.click("#brands button")
    await expect(page.locator("#brands li")).to_have_count(0)
    assert newcomer.complaints == []


async def test_links_of_letters_lead_to_pages_that_do_what_they_say(newcomer: Newcomer) -> None:
    page, stage = newcomer.page, newcomer.stage
    await stage.member()
    await newcomer.visit("/sign-in")
    await newcomer.fill("enter", mail=ANI, password=PASSWORD)
    await newcomer.told("You are signed in")
    await newcomer.follow_link("NewSignIn")
    await newcomer.lines("data", "A copy: none", "Your account stays")
    await page.locator("#data button").click()
    await newcomer.lines("data", "A copy: requested", "Your account stays")
    assert (await make_exports(stage, stage.clock())).failed == []
    await newcomer.follow_link("ExportReady")
    async with page.expect_download() as fetched:
        await page.click("#fetch button")
    assert (await fetched.value).suggested_filename == "gametriggers-export.zip"

    await erase_me(stage, await newcomer.actor())
    await newcomer.follow_link("ErasureScheduled")
    await newcomer.lines("data", "A copy: fetched", "Erased on")
    await page.click("#data button:text('Keep')")
    await newcomer.lines("data", "A copy: fetched", "Your account stays")

    _, codes = await enrolled(stage, await newcomer.actor())
    stage.turn(minutes=6)
    await newcomer.follow_link("SecondFactorChanged")
    await newcomer.lines("factors", "An authenticator app", "10 recovery codes")
    await page.click("#factors button")
    await expect(page.locator("#prove")).to_be_visible()
    await page.click("#write")
    await newcomer.told("second factor")
    await newcomer.fill("prove", code=codes[0])
    await newcomer.told("For five minutes")
    await page.click("#factors button")
    await newcomer.lines("factors", "0 recovery codes")
    assert newcomer.complaints == []
