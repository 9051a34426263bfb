"""The engine against graphql-core's own executor: the same documents, the same objects, the same answers.

ENGINE_EXAMPLES sets how many documents are tried.
"""

import gc
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, execute, parse, validate

from domain.actor import Actor
from domain.rights import Permission
from gql.engine.documents import Document
from gql.engine.running import Done, World
from gql.loaders import Loaders
from tests.gql.engine.garden import OURS, garden
from tests.gql.engine.writer import Writer

_LEFT = "ignore:.*(from_resolver.<locals>._async_resolver|coroutine .?Executor.)"
"""What the reference leaves unawaited beside a field that lost them all."""

pytestmark = [
    pytest.mark.filterwarnings(f"{_LEFT}:{kind}")
    for kind in ("RuntimeWarning", "pytest.PytestUnraisableExceptionWarning")
]

EXAMPLES = int(os.environ.get("ENGINE_EXAMPLES", "2000"))
CHUNKS = 8
CALLERS = (OURS, OURS, OURS, None, replace(OURS, permissions=frozenset({Permission.VIEW_FINANCIALS})))


@dataclass
class Visitor:
    """Who asks; what was changed is noted down."""

    actor: Actor | None
    screen: None = None
    notes: list[str] = field(default_factory=list)
    ports: Any = None

    async def before_change(self) -> None:
        """Nothing changes who asks."""

    @property
    def loaders(self) -> Any:
        """The loaders of this visitor."""
        if "_loaders" not in vars(self):
            vars(self)["_loaders"] = _Loaders()
        return vars(self)["_loaders"]


class _Loaders(Loaders):
    def __init__(self) -> None:
        self._ports, self._batched = None, {}  # type: ignore[assignment]  # nothing here asks a port


@dataclass(frozen=True)
class Told:
    """An error, as far as a client sees it."""

    message: str
    path: tuple[str | int, ...]
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, error: GraphQLError) -> "Told":
        """What is told of an error."""
        places = tuple((each.line, each.column) for each in error.locations or ())
        return cls(error.message, tuple(error.path or ()), places)


def told(errors: Sequence[GraphQLError] | None) -> list[Told]:
    """What is told of errors."""
    return [Told.of(error) for error in errors or ()]


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """What the reference leaves is found here, and not in whichever test comes later."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def ground() -> tuple[strawberry.Schema, World]:
    schema = garden()
    return schema, World.of(schema)


def documents(core: GraphQLSchema, seed: int, operation: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Valid documents without end."""
    dice = random.Random(seed)
    while True:
        writer = Writer(core, dice, amiss=dice.choice((0, 0, 10, 100, 300)))
        yield writer.document(operation)


@pytest.mark.parametrize("operation", ["query", "mutation"])
def test_what_is_tried_is_valid(ground: tuple[strawberry.Schema, World], operation: str) -> None:
    _, world = ground
    for text, _ in islice(documents(world.schema, 0, operation), 30):
        assert validate(world.schema, parse(text)) == [], text


def waits(text: str) -> bool:
    """Whether a document asks for anything that has to be waited for."""
    return any(word in text for word in ("slow", "forest", "note"))


async def both(
    world: World, text: str, variables: dict[str, Any], actor: Actor | None, *, careful: bool
) -> tuple[ExecutionResult, Done | list[GraphQLError], Visitor, Visitor]:
    """What the two engines answer, and what each has changed."""
    theirs, ours = Visitor(actor), Visitor(actor)
    document = Document.of(world, text)
    awaitable = execute(world.schema, document.node, context_value=theirs, variable_values=variables)
    expected = awaitable if isinstance(awaitable, ExecutionResult) else await awaitable
    operation = document.operation(None)
    coerced = operation.coerced(variables)
    if isinstance(coerced, list):
        return expected, coerced, theirs, ours
    run = operation.run(ours, coerced)
    assert run is not None, f"no plan for {text}"
    if careful:
        run.go_carefully()
    return expected, await run.carry_out(), theirs, ours


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_it_answers_as_the_reference_does(ground: tuple[strawberry.Schema, World], chunk: int) -> None:
    _, world = ground
    source = documents(world.schema, chunk, "query")
    dice = random.Random(chunk)
    for _ in range(EXAMPLES // CHUNKS):
        text, variables = next(source)
        actor, careful = dice.choice(CALLERS), dice.random() < 0.2
        expected, got, *_ = await both(world, text, variables, actor, careful=careful)
        if isinstance(got, list):
            assert told(got) == told(expected.errors), text
            continue
        assert got.data == expected.data, (text, variables, told(got.errors), told(expected.errors))
        assert list(_keys(got.data)) == list(_keys(expected.data)), text
        mine, reference = told(got.errors), told(expected.errors)
        if waits(text):
            mine, reference = (_standing(got.data, each) for each in (mine, reference))
        assert mine == reference, (text, variables)


@pytest.mark.parametrize("chunk", range(2))
async def test_it_changes_what_the_reference_changes(ground: tuple[strawberry.Schema, World], chunk: int) -> None:
    _, world = ground
    source = documents(world.schema, 100 + chunk, "mutation")
    dice = random.Random(chunk)
    for _ in range(EXAMPLES // 16):
        text, variables = next(source)
        expected, got, theirs, ours = await both(world, text, variables, dice.choice(CALLERS), careful=False)
        assert ours.notes == theirs.notes, text
        if not isinstance(got, list):
            assert got.data == expected.data, text
            assert told(got.errors) == told(expected.errors), text


def _keys(data: Any) -> Iterator[Any]:
    """All keys in their order, which two equal dictionaries may differ in."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _keys(value)
    elif isinstance(data, list):
        for each in data:
            yield from _keys(each)


def _standing(data: Any, errors: list[Told]) -> list[Told]:
    """The errors whose place is still there, in one order: what fails first among waiting fields is chance."""
    return sorted((each for each in errors if _is_there(data, each.path)), key=repr)


def _is_there(data: Any, path: Sequence[str | int]) -> bool:
    """Whether the place around the one that a path names is in the answer."""
    for step in path[:-1]:
        if data is None:
            return False
        data = data[step]
    return data is not None
