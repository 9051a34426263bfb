"""Changes of accounts themselves: each is one statement that locks the account, changes it and keeps the change."""

from asyncpg import CheckViolationError, Connection

from domain.errors import ConflictError
from domain.ledger.chart import Limits
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
    """`domain.ledger.ports.AccountRegister` inside one unit of work."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def set_limits(self, account: AccountKey, limits: Limits) -> None:
        """Change floor and ceiling from now on.

        Raises `ConflictError` where the balance is outside of them, for an unknown account and for the platform's own.
        """
        if account.purpose.is_platform:
            raise ConflictError(f"{_said(account)} is the platform's own and has no limits")
        await self._change(_SET_LIMITS, account, limits.floor, limits.ceiling)

    async def set_status(self, account: AccountKey, status: AccountStatus) -> None:
        """Freeze, thaw or close.

        Raises `ConflictError` for closing an account that holds anything, for an unknown account and for the platform's
        own.
        """
        if account.purpose.is_platform:
            raise ConflictError(f"{_said(account)} is the platform's own and always open")
        await self._change(_SET_STATUS, account, status)

    async def _change(self, statement: str, account: AccountKey, *values: object) -> None:
        try:
            changed = await self._connection.fetchval(statement, *account, *values)
        except CheckViolationError as error:
            raise ConflictError(f"{_said(account)} does not allow it now: {error}") from error
        if not changed:
            raise ConflictError(f"there is no account {_said(account)}")


def _said(account: AccountKey) -> str:
    return f"{account.purpose} of {account.owner} in {account.currency}"
