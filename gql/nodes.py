"""Looks up objects of any type by their global ids (Relay)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import strawberry

from gql.access import Right, field
from gql.brand.queries import fetch_brand
from gql.brand.types import Brand
from gql.campaign.participations import Participation, fetch_participation
from gql.campaign.queries import fetch_campaign
from gql.campaign.types import Campaign
from gql.context import Context, Info
from gql.errors import BadInputError
from gql.identity.queries import fetch_session
from gql.identity.types import Session
from gql.node import Node, parsed
from gql.paging import LARGEST_PAGE
from gql.streamer.queries import fetch_streamer
from gql.streamer.types import Streamer
from gql.viewer import Viewer, fetch_viewer
from gql.wallet.queries import fetch_top_up, fetch_wallet
from gql.wallet.top_up import TopUp
from gql.wallet.types import Wallet
from gql.weights import sliced_by

FETCH: dict[str, Callable[[Context, str], Awaitable[Node | None]]] = {
    Viewer.kind: fetch_viewer,
    Wallet.kind: fetch_wallet,
    TopUp.kind: fetch_top_up,
    Session.kind: fetch_session,
    Streamer.kind: fetch_streamer,
    Brand.kind: fetch_brand,
    Campaign.kind: fetch_campaign,
    Participation.kind: fetch_participation,
}
"""For each type with a global id: how an object that is the caller's own, or shown to them, is fetched by its key."""


async def fetch(context: Context, id_: str) -> Node | None:
    """The caller's object of a global id. Raises `BadInputError` for an id that we never gave out."""
    kind, key = parsed(id_)
    if kind not in FETCH:
        raise BadInputError(f"{id_!r} is not an id of ours: give one back as you got it.")
    return await FETCH[kind](context, key)


@strawberry.type
class NodeQuery:
    """The root's fields for objects of any type."""

    @field(Right.OWNER, "An object by its global id; null if there is no such, or it is not for you to see.")
    async def node(
        self, info: Info, id_: Annotated[strawberry.ID, strawberry.argument(description="The global id.", name="id")]
    ) -> Node | None:
        """An object by its global id."""
        return await fetch(info.context, id_)

    @field(
        Right.OWNER,
        "Objects by their global ids, in the same order, with null for each that is not there for you.",
        list_size=sliced_by("ids"),
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[
            list[strawberry.ID], strawberry.argument(description=f"The global ids, {LARGEST_PAGE} at most.")
        ],
    ) -> list[Node | None]:
        """Objects by their global ids."""
        if len(ids) > LARGEST_PAGE:
            raise BadInputError(f"`ids` may hold {LARGEST_PAGE} ids, not {len(ids)}.")
        return await asyncio.gather(*(fetch(info.context, id_) for id_ in ids))
