"""The paths of a campaign's budget, as stories to die in: into escrow, and back."""

from datetime import UTC, datetime, timedelta

from domain.ids import BrandId, TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from gql.node import global_id
from tests.journeys import asking
from tests.journeys.crash_stage import CrashStage

_LIVE = """
insert into participation (id, campaign, person, begun_by, state, created_at, campaign_version, pricing, rate, currency,
    minutes, agreed_at, disclosed_at, live_at)
select gen_random_uuid(), id, $1, 'streamer', 'live', now(), version, 'cpm', 1, 'IDR', 1, now(), now(), now()
from campaign
"""
_JOIN = """
insert into membership (id, person, kind, brand, role) values (gen_random_uuid(), $1, 'brand', $2, 'owner')
"""
_BRAND = """
insert into brand (id, name, industry, size, verification, decided_at)
values ($1, 'A brand', 'batteries', 'small', 'verified', now())
"""


async def launched_and_completed(stage: CrashStage) -> None:
    """The budget goes into escrow; it halts, goes on, is spent in part, and what is left comes back."""
    campaign = await approved(stage)
    async with stage.armed():
        for name in ("launch", "pause", "resume"):
            await step(stage, name, campaign)
    await _earned(stage, 300_000)
    async with stage.armed():
        await step(stage, "complete", campaign)


async def launched_and_cancelled(stage: CrashStage) -> None:
    """The budget goes into escrow and comes back whole; asked twice it comes back once."""
    campaign = await approved(stage)
    await step(stage, "launch", campaign)
    async with stage.armed():
        await step(stage, "cancel", campaign)
        await step(stage, "cancel", campaign)


async def ended_and_returned_in_parts(stage: CrashStage) -> None:
    """Somebody was live and is owed something as it ends: the rest comes back, and later what they do not get."""
    campaign = await approved(stage)
    await step(stage, "launch", campaign)
    await stage.connection.execute(_LIVE, stage.me.person)
    await _earned(stage, 300_000)
    hold = await _set_aside(stage, 200_000)
    async with stage.armed():
        await step(stage, "complete", campaign)
        await stage.sweep(timedelta(minutes=6))
    async with stage.at_the_ledger() as work:
        assert (await work.ledger.post(Transaction.void(TransactionId(uuid7()), hold))).posted
    async with stage.armed():
        await stage.sweep(timedelta(minutes=1))


async def over_with_its_last_day(stage: CrashStage) -> None:
    """Nobody ends it, and the schedule does."""
    campaign = await approved(stage)
    await step(stage, "launch", campaign)
    async with stage.armed():
        await stage.sweep(timedelta(days=40))


async def approved(stage: CrashStage) -> str:
    """A campaign of a verified brand that has paid in, and may be launched; and a wallet of the client's own."""
    await stage.wallet()
    brand = BrandId(uuid7())
    await stage.connection.execute(_BRAND, brand)
    await stage.connection.execute(_JOIN, stage.me.person, brand)
    async with stage.at_the_ledger() as work:
        opening = AccountKey("platform", Purpose.OPENING, Currency.IDR)
        prepaid = AccountKey(f"brand:{brand}", Purpose.BRAND_PREPAID, Currency.IDR)
        for account in (opening, prepaid):
            await work.ledger.open(account)
        gift = Posting(Kind.OPENING_BALANCE, opening, prepaid, Money.whole(1_200_000, Currency.IDR))
        assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), gift))).posted
    wish = {"brandId": global_id("Brand", brand), "plan": asking.plan(datetime.now(UTC)), "idempotencyKey": "first"}
    made = await stage.told(asking.CAMPAIGN_STEPS["create"], input=wish)
    await stage.connection.execute("update campaign set state = 'approved'")
    id_: str = made["id"]
    return id_


async def step(stage: CrashStage, step: str, campaign: str) -> None:
    """A client's wish; sent again after a death it may find that it is done already."""
    await stage.told(asking.CAMPAIGN_STEPS[step], input={"campaignId": campaign})


async def _earned(stage: CrashStage, units: int) -> None:
    """A streamer is paid from escrow."""
    owner = await stage.connection.fetchval("select 'campaign:' || id from campaign")
    async with stage.at_the_ledger() as work:
        escrow = AccountKey(str(owner), Purpose.CAMPAIGN_ESCROW, Currency.IDR)
        earned = AccountKey(stage.me.owner, Purpose.STREAMER_EARNED, Currency.IDR)
        await work.ledger.open(earned)
        posting = Posting(Kind.EARNING, escrow, earned, Money.whole(units, Currency.IDR))
        assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))).posted


async def _set_aside(stage: CrashStage, units: int) -> TransactionId:
    """Something of the escrow is owed; by which transaction."""
    owner, hold = await stage.connection.fetchval("select 'campaign:' || id from campaign"), TransactionId(uuid7())
    async with stage.at_the_ledger() as work:
        fees = AccountKey("platform", Purpose.FEES, Currency.IDR)
        await work.ledger.open(fees)
        escrow = AccountKey(str(owner), Purpose.CAMPAIGN_ESCROW, Currency.IDR)
        posting = Posting(Kind.TAKE_RATE, escrow, fees, Money.whole(units, Currency.IDR))
        until = datetime.now(UTC) + timedelta(days=30)
        assert (await work.ledger.post(Transaction.hold(hold, posting, expires_at=until))).posted
    return hold
