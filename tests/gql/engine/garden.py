"""A schema with something of everything, and objects that grow their values, good and bad, from a seed.

The same object answers the same each time it is asked, so that two engines can be held against each other.
"""

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Annotated, Any, TypeVar, Union
from uuid import UUID

import strawberry
from strawberry.schema.config import StrawberryConfig

from domain.actor import Actor
from domain.ids import PersonId
from domain.ports import Ports
from domain.rights import Permission
from gql.access import Right, field, guard
from gql.batching import Asked, batched
from gql.scalars import SCALARS
from gql.weights import at_most, sliced_by

OURS = Actor(PersonId(UUID(int=10)))
SHORT = at_most(5)


@strawberry.enum
class Colour(Enum):
    """An enumeration whose names are not its values."""

    RED = "r"
    GREEN = "g"


@strawberry.input
class Wish:
    """An input object."""

    times: int = strawberry.field(default=1, description="How often.")
    tail: str | None = strawberry.field(default=None, description="What follows.")


Kind = TypeVar("Kind")
Info = strawberry.Info[Any, None]


class Odd:
    """Something that is none of the things that a field may be."""

    def __repr__(self) -> str:
        return "odd"


class Grown:
    """An object whose attributes grow from its seed. `amiss` is how often something is wrong, of a thousand times."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in _GROWING:
            raise AttributeError(name)
        return grow(vars(self)["seed"], vars(self)["amiss"], name)


def grown(cls: type[Kind], seed: str, amiss: int) -> Kind:
    """An object of a class."""
    made = object.__new__(cls)
    vars(made).update(seed=seed, amiss=amiss)
    return made


def grow(seed: str, amiss: int, name: str) -> Any:
    """What an attribute of an object with this seed is."""
    dice = random.Random(f"{seed}/{name}")
    if dice.randrange(1000) < amiss:
        bad: tuple[Any, ...] = (
            None,
            ValueError(f"bad {name}"),
            Odd(),
            "text",
            2**40,
            float("nan"),
            [],
            [None],
            {"a": 1},
        )
        return dice.choice(bad)
    return _GROWING[name](dice, f"{seed}/{name}", amiss)


def _branch(dice: random.Random, seed: str, amiss: int) -> Any:
    return grown(dice.choice((Branch, Leaf)), seed, amiss)


def _branches(dice: random.Random, seed: str, amiss: int) -> list[Any]:
    return [grown(Branch, f"{seed}/{place}", amiss) for place in range(dice.randrange(4))]


def _mixed(dice: random.Random, seed: str, amiss: int) -> list[Any]:
    found = [_branch(dice, f"{seed}/{place}", amiss) for place in range(dice.randrange(4))]
    return [None if dice.randrange(8) == 0 else each for each in found]


_GROWING: Mapping[str, Any] = {
    "owner": lambda dice, *_: OURS.owner if dice.randrange(1000) < 950 else "person:somebody",
    "name": lambda dice, *_: dice.choice(("oak", "ash", "", "é\u2028", "x" * 50)),
    "nick": lambda dice, *_: dice.choice((None, "nick")),
    "number": lambda dice, *_: dice.choice((0, 1, -5, 2**31 - 1, True)),
    "height": lambda dice, *_: dice.choice((None, 1.5, 2, -0.0)),
    "alive": lambda dice, *_: dice.choice((True, False)),
    "since": lambda dice, *_: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=dice.randrange(10**6)),
    "colour": lambda dice, *_: dice.choice((Colour.RED, Colour.GREEN)),
    "shade": lambda dice, *_: dice.choice((Colour.RED, None)),
    "tags": lambda dice, *_: tuple(dice.choice(("a", "b")) for _ in range(dice.randrange(3))),
    "grid": lambda dice, *_: [dice.choice((None, [1, 2], [], [None, 3])) for _ in range(dice.randrange(3))],
    "child": lambda dice, seed, amiss: dice.choice((None, grown(Branch, seed, amiss))),
    "stem": lambda _, seed, amiss: grown(Branch, seed, amiss),
    "branches": _branches,
    "mixed": _mixed,
    "either": _branch,
    "thing": lambda dice, seed, amiss: dice.choice((None, _branch(dice, seed, amiss))),
}


async def _doubled(_: Ports, keys: Sequence[str]) -> Mapping[str, str]:
    """Finds most of what it is asked for."""
    return {key: f"{key}{key}" for key in keys if len(str(key)) != 1}


async def _stems(_: Ports, keys: Sequence[str]) -> Mapping[str, Any]:
    return {key: grown(Branch, str(key), 20) for key in keys}


@strawberry.interface
class Thing(Grown):
    """What all have in common."""

    name: str = field(Right.OWNER, "A name.")
    nick: str | None = field(Right.PARENT, "A nickname.")

    @field(Right.OWNER, "Its name, loudly.")
    def shout(
        self, times: Annotated[int, strawberry.argument(description="How often.")] = 1, wish: Wish | None = None
    ) -> str | None:
        """Its name, loudly."""
        if times > 3:
            raise ValueError("too loud")
        return self.name.upper() * times + (wish.tail or "" if wish else "")


@strawberry.type
class Leaf(Thing):
    """One of two."""

    colour: Colour = field(Right.PARENT, "A colour.")
    shade: Colour | None = field(Right.PARENT, "A shade.")
    number: int = field(Right.OWNER, "A number.")


Either = Annotated[Union["Branch", Leaf], strawberry.union("Either")]


@strawberry.type
class Branch(Thing):
    """The other, with more of itself below."""

    number: int = field(Right.PARENT, "A number.")
    height: float | None = field(Right.PARENT, "A height.")
    alive: bool = field(Right.SIGNED_IN, "Whether it lives.")
    since: datetime = field(Right.PARENT, "Since when.")
    tags: list[str] = field(Right.PARENT, "Tags.", list_size=SHORT)
    grid: list[list[int | None] | None] | None = field(Right.PARENT, "Numbers.", list_size=SHORT)
    child: "Branch | None" = field(Right.PARENT, "One below.")
    stem: "Branch" = field(Right.PARENT, "One below, always.")
    branches: list["Branch"] = field(Right.PARENT, "Some below.", list_size=SHORT)
    mixed: list[Either | None] | None = field(Right.PARENT, "Any below.", list_size=SHORT)
    either: Either = field(Right.PARENT, "One of two.")
    thing: Thing | None = field(Right.PARENT, "Of any kind.")
    secret: str | None = field(Right.STAFF, "For staff.", permission=Permission.VIEW_FINANCIALS, default=None)

    @field(Right.PARENT, "What the request asks by.")
    def asked(self, info: Info, of: Colour = Colour.RED) -> str:
        """What the request asks by."""
        return f"{info.field_name}/{of.name}"


@strawberry.type
class Slow(Thing):
    """What has to be waited for."""

    @field(Right.OWNER, "Its name, later.")
    async def later(self, times: int = 1) -> str:
        """Its name, later."""
        return self.name * times

    @field(Right.PARENT, "Nothing, or a nickname.")
    async def maybe(self) -> str | None:
        """Nothing, or a nickname."""
        if self.nick is None:
            raise ValueError("no nickname")
        return self.nick

    @field(Right.PARENT, "One below, later.")
    async def below(self) -> "Slow | None":
        """One below, later."""
        found = grow(self.seed, self.amiss, "child")
        below: Slow | None = grown(Slow, found.seed, found.amiss) if isinstance(found, Branch) else found
        return below

    @field(Right.PARENT, "Some below, later.", list_size=sliced_by("first"))
    async def more(self, first: int = 2) -> list["Slow"]:
        """Some below, later."""
        if first > 5:
            raise ValueError("too many")
        return [grown(Slow, f"{self.seed}/{place}", self.amiss) for place in range(first)]

    @batched(Right.OWNER, "Its name twice, found for many at once.", load=_doubled)
    def twice(self, tail: str = "") -> Asked[str | None]:
        """Its name twice."""
        return Asked(self.name, lambda found: found + tail)

    @batched(Right.PARENT, "A stem, found for many at once.", load=_stems)
    def found(self) -> Asked[Branch]:
        """A stem."""
        return Asked(str(self.name)[:3], lambda found: found)


@strawberry.type(name="Query")
class Query:
    """The root."""

    @field(Right.PUBLIC, "A branch.")
    def branch(self, seed: str, amiss: int = 0) -> Branch:
        """A branch."""
        return grown(Branch, seed, amiss)

    @field(Right.PUBLIC, "Some branches.", list_size=sliced_by("first"))
    async def forest(self, seed: str, amiss: int = 0, first: int = 3) -> list[Branch | None]:
        """Some branches."""
        return [grown(Branch, f"{seed}/{place}", amiss) for place in range(first)]

    @field(Right.SIGNED_IN, "What has to be waited for.", list_size=sliced_by("first"))
    async def slow(self, seed: str, amiss: int = 0, first: int = 3) -> list[Slow] | None:
        """What has to be waited for."""
        return [grown(Slow, f"{seed}/{place}", amiss) for place in range(first)]

    @field(Right.OWNER, "Of any kind.")
    def thing(self, seed: str, amiss: int = 0) -> Thing | None:
        """Of any kind."""
        found: Thing = _branch(random.Random(seed), seed, amiss)
        return found


@strawberry.type(name="Mutation")
class Mutation:
    """What changes something."""

    @field(Right.SIGNED_IN, "Write something down.")
    async def note(self, info: Info, what: str) -> str:
        """Write something down."""
        info.context.notes.append(what)
        if what.startswith("!"):
            raise ValueError(what)
        return what

    @field(Right.PUBLIC, "Write something down at once, or not at all.", harmless=True)
    def jot(self, info: Info, what: str) -> Branch | None:
        """Write something down."""
        info.context.notes.append(what)
        return grown(Branch, what, 300)


def garden() -> strawberry.Schema:
    """The schema, guarded as ours is."""
    schema = strawberry.Schema(Query, Mutation, types=[Leaf, Branch, Slow], config=StrawberryConfig(scalar_map=SCALARS))
    guard(schema._schema)
    return schema
