"""A new master key takes over from an old one, whatever happens in the middle of it."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import pytest

from adapters.config import ROOT
from adapters.embedded.database import DatabaseAddresses
from adapters.postgres.database import Database
from adapters.vault.envelope import MasterKeys, UnknownMasterKeyError, UnreadableError
from adapters.vault.rotation import master_keys_in_use, rewrap
from domain.ids import PersonId, uuid7
from domain.vault import Sealed
from tests.vaults import VaultKeys, open_vault
from tests.waiting import PATIENCE_S, eventually

OLD, NEW = (f"{name}:{secrets.token_hex(32)}" for name in ("old", "new"))
IDENTITY = secrets.token_bytes(32)
BOTH = MasterKeys.parse(f"{NEW},{OLD}")


@dataclass
class Stock:
    """Persons whose keys the old master key wraps, and what was sealed for them."""

    database: Database
    addresses: DatabaseAddresses
    sealed: list[Sealed] = field(default_factory=list)

    async def grow(self, count: int, master: str = OLD) -> None:
        async with open_vault(self.addresses, VaultKeys(master, IDENTITY)) as vault:
            for _ in range(count):
                person = PersonId(uuid7())
                await vault.create_key(person)
                self.sealed.append(Sealed(person, "name", await vault.seal(person, "name", str(person))))

    async def opened_by(self, master: str) -> list[bool]:
        """Whether each opens; a destroyed one counts as not."""
        async with open_vault(self.addresses, VaultKeys(master, IDENTITY)) as vault:
            texts = await vault.open(self.sealed)
        assert all(text in {None, str(each.person)} for text, each in zip(texts, self.sealed, strict=True))
        return [text is not None for text in texts]


@pytest.fixture
async def stock(database: DatabaseAddresses) -> AsyncIterator[Stock]:
    async with Database(database.app_url, size=4) as opened:
        made = Stock(opened, database)
        await made.grow(25)
        yield made


async def test_the_old_master_key_may_go_once_everything_is_wrapped_anew(stock: Stock) -> None:
    await stock.grow(5, f"{NEW},{OLD}")
    assert await master_keys_in_use(stock.database) == {"old": 25, "new": 5}
    told: list[tuple[int, int]] = []
    assert await rewrap(stock.database, BOTH, batch=10, report=lambda *progress: told.append(progress)) == 25
    assert told == [(10, 25), (20, 25), (25, 25)]
    assert await master_keys_in_use(stock.database) == {"new": 30}
    assert all(await stock.opened_by(NEW))
    with pytest.raises(UnknownMasterKeyError):
        await stock.opened_by(OLD)


async def test_wrapping_anew_again_finds_nothing_to_do(stock: Stock) -> None:
    await rewrap(stock.database, BOTH)
    before = await stock.database.pool.fetch("select person, wrapped, xmin::text from data_key order by person")
    assert await rewrap(stock.database, BOTH) == 0
    assert await stock.database.pool.fetch("select person, wrapped, xmin::text from data_key order by person") == before


async def test_a_process_that_knows_both_reads_on_throughout(stock: Stock) -> None:
    async with open_vault(stock.addresses, VaultKeys(f"{OLD},{NEW}", IDENTITY), remembered=0) as vault:
        while_it_lasts = asyncio.create_task(rewrap(stock.database, BOTH, batch=1))
        for _ in range(30):
            assert None not in await vault.open(stock.sealed)
        await while_it_lasts
        assert None not in await vault.open(stock.sealed)


async def test_keys_that_are_made_and_destroyed_meanwhile(stock: Stock) -> None:
    doomed = {each.person for each in stock.sealed[::3]}

    async def destroy() -> None:
        async with open_vault(stock.addresses, VaultKeys(OLD, IDENTITY)) as vault:
            for person in doomed:
                await vault.destroy_key(person)

    await asyncio.gather(rewrap(stock.database, BOTH, batch=2), destroy(), stock.grow(10, f"{OLD},{NEW}"))
    await rewrap(stock.database, BOTH)
    assert await stock.opened_by(NEW) == [each.person not in doomed for each in stock.sealed]


async def test_two_who_wrap_anew_at_once_leave_nothing_undone(stock: Stock) -> None:
    done = await asyncio.gather(*(rewrap(stock.database, BOTH, batch=3) for _ in range(2)))
    assert sum(done) == 25
    assert all(await stock.opened_by(NEW))


@pytest.mark.parametrize("edge", [0, 2**128 - 1])
async def test_the_first_and_the_last_of_all_persons_are_not_left_out(stock: Stock, edge: int) -> None:
    async with open_vault(stock.addresses, VaultKeys(OLD, IDENTITY)) as vault:
        await vault.create_key(PersonId(UUID(int=edge)))
    async with asyncio.timeout(PATIENCE_S):
        assert await rewrap(stock.database, BOTH, batch=1) == 26


async def test_killed_in_the_middle_and_repeated(stock: Stock) -> None:
    """Another transaction holds the last key, so that the process cannot come to its end before it is killed."""
    last = max(each.person for each in stock.sealed)
    blocker = await asyncpg.connect(stock.addresses.app_url)
    try:
        async with blocker.transaction():
            await blocker.execute("select from data_key where person = $1 for update", last)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.vaults", stock.addresses.app_url, f"{NEW},{OLD}", "4", cwd=ROOT
            )
            try:
                await eventually(lambda: moved(stock, 24))
            finally:
                process.kill()
                await process.wait()
    finally:
        await blocker.close()
    assert await master_keys_in_use(stock.database) == {"new": 24, "old": 1}
    assert all(await stock.opened_by(f"{NEW},{OLD}"))
    assert await rewrap(stock.database, BOTH) == 1
    assert all(await stock.opened_by(NEW))


async def moved(stock: Stock, count: int) -> bool:
    return (await master_keys_in_use(stock.database)).get("new") == count


async def test_a_key_that_nobody_can_unwrap_stops_it_and_is_named(stock: Stock) -> None:
    with pytest.raises(UnknownMasterKeyError, match="needs master key 'old'"):
        await rewrap(stock.database, MasterKeys.parse(NEW))
    victim = stock.sealed[7].person
    owner = await asyncpg.connect(stock.addresses.owner_url)
    try:
        await owner.execute("update data_key set wrapped = '\\x01036f6c6400' where person = $1", victim)
    finally:
        await owner.close()
    with pytest.raises(UnreadableError, match=f"the data key of person {victim}"):
        await rewrap(stock.database, BOTH)
