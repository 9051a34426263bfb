"""What a subscription keeps of the events that have passed: nothing."""

import asyncio
import gc
import tracemalloc
from contextlib import aclosing

import pytest
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from gql.context import Context
from gql.execution import answers
from gql.node import global_id
from gql.operations import EVERYTHING, Operation
from gql.paging import cursor_of
from gql.schema import build_schema
from gql.wallet.types import wallet_scope
from tests.fakes import FakePorts, somebody

FOLLOW = """
subscription ($id: ID!, $after: Cursor) {
  walletChanged(walletId: $id, after: $after) {
    ... on WalletEntry { entry { change { amount } balanceAfter { amount } heldAfter { amount } } }
  }
}
"""
WARM, MEASURED = 100, 600


async def growth(*, planned: bool, stock: bool) -> float:
    """Bytes that stay for each event, on one subscription."""
    schema, ports, me = build_schema(planned=planned), FakePorts(), somebody()
    if stock:
        schema.execution_context_class = StrawberryGraphQLCoreExecutionContext
    wallet = await ports.wallet(me)
    await ports.credit(wallet, *[1] * (WARM + MEASURED))
    variables = {"id": global_id("Wallet", wallet), "after": cursor_of(wallet_scope(wallet), 0)}
    operation = Operation(FOLLOW, variables)
    tracemalloc.start()
    try:
        async with aclosing(answers(schema, operation, Context(ports, me, "id"), EVERYTHING)) as events:
            for _ in range(WARM):
                await anext(events)
                await asyncio.sleep(0)
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(MEASURED):
                assert not (await anext(events)).errors
                await asyncio.sleep(0)  # the loop forgets timers that were called off whenever it has its turn
            gc.collect()
            return (tracemalloc.get_traced_memory()[0] - before) / MEASURED
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("planned", [True, False])
async def test_events_that_have_passed_leave_nothing(*, planned: bool) -> None:
    assert await growth(planned=planned, stock=False) < 60


async def test_and_the_engine_alone_would_keep_something_of_each() -> None:
    """When this fails the engine has been mended: `EventExecutor` can go."""
    assert await growth(planned=False, stock=True) > 600


@pytest.mark.parametrize("count", [10, 100])
async def test_a_list_is_looked_up_as_one(count: int) -> None:
    schema, ports, me = build_schema(), FakePorts(), somebody()
    wallet = await ports.wallet(me)
    ids = [global_id("Wallet", wallet), *(global_id("Wallet", n) for n in range(1000, 1000 + count - 1))]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Wallet { status owes { amount } } } }"
    async with aclosing(answers(schema, Operation(query, {"ids": ids}), Context(ports, me, "id"), EVERYTHING)) as found:
        assert (await anext(found)).errors == []
    assert ports.calls == {"accounts_by_id": 1, "accounts_of": 1}
