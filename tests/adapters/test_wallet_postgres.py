"""The wallet's tables: what SQLModel says, what the migrations made, and what the application may do with them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, bindparam, select
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.compiled import Statement
from adapters.postgres.wallet_tables import ACCOUNT, AttemptRow, InboxRow, PostingRow, TopUpRow
from domain.ids import TransactionId, uuid7
from domain.wallet.gateway import PaymentState
from domain.wallet.model import COUNTED_AS_PENDING, ENDED, TopUpId, TopUpState
from tests.builders import FIFTY, order_of, rupiah, staged

OURS = {str(row.__tablename__) for row in (TopUpRow, AttemptRow, PostingRow, InboxRow)}


def differences(connection: Connection) -> Iterator[object]:
    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or name in OURS

    context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
    yield from (found for found in compare_metadata(context, SQLModel.metadata) if found[0] != "remove_table_comment")


async def test_the_migrations_make_what_the_models_say(database: DatabaseAddresses) -> None:
    async def connect() -> asyncpg.Connection:
        return await asyncpg.connect(database.owner_url)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.connect() as connection:
            assert await connection.run_sync(lambda sync: list(differences(sync))) == []
    finally:
        await engine.dispose()


def test_a_statement_takes_its_own_parameters_only() -> None:
    found = Statement(select(ACCOUNT.c.id).where(ACCOUNT.c.owner == bindparam("owner"), ACCOUNT.c.currency == "IDR"))
    assert found._numbered({"owner": "platform"}) == ["platform", "IDR"]
    with pytest.raises(TypeError, match="no_such"):
        found._numbered({"owner": "platform", "no_such": 1})


async def test_what_is_stored_is_what_is_read(database: DatabaseAddresses) -> None:
    async with staged(database) as stage:
        actor, wallet = await stage.somebody()
        top_up = await stage.started(actor, wallet)
        async with stage.ports.work() as work:
            kept = await work.top_ups.lock(top_up.id)
            now = stage.clock()
            top_up = replace(
                kept.top_up, state=TopUpState.IN_REVIEW, credited=FIFTY, taken_back=rupiah(1), review="why"
            )
            attempt = replace(
                kept.latest, asked_at=now, asking_until=now, opened_at=now, token="t", url="u", credited=True,
                seen=PaymentState.CHARGED_BACK, transaction_id="x", payment_type="qris", received=FIFTY,
                fee=rupiah(3), taken_back=rupiah(2), version=3, checks=4, next_check_at=now + timedelta(hours=1),
            )  # fmt: skip
            await work.top_ups.save(top_up, attempt)
        assert await stage.ports.top_ups.order(order_of(top_up)) == (top_up, attempt)
        async with stage.ports.work() as work:
            again = await work.top_ups.lock(top_up.id)
            assert (again.top_up, again.attempts) == (top_up, (attempt,))
            with pytest.raises(LookupError):
                await work.top_ups.lock(TopUpId(uuid7()))


async def test_postings_are_noted_for_ever_and_facts_cannot_be_rewritten(database: DatabaseAddresses) -> None:
    async with staged(database) as stage:
        top_up = await stage.settled(*await stage.somebody())
        pool = stage.ports.database.pool
        for forbidden in (
            "update top_up_posting set order_id = order_id", "delete from top_up_posting", "delete from top_up",
            "update top_up set amount = amount + 1", "update top_up set person = gen_random_uuid()",
            "update top_up_attempt set order_id = order_id", "delete from top_up_attempt",
            "update inbox set received_at = now()",
        ):  # fmt: skip
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(forbidden)
        assert await pool.fetchval("select order_id from top_up_posting") == order_of(top_up)
        owner = await asyncpg.connect(database.superuser_url)
        try:
            with pytest.raises(asyncpg.PostgresError, match="append-only"):
                await owner.execute("delete from top_up_posting")
        finally:
            await owner.close()


async def test_one_transaction_is_about_one_order(database: DatabaseAddresses) -> None:
    async with staged(database) as stage:
        top_up = await stage.settled(*await stage.somebody())
        known = TransactionId(await stage.ports.database.pool.fetchval("select transaction_id from top_up_posting"))
        with pytest.raises(asyncpg.UniqueViolationError):
            async with stage.ports.work() as work:
                await work.top_ups.note_posting(known, order_of(top_up), [])


async def test_the_words_in_sql_are_the_domains(database: DatabaseAddresses) -> None:
    async with staged(database) as stage:
        actor, wallet = await stage.somebody()
        top_up = await stage.started(actor, wallet)
        day = stage.ports.policy.day_of(stage.clock())
        for state in TopUpState:
            async with stage.ports.work() as work:
                await work.top_ups.save(replace(top_up, state=state))
                standing = await work.top_ups.standing(actor.person, day, FIFTY.currency)
            assert standing.pending == (state in COUNTED_AS_PENDING)
            frees = ENDED - {TopUpState.CANCELLED}  # the page of a cancelled one lives on
            assert standing.started_today == (rupiah(0) if state in frees else FIFTY)
