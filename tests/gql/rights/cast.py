"""Every kind of caller, and what each has: real people with real sessions, on a real database."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from adapters.identity.tokens import Tokens
from adapters.wiring import Adapters
from domain.actor import Actor
from domain.asset.model import MediaType, RenditionName
from domain.asset.model import Purpose as AssetPurpose
from domain.brand.invitations import MAIL_FIELD
from domain.campaign.beginning import offer_of
from domain.campaign.creatives import Creative, CreativeId, CreativeKind
from domain.campaign.model import Campaign, CampaignId
from domain.campaign.participation import Participation, ParticipationId, ParticipationState
from domain.campaign.participation import Side as Party
from domain.earning.arithmetic import Parts
from domain.earning.disputing import REASON_FIELD
from domain.earning.postings import Route, set_aside
from domain.identity.model import ACCESS_LIFETIME
from domain.identity.provider import Provider
from domain.ids import AccountId, BrandId, TransactionId, uuid7
from domain.invoice.issuing import issue
from domain.invoice.model import Line, LineKind, Month
from domain.invoice.model import Party as InvoiceParty
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.message.model import REASON_FIELD as MESSAGE_REASON
from domain.message.model import TEXT_FIELD
from domain.money import Currency, Money
from domain.overlay.actions import OverlayWithToken, add_overlay
from domain.overlay.alerts import send_test
from domain.overlay.model import AlertKind, Goal, Settings
from domain.rights import USUAL_PERMISSIONS, BrandRole, StaffRole
from domain.streamer.model import KeptLink, LinkId, LinkState, Platform, Streamer, StreamerId
from domain.streamer.platforms import code_digest
from domain.streamer.profile import become_streamer
from domain.wallet.actions import start_top_up
from domain.wallet.gateway import Method
from domain.wallet.model import TopUp
from gql.node import global_id
from tests.asset_stage import kept_asset
from tests.campaign_stage import PLAN, plan_of_now
from tests.gql.rights.asking import DOUBTED, FROZEN, HELD, PLATFORM_CODE
from tests.people import Enrolled, enroll, open_session
from tests.streamer_stage import PROFILE

OFFICE, ELSEWHERE = "10.20.30.40", "203.0.113.9"
NETWORK = "10.0.0.0/8"
_ROLES = ", ".join(f"('{role}', '{{{','.join(sorted(may))}}}'::text[])" for role, may in USUAL_PERMISSIONS.items())
_AS_USUAL = f"""
delete from staff_network where network <> '{NETWORK}';
insert into staff_network values ('{NETWORK}', 'the office') on conflict do nothing;
insert into staff_role values {_ROLES} on conflict (role) do update set permissions = excluded.permissions
where staff_role.permissions <> excluded.permissions
"""
"""What all share: what roles may do, and the networks that staff may come from."""
_MERGE = "insert into merge_request values ($1, $2, $3, null, $4, now())"
_IDENTITY = "insert into sign_in_identity (id, person, provider, subject_index, subject) values ($1, $2, $3, $4, $5)"
_PASSKEY = "insert into passkey (credential, person, public_key, sign_count, name) values ($1, $2, $1, 0, $3)"
_MEMBER = "select id from membership where brand = $1 and person = $2"
_INVITATION = """
insert into brand_invitation (id, brand, role, invited_by, digest, mail, mail_index, created_at, expires_at)
values ($1, $2, 'viewer', $3, $4, $5, $4, now(), now() + interval '7 days')
"""
_EARNING = """
insert into earning (participation, campaign, take, withholding_tax, value_added_tax, begun_at, minutes, viewers, gross,
    cost, seq)
select id, campaign, 2000, 0, 1100, now(), 2, 200, 200000, 222000, 3 from participation where id = $1
"""
_SHOWN = """
insert into creative (id, campaign, kind, body, state, created_at, decided_at)
values (gen_random_uuid(), $1, 'html', '<p>Play longer</p>', 'approved', now(), now())
"""
_LIVE = """
insert into participation (id, campaign, streamer, person, begun_by, state, created_at, campaign_version, pricing, rate,
    currency, minutes, agreed_at, disclosed_at, live_at)
select $1, $2, id, person, 'streamer', 'live', now(), 1, 'cpm', 100000, 'IDR', 100, now(), now(), now()
from streamer where id = $3
"""
_AGREED = """
insert into offer (participation, number, side, campaign, campaign_version, pricing, rate, currency, minutes, state,
    made_at, expires_at)
select id, 1, 'streamer', campaign, 1, pricing, rate, currency, minutes, 'accepted', now(), now() from participation
where id = $1
"""
_MINUTES = f"""
insert into earning_minute (participation, minute, streamer, state, person, day, viewers, before_minutes,
    before_viewers, before_gross, before_cost, earned, take, withheld, added, seq, closed_at)
select id, minute, streamer, minute_state, person, '{HELD}', 100, 0, 0, 0, 0, 80000, 20000, 0, 11000, 1, now()
from participation cross join (values (timestamptz '{HELD}', 'held'), ('{FROZEN}', 'frozen'))
    as two (minute, minute_state)
where id = $1
"""
_DOUBTED = f"""
insert into earning_minute (participation, minute, streamer, state, reason, seq, closed_at)
select id, '{DOUBTED}', streamer, 'review', 'no_sample', 1, now() from participation where id = $1
"""
_SHARES = """
insert into earning_share (participation, minute, creative, seconds, gross)
select participation, minute, $2, 60, 100000 from earning_minute
where participation = $1 and earned is not null
"""
_DISPUTE = """
insert into dispute (id, participation, side, person, reason, opened_at) values ($1, $2, $3, $4, $5, now())
"""
_DISPUTED = f"insert into dispute_minute (dispute, participation, minute) values ($1, $2, '{FROZEN}')"
_TALK = "insert into conversation (participation, messages, seq) values ($1, 2, 2)"
_WRITTEN = """
insert into message (id, participation, number, side, person, text, sent_at, seq)
values ($1, $2, $3, $4, $5, $6, now(), $3)
"""
_REPORTED = "insert into message_report (id, message, person, reason, reported_at) values ($1, $2, $3, $4, now())"
_HOUR = f"""
insert into earning_hour (participation, hour, creative, campaign, seconds, impressions, viewer_minutes, gross, cost,
    earned)
select participation, '{HELD}', $2, campaign, 120, 200, 200, gross, cost, 160000 from earning where participation = $1
"""
_DAY = f"insert into campaign_day select campaign, '{HELD}', cost from earning where participation = $1"
_MONTH = "insert into invoice_month values ($1, $2, $3) on conflict do nothing"
_CLEARING = AccountKey("gateway:midtrans", Purpose.GATEWAY_CLEARING, Currency.IDR)


@dataclass(frozen=True)
class Caller:
    """A kind of caller. `brand`: which of two brands they are in; `spoilt`: what is done to their session at last."""

    mark: str
    meaning: str
    staff: StaffRole | None = None
    brand: tuple[int, BrandRole] | None = None
    streamer: bool = False
    impersonated: bool = False
    stepped_up: bool = True
    second_factor: bool = True
    address: str = OFFICE
    spoilt: str = ""
    expired: bool = False
    signed_in: bool = True
    screen: bool = False


CALLERS = (
    Caller("anon", "nobody who is signed in", signed_in=False),
    Caller("expd", "a player whose token has expired", expired=True),
    Caller("rvkd", "a player whose session was revoked",
           spoilt="update session set ended_at = now(), end_reason = 'revoked' where person = $1"),
    Caller("band", "a player who was banned",
           spoilt="update person set status = 'banned' where id = $1"),
    Caller("play", "a player"),
    Caller("strm", "a streamer", streamer=True),
    Caller("bown", "an owner of a brand", brand=(0, BrandRole.OWNER)),
    Caller("bmgr", "a manager of that brand", brand=(0, BrandRole.MANAGER)),
    Caller("bvwr", "a viewer of that brand", brand=(0, BrandRole.VIEWER)),
    Caller("both", "an owner of the other brand", brand=(1, BrandRole.OWNER)),
    Caller("supp", "staff: support", staff=StaffRole.SUPPORT),
    Caller("modr", "staff: moderator", staff=StaffRole.MODERATOR),
    Caller("admn", "staff: admin", staff=StaffRole.ADMIN),
    Caller("supr", "staff: super admin", staff=StaffRole.SUPER_ADMIN),
    Caller("nstp", "a super admin without a fresh code", staff=StaffRole.SUPER_ADMIN, stepped_up=False),
    Caller("n2fa", "a super admin without a second factor", staff=StaffRole.SUPER_ADMIN, second_factor=False),
    Caller("away", "a super admin from a network that is not allowed", staff=StaffRole.SUPER_ADMIN, address=ELSEWHERE),
    Caller("ovly", "the page of a streamer's overlay", signed_in=False, screen=True),
    Caller("eyes", "an admin who looks through a player's eyes", impersonated=True),
)  # fmt: skip
"""From those who are nobody to those who may most."""


@dataclass
class Side:
    """Somebody and what is theirs: ids by kind, as clients give them."""

    enrolled: Enrolled
    owner: str
    keys: dict[str, object] = field(default_factory=dict)
    token: str = ""
    """Of their overlay."""

    @property
    def ids(self) -> Mapping[str, str]:
        """Global ids by kind; and under small letters what is named by a UUID."""
        named = {"person": str(self.enrolled.person), "brand": self.owner.partition(":")[2]}
        return Nobodys(named | {kind: _global_id(kind, key) for kind, key in self.keys.items()})


@dataclass
class Cast:
    """One caller, with what is theirs, what is another's, and what is nobody's."""

    caller: Caller
    headers: Mapping[str, str]
    own: Side
    other: Side
    nobodys: Mapping[str, str]


class Casting:
    """Makes casts on a database. `pool` may write everything."""

    def __init__(self, pool: Any, ports: Adapters, tokens: Tokens) -> None:
        self._pool, self._ports, self._tokens = pool, ports, tokens

    async def cast(self, caller: Caller) -> Cast:
        """A caller of a kind, new with all that they have."""
        await self._pool.execute(_AS_USUAL)
        brands = [BrandId(uuid7()), BrandId(uuid7())]
        own = await self._caller(caller, brands)
        number = caller.brand[0] if caller.brand else 0
        other = await enroll(self._pool, brands={brands[1 - number]: BrandRole.OWNER} if caller.brand else {})
        mine = await self._side(own, f"brand:{brands[number]}" if caller.brand else own.actor.owner)
        others = await self._side(other, f"brand:{brands[1 - number]}" if caller.brand else other.actor.owner)
        if caller.spoilt:
            await self._pool.execute(caller.spoilt, own.person)
        headers = self._headers(caller, own)
        if caller.screen:
            headers["Authorization"] = f"Bearer {mine.token}"
        return Cast(caller, headers, mine, others, Nobodys())

    async def _caller(self, caller: Caller, brands: list[BrandId]) -> Enrolled:
        now = datetime.now(UTC)
        if caller.impersonated:
            admin = await enroll(self._pool, staff=StaffRole.ADMIN)
            person = await enroll(self._pool)
            return Enrolled(await open_session(self._pool, person.person, impersonator=admin.person))
        changes = {} if caller.staff is None or caller.second_factor else {"second_factor_at": None}
        found = await enroll(
            self._pool, staff=caller.staff, streamer=caller.streamer, **changes,
            brands={brands[caller.brand[0]]: caller.brand[1]} if caller.brand else {},
        )  # fmt: skip
        if caller.staff is not None and caller.stepped_up:
            await self._pool.execute("update session set stepped_up_at = $2 where id = $1", found.session.id, now)
        return found

    def _headers(self, caller: Caller, own: Enrolled) -> dict[str, str]:
        headers = {"X-Forwarded-For": caller.address}
        if caller.signed_in:
            issued = datetime.now(UTC) - (timedelta(hours=1) if caller.expired else timedelta())
            headers["Authorization"] = f"Bearer {self._tokens.issue(own.session, issued, ACCESS_LIFETIME).text}"
        return headers

    async def _side(self, enrolled: Enrolled, owner: str) -> Side:
        side = Side(enrolled, owner)
        await self._ports.identity.vault.create_key(enrolled.person)
        for kind, make in MAKERS.items():
            made = await make(self._pool, self._ports, side)
            if made is not None:
                side.keys[kind] = made
        return side


class Nobodys(dict[str, str]):
    """Ids by kind; where there is none of a kind, one that is well formed and names nothing."""

    def __missing__(self, kind: str) -> str:
        key: object = 9_999_999 if kind == "Wallet" else "01a1fe00-0000-7000-8000-000000000001"
        return str(key) if kind.islower() else _global_id(kind, key)


def _global_id(kind: str, key: object) -> str:
    return global_id(kind.removeprefix("Another"), key)


async def _viewer(_: Any, __: Adapters, side: Side) -> object:
    return side.enrolled.person


async def _session(pool: Any, _: Adapters, side: Side) -> object:
    return (await open_session(pool, side.enrolled.person)).id


async def _wallet(_: Any, ports: Adapters, side: Side) -> object:
    key = AccountKey(side.owner, Purpose.HOSTING_CREDIT, Currency.IDR)
    async with ports.work() as work:
        await work.ledger.open(_CLEARING)
        wallet = await work.ledger.open(key)
        credit = Posting(Kind.TOP_UP, _CLEARING, key, Money.whole(777, Currency.IDR))
        assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), credit))).posted
    return wallet


async def _top_up(_: Any, ports: Adapters, side: Side) -> object:
    kind, _, name = side.owner.partition(":")
    brands = {BrandId(UUID(name)): BrandRole.OWNER} if kind == "brand" else {}
    payer, wallet = Actor(side.enrolled.person, brands=brands), AccountId(int(str(side.keys["Wallet"])))
    made = await start_top_up(ports, payer, wallet, Money.whole(50_000, Currency.IDR), Method.QRIS, "first")
    assert isinstance(made, TopUp), made
    return made.id


async def _another_person(pool: Any, ports: Adapters, _: Side) -> object:
    person = (await enroll(pool)).person
    await ports.identity.vault.create_key(person)
    return person


async def _merge_request(pool: Any, _: Adapters, side: Side) -> object:
    merged, asked_by = await enroll(pool), await enroll(pool, staff=StaffRole.ADMIN)
    request = uuid7()
    await pool.execute(_MERGE, request, side.enrolled.person, merged.person, asked_by.person)
    return request


async def _identity(pool: Any, ports: Adapters, side: Side) -> object:
    identity, person = uuid7(), side.enrolled.person
    subject = await ports.identity.vault.seal(person, "subject", "a subject")
    await pool.execute(_IDENTITY, identity, person, Provider.GOOGLE, identity.bytes, subject)
    return identity


async def _passkey(pool: Any, ports: Adapters, side: Side) -> object:
    credential, person = uuid7().bytes, side.enrolled.person
    await pool.execute(_PASSKEY, credential, person, await ports.identity.vault.seal(person, "passkey_name", "a key"))
    return sha256(credential).hexdigest()


async def _streamer(_: Any, ports: Adapters, side: Side) -> object:
    made = await become_streamer(ports.streamer, Actor(side.enrolled.person), PROFILE)
    assert isinstance(made, Streamer), made
    return made.id


async def _platform_link(_: Any, ports: Adapters, side: Side) -> object:
    """One that waits to be checked, of an account that nobody else has, with a code that all know."""
    vault, person, now = ports.identity.vault, side.enrolled.person, ports.clock()
    id_, streamer = LinkId(uuid7()), StreamerId(UUID(str(side.keys["Streamer"])))
    digest = code_digest(vault, id_, PLATFORM_CODE)
    link = KeptLink(
        id_, streamer, person, Platform.TIKTOK, await vault.seal(person, "platform_account", "an_account"), id_.bytes,
        digest, now + timedelta(days=1), LinkState.OFFERED, now,
    )  # fmt: skip
    async with ports.streamer.work() as work:
        assert await work.platform_links.add(link)
        assert await work.platform_links.move(id_, LinkState.PLACED, now)
    return id_


async def _overlay(pool: Any, ports: Adapters, side: Side) -> object:
    """One that shows a campaign of somebody's."""
    made = await add_overlay(ports.overlay, Actor(side.enrolled.person), Settings("Main scene", goal=Goal("All", 1, 2)))
    assert isinstance(made, OverlayWithToken), made
    side.token = made.token
    sent = await send_test(ports.overlay, Actor(side.enrolled.person), made.overlay, AlertKind.TIP, "Ayu", "")
    assert sent == made.overlay
    campaign = await _another_campaign(pool, ports, side)
    await pool.execute(_SHOWN, campaign)
    await pool.execute(_LIVE, uuid7(), campaign, side.keys["Streamer"])
    return made.overlay


async def _brand(_: Any, __: Adapters, side: Side) -> object | None:
    kind, _colon, name = side.owner.partition(":")
    return UUID(name) if kind == "brand" else None


async def _asset(pool: Any, ports: Adapters, side: Side) -> object:
    """A logo of their brand, or a picture of themselves."""
    brand = side.keys.get("Brand")
    found = await kept_asset(ports, side.enrolled.person, side.owner, *_PICTURES[brand is not None], len(RenditionName))
    if brand is None:
        await pool.execute("update streamer set avatar = $2 where id = $1", side.keys["Streamer"], found)
    else:
        await pool.execute("update brand set logo = $2 where id = $1", brand, found)
    return found


async def _document(pool: Any, ports: Adapters, side: Side) -> object | None:
    if "Brand" not in side.keys:
        return None
    found = await kept_asset(ports, side.enrolled.person, side.owner, AssetPurpose.BRAND_DOCUMENT, MediaType.PDF)
    await pool.execute("update brand set documents = array[$2::uuid] where id = $1", side.keys["Brand"], found)
    return found


_PICTURES = {
    True: (AssetPurpose.BRAND_LOGO, MediaType.PNG),
    False: (AssetPurpose.STREAMER_AVATAR, MediaType.PNG),
}


async def _brand_member(pool: Any, ports: Adapters, side: Side) -> object | None:
    if "Brand" not in side.keys:
        return None
    brand = BrandId(UUID(str(side.keys["Brand"])))
    colleague = await enroll(pool, brands={brand: BrandRole.OWNER})
    await ports.identity.vault.create_key(colleague.person)
    await pool.execute("update brand set contact = $2 where id = $1", brand, colleague.person)
    found: UUID = await pool.fetchval(_MEMBER, brand, colleague.person)
    return found


async def _brand_invitation(pool: Any, ports: Adapters, side: Side) -> object | None:
    if "Brand" not in side.keys:
        return None
    invitation, person = uuid7(), side.enrolled.person
    mail = await ports.identity.vault.seal(person, MAIL_FIELD, "somebody@mail.example")
    await pool.execute(_INVITATION, invitation, side.keys["Brand"], person, invitation.bytes, mail)
    return invitation


async def _campaign(pool: Any, ports: Adapters, side: Side) -> object | None:
    """One that its brand plans."""
    if "Brand" not in side.keys:
        return None
    made = Campaign(CampaignId(uuid7()), BrandId(UUID(str(side.keys["Brand"]))), PLAN, ports.clock())
    async with ports.work() as work:
        assert await work.campaigns.add(made)
    await _billed(pool, ports, made)
    return made.id


async def _billed(pool: Any, ports: Adapters, campaign: Campaign) -> None:
    """An invoice of the brand's, of a month of which others are still to come."""
    month = Month(date(2026, 1, 1), datetime(2025, 12, 31, 17, tzinfo=UTC), datetime(2026, 1, 31, 17, tzinfo=UTC))
    await pool.execute(_MONTH, *month)
    line = Line(campaign.id, "A title", LineKind.SPENT, 1, 10, 1)
    async with ports.invoice.work() as work:
        buyer = InvoiceParty("They", "", "")
        await issue(ports.invoice, work, campaign.brand, month, Currency.IDR, buyer, [line], ports.clock())


async def _creative(_: Any, ports: Adapters, side: Side) -> object | None:
    """Something that the campaign would show."""
    if "Campaign" not in side.keys:
        return None
    campaign = CampaignId(UUID(str(side.keys["Campaign"])))
    asset = await kept_asset(ports, side.enrolled.person, side.owner, AssetPurpose.CREATIVE, MediaType.PNG)
    made = Creative(CreativeId(uuid7()), campaign, CreativeKind.IMAGE, "", asset, ports.clock())
    async with ports.work() as work:
        await work.creatives.add(made)
    return made.id


async def _offered(pool: Any, ports: Adapters, side: Side) -> object:
    """A participation that is not agreed on: in the brand's campaign, or of theirs who streams."""
    streamer = await _streamer_of(pool, ports, side)
    begun_by = Party.BRAND if "Campaign" in side.keys else Party.STREAMER
    key = str(side.keys["Campaign" if "Campaign" in side.keys else "AnotherCampaign"])
    campaign = (await ports.campaign.reads.campaigns_by_id([CampaignId(UUID(key))]))[CampaignId(UUID(key))]
    state = ParticipationState.APPLIED if begun_by is Party.STREAMER else ParticipationState.INVITED
    made = Participation(
        ParticipationId(uuid7()), campaign.id, campaign.brand, StreamerId(UUID(str(streamer.keys["Streamer"]))),
        streamer.enrolled.person, begun_by, ports.clock(), state,
    )  # fmt: skip
    async with ports.work() as work:
        assert await work.participations.add(made)
        await work.participations.offer(offer_of(made, campaign, begun_by, 1, campaign.plan.terms, now=ports.clock()))
    return made.id


async def _participation(pool: Any, ports: Adapters, side: Side) -> object:
    """One that is live and has earned: in the brand's campaign, or of theirs who streams."""
    streamer, made = await _streamer_of(pool, ports, side), uuid7()
    campaign = side.keys["Campaign"] if "Campaign" in side.keys else await _another_campaign(pool, ports, side)
    await pool.execute(_LIVE, made, campaign, streamer.keys["Streamer"])
    for statement in (_AGREED, _EARNING, _MINUTES, _DOUBTED, _DAY):
        await pool.execute(statement, made)
    creative = uuid7()
    for statement in (_SHARES, _HOUR):
        await pool.execute(statement, made, creative)
    await _set_aside(ports, Route(UUID(str(campaign)), streamer.enrolled.person, Currency.IDR), made)
    return made


async def _set_aside(ports: Adapters, route: Route, participation: UUID) -> None:
    """What the minutes of a participation cost, as the ledger knows it."""
    opening, parts = AccountKey("platform", Purpose.OPENING, route.currency), Parts(80_000, 20_000, 0, 11_000)
    budget = Posting(Kind.OPENING_BALANCE, opening, route.escrow, Money.whole(1_000_000, route.currency))
    async with ports.work() as work:
        for account in (opening, *route.accounts):
            await work.ledger.open(account)
        assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), budget))).posted
        for minute in (HELD, FROZEN):
            hold = set_aside(route, participation, datetime.fromisoformat(minute), parts)
            assert hold is not None
            assert (await work.ledger.post(hold)).posted


async def _streamer_of(pool: Any, ports: Adapters, side: Side) -> Side:
    """Who streams in a participation: for a brand somebody who is nobody's here, and otherwise themselves."""
    if "Campaign" not in side.keys:
        return side
    streamer = Side(await enroll(pool), "")
    await ports.identity.vault.create_key(streamer.enrolled.person)
    streamer.keys["Streamer"] = await _streamer(pool, ports, streamer)
    return streamer


async def _another_campaign(pool: Any, ports: Adapters, _: Side) -> object:
    """One of a brand that is nobody's here, which runs."""
    brand = BrandId(uuid7())
    await enroll(pool, brands={brand: BrandRole.OWNER})
    made = Campaign(CampaignId(uuid7()), brand, plan_of_now(ports.clock()), ports.clock())
    async with ports.work() as work:
        assert await work.campaigns.add(made)
    await pool.execute("update campaign set state = 'active', launched_at = now() where id = $1", made.id)
    return made.id


async def _dispute(pool: Any, ports: Adapters, side: Side) -> object:
    """About one of the participation's minutes; another is held, and one waits for staff."""
    participation, dispute, person = side.keys["Participation"], uuid7(), side.enrolled.person
    reason = await ports.identity.vault.seal(person, REASON_FIELD, "Nobody saw it.")
    party = Party.BRAND if "Brand" in side.keys else Party.STREAMER
    await pool.execute(_DISPUTE, dispute, participation, party, person, reason)
    await pool.execute(_DISPUTED, dispute, participation)
    return dispute


async def _message(pool: Any, ports: Adapters, side: Side) -> object:
    """What the other side of the participation wrote, and reported was; an answer to it stands beside it."""
    participation, message, person = side.keys["Participation"], uuid7(), side.enrolled.person
    writer = (await enroll(pool)).person
    await ports.identity.vault.create_key(writer)
    parties = (Party.STREAMER, Party.BRAND) if "Brand" in side.keys else (Party.BRAND, Party.STREAMER)
    await pool.execute(_TALK, participation)
    written = ((message, 1, parties[0], writer), (uuid7(), 2, parties[1], person))
    for id_, number, party, who in written:
        text = await ports.identity.vault.seal(who, TEXT_FIELD, "Good evening")
        await pool.execute(_WRITTEN, id_, participation, number, party, who, text)
    reason = await ports.identity.vault.seal(person, MESSAGE_REASON, "It is rude.")
    await pool.execute(_REPORTED, uuid7(), message, person, reason)
    return message


MAKERS: Mapping[str, Callable[[Any, Adapters, Side], Awaitable[object | None]]] = {
    "Viewer": _viewer, "Person": _viewer, "AnotherPerson": _another_person, "Session": _session, "Wallet": _wallet,
    "Brand": _brand, "BrandMember": _brand_member, "BrandInvitation": _brand_invitation,
    "TopUp": _top_up, "MergeRequest": _merge_request, "SignInIdentity": _identity, "Passkey": _passkey,
    "Streamer": _streamer, "PlatformLink": _platform_link, "Asset": _asset, "AnotherAsset": _document,
    "Overlay": _overlay, "Campaign": _campaign, "Creative": _creative, "AnotherCampaign": _another_campaign,
    "AnotherParticipation": _offered, "Participation": _participation, "Dispute": _dispute,
    "Message": _message,
}  # fmt: skip
"""How somebody comes by an object of each kind; the answer is its key, None where they have none.
Each may lean on those before it."""
