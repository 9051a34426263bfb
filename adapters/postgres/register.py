"""Changes of accounts themselves: each is one statement that locks the account, changes it and keeps the change."""

from asyncpg import CheckViolationError, Connection

from adapters.postgres.lock_order import LockOrder
from domain.errors import ConflictError
from domain.ledger.chart import Limits, Purpose
from domain.ledger.model import AccountKey, AccountStatus

_CHANGE = """
with changed as (
    update account set {change} where (owner, purpose, currency) = ($1, $2, $3) returning *
), noted as (
    insert into account_change (account, after_seq, owner, purpose, currency, floor, ceiling, status)
    select id, seq, owner, purpose, currency, floor, ceiling, status from changed
)
select count(*) from changed
"""
_SET_LIMITS = _CHANGE.format(change="floor = $4, ceiling = $5")
_SET_STATUS = _CHANGE.format(change="status = $4")


class PostgresAccountRegister:
    """`domain.ledger.ports.AccountRegister` inside one unit of work, which goes on whatever is refused.

    It changes accounts that the ledger has locked, or one account alone in a unit of work that locks no other: else
    RuntimeError, for locks out of order end in a deadlock.
    """

    def __init__(self, connection: Connection, order: LockOrder | None = None) -> None:
        self._connection = connection
        self._order = order or LockOrder()

    async def set_limits(self, account: AccountKey, limits: Limits) -> None:
        """Change floor and ceiling from now on.

        Raises `ConflictError` where the balance is outside of them, for an unknown account and for the platform's own.
        """
        if account.purpose.is_platform:
            raise ConflictError(f"{_said(account)} is the platform's own and has no limits")
        await self._change(_SET_LIMITS, account, limits.floor, limits.ceiling)

    async def set_status(self, account: AccountKey, status: AccountStatus) -> None:
        """Freeze, thaw or close.

        Raises `ConflictError` for closing an account that holds anything or that debts are written to, for an unknown
        account and for the platform's own.
        """
        if account.purpose is Purpose.RECEIVABLE and status is AccountStatus.CLOSED:
            raise ConflictError(f"{_said(account)} must take what a chargeback leaves owed, and stays open")
        if account.purpose.is_platform:
            raise ConflictError(f"{_said(account)} is the platform's own and always open")
        await self._change(_SET_STATUS, account, status)

    async def _change(self, statement: str, account: AccountKey, *values: object) -> None:
        self._order.change(account)
        await self._connection.execute("savepoint change")
        try:
            changed = await self._connection.fetchval(statement, *account, *values)
        except CheckViolationError as error:
            await self._connection.execute("rollback to savepoint change; release savepoint change")
            raise ConflictError(f"{_said(account)} does not allow it now: {error}") from error
        await self._connection.execute("release savepoint change")
        if not changed:
            raise ConflictError(f"there is no account {_said(account)}")


def _said(account: AccountKey) -> str:
    return f"{account.purpose} of {account.owner} in {account.currency}"
