"""Keeps a unit of work to one ordered set of account locks: a second one might wait for who waits for the first."""

from collections.abc import Iterable

from domain.ledger.model import AccountKey


class LockOrder:
    """What one unit of work has locked so far. Breaking the order is a mistake in our code: RuntimeError."""

    __slots__ = ("_changed", "_locked", "_posted")

    def __init__(self) -> None:
        self._locked: frozenset[AccountKey] = frozenset()
        self._posted = False
        self._changed: AccountKey | None = None

    def lock(self, accounts: Iterable[AccountKey]) -> None:
        """The ledger is about to lock accounts, all at once."""
        self.post()
        self._locked |= frozenset(accounts)

    def post(self) -> None:
        """The ledger is about to decide, and to lock what it has not yet."""
        if self._changed is not None:
            raise RuntimeError("an account was changed first: lock all accounts in order before changing one of them")
        self._posted = True

    def change(self, account: AccountKey) -> None:
        """An account itself is about to be changed: one that the ledger locked, or nothing else is locked at all."""
        if account in self._locked or account == self._changed:
            return
        if self._posted or self._changed is not None:
            raise RuntimeError("other accounts are locked already: lock all accounts in order before changing one")
        self._changed = account
