"""Demo accounts: somebody of every kind, made as people are made, with wallets to look at and to be kept from."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

import pyotp

from adapters.config import Settings
from adapters.identity.tokens import Tokens
from adapters.postgres.database import Database
from adapters.postgres.work import Works
from adapters.wiring import Adapters, connect
from domain.actor import Actor
from domain.audit_log import Deed
from domain.brand.model import Brand, Company, Member, MemberId, Preferences, Size
from domain.brand.model import Profile as BrandProfile
from domain.campaign.editing import create_campaign, submit_campaign
from domain.campaign.model import Brief, Campaign, Plan, Pricing, Terms
from domain.campaign.spending import Schedule
from domain.campaign.targeting import Targeting
from domain.clock import system_clock
from domain.identity.accounts import confirm_sign_up
from domain.identity.links import new_link
from domain.identity.mail_requests import SIGN_UP_FIELD
from domain.identity.model import Locale, Portal, SecondFactor, Session, TicketPurpose
from domain.identity.sessions import SignedIn, end_session
from domain.ids import BrandId, PersonId, SessionId, TransactionId, derived, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from domain.overlay.actions import OverlayWithToken, add_overlay
from domain.overlay.model import Goal
from domain.overlay.model import Settings as OverlaySettings
from domain.rights import BrandRole, StaffRole
from domain.streamer.linking import OfferedCode, ask_code, say_placed
from domain.streamer.model import Category, Platform, Profile, Rating, Slot, Weekday
from domain.streamer.profile import become_streamer
from domain.streamer.refusals import AlreadyStreamer
from domain.vault import PLATFORM


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody to sign in as."""

    meaning: str
    credit: Money | None = None
    """The hosting credit that they start with."""
    stream: Profile | None = None
    """What they say of themselves who stream."""
    brand: BrandRole | None = None
    staff: StaffRole | None = None


_EVENING = (Slot(Weekday.FRIDAY, 20 * 60, 23 * 60),)
_STREAMS: Mapping[str, Profile] = {
    "streamer": Profile(
        "Demo Plays", (Category.GAMES, Category.TALK), "id", Rating.TEEN, "ID", "Asia/Jakarta", _EVENING
    ),
    "singer": Profile("Demo Sings", (Category.MUSIC,), "ms", Rating.EVERYONE, "MY", "Asia/Kuala_Lumpur", _EVENING),
    "cook": Profile("Demo Cooks", (Category.FOOD, Category.TRAVEL), "id", Rating.EVERYONE, "ID", "Asia/Makassar"),
    "racer": Profile("Demo Races", (Category.ESPORTS, Category.GAMES), "en", Rating.MATURE, "SG", "Asia/Singapore"),
}

ACCOUNTS: Mapping[str, Account] = {
    "demo": Account("player", Money.whole(25_000, Currency.IDR)),
    "other": Account("another player", Money.whole(1_000_000, Currency.IDR)),
    **{name: Account(name, stream=stream) for name, stream in _STREAMS.items()},
    **{f"brand-{role}": Account(f"{role} of a brand", brand=role) for role in BrandRole},
    **{role.replace("_", "-"): Account("staff", staff=role) for role in StaffRole},
}
"""By the names that `gametriggers token NAME` knows."""

DEMO = "demo"
"""The account that a developer's GraphiQL is signed in as."""

_BEGAN, _ENDS = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
_BRAND = BrandId(derived("demo-brand", "demo"))
_OVERLAY = OverlaySettings("Main scene", goal=Goal("New microphone", 3, 10))
"""What the demo streamer shows; `rotateOverlayToken` tells a token of it."""
_WHY = "demo account"
_PERSON = "insert into person (id, mail_verified_at) values ($1, now()) on conflict do nothing"
_MEMBERSHIP = """
insert into membership (id, person, kind, brand, role) values ($1, $2, $3, $4, $5) on conflict do nothing
"""
_SESSION = """
insert into session (id, person, portal, created_at, authenticated_at, last_used_at, expires_at)
values ($1, $2, $3, $4, $4, $4, $5) on conflict (id) do update set ended_at = null, end_reason = null
"""
_WALLETS = (Purpose.HOSTING_CREDIT, Purpose.PLAYER_CASH)


class DemoError(Exception):
    """A demo account could not be made; its text says which."""


def mail_of(name: str) -> str:
    """The address that a demo account signs in with."""
    return f"{name}@demo.example"


def demo_password(identity_key: bytes) -> str:
    """The password of every demo account: another one in each checkout, and the same at every start."""
    return base64.b32encode(blake2b(b"demo password", key=identity_key, digest_size=10).digest()).decode().lower()


def demo_totp(identity_key: bytes) -> pyotp.TOTP:
    """The authenticator app of every demo account of staff."""
    secret = base64.b32encode(blake2b(b"demo totp", key=identity_key, digest_size=20).digest()).decode()
    return pyotp.TOTP(secret, name="demo staff", issuer="Gametriggers")


def person_named(name: str) -> PersonId:
    """The person of a demo account, the same at every start; a UUID names that very person."""
    try:
        return PersonId(UUID(name))
    except ValueError:
        return PersonId(derived("demo-person", name))


def demo_session(name: str) -> Session:
    """The session of a demo account, the same at every start, and there once it is enrolled."""
    person = person_named(name)
    return Session(
        SessionId(derived("demo-session", str(person))), person, Portal.PLAYER,
        created_at=_BEGAN, authenticated_at=_BEGAN, last_used_at=_BEGAN, expires_at=_ENDS,
    )  # fmt: skip


async def enroll(database: Database, name: str) -> Session:
    """See to it that a demo account is a person with an open session; once, however often it is called."""
    session = demo_session(name)
    await database.pool.execute(_PERSON, session.person)
    await database.pool.execute(_MEMBERSHIP, uuid7(), session.person, "player", None, None)
    await database.pool.execute(
        _SESSION, session.id, session.person, session.portal, session.created_at, session.expires_at
    )
    return session


def token_for(database_url: str, tokens: Tokens, name: str, days: int) -> str:
    """A token for a demo account, who is enrolled if need be; not within a running loop. Raises what drivers do."""

    async def enrolled() -> Session:
        async with Database(database_url, size=1) as database:
            return await enroll(database, name)

    return tokens.issue(asyncio.run(enrolled()), system_clock(), timedelta(days=days)).text


async def load(settings: Settings) -> None:
    """Make the demo accounts, their roles, and their wallets with the first credit; once, however often called."""
    key = settings.identity_key_bytes
    async with connect(settings) as ports:
        people = {name: person_named(name) for name in ACCOUNTS}
        there = await ports.identity.people.people(list(people.values()))
        for name, account in ACCOUNTS.items():
            if people[name] not in there:
                await _sign_up(ports, name, demo_password(key))
            await _give_roles(ports, people[name], account, demo_totp(key))
            if account.credit is not None:
                await _give_credit(ports.works, people[name], account.credit)
        await enroll(ports.database, DEMO)


async def _sign_up(ports: Adapters, name: str, password: str) -> None:
    """Make a person as the link in a letter does. Raises `DemoError`."""
    identity, person = ports.identity, person_named(name)
    told = {
        "mail": mail_of(name), "name": name.replace("-", " ").title(), "locale": Locale.ENGLISH,
        "hash": await identity.passwords.hash(password),
    }  # fmt: skip
    body = await identity.vault.seal(PLATFORM, SIGN_UP_FIELD, json.dumps(told))
    token, ticket = new_link(identity, TicketPurpose.CONFIRM_SIGN_UP, person, body)
    async with identity.work() as work:
        await work.tickets.add(ticket)
    made = await confirm_sign_up(identity, token, password, Portal.PLAYER, None)
    if not isinstance(made, SignedIn):
        raise DemoError(f"{mail_of(name)} could not sign up: {made}")
    await end_session(identity, Actor(person, made.session.id), made.session.id)


async def _give_roles(ports: Adapters, person: PersonId, account: Account, app: pyotp.TOTP) -> None:
    if account.stream is not None:
        await _stream(ports, person, account.meaning, account.stream)
    if account.brand is not None:
        await _join_brand(ports, person, account.brand)
    if account.brand is BrandRole.OWNER:
        await _plan_campaign(ports, person)
    if account.staff is None:
        return
    secret = await ports.identity.vault.seal(person, "totp", app.secret)
    async with ports.identity.work() as work:
        now = ports.clock()
        if await work.members.staff_role(person) is None:
            await work.members.set_staff_role(person, account.staff, now)
            given = {"role": str(account.staff)}
            await work.record(Deed("staff.role_changed", f"person:{person}", about=person, after=given, reason=_WHY))
        if SecondFactor.TOTP not in await work.second_factors.enrolled(person):
            await work.second_factors.offer_totp(person, secret)
            await work.second_factors.confirm_totp(person, 0, now)
            await work.record(Deed("totp.confirmed", f"person:{person}", about=person, reason=_WHY))


async def _stream(ports: Adapters, person: PersonId, name: str, stream: Profile) -> None:
    """Make somebody a streamer, with an account that waits for staff to look."""
    streamer = Actor(person)
    made = await become_streamer(ports.streamer, streamer, stream)
    if isinstance(made, AlreadyStreamer):
        return
    offered = await ask_code(ports.streamer, streamer, Platform.TIKTOK, f"demo_{name}")
    if not isinstance(offered, OfferedCode):
        raise DemoError(f"{name} could not link an account: {offered}")
    await say_placed(ports.streamer, streamer, offered.link.id)
    added = await add_overlay(ports.overlay, streamer, _OVERLAY)
    if not isinstance(added, OverlayWithToken):
        raise DemoError(f"{name} could not have an overlay: {added}")


async def _join_brand(ports: Adapters, person: PersonId, role: BrandRole) -> None:
    """Let somebody act for the one brand, which waits for staff to verify it."""
    company = Company("Demo Batteries", "Batteries", Size.SMALL, "https://batteries.example")
    wanted = Preferences("Who plays for hours", ("Survival", "Racing"), ("Java", "Bali"))
    async with ports.works() as work:
        now = ports.clock()
        await work.brands.add(Brand(_BRAND, BrandProfile(company, preferences=wanted), person, now))
        if await work.teams.of(_BRAND, [person]) is None:
            await work.teams.add(Member(MemberId(uuid7()), _BRAND, person, role, now))
            given = {"role": str(role)}
            await work.record(Deed("brand.joined", f"brand:{_BRAND}", about=person, after=given, reason=_WHY))


async def _plan_campaign(ports: Adapters, person: PersonId) -> None:
    """Hand in a campaign of the brand's, for staff to look at; one that is there already stays as it is."""
    manager, today = Actor(person), ports.clock().date()
    rate, budget = (Money.whole(units, Currency.IDR) for units in (20_000, 1_000_000))
    plan = Plan(
        Brief("Play longer", "Batteries that last a whole night.", "https://batteries.example/play"),
        Terms(Pricing.CPM, rate, 600), budget, Schedule(today, today + timedelta(days=30), "Asia/Jakarta"),
        targeting=Targeting(countries=("ID",), categories=(Category.GAMES,)),
    )  # fmt: skip
    made = await create_campaign(ports.campaign, manager, _BRAND, plan, "demo")
    if not isinstance(made, Campaign):
        raise DemoError(f"no campaign could be planned: {made}")
    await submit_campaign(ports.campaign, manager, made.id)


async def _give_credit(works: Works, person: PersonId, credit: Money) -> None:
    opening = AccountKey("platform", Purpose.OPENING, credit.currency)
    wallets = [AccountKey(f"person:{person}", purpose, credit.currency) for purpose in _WALLETS]
    gift = Posting(Kind.OPENING_BALANCE, opening, wallets[0], credit)
    async with works() as work:
        for account in (opening, *wallets):
            await work.ledger.open(account)
        await work.ledger.post(Transaction.move(_gift_id(person), gift))


def _gift_id(person: UUID) -> TransactionId:
    return TransactionId(derived("demo-credit", str(person)))
