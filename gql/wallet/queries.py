"""What a person may look up about their wallets and top-ups."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain.ids import AccountId
from domain.ledger.chart import Purpose
from domain.rights import BrandRole
from domain.wallet import model
from domain.wallet.model import TopUpId
from gql.access import Right, field
from gql.context import Context, Info
from gql.errors import BadInputError
from gql.node import key_of
from gql.paging import PAGE, USUAL_PAGE, After, Connection, First, cursor_of, page_size, place_of
from gql.scalars import Cursor
from gql.wallet.top_up import TopUp
from gql.wallet.types import Wallet

_LONGEST_NUMBER = 18
_TOP_UPS = "top-ups"


def account_id(key: str) -> AccountId:
    """The number of an account from the key in its global id. Raises `BadInputError`."""
    if not (key.isascii() and key.isdigit() and len(key) <= _LONGEST_NUMBER) or key != str(int(key)):
        raise BadInputError("This is not an id of ours: give one back as you got it.")
    return AccountId(int(key))


def top_up_id(key: str) -> TopUpId:
    """The id of a top-up from the key in its global id. Raises `BadInputError`."""
    try:
        found = UUID(key)
    except ValueError:
        found = None
    if str(found) != key:
        raise BadInputError("This is not an id of ours: give one back as you got it.")
    return TopUpId(UUID(key))


async def fetch_wallet(context: Context, key: str) -> Wallet | None:
    """The caller's wallet; None if there is no such, it is another's, or the account is no wallet."""
    view = await context.loaders.wallet_by_id.load(account_id(key))
    if view is None or not context.owns(view) or view.key.purpose is Purpose.RECEIVABLE:
        return None
    return Wallet(view=view)


async def fetch_top_up(context: Context, key: str) -> TopUp | None:
    """The caller's top-up; None if there is no such, or it is another's."""
    found = await context.loaders.top_up_by_id.load(top_up_id(key))
    is_theirs = found is not None and context.caller.stands_for(found.account.owner, BrandRole.VIEWER)
    return TopUp(top_up=found) if found is not None and is_theirs else None


async def wallets_of(context: Context) -> list[Wallet]:
    """All of the caller's wallets: at most one for each purpose and currency."""
    found = await context.loaders.once("wallets", lambda: context.ports.books.accounts_of(context.caller.owners))
    return [Wallet(view=view) for view in found if view.key.purpose is not Purpose.RECEIVABLE]


async def top_ups_of(context: Context, first: int, after: Cursor | None) -> Connection[TopUp]:
    """A page of the caller's top-ups, newest first."""
    size, people = page_size(first), context.caller.people
    place = None if after is None else top_up_id(place_of(_TOP_UPS, after))
    found = await context.loaders.once(
        _TOP_UPS, lambda: context.ports.top_ups.top_ups_of(people, after=place, first=size + 1), place, size
    )
    return Connection.of(found, size, after, _edge)


def _edge(found: model.TopUp) -> tuple[Cursor, TopUp]:
    return cursor_of(_TOP_UPS, found.id), TopUp(top_up=found)


@strawberry.type
class WalletQuery:
    """The wallet's fields of the root."""

    @field(Right.OWNER, "A wallet by its id; null if there is no such, or it is not yours.")
    async def wallet(
        self, info: Info, id_: Annotated[strawberry.ID, strawberry.argument(description="The wallet's id.", name="id")]
    ) -> Wallet | None:
        """A wallet by its id."""
        return await fetch_wallet(info.context, key_of(Wallet.kind, id_))

    @field(Right.OWNER, "A top-up by its id; null if there is no such, or it is not yours.")
    async def top_up(
        self, info: Info, id_: Annotated[strawberry.ID, strawberry.argument(description="The top-up's id.", name="id")]
    ) -> TopUp | None:
        """A top-up by its id."""
        return await fetch_top_up(info.context, key_of(TopUp.kind, id_))

    @field(Right.OWNER, "Your top-ups, newest first.", list_size=PAGE)
    async def top_ups(self, info: Info, first: First = USUAL_PAGE, after: After = None) -> Connection[TopUp]:
        """A page of the caller's top-ups."""
        return await top_ups_of(info.context, first, after)
