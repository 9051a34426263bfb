"""The one place that picks an adapter for each port."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, fields
from hashlib import blake2b
from typing import Any

from adapters.assets.local import LocalFiles
from adapters.assets.s3 import S3Files
from adapters.config import ASSET_FOLDER, Settings
from adapters.payments.midtrans_client import MidtransAccess, MidtransGateway
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.batcher import Batcher
from adapters.postgres.books import PostgresBooks
from adapters.postgres.database import Database
from adapters.postgres.deeds import PostgresDeeds
from adapters.postgres.identity.desk import PostgresDesk
from adapters.postgres.identity.reads import PostgresPeopleReads
from adapters.postgres.inbox import PostgresInbox
from adapters.postgres.ledger import LedgerCore
from adapters.postgres.quota_counts import QuotaCounts
from adapters.postgres.standings import PostgresStandings
from adapters.postgres.wallet import PostgresTopUpReads
from adapters.postgres.work import PostgresWork, Works
from adapters.redis.feed import Feed
from adapters.redis.quotas import RedisQuotas
from adapters.redis.reserves import ReservedQuotas
from adapters.wiring.asset import AssetAdapters, assets_of
from adapters.wiring.brand import BrandAdapters, brands_of
from adapters.wiring.campaign import CampaignAdapters, campaigns_of
from adapters.wiring.earning import EarningAdapters, earning_policy, earnings_of
from adapters.wiring.identity import IdentityAdapters, KnowingPeople, knowing_people
from adapters.wiring.invoice import InvoiceAdapters, invoice_policy, invoices_of
from adapters.wiring.message import MessageAdapters, messages_of
from adapters.wiring.overlay import OverlayAdapters, overlays_on
from adapters.wiring.privacy import PrivacyAdapters, privacy_of
from adapters.wiring.streamer import Platforms, StreamerAdapters, reach_platforms, streamer_of
from domain.asset.ports import Files
from domain.clock import Clock, system_clock
from domain.earning.model import EarningPolicy
from domain.identity.privacy import PrivacyPolicy, changed_documents
from domain.invoice.model import InvoicePolicy
from domain.quotas import DEPOSIT, Quotas, changed_quotas
from domain.wallet.gateway import Gateway
from domain.wallet.policy import TopUpPolicy

_HERE = "http://127.0.0.1:8000"
MIDTRANS_WEBHOOK = "/webhooks/midtrans"


@dataclass(frozen=True, slots=True)
class Adapters:
    """`domain.ports.Ports`, plugged in; with the database itself for those who are adapters too."""

    database: Database
    works: Works
    books: PostgresBooks
    top_ups: PostgresTopUpReads
    inbox: PostgresInbox
    submissions: Batcher
    feed: Feed
    quotas: Quotas
    standings: PostgresStandings
    identity: IdentityAdapters
    desk: PostgresDesk
    audit_log: PostgresDeeds
    privacy: PrivacyAdapters
    streamer: StreamerAdapters
    overlay: OverlayAdapters
    brand: BrandAdapters
    asset: AssetAdapters
    campaign: CampaignAdapters
    earning: EarningAdapters
    invoice: InvoiceAdapters
    message: MessageAdapters
    gateways: Mapping[str, Gateway]
    policy: TopUpPolicy
    clock: Clock

    def work(self) -> AbstractAsyncContextManager[PostgresWork]:
        """Open a unit of work: it commits at the end of the block, or on an exception nothing happened."""
        return self.works()


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[Adapters]:
    """Everything as the settings say, connected while the block lasts."""
    database = Database(
        settings.database_url.get_secret_value(),
        settings.direct_database_url.get_secret_value(),
        size=settings.database_pool_size,
        behind_pooler=settings.database_behind_pooler,
    )
    feed = Feed(settings.redis_url.get_secret_value())
    midtrans = MidtransGateway(_midtrans_access(settings))
    quotas = quotas_of(settings, database)
    async with (
        database,
        feed.running(),
        quotas.running(),
        midtrans,
        knowing_people(settings, system_clock) as knowing,
        reach_platforms(settings, database) as platforms,
        plugged(
            database,
            feed,
            {midtrans.name: midtrans},
            TopUpPolicy(),
            system_clock,
            ReservedQuotas(quotas),
            knowing,
            audit_log=PostgresDeeds(database, knowing.vault, settings.seal_key_bytes, settings.seal_head_file),
            privacy=privacy_policy(settings),
            files=files_of(settings),
            platforms=platforms,
            earning=earning_policy(settings),
            invoice=invoice_policy(settings),
        ) as adapters,
        adapters.standings.running(),
    ):
        yield adapters


@asynccontextmanager
async def plugged(
    database: Database,
    feed: Feed,
    gateways: Mapping[str, Gateway],
    policy: TopUpPolicy,
    clock: Clock,
    quotas: Quotas,
    knowing: KnowingPeople,
    *,
    audit_log: PostgresDeeds | None = None,
    privacy: PrivacyPolicy | None = None,
    files: Files | None = None,
    platforms: Platforms | None = None,
    earning: EarningPolicy | None = None,
    invoice: InvoicePolicy | None = None,
) -> AsyncIterator[Adapters]:
    """All adapters around an open database."""
    index, standings = AccountIndex(), PostgresStandings(database, clock)
    deeds = audit_log or _unsealed(database, knowing)
    works = Works(database, index, clock, vault=knowing.vault)
    identity = _identity(knowing, works, database, standings, quotas, clock)
    async with Batcher(database, LedgerCore(index, clock)).running() as batcher:
        yield Adapters(
            database=database,
            works=works,
            **_beside(database),
            submissions=batcher,
            feed=feed,
            quotas=quotas,
            standings=standings,
            identity=identity,
            audit_log=deeds,
            privacy=privacy_of(identity, database, deeds, privacy or PrivacyPolicy()),
            **_market(identity, database, batcher, files, platforms or Platforms(), earning or EarningPolicy()),
            invoice=invoices_of(identity, database, invoice or InvoicePolicy(site=_HERE)),
            gateways=gateways,
            policy=policy,
            clock=clock,
        )


def _beside(database: Database) -> dict[str, Any]:
    """What takes a database and nothing else."""
    return {
        "books": PostgresBooks(database),
        "top_ups": PostgresTopUpReads(database),
        "inbox": PostgresInbox(database),
        "desk": PostgresDesk(database),
    }


def _market(
    identity: IdentityAdapters,
    database: Database,
    submissions: Batcher,
    files: Files | None,
    platforms: Platforms,
    policy: EarningPolicy,
) -> dict[str, Any]:
    """What streamers, brands and all that is between them take."""
    streamers = streamer_of(identity, database, platforms)
    return {
        "streamer": streamers,
        "overlay": overlays_on(streamers, database),
        "brand": brands_of(identity, database),
        "asset": assets_of(identity, database, files or LocalFiles(ASSET_FOLDER, _HERE)),
        "campaign": campaigns_of(identity, database),
        "earning": earnings_of(identity, database, submissions, policy),
        "message": messages_of(identity, database),
    }


def files_of(settings: Settings) -> Files:
    """Where files lie, as the settings say."""
    access = settings.s3_access
    return S3Files(access, settings.public_url) if access else LocalFiles(settings.asset_folder, settings.public_url)


def quotas_of(settings: Settings, database: Database) -> RedisQuotas:
    """Quotas as the settings say; to be run. Their key comes from the seal's: one secret less to keep."""
    key = blake2b(b"quotas", key=settings.seal_key_bytes).digest()
    known = {DEPOSIT.name: QuotaCounts(database).top_ups_started}
    return RedisQuotas(settings.redis_url.get_secret_value(), key, changed_quotas(settings.quotas), known)


def _identity(
    knowing: KnowingPeople,
    works: Works,
    database: Database,
    standings: PostgresStandings,
    quotas: Quotas,
    clock: Clock,
) -> IdentityAdapters:
    return IdentityAdapters(
        **{part.name: getattr(knowing, part.name) for part in fields(KnowingPeople)},
        works=works,
        people=PostgresPeopleReads(database, knowing.vault),
        standings=standings,
        quotas=quotas,
        clock=clock,
    )


def privacy_policy(settings: Settings) -> PrivacyPolicy:
    """The rules of privacy as the settings say."""
    documents = changed_documents(settings.consent_documents)
    return PrivacyPolicy(documents=documents, money_kept_years=settings.money_kept_years)


def _unsealed(database: Database, knowing: KnowingPeople) -> PostgresDeeds:
    """The audit log for who reads it and verifies nothing."""
    return PostgresDeeds(database, knowing.vault, b"")


def midtrans_keys(settings: Settings) -> tuple[str, ...]:
    """The server keys that notifications may be signed with: two while one is being rotated."""
    keys = (settings.midtrans_server_key, settings.midtrans_previous_server_key)
    return tuple(key.get_secret_value() for key in keys if key is not None)


def twitch_secret(settings: Settings) -> str | None:
    """What Twitch signs its messages with, where it sends any."""
    secret = settings.twitch_eventsub_secret
    return secret.get_secret_value() if secret else None


def _midtrans_access(settings: Settings) -> MidtransAccess:
    return MidtransAccess(
        core_url=settings.midtrans_core_url,
        snap_url=settings.midtrans_snap_url,
        server_key=settings.midtrans_server_key.get_secret_value(),
        notification_urls=(f"{settings.public_url}{MIDTRANS_WEBHOOK}",),
        timeout_s=settings.midtrans_timeout_s,
    )
