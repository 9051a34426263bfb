"""No GraphQL at all: the same answer, made of the same objects, by Starlette and orjson."""

from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.bench.graphql.world import ALL_ITEMS, ALL_OWNERS, ItemRow, OwnerRow


def _item(row: ItemRow) -> dict[str, Any]:
    return {
        "id": row.id, "name": row.name, "title": row.title, "price": row.price, "stock": row.stock,
        "active": row.active, "colour": row.colour, "note": row.note,
    }  # fmt: skip


def _owner(row: OwnerRow) -> dict[str, Any]:
    return {
        "id": row.id, "name": row.name, "city": row.city, "email": row.email, "score": row.score,
        "active": row.active, "rank": row.rank, "note": row.note,
    }  # fmt: skip


async def _answer(request: Request) -> Response:
    asked = orjson.loads(await request.body())["query"]
    if "owner" in asked:
        found = [{**_item(row), "owner": _owner(ALL_OWNERS[row.owner_id])} for row in ALL_ITEMS]
    else:
        found = [_item(row) for row in ALL_ITEMS]
    return Response(orjson.dumps({"data": {"items": found}}), media_type="application/json")


def application() -> Starlette:
    """The application: what the server is told to run."""
    return Starlette(routes=[Route("/graphql", _answer, methods=["POST"])])
