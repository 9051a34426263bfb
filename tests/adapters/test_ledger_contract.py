"""Both doors on PostgreSQL tell the stories that the ledger in memory tells, and leave sound tables behind."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
import pytest_asyncio

from domain.ledger.chart import Limits
from domain.ledger.model import AccountKey, AccountStatus, Balance, Outcome, Transaction
from tests.ledger_library import NAMES
from tests.ledger_on_postgres import DoorName, PostgresHouse, house, sound_database
from tests.ledger_stories import Hands, tell
from tests.servers import Addresses


class PostgresDoor:
    def __init__(self, through: DoorName, opened: PostgresHouse, hands: Hands) -> None:
        self._through, self._house, self.hands = through, opened, hands

    async def open(self, account: AccountKey, limits: Limits | None = None) -> None:
        await self._house.open(account, limits)

    async def do(self, transaction: Transaction) -> Outcome:
        return await self._house.do(transaction, self._through)

    async def set_limits(self, account: AccountKey, limits: Limits) -> None:
        await self._house.set_limits(account, limits)

    async def set_status(self, account: AccountKey, status: AccountStatus) -> None:
        await self._house.set_status(account, status)

    async def balance(self, account: AccountKey) -> Balance:
        return await self._house.balance(account)


@pytest.fixture(scope="module")
def url(servers: Addresses) -> Iterator[str]:
    with sound_database(servers) as addresses:
        yield addresses.app_url


@pytest_asyncio.fixture
async def hands_and_house(url: str) -> AsyncIterator[tuple[Hands, PostgresHouse]]:
    hands = Hands()
    async with house(url, hands) as opened:
        yield hands, opened


@pytest.mark.parametrize("through", ["post", "submit"])
@pytest.mark.parametrize("name", NAMES)
async def test_story_on_postgres(name: str, through: DoorName, hands_and_house: tuple[Hands, PostgresHouse]) -> None:
    hands, opened = hands_and_house
    await tell(name, PostgresDoor(through, opened, hands), uuid4().hex)
