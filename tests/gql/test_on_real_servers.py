"""The application on real PostgreSQL and Valkey: statements counted, changes told, readiness as it is."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from asyncpg import Connection

from adapters import wiring
from adapters.config import Settings
from adapters.embedded.database import DatabaseAddresses
from adapters.embedded.postgres import EmbeddedPostgres
from adapters.identity.tokens import Tokens
from adapters.postgres.database import Database
from adapters.redis.feed import Feed
from adapters.relay import Relay
from adapters.wiring import Adapters, plugged, quotas_of
from domain.actor import Actor
from domain.clock import system_clock
from domain.identity.model import Session
from domain.ids import AccountId, PersonId, TransactionId, uuid7
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountKey, Posting, Transaction
from domain.money import Currency, Money
from domain.wallet.actions import open_wallet, start_top_up
from domain.wallet.gateway import Method
from domain.wallet.model import TopUp
from domain.wallet.policy import TopUpPolicy
from gql.node import global_id
from tests.fake_wallet import FakeGateway
from tests.fakes import FakePorts
from tests.gql.house import House, served, settings_for
from tests.gql.test_live import FOLLOW
from tests.identity_parts import knowing_nobody
from tests.people import enroll
from tests.servers import Valkey
from tests.waiting import eventually

IDR = Currency.IDR
GENEROUS = TopUpPolicy(most_pending=1_000, daily_cap=Money.whole(10**12, IDR))
CLEARING = AccountKey("gateway:midtrans", Purpose.GATEWAY_CLEARING, IDR)


class RealHouse(House):
    """The application over adapters."""

    real: Adapters

    def __init__(self, settings: Settings, url: str, client: aiohttp.ClientSession, real: Adapters) -> None:
        super().__init__(FakePorts(), Tokens.of_file(settings.token_key_file, settings.public_url), url, client)
        self.real, self.enrolled = real, dict[PersonId, Session]()

    async def enroll(self) -> Actor:
        """Somebody who is signed in."""
        found = await enroll(self.real.database.pool)
        self.enrolled[found.person] = found.session
        return found.actor

    def session(self, actor: Actor) -> Session:
        return self.enrolled[actor.person]


@asynccontextmanager
async def connect(holder: list[Adapters], settings: Settings) -> AsyncIterator[Adapters]:
    redis_url = settings.redis_url.get_secret_value()
    async with (
        Database(settings.database_url.get_secret_value()) as database,
        Feed(redis_url).running() as feed,
        quotas_of(settings, database).running() as quotas,
        plugged(database, feed, {"midtrans": FakeGateway()}, GENEROUS, system_clock, quotas, knowing_nobody()) as ports,
        ports.standings.running(),
    ):
        holder.append(ports)
        yield ports


@pytest.fixture
async def real(tmp_path: Path, database: DatabaseAddresses, valkey: Valkey) -> AsyncIterator[RealHouse]:
    settings = settings_for(tmp_path, "production", database_url=database.app_url, redis_url=valkey.url)
    holder: list[Adapters] = []
    async with served(settings, partial(connect, holder)) as url, aiohttp.ClientSession() as client:
        yield RealHouse(settings, url, client, holder[0])


async def wallet_of(house: RealHouse, actor: Actor) -> AccountId:
    made = await open_wallet(house.real, actor, Purpose.HOSTING_CREDIT, IDR)
    assert isinstance(made, int)
    return made


async def credit(house: RealHouse, actor: Actor, *amounts: int) -> None:
    target = AccountKey(actor.owner, Purpose.HOSTING_CREDIT, IDR)
    for amount in amounts:
        async with house.real.work() as work:
            await work.ledger.open(CLEARING)
            posting = Posting(Kind.TOP_UP, CLEARING, target, Money.whole(amount, IDR))
            assert (await work.ledger.post(Transaction.move(TransactionId(uuid7()), posting))).posted


@contextmanager
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement that is sent to PostgreSQL meanwhile, but for signs of life."""
    sent: list[str] = []
    execute = Connection._execute

    async def noted(self: Connection, query: str, *arguments: Any, **options: Any) -> Any:
        if query != "select 1":
            sent.append(query)
        return await execute(self, query, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "_execute", noted)
        yield sent


async def test_a_list_of_ten_costs_as_many_statements_as_one_of_a_hundred(
    real: RealHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = await real.enroll()
    wallet = await wallet_of(real, me)
    made = [
        await start_top_up(real.real, me, wallet, Money.whole(10_000, IDR), Method.QRIS, str(number))
        for number in range(100)
    ]
    ids = [global_id("TopUp", found.id) for found in made if isinstance(found, TopUp)]
    assert len(ids) == 100
    await credit(real, me, 7)
    await real.ask("{ viewer { id } }", me)  # who they are is known from here on
    inner = """
    id state wallet {
      id balance { total { amount } } owes { amount } balanceAt(at: "2099-01-01T00:00:00Z") { total { amount } }
      statement(first: 1) { edges { node { sequence } } }
    }
    """
    by_id = f"query ($n: [ID!]!) {{ nodes(ids: $n) {{ ... on TopUp {{ {inner} }} }} }}"
    by_page = f"query ($n: Int!) {{ topUps(first: $n) {{ edges {{ node {{ {inner} }} }} }} }}"
    asked: dict[str, dict[int, Any]] = {by_id: {10: ids[:10], 100: ids}, by_page: {10: 10, 100: 100}}
    for query, sizes in asked.items():
        counts = {}
        for size, given in sizes.items():
            with statements(monkeypatch) as sent:
                reply = await real.ask(query, me, n=given)
            assert reply.text.count('"PENDING"') == reply.text.count('"sequence":1') == size
            counts[size] = len(sent)
        assert counts == {10: 5, 100: 5}, query


async def test_who_is_calling_is_read_once(real: RealHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    me = await real.enroll()
    await eventually(real.real.standings._hears)
    with statements(monkeypatch) as sent:
        for _ in range(3):
            assert (await real.ask("{ viewer { id } }", me)).status == 200
    assert [query for query in sent if "session" in query] == sent
    assert len(sent) == 1


async def test_a_wallet_is_followed_through_the_relay_and_resumed_without_it(real: RealHouse, valkey: Valkey) -> None:
    me = await real.enroll()
    wallet = await wallet_of(real, me)
    await credit(real, me, 10)
    relay = asyncio.create_task(Relay(real.real.database, valkey.url, real.real).run())
    try:
        async with real.conversation(me) as socket:
            await socket.subscribe("1", FOLLOW, id=global_id("Wallet", wallet))
            snapshot = (await socket.data("1"))["walletChanged"]
            assert snapshot["wallet"]["balance"]["total"]["amount"] == "10.00"
            await credit(real, me, 1, 2, 3)
            seen = [(await socket.data("1"))["walletChanged"] for _ in range(3)]
            assert [change["entry"]["sequence"] for change in seen] == [2, 3, 4]
            assert [change["entry"]["balanceAfter"]["amount"] for change in seen] == ["11.00", "13.00", "16.00"]
    finally:
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)
    await credit(real, me, 4)
    async with real.conversation(me) as socket:
        await socket.subscribe("1", FOLLOW, id=global_id("Wallet", wallet), after=seen[1]["cursor"])
        rest = [(await socket.data("1"))["walletChanged"]["entry"]["sequence"] for _ in range(2)]
        assert rest == [4, 5]


async def test_statement_and_balances_are_those_of_the_ledger(real: RealHouse) -> None:
    me = await real.enroll()
    wallet = await wallet_of(real, me)
    await credit(real, me, *range(1, 6))
    query = """
    query ($id: ID!, $at: DateTime!) {
      wallet(id: $id) {
        balanceAt(at: $at) { total { amount } }
        late: balanceAt(at: "2099-01-01T00:00:00Z", basis: EFFECTIVE) { total { amount } }
        statement(first: 2, filter: {kinds: [TOP_UP]}) {
          edges { node { sequence balanceAfter { amount } recordedAt effectiveAt transactionId } }
          pageInfo { hasNextPage }
        }
      }
    }
    """
    found = (await real.ask(query, me, id=global_id("Wallet", wallet), at="2020-01-01T00:00:00Z")).data["wallet"]
    assert found["balanceAt"]["total"]["amount"] == "0.00"
    assert found["late"]["total"]["amount"] == "15.00"
    assert [edge["node"]["sequence"] for edge in found["statement"]["edges"]] == [5, 4]
    assert found["statement"]["pageInfo"] == {"hasNextPage": True}


class TestReadiness:
    async def test_with_everything_there_it_is_ready(self, real: RealHouse) -> None:
        reply = await real.request("GET", "/readyz")
        assert reply.status == 200
        assert reply.body == {"status": "ready", "database": "ok", "migrations": "ok", "redis": "ok"}

    async def test_without_redis_it_serves_all_the_same(self, tmp_path: Path, database: DatabaseAddresses) -> None:
        settings = settings_for(tmp_path, "production", database_url=database.app_url)
        async with (
            served(settings, partial(connect, [])) as url,
            aiohttp.ClientSession() as client,
            client.get(f"{url}/readyz") as answer,
        ):
            found = await answer.json()
            assert (answer.status, found["status"], found["database"]) == (200, "degraded", "ok")
            assert found["redis"].startswith("unreachable")

    @pytest.mark.parametrize(
        ("change", "expected"),
        [("DELETE FROM alembic_version", "at None"), ("DROP TABLE alembic_version", "missing")],
        ids=["behind", "never migrated"],
    )
    async def test_with_other_tables_than_the_code_expects_it_is_not_ready(
        self, real: RealHouse, database: DatabaseAddresses, change: str, expected: str
    ) -> None:
        async with Database(database.owner_url) as owner:
            await owner.pool.execute(change)
        reply = await real.request("GET", "/readyz")
        assert (reply.status, reply.body["status"]) == (503, "unready")
        assert reply.body["migrations"].startswith(expected)

    async def test_without_the_database_it_is_not_ready(self, real: RealHouse) -> None:
        real.real.database.pool.terminate()
        reply = await real.request("GET", "/readyz")
        assert (reply.status, reply.body["status"]) == (503, "unready")
        assert (await real.request("GET", "/healthz")).status == 200


async def test_a_database_that_goes_is_an_error_to_try_again_and_comes_back(
    tmp_path: Path, own_postgres: EmbeddedPostgres, own_database: DatabaseAddresses, valkey: Valkey
) -> None:
    settings = settings_for(tmp_path, "production", database_url=own_database.app_url, redis_url=valkey.url)
    holder: list[Adapters] = []
    async with served(settings, partial(connect, holder)) as url, aiohttp.ClientSession() as client:
        house = RealHouse(settings, url, client, holder[0])
        me = await house.enroll()
        query = "{ viewer { wallets { id } } }"
        assert (await house.ask(query, me)).data == {"viewer": {"wallets": []}}
        own_postgres.kill()
        assert (await house.ask(query, me)).codes == ["UNAVAILABLE"]
        assert (await house.request("GET", "/readyz")).status == 503
        await asyncio.to_thread(own_postgres.restart)

        async def answers() -> bool:
            return not (await house.ask(query, me)).codes

        await eventually(answers, timeout_s=30)
        assert (await house.request("GET", "/readyz")).status == 200


async def test_the_usual_wiring_fits(tmp_path: Path, database: DatabaseAddresses, valkey: Valkey) -> None:
    settings = settings_for(tmp_path, "production", database_url=database.app_url, redis_url=valkey.url)
    async with served(settings, wiring.connect) as url, aiohttp.ClientSession() as client:
        async with client.post(f"{url}/webhooks/midtrans", json={"signature_key": "x"}) as answer:
            assert answer.status in {400, 403}
        async with client.post(f"{url}/graphql", json={"query": "{ __typename }"}) as answer:
            assert answer.status == 200
