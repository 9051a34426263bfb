"""Demo accounts: two people with wallets, for a newcomer to look at one and to be kept from the other."""

from datetime import timedelta
from uuid import UUID

from adapters.identity.tokens import person_named
from adapters.postgres.accounts import AccountIndex
from adapters.postgres.database import Database
from adapters.postgres.deeds import NoVault
from adapters.postgres.work import Works
from domain.clock import system_clock
from domain.ids import PersonId, TransactionId, derived
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money

ACCOUNTS = {"demo": Money.whole(25_000, Currency.IDR), "other": Money.whole(1_000_000, Currency.IDR)}
"""Names that `gametriggers token NAME` knows, and the hosting credit that each starts with."""

TOKEN_LIFETIME = timedelta(days=30)
_WALLETS = (Purpose.HOSTING_CREDIT, Purpose.BRAND_PREPAID, Purpose.PLAYER_CASH)


async def load(database_url: str) -> None:
    """Open the demo accounts' wallets and give them their first credit; once, however often it is called."""
    async with Database(database_url, size=1) as database:
        works = Works(database, AccountIndex(), system_clock, vault=NoVault())
        for name, credit in ACCOUNTS.items():
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
