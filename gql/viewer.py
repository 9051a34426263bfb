"""The person who is calling."""

from typing import ClassVar

import strawberry

from domain.actor import Actor
from domain.ids import PersonId
from gql.access import Right, field
from gql.context import Context, Info
from gql.node import Node
from gql.paging import USUAL_PAGE, After, Connection, First
from gql.wallet.queries import top_ups_of, wallets_of
from gql.wallet.top_up import TopUp
from gql.wallet.types import Wallet


@strawberry.type(description="The person who is signed in.")
class Viewer(Node):
    """The caller, as they see themselves."""

    kind: ClassVar[str] = "Viewer"
    actor: strawberry.Private[Actor]

    @property
    def key(self) -> PersonId:
        """The person's id."""
        return self.actor.person

    @property
    def owner(self) -> str:
        """Whose it is: their own."""
        return self.actor.owner

    @field(Right.OWNER, "Your wallets: at most one for each purpose and currency.")
    async def wallets(self, info: Info) -> list[Wallet]:
        """The caller's wallets."""
        return await wallets_of(info.context)

    @field(Right.OWNER, "Your top-ups, newest first.")
    async def top_ups(self, info: Info, first: First = USUAL_PAGE, after: After = None) -> Connection[TopUp]:
        """A page of the caller's top-ups."""
        return await top_ups_of(info.context, first, after)


async def fetch_viewer(context: Context, key: str) -> Viewer | None:
    """The caller, if the key is theirs; there is no other viewer."""
    return Viewer(actor=context.caller) if key == str(context.person) else None


@strawberry.type
class ViewerQuery:
    """The caller's field of the root."""

    @field(Right.SIGNED_IN, "You.")
    def viewer(self, info: Info) -> Viewer:
        """The person who is signed in."""
        return Viewer(actor=info.context.caller)
