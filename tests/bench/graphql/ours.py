"""Our application as in production, with a schema to be measured by in place of its own."""

from collections.abc import Mapping, Sequence
from unittest.mock import patch

import strawberry
from starlette.applications import Starlette
from strawberry.schema.config import StrawberryConfig

from adapters.config import Settings, read_settings
from adapters.logs import configure_logging
from domain.ports import Ports
from gql.access import Right, field
from gql.app import create_app
from gql.batching import Asked, batched
from gql.errors import Manner
from gql.execution import Schema
from gql.limits import Limits
from gql.scalars import SCALARS
from gql.wallet.subscriptions import WalletSubscription
from gql.weights import at_most
from tests.bench.graphql.world import ALL_ITEMS, ALL_OWNERS


@strawberry.type(description="Somebody who keeps items.")
class Owner:
    """Somebody who keeps items."""

    id: int = field(Right.PARENT, "A leaf.")
    name: str = field(Right.PARENT, "A leaf.")
    city: str = field(Right.PARENT, "A leaf.")
    email: str = field(Right.PARENT, "A leaf.")
    score: float = field(Right.PARENT, "A leaf.")
    active: bool = field(Right.PARENT, "A leaf.")
    rank: int = field(Right.PARENT, "A leaf.")
    note: str = field(Right.PARENT, "A leaf.")


async def _owners(_: Ports, keys: Sequence[int]) -> Mapping[int, object]:
    return {key: ALL_OWNERS[key] for key in keys}


@strawberry.type(description="One of fifty.")
class Item:
    """One of fifty."""

    id: int = field(Right.PARENT, "A leaf.")
    name: str = field(Right.PARENT, "A leaf.")
    title: str = field(Right.PARENT, "A leaf.")
    price: float = field(Right.PARENT, "A leaf.")
    stock: int = field(Right.PARENT, "A leaf.")
    active: bool = field(Right.PARENT, "A leaf.")
    colour: str = field(Right.PARENT, "A leaf.")
    note: str = field(Right.PARENT, "A leaf.")
    owner_id: strawberry.Private[int]

    @batched(Right.PARENT, "Who keeps it.", load=_owners)
    def owner(self) -> Asked[Owner]:
        """Who keeps it."""
        return Asked(self.owner_id, lambda found: found)


@strawberry.type
class Query:
    """The root."""

    @field(Right.SIGNED_IN, "Fifty items.", list_size=at_most(50))
    async def items(self) -> list[Item]:
        """Fifty items."""
        return ALL_ITEMS  # type: ignore[return-value] # rows have what the type shows


@strawberry.type
class Mutation:
    """Every schema of ours has one."""

    @field(Right.SIGNED_IN, "Nothing.")
    async def nothing(self) -> bool:
        """Nothing."""
        return True


def schema_to_measure(**_: object) -> Schema:
    """The schema that is measured."""
    return Schema(
        Query,
        Mutation,
        WalletSubscription,
        StrawberryConfig(scalar_map=SCALARS),
        Limits(),
        Manner(unavailable=(OSError,)),
    )


def application() -> Starlette:
    """The application: what the server is told to run."""
    settings = read_settings(Settings)
    configure_logging(settings)
    # The documents that clients are shipped with are written for the product's schema.
    with patch("gql.app.build_schema", schema_to_measure), patch("gql.document_files.shipped", lambda _: ()):
        return create_app(settings)
