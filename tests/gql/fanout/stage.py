"""A schema with shared subscriptions, in place of the product's, served by the application as it is."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Annotated
from unittest.mock import patch

import strawberry
from strawberry.schema.config import StrawberryConfig

from domain.rights import Permission
from gql.access import Right, field
from gql.context import Info
from gql.errors import Manner
from gql.execution import Schema
from gql.fanout.sharing import Flow, shared
from gql.limits import Limits
from gql.scalars import SCALARS
from tests.gql.house import House, Socket, running_house
from tests.waiting import eventually

SUM = "subscription ($of: String!) { goal(of: $of) { name amount } }"
EVERY = "subscription ($of: String!, $after: Int) { alerts(of: $of, after: $after) { number text } }"
LATELY = "subscription { rumours { number text } }"

asked = Counter[str]()
"""What resolvers did: how often each was run."""


@strawberry.type(description="How far a goal has come.")
class Goal:
    """How far a goal has come."""

    name: str = field(Right.PARENT, "Its name.")
    amount: int = field(Right.PARENT, "How much there is.")

    @field(Right.PARENT, "Who is looking, for whoever asks.")
    def viewer(self, info: Info) -> str:
        """Somebody's own."""
        return str(info.context.person)

    @field(Right.PARENT, "The same without a word of complaint where it is nobody.")
    def greeting(self, info: Info) -> str:
        """Somebody's own, or nobody's."""
        actor = info.context.actor
        return f"Hello {actor.person}" if actor else "Hello stranger"

    @field(Right.PARENT, "Where whoever is looking comes from.")
    def address(self, info: Info) -> str:
        """Somebody's own."""
        return info.context.origin.address or "nowhere"

    @field(Right.STAFF, "For staff's eyes.", permission=Permission.VIEW_FINANCIALS)
    def margin(self) -> int:
        """For staff's eyes."""
        return 7

    @field(Right.PARENT, "How often this was worked out.")
    async def reckoned(self) -> int:
        """A number that differs between two executions."""
        asked["reckoned"] += 1
        return asked["reckoned"]


@strawberry.type(description="Something that happened.")
class Alert:
    """Something that happened."""

    number: int = field(Right.PARENT, "Its place.")
    text: str = field(Right.PARENT, "What happened.")

    @field(Right.PARENT, "Somebody's own, from the third on.")
    def own(self, info: Info) -> str:
        """Somebody's own, from the third on."""
        return str(info.context.person) if self.number > 2 else "-"


LENGTH = 200
log: list[int] = []
"""What happened on the topic of alerts."""


async def _alerts(info: Info, of: str, after: int | None) -> AsyncGenerator[Alert, None]:
    asked["alerts"] += 1
    async with aclosing(info.context.ports.feed.listen(of)) as hints:
        await anext(hints)
        place = after
        if place is None:
            place = log[-1] if log else 0
            yield Alert(number=place, text="snapshot")
        hint = 0
        while True:
            for number in [each for each in log if each > place]:
                place = number
                yield Alert(number=number, text="x" * LENGTH)
            hint = await anext(hints, -1)
            if hint < 0:
                return


@strawberry.type
class Subscription:
    """Streams."""

    @shared(Right.SIGNED_IN, "How far goals have come.", flow=Flow.LATEST, key=lambda goal: goal.name)
    async def goal(
        self, info: Info, of: Annotated[str, strawberry.argument(description="The topic.")]
    ) -> AsyncGenerator[Goal, None]:
        """Goals of a topic: its number tells both which and how much."""
        asked["goal"] += 1
        async with aclosing(info.context.ports.feed.listen(of)) as hints:
            async for hint in hints:
                yield Goal(name=f"goal {hint % 10}", amount=hint)

    @shared(Right.SIGNED_IN, "All that happens.", flow=Flow.MUST_DELIVER, place=lambda alert: alert.number)
    async def alerts(
        self,
        info: Info,
        of: Annotated[str, strawberry.argument(description="The topic.")],
        after: Annotated[int | None, strawberry.argument(description="Go on after this.")] = None,
    ) -> AsyncGenerator[Alert, None]:
        """All that happens."""
        async with aclosing(_alerts(info, of, after)) as alerts:
            async for alert in alerts:
                yield alert

    @shared(Right.SIGNED_IN, "What happens from now on.", flow=Flow.DROP_OLDEST)
    async def rumours(self, info: Info) -> AsyncGenerator[Alert, None]:
        """What happens from now on."""
        async with aclosing(info.context.ports.feed.listen("rumours")) as hints:
            async for hint in hints:
                yield Alert(number=hint, text="x" * LENGTH)

    @shared(Right.SIGNED_IN, "A stream that asks who listens before it begins.", flow=Flow.DROP_OLDEST)
    async def mine(self, info: Info) -> AsyncGenerator[str, None]:
        """Somebody's own from the start."""
        yield str(info.context.person)

    @shared(Right.SIGNED_IN, "A stream that breaks off.", flow=Flow.DROP_OLDEST)
    async def broken(self, info: Info) -> AsyncGenerator[int, None]:
        """Breaks off."""
        yield 1
        raise ValueError("the secret is hunter2")


@strawberry.type
class Query:
    """The root."""

    @field(Right.SIGNED_IN, "Nothing.")
    async def nothing(self) -> bool:
        """Nothing."""
        return True


gate = asyncio.Event()
finished: list[str] = []


@strawberry.type
class Mutation:
    """Changes."""

    @field(Right.SIGNED_IN, "Something that takes its time.")
    async def slowly(self) -> bool:
        """Something that takes its time."""
        asked["slowly"] += 1
        await gate.wait()
        finished.append("slowly")
        return True


def own_schema(**_: object) -> Schema:
    """The schema."""
    return Schema(Query, Mutation, Subscription, StrawberryConfig(scalar_map=SCALARS), Limits(), Manner())


@asynccontextmanager
async def fan_house(folder: Path, **more: object) -> AsyncIterator[House]:
    """The application with this schema."""
    asked.clear()
    log.clear()
    # The documents that clients are shipped with are written for the product's schema.
    with patch("tests.gql.house.one_schema_for_all", own_schema), patch("gql.document_files.shipped", lambda _: ()):
        async with running_house(folder, **more) as house:  # type: ignore[arg-type] # an environment is not among them
            yield house


async def data_of(sockets: Sequence[Socket], id_: str = "1") -> list[object]:
    return [await socket.data(id_) for socket in sockets]


async def hello(socket: Socket) -> None:
    """Whatever was sent before has been taken."""
    await socket.send({"type": "ping"})
    assert await socket.next() == {"type": "pong"}


def happen(house: House, *numbers: int) -> None:
    """Things happen on the topic of alerts."""
    log.extend(numbers)
    house.ports.feed.tell("a", numbers[-1])


async def listened_to(house: House, topic: str, times: int = 1) -> None:
    await eventually(lambda: house.ports.feed.listeners(topic) == times)
