import pytest

from domain.ledger.chart import Limits
from domain.ledger.model import AccountKey, AccountStatus, Balance, Outcome, Transaction
from tests.fake_ledger import FakeLedger
from tests.ledger_library import NAMES
from tests.ledger_stories import Hands, tell


class MemoryDoor:
    def __init__(self) -> None:
        self.hands = Hands()
        self.ledger = FakeLedger(self.hands)

    async def open(self, account: AccountKey, limits: Limits | None = None) -> None:
        await self.ledger.open(account, limits)

    async def do(self, transaction: Transaction) -> Outcome:
        return await self.ledger.post(transaction)

    async def set_limits(self, account: AccountKey, limits: Limits) -> None:
        await self.ledger.set_limits(account, limits)

    async def set_status(self, account: AccountKey, status: AccountStatus) -> None:
        await self.ledger.set_status(account, status)

    async def balance(self, account: AccountKey) -> Balance:
        return self.ledger.balance(account)


@pytest.mark.parametrize("name", NAMES)
async def test_story_in_memory(name: str) -> None:
    await tell(name, MemoryDoor(), "story")
