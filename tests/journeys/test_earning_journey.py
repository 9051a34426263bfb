"""A minute from an overlay's report to the streamer's wallet, and another that its brand disputes, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.postgres.database import Database
from adapters.redis.feed import Feed
from adapters.wiring import Adapters, plugged
from domain.actor import Actor
from domain.earning.closing import close_minutes
from domain.earning.releasing import release_minutes
from domain.earning.sharing import MINUTE, minute_of
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from domain.wallet.policy import TopUpPolicy
from gql.node import global_id
from gql.scalars import plain
from tests.fake_quotas import FakeQuotas
from tests.identity_parts import knowing_nobody
from tests.identity_settings import IDENTITY
from tests.journeys import asking
from tests.journeys.house import Journey, Person
from tests.journeys.studio import Studio, message, studio_of
from tests.journeys.test_campaign_journey import WHY, does, paid_in, staff, takes
from tests.vaults import VaultKeys, open_vault

REFUSED = "... on Refusal { code }"
_MONEY = "{ amount currency }"
_AUDIENCE = "audience { visibleSeconds impressions viewerMinutes }"
_SPENT = f"figures {{ {_AUDIENCE} spend {_MONEY} cpm {_MONEY} }}"
_EARNED_IN = f"figures {{ {_AUDIENCE} earned {_MONEY} }}"
SPENT = f"""query ($id: ID!) {{ node(id: $id) {{ ... on Campaign {{ analytics {{
  total {{ {_AUDIENCE} spend {_MONEY} cpm {_MONEY} }} creatives {{ edges {{ node {{ creativeId {_SPENT} }} }} }}
  streamers {{ edges {{ node {{ participationId streamer {{ displayName }} {_SPENT} }} }} }}
  hours {{ edges {{ node {{ hour {_SPENT} }} }} }} }} }} }} }}"""
BROUGHT = f"""query ($id: ID!) {{ node(id: $id) {{ ... on Participation {{ analytics {{
  total {{ {_AUDIENCE} earned {_MONEY} }} creatives {{ edges {{ node {{ creativeId {_EARNED_IN} }} }} }}
  hours {{ edges {{ node {{ hour {_EARNED_IN} }} }} }} }} }} }} }}"""
LONG_AGO = """query ($id: ID!) { node(id: $id) { ... on Campaign {
  analytics(firstDay: "2020-01-01", lastDay: "2020-12-31") { total { spend { amount } cpm { amount } } }
  never: analytics(firstDay: "2020-01-02", lastDay: "2020-01-01") { total { spend { amount } } } } } }"""
REPORT = f"""mutation ($input: ReportImpressionsInput!) {{
  reportImpressions(input: $input) {{ ... on ImpressionReports {{ verdicts }} {REFUSED} }} }}"""
_MINUTES = f"""minutes {{ edges {{ node {{ minute state viewers shares {{ creativeId seconds share {_MONEY} }}
  arithmetic {{ earned {_MONEY} cost {_MONEY} steps {{ name formula amount {_MONEY} }} }}
  kept {{ earned {_MONEY} cost {_MONEY} }} }} }} }}"""
MINUTES = f"query ($id: ID!) {{ node(id: $id) {{ ... on Participation {{ {_MINUTES} }} }} }}"
FOLLOW = f"""subscription ($id: ID!, $after: Cursor) {{
  earningsChanged(participationId: $id, after: $after) {{ cursor participation {{ {_MINUTES} }} }} }}"""
TO_DECIDE = "{ disputesToDecide { edges { node { reason dispute { id side } } } } }"
_LINK = """
insert into platform_link (id, streamer, platform, account, account_index, code_digest, code_expires_at, state,
    asked_at, placed_at, decided_at)
values ($1, $2, 'tiktok', '', $3, '', now(), 'confirmed', now(), now(), now())
"""
_SESSION = """
insert into stream_session (id, link, stream, started_at, seen_at)
values ($1, $2, 'one', now() - interval '1 hour', now())
"""
_SAMPLE = "insert into viewer_sample (session, at, viewers) values ($1, $2, $3)"
_EARNED = "select coalesce(sum(posted), 0) from account where owner = $1 and purpose = 'streamer_earned'"


@asynccontextmanager
async def later(journey: Journey, **by: float) -> AsyncIterator[Adapters]:
    """What jobs are handed, when so much time has passed."""
    house = journey.house
    keys = VaultKeys(IDENTITY["VAULT_MASTER_KEYS"], bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
    async with (
        Database(house.database.app_url, size=3) as database,
        Feed(house.valkey.url).running() as feed,
        open_vault(house.database, keys) as vault,
        plugged(
            database, feed, {}, TopUpPolicy(), lambda: datetime.now(UTC) + timedelta(**by), FakeQuotas(),
            replace(knowing_nobody(), vault=vault),
        ) as ports,
    ):  # fmt: skip
        yield ports


async def taking_part(journey: Journey, ani: Actor, brand: BrandId, studio: Studio) -> tuple[str, str]:
    """A streamer who is live in a brand's campaign with an approved text: the participation, and the text."""
    wish = {"brandId": global_id("Brand", brand), "plan": asking.plan(datetime.now(UTC)), "idempotencyKey": "first"}
    campaign = (await does(journey, ani, "create", **wish))["id"]
    await journey.connection.execute("update campaign set state = 'approved' where brand = $1", brand)
    await journey.connection.execute("update brand set verification = 'verified', decided_at = now()")
    await paid_in(journey, brand, 1_000_000)
    assert (await does(journey, ani, "launch", campaignId=campaign))["state"] == "ACTIVE"
    text = await takes(journey, ani, "addCreative", campaignId=campaign, html="<p>Play</p>", idempotencyKey="1")
    verdict = {"creativeId": text["id"], "approve": True, "reason": WHY}
    assert (await takes(journey, await staff(journey), "decideCreative", **verdict))["state"] == "APPROVED"
    which: str = (await takes(journey, studio.actor, "applyToCampaign", campaignId=campaign))["id"]
    assert (await takes(journey, ani, "acceptOffer", participationId=which, number=1))["state"] == "ACCEPTED"
    gone = await takes(journey, studio.actor, "goLive", participationId=which, disclosed=True)
    assert gone["state"] == "LIVE"
    return which, text["id"]


async def streams(journey: Journey, studio: Studio, minutes: dict[datetime, int]) -> None:
    """A live stream, with what was sampled of it."""
    link, session, streamer = uuid7(), uuid7(), plain(studio.streamer).partition(":")[2]
    await journey.connection.execute(_LINK, link, streamer, link.bytes)
    await journey.connection.execute(_SESSION, session, link)
    for minute, viewers in minutes.items():
        await journey.connection.execute(_SAMPLE, session, minute, viewers)


async def reported(studio: Studio, session: Any, *reports: dict[str, Any]) -> Any:
    """What becomes of what an overlay says, by its own token."""
    wish = {"sessionId": session["id"], "nonce": session["nonce"], "reports": reports}
    answer = await studio.journey.request(
        "POST", "/graphql", json={"query": REPORT, "variables": {"input": wish}},
        headers={"Authorization": f"Bearer {studio.token}"},
    )  # fmt: skip
    return answer.data["reportImpressions"]


async def test_from_the_report_to_the_wallet(journey: Journey) -> None:
    brand = BrandId(uuid7())
    ani = (await journey.enroll(brands={brand: BrandRole.MANAGER})).actor
    other = (await journey.enroll(brands={BrandId(uuid7()): BrandRole.OWNER})).actor
    keys = VaultKeys(IDENTITY["VAULT_MASTER_KEYS"], bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
    async with open_vault(journey.house.database, keys) as vault:
        await vault.create_key(ani.person)
    async with studio_of(journey) as studio:
        which, text = await taking_part(journey, ani, brand, studio)
        second = minute_of(datetime.now(UTC)) - MINUTE
        first = second - MINUTE
        await streams(journey, studio, {first: 2_000, second: 3_000})
        async with studio.following() as socket:
            session = (await message(socket))["session"]

        def seen(minute: datetime, start: int, end: int) -> dict[str, Any]:
            visible = [{"first": start, "last": end}]
            return {"participationId": which, "creativeId": text, "minute": minute.isoformat(), "visible": visible}

        forged = session | {"nonce": "0" * 64}
        assert (await reported(studio, forged, seen(first, 0, 59)))["code"] == "OVERLAY_SESSION_UNKNOWN"
        for reports in ([seen(second, 0, 59)], [seen(first, 30, 59)], [seen(first, 0, 29), seen(first, 30, 59)]):
            assert (await reported(studio, session, *reports))["verdicts"] == ["COUNTED"] * len(reports)

        async with journey.conversation(Person(studio.actor, "")) as socket:
            await socket.subscribe("1", FOLLOW, id=which)
            await socket.data("1")
            async with later(journey, minutes=10) as ports:
                assert (await close_minutes(ports.earning, ports.clock())).failed == []
            while True:
                told = (await socket.data("1"))["earningsChanged"]
                if [state(edge) for edge in told["participation"]["minutes"]["edges"]] == ["HELD", "HELD"]:
                    break

        async def minutes(actor: Actor) -> Any:
            return [
                edge["node"] for edge in (await journey.ask(actor, MINUTES, id=which)).data["node"]["minutes"]["edges"]
            ]

        newer, older = await minutes(ani)
        assert [newer, older] == await minutes(studio.actor)
        assert (await journey.ask(other, MINUTES, id=which)).data["node"] is None
        assert (older["viewers"], older["shares"][0]["seconds"], newer["viewers"]) == (2_000, 60, 3_000)
        assert [step["amount"]["amount"] for step in older["arithmetic"]["steps"]] == [
            "40000.00", "8000.00", "0.00", "32000.00", "0.00", "40000.00",
        ]  # fmt: skip

        wish = {"participationId": which, "minutes": [second.isoformat()], "reason": "Hidden.", "idempotencyKey": "1"}
        assert (await asked(journey, other, asking.OPEN_DISPUTE, wish))["code"] == "UNKNOWN_PARTICIPATION"
        dispute = await asked(journey, ani, asking.OPEN_DISPUTE, wish)
        assert await asked(journey, ani, asking.OPEN_DISPUTE, wish) == dispute
        judge = await staff(journey)
        cases = [edge["node"] for edge in (await journey.ask(judge, TO_DECIDE)).data["disputesToDecide"]["edges"]]
        assert cases == [{"reason": "Hidden.", "dispute": {"id": dispute["id"], "side": "BRAND"}}]
        ruled = {"disputeId": dispute["id"], "ruling": "REDUCED", "thousandths": 500, "reason": WHY}
        assert await asked(journey, judge, asking.DECIDE_DISPUTE, ruled) == {"ruling": "REDUCED"}

        async with later(journey, days=8) as ports:
            assert (await release_minutes(ports.earning, ports.clock())).failed == []
        newer, older = await minutes(ani)
        assert (newer["state"], older["state"], newer["kept"]["earned"]["amount"]) == ("PAID", "PAID", "24000.00")
        earned = await journey.connection.fetchval(_EARNED, studio.actor.owner)
        assert earned == (32_000 + 24_000) * 100
        await both_read_the_figures(journey, ani, studio, other, which, text)


async def both_read_the_figures(
    journey: Journey, ani: Actor, studio: Studio, other: Actor, which: str, text: str
) -> None:
    """What came of two minutes, one of them at half its price, as the brand and the streamer read it; nobody else."""
    found = await journey.connection.fetchval("select campaign from participation where id = $1", key_in(which))
    campaign = global_id("Campaign", found)
    for who, query, id_ in ((other, SPENT, campaign), (studio.actor, SPENT, campaign), (other, BROUGHT, which)):
        assert (await journey.ask(who, query, id=id_)).data["node"] is None
    spent = (await journey.ask(ani, SPENT, id=campaign)).data["node"]["analytics"]
    audience = {"visibleSeconds": 120.0, "impressions": 5_000.0, "viewerMinutes": 5_000.0}
    idr = {"currency": "IDR"}
    total = {"audience": audience, "spend": {"amount": "70000.00", **idr}, "cpm": {"amount": "20000.00", **idr}}
    assert spent["total"] == total
    assert spent["creatives"]["edges"] == [{"node": {"creativeId": text, "figures": total}}]
    (streamer,) = [edge["node"] for edge in spent["streamers"]["edges"]]
    assert (streamer["participationId"], streamer["figures"]) == (which, total)
    assert streamer["streamer"]["displayName"]
    hours = [edge["node"]["figures"]["audience"]["viewerMinutes"] for edge in spent["hours"]["edges"]]
    assert sum(hours) == audience["viewerMinutes"]
    brought = (await journey.ask(studio.actor, BROUGHT, id=which)).data["node"]["analytics"]
    earned = {"audience": audience, "earned": {"amount": "56000.00", **idr}}
    assert brought == (await journey.ask(ani, BROUGHT, id=which)).data["node"]["analytics"]
    assert (brought["total"], brought["creatives"]["edges"]) == (
        earned, [{"node": {"creativeId": text, "figures": earned}}],
    )  # fmt: skip
    nothing = await journey.ask(ani, LONG_AGO, id=campaign)
    assert [error["extensions"]["code"] for error in nothing.body["errors"]] == ["BAD_INPUT"]


def key_in(id_: str) -> str:
    """The key of a global id."""
    return plain(id_).partition(":")[2]


def state(edge: Any) -> str:
    found: str = edge["node"]["state"]
    return found


async def asked(journey: Journey, actor: Actor, query: str, wish: dict[str, Any]) -> Any:
    """What a mutation answers."""
    (found,) = (await journey.ask(actor, query, input=wish)).data.values()
    return found
