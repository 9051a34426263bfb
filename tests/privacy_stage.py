"""Privacy on a real database with a real vault: people who signed up, their money, and every step made to fail."""

import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any
from zipfile import ZipFile

import asyncpg

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.books import PostgresBooks
from adapters.postgres.deeds import PostgresDeeds
from adapters.postgres.identity.privacy_reads import PostgresPrivacyReads
from domain.actor import Actor
from domain.identity.exports import export_me, fetch_export, make_exports, pieces_of
from domain.identity.model import PersonStatus
from domain.identity.privacy import Export, PrivacyPolicy
from domain.ids import PersonId, TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from tests.accounts_stage import AccountsStage, origin, staged_accounts
from tests.vaults import open_vault

SEAL_KEY = bytes(32)
CLEARING = AccountKey("gateway:midtrans", Purpose.GATEWAY_CLEARING, Currency.IDR)
REVENUE = AccountKey("platform", Purpose.REVENUE, Currency.IDR)


@dataclass(kw_only=True)
class PrivacyStage(AccountsStage):
    """`domain.identity.privacy_stores.PrivacyPorts`, with the means to look behind it."""

    reads: PostgresPrivacyReads
    books: PostgresBooks
    audit_log: PostgresDeeds
    policy: PrivacyPolicy

    async def pay(self, owner: str, units: int, purpose: Purpose = Purpose.HOSTING_CREDIT) -> None:
        """Money comes into a wallet (above zero) or is spent from it."""
        wallet = AccountKey(owner, purpose, Currency.IDR)
        amount = Money.whole(abs(units), Currency.IDR)
        posting = (
            Posting(Kind.TOP_UP, CLEARING, wallet, amount)
            if units > 0
            else Posting(Kind.HOSTING_CHARGE, wallet, REVENUE, amount)
        )
        async with self.work() as work:
            for account in (wallet, CLEARING, REVENUE):
                await work.ledger.open(account)
            outcome = await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))
            assert outcome.posted, outcome

    async def owe(self, owner: str, units: int) -> None:
        """A chargeback that a wallet could not pay."""
        debt = AccountKey(owner, Purpose.RECEIVABLE, Currency.IDR)
        posting = Posting(Kind.CHARGEBACK, debt, CLEARING, Money.whole(units, Currency.IDR))
        async with self.work() as work:
            await work.ledger.open(debt)
            await work.ledger.open(CLEARING)
            assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))).posted

    async def merged(self, survivor: PersonId, merged: PersonId) -> None:
        """Staff found that two are one."""
        async with self.work() as work:
            identities = (await self.people.identities_of([merged]))[merged]
            sealed = {
                each.id: await self.vault.seal(survivor, "subject", each.subject) for each in identities if each.subject
            }
            await work.merges.join(survivor, merged, sealed)
            await work.people.set_status(merged, PersonStatus.MERGED, survivor=survivor)

    async def exported(self, actor: Actor) -> ZipFile:
        """Somebody's export, asked for, made and fetched."""
        export = await export_me(self, actor)
        assert isinstance(export, Export), export
        assert (await make_exports(self, self.clock())).failed == []
        await self.post()
        return await self.fetched(self.token("ExportReady"))

    async def fetched(self, token: str) -> ZipFile:
        download = await fetch_export(self, token, origin())
        assert download is not None
        content = b"".join([piece async for piece in pieces_of(self, download)])
        assert len(content) == download.bytes
        return ZipFile(io.BytesIO(content))


def table(archive: ZipFile, name: str) -> list[dict[str, Any]]:
    """A table of an export, the same by JSON and by CSV as far as CSV can tell."""
    rows: list[dict[str, Any]] = json.loads(archive.read(f"{name}.json"))
    text = archive.read(f"{name}.csv").decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(found) == len(rows)
    assert all(list(line) == list(row) for line, row in zip(found, rows, strict=True))
    return rows


@asynccontextmanager
async def staged_privacy(addresses: DatabaseAddresses, **policy: Any) -> AsyncIterator[PrivacyStage]:
    async with AsyncExitStack() as stack:
        vault = await stack.enter_async_context(open_vault(addresses))
        accounts = await stack.enter_async_context(staged_accounts(addresses, vault=vault))
        given = {part.name: getattr(accounts, part.name) for part in fields(AccountsStage)}
        yield PrivacyStage(
            **given,
            policy=PrivacyPolicy(**policy),
            reads=PostgresPrivacyReads(accounts.database, vault),
            books=PostgresBooks(accounts.database),
            audit_log=PostgresDeeds(accounts.database, vault, SEAL_KEY),
        )


async def all_that_is_written(addresses: DatabaseAddresses) -> str:
    """Every value of every table, as text; bytes also as whatever text they may hold."""
    connection = await asyncpg.connect(addresses.superuser_url)
    try:
        tables = await connection.fetch(
            "select relname from pg_class where relkind in ('r', 'p', 'm') and relnamespace = 'public'::regnamespace"
        )
        written: list[str] = []
        for found in tables:
            for row in await connection.fetch(f'select * from "{found["relname"]}"'):
                written += [_text(value) for value in row.values()]
        assert len(tables) > 25
        return "\n".join(written)
    finally:
        await connection.close()


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


async def as_superuser(addresses: DatabaseAddresses, statement: str, *values: object) -> None:
    """Change what the application may not."""
    connection = await asyncpg.connect(addresses.superuser_url)
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()
