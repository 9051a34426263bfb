"""A top-up, as its owner sees it."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import strawberry

from domain.ledger.ports import AccountView
from domain.wallet import model
from domain.wallet.gateway import Method
from domain.wallet.model import TopUpState
from gql.access import Right, field
from gql.batching import Asked, batched
from gql.money import Money
from gql.node import Node
from gql.wallet.lookups import accounts
from gql.wallet.types import Wallet


@strawberry.type(description="A wish to put money into a wallet, and what became of it.")
class TopUp(Node):
    """A top-up, as its owner sees it."""

    kind: ClassVar[str] = "TopUp"
    top_up: strawberry.Private[model.TopUp]

    @property
    def key(self) -> UUID:
        """The top-up's id."""
        return self.top_up.id

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self.top_up.account.owner

    @field(Right.OWNER, "How much is to be paid.")
    def amount(self) -> Money:
        """How much is to be paid."""
        return Money.of(self.top_up.amount)

    @field(Right.OWNER, "How it is to be paid.")
    def method(self) -> Method:
        """How it is to be paid."""
        return self.top_up.method

    @field(Right.OWNER, "Where it stands.")
    def state(self) -> TopUpState:
        """Where it stands."""
        return self.top_up.state

    @field(Right.OWNER, "What has reached the wallet.")
    def credited(self) -> Money:
        """What has reached the wallet."""
        return Money.of(self.top_up.credited)

    @field(Right.OWNER, "How much of that was refunded, cancelled or charged back.")
    def taken_back(self) -> Money:
        """How much of that was refunded, cancelled or charged back."""
        return Money.of(self.top_up.taken_back)

    @field(Right.OWNER, "The page to pay on; null until the gateway has given one.")
    def redirect_url(self) -> str | None:
        """The page to pay on."""
        return self.top_up.redirect_url

    @field(Right.OWNER, "When it was asked for.")
    def created_at(self) -> datetime:
        """When it was asked for."""
        return self.top_up.created_at

    @field(Right.OWNER, "When the page to pay on ends.")
    def expires_at(self) -> datetime:
        """When the page to pay on ends."""
        return self.top_up.expires_at

    @batched(Right.OWNER, "The wallet that the money is for.", load=accounts)
    def wallet(self) -> Asked[Wallet]:
        """The wallet that the money is for."""
        return Asked(self.top_up.wallet, self._wallet)

    def _wallet(self, view: AccountView | None) -> Wallet:
        if view is None:
            raise LookupError(f"top-up {self.top_up.id} is for account {self.top_up.wallet}, which does not exist")
        return Wallet(view=view)
