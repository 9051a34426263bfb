"""A brand pays in and spends: its managers open and fill its wallet, its viewers look on, nobody else learns of it."""

from datetime import UTC, datetime
from typing import Any

from domain.actor import Actor
from domain.ids import BrandId, uuid7
from domain.rights import BrandRole
from gql.node import global_id
from tests.journeys import asking
from tests.journeys.house import Journey, Person
from tests.journeys.test_campaign_journey import does

STATEMENT = """
query ($id: ID!) { wallet(id: $id) { balance { total { amount } }
  statement(first: 5, newestFirst: false) { edges { node { kind change { amount } } } } } }
"""


async def opened(journey: Journey, who: Actor, brand: BrandId) -> Any:
    given = {"brandId": global_id("Brand", brand), "currency": "IDR"}
    return (await journey.ask(who, asking.OPEN_BRAND_WALLET, input=given)).data["openBrandWallet"]


async def seen(journey: Journey, who: Actor, brand: BrandId) -> Any:
    return (await journey.ask(who, asking.BRAND_WALLETS, id=global_id("Brand", brand))).data["node"]


async def started(journey: Journey, who: Actor, wallet: str, key: str) -> Any:
    wish = asking.wanted(wallet, key, 1_000_000)
    return (await journey.ask(who, asking.START, input=wish)).data["startTopUp"]


async def test_a_brand_opens_a_wallet_pays_in_and_launches_from_it(journey: Journey) -> None:
    brand = BrandId(uuid7())
    owner, manager, viewer = [
        (await journey.enroll(brands={brand: role})).actor
        for role in (BrandRole.OWNER, BrandRole.MANAGER, BrandRole.VIEWER)
    ]
    other = (await journey.enroll(brands={BrandId(uuid7()): BrandRole.OWNER})).actor
    assert (await opened(journey, viewer, brand))["code"] == "ROLE_TOO_LOW"
    refused = [await opened(journey, other, which) for which in (brand, BrandId(uuid7()))]
    assert [found["code"] for found in refused] == ["UNKNOWN_BRAND"] * 2
    assert (await seen(journey, owner, brand))["wallets"] == []
    wallet = (await opened(journey, manager, brand))["id"]
    assert (await opened(journey, owner, brand))["id"] == wallet
    shown = {"id": wallet, "purpose": "BRAND_PREPAID", "balance": {"total": {"amount": "0.00"}}}
    assert [await seen(journey, who, brand) for who in (viewer, other)] == [{"wallets": [shown]}, None]

    before = await journey.all_marks()
    unknown = global_id("Wallet", 10**12)
    refused = [
        await started(journey, who, which, "1") for who, which in ((other, wallet), (other, unknown), (viewer, wallet))
    ]
    assert refused == [refused[0]] * 3
    assert refused[0]["code"] == "WALLET_NOT_FOUND"
    assert (await journey.ask(other, STATEMENT, id=wallet)).data["wallet"] is None
    assert await journey.all_marks() == before

    async with (
        journey.conversation(Person(viewer, wallet)) as socket,
        journey.conversation(Person(other, wallet)) as closed,
    ):
        await closed.subscribe("1", asking.FOLLOW, id=wallet)
        assert (await closed.next())["type"] in {"error", "next"}
        await socket.subscribe("1", asking.FOLLOW, id=wallet)
        assert (await socket.data("1"))["walletChanged"]["__typename"] == "WalletSnapshot"
        top_up = await started(journey, manager, wallet, "1")
        assert await started(journey, manager, wallet, "1") == top_up
        await journey.press(top_up["redirectUrl"])
        entry = (await socket.data("1"))["walletChanged"]["entry"]
        assert (entry["kind"], entry["balanceAfter"]["amount"]) == ("TOP_UP", "1000000.00")
    for who, state in ((owner, top_up["id"]), (viewer, top_up["id"]), (other, None)):
        found = (await journey.ask(who, asking.TOP_UP, id=top_up["id"])).data["topUp"]
        assert (found and found["id"]) == state

    wish = {"brandId": global_id("Brand", brand), "plan": asking.plan(datetime.now(UTC)), "idempotencyKey": "first"}
    campaign = (await does(journey, owner, "create", **wish))["id"]
    await journey.connection.execute("update campaign set state = 'approved' where brand = $1", brand)
    await journey.connection.execute("update brand set verification = 'verified', decided_at = now()")
    assert (await does(journey, manager, "launch", campaignId=campaign))["escrow"]["amount"] == "1000000.00"
    assert (await does(journey, owner, "cancel", campaignId=campaign))["escrow"]["amount"] == "0.00"
    found = (await journey.ask(viewer, STATEMENT, id=wallet)).data["wallet"]
    assert [(edge["node"]["kind"], edge["node"]["change"]["amount"]) for edge in found["statement"]["edges"]] == [
        ("TOP_UP", "1000000.00"), ("ESCROW", "-1000000.00"), ("ESCROW_RETURN", "1000000.00"),
    ]  # fmt: skip
    assert found["balance"]["total"]["amount"] == "1000000.00"
