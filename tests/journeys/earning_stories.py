"""The paths of a minute's money, as stories to die in: from escrow to whoever streamed, or back."""

from datetime import timedelta
from uuid import UUID

from adapters.postgres.database import Database
from adapters.postgres.earning.evidence import PostgresEvidence
from domain.campaign.creatives import CreativeId
from domain.campaign.participation import ParticipationId
from domain.earning.model import Report, Source
from domain.earning.rates import Rate, Rates
from domain.earning.sharing import EVERY, MINUTE, minute_of
from domain.ids import uuid7
from domain.rights import StaffRole
from domain.streamer.model import StreamerId
from gql.node import global_id
from tests.identity_settings import IDENTITY
from tests.journeys import asking
from tests.journeys.campaign_stories import approved, step
from tests.journeys.crash_stage import CrashStage
from tests.people import enroll
from tests.vaults import VaultKeys, open_vault

_LINK = """
insert into platform_link (id, streamer, platform, account, account_index, code_digest, code_expires_at, state,
    asked_at, placed_at, decided_at)
values ($1, $2, 'tiktok', '', $3, '', now(), 'confirmed', now(), now(), now())
"""
_SESSION = """
insert into stream_session (id, link, stream, started_at, seen_at) values ($1, $2, 'one', $3, $4)
"""
_SAMPLE = "insert into viewer_sample (session, at, viewers) values ($1, $2, $3)"
_PART = """
insert into participation (id, campaign, streamer, person, begun_by, state, created_at, campaign_version, pricing, rate,
    currency, minutes, agreed_at, disclosed_at, live_at)
select $1, id, $2, $3, 'streamer', 'live', now(), version, 'cpm', 2000000, 'IDR', 100, now(), now(), now() from campaign
"""
_CREATIVE = """
insert into creative (id, campaign, kind, body, state, created_at, decided_at)
select $1, id, 'html', 'Hello', 'approved', now(), now() from campaign
"""
_RATES = Rates(Rate(2_000), Rate(250), Rate(1_100))


async def a_minute_paid_after_a_week(stage: CrashStage) -> None:
    """It is set aside and paid a week later; the rest of the budget comes back."""
    campaign = await _launched(stage)
    await _seen(stage)
    async with stage.armed():
        await stage.sweep(timedelta(minutes=10))
    await step(stage, "complete", campaign)
    async with stage.armed():
        await stage.sweep(timedelta(days=8))
    await stage.sweep(timedelta(minutes=10))


async def a_minute_disputed_and_reduced(stage: CrashStage) -> None:
    """Its brand disputes it, and staff takes half of it away."""
    await _launched(stage)
    participation, minute = await _seen(stage)
    await stage.sweep(timedelta(minutes=10))
    judge = await enroll(stage.connection, staff=StaffRole.ADMIN)
    await stage.connection.execute("insert into staff_network values ('127.0.0.0/8', 'here')")
    async with stage.armed():
        about = {"participationId": participation, "minutes": [minute], "reason": "Hidden.", "idempotencyKey": "1"}
        dispute = await stage.told(asking.OPEN_DISPUTE, input=about)
        await stage.connection.execute(
            "update session set stepped_up_at = $2 where id = $1", judge.session.id, stage.clock()
        )
        ruled = {"disputeId": dispute["id"], "ruling": "REDUCED", "thousandths": 500, "reason": "Half of it was seen."}
        await stage.told(asking.DECIDE_DISPUTE, by=judge, input=ruled)
        await stage.sweep(timedelta(minutes=1))


async def _launched(stage: CrashStage) -> str:
    keys = VaultKeys(IDENTITY["VAULT_MASTER_KEYS"], bytes.fromhex(IDENTITY["IDENTITY_KEY"]))
    async with open_vault(stage.database, keys) as vault:
        await vault.create_key(stage.me.person)
    campaign = await approved(stage)
    await step(stage, "launch", campaign)
    return campaign


async def _seen(stage: CrashStage) -> tuple[str, str]:
    """Somebody streams and takes part, and their overlay has reported a minute: the participation's id, and which."""
    streamer, link, session, part, creative = (uuid7() for _ in range(5))
    person, now = (await enroll(stage.connection)).person, stage.clock()
    shown = minute_of(now) - MINUTE
    await stage.connection.execute(asking.STREAMER_ROW, streamer, person)
    await stage.connection.execute(_LINK, link, streamer, link.bytes)
    await stage.connection.execute(_SESSION, session, link, now - timedelta(hours=1), now)
    await stage.connection.execute(_SAMPLE, session, shown, 1_000)
    await stage.connection.execute(_PART, part, streamer, person)
    await stage.connection.execute(_CREATIVE, creative)
    report = Report(ParticipationId(part), CreativeId(creative), shown, EVERY)
    async with Database(stage.database.app_url, size=1) as database:
        source = Source(UUID(int=1), StreamerId(streamer))
        assert await PostgresEvidence(database).add(source, [report], _RATES, now) == [None]
    return global_id("Participation", part), shown.isoformat()
