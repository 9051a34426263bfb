"""The whole story: a brand's budget becomes a streamer's earnings, by what the portals and the overlay's page ask.

Nobody is put into the database but the moderator, whom the command line would make. Letters, payments, Twitch and the
browser are real on our side of the wire. Only a week is not waited for: the jobs that close and release minutes are
run once with a later clock.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import expect

from adapters.embedded.database import DatabaseAddresses
from adapters.jobs import JOBS
from adapters.sandbox import twitch
from adapters.sandbox.mail import RunningMailSandbox, running_mail_sandbox
from domain.actor import Actor
from domain.ids import PersonId, uuid7
from domain.rights import StaffRole
from gql.document_files import Rules, shipped
from gql.limits import Limits
from gql.schema import build_schema
from gql.trusted import Client
from tests.accounts_stage import PASSWORD
from tests.adapters.passkey_browser import stay_home_without_chromium
from tests.adapters.test_platform_grants import chosen
from tests.journeys import asking
from tests.journeys.house import House, Journey, visiting
from tests.journeys.studio import Studio, line_is
from tests.journeys.test_earning_journey import later
from tests.people import Enrolled, enroll
from tests.servers import new_valkey
from tests.staff_stage import WHY
from tests.waiting import eventually

BUDGET, VIEWERS = 1_000_000, 1_000
PRICE, TAKE = Decimal(20_000), Decimal(4_000)
"""Of a minute that a thousand watch, in rupiah, and what of it is the site's."""


@dataclass(frozen=True)
class Visitor:
    """Somebody at a portal, who asks only what that portal's own documents ask."""

    town: "Town"
    client: Client
    token: str = ""

    async def __call__(self, operation: str, **given: object) -> Any:
        """The only field of an answer; for a change, what is given is its input."""
        text = self.town.documents[self.client, operation]
        variables = {"input": given} if text.startswith("mutation") else given
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        reply = await self.town.journey.request(
            "POST", "/graphql", json={"query": text, "variables": variables}, headers=headers
        )
        (found,) = reply.data.values()
        return found


@dataclass
class Town:
    """A house of real processes, with everybody on the other side of its wires."""

    journey: Journey
    mail: RunningMailSandbox
    twitch: twitch.RunningSandbox
    documents: Mapping[tuple[Client, str], str]

    async def sign_up(self, client: Client, name: str) -> Visitor:
        """Somebody new, by the link of a letter."""
        at, mail = Visitor(self, client), f"{name}@mail.example"
        await at("SignUp", mail=mail, password=PASSWORD, name=name)
        await eventually(lambda: any(letter.to == (mail,) for letter in self.mail.mailbox))
        letter = next(letter for letter in self.mail.mailbox if letter.to == (mail,))
        secret = letter.links[0].partition("#")[2]
        session = await at("ConfirmSignUp", portal=client.name, token=secret, password=PASSWORD)
        return Visitor(self, client, session["accessToken"])

    async def moderator(self) -> Visitor:
        """Staff, with a fresh code."""
        connection = self.journey.connection
        enrolled: Enrolled = await enroll(connection, staff=StaffRole.ADMIN)
        await connection.execute("update session set stepped_up_at = now() where id = $1", enrolled.session.id)
        await connection.execute("insert into staff_network values ('127.0.0.0/8', 'here')")
        return Visitor(self, Client.ADMIN, enrolled.token(self.journey.house.tokens))


@pytest.fixture
async def town(tmp_path: Path, database: DatabaseAddresses) -> AsyncIterator[Town]:
    valkey = new_valkey(tmp_path / "valkey").start()
    try:
        async with (
            running_mail_sandbox() as mail,
            twitch.running_sandbox(twitch.SandboxSettings("client", "secret")) as channels,
        ):
            more = {
                "UNTRUSTED_DOCUMENTS": "refuse", "SMTP_URL": f"smtp+plain://127.0.0.1:{mail.smtp_port}",
                "TWITCH_CLIENT_ID": "client", "TWITCH_CLIENT_SECRET": "secret",
                "TWITCH_OAUTH_URL": channels.oauth_url, "TWITCH_API_URL": channels.api_url,
            }  # fmt: skip
            async with opened(House(tmp_path / "house", database, valkey, more, times_faster=20)) as journey:
                read = shipped(Rules(build_schema().core, Limits()))
                documents = {(client, each.name): each.text for each in read for client in each.clients}
                yield Town(journey, mail, channels, documents)
    finally:
        valkey.discard()


@asynccontextmanager
async def opened(house: House) -> AsyncIterator[Journey]:
    try:
        await asyncio.to_thread(house.start)
        async with visiting(house) as journey:
            yield journey
    finally:
        await asyncio.to_thread(house.stop)


async def test_from_a_brands_budget_to_a_streamers_wallet(town: Town) -> None:
    stay_home_without_chromium()
    staff = await town.moderator()
    brand, brand_id, campaign, creative = await a_campaign(town, staff)
    streamer, participation = await a_streamer(town, brand, campaign)
    await shown(town, streamer, participation)
    assert (await brand("CompleteCampaign", campaignId=campaign))["state"] == "COMPLETED"
    spent = await paid(town, brand, streamer, participation)
    wallet, *_ = (await brand("BrandWallets", id=brand_id))["wallets"]
    assert Decimal(wallet["balance"]["total"]["amount"]) == BUDGET - spent
    await jobs(town, "issue_invoices", days=40)
    (edge,) = (await brand("BrandInvoices", id=brand_id))["invoices"]["edges"]
    assert Decimal(edge["node"]["total"]["amount"]) == spent
    figures = (await brand("CampaignAnalytics", id=campaign))["analytics"]
    assert [edge["node"]["creativeId"] for edge in figures["creatives"]["edges"]] == [creative]


async def a_campaign(town: Town, staff: Visitor) -> tuple[Visitor, str, str, str]:
    """A brand signs up, is verified, pays in and launches a campaign with something to show."""
    brand = await town.sign_up(Client.BRAND, "ani")
    company = {"name": "Baterai Jaya", "industry": "Batteries", "size": "SMALL"}
    id_ = (await brand("CreateBrand", company=company, idempotencyKey="1"))["id"]
    (case,) = (await staff("BrandCases"))["edges"]
    verdict = {"brandId": id_, "revision": case["node"]["revision"], "approve": True, "reason": WHY}
    assert (await staff("DecideBrand", **verdict))["verification"] == "VERIFIED"

    wallet = (await brand("OpenBrandWallet", brandId=id_, currency="IDR"))["id"]
    top_up = await brand("StartTopUp", **asking.wanted(wallet, "1", BUDGET))
    await town.journey.press(top_up["redirectUrl"])

    async def settled() -> bool:
        return bool((await brand("TopUp", id=top_up["id"]))["state"] == "SETTLED")

    await eventually(settled)
    plan = asking.plan(datetime.now(UTC)) | {"targeting": {"countries": ["ID"], "leastViewers": 0}}
    campaign = (await brand("CreateCampaign", brandId=id_, plan=plan, idempotencyKey="1"))["id"]
    await brand("SubmitCampaign", campaignId=campaign)
    approved = {"campaignId": campaign, "version": 1, "approve": True, "reason": WHY}
    assert (await staff("DecideCampaign", **approved))["state"] == "APPROVED"
    launched = await brand("LaunchCampaign", campaignId=campaign)
    assert (launched["state"], launched["escrow"]["amount"]) == ("ACTIVE", f"{BUDGET}.00")

    creative = (await brand("AddCreative", campaignId=campaign, html="<p>Play longer</p>", idempotencyKey="1"))["id"]
    assert (await staff("DecideCreative", creativeId=creative, approve=True, reason=WHY))["state"] == "APPROVED"
    return brand, id_, campaign, creative


async def a_streamer(town: Town, brand: Visitor, campaign: str) -> tuple[Visitor, str]:
    """Somebody links Twitch, reads why the campaign is for them, is accepted, and goes live before a crowd."""
    streamer = await town.sign_up(Client.STREAMER, "budi")
    profile = {"displayName": "Budi Plays", "categories": ["GAMES"], "language": "id", "rating": "TEEN"}
    await streamer("BecomeStreamer", **profile, country="ID", timeZone="Asia/Jakarta")
    way = await streamer("LinkPlatform", platform="TWITCH")
    told = await chosen(way["url"], "ayu_plays")
    parameters = [{"name": name, "value": value} for name, value in told.items()]
    assert (await streamer("FinishPlatformLink", token=way["token"], parameters=parameters))["state"] == "CONFIRMED"
    async with httpx2.AsyncClient(trust_env=False) as operator:
        live = f"{town.twitch.url}/control/channels/ayu_plays/online"
        assert (await operator.post(live, json={"viewers": [VIEWERS]})).status_code == 204

    why = (await streamer("OpenCampaign", id=campaign))["eligibility"]
    assert why["verdict"] == "MET"
    assert all(finding["why"] for finding in why["findings"])
    part: str = (await streamer("ApplyToCampaign", campaignId=campaign))["id"]
    assert (await brand("AcceptOffer", participationId=part, number=1))["state"] == "ACCEPTED"
    assert (await streamer("GoLive", participationId=part, disclosed=True))["state"] == "LIVE"
    return streamer, part


async def shown(town: Town, streamer: Visitor, participation: str) -> None:
    """The overlay's page, as OBS opens it, shows the creative and tells what was seen."""
    added = await streamer("AddOverlay", name="Main scene")

    async def is_live() -> bool:
        card = await streamer("MyStreamer")
        (platform,) = card["streamer"]["platforms"]
        return platform["live"] is not None and platform["live"]["viewers"] == VIEWERS

    async def counted() -> bool:
        return await minutes(streamer, participation) != []

    await eventually(is_live)
    unasked = Actor(PersonId(uuid7()))
    studio = Studio(town.journey, unasked, unasked, "", added["overlay"]["id"], added["token"])
    async with studio.page() as page:
        await line_is(page, "live")
        await expect(page.locator("#creative")).to_contain_text("Play longer")
        await eventually(counted)
    assert studio.complaints == []


async def paid(town: Town, brand: Visitor, streamer: Visitor, participation: str) -> Decimal:
    """Minutes are closed by our own samples, held for a week, and paid, as both sides can compute; what they cost."""
    await jobs(town, "close_minutes", minutes=10)
    held = await minutes(streamer, participation)
    assert {minute["state"] for minute in held} == {"HELD"}
    assert held == await minutes(brand, participation)
    steps = {step["name"]: Decimal(step["amount"]["amount"]) for step in held[0]["arithmetic"]["steps"]}
    assert (steps["price"], steps["take"]) == (PRICE, TAKE)
    await jobs(town, "release_minutes", "return_escrow", days=8)
    assert {minute["state"] for minute in await minutes(streamer, participation)} == {"PAID"}
    wallets = (await streamer("Wallets"))["wallets"]
    (earned,) = [wallet for wallet in wallets if wallet["purpose"] == "STREAMER_EARNED"]
    assert Decimal(earned["balance"]["total"]["amount"]) == len(held) * (PRICE - TAKE)
    return len(held) * PRICE


async def jobs(town: Town, *names: str, **by: float) -> None:
    """Jobs, once, when so much time has passed."""
    async with later(town.journey, **by) as ports:
        for name in names:
            await JOBS[name].job(ports)


async def minutes(who: Visitor, participation: str) -> list[Any]:
    """The minutes of a participation, as one of its sides reads them."""
    found = await who("EarnedMinutes", id=participation)
    return [edge["node"] for edge in found["minutes"]["edges"]]
