"""A caller of staff who has everything, and a crowd of people who have, too: one of each, or a whole page."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.database import Database
from adapters.redis.feed import Feed
from adapters.vault.postgres import PostgresVault
from adapters.wiring import Adapters, plugged
from domain.actor import Actor, Origin
from domain.asset.model import MediaType
from domain.asset.model import Purpose as AssetPurpose
from domain.audit_log import Deed, Detail
from domain.brand.invitations import MAIL_FIELD
from domain.campaign.beginning import offer_of
from domain.campaign.creatives import Creative, CreativeId, CreativeKind
from domain.campaign.model import Campaign, CampaignId
from domain.campaign.participation import OfferState, Participation, ParticipationId, ParticipationState, Side
from domain.clock import system_clock
from domain.earning.disputing import REASON_FIELD as DISPUTE_REASON
from domain.identity.addresses import mail_index
from domain.identity.model import Portal
from domain.identity.provider import Provider
from domain.ids import AccountId, AssetId, BrandId, PersonId, TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.message.model import REASON_FIELD as MESSAGE_REASON
from domain.message.model import TEXT_FIELD
from domain.money import Currency, Money
from domain.overlay.actions import OverlayWithToken, add_overlay
from domain.overlay.model import Settings, Stop
from domain.overlay.model import Side as Switching
from domain.overlay.switches import REASON_FIELD
from domain.quotas import Quota, Taken
from domain.rights import BrandRole, Permission, StaffRole
from domain.streamer.linking import ACCOUNT_FIELD
from domain.streamer.model import KeptLink, LinkId, LinkState, Platform, Slot, Streamer, StreamerId, Weekday
from domain.streamer.profile import become_streamer, change_profile
from domain.wallet.actions import start_top_up
from domain.wallet.gateway import Method
from domain.wallet.model import TopUp
from gql.node import global_id
from tests.asset_stage import kept_asset
from tests.campaign_stage import plan_of_now
from tests.fake_wallet import FakeGateway
from tests.gql.test_on_real_servers import GENEROUS
from tests.identity_parts import knowing_nobody
from tests.people import enroll, open_session
from tests.servers import Valkey
from tests.streamer_stage import PROFILE
from tests.vaults import open_vault

HERE = Origin("127.0.0.1", "request-1", "a browser")
MAIL = "somebody@mail.example"
"""An address that all of them gave and nobody confirmed."""
_WALLETS = [
    (purpose, currency) for currency, purpose in product(Currency, [Purpose.HOSTING_CREDIT, Purpose.BRAND_PREPAID])
]
_PERSON = "update person set name = $2, mail = $3, mail_index = $4 where id = $1"
_IDENTITY = "insert into sign_in_identity (id, person, provider, subject_index, subject) values ($1, $2, $3, $4, $5)"
_PASSKEY = "insert into passkey (credential, person, public_key, sign_count, name) values ($1, $2, $1, 0, $3)"
_WATCHED = "update streamer_listing set average_viewers = 1 where streamer = $1"
"""Who is watched comes first among those who are found: the one with accounts is on every page."""
_CONSENT = "insert into consent (person, purpose, version, given, at) values ($1, 'terms', '1', true, now())"
_MERGE = "insert into merge_request values ($1, $2, $3, $4, $5, now())"
_MERGED = "insert into person (id, status, survivor) values ($1, 'merged', $2)"
_NETWORK = "insert into staff_network values ($1::text::cidr, 'an office', $2)"
_BRAND = "insert into brand (id, name, industry, size, contact) values ($1, 'A brand', 'batteries', 'small', $2)"
_INVITATION = """
insert into brand_invitation (id, brand, role, invited_by, digest, mail, mail_index, created_at, expires_at)
values ($1, $2, 'viewer', $3, $4, $5, $6, now(), now() + interval '7 days')
"""
_LIVE = """
update participation set state = 'live', campaign_version = 1, pricing = 'cpm', rate = 100, currency = 'IDR',
    minutes = 1, agreed_at = now(), disclosed_at = now(), live_at = now() where id = $1
"""
_EARNING = """
insert into earning (participation, campaign, take, withholding_tax, value_added_tax, begun_at)
values ($1, $2, 2000, 0, 1100, now())
"""
_MINUTES = """
insert into earning_minute (participation, minute, streamer)
select $1, $2::timestamptz - n * interval '1 minute', $3 from generate_series(0, $4::integer) as n
"""
_HELD = """
update earning_minute set state = 'held', person = $3, day = $2, viewers = 1, before_minutes = 0, before_viewers = 0,
    before_gross = 0, before_cost = 0, earned = 8, take = 2, withheld = 0, added = 1, closed_at = now()
where participation = $1 and minute < $2
"""
_ODD = "update earning_minute set state = 'review', closed_at = now() where (participation, minute) = ($1, $2)"
_SHARES = """
insert into earning_share (participation, minute, creative, seconds, gross)
select participation, minute, gen_random_uuid(), 1, 1 from earning_minute, generate_series(1, $2::integer)
where participation = $1
"""
_HOURS = """
insert into earning_hour (participation, hour, creative, campaign, viewer_minutes, gross, cost)
select participation, date_trunc('hour', now()) + n * interval '1 hour', gen_random_uuid(), campaign, 1, 10, 11
from earning, generate_series(1, $2::integer) as n where participation = $1
"""
_DISPUTE = """
insert into dispute (id, participation, side, person, reason, opened_at) values ($1, $2, 'brand', $3, $4, now())
"""
_NAMED = "insert into dispute_minute (dispute, participation, minute) values ($1, $2, $3)"
_TALK = "insert into conversation (participation) values ($1)"
_COUNTED = "update conversation set messages = $2, seq = $2 where participation = $1"
_WRITTEN = """
insert into message (id, participation, number, side, person, text, sent_at, seq)
values ($1, $2, $3, 'streamer', $4, $5, now(), $3)
"""
_REPORTED = """
insert into message_report (id, message, person, reason, reported_at) values ($1, $2, $3, $4, now())
"""
_MONTH = """
insert into invoice_month values ('2026-01-01', '2025-12-31T17:00Z', '2026-01-31T17:00Z') on conflict do nothing
"""
_INVOICE = """
insert into invoice (id, year, number, brand, month, currency, issued_at, seller_name, seller_address, seller_tax_id,
    buyer_name, buyer_address, buyer_tax_id)
values ($1, 2026, $2, $3, '2026-01-01', $4, now(), 'We', '', '', 'They', '', '')
"""
_LINES = """
insert into invoice_line (invoice, place, campaign, title, kind, minutes, net, tax)
select $1, row_number() over (), id, 'A title', 'spent', 1, 10, 1 from (select id from campaign limit $2) as known
"""
_FILES = "update brand set logo = $2, documents = $3 where id = $1"
_OWN: tuple[Switching, bytes | None] = (Switching.STREAMER, None)
"""The streamer's own switch, for which there is no reason."""
_MEMBERSHIP = "insert into membership (id, person, kind, brand, role) values ($1, $2, 'brand', $3, 'owner')"


class Boundless:
    """Quotas that count nothing: what is asked here costs more than one could count."""

    async def take(self, quota: Quota, *subject: str, cost: int = 1) -> Taken:
        return Taken(allowed=True, quota=quota, remaining=quota.times, retry_after_s=0)

    async def left(self, quota: Quota, *subject: str) -> Taken:
        return await self.take(quota)

    async def forget(self, quota: Quota, *subject: str) -> None:
        pass


@dataclass
class Crowd:
    """Who asks, and of whom."""

    ports: Adapters
    vault: PostgresVault
    caller: Actor
    wallets: list[AccountId] = field(default_factory=list)
    top_ups: list[TopUp] = field(default_factory=list)
    people: list[PersonId] = field(default_factory=list)
    streamers: list[StreamerId] = field(default_factory=list)
    assets: list[AssetId] = field(default_factory=list)
    campaigns: list[CampaignId] = field(default_factory=list)
    participations: list[ParticipationId] = field(default_factory=list)
    me: Streamer | None = None
    networks: int = 0
    invoices: int = 0

    @property
    def variables(self) -> Mapping[str, Any]:
        """What documents take: an id of each kind, a page of them, and what is known of everybody."""
        own = global_id("Viewer", self.caller.person)
        wallets = [global_id("Wallet", wallet) for wallet in self.wallets]
        brands = [global_id("Brand", brand) for brand in self.caller.brands]
        campaigns = [global_id("Campaign", campaign) for campaign in self.campaigns]
        top_ups = [global_id("TopUp", top_up.id) for top_up in self.top_ups]
        return {
            "Viewer": own, "Viewers": [own] * len(self.people), "Person": global_id("Person", self.people[0]),
            "Wallet": wallets[0], "Wallets": wallets, "TopUp": top_ups[0], "TopUps": top_ups,
            "Streamer": self._streamers[0], "Streamers": self._streamers,
            "Brand": brands[0], "Brands": brands, "Asset": global_id("Asset", self.assets[-1]),
            "Campaign": campaigns[0], "Campaigns": campaigns,
            "Participation": global_id("Participation", self.participations[-2]),
            "Participations": self._participations,
            "Session": global_id("Session", self.caller.session), "Sessions": self._sessions,
            "search": {"mail": MAIL},
        }  # fmt: skip

    @property
    def _streamers(self) -> list[str]:
        return [global_id("Streamer", streamer) for streamer in self.streamers]

    @property
    def _participations(self) -> list[str]:
        page = self.participations[: len(self.people)]
        return [global_id("Participation", participation) for participation in page]

    @property
    def _sessions(self) -> list[str]:
        return [global_id("Session", self.caller.session)] * len(self.people)

    async def grow(self, pages: int, within: int) -> None:
        """So many more of what lists have, and so many of what is within each of them."""
        await self._stream(within)
        for _ in range(within):
            await self._add_for_the_caller(within)
        for _ in range(pages):
            person = await self._person(within)
            self.people.append(person)
            await self._around(person)
            made = await become_streamer(self.ports.streamer, Actor(person), PROFILE)
            assert isinstance(made, Streamer), made
            self.streamers.append(made.id)
            await self._show(made, within)
            await self._link(made, Platform.TIKTOK, LinkState.PLACED)
            self.top_ups.append(await self._top_up(len(self.top_ups)))
            await self._execute(_CONSENT, self.caller.person)
            await self._brand(person, within)
            await self._campaign(next(iter(self.caller.brands)))
            await self._bill(list(self.caller.brands)[-1], within)
            for _ in range(within):
                await self._creative(self.campaigns[-1])
            await self._participate(made, self.campaigns[0], min(within, 20))
            if self.me is not None:
                await self._participate(self.me, self.campaigns[-1], 1)

    async def _stream(self, within: int) -> None:
        """The caller becomes a streamer, or says more of themselves; each time with one more account."""
        times = tuple(Slot(Weekday.MONDAY, start, start + 1) for start in range(within))
        act = change_profile if self.people else become_streamer
        made = await act(self.ports.streamer, self.caller, replace(PROFILE, schedule=times))
        assert isinstance(made, Streamer), made
        await self._show(made, within)
        self.me = made
        await self._execute(_WATCHED, made.id)
        platform = Platform.FACEBOOK if self.people else Platform.TIKTOK
        await self._link(made, platform, LinkState.CONFIRMED)
        assert isinstance(await add_overlay(self.ports.overlay, self.caller, Settings("A scene")), OverlayWithToken)
        side, reason = (
            (Switching.STAFF, await self.vault.seal(made.person, REASON_FIELD, "why")) if self.people else _OWN
        )
        async with self.ports.overlay.work() as work:
            assert await work.overlays.switch_off(made.id, Stop(side, self.ports.clock()), reason)

    async def _show(self, streamer: Streamer, sizes: int) -> None:
        """A picture of a streamer."""
        person, purpose = streamer.person, AssetPurpose.STREAMER_AVATAR
        avatar = await kept_asset(self.ports, person, streamer.owner, purpose, MediaType.PNG, sizes)
        await self._execute("update streamer set avatar = $2 where id = $1", streamer.id, avatar)

    async def _link(self, streamer: Streamer, platform: Platform, state: LinkState) -> None:
        id_, now = LinkId(uuid7()), self.ports.clock()
        account = await self.vault.seal(streamer.person, ACCOUNT_FIELD, "account")
        link = KeptLink(
            id_, streamer.id, streamer.person, platform, account, id_.bytes, b"", now, LinkState.OFFERED, now
        )
        async with self.ports.streamer.work() as work:
            assert await work.platform_links.add(link)
            await work.platform_links.move(id_, LinkState.PLACED, now)
            if state is not LinkState.PLACED:
                await work.platform_links.move(id_, state, now)

    def forget_keys(self) -> None:
        """As a process that has opened nothing yet."""
        self.vault._cache._kept.clear()

    async def _execute(self, statement: str, *values: object) -> None:
        await self.ports.database.pool.execute(statement, *values)

    async def _add_for_the_caller(self, entries: int) -> None:
        me = self.caller.person
        purpose, currency = _WALLETS[len(self.wallets)]
        self.wallets.append(await self._credited(AccountKey(self.caller.owner, purpose, currency), entries))
        await open_session(self.ports.database.pool, me, Portal.ADMIN)
        await self._identify(me)
        passkey = await self.vault.seal(me, "passkey_name", "a key")
        await self._execute(_PASSKEY, uuid7().bytes, me, passkey)

    async def _person(self, within: int) -> PersonId:
        """Somebody with so many of everything, one of whom is known by several names."""
        person = (await enroll(self.ports.database.pool, staff=StaffRole.SUPPORT)).person
        await self.vault.create_key(person)
        name, mail = [await self.vault.seal(person, field, field) for field in ("name", "mail")]
        await self._execute(_PERSON, person, name, mail, mail_index(self.vault, MAIL))
        for _ in range(within):
            await open_session(self.ports.database.pool, person)
            await self._identify(person)
            brand = uuid7()
            await self._execute(_BRAND, brand, person)
            await self._execute(_MEMBERSHIP, uuid7(), person, brand)
            await self._execute(_MERGED, uuid7(), person)
        async with self.ports.work() as work:
            for wallet in _WALLETS[:within]:
                await work.ledger.open(AccountKey(f"person:{person}", *wallet))
        return person

    async def _brand(self, contact: PersonId, within: int) -> None:
        """A brand of the caller's, with so many others who act for it or are asked to; the caller is, too."""
        brand, me = BrandId(uuid7()), self.caller.person
        await self._execute(_BRAND, brand, contact)
        people = [(await enroll(self.ports.database.pool)).person for _ in range(within)]
        for person in (me, contact, *people):
            await self._execute(_MEMBERSHIP, uuid7(), person, brand)
        mail = await self.vault.seal(contact, MAIL_FIELD, MAIL)
        for index in (me.bytes, *(person.bytes for person in people)):
            invitation = uuid7()
            await self._execute(_INVITATION, invitation, brand, contact, invitation.bytes, mail, index)
        self.caller = replace(self.caller, brands={**self.caller.brands, brand: BrandRole.OWNER})
        owner = f"brand:{brand}"
        async with self.ports.work() as work:
            for currency in list(Currency)[:within]:
                await work.ledger.open(AccountKey(owner, Purpose.BRAND_PREPAID, currency))
        logo = await kept_asset(self.ports, contact, owner, AssetPurpose.BRAND_LOGO, MediaType.PNG, within)
        shown = [
            await kept_asset(self.ports, contact, owner, AssetPurpose.BRAND_DOCUMENT, MediaType.PDF, within)
            for _ in range(within)
        ]
        await self._execute(_FILES, brand, logo, shown)
        self.assets.append(logo)

    async def _campaign(self, brand: BrandId) -> None:
        now = self.ports.clock()
        made = Campaign(CampaignId(uuid7()), brand, plan_of_now(now), now)
        async with self.ports.work() as work:
            assert await work.campaigns.add(made)
        await self._execute("update campaign set state = 'active', launched_at = $2 where id = $1", made.id, now)
        self.campaigns.append(made.id)

    async def _participate(self, made: Streamer, campaign: CampaignId, offers: int) -> None:
        """A streamer in a campaign, with so many offers."""
        found = (await self.ports.campaign.reads.campaigns_by_id([campaign]))[campaign]
        now, state = self.ports.clock(), ParticipationState.APPLIED
        id_ = ParticipationId(uuid7())
        begun = Participation(id_, campaign, found.brand, made.id, made.person, Side.STREAMER, now, state)
        async with self.ports.work() as work:
            assert await work.participations.add(begun)
            for number in range(1, offers + 1):
                await work.participations.close_offer(id_, OfferState.COUNTERED)
                terms = found.plan.terms
                await work.participations.offer(offer_of(begun, found, Side.STREAMER, number, terms, now=now))
        self.participations.append(id_)
        await self._earn(begun, offers)
        await self._talk(begun, offers)

    async def _earn(self, found: Participation, within: int) -> None:
        """So many minutes that wait to be paid, with so much that was shown; one that is odd, and is disputed."""
        minute, dispute = self.ports.clock().replace(second=0, microsecond=0), uuid7()
        reason = await self.vault.seal(found.person, DISPUTE_REASON, "why")
        await self._execute(_LIVE, found.id)
        await self._execute(_EARNING, found.id, found.campaign)
        await self._execute(_MINUTES, found.id, minute, found.streamer, within)
        await self._execute(_HELD, found.id, minute, found.person)
        await self._execute(_ODD, found.id, minute)
        await self._execute(_SHARES, found.id, within)
        await self._execute(_HOURS, found.id, within)
        await self._execute(_DISPUTE, dispute, found.id, found.person, reason)
        await self._execute(_NAMED, dispute, found.id, minute)

    async def _talk(self, found: Participation, within: int) -> None:
        """So many messages, the last of them reported."""
        text, reason = [await self.vault.seal(found.person, each, "why") for each in (TEXT_FIELD, MESSAGE_REASON)]
        await self._execute(_TALK, found.id)
        await self._execute(_COUNTED, found.id, within)
        ids = [uuid7() for _ in range(within)]
        for number, id_ in enumerate(ids, 1):
            await self._execute(_WRITTEN, id_, found.id, number, found.person, text)
        await self._execute(_REPORTED, uuid7(), ids[-1], found.person, reason)

    async def _bill(self, brand: BrandId, within: int) -> None:
        """So many invoices of a brand, with so many lines."""
        await self._execute(_MONTH)
        for currency in list(Currency)[:within]:
            self.invoices += 1
            id_ = uuid7()
            await self._execute(_INVOICE, id_, self.invoices, brand, currency)
            await self._execute(_LINES, id_, within)

    async def _creative(self, campaign: CampaignId) -> None:
        owner = f"brand:{next(iter(self.caller.brands))}"
        asset = await kept_asset(self.ports, self.caller.person, owner, AssetPurpose.CREATIVE, MediaType.PNG, 1)
        made = Creative(CreativeId(uuid7()), campaign, CreativeKind.IMAGE, "", asset, self.ports.clock())
        async with self.ports.work() as work:
            await work.creatives.add(made)

    async def _identify(self, person: PersonId) -> None:
        identity = uuid7()
        subject = await self.vault.seal(person, "subject", "a subject")
        await self._execute(_IDENTITY, identity, person, Provider.GOOGLE, identity.bytes, subject)

    async def _around(self, person: PersonId) -> None:
        """What somebody is named in: a request to merge, a network, and a deed."""
        pool = self.ports.database.pool
        merged = (await enroll(pool)).person
        await self.vault.create_key(merged)
        reason = await self.vault.seal(merged, "merge_reason", "the same voice")
        await self._execute(_MERGE, uuid7(), person, merged, reason, person)
        self.networks += 1
        await self._execute(_NETWORK, f"10.{self.networks}.0.0/16", person)
        looked_through = replace(Actor(merged, impersonator=person), origin=HERE)
        details: dict[str, Detail] = {"one": len(self.people), "two": "2"}
        async with self.ports.work() as work:
            await work.record(Deed("crowd.met", f"person:{person}", looked_through, person, details, details, "why"))

    async def _credited(self, key: AccountKey, times: int) -> AccountId:
        clearing = AccountKey("gateway:midtrans", Purpose.GATEWAY_CLEARING, key.currency)
        credit = Posting(Kind.TOP_UP, clearing, key, Money.whole(1, key.currency))
        async with self.ports.work() as work:
            await work.ledger.open(clearing)
            account = await work.ledger.open(key)
            assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), *[credit] * times))).posted
        return account

    async def _top_up(self, number: int) -> TopUp:
        rupiah = [wallet for wallet, key in zip(self.wallets, _WALLETS, strict=False) if key[1] is Currency.IDR]
        wallet, amount = rupiah[number % len(rupiah)], Money.whole(10_000, Currency.IDR)
        made = await start_top_up(self.ports, self.caller, wallet, amount, Method.QRIS, str(number))
        assert isinstance(made, TopUp), made
        return made


@asynccontextmanager
async def gathered(addresses: DatabaseAddresses, valkey: Valkey) -> AsyncIterator[Crowd]:
    """Nobody yet but the caller, on real servers."""
    async with (
        Database(addresses.app_url) as database,
        Feed(valkey.url).running() as feed,
        open_vault(addresses) as vault,
        plugged(
            database, feed, {"midtrans": FakeGateway()}, GENEROUS, system_clock, Boundless(),
            replace(knowing_nobody(), vault=vault),
        ) as ports,
    ):  # fmt: skip
        enrolled = await enroll(database.pool, staff=StaffRole.SUPER_ADMIN)
        await vault.create_key(enrolled.person)
        await database.pool.execute(
            "update person set mail_index = $2 where id = $1", enrolled.person, enrolled.person.bytes
        )
        caller = Actor(
            enrolled.person, enrolled.session.id, StaffRole.SUPER_ADMIN, frozenset(Permission),
            authenticated_at=datetime.now(UTC), origin=HERE,
        )  # fmt: skip
        yield Crowd(ports, vault, caller)
