"""A campaign from its plan to the last coin, over HTTP and on a live socket; at the end the ledger is audited."""

from datetime import UTC, datetime
from typing import Any

from domain.actor import Actor
from domain.ids import BrandId, TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from domain.rights import BrandRole, StaffRole
from gql.node import global_id
from tests.journeys import asking
from tests.journeys.house import Journey, Person
from tests.journeys.ledger_door import at_the_ledger

WHY = "Nothing is wrong with it."


async def paid_in(journey: Journey, brand: BrandId, units: int) -> None:
    """A brand has so much more, as another part of the product would post it."""
    async with at_the_ledger(journey.house.database) as work:
        opening = AccountKey("platform", Purpose.OPENING, Currency.IDR)
        prepaid = AccountKey(f"brand:{brand}", Purpose.BRAND_PREPAID, Currency.IDR)
        for account in (opening, prepaid):
            await work.ledger.open(account)
        gift = Posting(Kind.OPENING_BALANCE, opening, prepaid, Money.whole(units, Currency.IDR))
        assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), gift))).posted


async def does(journey: Journey, who: Actor, what: str, **wanted: object) -> Any:
    """What a mutation about a campaign answers."""
    (found,) = (await journey.ask(who, asking.CAMPAIGN_STEPS[what], input=wanted)).data.values()
    return found


async def staff(journey: Journey) -> Actor:
    """Somebody who looks after campaigns, with a fresh code."""
    enrolled = await journey.enroll(staff=StaffRole.ADMIN)
    await journey.connection.execute("update session set stepped_up_at = now() where id = $1", enrolled.session.id)
    await journey.connection.execute("insert into staff_network values ('127.0.0.0/8', 'here') on conflict do nothing")
    return enrolled.actor


async def test_a_campaign_from_its_plan_to_the_last_coin(journey: Journey) -> None:
    brand = BrandId(uuid7())
    ani = (await journey.enroll(brands={brand: BrandRole.MANAGER})).actor
    viewer = (await journey.enroll(brands={brand: BrandRole.VIEWER})).actor
    other = (await journey.enroll(brands={BrandId(uuid7()): BrandRole.OWNER})).actor
    brand_id = global_id("Brand", brand)
    wish: dict[str, Any] = {"brandId": brand_id, "plan": asking.plan(datetime.now(UTC)), "idempotencyKey": "first"}
    made = await does(journey, ani, "create", **wish)
    id_ = made["id"]
    assert (made["state"], made["version"], made["escrow"]["amount"]) == ("DRAFT", 1, "0.00")
    assert (await does(journey, ani, "create", **wish))["id"] == id_
    assert (await does(journey, viewer, "submit", campaignId=id_))["code"] == "ROLE_TOO_LOW"
    assert (await does(journey, other, "submit", campaignId=id_))["code"] == "UNKNOWN_CAMPAIGN"
    assert (await does(journey, ani, "launch", campaignId=id_))["state"] == "DRAFT"
    assert (await does(journey, ani, "submit", campaignId=id_))["state"] == "IN_REVIEW"

    moderator = await staff(journey)
    cases = (await journey.ask(moderator, asking.CAMPAIGN_CASES)).data["campaignCases"]["edges"]
    assert [edge["node"] for edge in cases] == [{"id": id_, "brandName": "A brand", "version": 1}]
    verdict = {"campaignId": id_, "version": 1, "approve": True, "reason": WHY}
    assert (await does(journey, moderator, "decide", **verdict))["state"] == "APPROVED"
    assert (await does(journey, ani, "launch", campaignId=id_))["code"] == "BRAND_NOT_VERIFIED"
    await journey.connection.execute("update brand set verification = 'verified', decided_at = now()")
    refused = await does(journey, ani, "launch", campaignId=id_)
    assert (refused["code"], refused["missing"]["amount"]) == ("BUDGET_NOT_COVERED", "1000000.00")
    await paid_in(journey, brand, 1_500_000)

    async with journey.conversation(Person(viewer, "")) as socket:
        await socket.subscribe("1", asking.FOLLOW_CAMPAIGN, id=id_)

        async def told(state: str) -> Any:
            while (found := (await socket.data("1"))["campaignChanged"])["campaign"]["state"] != state:
                pass
            return found

        await told("APPROVED")
        launched = await does(journey, ani, "launch", campaignId=id_)
        assert (launched["state"], launched["escrow"]["amount"]) == ("ACTIVE", "1000000.00")
        cursor = (await told("ACTIVE"))["cursor"]
        assert (await does(journey, ani, "pause", campaignId=id_))["state"] == "PAUSED"
        assert (await told("PAUSED"))["campaign"]["escrow"]["amount"] == "1000000.00"
        edited = await does(journey, ani, "edit", campaignId=id_, plan=wish["plan"] | {"pacing": "FRONT_LOADED"})
        assert (edited["state"], edited["version"]) == ("PAUSED", 2)
        fixed = await does(journey, ani, "edit", campaignId=id_, plan=wish["plan"] | {"title": "Another"})
        assert (fixed["code"], fixed["field"]) == ("PLAN_REFUSED", "brief")

        stopped = {"campaignId": id_, "reason": "It shows something else."}
        assert (await does(journey, moderator, "suspend", **stopped))["state"] == "SUSPENDED"
        assert (await told("SUSPENDED"))["campaign"]["reason"] == "It shows something else."
        assert (await does(journey, ani, "resume", campaignId=id_))["code"] == "CAMPAIGN_NOT_READY"
        assert (await does(journey, moderator, "reinstate", campaignId=id_, reason=WHY))["state"] == "PAUSED"

    assert (await does(journey, ani, "resume", campaignId=id_))["state"] == "ACTIVE"
    async with journey.conversation(Person(ani, "")) as socket:
        await socket.subscribe("1", asking.FOLLOW_CAMPAIGN, id=id_, after=cursor)
        assert (await socket.data("1"))["campaignChanged"]["campaign"]["version"] == 2
        ended = await does(journey, ani, "complete", campaignId=id_)
        assert (ended["state"], ended["escrow"]["amount"]) == ("COMPLETED", "0.00")
        assert (await does(journey, ani, "cancel", campaignId=id_))["state"] == "COMPLETED"
    listed = (await journey.ask(viewer, asking.CAMPAIGNS, id=brand_id)).data["campaigns"]["edges"]
    assert [edge["node"]["state"] for edge in listed] == ["COMPLETED"]
    assert (await journey.ask(other, asking.CAMPAIGNS, id=brand_id)).data["campaigns"] is None
    left = "select posted from account where owner = $1 and purpose = 'brand_prepaid'"
    assert await journey.connection.fetchval(left, f"brand:{brand}") == 150_000_000


async def test_a_streamer_from_the_open_campaign_to_the_last_minute(journey: Journey) -> None:
    brand = BrandId(uuid7())
    ani = (await journey.enroll(brands={brand: BrandRole.MANAGER})).actor
    budi, cici = [(await journey.enroll(streamer=True)).actor for _ in range(2)]
    other = (await journey.enroll(brands={BrandId(uuid7()): BrandRole.OWNER})).actor
    for streamer in (budi, cici):
        await journey.connection.execute(asking.STREAMER_ROW, uuid7(), streamer.person)
    wish = {"brandId": global_id("Brand", brand), "plan": asking.plan(datetime.now(UTC)), "idempotencyKey": "first"}
    id_ = (await does(journey, ani, "create", **wish))["id"]
    await journey.connection.execute("update campaign set state = 'approved' where brand = $1", brand)
    await journey.connection.execute("update brand set verification = 'verified', decided_at = now()")
    await paid_in(journey, brand, 1_000_000)
    assert (await does(journey, ani, "launch", campaignId=id_))["state"] == "ACTIVE"

    made = await takes(journey, ani, "addCreative", campaignId=id_, html="<p>Play</p><script/>", idempotencyKey="1")
    verdict = {"creativeId": made["id"], "approve": True, "reason": WHY}
    assert (made["html"], made["state"]) == ("<p>Play</p>", "PENDING")
    assert (await takes(journey, await staff(journey), "decideCreative", **verdict))["state"] == "APPROVED"

    found = (await journey.ask(budi, asking.OPEN_CAMPAIGNS)).data["openCampaigns"]["edges"]
    assert [(edge["node"]["id"], edge["node"]["eligibility"]["verdict"]) for edge in found] == [(id_, "MET")]
    applied = await takes(journey, budi, "applyToCampaign", campaignId=id_)
    which = applied["id"]
    assert (applied["state"], applied["yourSide"], applied["offers"][0]["number"]) == ("APPLIED", "STREAMER", 1)
    assert (await takes(journey, budi, "acceptOffer", participationId=which, number=1))["code"] == "NOT_YOUR_TURN"
    for stranger in (cici, other):
        denied = await takes(journey, stranger, "acceptOffer", participationId=which, number=1)
        assert denied["code"] == "UNKNOWN_PARTICIPATION"
        assert (await journey.ask(stranger, asking.PARTICIPATIONS, id=id_)).data["participations"] is None
        assert (await journey.ask(stranger, asking.PARTICIPATION, id=which)).data["node"] is None
    listed = (await journey.ask(ani, asking.PARTICIPATIONS, id=id_)).data["participations"]["edges"]
    assert [edge["node"]["id"] for edge in listed] == [which]
    flat = {"pricing": "FLAT", "rate": {"amount": "300000", "currency": "IDR"}, "minutes": 120}

    async with journey.conversation(Person(budi, "")) as socket:
        await socket.subscribe("1", asking.FOLLOW_PARTICIPATION, id=which)

        async def told(offers: int, state: str) -> None:
            while True:
                shown = (await socket.data("1"))["participationChanged"]["participation"]
                if (len(shown["offers"]), shown["state"]) == (offers, state):
                    return

        await told(1, "APPLIED")
        await takes(journey, ani, "counterOffer", participationId=which, number=1, terms=flat)
        await told(2, "APPLIED")
        agreed = await takes(journey, budi, "acceptOffer", participationId=which, number=2)
        assert agreed["agreement"]["terms"] == {"minutes": 120}
        live = {"participationId": which}
        assert (await takes(journey, budi, "goLive", **live, disclosed=False))["code"] == "DISCLOSURE_REQUIRED"
        assert (await takes(journey, budi, "goLive", **live, disclosed=True))["state"] == "LIVE"
        await told(2, "LIVE")
        assert (await does(journey, ani, "complete", campaignId=id_))["state"] == "COMPLETED"
        await told(2, "COMPLETED")
    mine = (await journey.ask(budi, asking.MY_PARTICIPATIONS)).data["myParticipations"]["edges"]
    assert [edge["node"]["state"] for edge in mine] == ["COMPLETED"]


async def takes(journey: Journey, who: Actor, mutation: str, **wanted: object) -> Any:
    """What a mutation about a creative or a participation answers."""
    (found,) = (await journey.ask(who, asking.taking_part(mutation), input=wanted)).data.values()
    return found
