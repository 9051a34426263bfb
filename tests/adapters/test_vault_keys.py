"""Data keys on PostgreSQL: who makes, remembers and destroys them, in several processes at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.embedded.database import DatabaseAddresses
from adapters.vault.cache import KeyCache
from adapters.vault.envelope import MasterKeys, UnknownMasterKeyError, UnreadableError
from adapters.vault.pauses import LONGEST_TURN_S, in_turns
from adapters.vault.postgres import PostgresVault
from domain.errors import KeyDestroyedError
from domain.ids import PersonId, uuid7
from domain.vault import Sealed
from tests.vaults import VaultKeys, open_vault


@dataclass
class Watch:
    """Time that a test lets pass."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def keys() -> VaultKeys:
    return VaultKeys()


@pytest.fixture
async def here(database: DatabaseAddresses, keys: VaultKeys, watch: Watch) -> AsyncIterator[PostgresVault]:
    async with open_vault(database, keys, seconds=watch) as vault:
        yield vault


@pytest.fixture
async def there(database: DatabaseAddresses, keys: VaultKeys, watch: Watch) -> AsyncIterator[PostgresVault]:
    async with open_vault(database, keys, seconds=watch) as vault:
        yield vault


@pytest.fixture
async def table(here: PostgresVault, database: DatabaseAddresses) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


async def people(vault: PostgresVault, count: int) -> list[PersonId]:
    persons = [PersonId(uuid7()) for _ in range(count)]
    for person in persons:
        await vault.create_key(person)
    return persons


async def sealed(vault: PostgresVault, persons: list[PersonId]) -> list[Sealed]:
    return [Sealed(person, "name", await vault.seal(person, "name", str(person))) for person in persons]


class Statements:
    """Counts what a vault asks of its database, and may hold an answer back."""

    def __init__(self, vault: PostgresVault, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.read = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        pool = vault._database.pool
        fetch = pool.fetch

        async def counted(*arguments: Any) -> Any:
            self.count += 1
            rows = await fetch(*arguments)
            self.read.set()
            await self.may_go_on.wait()
            return rows

        monkeypatch.setattr(pool, "fetch", counted)


async def test_processes_that_make_a_key_at_once_make_one(
    database: DatabaseAddresses, keys: VaultKeys, table: asyncpg.Connection
) -> None:
    person = PersonId(uuid7())
    async with AsyncExitStack() as stack:
        vaults = [await stack.enter_async_context(open_vault(database, keys)) for _ in range(4)]
        await asyncio.gather(*(vault.create_key(person) for vault in vaults for _ in range(3)))
        contents = [(await sealed(vault, [person]))[0] for vault in vaults]
        assert all([await vault.open(contents) == [str(person)] * 4 for vault in vaults])
    assert await table.fetchval("select count(*) from data_key") == 1


async def test_a_race_of_making_and_destroying_ends_without_a_key(here: PostgresVault, there: PostgresVault) -> None:
    for _ in range(20):
        person = PersonId(uuid7())
        await asyncio.gather(here.create_key(person), there.destroy_key(person), there.create_key(person))
        with pytest.raises(KeyDestroyedError):
            await here.seal(person, "name", "too late")


async def test_a_key_destroyed_elsewhere_is_used_for_a_minute_at_most(
    here: PostgresVault, there: PostgresVault, watch: Watch
) -> None:
    content = await sealed(here, await people(here, 2))
    await there.destroy_key(content[0].person)
    watch.now += 59.9
    assert await here.open(content) == [str(each.person) for each in content]
    watch.now += 0.1
    assert await here.open(content) == [None, str(content[1].person)]
    with pytest.raises(KeyDestroyedError):
        await here.seal(content[0].person, "name", "again")


async def test_use_does_not_prolong_a_keys_minute(here: PostgresVault, there: PostgresVault, watch: Watch) -> None:
    (content,) = await sealed(here, await people(here, 1))
    await there.destroy_key(content.person)
    for _ in range(6):
        assert await here.open([content]) != [None]
        watch.now += 10
    assert await here.open([content]) == [None]


async def test_a_minute_counts_from_before_the_key_was_read(
    here: PostgresVault, there: PostgresVault, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    (content,) = await sealed(there, await people(there, 1))
    statements = Statements(here, monkeypatch)
    statements.may_go_on.clear()
    slow = asyncio.create_task(here.open([content]))
    await statements.read.wait()
    await there.destroy_key(content.person)
    watch.now += 60
    statements.may_go_on.set()
    assert await slow == [str(content.person)]
    assert await here.open([content]) == [None]


async def test_a_key_destroyed_here_is_gone_at_once_even_if_it_was_just_read(
    here: PostgresVault, there: PostgresVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    (content,) = await sealed(there, await people(there, 1))
    statements = Statements(here, monkeypatch)
    statements.may_go_on.clear()
    slow = asyncio.create_task(here.open([content]))
    await statements.read.wait()
    await here.destroy_key(content.person)
    statements.may_go_on.set()
    await slow
    assert await here.open([content]) == [None]


async def test_many_values_cost_one_statement_and_then_none(
    here: PostgresVault, there: PostgresVault, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = await people(there, 60)
    content = await sealed(there, persons) * 3
    await there.destroy_key(persons[0])
    statements = Statements(here, monkeypatch)
    for costs, passed in ((1, 0), (1, 30), (2, 30), (2, 59)):
        watch.now += passed
        assert (await here.open(content))[:2] == [None, str(persons[1])]
        assert statements.count == costs


async def test_only_those_who_are_not_remembered_are_asked_for(
    here: PostgresVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = await sealed(here, await people(here, 3))
    statements = Statements(here, monkeypatch)
    await here.open(content)
    assert statements.count == 0
    newcomers = await people(here, 2)
    content += [Sealed(person, "name", b"") for person in newcomers]
    with pytest.raises(UnreadableError, match=str(newcomers[0])):
        await here.open(content)
    assert statements.count == 1


async def test_no_more_keys_are_remembered_than_allowed(database: DatabaseAddresses, keys: VaultKeys) -> None:
    async with open_vault(database, keys, remembered=5) as vault:
        content = await sealed(vault, await people(vault, 12))
        assert await vault.open(content) == [str(each.person) for each in content]
        assert len(vault._cache._kept) == 5


async def test_expired_keys_do_not_stay_in_memory(here: PostgresVault, watch: Watch) -> None:
    await sealed(here, await people(here, 12))
    watch.now += 60
    await sealed(here, await people(here, 1))
    assert len(here._cache._kept) == 1


def test_a_slow_readings_key_expires_before_those_that_came_first(watch: Watch) -> None:
    slow_one, quick_one = PersonId(uuid7()), PersonId(uuid7())
    cache = KeyCache(10, watch)
    slow = cache.reading()
    watch.now += 30
    cache.keep(cache.reading(), quick_one, None)
    cache.keep(slow, slow_one, None)
    watch.now += 30
    assert cache.find([slow_one, quick_one]) == {quick_one: None}


async def test_a_failing_destruction_forgets_the_key_all_the_same(
    here: PostgresVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    (person,) = await people(here, 1)
    await sealed(here, [person])

    async def lost(*_: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(here._database.pool, "execute", lost)
    with pytest.raises(ConnectionResetError):
        await here.destroy_key(person)
    assert len(here._cache._kept) == 0


async def test_a_destroyed_keys_bytes_leave_its_row(here: PostgresVault, table: asyncpg.Connection) -> None:
    destroyed, living = await people(here, 2)
    await here.destroy_key(destroyed)
    rows = {row["person"]: row for row in await table.fetch("select * from data_key")}
    assert (rows[destroyed]["wrapped"], rows[destroyed]["master"]) == (None, None)
    assert rows[destroyed]["destroyed_at"] is not None
    assert rows[living]["wrapped"] is not None
    first = rows[destroyed]["destroyed_at"]
    await here.destroy_key(destroyed)
    assert await table.fetchval("select destroyed_at from data_key where person = $1", destroyed) == first


async def test_data_keys_are_noise_without_the_master_key(here: PostgresVault, database: DatabaseAddresses) -> None:
    content = await sealed(here, await people(here, 1))
    async with open_vault(database) as stranger:
        with pytest.raises(UnreadableError, match="does not open with master key"):
            await stranger.open(content)
    async with open_vault(database, VaultKeys(master=f"other:{'ab' * 32}")) as stranger:
        with pytest.raises(UnknownMasterKeyError, match="needs master key 'first'"):
            await stranger.open(content)


async def test_wrapped_keys_that_change_places_open_nothing(
    there: PostgresVault, here: PostgresVault, table: asyncpg.Connection
) -> None:
    ani, budi = await people(here, 2)
    content = await sealed(here, [ani])
    await table.execute(
        "update data_key set wrapped = (select wrapped from data_key where person = $1) where person = $2", budi, ani
    )
    with pytest.raises(UnreadableError, match=f"the data key of person {ani}"):
        await there.open(content)


async def test_persons_without_a_row_are_told_to_the_operator(here: PostgresVault) -> None:
    (person,) = await people(here, 1)
    content = await sealed(here, [person])
    with capture_logs() as logs:
        strangers = [Sealed(PersonId(uuid7()), "name", b"") for _ in range(3)]
        assert await here.open([*content, *strangers]) == [str(person), None, None, None]
    assert [(line["event"], line["persons"]) for line in logs] == [("persons without a data key", 3)]


async def test_an_index_is_the_identity_keys_and_not_the_master_keys(
    database: DatabaseAddresses, keys: VaultKeys
) -> None:
    rotated, other = VaultKeys(identity=keys.identity), VaultKeys(master=keys.master)
    async with AsyncExitStack() as stack:
        one, same, different = [
            await stack.enter_async_context(open_vault(database, each)) for each in (keys, rotated, other)
        ]
        assert one.index("mail", "ani@example.org") == same.index("mail", "ani@example.org")
        assert one.index("mail", "ani@example.org") != different.index("mail", "ani@example.org")


async def test_an_identity_key_of_another_length_is_refused(here: PostgresVault, keys: VaultKeys) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        PostgresVault(here._database, MasterKeys.parse(keys.master), b"short")


async def test_long_lists_let_others_have_their_turn(here: PostgresVault) -> None:
    content = await sealed(here, await people(here, 20)) * 1_000
    turns = 0
    done = asyncio.Event()

    async def other() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(other())
    began = time.perf_counter()
    assert len(await here.open(content)) == 20_000
    took = time.perf_counter() - began
    done.set()
    await waiting
    assert turns >= took / LONGEST_TURN_S / 10


async def test_turns_keep_the_order_and_pass_errors_on() -> None:
    assert await in_turns(range(5)) == [0, 1, 2, 3, 4]
    with pytest.raises(ZeroDivisionError):
        await in_turns(1 // number for number in (1, 0))
