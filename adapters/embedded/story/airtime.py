"""A minute on stream: a brand's budget goes into escrow, an overlay shows what it pays for, and a streamer earns.

Told in two parts, with whatever else happens in between: viewers are sampled by the minute. A week is not waited for;
the jobs that a worker runs are then run here by a later clock.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from adapters.demo import person_named
from adapters.embedded.story.checks import AmissError, decimal, expect, rupiah
from adapters.embedded.story.client import Person, made
from adapters.embedded.story.scene import Scene
from adapters.wiring import Adapters, connect
from domain.actor import Actor
from domain.brand.profiles import decide_brand
from domain.campaign.creatives import CreativeId
from domain.campaign.editing import decide_campaign
from domain.campaign.model import CampaignId
from domain.campaign.showing import decide_creative
from domain.earning.closing import close_minutes
from domain.earning.releasing import release_minutes
from domain.ids import BrandId
from domain.refusal import Refusal
from domain.rights import Permission, StaffRole

_CHANNEL, _VIEWERS = "ayu_plays", 1_000
_BUDGET, _PRICE, _TAKE = 1_000_000, 20_000, 4_000
"""Rupiah; of a minute that so many watch the price, and what of it is the site's."""
_SAMPLED_S = 120.0
_WHY = "It is the story."

_REFUSED = "... on Refusal { code message }"
_BRANDS = "{ viewer { brands { edges { node { id } } } } }"
_CAMPAIGNS = "query ($id: ID!) { campaigns(brandId: $id) { edges { node { id } } } }"
_OPEN_WALLET = f"""mutation ($input: OpenBrandWalletInput!) {{ openBrandWallet(input: $input) {{
  ... on Wallet {{ id }} {_REFUSED} }} }}"""
_SETTLED = "query ($id: ID!) { topUp(id: $id) { state } }"
_LAUNCH = f"""mutation ($input: LaunchCampaignInput!) {{ launchCampaign(input: $input) {{
  ... on Campaign {{ state escrow {{ amount }} }} {_REFUSED} }} }}"""
_ADD = f"""mutation ($input: AddCreativeInput!) {{ addCreative(input: $input) {{
  ... on Creative {{ id }} {_REFUSED} }} }}"""
_LINK = f"""mutation {{ linkPlatform(input: {{ platform: TWITCH }}) {{
  ... on ProviderJourney {{ url token }} {_REFUSED} }} }}"""
_LINKED = f"""mutation ($input: FinishPlatformLinkInput!) {{ finishPlatformLink(input: $input) {{
  ... on PlatformLink {{ id }} {_REFUSED} }} }}"""
_WHY_ME = """query ($id: ID!) { openCampaign(id: $id) {
  eligibility { verdict findings { rule verdict why } } } }"""
_APPLY = f"""mutation ($input: ApplyToCampaignInput!) {{ applyToCampaign(input: $input) {{
  ... on Participation {{ id }} {_REFUSED} }} }}"""
_ACCEPT = f"""mutation ($input: AcceptOfferInput!) {{ acceptOffer(input: $input) {{
  ... on Participation {{ id }} {_REFUSED} }} }}"""
_SEND = f"""mutation ($input: SendMessageInput!) {{ sendMessage(input: $input) {{
  ... on Message {{ id }} {_REFUSED} }} }}"""
_UNREAD = """query ($id: ID!) { node(id: $id) { ... on Participation {
  unreadMessages messages(first: 1) { edges { node { text } } } } } }"""
_GO_LIVE = f"""mutation ($input: GoLiveInput!) {{ goLive(input: $input) {{
  ... on Participation {{ id }} {_REFUSED} }} }}"""
_ADD_OVERLAY = f"""mutation {{ addOverlay(input: {{ name: "Story" }}) {{
  ... on OverlayWithToken {{ token }} {_REFUSED} }} }}"""
_LIVE = "{ viewer { streamer { platforms { live { viewers } } } } }"
_SCENE = """subscription { overlayScene { ... on OverlayScene {
  now session { id nonce } creatives { id participationId html } } } }"""
_REPORT = f"""mutation ($input: ReportImpressionsInput!) {{ reportImpressions(input: $input) {{
  ... on ImpressionReports {{ verdicts }} {_REFUSED} }} }}"""
_MINUTES = """query ($id: ID!) { node(id: $id) { ... on Participation { minutes { edges { node {
  state viewers arithmetic { steps { name amount { amount } } } } } } } } }"""
_EARNED = "{ viewer { wallets { purpose balance { total { amount } } } } }"


@dataclass(frozen=True)
class Airtime:
    """Who is on stream for whom."""

    streamer: Person
    participation: str
    overlay: Person
    """The page of an overlay, which has a token and nothing else."""


async def prepared(scene: Scene) -> Airtime:
    """A brand pays in and launches, and a streamer who fits goes live for it."""
    brand, streamer = [await scene.person(name) for name in ("brand-owner", "streamer")]
    campaign = await _launched(scene, brand)
    await _links_twitch(scene, streamer)
    found = (await streamer.ask(_WHY_ME, id=campaign))["openCampaign"]["eligibility"]
    expect("whether the campaign is for the streamer", found["verdict"], "MET")
    scene.say(f"The campaign is for `streamer` by {len(found['findings'])} rules, each with its reason, such as:")
    scene.say(f"  {found['findings'][0]['rule']}: {found['findings'][0]['why']}")
    part = (await streamer.change(_APPLY, campaignId=campaign))["id"]
    await brand.change(_ACCEPT, participationId=part, number=1)
    await _talk(scene, brand, streamer, part)
    await streamer.change(_GO_LIVE, participationId=part, disclosed=True)
    token = made((await streamer.ask(_ADD_OVERLAY))["addOverlay"])["token"]
    scene.say("It is agreed and disclosed; the stream begins, and viewers are sampled from now on.")
    return Airtime(streamer, part, Person(scene.session, scene.stage.server_url, token))


async def told(scene: Scene, airtime: Airtime) -> None:
    """What the overlay has shown is counted, priced, held and paid."""
    await scene.until("a sample of the stream's viewers", lambda: _is_watched(airtime.streamer), _SAMPLED_S)
    async with airtime.overlay.connected() as socket:
        await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": _SCENE}})
        shown = (await socket.receive_json())["payload"]["data"]["overlayScene"]
        (creative,) = shown["creatives"]
        scene.say(f"The overlay is told to show {creative['html']!r} and reports two seconds of it, three times over.")
        for _ in range(3):
            verdicts = (await airtime.overlay.change(_REPORT, **_report(shown, creative)))["verdicts"]
            expect("what becomes of the report", verdicts, ["COUNTED"])
    async with connect(scene.stage.settings) as ports:
        await _closed(scene, airtime, ports)
        await _released(scene, airtime, ports)


async def _launched(scene: Scene, brand: Person) -> str:
    brand_id = (await brand.ask(_BRANDS))["viewer"]["brands"]["edges"][0]["node"]["id"]
    wallet = (await brand.change(_OPEN_WALLET, brandId=brand_id, currency="IDR"))["id"]
    top_up = await brand.start_top_up(wallet, _BUDGET, "BANK_TRANSFER", "the budget")
    await scene.gateway.press_pay(await scene.gateway.open_page(top_up["redirectUrl"]))

    async def settled() -> bool:
        return bool((await brand.ask(_SETTLED, id=top_up["id"]))["topUp"]["state"] == "SETTLED")

    await scene.until("the brand's payment", settled)
    campaign: str = (await brand.ask(_CAMPAIGNS, id=brand_id))["campaigns"]["edges"][0]["node"]["id"]
    creative = (await brand.change(_ADD, campaignId=campaign, html="<p>Play longer</p>", idempotencyKey="1"))["id"]
    await _approved(scene, _key(brand_id), _key(campaign), _key(creative))
    launched = await brand.change(_LAUNCH, campaignId=campaign)
    expect("the launched campaign", (launched["state"], launched["escrow"]["amount"]), ("ACTIVE", decimal(_BUDGET)))
    scene.say(f"A brand pays in {rupiah(_BUDGET)}; staff looks at it and at its campaign; launched, all is in escrow.")
    return campaign


async def _approved(scene: Scene, brand: UUID, campaign: UUID, creative: UUID) -> None:
    """Staff at their desk."""
    until = datetime.now(UTC) + timedelta(minutes=5)
    staff = Actor(
        person_named("admin"), staff_role=StaffRole.ADMIN, permissions=frozenset(Permission), stepped_up_until=until
    )
    async with connect(scene.stage.settings) as ports:
        verdicts = [
            await decide_brand(ports.brand, staff, BrandId(brand), 1, _WHY, approve=True),
            await decide_campaign(ports.campaign, staff, CampaignId(campaign), 1, _WHY, approve=True),
            await decide_creative(ports.campaign, staff, CreativeId(creative), _WHY, approve=True),
        ]
    if refused := [verdict for verdict in verdicts if isinstance(verdict, Refusal)]:
        raise AmissError(f"Staff could not approve: {refused}")


async def _links_twitch(scene: Scene, streamer: Person) -> None:
    """By OAuth, as a browser goes there and back; then the channel goes live."""
    way = made((await streamer.ask(_LINK))["linkPlatform"])
    async with scene.session.post(way["url"], data={"login": _CHANNEL}, allow_redirects=False) as answer:
        if answer.status != HTTPStatus.SEE_OTHER:
            raise AmissError(f"Twitch's sandbox answered HTTP {answer.status}: {await answer.text()}")
        told = parse_qsl(urlsplit(answer.headers["Location"]).query)
    parameters = [{"name": name, "value": value} for name, value in told]
    await streamer.change(_LINKED, token=way["token"], parameters=parameters)
    online = f"{scene.stage.twitch_url}/control/channels/{_CHANNEL}/online"
    async with scene.session.post(online, json={"viewers": [_VIEWERS]}) as answer:
        expect("Twitch's answer as the channel goes live", answer.status, HTTPStatus.NO_CONTENT)


async def _talk(scene: Scene, brand: Person, streamer: Person, participation: str) -> None:
    """What the two have to say to each other before it begins."""
    for who, text in ((brand, "When do you begin?"), (streamer, "Right now.")):
        await who.change(_SEND, participationId=participation, text=text, idempotencyKey=text)
    found = (await brand.ask(_UNREAD, id=participation))["node"]
    answer = found["messages"]["edges"][0]["node"]["text"]
    expect("what the brand has to read", (found["unreadMessages"], answer), (1, "Right now."))
    scene.say(
        f"The brand asks when it begins, and the streamer writes back: {answer!r} Nobody else sees that they write."
    )


async def _is_watched(streamer: Person) -> bool:
    platforms = (await streamer.ask(_LIVE))["viewer"]["streamer"]["platforms"]
    return any(each["live"] and each["live"]["viewers"] == _VIEWERS for each in platforms)


def _report(shown: Mapping[str, Any], creative: Mapping[str, str]) -> dict[str, object]:
    """Two seconds that have just passed, of one minute."""
    second = datetime.fromisoformat(shown["now"]) - timedelta(seconds=3)
    first = min(second.second, 58)
    seen = {
        "participationId": creative["participationId"], "creativeId": creative["id"],
        "minute": second.replace(second=0, microsecond=0).isoformat(), "visible": [{"first": first, "last": first + 1}],
    }  # fmt: skip
    return {"sessionId": shown["session"]["id"], "nonce": shown["session"]["nonce"], "reports": [seen]}


async def _closed(scene: Scene, airtime: Airtime, ports: Adapters) -> None:
    await close_minutes(ports.earning, ports.clock() + timedelta(minutes=10))
    (minute,) = await _minutes(airtime)
    steps = {step["name"]: step["amount"]["amount"] for step in minute["arithmetic"]["steps"]}
    expect("the minute", (minute["state"], minute["viewers"]), ("HELD", _VIEWERS))
    expect("its price and our part", (steps["price"], steps["take"]), (decimal(_PRICE), decimal(_TAKE)))
    scene.say(
        f"Before {_VIEWERS} viewers that minute costs {rupiah(_PRICE)}, {rupiah(_TAKE)} of it ours, and counts once."
    )
    scene.say("It is set aside in the escrow for a week, in which either side may dispute it.")


async def _released(scene: Scene, airtime: Airtime, ports: Adapters) -> None:
    await release_minutes(ports.earning, ports.clock() + timedelta(days=8))
    (minute,) = await _minutes(airtime)
    wallets = (await airtime.streamer.ask(_EARNED))["viewer"]["wallets"]
    earned = next(each["balance"]["total"]["amount"] for each in wallets if each["purpose"] == "STREAMER_EARNED")
    expect("the minute and what it earned", (minute["state"], Decimal(earned)), ("PAID", Decimal(_PRICE - _TAKE)))
    scene.say(f"A week later it is paid: the streamer has {rupiah(earned)}.")


async def _minutes(airtime: Airtime) -> list[Any]:
    found = (await airtime.streamer.ask(_MINUTES, id=airtime.participation))["node"]["minutes"]["edges"]
    return [edge["node"] for edge in found]


def _key(id_: str) -> UUID:
    """What stands in a global id, whose form is ours."""
    return UUID(base64.b64decode(id_).decode().partition(":")[2])
