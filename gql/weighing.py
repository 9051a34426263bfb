"""What every field of a schema costs and how long its lists are, before any request.

Every list says how long it may be, itself or by the field that leads to it; a schema with another one does not build.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    Undefined,
    ast_from_value,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_list_type,
    value_from_ast_untyped,
)

from gql.access import DEFINITION
from gql.weights import Costs, ListSize

_WEIGHT = "weight"

Directive = TypeVar("Directive", Costs, ListSize)
Composite = GraphQLObjectType | GraphQLInterfaceType


class UndeclaredSizeError(Exception):
    """A list of which nobody says how long it may be, or what is said of it cannot be held."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an argument is when it is left out, and what it costs to give something else."""

    cost: int
    usual: Any
    is_list: bool


@dataclass(frozen=True, slots=True)
class Weight:
    """What is known of a field before any request."""

    cost: int = 1
    arguments: Mapping[str, Given] = field(default_factory=dict)
    """All that it has."""
    is_list: bool = False
    assumed: int | None = None
    slicing: Sequence[str] = ()
    sized: Sequence[str] = ()

    @property
    def has_size(self) -> bool:
        """Whether it says itself how long its list is."""
        return self.is_list and not self.sized and (self.assumed is not None or bool(self.slicing))


_UNKNOWN: Final = Weight()


def weight_of(declared: GraphQLField | None) -> Weight:
    """What a field of a weighed schema costs; the least that is possible for one that is in no schema."""
    found = declared.extensions.get(_WEIGHT) if declared is not None else None
    return found if isinstance(found, Weight) else _UNKNOWN


def weigh(schema: GraphQLSchema) -> None:
    """Put its weight with every field. Raises `UndeclaredSizeError` naming the first list that has no size."""
    for _, declared in _fields(schema):
        declared.extensions[_WEIGHT] = _weighed(declared)
    sized = {
        (type_.name, name)
        for _, declared in _fields(schema)
        for type_ in _types(schema, declared.type)
        for name in weight_of(declared).sized
    }
    for place, declared in _fields(schema):
        owner, _, name = place.partition(".")
        if weight_of(declared).is_list and not weight_of(declared).has_size and (owner, name) not in sized:
            raise UndeclaredSizeError(f"{place} is a list and does not say how long")
    for place, declared in _fields(schema):
        _hold(schema, place, declared)


def _fields(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField]]:
    for type_ in schema.type_map.values():
        if isinstance(type_, Composite) and not type_.name.startswith("__"):
            yield from ((f"{type_.name}.{name}", declared) for name, declared in type_.fields.items())


def _types(schema: GraphQLSchema, type_: GraphQLType) -> Sequence[Composite]:
    """The types with fields that a value of a type may be."""
    named = get_named_type(type_)
    found = [*schema.get_possible_types(named)] if is_abstract_type(named) else []
    return [*found, named] if isinstance(named, Composite) else found


def _weighed(declared: GraphQLField) -> Weight:
    costs, size = _declared(declared, Costs), _declared(declared, ListSize)
    return Weight(
        cost=int(costs.weight) if costs else 1,
        arguments={name: _given(argument) for name, argument in declared.args.items()},
        is_list=is_list_type(get_nullable_type(declared.type)),
        assumed=(size.assumed_size or None) if size else None,
        slicing=tuple(size.slicing_arguments or ()) if size else (),
        sized=tuple(size.sized_fields or ()) if size else (),
    )


def _declared(owner: GraphQLField | GraphQLArgument, kind: type[Directive]) -> Directive | None:
    """The directive of that kind that a field or an argument has."""
    directives = getattr(owner.extensions.get(DEFINITION), "directives", None) or ()
    return next((found for found in directives if isinstance(found, kind)), None)


def _given(argument: GraphQLArgument) -> Given:
    costs, usual = _declared(argument, Costs), None
    if argument.default_value is not Undefined:
        node = ast_from_value(argument.default_value, argument.type)
        usual = value_from_ast_untyped(node) if node is not None else None
    return Given(int(costs.weight) if costs else 0, usual, is_list_type(get_nullable_type(argument.type)))


def _hold(schema: GraphQLSchema, place: str, declared: GraphQLField) -> None:
    """Every name in a declaration is there, and a list that is sized from above has no size of its own, and always is.

    Raises `UndeclaredSizeError`.
    """
    weight = weight_of(declared)
    if unknown := [name for name in weight.slicing if name not in declared.args]:
        raise UndeclaredSizeError(f"{place} has no arguments {unknown}")
    for type_ in _types(schema, declared.type):
        lists = {name for name, inner in type_.fields.items() if weight_of(inner).is_list}
        if absent := set(weight.sized) - lists:
            raise UndeclaredSizeError(f"{place} leads to no lists {absent}")
        missing = {name for name in lists if not weight_of(type_.fields[name]).has_size} - set(weight.sized)
        if missing:
            raise UndeclaredSizeError(f"{place} leads to lists that do not say how long: {missing}")
