"""Demo accounts: two people with wallets, for a newcomer to look at one and to be kept from the other."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from adapters.identity.tokens import Tokens
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.database import Database
from adapters.postgres.deeds import NoVault
from adapters.postgres.work import Works
from domain.clock import system_clock
from domain.identity.model import Portal, Session
from domain.ids import PersonId, SessionId, TransactionId, derived, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money

ACCOUNTS = {"demo": Money.whole(25_000, Currency.IDR), "other": Money.whole(1_000_000, Currency.IDR)}
"""Names that `gametriggers token NAME` knows, and the hosting credit that each starts with."""

DEMO = "demo"
"""The account that a developer's GraphiQL is signed in as."""

TOKEN_LIFETIME = timedelta(days=30)

_BEGAN, _ENDS = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
_PERSON = "insert into person (id, mail_verified_at) values ($1, now()) on conflict do nothing"
_MEMBERSHIP = "insert into membership (id, person, kind) values ($1, $2, 'player') on conflict do nothing"
_SESSION = """
insert into session (id, person, portal, created_at, authenticated_at, last_used_at, expires_at)
values ($1, $2, $3, $4, $4, $4, $5) on conflict (id) do update set ended_at = null, end_reason = null
"""
_WALLETS = (Purpose.HOSTING_CREDIT, Purpose.BRAND_PREPAID, Purpose.PLAYER_CASH)


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
    await database.pool.execute(_MEMBERSHIP, uuid7(), session.person)
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


async def load(database_url: str) -> None:
    """Open the demo accounts' wallets and give them their first credit; once, however often it is called."""
    async with Database(database_url, size=1) as database:
        works = Works(database, AccountIndex(), system_clock, vault=NoVault())
        for name, credit in ACCOUNTS.items():
            await enroll(database, name)
            await _load(works, person_named(name), credit)


async def _load(works: Works, person: PersonId, credit: Money) -> None:
    opening = AccountKey("platform", Purpose.OPENING, credit.currency)
    wallets = [AccountKey(f"person:{person}", purpose, credit.currency) for purpose in _WALLETS]
    gift = Posting(Kind.OPENING_BALANCE, opening, wallets[0], credit)
    async with works() as work:
        for account in (opening, *wallets):
            await work.ledger.open(account)
        await work.ledger.post(Transaction.move(_gift_id(person), gift))


def _gift_id(person: UUID) -> TransactionId:
    return TransactionId(derived("demo-credit", str(person)))
