"""Strawberry's subscription as it comes, with one Redis reader for the process and a queue for each who follows."""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import strawberry
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL

from tests.bench.fanout.world import REST, TOPIC

_queues = set[asyncio.Queue[int]]()


@strawberry.type
class Tick:
    """Something new."""

    number: int
    title: str
    game: str
    amount: int
    currency: str
    target: int
    live: bool
    note: str


@strawberry.type
class Query:
    """The root."""

    nothing: bool = True


@strawberry.type
class Subscription:
    """Streams."""

    @strawberry.subscription
    async def ticked(self) -> AsyncGenerator[Tick, None]:
        """What is new."""
        queue = asyncio.Queue[int]()
        _queues.add(queue)
        try:
            while True:
                yield Tick(number=await queue.get(), **REST)  # type: ignore[arg-type] # each has its field's type
        finally:
            _queues.discard(queue)


async def _read() -> None:
    async with Redis.from_url(os.environ["REDIS_URL"]) as redis, redis.pubsub() as pubsub:
        await pubsub.subscribe(TOPIC)
        async for message in pubsub.listen():
            if message["type"] == "message":
                for queue in _queues:
                    queue.put_nowait(int(message["data"]))


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    reading = asyncio.create_task(_read())
    yield
    reading.cancel()


def application() -> Starlette:
    """The application: what the server is told to run."""
    view: GraphQL[None, None] = GraphQL(strawberry.Schema(Query, subscription=Subscription))
    routes = [Route("/graphql", view, methods=["POST"]), WebSocketRoute("/graphql", view)]
    return Starlette(routes=routes, lifespan=_lifespan)
