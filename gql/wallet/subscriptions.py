"""A wallet as it changes: what it is now, then every entry, none lost and none twice."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

import strawberry

from domain.ids import AccountId
from domain.ledger import model as ledger
from domain.ledger.ports import StatementRequest, wallet_topic
from gql.access import Right, field
from gql.context import Context, Info
from gql.errors import BadInputError, ForbiddenError
from gql.node import key_of
from gql.paging import LARGEST_PAGE, cursor_of, number_of
from gql.scalars import Cursor
from gql.wallet.queries import account_id, fetch_wallet
from gql.wallet.types import Entry, Wallet, wallet_scope


@strawberry.type(description="The wallet as it is now; changes follow.")
class WalletSnapshot:
    """The first message of a stream that began without a cursor."""

    wallet: Wallet = field(Right.PARENT, "The wallet.")

    @field(Right.PARENT, "Where the stream stands: begin `after` it next time.")
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(wallet_scope(self.wallet.view.id), self.wallet.view.balance.seq)


@strawberry.type(description="One more entry of the wallet's statement.")
class WalletEntry:
    """A change."""

    wallet_id: strawberry.Private[AccountId]
    change: strawberry.Private[ledger.Entry]

    @property
    def owner(self) -> str:
        """Whose wallet it is."""
        return self.change.account.owner

    @field(Right.OWNER, "Where the stream stands: begin `after` it next time.")
    def cursor(self) -> Cursor:
        """Where the stream stands."""
        return cursor_of(wallet_scope(self.wallet_id), self.change.seq)

    @field(Right.OWNER, "The entry.")
    def entry(self) -> Entry:
        """The entry."""
        return Entry(wallet_id=self.wallet_id, entry=self.change)

    @field(Right.OWNER, "The wallet as it is by now: entries that are still to come may be in it already.")
    async def wallet(self, info: Info) -> Wallet:
        """The wallet as it is by now."""
        view = await info.context.loaders.wallet_by_id.load(self.wallet_id)
        if view is None:
            raise LookupError(f"account {self.wallet_id} has an entry and does not exist")
        return Wallet(view=view)


WalletChange = Annotated[
    WalletSnapshot | WalletEntry,
    strawberry.union("WalletChange", description="A message of `walletChanged`: the wallet first, then its entries."),
]


@strawberry.type
class WalletSubscription:
    """The wallet's streams."""

    @field(
        Right.OWNER,
        "A wallet of yours, and from then on each entry of its statement, in order, none lost and none twice. Every"
        " message carries a cursor: begin again `after` it and the stream goes on right there, without a snapshot.",
        is_subscription=True,
    )
    async def wallet_changed(
        self,
        info: Info,
        wallet_id: Annotated[strawberry.ID, strawberry.argument(description="The wallet's id.")],
        after: Annotated[
            Cursor | None, strawberry.argument(description="Go on after this cursor, of a message or of an entry.")
        ] = None,
    ) -> AsyncGenerator[WalletChange, None]:
        """The stream of a wallet."""
        account = account_id(key_of(Wallet.kind, wallet_id))
        async with aclosing(_changes(info.context, account, after)) as changes:
            async for change in changes:
                info.context.renew()
                yield change


async def _changes(context: Context, account: AccountId, after: Cursor | None) -> AsyncGenerator[Any, None]:
    """Listen, then look, then follow: what happens in between is told twice by the feed and read once from the books.

    The feed only says that there is something new. What it is comes from the statement, from where the stream stands.
    """
    place = None if after is None else number_of(wallet_scope(account), after)
    if await fetch_wallet(context, str(account)) is None:
        raise ForbiddenError("There is no such wallet, or it is not yours.")
    async with aclosing(context.ports.feed.listen(wallet_topic(account))) as hints:
        await anext(hints)
        context.renew()
        wallet = await fetch_wallet(context, str(account))
        if wallet is None:
            return
        now = wallet.view.balance.seq
        if place is None:
            yield WalletSnapshot(wallet=wallet)
            place = now
        elif place > now:
            raise BadInputError(f"The cursor {after!r} is ahead of the wallet.")
        hint = now
        while True:
            if hint == 0 or hint > place:
                async for entry in _entries(context, account, place):
                    place = entry.seq
                    yield WalletEntry(wallet_id=account, change=entry)
            try:
                hint = await anext(hints)
            except StopAsyncIteration:
                return


async def _entries(context: Context, account: AccountId, after: int) -> AsyncGenerator[ledger.Entry, None]:
    """All entries after a place, a page at a time."""
    books = context.ports.books
    while True:
        (found,) = await books.statements([StatementRequest(account, first=LARGEST_PAGE, after=after)])
        for entry in found:
            yield entry
            after = entry.seq
        if len(found) < LARGEST_PAGE:
            return
