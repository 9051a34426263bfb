"""A wallet, its balance and its statement, as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Self
from uuid import UUID

import strawberry

from domain.ids import AccountId
from domain.ledger import model as ledger
from domain.ledger.chart import Kind, Purpose
from domain.ledger.model import AccountStatus, Operation
from domain.ledger.ports import AccountView, BalanceRequest, EntryFilter, StatementRequest
from domain.money import Currency
from gql.access import Right, field
from gql.batching import Asked, batched
from gql.money import Money
from gql.node import Node
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, number_of, page_size
from gql.scalars import Cursor
from gql.wallet.enums import TimeBasis
from gql.wallet.lookups import balances_at, debts, statements
from gql.weights import WHOLE_HISTORY, Costs


def wallet_scope(account: AccountId) -> str:
    """What a wallet's cursors are bound to: its statement and its stream of changes share them."""
    return f"wallet:{account}"


@strawberry.type(description="What a wallet holds.")
class Balance:
    """A balance in its three figures."""

    total: Money = field(Right.PARENT, "All that is in the wallet, what is held among it.")
    held: Money = field(Right.PARENT, "What is set aside for something that is not settled yet.")
    available: Money = field(Right.PARENT, "What can be spent: total less held.")

    @classmethod
    def of(cls, balance: ledger.Balance, currency: Currency) -> Self:
        """Show a balance of the ledger."""
        total, held, available = (
            Money.of_minor(minor, currency) for minor in (balance.posted, balance.held, balance.available)
        )
        return cls(total=total, held=held, available=available)


@strawberry.type(description="A line of a wallet's statement. It never changes.")
class Entry:
    """An entry of the ledger, without the identity of whoever is on its other side."""

    wallet_id: strawberry.Private[AccountId]
    entry: strawberry.Private[ledger.Entry]

    @property
    def owner(self) -> str:
        """Whose statement it stands on."""
        return self.entry.account.owner

    @field(Right.OWNER, "The place in the statement. `walletChanged` resumes after it, too.")
    def cursor(self) -> Cursor:
        """The place in the statement."""
        return cursor_of(wallet_scope(self.wallet_id), self.entry.seq)

    @field(Right.OWNER, "The number of the entry in its wallet: 1, 2, 3 and so on, without gaps.")
    def sequence(self) -> int:
        """The number of the entry in its wallet."""
        return self.entry.seq

    @field(Right.OWNER, "Why money moved.")
    def kind(self) -> Kind:
        """Why money moved."""
        return self.entry.kind

    @field(Right.OWNER, "How money moved. What is only held changes `held` and not the balance.")
    def operation(self) -> Operation:
        """How money moved."""
        return self.entry.operation

    @field(Right.OWNER, "By how much the balance changed; negative for what left the wallet.")
    def change(self) -> Money:
        """By how much the balance changed."""
        return self._money(self.entry.change)

    @field(Right.OWNER, "The balance right after this entry.")
    def balance_after(self) -> Money:
        """The balance right after this entry."""
        return self._money(self.entry.posted)

    @field(Right.OWNER, "What was held right after this entry.")
    def held_after(self) -> Money:
        """What was held right after this entry."""
        return self._money(self.entry.held)

    @field(Right.OWNER, "What the account on the other side is for. Whose it is, is nobody else's business.")
    def counterpart(self) -> Purpose:
        """What the account on the other side is for."""
        return self.entry.counterpart.purpose

    @field(Right.OWNER, "When the ledger learnt of it.")
    def recorded_at(self) -> datetime:
        """When the ledger learnt of it."""
        return self.entry.recorded_at

    @field(Right.OWNER, "When it happened.")
    def effective_at(self) -> datetime:
        """When it happened."""
        return self.entry.effective_at

    @field(Right.OWNER, "The transaction that the entry belongs to: the same for all that happened together.")
    def transaction_id(self) -> UUID:
        """The transaction that the entry belongs to."""
        return self.entry.transaction_id

    def _money(self, minor: int) -> Money:
        return Money.of_minor(minor, self.entry.account.currency)


@strawberry.input(description="Which entries of a statement to show. What is left out does not matter.")
class StatementFilter:
    """Which entries to show."""

    kinds: list[Kind] | None = strawberry.field(default=None, description="Only entries of these kinds.")
    since: datetime | None = strawberry.field(default=None, description="Only what was recorded then or later.")
    until: datetime | None = strawberry.field(default=None, description="Only what was recorded before then.")
    counterparts: list[Purpose] | None = strawberry.field(
        default=None, description="Only entries whose other account is for one of these purposes."
    )

    def parsed(self) -> EntryFilter:
        """The filter as the ledger knows it."""
        kinds = None if self.kinds is None else frozenset(self.kinds)
        purposes = None if self.counterparts is None else frozenset(self.counterparts)
        return EntryFilter(kinds=kinds, since=self.since, until=self.until, counterpart_purposes=purposes)


@strawberry.type(description="Money of one person, or of one brand, for one purpose in one currency.")
class Wallet(Node):
    """An account of the ledger, as its owner sees it."""

    kind: ClassVar[str] = "Wallet"
    view: strawberry.Private[AccountView]

    @property
    def key(self) -> AccountId:
        """The account's number."""
        return self.view.id

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self.view.key.owner

    @field(Right.OWNER, "What the money is for.")
    def purpose(self) -> Purpose:
        """What the money is for."""
        return self.view.key.purpose

    @field(Right.OWNER, "The currency of all that is in it.")
    def currency(self) -> Currency:
        """The currency of all that is in it."""
        return self.view.key.currency

    @field(Right.OWNER, "What is in it.")
    def balance(self) -> Balance:
        """What is in it."""
        return Balance.of(self.view.balance, self.view.key.currency)

    @field(Right.OWNER, "Whether money may move.")
    def status(self) -> AccountStatus:
        """Whether money may move."""
        return self.view.balance.status

    @batched(
        Right.OWNER,
        "What the owner owes us in this currency, after payments were taken back that had been spent. The next credits"
        " settle it.",
        load=debts,
    )
    def owes(self) -> Asked[Money]:
        """What the owner owes us in this currency."""
        return Asked(self.owner, self._owed)

    @batched(
        Right.OWNER, "What happened in the wallet, with the balance after each entry.", load=statements, list_size=PAGE
    )
    def statement(
        self,
        first: First = USUAL_PAGE,
        after: After = None,
        newest_first: Annotated[
            bool, strawberry.argument(description="The newest entry first, or else the oldest.")
        ] = True,
        only: Annotated[
            StatementFilter | None,
            strawberry.argument(description="Which entries to show; all when left out.", name="filter"),
        ] = None,
    ) -> Asked[Connection[Entry]]:
        """A page of the statement."""
        size = page_size(first)
        place = None if after is None else number_of(wallet_scope(self.view.id), after)
        request = StatementRequest(
            self.view.id,
            first=size + 1,
            after=None if newest_first else place,
            before=place if newest_first else None,
            newest_first=newest_first,
            only=only.parsed() if only else EntryFilter(),
        )
        return Asked(request, lambda found: Connection.of(found, size, after, self._edge))

    @batched(
        Right.OWNER,
        "The balance as it was at an instant. By `EFFECTIVE` time it adds up the whole history, and costs as much as"
        f" {WHOLE_HISTORY} fields.",
        load=balances_at,
    )
    def balance_at(
        self,
        at: Annotated[datetime, strawberry.argument(description="The instant; what happened at it counts.")],
        basis: Annotated[
            TimeBasis,
            strawberry.argument(
                description="Which of an entry's two times counts.", directives=[Costs(weight=str(WHOLE_HISTORY))]
            ),
        ] = TimeBasis.RECORDED,
    ) -> Asked[Balance]:
        """The balance as it was at an instant."""
        request = BalanceRequest(self.view.id, at, effective=basis is TimeBasis.EFFECTIVE)
        return Asked(request, lambda found: Balance.of(found, self.view.key.currency))

    def _owed(self, found: Sequence[AccountView]) -> Money:
        currency = self.view.key.currency
        return Money.of_minor(sum(-each.balance.posted for each in found if each.key.currency is currency), currency)

    def _edge(self, entry: ledger.Entry) -> tuple[Cursor, Entry]:
        cursor = cursor_of(wallet_scope(self.view.id), entry.seq)
        return cursor, Entry(wallet_id=self.view.id, entry=entry)
