"""What batched fields of wallets look up with."""

from collections.abc import Mapping, Sequence

from domain.ids import AccountId
from domain.ledger.chart import Purpose
from domain.ledger.model import Balance, Entry
from domain.ledger.ports import AccountView, BalanceRequest, StatementRequest
from domain.ports import Ports


async def accounts(ports: Ports, ids: Sequence[AccountId]) -> Mapping[AccountId, AccountView]:
    """Accounts by number."""
    return await ports.books.accounts_by_id(ids)


async def debts(ports: Ports, owners: Sequence[str]) -> Mapping[str, Sequence[AccountView]]:
    """What owners owe us, an account for each currency."""
    found: dict[str, list[AccountView]] = {owner: [] for owner in owners}
    for account in await ports.books.accounts_of(owners, [Purpose.RECEIVABLE]):
        found[account.key.owner].append(account)
    return found


async def statements(ports: Ports, requests: Sequence[StatementRequest]) -> Mapping[StatementRequest, Sequence[Entry]]:
    """Pages of statements."""
    return dict(zip(requests, await ports.books.statements(requests), strict=True))


async def balances_at(ports: Ports, requests: Sequence[BalanceRequest]) -> Mapping[BalanceRequest, Balance]:
    """Balances at instants."""
    return dict(zip(requests, await ports.books.balances_at(requests), strict=True))
