"""What fields say of their cost: every list says how long it may be, or the schema does not build."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import strawberry
from graphql import DirectiveLocation, GraphQLDirective
from strawberry.schema.config import StrawberryConfig

from gql.access import Right, field
from gql.errors import Manner
from gql.execution import Schema
from gql.limits import Limits
from gql.schema import build_schema
from gql.weighing import UndeclaredSizeError
from gql.weights import ListSize, at_most, sliced_by


def schema_of(query: type) -> Schema:
    """A schema with that root."""

    @strawberry.type
    class Mutation:
        nothing: int = field(Right.PUBLIC, "Nothing.", resolver=lambda: 0)

    async def produce() -> AsyncGenerator[int, None]:
        yield 0

    @strawberry.type
    class Subscription:
        nothing = field(Right.PUBLIC, "Nothing.", resolver=produce, is_subscription=True)

    return Schema(query, Mutation, Subscription, StrawberryConfig(), Limits(), Manner())


def a_list(size: ListSize | None) -> type:
    """A root with a list of its own."""

    def found(first: int = 3) -> list[int]:
        return [first]

    @strawberry.type
    class Query:
        numbers: list[int] = field(Right.PUBLIC, "Some.", resolver=found, list_size=size)

    return Query


def a_page(size: ListSize | None, inner: ListSize | None = None) -> type:
    """A root with an object that has a list."""

    @strawberry.type
    class Page:
        items: list[int] = field(Right.PARENT, "Some.", list_size=inner)
        total: int = field(Right.PARENT, "How many.")

    def found(first: int = 3) -> Page:
        return Page(items=[first], total=first)

    @strawberry.type
    class Query:
        page: Page = field(Right.PUBLIC, "Some.", resolver=found, list_size=size)

    return Query


GOOD: list[type] = [
    a_list(at_most(5)),
    a_list(sliced_by("first")),
    a_page(sliced_by("first", sizes=["items"])),
    a_page(None, at_most(5)),
]


@pytest.mark.parametrize("query", GOOD, ids=["by itself", "by an argument", "from above", "below"])
def test_a_list_says_how_long(query: type) -> None:
    schema_of(query)


BAD: dict[str, tuple[type, str]] = {
    "a list": (a_list(None), "Query.numbers is a list and does not say how long"),
    "below": (a_page(None), "Page.items is a list and does not say how long"),
    "an argument that is not there": (a_list(sliced_by("last")), r"Query.numbers has no arguments \['last'\]"),
    "a list that is not there": (
        a_page(sliced_by("first", sizes=["total"]), at_most(5)),
        "leads to no lists {'total'}",
    ),
}


@pytest.mark.parametrize(("query", "complaint"), BAD.values(), ids=BAD.keys())
def test_or_the_schema_does_not_build(query: type, complaint: str) -> None:
    with pytest.raises(UndeclaredSizeError, match=complaint):
        schema_of(query)


def test_every_way_to_a_list_says_how_long() -> None:
    @strawberry.type
    class Page:
        items: list[int] = field(Right.PARENT, "Some.")

    def found(first: int = 3) -> Page:
        return Page(items=[first])

    @strawberry.type
    class Query:
        one: Page = field(Right.PUBLIC, "Sized.", resolver=found, list_size=sliced_by("first", sizes=["items"]))
        two: Page = field(Right.PUBLIC, "Not sized.", resolver=found)

    with pytest.raises(UndeclaredSizeError, match=r"Query.two leads to lists that do not say how long: {'items'}"):
        schema_of(Query)


def test_clients_see_it_in_the_words_of_the_specification() -> None:
    schema = build_schema()
    declared = {directive.name: directive for directive in schema.core.directives}
    assert _signature(declared["cost"]) == {"weight": "String!"}
    assert declared["cost"].locations == (DirectiveLocation.FIELD_DEFINITION, DirectiveLocation.ARGUMENT_DEFINITION)
    assert _signature(declared["listSize"]) == {
        "assumedSize": "Int",
        "slicingArguments": "[String!]",
        "sizedFields": "[String!]",
        "requireOneSlicingArgument": "Boolean",
    }
    text = schema.as_str()
    assert '@listSize(slicingArguments: ["first"], sizedFields: ["edges"], requireOneSlicingArgument: false)' in text
    assert 'basis: TimeBasis! = RECORDED @cost(weight: "500")' in text
    assert "sessions: [Session!]! @requires(right: OWNER) @listSize(assumedSize: 100)" in text


def _signature(directive: GraphQLDirective) -> dict[str, Any]:
    return {name: str(argument.type) for name, argument in directive.args.items()}
