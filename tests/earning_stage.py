"""Earnings on a real database: a campaign with its escrow, streamers who take part, and what overlays report."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from uuid import UUID

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.batcher import Batcher
from adapters.postgres.earning.evidence import PostgresEvidence
from adapters.postgres.earning.reads import PostgresEarningReads
from adapters.postgres.ledger import LedgerCore
from domain.actor import Actor
from domain.campaign.creatives import CreativeId
from domain.campaign.model import CampaignId
from domain.campaign.participation import ParticipationId
from domain.earning.closing import close_minutes
from domain.earning.intake import report_impressions
from domain.earning.model import EarnedMinute, EarningPolicy, Report, Source, Verdict
from domain.earning.ports import MinutePage, Streamed, Streams
from domain.earning.postings import Route
from domain.earning.rates import Rate, Rates
from domain.earning.sharing import EVERY, MINUTE, Seconds, minute_of
from domain.ids import BrandId, PersonId, TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Balance, Posting, Transaction
from domain.ledger.ports import Submissions
from domain.money import Currency, Money
from domain.rights import BrandRole
from domain.streamer.model import StreamerId
from domain.work import Swept
from tests.accounts_stage import AccountsStage, origin, staged_accounts
from tests.people import enroll

IDR = Currency.IDR
_STREAMER = """
insert into streamer (id, person, display_name, schedule, categories, language, rating, country, time_zone, created_at,
    changed_at)
values ($1, $2, '', '', '{games}', 'id', 'teen', 'ID', 'Asia/Jakarta', $3, $3)
"""
_VERSION = """
insert into campaign_version (campaign, version, made_at, title, description, link, currency, budget, pricing, rate,
    minutes, daily_cap, streamer_cap, pacing, starts_on, ends_on, time_zone, platforms, countries, languages,
    categories, highest_rating, least_viewers, avoided)
values ($1, 1, $2, 'A title', '', 'https://brand.example', 'IDR', $3, 'cpm', 1, 1, $4, $5, 'even', $6, $7,
    'Asia/Jakarta', '{}', '{}', '{}', '{}', 'mature', 0, '{}')
"""
_PARTICIPATION = """
insert into participation (id, campaign, streamer, person, begun_by, state, created_at) values
    ($1, $2, $3, $4, 'brand', 'invited', $5)
"""
_LIVE = """
update participation set state = 'live', campaign_version = 1, pricing = $2, rate = $3, currency = 'IDR', minutes = $4,
    agreed_at = $5, disclosed_at = $5, live_at = $5
where id = $1
"""


@dataclass
class Sampled:
    """`domain.earning.ports.Streams` as it is told: how many watch, and who is not live."""

    viewers: int | None = 1_000
    at: dict[Streamed, int | None] = field(default_factory=dict)
    away: set[StreamerId] = field(default_factory=set)

    async def sessions(
        self, streamers: Sequence[StreamerId], since: datetime, until: datetime
    ) -> Mapping[StreamerId, Sequence[object]]:
        return {streamer: [] if streamer in self.away else [(since, until)] for streamer in streamers}

    async def viewers_at(self, moments: Sequence[tuple[StreamerId, datetime]]) -> Sequence[int | None]:
        return [self.at.get(Streamed(streamer, minute_of(moment)), self.viewers) for streamer, moment in moments]


@dataclass(frozen=True)
class Campaign:
    """A campaign that runs."""

    id: CampaignId
    creatives: tuple[CreativeId, ...]


@dataclass(frozen=True)
class Part:
    """A streamer who is live in a campaign."""

    id: ParticipationId
    campaign: Campaign
    source: Source
    route: Route

    def seen(self, minute: datetime, seconds: Seconds = EVERY, creative: int = 0) -> Report:
        """What its overlay reports."""
        return Report(self.id, self.campaign.creatives[creative], minute, seconds)


@dataclass(kw_only=True)
class EarningStage(AccountsStage):
    """`domain.earning.ports.EarningPorts`, with the means to look behind it."""

    evidence: PostgresEvidence
    reads: PostgresEarningReads
    submissions: Submissions
    samples: Sampled
    streams: Streams
    """What is told, unless a test has the real one."""
    policy: EarningPolicy = field(
        default_factory=lambda: EarningPolicy(rates=Rates(Rate(2_000), Rate(250), Rate(1_100)))
    )

    @property
    def minute(self) -> datetime:
        """The minute that has just passed."""
        return minute_of(self.clock()) - MINUTE

    async def campaign(
        self,
        budget: int = 10**9,
        daily_cap: int | None = None,
        streamer_cap: int | None = None,
        creatives: int = 2,
        days_left: int = 0,
    ) -> Campaign:
        """A campaign with its budget, in minor units, in escrow; on its last day all of that may be spent."""
        now, brand, id_ = self.clock(), uuid7(), CampaignId(uuid7())
        insert_brand = "insert into brand (id, name, industry, size) values ($1, 'A brand', 'batteries', 'small')"
        await self.database.pool.execute(insert_brand, brand)
        days = (now.date() - timedelta(days=30), now.date() + timedelta(days=days_left))
        async with self.database.transaction() as connection:
            await connection.execute(
                "insert into campaign (id, brand, created_at) values ($1, $2, $3)", id_, brand, now
            )
            await connection.execute(_VERSION, id_, now, max(1, budget), daily_cap, streamer_cap, *days)
            await connection.execute("update campaign set state = 'active', launched_at = $2 where id = $1", id_, now)
        made = Campaign(id_, tuple(CreativeId(uuid7()) for _ in range(creatives)))
        for creative in made.creatives:
            await self.creative(id_, creative)
        await self._fund(id_, budget)
        return made

    async def creative(self, campaign: CampaignId, creative: CreativeId) -> None:
        """Something that may be shown."""
        insert = "insert into creative (id, campaign, kind, body, created_at) values ($1, $2, 'html', 'Hello', $3)"
        await self.database.pool.execute(insert, creative, campaign, self.clock())
        approve = "update creative set state = 'approved', decided_at = $2 where id = $1"
        await self.database.pool.execute(approve, creative, self.clock())

    async def _fund(self, campaign: CampaignId, budget: int) -> None:
        source = AccountKey("platform", Purpose.OPENING, IDR)
        escrow = AccountKey(f"campaign:{campaign}", Purpose.CAMPAIGN_ESCROW, IDR)
        async with self.work() as work:
            await work.ledger.open(source)
            await work.ledger.open(escrow)
            if budget:
                posting = Posting(Kind.OPENING_BALANCE, source, escrow, Money(budget, IDR))
                assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))).posted

    async def manager(self, part: Part) -> Actor:
        """Somebody who manages the brand that pays for a part."""
        brand = BrandId(await self.database.pool.fetchval("select brand from campaign where id = $1", part.campaign.id))
        enrolled = await enroll(self.database.pool, brands={brand: BrandRole.MANAGER})
        await self.vault.create_key(enrolled.person)
        return replace(Actor(enrolled.person, brands={brand: BrandRole.MANAGER}), origin=origin())

    async def streamer(self) -> tuple[StreamerId, PersonId]:
        """Somebody who streams."""
        person, id_ = (await enroll(self.database.pool)).person, StreamerId(uuid7())
        await self.vault.create_key(person)
        await self.database.pool.execute(_STREAMER, id_, person, self.clock())
        return id_, person

    async def part(
        self,
        campaign: Campaign,
        rate: int = 50_000_00,
        *,
        minutes: int = 10_000,
        pricing: str = "cpm",
        streamer: tuple[StreamerId, PersonId] | None = None,
    ) -> Part:
        """Somebody who takes part and is live; `rate` in minor units."""
        id_, person = streamer or await self.streamer()
        participation = ParticipationId(uuid7())
        await self.database.pool.execute(_PARTICIPATION, participation, campaign.id, id_, person, self.clock())
        await self.database.pool.execute(_LIVE, participation, pricing, rate, minutes, self.clock())
        return Part(participation, campaign, Source(uuid7(), id_), Route(campaign.id, person, IDR))

    async def report(self, part: Part, *reports: Report) -> list[Verdict]:
        """What becomes of what an overlay reports."""
        found = await report_impressions(self, part.source, reports)
        assert isinstance(found, list), found
        return found

    async def close(self) -> Swept:
        """The job, once all minutes that were reported are over for long enough."""
        self.turn(minutes=10)
        return await close_minutes(self, self.clock())

    async def minutes(self, part: Part) -> list[EarnedMinute]:
        """Its minutes, oldest first."""
        page = MinutePage(part.id, 100)
        return list(reversed((await self.reads.minutes([page]))[page]))

    async def balance(self, account: AccountKey) -> Balance:
        """What an account holds."""
        row = await self.database.pool.fetchrow(
            "select posted, held, seq from account where (owner, purpose, currency) = ($1, $2, $3)", *account
        )
        return Balance(*row) if row else Balance(0, 0, 0)

    async def spent(self, campaign: Campaign) -> int:
        """What days say that a campaign spent."""
        found = await self.value(
            "select coalesce(sum(cost), 0)::bigint from campaign_day where campaign = $1", campaign.id
        )
        assert isinstance(found, int)
        return found


def another_overlay(part: Part) -> Part:
    """The same streamer with a second overlay."""
    return Part(part.id, part.campaign, Source(UUID(int=part.source.overlay.int ^ 1), part.source.streamer), part.route)


def earnings_on(stage: AccountsStage, submissions: Submissions) -> EarningStage:
    """The same stage, with earnings."""
    given, samples = {part.name: getattr(stage, part.name) for part in fields(AccountsStage)}, Sampled()
    return EarningStage(
        **given,
        samples=samples,
        streams=samples,
        evidence=PostgresEvidence(stage.database),
        reads=PostgresEarningReads(stage.database, stage.vault),
        submissions=submissions,
    )


@asynccontextmanager
async def staged_earnings(addresses: DatabaseAddresses) -> AsyncIterator[EarningStage]:
    async with staged_accounts(addresses) as accounts:
        accounts.clock.now = minute_of(accounts.clock.now) + timedelta(seconds=5)
        core = LedgerCore(AccountIndex(), accounts.clock)
        async with Batcher(accounts.database, core, patience_s=60).running() as batcher:
            yield earnings_on(accounts, batcher)
