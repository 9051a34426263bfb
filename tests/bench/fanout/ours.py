"""Our application as in production, with one shared subscription in place of its own schema."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from unittest.mock import patch

import strawberry
from starlette.applications import Starlette
from strawberry.schema.config import StrawberryConfig

from adapters.config import Settings, read_settings
from adapters.logs import configure_logging
from gql.access import Right, field
from gql.app import create_app
from gql.context import Info
from gql.errors import Manner
from gql.execution import Schema
from gql.fanout.sharing import Flow, shared
from gql.limits import Limits
from gql.scalars import SCALARS
from tests.bench.fanout.world import REST, TOPIC


@strawberry.type(description="Something new.")
class Tick:
    """Something new."""

    number: int = field(Right.PARENT, "A leaf.")
    title: str = field(Right.PARENT, "A leaf.")
    game: str = field(Right.PARENT, "A leaf.")
    amount: int = field(Right.PARENT, "A leaf.")
    currency: str = field(Right.PARENT, "A leaf.")
    target: int = field(Right.PARENT, "A leaf.")
    live: bool = field(Right.PARENT, "A leaf.")
    note: str = field(Right.PARENT, "A leaf.")


@strawberry.type
class Query:
    """The root."""

    @field(Right.SIGNED_IN, "Nothing.")
    async def nothing(self) -> bool:
        """Nothing."""
        return True


@strawberry.type
class Mutation:
    """Every schema of ours has one."""

    @field(Right.SIGNED_IN, "Nothing.")
    async def nothing(self) -> bool:
        """Nothing."""
        return True


@strawberry.type
class Subscription:
    """Streams."""

    @shared(Right.SIGNED_IN, "What is new.", flow=Flow.DROP_OLDEST)
    async def ticked(self, info: Info) -> AsyncGenerator[Tick, None]:
        """Every number from the first that is heard of on: the feed tells of the newest alone."""
        place: int | None = None
        async with aclosing(info.context.ports.feed.listen(TOPIC)) as hints:
            async for hint in hints:
                for number in range(hint if place is None else place + 1, hint + 1) if hint else ():
                    place = number
                    yield Tick(number=number, **REST)  # type: ignore[arg-type] # each value has its field's type


def schema_to_measure(**_: object) -> Schema:
    """The schema that is measured."""
    return Schema(Query, Mutation, Subscription, StrawberryConfig(scalar_map=SCALARS), Limits(), Manner())


def application() -> Starlette:
    """The application: what the server is told to run."""
    settings = read_settings(Settings)
    configure_logging(settings)
    with patch("gql.app.build_schema", schema_to_measure), patch("gql.document_files.shipped", lambda _: ()):
        return create_app(settings)
