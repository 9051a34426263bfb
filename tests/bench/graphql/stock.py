"""Strawberry as it comes, with its own view and the same types."""

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from tests.bench.graphql.world import ALL_ITEMS, ALL_OWNERS, OwnerRow


@strawberry.type
class Owner:
    """Somebody who keeps items."""

    id: int
    name: str
    city: str
    email: str
    score: float
    active: bool
    rank: int
    note: str


@strawberry.type
class Item:
    """One of fifty."""

    id: int
    name: str
    title: str
    price: float
    stock: int
    active: bool
    colour: str
    note: str
    owner_id: strawberry.Private[int]

    @strawberry.field
    async def owner(self, info: strawberry.Info) -> Owner:
        """Who keeps it."""
        found: Owner = await info.context["owners"].load(self.owner_id)
        return found


async def _owners(keys: list[int]) -> list[OwnerRow]:
    return [ALL_OWNERS[key] for key in keys]


@strawberry.type
class Query:
    """The root."""

    @strawberry.field
    async def items(self) -> list[Item]:
        """Fifty items."""
        return ALL_ITEMS  # type: ignore[return-value] # rows have what the type shows


class _View(GraphQL[dict[str, object], None]):
    async def get_context(self, request: object, response: object) -> dict[str, object]:
        """A loader for each request."""
        return {"owners": DataLoader(_owners)}


def application() -> Starlette:
    """The application: what the server is told to run."""
    view = _View(strawberry.Schema(Query))
    return Starlette(routes=[Route("/graphql", view, methods=["POST"])])
